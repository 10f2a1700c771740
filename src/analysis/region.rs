//! What requests a question is about, in words: an exact union of boxes, as few and as large as they get.
//!
//! A request that is found comes with the literals that made it one. Those that are not needed are dropped, which leaves a box as
//! large as it can be; it is taken out of the question, and the search goes on until nothing is left. Boxes that the others
//! cover go, and boxes that differ in one attribute become one. The method is that of two-level logic minimisation (Espresso).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::formula::Formula;
use super::formula::Literal;
use super::formula::Test;
use super::interval::Intervals;
use super::prepared::Caller;
use super::question::Analysis;
use super::search::Answer;
use super::search::Goal;
use super::search::satisfiable;
use super::values::ValueSet;
use super::vocabulary::Attribute;
use super::vocabulary::AttributeId;
use super::words;
use super::words::Names;
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
}

/// Of longer lists of names, those are not left out that other boxes cover.
const SHARPENED: usize = 16;

/// A box: for each attribute the literals that it must meet.
type Requirements = BTreeMap<AttributeId, Vec<Literal>>;

impl Analysis {
    /// The requests of a caller for which one formula holds, as regions with the formula of each, and whether these are all.
    pub(super) fn regions(&self, caller: &Caller, whole: &Formula) -> (Vec<(Region, Formula)>, bool) {
        let facts = caller.facts(&self.vocabulary);
        let (boxes, complete) = self.boxes(&facts, whole);
        let mut regions: Vec<(Region, Formula)> =
            boxes.iter().map(|requirements| (self.region(requirements), self.formula(requirements))).collect();
        regions.sort();
        (regions, complete)
    }

    fn boxes(&self, facts: &Formula, whole: &Formula) -> (Vec<Requirements>, bool) {
        let mut boxes: Vec<Requirements> = Vec::new();
        let mut formulas: Vec<Formula> = Vec::new();
        let mut complete = false;
        while boxes.len() < BOXES {
            let goals: Vec<Goal<'_>> = [Goal::yes(facts), Goal::yes(whole)].into_iter().chain(formulas.iter().map(Goal::no)).collect();
            let found = match satisfiable(&self.vocabulary, &goals, self.budget) {
                Answer::Satisfiable { because, .. } => because,
                Answer::Unsatisfiable => {
                    complete = true;
                    break;
                }
                Answer::Undecided => break,
            };
            let mut literals: Vec<Literal> = found.into_iter().map(|(literal, holds)| self.signed(literal, holds)).collect();
            for at in (0..literals.len()).rev() {
                let without: Vec<Literal> =
                    literals.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, literal)| literal.clone()).collect();
                if self.is_inside(facts, &without, whole) {
                    literals = without;
                }
            }
            let requirements = self.joined(literals);
            formulas.push(self.formula(&requirements));
            boxes.push(requirements);
        }
        (self.sharpened(facts, self.merged(self.irredundant(facts, boxes))), complete)
    }

    /// Whether all requests that meet some literals are of the whole.
    fn is_inside(&self, facts: &Formula, literals: &[Literal], whole: &Formula) -> bool {
        let parts: Vec<Formula> = literals.iter().cloned().map(Formula::Literal).collect();
        let goals: Vec<Goal<'_>> = std::iter::once(facts).chain(&parts).map(Goal::yes).chain([Goal::no(whole)]).collect();
        satisfiable(&self.vocabulary, &goals, self.budget).known() == Some(false)
    }

    /// Leaves out the boxes that the others cover.
    fn irredundant(&self, facts: &Formula, mut boxes: Vec<Requirements>) -> Vec<Requirements> {
        let mut at = 0;
        while at < boxes.len() {
            let formulas: Vec<Formula> = boxes.iter().map(|requirements| self.formula(requirements)).collect();
            let goals = formulas.iter().enumerate().map(|(index, formula)| Goal { formula, holds: index == at });
            let goals: Vec<Goal<'_>> = std::iter::once(Goal::yes(facts)).chain(goals).collect();
            if boxes.len() > 1 && satisfiable(&self.vocabulary, &goals, self.budget).known() == Some(false) {
                boxes.remove(at);
            } else {
                at += 1;
            }
        }
        boxes
    }

    /// Leaves out of each box the actions, services and sources that the others cover, so that none is told twice.
    fn sharpened(&self, facts: &Formula, mut boxes: Vec<Requirements>) -> Vec<Requirements> {
        for at in 0..boxes.len() {
            for attribute in [AttributeId::ACTION, AttributeId::SERVICE, AttributeId::SOURCE] {
                let Some(own) = boxes.get(at) else { continue };
                let Some([Literal { test, positive: true, .. }]) = own.get(&attribute).map(Vec::as_slice) else { continue };
                let Test::Values(set) = &**test else { continue };
                let names: Vec<Arc<str>> = set.texts.singles().into_iter().flatten().cloned().collect();
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
                    satisfiable(&self.vocabulary, &goals, self.budget).known() != Some(false)
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
                Literal { attribute: literal.attribute, test: Test::Values(set.complement()).into(), positive: true }
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

    fn region(&self, requirements: &Requirements) -> Region {
        let names = |id: AttributeId| {
            let sets = requirements.get(&id).into_iter().flatten().filter_map(|literal| match &*literal.test {
                Test::Values(set) => Some(&set.texts),
                _ => None,
            });
            Names::of(&sets.fold(Intervals::all(), |all, set| all.intersect(set)))
        };
        let mut groups = Vec::new();
        let mut conditions = Vec::new();
        let mut unfit = Vec::new();
        let lists: Vec<&Term> = requirements.keys().filter_map(|id| self.listed(*id)).collect();
        for literal in requirements.values().flatten() {
            match (self.vocabulary.get(literal.attribute), &*literal.test) {
                (Some(Attribute::Group(name)), Test::Values(set)) => groups.push((name.clone(), set.bools == [false, true])),
                (Some(Attribute::Fact { term, .. }), Test::Unfit) if literal.positive => unfit.push(term.clone()),
                (Some(Attribute::Fact { term, list: false }), Test::Values(set)) if *set == ValueSet::other() => unfit.push(term.clone()),
                // One side reads a list and the other does not: what the list holds says more.
                (Some(Attribute::Fact { term, list: false }), _) if lists.contains(&term) => {}
                // Words speak of values that fit anyway.
                (Some(Attribute::Fact { list: false, .. }), Test::Values(set)) if set.complement() == ValueSet::other() => {}
                _ => conditions.extend(words::expr(literal, &self.vocabulary)),
            }
        }
        Region {
            actions: names(AttributeId::ACTION),
            services: names(AttributeId::SERVICE),
            sources: names(AttributeId::SOURCE),
            groups,
            caller_types: names(AttributeId::CALLER_TYPE),
            condition: (!conditions.is_empty()).then(|| Expr::all(conditions)),
            unfit,
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
