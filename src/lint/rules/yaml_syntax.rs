//! A file that is not YAML.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::syntax::ErrorKind;

pub(super) static RULE: Rule = Rule {
    name: "yaml-syntax",
    summary: "the file is not YAML",
    default: Level::Error,
    blocking: true,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/yaml-syntax.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    let errors = book.files.iter().flat_map(|file| &file.errors);
    for error in errors.filter(|error| error.kind != ErrorKind::DuplicateKey) {
        let draft = Draft::new(error.span, error.message.as_str()).help(error.help.as_deref().unwrap_or("correct the text at this place"));
        sink.report(error.related.iter().fold(draft, |draft, (span, text)| draft.related(*span, text.as_str())));
    }
}
