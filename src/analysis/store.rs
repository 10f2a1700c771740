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
    domains: Vec<(AttributeId, Arc<Domain>)>,
    /// Attributes that are compared with `{me}`, and whether they are equal to it.
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
        self.domains.iter().find(|(known, _)| *known == id).map(|(_, domain)| &**domain)
    }

    /// The attributes that are compared with `{me}`, and whether they are equal to it.
    pub fn links(&self) -> &[(AttributeId, bool)] {
        &self.links
    }

    fn base(&self, id: AttributeId) -> Domain {
        if self.vocabulary.is_list(id) {
            Domain::List(List::new())
        } else if id == AttributeId::ME {
            Domain::Scalar(Scalar::caller(self.vocabulary.base(id)))
        } else {
            Domain::Scalar(Scalar::new(self.vocabulary.base(id)))
        }
    }

    /// The domain to be changed, made where nothing is known yet.
    fn entry(&mut self, id: AttributeId) -> &mut Domain {
        let at = match self.domains.iter().position(|(known, _)| *known == id) {
            Some(at) => at,
            None => {
                self.domains.push((id, Arc::new(self.base(id))));
                self.domains.len() - 1
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
                self.links.iter().find(|(id, _)| *id == literal.attribute).map(|(_, equal)| *equal)
            }
            (Some(Domain::Scalar(scalar)), test) => scalar.status(test),
            (None, Test::Values(_)) if !self.vocabulary.is_list(literal.attribute) => {
                Scalar::new(self.vocabulary.base(literal.attribute)).status(&literal.test)
            }
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
            self.links.push((id, positive));
            self.entry(AttributeId::ME);
        }
        if self.is_empty(id, states)? {
            return Ok(false);
        }
        Ok(self.keep_shape(id, states)? && self.keep_links(states)?)
    }

    fn is_empty(&self, id: AttributeId, states: &mut States) -> Result<bool, Unknown> {
        match self.get(id) {
            Some(Domain::Scalar(scalar)) => scalar.is_empty(states),
            Some(Domain::List(list)) => list.is_empty(states),
            None => Ok(false),
        }
    }

    /// Keeps up what one attribute says of those inside and around it.
    fn keep_shape(&mut self, id: AttributeId, states: &mut States) -> Left {
        let mut changed = vec![id];
        while let Some(id) = changed.pop() {
            for &(other, lies) in self.vocabulary.related(id) {
                if self.get(other).is_none() {
                    continue;
                }
                let (outer, inner) = match lies {
                    Lies::Around => (id, other),
                    Lies::Inside => (other, id),
                };
                for touched in self.fit_together(outer, inner) {
                    if self.is_empty(touched, states)? {
                        return Ok(false);
                    }
                    changed.push(touched);
                }
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
            if !settled.is_empty(id, states)? && settled.keep_shape(id, states)? && settled.keep_links(states)? {
                *self = settled;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Keeps up what is equal to `{me}`, and what is not.
    fn keep_links(&mut self, states: &mut States) -> Left {
        if self.links.is_empty() {
            return Ok(true);
        }
        let mut links = self.links.clone();
        links.sort_unstable();
        links.dedup();
        if links.windows(2).any(|pair| matches!(pair, [(one, false), (two, true)] if one == two)) && !self.lists_only(&links) {
            return Ok(false);
        }
        loop {
            let before = self.domains.clone();
            for &(id, equal) in &links {
                let Some(Domain::Scalar(me)) = self.get(AttributeId::ME).cloned() else { return Ok(true) };
                let me = self.keep_link(id, equal, me);
                *self.entry(AttributeId::ME) = Domain::Scalar(me);
            }
            if self.domains == before {
                break;
            }
            for &(id, _) in links.iter().chain([&(AttributeId::ME, true)]) {
                if self.is_empty(id, states)? || !self.keep_shape(id, states)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether an attribute that is both equal to `{me}` and not is a list in each case. The list itself knows better.
    fn lists_only(&self, links: &[(AttributeId, bool)]) -> bool {
        let both = links.windows(2).filter(|pair| matches!(pair, [(one, _), (two, _)] if one == two));
        both.filter_map(|pair| pair.first()).all(|(id, _)| self.vocabulary.is_list(*id))
    }

    /// Keeps up one link; gives what `{me}` can be.
    fn keep_link(&mut self, id: AttributeId, equal: bool, mut me: Scalar) -> Scalar {
        match (self.entry(id), equal) {
            (Domain::Scalar(scalar), true) => {
                scalar.join(&me);
                me = scalar.clone();
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
                    required.value.join(&me);
                    me = required.value.clone();
                }
            }
            (Domain::List(list), false) => {
                for required in &list.required {
                    if let Some(text) = required.value.single() {
                        me.exclude(text);
                    }
                }
                if let Some(text) = me.single().cloned() {
                    list.exclude(&text);
                }
            }
        }
        me
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
