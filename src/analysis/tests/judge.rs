//! Pairs of a grant and a denial, what the solver says of them, and how that is judged.

use std::fmt;
use std::sync::Arc;

use serde_json::Map;
use serde_json::Value as Json;

use crate::analysis::Answer;
use crate::analysis::Budget;
use crate::analysis::Formula;
use crate::analysis::Goal;
use crate::analysis::Vocabulary;
use crate::analysis::prepared::Caller;
use crate::analysis::prepared::Identity;
use crate::analysis::request::request;
use crate::analysis::satisfiable;
use crate::condition::Condition;
use crate::condition::Expr;
use crate::condition::Lists;
use crate::condition::Term;
use crate::decision::Request;
use crate::decision::applies;
use crate::policy::Actions;
use crate::policy::Effect;
use crate::policy::Member;
use crate::policy::PolicyId;
use crate::policy::Selector;
use crate::policy::Statement;

/// Whether the grant and the denial are to apply. `None` leaves it open.
pub const QUESTIONS: [(Option<bool>, Option<bool>); 6] = [
    (Some(true), Some(false)),
    (Some(true), Some(true)),
    (Some(true), None),
    (Some(false), None),
    (Some(false), Some(false)),
    (Some(false), Some(true)),
];

/// Which of the questions are met where the grant and the denial apply, or do not.
pub fn met(grant: bool, denial: bool) -> [bool; QUESTIONS.len()] {
    QUESTIONS.map(|(granted, denied)| granted.is_none_or(|is| is == grant) && denied.is_none_or(|is| is == denial))
}

/// A grant and a denial.
pub struct Pair {
    grant: Statement,
    denial: Statement,
}

/// What became of the questions about some pairs.
#[derive(Default)]
pub struct Tally {
    /// How many questions there were.
    pub asked: usize,
    /// How many of them had a request as the answer.
    pub met: usize,
    /// How many were not decided.
    pub undecided: Vec<String>,
    /// Wrong answers.
    pub wrong: Vec<String>,
}

impl Tally {
    /// Both.
    pub fn with(mut self, other: Self) -> Self {
        self.asked += other.asked;
        self.met += other.met;
        self.undecided.extend(other.undecided);
        self.wrong.extend(other.wrong);
        self
    }

    /// Fails if an answer was wrong, showing the shortest ones.
    #[track_caller]
    pub fn assert_right(&mut self) {
        self.wrong.sort_by_key(|text| (text.len(), text.clone()));
        let shown = self.wrong.iter().take(12).cloned().collect::<Vec<_>>().join("\n");
        assert!(self.wrong.is_empty(), "{} of {} answers are wrong:\n{shown}", self.wrong.len(), self.asked);
    }

    /// Fails if more questions were undecided than a share, showing the shortest ones.
    #[track_caller]
    pub fn assert_decided(&mut self, most: usize) {
        self.undecided.sort_by_key(|text| (text.len(), text.clone()));
        let shown = self.undecided.iter().take(12).cloned().collect::<Vec<_>>().join("\n");
        assert!(self.undecided.len() <= most, "{} of {} questions are undecided:\n{shown}", self.undecided.len(), self.asked);
    }
}

fn statement(effect: Effect, expr: Expr, lists: &Lists) -> Option<Statement> {
    Some(Statement {
        policy: PolicyId::new("P").expect("an id"),
        effect,
        actions: Actions::Any,
        service: Selector::Any,
        source: Selector::Any,
        members: vec![Member::Everyone],
        except: Vec::new(),
        condition: Some(Arc::new(Condition::new(expr, lists).ok()?)),
        from_control: false,
    })
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |statement: &Statement| statement.condition.as_ref().map(|condition| condition.expr().to_string());
        write!(f, "grant `{}` denial `{}`", text(&self.grant).unwrap_or_default(), text(&self.denial).unwrap_or_default())
    }
}

impl Pair {
    /// `None` if two lists are compared.
    pub fn new(grant: Expr, denial: Expr, lists: &Lists) -> Option<Self> {
        Some(Self { grant: statement(Effect::Allow, grant, lists)?, denial: statement(Effect::Deny, denial, lists)? })
    }

    /// Which of the questions a request meets.
    pub fn met_by(&self, request: &Request) -> [bool; QUESTIONS.len()] {
        met(applies(&self.grant, request), applies(&self.denial, request))
    }

    /// Asks every question and compares the answers with those that brute force has found a request for.
    pub fn judge(&self, found: [bool; QUESTIONS.len()], budget: Budget) -> Tally {
        let mut vocabulary = Vocabulary::default();
        let mut formula = |statement: &Statement| {
            let condition = statement.condition.as_ref().expect("a condition");
            Formula::of_statement(condition, statement.effect, &mut vocabulary)
        };
        let (grant, denial) = (formula(&self.grant), formula(&self.denial));
        vocabulary.relate();
        let mut tally = Tally::default();
        for (at, (granted, denied)) in QUESTIONS.into_iter().enumerate() {
            let goals: Vec<Goal<'_>> = [(&grant, granted), (&denial, denied)]
                .into_iter()
                .filter_map(|(formula, holds)| holds.map(|holds| Goal { formula, holds }))
                .collect();
            tally.asked += 1;
            match satisfiable(&vocabulary, &goals, budget) {
                Answer::Undecided => tally.undecided.push(format!("{self}: {granted:?} {denied:?}, which is {}", found[at])),
                Answer::Unsatisfiable if found[at] => tally.wrong.push(format!("{self}: {granted:?} {denied:?} is possible")),
                Answer::Unsatisfiable => {}
                Answer::Satisfiable { model, .. } => {
                    tally.met += 1;
                    let caller = Caller { identity: Identity::Any, ..Caller::default() };
                    let json = request(&vocabulary, &model, &caller, "user");
                    let met = Request::from_authzen(&json).is_ok_and(|request| self.met_by(&request)[at]);
                    if !met {
                        let truth = if found[at] { "possible" } else { "impossible" };
                        tally.wrong.push(format!("{self}: {granted:?} {denied:?} ({truth}) is not met by {json}"));
                    }
                }
            }
        }
        tally
    }
}

/// A request of a caller about nothing in particular.
pub fn blank(me: &str) -> Request {
    let mut request = Request::default();
    me.clone_into(&mut request.subject.id);
    request.document.insert("_id".to_owned(), "1".into());
    request
}

/// Puts a value where a term of one name reads it; null takes it away.
pub fn put(request: &mut Request, term: &Term, value: &Json) {
    let place: &mut Map<String, Json> = match term {
        Term::Me => {
            value.as_str().unwrap_or("somebody").clone_into(&mut request.subject.id);
            return;
        }
        Term::Document(_) => &mut request.document,
        Term::Caller(_) => &mut request.subject.properties,
        Term::Action(_) => &mut request.action.properties,
        Term::Context(_) => &mut request.context,
    };
    let name = &term.path().expect("a path").names()[0];
    if value.is_null() {
        place.remove(name);
    } else {
        place.insert(name.clone(), value.clone());
    }
}
