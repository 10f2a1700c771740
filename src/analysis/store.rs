//! What is still possible, attribute by attribute, and what ties attributes to each other.
//!
//! Attributes are independent but for two ties. A value inside another (`a.b` inside `a`) needs an object around it, which does
//! not fit where `a` is read; and `{me} = x` makes two values one. Both are kept up whenever a domain shrinks, so that a store
//! without an empty domain has a request, up to what is opaque.

use std::sync::Arc;

use super::automaton::States;
use super::formula::Literal;
use super::formula::Test;
use super::list::List;
use super::scalar::Scalar;
use super::scalar::Unknown;
use super::values::ValueSet;
use super::vocabulary::AttributeId;
use super::vocabulary::Lies;
use super::vocabulary::Vocabulary;

/// What one attribute can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Domain {
    /// One value.
    Scalar(Scalar),
    /// A declared list.
    List(List),
}

/// What every attribute can be.
#[derive(Debug, Clone)]
pub struct Store<'v> {
    vocabulary: &'v Vocabulary,
    /// By attribute, ascending.
    domains: Vec<(AttributeId, Arc<Domain>)>,
    /// Attributes that are compared with `{me}`, and whether they are equal to it; ascending. A list can be both.
    links: Vec<(AttributeId, bool)>,
}

/// Whether something is left.
pub type Left = Result<bool, Unknown>;

impl<'v> Store<'v> {
    /// Nothing is known.
    pub fn new(vocabulary: &'v Vocabulary) -> Self {
        Self { vocabulary, domains: Vec::new(), links: Vec::new() }
    }

    /// The attributes that something is known of, with what they can be.
    pub fn domains(&self) -> impl Iterator<Item = (AttributeId, &Domain)> {
        self.domains.iter().map(|(id, domain)| (*id, &**domain))
    }

    /// What an attribute can be, if anything is known of it.
    pub fn get(&self, id: AttributeId) -> Option<&Domain> {
        self.shared(id).map(|domain| &**domain)
    }

    fn shared(&self, id: AttributeId) -> Option<&Arc<Domain>> {
        let at = self.domains.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        self.domains.get(at).map(|(_, domain)| domain)
    }

    /// Whether no value hangs on another and each has something left, as is plain to see, so that each can be chosen for itself.
    pub fn has_plain_request(&self) -> bool {
        let header = [AttributeId::ACTION, AttributeId::SERVICE, AttributeId::SOURCE];
        let is_plain = |(id, domain): &(AttributeId, Arc<Domain>)| match &**domain {
            Domain::Scalar(scalar) => scalar.is_plain() && (header.contains(id) || self.vocabulary.is_plain(*id)),
            Domain::List(_) => false,
        };
        self.links.is_empty() && self.domains.iter().all(is_plain)
    }

    /// The attributes that are compared with `{me}`, and whether they are equal to it; ascending.
    pub fn links(&self) -> &[(AttributeId, bool)] {
        &self.links
    }

    /// The domain to be changed, made where nothing is known yet.
    fn entry(&mut self, id: AttributeId) -> &mut Domain {
        let at = match self.domains.binary_search_by_key(&id, |(known, _)| *known) {
            Ok(at) => at,
            Err(at) => {
                self.domains.insert(at, (id, self.vocabulary.start(id)));
                at
            }
        };
        #[expect(clippy::indexing_slicing, reason = "the position has just been found or made")]
        let (_, domain) = &mut self.domains[at];
        Arc::make_mut(domain)
    }

    /// Whether a literal comes out the same for everything that is left; `None` if it does not, or if that is not plain to see.
    pub fn status(&self, literal: &Literal) -> Option<bool> {
        let holds = match (self.get(literal.attribute), &*literal.test) {
            (Some(Domain::List(list)), test) => list.status(test),
            (Some(Domain::Scalar(_)) | None, Test::Me) => {
                let at = self.links.partition_point(|(id, _)| *id < literal.attribute);
                self.links.get(at).filter(|(id, _)| *id == literal.attribute).map(|(_, equal)| *equal)
            }
            (Some(Domain::Scalar(scalar)), test) => scalar.status(test),
            // Of what nothing is known yet, nothing is plain to see that is worth a look.
            (None, _) => None,
        };
        holds.map(|holds| holds == literal.positive)
    }

