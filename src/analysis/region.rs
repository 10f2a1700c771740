//! What requests a question is about, in words: an exact union of boxes, as few and as large as they get.
//!
//! A request that is found comes with the literals that made it one. Those that are not needed are dropped, which leaves a box as
//! large as it can be; it is taken out of the question, and the search goes on until nothing is left. Boxes that the others
//! cover go, and boxes that differ in one attribute become one. The method is that of two-level logic minimisation (Espresso).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::formula::Formula;
use super::formula::Literal;
use super::formula::Test;
use super::interval::Intervals;
use super::point::Point;
use super::prepared::Caller;
use super::question::Analysis;
use super::search::Goal;
use super::search::Undecided;
use super::search::is_satisfiable;
use super::search::reasons;
use super::values::ValueSet;
use super::vocabulary::Attribute;
use super::vocabulary::AttributeId;
use super::words;
use super::words::Names;
use super::words::Words;
use crate::condition::Expr;
use crate::condition::Term;
use crate::policy::Name;

/// More boxes than this are not looked for.
pub const BOXES: usize = 20;

/// A set of requests that one list of requirements describes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    /// The actions.
    pub actions: Names,
    /// The services.
    pub services: Names,
    /// The sources.
    pub sources: Names,
    /// Groups that the caller is in beside the ones the question is about, and groups that the caller is not in.
    pub groups: Vec<(Name, bool)>,
    /// The types of callers.
    pub caller_types: Names,
    /// What the rest of the request must meet; `None` is nothing.
    pub condition: Option<Expr>,
    /// What must hold a value that does not fit, which no condition can say.
    pub unfit: Vec<Term>,
    /// What may also hold a value that does not fit, in place of what the condition says of it.
    pub or_unfit: Vec<Term>,
    /// What must hold a value that fits, although the condition does not read it.
    pub fit: Vec<Term>,
    /// What else must hold that there is no way to write as a condition, in no language: it tells regions apart, and if it is not
    /// empty, the words say more than is meant.
    pub beyond: Vec<String>,
}

/// How far a search for regions got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// These are all.
    Whole,
    /// There are more than are looked for.
    More,
    /// It is not known whether these are all.
    Undecided,
}

/// What a region says of a term.
#[derive(Debug, Clone, Copy)]
struct Spoken {
    /// Whether its condition speaks of it.
    worded: bool,
    /// Whether a value that fits may do.
    may_fit: bool,
    /// Whether a value that does not fit may do.
    may_be_unfit: bool,
}

impl Default for Spoken {
    fn default() -> Self {
        Self { worded: false, may_fit: true, may_be_unfit: true }
    }
}

/// Whether only a value that does not fit meets a literal.
fn is_unfit(literal: &Literal) -> bool {
    match &*literal.test {
        Test::Unfit => literal.positive,
        Test::Values(set) => literal.positive && *set == ValueSet::other(),
        _ => false,
    }
}

/// Whether some value that does not fit meets a literal.
fn may_be_unfit(literal: &Literal) -> bool {
    match &*literal.test {
        Test::Values(set) => set.other == literal.positive,
        Test::Unfit => literal.positive,
        _ => !literal.positive,
    }
}

/// So many literals are looked at in the search for the boxes of one question, each time that one of them might be dropped.
const EFFORT: usize = 100_000;

/// So many literals are worth a request that shows which of them are needed.
const MANY: usize = 16;

/// Of longer lists of names, those are not left out that other boxes cover.
const SHARPENED: usize = 16;

/// A box: for each attribute the literals that it must meet.
pub type Requirements = BTreeMap<AttributeId, Vec<Literal>>;

impl Analysis {
    /// The requests of a caller for which one formula holds, as regions with the formula of each, and whether these are all.
    pub(super) fn regions(&self, caller: &Caller, whole: &Formula) -> (Vec<(Region, Formula)>, Extent) {
        let facts = caller.facts(&self.vocabulary);
        let (boxes, extent) = self.boxes(&facts, whole);
        let mut regions: Vec<(Region, Formula)> =
            boxes.iter().map(|requirements| (self.region(requirements), self.formula(requirements))).collect();
        regions.sort();
        (regions, extent)
    }

