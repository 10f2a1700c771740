//! A password, token or key in a file that everybody reads.

use std::ops::Range;

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::secrets;
use crate::source::SourceFile;
use crate::source::SourceId;
use crate::source::Span;

pub(super) const NAME: &str = "secret-in-policy";

pub(super) static RULE: Rule = Rule {
    name: NAME,
    summary: "a file holds what looks like a password, a token or a private key",
    default: Level::Error,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/secret-in-policy.md"),
};

/// How many lines of one file are told; more say nothing new.
const LINES_PER_FILE: usize = 100;

/// How many more secrets of one line are pointed at.
const OTHERS_PER_LINE: usize = 20;

fn check(book: &Book, sink: &mut Sink) {
    for (id, file) in book.sources.iter() {
        for draft in lines(file).filter_map(|(start, line)| draft(id, start, line)).take(LINES_PER_FILE) {
            sink.report(draft);
        }
    }
}

/// The lines with the bytes at which they start.
fn lines(file: &SourceFile) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    file.text().split_inclusive('\n').map(move |line| {
        start += line.len();
        (start - line.len(), line)
    })
}

/// One finding per line, so that a line can be suppressed as one. The secret itself is not repeated: reports are kept and sent around.
fn draft(source: SourceId, start: usize, line: &str) -> Option<Draft> {
    let secret = secrets::find(line)?;
    let span = Span::new(source, start + secret.range.start..start + secret.range.end);
    let begins = secret.begins.map(|begins| format!(", `{begins}…`")).unwrap_or_default();
    let message = format!("this looks like {}{begins}; whoever can read the repository, now or later, can use it", secret.kind);
    let draft = Draft::new(span, message).label(secret.kind);
    let draft = others(line, secret.range.end).into_iter().fold(draft, |draft, (range, kind)| {
        let span = Span::new(source, start + range.start..start + range.end);
        draft.related(span, kind)
    });
    Some(draft.help("revoke it first, then take it out of the file; git keeps what was committed, so taking it out is not enough"))
}

/// The secrets of a line from some byte on, with their kinds.
fn others(line: &str, mut from: usize) -> Vec<(Range<usize>, &'static str)> {
    let mut found = Vec::new();
    while let Some(secret) = line.get(from..).filter(|_| found.len() < OTHERS_PER_LINE).and_then(secrets::find) {
        let range = from + secret.range.start..from + secret.range.end;
        from = range.end;
        found.push((range, secret.kind));
    }
    found
}
