//! A policy that does not say what it is for.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;

pub(super) static RULE: Rule = Rule {
    name: "missing-description",
    summary: "a policy has no description",
    default: Level::Ignore,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/missing-description.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for (policy, document) in book.policies().filter(|(policy, _)| policy.description().is_none()) {
        let message = format!("`{}` does not say what it is for, so nobody can tell later whether it is still needed", policy.id());
        let draft = Draft::new(document.head_span(), message).policy(policy.id().as_str());
        sink.report(draft.help("add a `description` that says who needs it and why"));
    }
}
