//! A mapping that gives a key twice.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::syntax::ErrorKind;

pub(super) static RULE: Rule = Rule {
    name: "duplicate-key",
    summary: "a mapping gives the same key twice",
    default: Level::Error,
    blocking: true,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/duplicate-key.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    let errors = book.files.iter().flat_map(|file| &file.errors);
    for error in errors.filter(|error| error.kind == ErrorKind::DuplicateKey) {
        let help = error.help.as_deref().unwrap_or("keep one of them; readers of YAML disagree about which one counts");
        let draft = Draft::new(error.span, error.message.as_str()).label("given again here").help(help);
        sink.report(error.related.iter().fold(draft, |draft, (span, text)| draft.related(*span, text.as_str())));
    }
}
