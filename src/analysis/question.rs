//! The frame of every question: a caller, statements that are to apply, and statements that are not.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value as Json;

use super::formula::Formula;
use super::model::Model;
use super::prepared::Caller;
use super::prepared::Preparation;
use super::prepared::Prepared;
use super::prepared::Stated;
use super::request::request;
use super::search::Answer;
use super::search::Budget;
use super::search::Goal;
use super::search::is_satisfiable;
use super::search::satisfiable;
use super::side::Side;
use super::values::ValueSet;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;
use super::world::World;
use crate::condition::Condition;
use crate::decision::Decision;
use crate::decision::Request;
use crate::decision::Subject;
use crate::decision::holds_for;
use crate::policy::Effect;

/// One or more law books, ready for questions. Building it takes time in proportion to their size.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// What the formulas speak of.
    pub(super) vocabulary: Vocabulary,
    /// The law books.
    pub(super) sides: Vec<Side>,
    /// What claims are about.
    pub(super) scopes: Vec<Prepared>,
    /// How much work each question may take.
    pub(super) budget: Budget,
}

/// What is known about a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<T> {
    /// It holds, and this goes with it.
    Yes(T),
    /// It does not hold.
    No,
    /// It is not known: the budget was spent, or something opaque is in the way. Never to be taken for either.
    Undecided,
}

impl<T> Verdict<T> {
    /// What goes with a claim that holds.
    pub fn yes(self) -> Option<T> {
        match self {
            Self::Yes(value) => Some(value),
            Self::No | Self::Undecided => None,
        }
    }

    /// Whether one of some claims holds: the first that does, and no further one is looked at.
    pub fn any(claims: impl IntoIterator<Item = Self>) -> Self {
        let mut any = Self::No;
        for claim in claims {
            match claim {
                Self::Yes(_) => return claim,
                Self::Undecided => any = Self::Undecided,
                Self::No => {}
            }
        }
        any
    }

    /// The same with something else that goes with it.
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Verdict<U> {
        match self {
            Self::Yes(value) => Verdict::Yes(with(value)),
            Self::No => Verdict::No,
            Self::Undecided => Verdict::Undecided,
        }
    }

    /// The same without what goes with it.
    pub fn known(self) -> Verdict<()> {
        self.map(drop)
    }
}

impl Verdict<()> {
    /// Whether another claim holds too, which is looked at only if that makes a difference.
    pub fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::No => Self::No,
            Self::Yes(()) => other(),
            Self::Undecided => match other() {
                Self::No => Self::No,
                Self::Yes(()) | Self::Undecided => Self::Undecided,
            },
        }
    }
}

impl From<Answer<'_>> for Verdict<Model> {
    fn from(answer: Answer<'_>) -> Self {
        match answer {
            Answer::Satisfiable { model, .. } => Self::Yes(model),
            Answer::Unsatisfiable => Self::No,
            Answer::Undecided => Self::Undecided,
        }
    }
}

impl From<Option<bool>> for Verdict<()> {
    fn from(known: Option<bool>) -> Self {
        match known {
            Some(true) => Self::Yes(()),
            Some(false) => Self::No,
            None => Self::Undecided,
        }
    }
}

/// A request that meets a question.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// What it looks like.
    pub model: Model,
    /// Who asks.
    pub caller: Caller,
}

impl Analysis {
    /// Makes law books ready, each given by its statements, with the usual budget.
    pub fn new<S: Stated>(law_books: &[&[S]]) -> Self {
        Self::with_scopes(law_books, &[])
    }

    /// The same, with scopes that something is to be claimed of; each is given as a grant of all that it is about.
    pub fn with_scopes<S: Stated>(law_books: &[&[S]], scopes: &[S]) -> Self {
        let mut preparation = Preparation::default();
        let prepared: Vec<Vec<Prepared>> = law_books.iter().map(|statements| preparation.prepare(statements)).collect();
        let scopes = preparation.prepare(scopes);
        preparation.vocabulary.relate();
        let people = Arc::new(preparation.people);
        let sides = prepared.into_iter().map(|statements| Side::new(statements, people.clone())).collect();
        Self { vocabulary: preparation.vocabulary, sides, scopes, budget: Budget::default() }
    }

    /// The same with only these callers instead of every caller there could be.
    pub fn in_world(mut self, subjects: &[&Subject]) -> Self {
        let mut everything = self.sides.iter().flat_map(|side| &side.statements).chain(&self.scopes);
        let reads_me = everything.any(|prepared| prepared.said.reads_me);
        for side in &mut self.sides {
            side.world = Some(Arc::new(World::new(subjects, &side.people, &self.vocabulary, reads_me)));
        }
        self
    }

    /// The same with another budget for each question.
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// What the first law book decides.
    pub fn decide(&self, request: &Request) -> Option<Decision> {
        self.side(0).map(|side| side.decide(request))
    }

    /// The statements of one law book.
    pub(super) fn side(&self, side: usize) -> Option<&Side> {
        self.sides.get(side)
    }

    /// Whether some request of a caller makes formulas hold and others not.
    pub(super) fn ask(&self, caller: &Caller, hold: &[Formula], fail: &[Formula]) -> Verdict<Found> {
        let facts = caller.facts(&self.vocabulary);
        let goals: Vec<Goal<'_>> = std::iter::once(&facts).chain(hold).map(Goal::yes).chain(fail.iter().map(Goal::no)).collect();
        let found = Verdict::from(satisfiable(&self.vocabulary, &goals, self.budget));
        found.map(|model| Found { model, caller: caller.clone() })
    }

