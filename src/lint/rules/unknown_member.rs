//! A member, or an exception from the members, that nobody is.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::suggest::Suggestions;
use crate::policy::Member;
use crate::policy::caller_id;
use crate::schema::Place;

pub(super) static RULE: Rule = Rule {
    name: "unknown-member",
    summary: "a policy names a member or an exception that no user of the directory is",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/unknown-member.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    let (Some(directory), Some(source)) = (&book.directory, book.directory_source) else { return };
    let path = book.sources.path(source);
    let known = directory.members();
    // A name that is mistyped once may stand in a thousand policies.
    let mut helps: BTreeMap<&str, String> = BTreeMap::new();
    let mut suggestions = Suggestions::default();
    for (policy, document) in book.policies() {
        for (field, members) in [("members", policy.members()), ("except", policy.except())] {
            for (position, member) in members.unwrap_or_default().iter().enumerate().filter(|(_, member)| !is_somebody(member, &known)) {
                let otherwise = format!("correct the name, or add it to {path}");
                let help = helps.entry(member).or_insert_with(|| suggestions.help(member, known.iter().map(String::as_str), &otherwise));
                let span = Place::value(&[field, &position.to_string()]).span(&document.node);
                sink.report(Draft::new(span, message(field, member, path)).policy(policy.id().as_str()).help(help.as_str()));
            }
        }
    }
}

/// Whether some user is the member. What is no member at all, `member-format` tells.
fn is_somebody(member: &str, known: &BTreeSet<String>) -> bool {
    member == "*" || !Member::is_well_formed(member) || known.contains(&caller_id(member))
}

fn message(field: &str, member: &str, path: &str) -> String {
    let consequence = if field == "except" { "this excepts nobody" } else { "this member matches nobody" };
    match Member::parse(member) {
        Member::Group(_) => format!("no user in {path} has the group `{member}`, so {consequence}"),
        _ => format!("no user in {path} is `{member}`, so {consequence}"),
    }
}
