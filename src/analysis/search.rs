//! Whether some request makes all of some formulas hold.
//!
//! Literals are put into the [store](super::store) until nothing follows any more; of the disjunctions that remain the smallest is
//! split, into cases that exclude each other. Every case settles at least one literal, so the search ends, and because a store
//! without an empty domain has a request, its answer is right either way. Where a budget is spent, or something opaque is in
//! the way, the answer is that it is not known, and never anything else.

use super::automaton::States;
use super::formula::Formula;
use super::formula::Literal;
use super::model;
use super::model::Model;
use super::scalar::Unknown;
use super::store::Store;
use super::vocabulary::Vocabulary;

/// How many disjunctions can be looked at in the time of one state of an automaton.
const LOOKS: usize = 32;

/// How much work one question may take.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// How often the search may branch.
    pub branches: u32,
    /// How many states of automata it may visit, or steps that take as long.
    pub states: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { branches: 10_000, states: 100_000 }
    }
}

/// A formula that is to hold, or not to hold.
#[derive(Debug, Clone, Copy)]
pub struct Goal<'a> {
    /// The formula.
    pub formula: &'a Formula,
    /// Whether it is to hold.
    pub holds: bool,
}

impl<'a> Goal<'a> {
    /// It is to hold.
    pub fn yes(formula: &'a Formula) -> Self {
        Self { formula, holds: true }
    }

    /// It is not to hold.
    pub fn no(formula: &'a Formula) -> Self {
        Self { formula, holds: false }
    }
}

/// What was found.
#[derive(Debug, Clone)]
pub enum Answer<'a> {
    /// There is such a request.
    Satisfiable {
        /// What it looks like.
        model: Model,
        /// Literals, and whether they hold, that together make all goals hold.
        because: Vec<(&'a Literal, bool)>,
    },
    /// There is none.
    Unsatisfiable,
    /// It is not known.
    Undecided,
}

impl Answer<'_> {
    /// Whether there is such a request; `None` when it is not known.
    pub fn known(&self) -> Option<bool> {
        match self {
            Self::Satisfiable { .. } => Some(true),
            Self::Unsatisfiable => Some(false),
            Self::Undecided => None,
        }
    }
}

/// A part of the search.
#[derive(Clone)]
struct Case<'a, 'v> {
    store: Store<'v>,
    /// What is not in the store yet.
    goals: Vec<Goal<'a>>,
    trail: Vec<(&'a Literal, bool)>,
}

/// A disjunction that is being split.
struct Split<'a, 'v> {
    case: Case<'a, 'v>,
    goal: Goal<'a>,
    next: usize,
}

/// What became of a case.
enum Outcome<'a, 'v> {
    Closed,
    Done(Case<'a, 'v>),
    Open(Case<'a, 'v>, Goal<'a>),
}

/// Looks for a request that makes all goals hold.
pub fn satisfiable<'a>(vocabulary: &Vocabulary, goals: &[Goal<'a>], budget: Budget) -> Answer<'a> {
    let found = search(vocabulary, goals, budget, |case, states| model::find(vocabulary, &case.store, states));
    match found {
        Ok(Some((model, case))) => Answer::Satisfiable { model, because: case.trail },
        Ok(None) => Answer::Unsatisfiable,
        Err(Undecided) => Answer::Undecided,
    }
}

/// Whether some request makes all goals hold; `None` when it is not known. The same as [`satisfiable`] says, which does not have to say
/// what it looks like.
pub fn is_satisfiable(vocabulary: &Vocabulary, goals: &[Goal<'_>], budget: Budget) -> Option<bool> {
    reasons(vocabulary, goals, budget).ok().map(|found| found.is_some())
}

/// It is not known.
#[derive(Debug, Clone, Copy)]
pub struct Undecided;

/// Literals, and whether they hold, that together make all goals hold; `None` if no request does that. The same as [`satisfiable`] says.
///
/// # Errors
///
/// It is not known.
pub fn reasons<'a>(vocabulary: &Vocabulary, goals: &[Goal<'a>], budget: Budget) -> Result<Option<Vec<(&'a Literal, bool)>>, Undecided> {
    let found = search(vocabulary, goals, budget, |case, states| match case.store.has_plain_request() {
        true => Ok(Some(())),
        false => Ok(model::find(vocabulary, &case.store, states)?.map(drop)),
    });
    Ok(found?.map(|((), case)| case.trail))
}

