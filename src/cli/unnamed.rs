//! Names in a denied request that no policy knows: a misspelt action looks like any other denial.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::decision::Request;
use crate::finding::nearest;
use crate::policy::AccessPolicy;
use crate::policy::Member;
use crate::policy::Policy;
use crate::policy::PolicySet;

/// What to say about the names of a request that was denied, one line for each name. An action and a service are told
/// whenever nothing knows them, a group only when another one is near: nobody lists the groups there are.
pub(super) fn notes(request: &Request, set: &PolicySet, config: &Config) -> Vec<String> {
    let own: Vec<&AccessPolicy> = set.policies().iter().filter_map(|policy| access(policy)).collect();
    let actions = config.actions.iter().map(String::as_str);
    let actions: BTreeSet<&str> = own.iter().flat_map(|policy| policy.actions.iter().map(String::as_str)).chain(actions).collect();
    let services = config.services.iter().flatten().map(String::as_str);
    let services: BTreeSet<&str> = own.iter().map(|policy| policy.service.as_str()).chain(services).collect();
    let groups: BTreeSet<&str> = own.iter().flat_map(|policy| named(policy)).filter(|text| is_group(text)).collect();
    let mut notes = Vec::new();
    notes.extend(note("action", &request.action.name, &actions));
    notes.extend(note("service", &request.service, &services));
    let of_groups = request.subject.groups.iter().filter_map(|group| note("group", group, &groups));
    notes.extend(of_groups.filter(|note| note.ends_with('?')));
    notes
}

fn access(policy: &Policy) -> Option<&AccessPolicy> {
    match policy {
        Policy::Access(policy) => Some(policy),
        Policy::Control(_) => None,
    }
}

/// The members and the exceptions of a policy, as written.
fn named(policy: &AccessPolicy) -> impl Iterator<Item = &str> {
    policy.members.iter().chain(policy.except.iter().flatten()).map(String::as_str)
}

fn is_group(text: &str) -> bool {
    matches!(Member::parse(text), Member::Group(_))
}

/// What to say about a name; nothing when it is known. Beside `*`, only a name that is near another one is told.
fn note(what: &str, name: &str, known: &BTreeSet<&str>) -> Option<String> {
    if known.contains(name) {
        return None;
    }
    let shown = name.escape_debug();
    match nearest(name, known.iter().copied().filter(|known| *known != "*")) {
        Some(near) => Some(format!("no policy names the {what} `{shown}`; did you mean `{}`?", near.escape_debug())),
        None if known.contains("*") => None,
        None => Some(format!("no policy names the {what} `{shown}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nothing_knows_is_told() {
        let check = |name: &str, known: &[&str], expected: Option<&str>| {
            let known = known.iter().copied().collect();
            assert_eq!(note("action", name, &known).as_deref(), expected, "{name}");
        };
        check("read", &["read"], None);
        check("raed", &["read", "update"], Some("no policy names the action `raed`; did you mean `read`?"));
        check("approve", &["read"], Some("no policy names the action `approve`"));
        check("approve", &["read", "*"], None);
        check("raed", &["read", "*"], Some("no policy names the action `raed`; did you mean `read`?"));
    }
}
