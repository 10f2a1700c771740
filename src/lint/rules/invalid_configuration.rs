//! A `lawbook.toml` that is not understood.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::source::SourceId;
use crate::source::Span;

pub(super) static RULE: Rule = Rule {
    name: "invalid-configuration",
    summary: "lawbook.toml is not understood",
    default: Level::Error,
    blocking: true,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/invalid-configuration.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    // Without a file the place is in no file at all, rather than in a file that has nothing to do with it.
    let source = book.config_source.unwrap_or_else(|| SourceId::new(book.sources.len()));
    for problem in &book.config_problems {
        let span = Span::new(source, problem.range.clone());
        sink.report(Draft::new(span, problem.message.as_str()).help(problem.help.as_str()));
    }
}
