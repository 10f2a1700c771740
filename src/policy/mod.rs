//! What a document means: a [`Policy`] of one of two kinds, and the [`Statement`] that it lowers to.
//!
//! A policy is made from a JSON value, whatever it was written in: a YAML file, a bundle, or the body of a request. That
//! is the only way in, so the three cannot disagree. Spans live beside a policy ([`PolicyFile`]), never in it.

mod book;
mod file;
mod format;
mod member;
mod name;
mod piece;
mod scope;
mod statement;
mod value;

use std::sync::Arc;

use serde_json::Map;
use serde_json::Value;

use crate::condition::Expr;
use crate::schema::Kind;

pub use book::Misfit;
pub use book::PolicySet;
pub use book::assertion_problems;
pub use book::lists;
pub use file::ConditionAt;
pub use file::PolicyDocument;
pub use file::PolicyFile;
pub use file::read_file;
pub use format::FormatError;
pub use format::format;
pub use member::Member;
pub use member::caller_id;
pub use name::Name;
pub use name::PolicyId;
pub use piece::piece;
pub use piece::piece_at;
pub use scope::scope;
pub use statement::Actions;
pub use statement::Effect;
pub use statement::Lowered;
pub use statement::Selector;
pub use statement::Statement;
pub use statement::lower;
pub use value::Unreadable;
pub use value::from_value;
pub use value::reader;
pub use value::to_value;

/// A condition as it was written, with what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionText {
    /// The text, as written.
    pub text: Arc<str>,
    /// Its meaning.
    pub expr: Arc<Expr>,
    /// Whether every place of it is written canonically.
    pub canonical: bool,
}

/// One document of a law book.
#[derive(Debug, Clone, PartialEq)]
pub enum Policy {
    /// The OpenDataDSL *Policy* entity.
    Access(AccessPolicy),
    /// The NeoSC *Policy* model.
    Control(Control),
}

/// Grants or denies actions on a service to members.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessPolicy {
    /// The id.
    pub id: PolicyId,
    /// A category, for filtering.
    pub category: Option<String>,
    /// What the policy does.
    pub description: Option<String>,
    /// The source; `private` when the file does not say.
    pub source: String,
    /// The service, or `*`.
    pub service: String,
    /// Which documents; absent means all.
    pub condition: Option<ConditionText>,
    /// The actions, in the order of the file.
    pub actions: Vec<String>,
    /// The members as written, in the order of the file.
    pub members: Vec<String>,
    /// Who is excepted from the members, as written.
    pub except: Option<Vec<String>>,
    /// Whether this is a denial.
    pub deny: bool,
    /// Whether it is in force.
    pub enabled: bool,
    /// The owner's own data.
    pub metadata: Option<Map<String, Value>>,
}

/// A security control; with `require` it is enforced.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// The id.
    pub id: PolicyId,
    /// The name for people.
    pub name: String,
    /// What the control enforces; may be empty.
    pub description: String,
    /// `access`, `network` or `session`.
    pub category: String,
    /// Prose.
    pub rules: Vec<String>,
    /// Whether it is in force.
    pub enabled: bool,
    /// When it was created, as written; absent when the history has to say.
    pub created_at: Option<String>,
    /// What every request must meet.
    pub require: Option<ConditionText>,
    /// The service that `require` is narrowed to.
    pub service: Option<String>,
    /// The source that `require` is narrowed to.
    pub source: Option<String>,
    /// The actions that `require` is narrowed to.
    pub actions: Option<Vec<String>>,
    /// The members that `require` is narrowed to, as written.
    pub members: Option<Vec<String>>,
    /// Who is excepted from `require`, as written.
    pub except: Option<Vec<String>>,
    /// The owner's own data.
    pub metadata: Option<Map<String, Value>>,
}

impl Policy {
    /// The id.
    pub fn id(&self) -> &PolicyId {
        match self {
            Self::Access(policy) => &policy.id,
            Self::Control(control) => &control.id,
        }
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Access(_) => Kind::Access,
            Self::Control(_) => Kind::Control,
        }
    }

    /// Whether it is in force.
    pub fn enabled(&self) -> bool {
        match self {
            Self::Access(policy) => policy.enabled,
            Self::Control(control) => control.enabled,
        }
    }

    /// What it says of itself; `None` when there is nothing.
    pub fn description(&self) -> Option<&str> {
        let text = match self {
            Self::Access(policy) => policy.description.as_deref(),
            Self::Control(control) => Some(control.description.as_str()),
        };
        text.filter(|text| !text.trim().is_empty())
    }

    /// The condition, or what a control requires.
    pub fn condition(&self) -> Option<&ConditionText> {
        match self {
            Self::Access(policy) => policy.condition.as_ref(),
            Self::Control(control) => control.require.as_ref(),
        }
    }

    /// The members as written; `None` when the policy does not name any.
    pub fn members(&self) -> Option<&[String]> {
        match self {
            Self::Access(policy) => Some(&policy.members),
            Self::Control(control) => control.members.as_deref(),
        }
    }

    /// Who is excepted from the members, as written; `None` when nobody is.
    pub fn except(&self) -> Option<&[String]> {
        match self {
            Self::Access(policy) => policy.except.as_deref(),
            Self::Control(control) => control.except.as_deref(),
        }
    }

    /// The actions; `None` when the policy does not name any, and covers all.
    pub fn actions(&self) -> Option<&[String]> {
        match self {
            Self::Access(policy) => Some(&policy.actions),
            Self::Control(control) => control.actions.as_deref(),
        }
    }

    /// The service as written; `None` when the policy does not name one, and covers all.
    pub fn service(&self) -> Option<&str> {
        match self {
            Self::Access(policy) => Some(&policy.service),
            Self::Control(control) => control.service.as_deref(),
        }
    }
}
