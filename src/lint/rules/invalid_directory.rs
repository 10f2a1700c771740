//! A directory that is not understood.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;

pub(super) static RULE: Rule = Rule {
    name: "invalid-directory",
    summary: "the directory of users is not understood, or is not there",
    default: Level::Error,
    // INVARIANT: no decision reads the directory, so a revocation never waits for its repair.
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/invalid-directory.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for problem in &book.directory_problems {
        let draft = Draft::new(problem.span, problem.message.as_str()).help(problem.help.as_str());
        sink.report(problem.related.iter().fold(draft, |draft, (span, text)| draft.related(*span, text.as_str())));
    }
}