    /// Keeps what makes the literal hold, or fail; false if nothing is left.
    pub fn meet(&mut self, literal: &Literal, holds: bool, states: &mut States) -> Left {
        let positive = literal.positive == holds;
        let id = literal.attribute;
        match (self.entry(id), &*literal.test) {
            (Domain::List(list), test) => list.meet(test, positive),
            (Domain::Scalar(scalar), Test::Me) => {
                if positive {
                    scalar.only_text();
                }
            }
            (Domain::Scalar(scalar), test) => scalar.meet(test, positive),
        }
        if *literal.test == Test::Me {
            self.entry(AttributeId::ME);
            if let Err(at) = self.links.binary_search(&(id, positive)) {
                // A list that holds the caller among others, and does not, knows better itself.
                if self.links.binary_search(&(id, !positive)).is_ok() && !self.vocabulary.is_list(id) {
                    return Ok(false);
                }
                self.links.insert(at, (id, positive));
            }
        }
        self.keep_up(id, states)
    }

    /// What an attribute can be, also if nothing is known of it yet.
    pub fn known(&self, id: AttributeId) -> Domain {
        self.get(id).cloned().unwrap_or_else(|| (*self.vocabulary.start(id)).clone())
    }

    /// Keeps less of what an attribute can be; false if nothing is left.
    pub fn change(&mut self, id: AttributeId, states: &mut States, keep: impl FnOnce(&mut Domain)) -> Left {
        keep(self.entry(id));
        self.keep_up(id, states)
    }

    fn is_empty(&self, id: AttributeId, states: &mut States) -> Result<bool, Unknown> {
        match self.get(id) {
            Some(Domain::Scalar(scalar)) => scalar.is_empty(states),
            Some(Domain::List(list)) => list.is_empty(states),
            None => Ok(false),
        }
    }

    /// Keeps up what ties attributes to each other when one has changed; false if nothing is left.
    fn keep_up(&mut self, id: AttributeId, states: &mut States) -> Left {
        let mut changed = vec![id];
        while let Some(id) = changed.pop() {
            if self.is_empty(id, states)? {
                return Ok(false);
            }
            for &(other, lies) in self.vocabulary.related(id) {
                if self.get(other).is_none() {
                    continue;
                }
                changed.extend(match lies {
                    Lies::Around => self.fit_together(id, other),
                    Lies::Inside => self.fit_together(other, id),
                });
            }
            let from = if id == AttributeId::ME { 0 } else { self.links.partition_point(|(linked, _)| *linked < id) };
            let to = if id == AttributeId::ME { self.links.len() } else { self.links.partition_point(|(linked, _)| *linked <= id) };
            for at in from..to {
                let Some(&(linked, equal)) = self.links.get(at) else { break };
                changed.extend(self.keep_link(linked, equal));
            }
        }
        Ok(true)
    }

    /// Leaves out what no object can hold; gives the attributes that changed.
    fn fit_together(&mut self, outer: AttributeId, inner: AttributeId) -> Vec<AttributeId> {
        let (Some(around), Some(inside)) = (self.get(outer).map(Forms::of), self.get(inner).map(Forms::of)) else { return Vec::new() };
        // Nothing holds nothing, a scalar or a list is in the way of what would be inside, and an object holds anything.
        let outer_may = Forms {
            absent: around.absent && inside.absent,
            blank: around.blank && inside.other,
            present: around.present && inside.other,
            other: around.other && (inside.absent || inside.blank || inside.present || inside.other),
        };
        let inner_may = Forms {
            absent: inside.absent && (around.absent || around.other),
            blank: inside.blank && around.other,
            present: inside.present && around.other,
            other: inside.other && (around.blank || around.present || around.other),
        };
        let mut changed = Vec::new();
        for (id, had, may) in [(outer, around, outer_may), (inner, inside, inner_may)] {
            if had != may {
                may.apply(self.entry(id));
                changed.push(id);
            }
        }
        changed
    }

