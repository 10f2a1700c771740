//! Collections by indentation: where an entry or an item begins and ends, in whole lines.

use std::ops::Range;

use crate::syntax::node::Node;
use crate::syntax::splice::after_blank_lines;
use crate::syntax::splice::keeps_blank_lines;
use crate::syntax::splice::line_break;
use crate::syntax::splice::line_end;
use crate::syntax::splice::line_start;

/// The end of the last line of a value, its line break and the comment beside it: before the first, after the second. `from` is the end
/// of its key or dash, for a value that is not written.
pub(super) fn end(text: &str, from: usize, value: &Node) -> usize {
    let end = line_end(text, value.span.range().end.max(from));
    if keeps_blank_lines(text, value) { after_blank_lines(text, end) } else { end }
}

/// The whole lines from `start` to the one that ends at `end`; `None` when something else stands before `start` on its line.
pub(super) fn whole(text: &str, start: usize, end: usize) -> Option<Range<usize>> {
    let line = line_start(text, start);
    let before = text.get(line..start)?;
    let begin = line + before.len() - before.trim_start_matches('\u{feff}').len();
    let alone = text.get(begin..start)?.chars().all(|char| char == ' ');
    alone.then_some(begin..end + line_break(text, end).len())
}

/// How many characters stand before `at` on its line.
pub(super) fn column(text: &str, at: usize) -> usize {
    text.get(line_start(text, at)..at).unwrap_or_default().trim_start_matches('\u{feff}').chars().count()
}

/// Where the dash of each item stands; `None` when one cannot be found.
pub(super) fn dashes(text: &str, sequence: &Node) -> Option<Vec<usize>> {
    let mut from = sequence.span.range().start;
    let mut found = Vec::with_capacity(sequence.items().len());
    for item in sequence.items() {
        let dash = next_dash(text, from)?;
        found.push(dash);
        let after = end(text, dash + 1, item);
        from = after + line_break(text, after).len();
    }
    Some(found)
}

/// The next dash, over blank lines and comments.
fn next_dash(text: &str, mut at: usize) -> Option<usize> {
    loop {
        let end = line_end(text, at);
        let line = text.get(at..end)?;
        let words = line.trim_start();
        if words.starts_with('-') {
            return Some(at + line.len() - words.len());
        }
        let next = end + line_break(text, end).len();
        if !words.is_empty() && !words.starts_with('#') || next == at {
            return None;
        }
        at = next;
    }
}
