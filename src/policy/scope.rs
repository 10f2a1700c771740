//! What an assertion of `lawbook.toml` is about, in the form of a statement.

use std::sync::Arc;

use super::Actions;
use super::Effect;
use super::Member;
use super::PolicyId;
use super::Selector;
use super::Statement;
use super::statement::members;
use super::statement::only;
use crate::condition;
use crate::condition::Condition;
use crate::condition::Lists;
use crate::config::Claim;
use crate::config::Placed;
use crate::config::Scope;

/// The requests of an assertion as a grant of all of them; `None` if its condition cannot be read, or does not fit the declared lists.
pub fn scope(claim: &Claim, lists: &Lists) -> Option<Statement> {
    let (Claim::Never(scope) | Claim::Always(scope) | Claim::SomeoneCan(scope)) = claim;
    let Scope { members: named, actions, service, source, condition, .. } = scope;
    let condition = match condition {
        None => None,
        Some(text) => Some(Arc::new(Condition::new(condition::parse(&text.value).ok()?.expr, lists).ok()?)),
    };
    Some(Statement {
        policy: PolicyId::new("assertion")?,
        effect: Effect::Allow,
        actions: if actions.is_empty() { Actions::Any } else { only(&values(actions)) },
        service: service.as_ref().map_or(Selector::Any, |service| Selector::parse(&service.value)),
        source: source.as_deref().map_or(Selector::Any, Selector::parse),
        members: if named.is_empty() { vec![Member::Everyone] } else { members(&values(named)) },
        except: Vec::new(),
        condition,
        from_control: false,
    })
}

fn values(placed: &[Placed<String>]) -> Vec<String> {
    placed.iter().map(|one| one.value.clone()).collect()
}
