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

    /// A request of every kind of caller that can make one.
    pub fn found(&self) -> Vec<Found> {
        let Some(side) = self.analysis.side(0) else { return Vec::new() };
        let Some((hold, fail)) = side.statements.split_at_checked(self.hold) else { return Vec::new() };
        let roots: Vec<_> = hold.iter().collect();
        let cases = side.cases(&roots).unwrap_or_default();
        let ask = |caller| self.analysis.ask(caller, &self.analysis.applying(hold, caller), &self.analysis.applying(fail, caller)).yes();
        cases.iter().take(CALLERS).filter_map(|case| ask(&case.caller)).collect()
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
