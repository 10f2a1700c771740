//! A member, or an exception from the members, that nobody is: of a policy, or of an assertion.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::config::Placed;
use crate::finding::Level;
use crate::finding::nearest;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::suggest::Suggestions;
use crate::policy::Member;
use crate::policy::caller_id;
use crate::schema::Place;
use crate::source::Span;

pub(super) static RULE: Rule = Rule {
    name: "unknown-member",
    summary: "a policy or an assertion names a member that no user of the directory is",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/unknown-member.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    let (Some(directory), Some(source)) = (&book.directory, book.directory_source) else { return };
    let path = book.sources.path(source);
    let known = directory.members();
    let otherwise = format!("correct the name, or add it to {path}");
    // A name that is mistyped once may stand in a thousand policies.
    let mut helps: BTreeMap<&str, String> = BTreeMap::new();
    let mut suggestions = Suggestions::default();
    for (policy, document) in book.policies() {
        for (field, members) in [("members", policy.members()), ("except", policy.except())] {
            let consequence = if field == "except" { "this excepts nobody" } else { "this member matches nobody" };
            for (position, member) in members.unwrap_or_default().iter().enumerate().filter(|(_, member)| !is_somebody(member, &known)) {
                let help = helps.entry(member).or_insert_with(|| help(member, &known, &mut suggestions, &otherwise));
                let span = Place::value(&[field, &position.to_string()]).span(&document.node);
                let message = format!("{}, so {consequence}", nobody(member, path));
                sink.report(Draft::new(span, message).policy(policy.id().as_str()).help(help.as_str()));
            }
        }
    }
    let Some(config) = book.config_source else { return };
    for assertion in &book.config.assertions {
        for Placed { value: member, range } in assertion.scope().members.iter().filter(|member| !is_somebody(&member.value, &known)) {
            let help = helps.entry(member).or_insert_with(|| help(member, &known, &mut suggestions, &otherwise));
            let message = format!("{}, so the assertion `{}` says nothing of anybody by it", nobody(member, path), assertion.name);
            sink.report(Draft::new(Span::new(config, range.clone()), message).help(help.as_str()));
        }
    }
}

/// The known member that is meant. Names of one domain, or of one type, are alike without being the same person.
fn help(member: &str, known: &BTreeSet<String>, suggestions: &mut Suggestions, otherwise: &str) -> String {
    let is_alike = |other: &str| match (parts(member), parts(other)) {
        (Some((own, kind)), Some((others, other_kind))) => own == others || (kind == other_kind && nearest(own, [others]).is_some()),
        _ => true,
    };
    let near = suggestions.nearest(member, known.iter().map(String::as_str), is_alike);
    near.map_or_else(|| otherwise.to_owned(), |near| format!("did you mean `{near}`?"))
}

/// What tells a caller from others, and what it has in common with them: the domain of an address, or the type.
fn parts(member: &str) -> Option<(&str, &str)> {
    member.split_once('@').or_else(|| member.split_once(':').map(|(kind, id)| (id, kind)))
}

/// Whether some user is the member. What is no member at all, `member-format` tells.
fn is_somebody(member: &str, known: &BTreeSet<String>) -> bool {
    member == "*" || !Member::is_well_formed(member) || known.contains(&caller_id(member))
}

fn nobody(member: &str, path: &str) -> String {
    match Member::parse(member) {
        Member::Group(_) => format!("no user in {path} has the group `{member}`"),
        _ => format!("no user in {path} is `{member}`"),
    }
}
