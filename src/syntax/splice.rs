//! Which bytes to replace so that a key of a mapping gets a value, in the style in which the mapping is written.

use std::ops::Range;

use crate::syntax::node::Entry;
use crate::syntax::node::Node;
use crate::syntax::node::NodeKind;
use crate::syntax::node::Style;

/// A replacement of one range of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Splice {
    pub(super) range: Range<usize>,
    pub(super) replacement: String,
    /// The bytes of the old value, with whose comments go; empty if there was none.
    pub(super) old: Range<usize>,
}

/// A new value as YAML without line break at its end, and the style of its outermost node.
pub(super) struct Value<'v> {
    pub(super) text: &'v str,
    pub(super) style: Style,
}

/// How a value has to be laid out.
enum Layout<'v> {
    /// After the key on the same line.
    Inline(String),
    /// With something on the line of the key (nothing, or the header of a block scalar), and indented lines after it.
    Below(&'v str, String),
}

/// The splice that gives `key` of the mapping `root` a value; `None` if the value is of several lines and the mapping is in brackets.
pub(super) fn entry(text: &str, root: &Node, key: &str, value: &Value<'_>) -> Option<Splice> {
    let found = root.entry(key);
    if root.style == Style::Flow {
        if matches!(value.style, Style::Block | Style::Literal | Style::Folded) || value.text.contains(['\n', '\r']) {
            return None;
        }
        return Some(match found {
            Some(entry) => replace_inline(text, Slot::of(entry), value.text),
            None => insert_flow(text, root, key, value.text),
        });
    }
    let indent = root.entries().first().map_or("", |entry| indentation(text, entry.key_span.range().start));
    let layout = layout(value, indent, line_ending(text, root.span.range().end));
    Some(match (found, layout) {
        (Some(entry), Layout::Inline(value)) => replace_inline(text, Slot::of(entry), &value),
        (Some(entry), Layout::Below(header, lines)) => replace_below(text, Slot::of(entry), header, &lines),
        (None, layout) => insert_block(text, root, &quoted(key), indent, layout),
    })
}

fn layout<'v>(value: &Value<'v>, indent: &str, ending: &str) -> Layout<'v> {
    let lines = |lines: std::str::Lines<'v>| -> String {
        lines.map(|line| if line.trim().is_empty() { ending.to_owned() } else { format!("{ending}{indent}  {line}") }).collect()
    };
    let mut rest = value.text.lines();
    match value.style {
        Style::Block => Layout::Below("", lines(rest)),
        Style::Literal | Style::Folded => {
            let header = rest.next().unwrap_or_default();
            Layout::Below(header, lines(rest))
        }
        _ => {
            let first = rest.next().unwrap_or_default().trim_start();
            Layout::Inline(format!("{first}{}", lines(rest)))
        }
    }
}

/// A value in its place, after a key or a dash.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot<'n> {
    /// The end of the key, or of the dash.
    pub(super) after: usize,
    /// Whether it is a key, which a colon follows.
    pub(super) is_key: bool,
    pub(super) value: &'n Node,
}

impl<'n> Slot<'n> {
    pub(super) fn of(entry: &'n Entry) -> Self {
        Self { after: entry.key_span.range().end, is_key: true, value: &entry.value }
    }
}

/// Where a value on the line of its key or dash starts: after the colon, and after an anchor or a tag. `None` if there is no colon.
fn value_place(text: &str, slot: Slot<'_>) -> Option<usize> {
    let start = slot.value.span.range().start;
    let gap = text.get(slot.after..start)?;
    let mut rest = if slot.is_key { gap.trim_start().strip_prefix(':')? } else { gap };
    loop {
        let property = rest.trim_start_matches([' ', '\t']);
        if !property.starts_with(['&', '!']) {
            return Some(start - rest.len());
        }
        rest = property.get(property.find(char::is_whitespace).unwrap_or(property.len())..)?;
    }
}

/// Whether the value is a block collection, which stands on lines of its own; an alias of one does not.
fn stands_below(value: &Node) -> bool {
    value.style == Style::Block && !value.aliased
}

/// The bytes of a value, with the comment beside the last line of a block collection.
fn extent(text: &str, value: &Node) -> Range<usize> {
    let span = value.span.range();
    let end = if stands_below(value) { line_end(text, span.end) } else { span.end };
    span.start..end
}

pub(super) fn replace_inline(text: &str, slot: Slot<'_>, value: &str) -> Splice {
    let old = extent(text, slot.value);
    match value_place(text, slot) {
        None => Splice { range: old.clone(), replacement: format!(": {value}"), old },
        Some(place) if stands_below(slot.value) => {
            // A comment on the line of the key stays there.
            let kept = text.get(place..old.start).unwrap_or_default().trim_end();
            Splice { range: place..old.end, replacement: format!(" {value}{kept}"), old }
        }
        Some(place) if old.is_empty() => Splice { range: place..place, replacement: format!(" {value}"), old },
        Some(_) => Splice { range: old.clone(), replacement: value.to_owned(), old },
    }
}

