//! A request that proves a conflict.

use serde_json::Value;
use serde_json::json;

use super::overlap::everyone;
use crate::decision::Request;
use crate::decision::applies;
use crate::decision::decide;
use crate::policy::Actions;
use crate::policy::Member;
use crate::policy::Selector;
use crate::policy::Statement;

/// The caller of a witness that needs nobody in particular. The domain is reserved (RFC 2606), so it is nobody.
const SOMEBODY: &str = "somebody@example.invalid";

/// An AuthZEN evaluation request that is denied, and would be allowed without the denial; both have been run through [`decide`],
/// and the denial and the grant apply to it. The positions are those of the two in `statements`.
///
/// `None` when a condition is involved, or when something else denies the request as well.
pub fn witness(statements: &[Statement], grant: usize, denial: usize) -> Option<Value> {
    let (granting, denying) = (statements.get(grant)?, statements.get(denial)?);
    if granting.condition.is_some() || denying.condition.is_some() {
        return None;
    }
    let value = request(granting, denying)?;
    let request = Request::from_authzen(&value).ok()?;
    if !applies(granting, &request) || !applies(denying, &request) {
        return None;
    }
    // A statement of another service or action applies to nothing here, whatever the rest of it says, and most are that.
    let concerned = |statement: &Statement| statement.service.matches(&request.service) && statement.actions.contains(&request.action.name);
    let rest = statements.iter().enumerate().filter(|&(position, _)| position != denial);
    let others: Vec<Statement> = rest.filter(|(_, statement)| concerned(statement)).map(|(_, statement)| statement.clone()).collect();
    let allowed = decide(&others, &request).allowed;
    let all: Vec<Statement> = others.into_iter().chain([denying.clone()]).collect();
    (allowed && !decide(&all, &request).allowed).then_some(value)
}

/// A request in the common part of both, which are known to overlap.
fn request(grant: &Statement, denial: &Statement) -> Option<Value> {
    let subject = match shared_member(grant, denial)? {
        Member::Everyone => json!({"type": "user", "id": SOMEBODY}),
        Member::Email(address) => json!({"type": "user", "id": &**address}),
        Member::Typed { kind, id } => json!({"type": &**kind, "id": &**id}),
        Member::Group(id) => json!({"type": "user", "id": SOMEBODY, "properties": {"groups": [&**id]}}),
    };
    let action: &str = match (&grant.actions, &denial.actions) {
        (Actions::Only(names), other) | (other, Actions::Only(names)) => names.iter().find(|name| other.contains(name))?,
        (Actions::Any, Actions::Any) => "read",
    };
    let service = shared_name(&grant.service, &denial.service, "report");
    let source = shared_name(&grant.source, &denial.source, "private");
    Some(json!({
        "subject": subject,
        "action": {"name": action},
        "resource": {"type": service, "id": "1"},
        "context": {"source": source},
    }))
}

/// The narrower of two selectors that overlap; `any` when neither names one.
fn shared_name<'a>(one: &'a Selector, two: &'a Selector, any: &'a str) -> &'a str {
    match (one, two) {
        (Selector::Named(name), _) | (_, Selector::Named(name)) => name,
        (Selector::Any, Selector::Any) => any,
    }
}

/// A member that both name; where one names everyone, a member of the other.
fn shared_member<'a>(grant: &'a Statement, denial: &'a Statement) -> Option<&'a Member> {
    match (everyone(&grant.members), everyone(&denial.members)) {
        (_, true) => grant.members.first(),
        (true, false) => denial.members.first(),
        (false, false) => grant.members.iter().find(|member| denial.members.binary_search(member).is_ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::overlap::tests::statement;
    use crate::policy::Effect;

    #[track_caller]
    fn check(grant: &str, denial: &str, others: &[(Effect, &str)], expected: Option<Value>) {
        let mut statements = vec![statement("G", Effect::Allow, grant), statement("D", Effect::Deny, denial)];
        statements.extend(others.iter().map(|&(effect, text)| statement("O", effect, text)));
        assert_eq!(witness(&statements, 0, 1), expected, "{grant} against {denial}");
    }

    fn asked(subject: Value, service: &str, source: &str) -> Option<Value> {
        let resource = json!({"type": service, "id": "1"});
        Some(json!({"subject": subject, "action": {"name": "read"}, "resource": resource, "context": {"source": source}}))
    }

    #[test]
    fn the_request_is_in_the_common_part() {
        let group = json!({"type": "user", "id": SOMEBODY, "properties": {"groups": ["g"]}});
        check("read, run | * | public | g", "read | object | * | *", &[], asked(group, "object", "public"));
        check("read | * | * | *", "read | * | * | A@x, *", &[], asked(json!({"type": "user", "id": SOMEBODY}), "report", "private"));
        check("read | a | b | *", "read | a | b | A@x", &[], asked(json!({"type": "user", "id": "a@x"}), "a", "b"));
        check("read | a | b | h, service:x", "* | a | b | g, service:x", &[], asked(json!({"type": "service", "id": "x"}), "a", "b"));
    }

    #[test]
    fn nothing_is_shown_that_does_not_prove_it() {
        check("read | a | b | g", "read | a | b | g", &[(Effect::Deny, "read | a | b | *")], None);
        check("read | a | b | g | x = 1", "read | a | b | g", &[], None);
        check("read | a | b | g", "read | a | b | h", &[], None);
    }
}
