//! Lowering: both kinds of policy become statements, and from here on nothing else is read.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Policy;
use super::PolicyId;
use super::member::Member;
use super::name::Name;
use crate::condition::Condition;
use crate::condition::ConditionError;
use crate::condition::Expr;
use crate::condition::Pool;

/// What a statement does to the requests that it applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Makes a statement a grant.
    Allow,
    /// Makes a statement a denial, which always wins.
    Deny,
}

/// A name, or every name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Selector {
    /// `*`.
    Any,
    /// Just this one.
    Named(Name),
}

impl Selector {
    /// `*` selects everything, any other text itself.
    pub fn parse(text: &str) -> Self {
        if text == "*" { Self::Any } else { Self::Named(text.into()) }
    }

    /// Whether the name is selected.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Named(own) => **own == *name,
        }
    }

    /// Whether some name is selected by both.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Named(one), Self::Named(two)) => one == two,
            _ => true,
        }
    }

    /// Whether every name that the other selects is selected.
    pub fn covers(&self, other: &Self) -> bool {
        matches!(self, Self::Any) || self == other
    }
}

/// A set of actions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Actions {
    /// Every action, also those that no law book names.
    Any,
    /// Just these.
    Only(BTreeSet<Name>),
}

impl Actions {
    /// Whether the action is in the set.
    pub fn contains(&self, action: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(names) => names.contains(action),
        }
    }

    /// Whether some action is in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Only(one), Self::Only(two)) => !one.is_disjoint(two),
            _ => true,
        }
    }

    /// Whether every action of the other is in this one.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Only(_), Self::Any) => false,
            (Self::Only(one), Self::Only(two)) => two.is_subset(one),
        }
    }
}

/// The one intermediate form: who may, or may not, do what to which documents.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The policy it comes from.
    pub policy: PolicyId,
    /// Whether it grants or denies.
    pub effect: Effect,
    /// The actions.
    pub actions: Actions,
    /// The service.
    pub service: Selector,
    /// The source.
    pub source: Selector,
    /// The members, sorted and distinct; a caller that matches one of them is meant, unless it is excepted.
    pub members: Vec<Member>,
    /// The exceptions, sorted and distinct; a caller that matches one of them is not meant, whichever member it matches.
    pub except: Vec<Member>,
    /// The documents; absent means all.
    pub condition: Option<Arc<Condition>>,
    /// Whether it comes from a control.
    pub from_control: bool,
}

/// What [`lower`] makes of a policy, to be shared by whatever works with it.
pub type Lowered = Result<Option<Arc<Statement>>, Vec<ConditionError>>;

/// The statement that a policy lowers to; `None` when it is disabled, or a control without `require`. A disabled policy
/// is checked all the same. Statements with equal conditions share one of the pool.
///
/// # Errors
/// The condition does not fit the declared lists. That makes the meaning of the policy unknown.
pub fn lower(policy: &Policy, conditions: &Pool) -> Lowered {
    let statement = match policy {
        Policy::Access(access) => {
            let condition = access.condition.as_ref().map(|condition| conditions.condition(condition.expr.clone())).transpose()?;
            Statement {
                policy: access.id.clone(),
                effect: if access.deny { Effect::Deny } else { Effect::Allow },
                actions: only(&access.actions),
                service: Selector::parse(&access.service),
                source: Selector::parse(&access.source),
                members: members(&access.members),
                except: members(access.except.as_deref().unwrap_or_default()),
                condition,
                from_control: false,
            }
        }
        Policy::Control(control) => {
            let Some(require) = &control.require else { return Ok(None) };
            let unmet = conditions.condition(Expr::Not(Box::new((*require.expr).clone())))?;
            Statement {
                policy: control.id.clone(),
                effect: Effect::Deny,
                actions: control.actions.as_deref().map_or(Actions::Any, only),
                service: control.service.as_deref().map_or(Selector::Any, Selector::parse),
                source: control.source.as_deref().map_or(Selector::Any, Selector::parse),
                members: control.members.as_deref().map_or_else(|| vec![Member::Everyone], members),
                except: members(control.except.as_deref().unwrap_or_default()),
                condition: Some(unmet),
                from_control: true,
            }
        }
    };
    Ok(policy.enabled().then(|| Arc::new(statement)))
}

pub(super) fn only(actions: &[String]) -> Actions {
    Actions::Only(actions.iter().map(|action| Name::from(action.as_str())).collect())
}

/// The members, each once, in an order that does not depend on the file.
pub(super) fn members(texts: &[String]) -> Vec<Member> {
    let mut distinct: Vec<Member> = texts.iter().map(|text| Member::parse(text)).collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}