pub(super) fn replace_below(text: &str, slot: Slot<'_>, header: &str, lines: &str) -> Splice {
    let old = extent(text, slot.value);
    let place = value_place(text, slot).unwrap_or(old.start);
    let before = text.get(place..old.start).unwrap_or_default().trim_end();
    let end = line_end(text, old.end);
    let after = text.get(old.end..end).unwrap_or_default().trim_end();
    let space = if header.is_empty() { "" } else { " " };
    Splice { range: place..end, replacement: format!("{space}{header}{before}{after}{lines}"), old }
}

fn insert_block(text: &str, root: &Node, key: &str, indent: &str, layout: Layout<'_>) -> Splice {
    let mut at = line_end(text, root.span.range().end);
    if keeps_blank_lines(text, root) {
        at = after_blank_lines(text, at);
    }
    let ending = line_ending(text, at);
    let value = match layout {
        Layout::Inline(value) => format!(" {value}"),
        Layout::Below("", lines) => lines,
        Layout::Below(header, lines) => format!(" {header}{lines}"),
    };
    Splice { range: at..at, replacement: format!("{ending}{indent}{key}:{value}"), old: at..at }
}

fn insert_flow(text: &str, root: &Node, key: &str, value: &str) -> Splice {
    let Some(last) = root.entries().last() else {
        let at = root.span.range().start + 1;
        return Splice { range: at..at, replacement: format!("{}: {value}", serde_json::Value::from(key)), old: at..at };
    };
    let is_json = text.get(last.key_span.range()).is_some_and(|key| key.starts_with('"'));
    let key = if is_json { serde_json::Value::from(key).to_string() } else { quoted(key) };
    let end = last.value.span.range().end.max(last.key_span.range().end);
    let rest = text.get(end..line_end(text, end)).unwrap_or_default().trim_end();
    let indent = text.get(line_start(text, last.key_span.range().start)..last.key_span.range().start).unwrap_or_default();
    let (comma, comment) = match rest.trim_start().strip_prefix(',') {
        Some(comment) => (",", comment),
        None => ("", rest),
    };
    let has_line = indent.trim().is_empty() && (comment.trim().is_empty() || comment.trim_start().starts_with('#'));
    if !has_line || line_end(text, end) == text.len() {
        return Splice { range: end..end, replacement: format!(", {key}: {value}"), old: end..end };
    }
    let ending = line_ending(text, end);
    let separator = if comma.is_empty() { "," } else { "" };
    Splice { range: end..end + rest.len(), replacement: format!("{separator}{rest}{ending}{indent}{key}: {value}{comma}"), old: end..end }
}

/// Whether the document ends with a block scalar of which the blank lines after it are part (`|+`).
pub(super) fn keeps_blank_lines(text: &str, root: &Node) -> bool {
    let mut last = root;
    while !last.aliased {
        last = match &last.kind {
            NodeKind::Sequence(items) if !items.is_empty() => items.last().unwrap_or(last),
            NodeKind::Mapping(entries) if !entries.is_empty() => entries.last().map_or(last, |entry| &entry.value),
            _ => break,
        };
    }
    let header = text.get(last.span.range()).unwrap_or_default().get(..3).unwrap_or_default();
    matches!(last.style, Style::Literal | Style::Folded) && header.contains('+')
}

/// The end of the last of the blank lines after the line that ends at `at`.
pub(super) fn after_blank_lines(text: &str, mut at: usize) -> usize {
    loop {
        let start = at + line_break(text, at).len();
        let end = line_end(text, start);
        let blank = text.get(start..end).is_some_and(|line| line.trim().is_empty());
        if start == at || end == text.len() || !blank {
            return at;
        }
        at = end;
    }
}

/// A key as it is written without need for quotes, else as JSON.
pub(super) fn quoted(key: &str) -> String {
    let plain = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if plain { key.to_owned() } else { serde_json::Value::from(key).to_string() }
}

pub(super) fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind(['\n', '\r'])).map_or(0, |end| end + 1)
}

pub(super) fn line_end(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|after| after.find(['\n', '\r'])).map_or(text.len(), |length| at + length)
}

/// The line break at `at`, or nothing.
pub(super) fn line_break(text: &str, at: usize) -> &str {
    let after = text.get(at..).unwrap_or_default();
    ["\r\n", "\n", "\r"].into_iter().find(|ending| after.starts_with(ending)).unwrap_or_default()
}

/// How lines end around `at`: like the next one, else like the first one of the file.
pub(super) fn line_ending(text: &str, at: usize) -> &str {
    [line_break(text, line_end(text, at)), line_break(text, line_end(text, 0)), "\n"]
        .into_iter()
        .find(|ending| !ending.is_empty())
        .unwrap_or("\n")
}

/// The spaces at the start of the line on which `at` stands.
fn indentation(text: &str, at: usize) -> &str {
    let line = text.get(line_start(text, at)..at).unwrap_or_default().trim_start_matches('\u{feff}');
    line.get(..line.len() - line.trim_start_matches(' ').len()).unwrap_or_default()
}
