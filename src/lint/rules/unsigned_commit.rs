//! A landing commit that is not signed by somebody who may, where the law book requires it.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;

pub(super) static RULE: Rule = Rule {
    name: "unsigned-commit",
    summary: "a landing commit is not signed by somebody who may, where signatures are required",
    default: Level::Error,
    // INVARIANT: what nobody vouches for is not served, whoever can push it.
    blocking: true,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/unsigned-commit.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for unsigned in &book.unsigned {
        sink.report(Draft::new(unsigned.span, unsigned.message.as_str()).help(unsigned.help.as_str()));
    }
}