/// A case without an empty domain of which `take` gets something.
fn search<'a, 'v, T>(
    vocabulary: &'v Vocabulary,
    goals: &[Goal<'a>],
    budget: Budget,
    take: impl Fn(&Case<'a, 'v>, &mut States) -> Result<Option<T>, Unknown>,
) -> Result<Option<(T, Case<'a, 'v>)>, Undecided> {
    let mut states = States(budget.states);
    let mut branches = budget.branches;
    let mut undecided = false;
    let start = Case { store: Store::new(vocabulary), goals: goals.to_vec(), trail: Vec::new() };
    let mut splits: Vec<Split<'a, 'v>> = Vec::new();
    let mut current = Some(start);
    loop {
        let case = match current.take() {
            Some(case) => case,
            None => match next_case(&mut splits) {
                Some(case) => {
                    let left = branches.checked_sub(1).ok_or(Undecided)?;
                    branches = left;
                    case
                }
                None if undecided => return Err(Undecided),
                None => return Ok(None),
            },
        };
        match propagate(case, &mut states) {
            Ok(Outcome::Closed) => {}
            Ok(Outcome::Done(case)) => match take(&case, &mut states) {
                Ok(Some(found)) => return Ok(Some((found, case))),
                Ok(None) => {}
                Err(Unknown::Opaque) => undecided = true,
                Err(Unknown::Spent) => return Err(Undecided),
            },
            Ok(Outcome::Open(case, goal)) => splits.push(Split { case, goal, next: 0 }),
            Err(Unknown::Opaque) => undecided = true,
            Err(Unknown::Spent) => return Err(Undecided),
        }
    }
}

/// The next case of the innermost split: one more disjunct holds, and none of those before it.
fn next_case<'a, 'v>(splits: &mut Vec<Split<'a, 'v>>) -> Option<Case<'a, 'v>> {
    loop {
        let split = splits.last_mut()?;
        let Some(disjunct) = parts(split.goal).nth(split.next) else {
            splits.pop();
            continue;
        };
        split.next += 1;
        let mut case = split.case.clone();
        case.goals.extend(parts(split.goal).take(split.next - 1).map(|before| Goal { holds: !before.holds, ..before }));
        case.goals.push(disjunct);
        return Some(case);
    }
}

/// Puts all that follows into the store.
fn propagate<'a, 'v>(mut case: Case<'a, 'v>, states: &mut States) -> Result<Outcome<'a, 'v>, Unknown> {
    let mut work = std::mem::take(&mut case.goals);
    let mut open: Vec<Goal<'a>> = Vec::new();
    loop {
        while let Some(goal) = work.pop() {
            match shape(goal) {
                Shape::Literal(literal) => match case.store.status(literal) {
                    Some(holds) if holds == goal.holds => {}
                    Some(_) => return Ok(Outcome::Closed),
                    None => {
                        if !case.store.meet(literal, goal.holds, states)? {
                            return Ok(Outcome::Closed);
                        }
                        case.trail.push((literal, goal.holds));
                    }
                },
                Shape::All => work.extend(parts(goal)),
                Shape::Any => open.push(goal),
            }
        }
        let mut smallest: Option<(usize, Goal<'a>)> = None;
        let mut kept = Vec::with_capacity(open.len());
        // Looking at all that is open, again and again, takes its time too.
        let looked_at = u32::try_from(open.len() / LOOKS).unwrap_or(u32::MAX);
        states.0 = states.0.checked_sub(looked_at).ok_or(Unknown::Spent)?;
        for goal in open {
            match undecided_disjuncts(goal, &case.store) {
                None => {}
                Some((0, _)) => return Ok(Outcome::Closed),
                Some((1, Some(only))) => work.push(only),
                Some((count, _)) => {
                    if smallest.is_none_or(|(least, _)| count < least) {
                        smallest = Some((count, goal));
                    }
                    kept.push(goal);
                }
            }
        }
        open = kept;
        if !work.is_empty() {
            continue;
        }
        let Some((_, goal)) = smallest else { return Ok(Outcome::Done(case)) };
        case.goals = open.into_iter().filter(|other| !std::ptr::eq(other.formula, goal.formula) || other.holds != goal.holds).collect();
        return Ok(Outcome::Open(case, goal));
    }
}

/// How a goal is to be read.
enum Shape<'a> {
    Literal(&'a Literal),
    All,
    Any,
}

fn shape(goal: Goal<'_>) -> Shape<'_> {
    match (goal.formula, goal.holds) {
        (Formula::Literal(literal), _) => Shape::Literal(literal),
        (Formula::All(_), true) | (Formula::Any(_), false) | (Formula::Not(_), _) => Shape::All,
        (Formula::Any(_), true) | (Formula::All(_), false) => Shape::Any,
    }
}

/// What a conjunction or a disjunction is made of. A complement is a conjunction of one.
fn parts<'a>(goal: Goal<'a>) -> impl Iterator<Item = Goal<'a>> {
    let (parts, holds): (&'a [Formula], bool) = match goal.formula {
        Formula::All(parts) | Formula::Any(parts) => (parts, goal.holds),
        Formula::Not(part) => (std::slice::from_ref(part), !goal.holds),
        Formula::Literal(_) => (std::slice::from_ref(goal.formula), goal.holds),
    };
    parts.iter().map(move |formula| Goal { formula, holds })
}

/// How many disjuncts are neither true nor false in the store, and one of them; `None` if one is true.
fn undecided_disjuncts<'a>(goal: Goal<'a>, store: &Store<'_>) -> Option<(usize, Option<Goal<'a>>)> {
    let mut count = 0;
    let mut some = None;
    for disjunct in parts(goal) {
        match status(disjunct, store) {
            Some(true) => return None,
            Some(false) => {}
            None => {
                count += 1;
                some = Some(disjunct);
            }
        }
    }
    Some((count, some))
}

/// Whether a goal is met by everything that is left; `None` if it is not, or if that is not plain to see.
fn status(goal: Goal<'_>, store: &Store<'_>) -> Option<bool> {
    match shape(goal) {
        Shape::Literal(literal) => store.status(literal).map(|holds| holds == goal.holds),
        Shape::All => {
            let mut all = Some(true);
            for part in parts(goal) {
                match status(part, store) {
                    Some(false) => return Some(false),
                    Some(true) => {}
                    None => all = None,
                }
            }
            all
        }
        Shape::Any => {
            let mut any = Some(false);
            for part in parts(goal) {
                match status(part, store) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => any = None,
                }
            }
            any
        }
    }
}
