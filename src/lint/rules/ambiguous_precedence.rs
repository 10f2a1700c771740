//! `and` and `or` mixed without parentheses.

use crate::condition::ErrorKind;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::scalar;

pub(super) static RULE: Rule = Rule {
    name: "ambiguous-precedence",
    summary: "a condition mixes `and` and `or` without parentheses",
    default: Level::Error,
    blocking: true,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/ambiguous-precedence.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for (_, document) in book.documents() {
        let Err(unreadable) = &document.reading else { continue };
        for (_, error) in unreadable.conditions.iter().filter(|(_, error)| error.kind == ErrorKind::AmbiguousPrecedence) {
            let draft = Draft::new(scalar::condition_span(book, document, error.range.clone()), error.message.as_str()).about(document);
            sink.report(draft.help(error.help.as_deref().unwrap_or("put parentheses around what belongs together")));
        }
    }
}