    /// Settles for every value that lies around or inside another whether it is there, so that each can then be chosen for itself.
    pub fn settle_forms(&mut self, states: &mut States) -> Left {
        let tied = |id: &AttributeId| !self.vocabulary.related(*id).is_empty();
        let mut ids: Vec<AttributeId> = self.domains.iter().map(|(id, _)| *id).filter(tied).collect();
        // From the outside in: whatever an outer value may be leaves each inner one something.
        ids.sort_by_key(|id| self.vocabulary.related(*id).iter().filter(|(_, lies)| *lies == Lies::Inside).count());
        for id in ids {
            if !self.settle_form(id, states)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn settle_form(&mut self, id: AttributeId, states: &mut States) -> Left {
        let Some(forms) = self.get(id).map(Forms::of) else { return Ok(true) };
        for form in forms.each() {
            let mut settled = self.clone();
            form.apply(settled.entry(id));
            if settled.keep_up(id, states)? {
                *self = settled;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Keeps up one link with `{me}`; gives the attributes that changed.
    fn keep_link(&mut self, id: AttributeId, equal: bool) -> Vec<AttributeId> {
        let (Some(Domain::Scalar(me)), Some(linked)) = (self.get(AttributeId::ME), self.get(id)) else { return Vec::new() };
        let (mut new_me, mut new) = (me.clone(), linked.clone());
        keep_equal(&mut new, equal, &mut new_me);
        let mut changed = Vec::new();
        for (id, is_new, domain) in [(id, new != *linked, new), (AttributeId::ME, new_me != *me, Domain::Scalar(new_me))] {
            if is_new {
                changed.push((id, domain));
            }
        }
        changed.into_iter().map(|(id, domain)| (*self.entry(id) = domain, id).1).collect()
    }
}

/// Keeps what an attribute can be if it is equal to `{me}`, or if it is not, and what `{me}` can be.
fn keep_equal(domain: &mut Domain, equal: bool, me: &mut Scalar) {
    match (domain, equal) {
        (Domain::Scalar(scalar), true) => {
            scalar.join(me);
            *me = scalar.clone();
        }
        (Domain::Scalar(scalar), false) => {
            if let Some(text) = scalar.single() {
                me.exclude(text);
            }
            if let Some(text) = me.single() {
                scalar.exclude(text);
            }
        }
        (Domain::List(list), true) => {
            for required in list.required.iter_mut().filter(|required| required.me) {
                required.value.join(me);
                *me = required.value.clone();
            }
        }
        (Domain::List(list), false) => {
            for required in &list.required {
                if let Some(text) = required.value.single() {
                    me.exclude(text);
                }
            }
            if let Some(text) = me.single() {
                list.exclude(text);
            }
        }
    }
}

/// Which forms a value can have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Forms {
    absent: bool,
    /// A list without elements, which counts as absent, but is in the way of what would be inside.
    blank: bool,
    present: bool,
    other: bool,
}

impl Forms {
    fn of(domain: &Domain) -> Self {
        match domain {
            Domain::Scalar(scalar) => {
                let values = &scalar.values;
                Self { absent: values.absent, blank: false, present: values.may_be_present(), other: values.other }
            }
            Domain::List(list) => {
                Self { absent: list.may_be_missing(), blank: list.may_be_blank(), present: list.may_be_present(), other: list.unfit }
            }
        }
    }

    /// Each of them alone, what is most readily left out first.
    fn each(self) -> impl Iterator<Item = Self> {
        let absent = self.absent.then_some(Self { absent: true, ..Self::default() });
        let blank = self.blank.then_some(Self { blank: true, ..Self::default() });
        let present = self.present.then_some(Self { present: true, ..Self::default() });
        let other = self.other.then_some(Self { other: true, ..Self::default() });
        absent.into_iter().chain(blank).chain(present).chain(other)
    }

    fn apply(self, domain: &mut Domain) {
        match domain {
            Domain::Scalar(scalar) => {
                let mut allowed = if self.present { ValueSet::present() } else { ValueSet::none() };
                allowed.absent = self.absent;
                allowed.other = self.other;
                scalar.meet(&Test::Values(allowed), true);
            }
            Domain::List(list) => {
                list.unfit &= self.other;
                list.missing &= self.absent;
                list.blank &= self.blank;
                list.fits &= self.absent || self.blank || self.present;
                if !self.present {
                    list.keep_absent();
                }
                list.settle();
            }
        }
    }
}
