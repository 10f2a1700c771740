//! A policy that says the same as another.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::telling;

pub(super) static RULE: Rule = Rule {
    name: "duplicate-policy",
    summary: "a policy matches the very same requests as another, with the same effect",
    default: Level::Warn,
    blocking: false,
    check: Check::Meaning(check),
    page: include_str!("../../../docs/rules/duplicate-policy.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for duplicate in book.meaning().superfluous.redundant.iter().filter(|one| one.equal) {
        let Some((statement, document)) = book.stated(duplicate.statement) else { continue };
        let other = telling::named(book, &duplicate.by, duplicate.by.len());
        let id = &statement.policy;
        let message =
            format!("`{id}` matches the very same requests as {other}, so a change to one of them alone will not do what it says");
        let draft = Draft::new(document.head_span(), message).label("this policy").policy(id.as_str());
        let draft = telling::labels(draft, book, &duplicate.by, |other| format!("`{}` says the same", other.policy));
        sink.report(
            draft.help(format!("remove `{id}`, or correct it if it was meant to say something else; no decision changes without it")),
        );
    }
}
