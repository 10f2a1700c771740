//! A policy file that cannot be read.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;

pub(super) static RULE: Rule = Rule {
    name: "unreadable-file",
    summary: "a policy file cannot be read",
    default: Level::Error,
    blocking: true,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/unreadable-file.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for file in &book.unreadable {
        sink.report(Draft::new(file.span, file.message.as_str()).help(file.help.as_str()));
    }
}
