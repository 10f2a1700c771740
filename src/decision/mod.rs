//! Whether a request is allowed.
//!
//! [`decide`] is the definition. Everything else that answers (the [`Index`], and in time the solver and the data filters)
//! is tested against it, and may only be faster.

mod index;
mod json;
mod request;

use std::borrow::Borrow;

use crate::condition::Outcome;
use crate::policy::Effect;
use crate::policy::Member;
use crate::policy::PolicyId;
use crate::policy::Statement;

pub use index::Index;
pub use json::OneMeaning;
pub use json::read_json;
pub use request::Action;
pub use request::DEFAULT_SOURCE;
pub use request::Request;
pub use request::RequestError;
pub use request::Subject;

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is allowed.
    pub allowed: bool,
    /// The policies that decided, in the order of the law book: the denials that apply, else the grants that apply. Empty when nothing applies.
    pub policies: Vec<PolicyId>,
}

/// Decides a request: it is allowed if and only if some grant applies and no denial applies.
///
/// There is no priority and no order, and no third answer. An update that carries the document after the change is
/// allowed only if both documents are, so that it cannot move a document out of a denial.
pub fn decide<'a, S: Borrow<Statement> + 'a>(statements: impl IntoIterator<Item = &'a S> + Clone, request: &Request) -> Decision {
    over_images(request, |request| {
        let applying: Vec<&Statement> =
            statements.clone().into_iter().map(Borrow::borrow).filter(|statement| applies(statement, request)).collect();
        decision(&applying)
    })
}

/// Whether a statement applies to a request, seen as one image of the document.
pub fn applies(statement: &Statement, request: &Request) -> bool {
    concerns(statement, request) && condition_holds(statement, request)
}

/// Whether a request is of somebody that a statement is meant for, about what it is about, whatever its condition says.
pub fn concerns(statement: &Statement, request: &Request) -> bool {
    statement.service.matches(&request.service)
        && statement.source.matches(&request.source)
        && statement.actions.contains(&request.action.name)
        && statement.members.iter().any(|member| matches(member, &request.subject))
        && !statement.except.iter().any(|member| matches(member, &request.subject))
}

/// Whether a member is the caller.
pub fn matches(member: &Member, subject: &Subject) -> bool {
    match member {
        Member::Everyone => true,
        Member::Email(address) => subject.kind == "user" && **address == *subject.id,
        Member::Typed { kind, id } => **kind == *subject.kind && **id == *subject.id,
        Member::Group(id) => subject.groups.contains(&**id),
    }
}

/// Whether the condition of a statement lets it apply.
fn condition_holds(statement: &Statement, request: &Request) -> bool {
    let Some(condition) = &statement.condition else { return true };
    holds_for(statement.effect, condition.evaluate(&request.facts()))
}

/// Whether a statement of this effect applies when this is what its condition says. It fails closed: a condition that reads a
/// value that does not fit keeps a grant from applying, and makes a denial apply.
pub fn holds_for(effect: Effect, outcome: Outcome) -> bool {
    match outcome {
        Outcome::True => true,
        Outcome::False => false,
        Outcome::Unfit => effect == Effect::Deny,
    }
}

/// The decision that follows from the statements that apply.
fn decision(applying: &[&Statement]) -> Decision {
    let ids = |effect: Effect| -> Vec<PolicyId> {
        applying.iter().filter(|statement| statement.effect == effect).map(|statement| statement.policy.clone()).collect()
    };
    let denials = ids(Effect::Deny);
    if denials.is_empty() {
        let grants = ids(Effect::Allow);
        Decision { allowed: !grants.is_empty(), policies: grants }
    } else {
        Decision { allowed: false, policies: denials }
    }
}

/// Decides each image of the document: the one before, and the one after if the request carries it.
fn over_images(request: &Request, one: impl Fn(&Request) -> Decision) -> Decision {
    let before = one(request);
    let Some(after) = request.after() else { return before };
    let after = one(&after);
    match (before.allowed, after.allowed) {
        (true, true) => {
            let mut policies = before.policies;
            policies.extend(after.policies.into_iter().filter(|id| !policies.contains(id)).collect::<Vec<_>>());
            Decision { allowed: true, policies }
        }
        (false, _) => before,
        (true, false) => after,
    }
}