    /// The same, where it does not matter what the request looks like.
    pub(super) fn can(&self, caller: &Caller, hold: &[Formula], fail: &[Formula]) -> Verdict<()> {
        let facts = caller.facts(&self.vocabulary);
        let goals: Vec<Goal<'_>> = std::iter::once(&facts).chain(hold).map(Goal::yes).chain(fail.iter().map(Goal::no)).collect();
        self.meets(&goals)
    }

    /// Whether some request of a caller meets goals that are at hand.
    pub(super) fn meets(&self, goals: &[Goal<'_>]) -> Verdict<()> {
        is_satisfiable(&self.vocabulary, goals, self.budget).into()
    }

    /// Whether some request of a caller makes formulas hold that none of some statements applies to. Where most of them ask for single
    /// values, one that no statement asks for is tried first, and then one that has none of these.
    pub(super) fn can_beside(&self, caller: &Caller, hold: &[Formula], side: &Side, others: &[u32]) -> Verdict<()> {
        if self.can_unasked(caller, hold, side, others) {
            return Verdict::Yes(());
        }
        let mut avoided: BTreeMap<AttributeId, Vec<&ValueSet>> = BTreeMap::new();
        let mut rest = Vec::new();
        for other in side.at(others) {
            match other.said.asks() {
                Some((attribute, set)) => avoided.entry(attribute).or_default().push(set),
                None => rest.push(other.applies(caller, &self.vocabulary)),
            }
        }
        if rest.len() + avoided.len() < others.len() {
            let others =
                avoided.into_iter().map(|(attribute, sets)| Formula::values(attribute, ValueSet::union_all(sets.into_iter()).complement()));
            let found = self.can(caller, &hold.iter().cloned().chain(others).collect::<Vec<_>>(), &rest);
            if found == Verdict::Yes(()) {
                return found;
            }
        }
        self.can(caller, hold, &self.applying(side.at(others), caller))
    }

    /// The same for a request with values that no statement asks for, and that fit, if there are statements that ask.
    fn can_unasked(&self, caller: &Caller, hold: &[Formula], side: &Side, others: &[u32]) -> bool {
        let mut asked: BTreeSet<AttributeId> = BTreeSet::new();
        let mut fits: BTreeMap<usize, &Formula> = BTreeMap::new();
        let mut rest = Vec::new();
        for other in side.at(others) {
            let Some((attribute, _)) = other.said.asks().or_else(|| other.said.asks_fitting()) else {
                rest.push(other.applies(caller, &self.vocabulary));
                continue;
            };
            asked.insert(attribute);
            if other.said.asks().is_none() {
                fits.insert(other.said.id, &other.said.fits);
            }
        }
        if asked.is_empty() {
            return false;
        }
        let unasked = asked.iter().filter_map(|attribute| side.unasked.get(attribute));
        let hold: Vec<Formula> = hold.iter().chain(unasked).chain(fits.into_values()).cloned().collect();
        self.can(caller, &hold, &rest) == Verdict::Yes(())
    }

    /// When statements apply to a request of a caller.
    pub(super) fn applying<'a>(&self, statements: impl IntoIterator<Item = &'a Prepared>, caller: &Caller) -> Vec<Formula> {
        statements.into_iter().map(|statement| statement.applies(caller, &self.vocabulary)).collect()
    }

    /// The request that was found, once `certify` has seen that it proves what it is to prove. A caller of type `user` is
    /// preferred; where a statement for a named user is in the way, any other type will do.
    pub(super) fn witness(&self, found: &Found, certify: impl Fn(&Request) -> bool) -> Option<Json> {
        ["user", "service", "somebody"].into_iter().find_map(|kind| {
            let json = request(&self.vocabulary, &found.model, &found.caller, kind);
            let request = super::side::read(&json)?;
            certify(&request).then_some(json)
        })
    }
}

/// Whether some request lets each condition, as that of a statement with an effect, apply or not apply as given; and that request.
/// It has been tried on every condition.
pub fn together(conditions: &[(&Condition, Effect, bool)], budget: Budget) -> Verdict<Json> {
    let mut vocabulary = Vocabulary::default();
    let formulas: Vec<(Formula, bool)> = conditions
        .iter()
        .map(|&(condition, effect, applies)| (Formula::of_statement(condition, effect, &mut vocabulary), applies))
        .collect();
    vocabulary.relate();
    let goals: Vec<Goal<'_>> = formulas.iter().map(|(formula, holds)| Goal { formula, holds: *holds }).collect();
    let model = match satisfiable(&vocabulary, &goals, budget).into() {
        Verdict::Yes(model) => model,
        Verdict::No => return Verdict::No,
        Verdict::Undecided => return Verdict::Undecided,
    };
    let json = request(&vocabulary, &model, &Caller::default(), "user");
    let proven = super::side::read(&json).is_some_and(|request| {
        let facts = request.facts();
        conditions.iter().all(|(condition, effect, applies)| holds_for(*effect, condition.evaluate(&facts)) == *applies)
    });
    if proven { Verdict::Yes(json) } else { Verdict::Undecided }
}
