//! A document written anew, for a layout that nothing finer can change. Every comment is kept, above the key that it stood at.

use serde_json::Map;
use serde_json::Value;

use super::lines;
use crate::syntax::Document;
use crate::syntax::node::Node;
use crate::syntax::print::Wish;
use crate::syntax::print::after_colon;
use crate::syntax::print::ordered;
use crate::syntax::splice::line_break;
use crate::syntax::splice::line_end;
use crate::syntax::splice::line_ending;
use crate::syntax::splice::line_start;
use crate::syntax::splice::quoted;

/// The text with the value of one document written as these fields, in this order.
pub(super) fn document(text: &str, document: &Document, fields: &Map<String, Value>, order: &[&str]) -> Option<String> {
    let root = document.root.as_ref()?;
    let range = root.span.range();
    let ending = line_ending(text, range.end);
    let line = line_start(text, range.start);
    let before = text.get(line..range.start)?.trim_start_matches('\u{feff}');
    // What stands on the line of the root is its indentation, or the dashes that begin the document.
    let (start, head) = match before.trim().is_empty() {
        true => (range.start - before.len(), String::new()),
        false => (range.start, ending.to_owned()),
    };
    let end = lines::end(text, range.end, root);
    let inside: Vec<_> = document.comments.iter().filter(|comment| (start..end).contains(&comment.span.range().start)).collect();
    let mut written = head;
    let mut told = 0;
    for (key, value) in ordered(fields, order) {
        for comment in inside.iter().filter(|comment| owner(text, root, comment.span.range().start) == Some(key)) {
            written.push_str(&format!("#{}{ending}", comment.text));
            told += 1;
        }
        written.push_str(&format!("{}:{}{ending}", quoted(key), after_colon(value, Wish::NONE, 0, ending)));
    }
    if fields.is_empty() {
        written.push_str(&format!("{{}}{ending}"));
    }
    // What spoke of a key that is gone, or of none, comes last.
    if told < inside.len() {
        let left = |at: usize| owner(text, root, at).is_none_or(|key| !fields.contains_key(key));
        for comment in inside.iter().filter(|comment| left(comment.span.range().start)) {
            written.push_str(&format!("#{}{ending}", comment.text));
        }
    }
    let rest = end + line_break(text, end).len();
    Some(format!("{}{written}{}", text.get(..start)?, text.get(rest..)?))
}

/// The key that a comment inside the document stands at: the one whose value has not ended yet.
fn owner<'n>(text: &str, root: &'n Node, at: usize) -> Option<&'n str> {
    let ends_after = |entry: &&crate::syntax::Entry| line_end(text, entry.value.span.range().end.max(entry.key_span.range().end)) >= at;
    root.entries().iter().find(ends_after).map(|entry| entry.key.as_str())
}
