//! A document that is no policy.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::source::Span;

pub(super) static RULE: Rule = Rule {
    name: "schema-violation",
    summary: "a document is not a policy: an unknown or missing field, or a value of the wrong kind",
    default: Level::Error,
    blocking: true,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/schema-violation.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for file in book.files.iter().filter(|file| file.errors.is_empty() && file.documents.is_empty()) {
        // A write that was cut off leaves such a file; taken for a deletion, it would revoke what the file said.
        let draft = Draft::new(Span::new(file.source, 0..0), "the file holds no policy");
        sink.report(draft.help("write a policy, or delete the file; an empty file is usually a write that was cut off"));
    }
    for (_, document) in book.documents() {
        let Err(unreadable) = &document.reading else { continue };
        for violation in &unreadable.violations {
            let draft = Draft::new(violation.place.span(&document.node), violation.message.as_str()).about(document);
            let help = violation.help.as_deref().unwrap_or("`lawbook schema policy` shows what each field takes");
            sink.report(draft.help(help));
        }
    }
}
