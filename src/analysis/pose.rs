//! A question about a few statements, of which some are to apply and the others not.

use std::sync::Arc;

use super::model::Value;
use super::question::Analysis;
use super::question::Found;
use crate::condition::Condition;
use crate::condition::Expr;
use crate::condition::Lists;
use crate::condition::Term;
use crate::policy::Actions;
use crate::policy::Effect;
use crate::policy::Member;
use crate::policy::Selector;
use crate::policy::Statement;

/// So many kinds of callers are tried.
const CALLERS: usize = 8;

/// Statements made ready, of which some are to apply and the others not.
pub(super) struct Question {
    /// The statements, made ready.
    pub analysis: Analysis,
    hold: usize,
}

impl Question {
    /// Makes statements ready.
    pub fn new(hold: &[Statement], fail: &[Statement]) -> Self {
        Self { analysis: Analysis::new(&[&[hold, fail].concat()]), hold: hold.len() }
    }

    /// A request of every kind of caller that can make one, each looked for when its turn comes.
    pub fn found(&self) -> impl Iterator<Item = Found> {
        let side = self.analysis.side(0);
        let (hold, fail) = side.and_then(|side| side.statements.split_at_checked(self.hold)).unwrap_or_default();
        let cases = side.and_then(|side| side.cases(&hold.iter().collect::<Vec<_>>())).unwrap_or_default();
        cases.into_iter().take(CALLERS).filter_map(move |case| {
            let [hold, fail] = [hold, fail].map(|statements| self.analysis.applying(statements, &case.caller));
            self.analysis.ask(&case.caller, &hold, &fail).yes()
        })
    }

    /// The same request without an attribute.
    pub fn lacking(&self, mut found: Found, term: &Term, lists: &Lists) -> Found {
        if let Some(id) = self.analysis.vocabulary.fact(term, lists.contains(term)) {
            found.model.insert(id, Value::Absent);
        }
        found
    }
}

/// The statement with another condition and effect.
pub(super) fn with_condition(statement: &Statement, condition: Expr, effect: Effect, lists: &Lists) -> Option<Statement> {
    let condition = Condition::new(condition, lists).ok()?;
    Some(Statement { condition: Some(Arc::new(condition)), effect, ..statement.clone() })
}

/// A statement that applies to every request for which an expression holds.
pub(super) fn anywhere(like: &Statement, condition: Expr, lists: &Lists) -> Option<Statement> {
    let all = Statement {
        actions: Actions::Any,
        service: Selector::Any,
        source: Selector::Any,
        members: vec![Member::Everyone],
        except: Vec::new(),
        ..like.clone()
    };
    with_condition(&all, condition, Effect::Allow, lists)
}
