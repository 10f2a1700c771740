//! A line of the allowed signers that cannot be read.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;

pub(super) static RULE: Rule = Rule {
    name: "signers-syntax",
    summary: "a line of the file of allowed signers cannot be read, so it vouches for nobody",
    default: Level::Error,
    // INVARIANT: such a line lets nobody sign, so nothing that is served depends on it.
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/signers-syntax.md"),
};

const HELP: &str = "write names, options if there are any, the kind of the key and the key: `ann@example.com ssh-ed25519 AAAA…`";

fn check(book: &Book, sink: &mut Sink) {
    for (span, message) in &book.signers_problems {
        sink.report(Draft::new(*span, message.as_str()).help(HELP));
    }
}