    fn boxes(&self, facts: &Formula, whole: &Formula) -> (Vec<Requirements>, Extent) {
        let mut boxes: Vec<Requirements> = Vec::new();
        let mut formulas: Vec<Formula> = Vec::new();
        let mut effort = EFFORT;
        let extent = loop {
            let goals: Vec<Goal<'_>> = [Goal::yes(facts), Goal::yes(whole)].into_iter().chain(formulas.iter().map(Goal::no)).collect();
            let found = match reasons(&self.vocabulary, &goals, self.budget) {
                // One more than are described shows that they are not all.
                Ok(Some(_)) if boxes.len() >= BOXES || effort == 0 => break Extent::More,
                Ok(Some(because)) => because,
                Ok(None) => break Extent::Whole,
                Err(Undecided) => break Extent::Undecided,
            };
            let mut literals: Vec<Literal> = found.into_iter().map(|(literal, holds)| self.signed(literal, holds)).collect();
            // To look for a few is faster than to make a request first.
            let point = if literals.len() < MANY { None } else { self.point(&literals) };
            for at in (0..literals.len()).rev() {
                if point.as_ref().is_some_and(|point| self.is_needed(at, &literals, point, whole)) {
                    continue;
                }
                // A box that stays smaller than it could be is a box all the same.
                let Some(left) = effort.checked_sub(literals.len()) else {
                    effort = 0;
                    break;
                };
                effort = left;
                let without: Vec<Literal> =
                    literals.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, literal)| literal.clone()).collect();
                if self.is_inside(facts, &without, whole) {
                    literals = without;
                }
            }
            let requirements = self.joined(literals);
            formulas.push(self.formula(&requirements));
            boxes.push(requirements);
        };
        (self.sharpened(facts, self.merged(self.irredundant(facts, boxes))), extent)
    }

    /// The values of a request that meets some literals, if it can be moved away from one of them without regard to the others: a
    /// comparison of two terms says something of both.
    fn point(&self, literals: &[Literal]) -> Option<Point> {
        let opaque = |literal: &Literal| matches!(self.vocabulary.get(literal.attribute), Some(Attribute::Opaque(_)));
        let plain = |literal: &&Literal| self.vocabulary.is_plain(literal.attribute) && *literal.test != Test::Me;
        let plain: Vec<Formula> = literals.iter().filter(plain).cloned().map(Formula::Literal).collect();
        let goals: Vec<Goal<'_>> = plain.iter().map(Goal::yes).collect();
        if literals.iter().any(opaque) { None } else { Point::of(&goals, &self.vocabulary, self.budget) }
    }

    /// Whether a request shows that one of some literals cannot be dropped: one that meets the others, and is not of the whole. It is
    /// looked for beside a request that meets them all, where one attribute has a value that this literal excludes.
    fn is_needed(&self, at: usize, literals: &[Literal], point: &Point, whole: &Formula) -> bool {
        let Some((Literal { attribute, positive: true, .. }, Test::Values(set))) = literals.get(at).map(|one| (one, &*one.test)) else {
            return false;
        };
        let others = || literals.iter().enumerate().filter(|(index, other)| *index != at && other.attribute == *attribute);
        let is_shown = |value| {
            point.moved(*attribute, value, &self.vocabulary).is_some_and(|beside| {
                others().all(|(_, other)| beside.passes(other, &self.vocabulary) == Some(true))
                    && beside.holds(whole, &self.vocabulary) == Some(false)
            })
        };
        set.clone().complement().some_held().into_iter().any(is_shown)
    }

    /// Whether all requests that meet some literals are of the whole.
    fn is_inside(&self, facts: &Formula, literals: &[Literal], whole: &Formula) -> bool {
        let parts: Vec<Formula> = literals.iter().cloned().map(Formula::Literal).collect();
        let goals: Vec<Goal<'_>> = std::iter::once(facts).chain(&parts).map(Goal::yes).chain([Goal::no(whole)]).collect();
        is_satisfiable(&self.vocabulary, &goals, self.budget) == Some(false)
    }

    /// Leaves out the boxes that the others cover.
    fn irredundant(&self, facts: &Formula, mut boxes: Vec<Requirements>) -> Vec<Requirements> {
        let mut at = 0;
        while at < boxes.len() {
            let formulas: Vec<Formula> = boxes.iter().map(|requirements| self.formula(requirements)).collect();
            let goals = formulas.iter().enumerate().map(|(index, formula)| Goal { formula, holds: index == at });
            let goals: Vec<Goal<'_>> = std::iter::once(Goal::yes(facts)).chain(goals).collect();
            if boxes.len() > 1 && is_satisfiable(&self.vocabulary, &goals, self.budget) == Some(false) {
                boxes.remove(at);
            } else {
                at += 1;
            }
        }
        boxes
    }

    /// Leaves out of each box the actions, services and sources that the others cover, so that none is told twice.
    fn sharpened(&self, facts: &Formula, mut boxes: Vec<Requirements>) -> Vec<Requirements> {
        if boxes.len() < 2 {
            return boxes;
        }
        for at in 0..boxes.len() {
            for attribute in [AttributeId::ACTION, AttributeId::SERVICE, AttributeId::SOURCE] {
                let Some(own) = boxes.get(at) else { continue };
                let Some([Literal { test, positive: true, .. }]) = own.get(&attribute).map(Vec::as_slice) else { continue };
                let Test::Values(set) = &**test else { continue };
                let names: Vec<Arc<str>> = set.texts.singles().flatten().cloned().collect();
                if names.len() < 2 || names.len() > SHARPENED || *set != ValueSet::words(names.iter().map(|name| &**name)) {
                    continue;
                }
                let with = |names: &[&Arc<str>]| {
                    let test = Test::Values(ValueSet::words(names.iter().map(|name| &***name))).into();
                    let mut requirements = own.clone();
                    requirements.insert(attribute, vec![Literal { attribute, test, positive: true }]);
                    requirements
                };
                let others: Vec<Formula> =
                    boxes.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, other)| self.formula(other)).collect();
                let needed = |name: &&Arc<str>| {
                    let formula = self.formula(&with(&[name]));
                    let goals: Vec<Goal<'_>> =
                        [Goal::yes(facts), Goal::yes(&formula)].into_iter().chain(others.iter().map(Goal::no)).collect();
                    is_satisfiable(&self.vocabulary, &goals, self.budget) != Some(false)
                };
                let left: Vec<&Arc<str>> = names.iter().filter(needed).collect();
                if !left.is_empty() && left.len() < names.len() {
                    let sharper = with(&left);
                    if let Some(place) = boxes.get_mut(at) {
                        *place = sharper;
                    }
                }
            }
        }
        boxes
    }

    /// A literal as it came out, so that it is one that holds; of an attribute that is no list, a set that its value is in.
    fn signed(&self, literal: &Literal, holds: bool) -> Literal {
        let positive = literal.positive == holds;
        match &*literal.test {
            Test::Values(set) if !positive && !self.vocabulary.is_list(literal.attribute) => {
                Literal { attribute: literal.attribute, test: Test::Values(set.clone().complement()).into(), positive: true }
            }
            _ => Literal { positive, ..literal.clone() },
        }
    }

    /// Literals by attribute, with sets of one attribute made one.
    fn joined(&self, literals: Vec<Literal>) -> Requirements {
        let mut joined = Requirements::new();
        for literal in literals {
            let list = self.vocabulary.is_list(literal.attribute);
            let known = joined.entry(literal.attribute).or_default();
            let set = known.iter_mut().find(|known| !list && matches!(&*known.test, Test::Values(_)));
            match (set, &*literal.test) {
                (Some(known), Test::Values(new)) if !list => {
                    if let Test::Values(old) = &*known.test {
                        known.test = Test::Values(old.intersect(new)).into();
                    }
                }
                _ => known.push(literal),
            }
        }
        joined
    }

    fn formula(&self, requirements: &Requirements) -> Formula {
        Formula::all(requirements.values().flatten().cloned().map(Formula::Literal), &self.vocabulary)
    }

    /// Makes one of boxes that differ in the set of one attribute, as long as there are any.
    fn merged(&self, mut boxes: Vec<Requirements>) -> Vec<Requirements> {
        'again: loop {
            for one in 0..boxes.len() {
                for two in one + 1..boxes.len() {
                    let (Some(first), Some(second)) = (boxes.get(one), boxes.get(two)) else { continue };
                    if let Some(both) = self.union(first, second) {
                        boxes.remove(two);
                        if let Some(place) = boxes.get_mut(one) {
                            *place = both;
                        }
                        continue 'again;
                    }
                }
            }
            return boxes;
        }
    }

    fn union(&self, one: &Requirements, two: &Requirements) -> Option<Requirements> {
        if one.len() != two.len() || !one.keys().eq(two.keys()) {
            return None;
        }
        let mut differing = one.iter().zip(two.values()).filter(|((_, first), second)| first != second);
        let ((attribute, first), second) = differing.next()?;
        if differing.next().is_some() || self.vocabulary.is_list(*attribute) {
            return None;
        }
        let ([first], [second]) = (first.as_slice(), second.as_slice()) else { return None };
        let (Test::Values(left), Test::Values(right)) = (&*first.test, &*second.test) else { return None };
        let union = left.union(right);
        let mut both = one.clone();
        if union.is_all() {
            both.remove(attribute);
        } else {
            both.insert(*attribute, vec![Literal { test: Test::Values(union).into(), ..first.clone() }]);
        }
        Some(both)
    }

    /// A box in words.
    pub(super) fn region(&self, requirements: &Requirements) -> Region {
        let names = |id: AttributeId| {
            let sets = requirements.get(&id).into_iter().flatten().filter_map(|literal| match &*literal.test {
                Test::Values(set) => Some(&set.texts),
                _ => None,
            });
            Names::of(&sets.fold(Intervals::all(), |all, set| all.intersect(set)))
        };
        let mut groups = Vec::new();
        let mut conditions = Vec::new();
        let mut beyond = Vec::new();
        // Of each term, by how it is declared: whether the words speak of it, and whether a value that fits, and one that does not, may do.
        let mut facts: BTreeMap<(&Term, bool), Spoken> = BTreeMap::new();
        let lists: Vec<&Term> = requirements.keys().filter_map(|id| self.listed(*id)).collect();
        for literal in requirements.values().flatten() {
            let attribute = self.vocabulary.get(literal.attribute);
            if let (Some(Attribute::Group(name)), Test::Values(set)) = (attribute, &*literal.test) {
                groups.push((name.clone(), set.bools == [false, true]));
                continue;
            }
            let mut words = words::expr(literal, &self.vocabulary);
            match attribute {
                Some(Attribute::Fact { term, list }) => {
                    // One side reads a list and the other does not: what the list holds says more.
                    if !list && lists.contains(&term) {
                        beyond.push(format!("{term} {} {:?}", literal.positive, literal.test));
                        continue;
                    }
                    let only_unfit = is_unfit(literal);
                    if only_unfit {
                        words = Words::None;
                    }
                    let spoken = facts.entry((term, *list)).or_default();
                    spoken.may_fit &= !only_unfit;
                    spoken.may_be_unfit &= may_be_unfit(literal);
                    spoken.worded |= words != Words::None;
                }
                Some(Attribute::Opaque(atom)) => {
                    for term in std::iter::once(atom.term()).chain(atom.other_term()).filter(|term| **term != Term::Me) {
                        facts.entry((term, false)).or_default().worded = true;
                    }
                }
                _ => {}
            }
            match words {
                Words::Exact(expr) => conditions.push((attribute, expr)),
                Words::None => {}
                Words::Beyond => beyond.push(format!("{:?} {} {:?}", attribute, literal.positive, literal.test)),
            }
        }
        // What does not fit meets no comparison, and all that say that none is met.
        conditions.retain(|(attribute, _)| match attribute {
            Some(Attribute::Fact { term, list }) => facts.get(&(term, *list)).is_none_or(|spoken| spoken.may_fit),
            _ => true,
        });
        // In which order the attributes were met in the law books is chance.
        let key = |attribute: Option<&Attribute>| match attribute {
            Some(Attribute::Fact { term, .. }) => term.clone(),
            Some(Attribute::Opaque(atom)) => atom.term().clone(),
            _ => Term::Me,
        };
        conditions.sort_by(|(one, first), (two, second)| (key(*one), first).cmp(&(key(*two), second)));
        groups.sort();
        beyond.sort();
        let terms = |wanted: fn(&Spoken) -> bool| -> Vec<Term> {
            let terms: BTreeSet<&Term> = facts.iter().filter(|(_, spoken)| wanted(spoken)).map(|((term, _), _)| *term).collect();
            terms.into_iter().cloned().collect()
        };
        Region {
            actions: names(AttributeId::ACTION),
            services: names(AttributeId::SERVICE),
            sources: names(AttributeId::SOURCE),
            groups,
            caller_types: names(AttributeId::CALLER_TYPE),
            condition: (!conditions.is_empty()).then(|| Expr::all(conditions.into_iter().map(|(_, expr)| expr).collect())),
            unfit: terms(|spoken| !spoken.may_fit),
            or_unfit: terms(|spoken| spoken.may_fit && spoken.may_be_unfit && spoken.worded),
            fit: terms(|spoken| !spoken.may_be_unfit && !spoken.worded),
            beyond,
        }
    }

    /// The term that an attribute is, if it may hold a list.
    fn listed(&self, id: AttributeId) -> Option<&Term> {
        match self.vocabulary.get(id) {
            Some(Attribute::Fact { term, list: true }) => Some(term),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::sample::statement;
    use crate::condition::Condition;
    use crate::condition::Lists;
    use crate::condition::arbitrary;
    use crate::condition::parse;
    use crate::policy::Effect;

    /// For every literal of a request that a grant applies to, whether a point shows that it is needed, and whether it is.
    fn needed(expr: Expr) -> Vec<(bool, bool)> {
        let mut grant = statement("G", Effect::Allow, "* | * | * | *");
        grant.condition = Some(Arc::new(Condition::new(expr, &Lists::default()).expect("fits")));
        let analysis = Analysis::new(&[&[grant]]);
        let whole = analysis.side(0).expect("a side").statements[0].applies(&Caller::default(), &analysis.vocabulary);
        let goals = [Goal::yes(&whole)];
        let Ok(Some(because)) = reasons(&analysis.vocabulary, &goals, analysis.budget) else { return Vec::new() };
        let literals: Vec<Literal> = because.into_iter().map(|(literal, holds)| analysis.signed(literal, holds)).collect();
        let Some(point) = analysis.point(&literals) else { return Vec::new() };
        let without = |at: usize| [&literals[..at], &literals[at + 1..]].concat();
        let needed =
            |at| (analysis.is_needed(at, &literals, &point, &whole), !analysis.is_inside(&Formula::always(), &without(at), &whole));
        (0..literals.len()).map(needed).collect()
    }

    #[test]
    fn a_point_shows_what_is_needed() {
        let shown = |text: &str| needed(parse(text).expect("a condition").expr).into_iter().map(|(shown, _)| shown).collect::<Vec<_>>();
        assert_eq!(shown("a = 1 and b != 2"), [true, true]);
        // That `b` must fit is the other one.
        assert_eq!(shown("a = 1 and (b = 2 or a < 5)"), [true, true]);
        assert_eq!(shown("a like '%x%'"), [false, false]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        /// A box is never smaller than it can be because of a point.
        #[test]
        fn what_a_point_shows_is_so(expr in arbitrary::expr()) {
            let text = expr.to_string();
            for (shown, is_so) in needed(expr) {
                prop_assert!(is_so || !shown, "{}", text);
            }
        }
    }
}
