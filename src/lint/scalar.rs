//! Places and edits inside the text of a scalar: what is known of the decoded text becomes bytes of the file.
//!
//! YAML has five ways to write a string. An edit is offered only when the rewritten scalar has been read again and says
//! exactly what it was meant to say, so that no rule of quoting can be got wrong here.

use std::borrow::Cow;
use std::ops::Range;

use super::Book;
use crate::finding::Edit;
use crate::finding::apply;
use crate::policy::PolicyDocument;
use crate::source::SourceId;
use crate::source::Span;
use crate::syntax;
use crate::syntax::Node;

/// The bytes of the file that a range of a scalar's text comes from; the whole scalar for `0..0`, which means the text as a whole.
pub(super) fn span(book: &Book, node: &Node, range: Range<usize>) -> Span {
    match book.sources.get(node.span.source) {
        Some(file) if range != (0..0) => node.locate_range(file.text(), range),
        _ => node.span,
    }
}

/// The same in the condition of a document.
pub(super) fn condition_span(book: &Book, document: &PolicyDocument, range: Range<usize>) -> Span {
    document.condition().map_or_else(|| document.head_span(), |condition| span(book, condition.node, range))
}

/// The edits of the file that make these changes to the text of a scalar of the document. `None` when they cannot be made at
/// these places, when something of the document is repeated by an alias and would change with it, or when the scalar would not
/// read back as the changed text.
pub(super) fn edits(book: &Book, document: &PolicyDocument, node: &Node, changes: &[(Range<usize>, &str)]) -> Option<Vec<Edit>> {
    if has_alias(&document.node) {
        return None;
    }
    let file = book.sources.get(node.span.source)?.text();
    let raw = file.get(node.span.range())?;
    let in_file = |(range, replacement): &(Range<usize>, &str)| Edit {
        span: span(book, node, range.clone()),
        replacement: escaped(raw, replacement).into_owned(),
    };
    let edits: Vec<Edit> = changes.iter().map(in_file).collect();
    let expected = changed(node.as_str()?, changes)?;
    let written = apply(node.span.source, file.get(..node.span.range().end)?, &edits)?;
    let in_flow = file.get(document.node.span.range())?.starts_with('{');
    (read(written.get(node.span.range().start..)?, in_flow)? == expected).then_some(edits)
}

/// Whether an alias repeats a part of the tree, so that an edit in one place may change another.
pub(super) fn has_alias(node: &Node) -> bool {
    node.aliased || node.items().iter().any(has_alias) || node.entries().iter().any(|entry| has_alias(&entry.value))
}

/// A replacement as it is written in a scalar with these quotes.
fn escaped<'a>(raw: &str, replacement: &'a str) -> Cow<'a, str> {
    match raw.chars().next() {
        Some('\'') => Cow::Owned(replacement.replace('\'', "''")),
        Some('"') => Cow::Owned(replacement.replace('\\', "\\\\").replace('"', "\\\"")),
        _ => Cow::Borrowed(replacement),
    }
}

/// The decoded text after the changes.
pub(super) fn changed(text: &str, changes: &[(Range<usize>, &str)]) -> Option<String> {
    let source = SourceId::new(0);
    let edit = |(range, replacement): &(Range<usize>, &str)| Edit {
        span: Span::new(source, range.clone()),
        replacement: (*replacement).to_owned(),
    };
    let edits: Vec<Edit> = changes.iter().map(edit).collect();
    apply(source, text, &edits)
}

/// What a scalar says, as the value of a key in block or flow style.
fn read(raw: &str, in_flow: bool) -> Option<String> {
    let text = if in_flow { format!("{{k: {raw}\n}}") } else { format!("k: {raw}\n") };
    let parsed = syntax::parse(SourceId::new(0), &text);
    let root = parsed.documents.first().filter(|_| parsed.errors.is_empty())?.root.as_ref()?;
    root.get("k")?.as_str().map(str::to_owned)
}
