//! Changes of one value in an existing file that leave every other byte as it is.
//!
//! [`super::splice`] decides which bytes to replace. It need not be right about every corner of YAML, because the result is parsed and
//! compared here with what the change was meant to make: a change that would do anything else is refused.

use std::ops::Range;

use crate::source::SourceId;
use crate::source::Span;
use crate::syntax::Document;
use crate::syntax::Parsed;
use crate::syntax::node::Entry;
use crate::syntax::node::Node;
use crate::syntax::node::NodeKind;
use crate::syntax::node::Style;
use crate::syntax::parse;
use crate::syntax::splice;
use crate::syntax::splice::Splice;

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum EditError {
    /// The file has errors, so that nobody knows what a change would do.
    #[error("the file cannot be changed because it is broken: {0}")]
    #[diagnostic(help("repair the file first"))]
    Broken(String),
    /// The place to change is not one of this text.
    #[error("the value to change is not in the file any more")]
    #[diagnostic(help("read the file again"))]
    Missing,
    /// The document is not a mapping, so that it has no keys.
    #[error("the document is not a mapping")]
    #[diagnostic(help("write the document as a mapping of keys to values"))]
    NotAMapping,
    /// The new value is not YAML, or not of the wanted kind.
    #[error("the new value cannot be used: {0}")]
    #[diagnostic(help("give the value as JSON on one line"))]
    Value(String),
    /// The change would not have done exactly what it should.
    #[error("the change cannot be made without touching more than {0}")]
    #[diagnostic(help("edit the file by hand; values shared through an anchor have to be written out first"))]
    Refused(String),
}

/// The text with the value at `span` replaced by `scalar`, a scalar of one line as it should stand in the file.
///
/// An anchor on the value stays if no alias uses it. Comments, order and line endings stay.
///
/// # Errors
/// When the text is broken, no value has this span, `scalar` is no scalar of one line, or anything else in the file would change.
pub fn set_scalar(text: &str, span: Span, scalar: &str) -> Result<String, EditError> {
    let before = sound(span.source, text)?;
    let value = fragment(scalar)?;
    if matches!(value.style, Style::Block | Style::Flow | Style::Literal | Style::Folded) || scalar.contains(['\n', '\r']) {
        return Err(EditError::Value(format!("`{}` is not a scalar on one line", super::error::excerpt(scalar))));
    }
    let mut expected = before.documents.clone();
    let place =
        expected.iter_mut().filter_map(|document| document.root.as_mut()).find_map(|root| find(root, span)).ok_or(EditError::Missing)?;
    *place = value;
    let space =
        if span.range().is_empty() && !text.get(..span.range().start).unwrap_or_default().ends_with([' ', '\t']) { " " } else { "" };
    let splice = Splice { range: span.range(), replacement: format!("{space}{}", scalar.trim()) };
    finish(text, span.source, &splice, &before, &expected, span.range(), "this value")
}

/// The text with the value of a top-level key of one document replaced, or the key added after the last one if it is absent.
///
/// `document` is the root of the document as it was parsed from this very text. `value` is YAML: JSON on one line fits everywhere; several lines, of
/// a block list for example, fit into a document that is a block mapping, and are indented as needed. An anchor on the old value stays if no
/// alias uses it; an old value that is an alias is written out. Comments inside the old value go with it; everything else stays.
///
/// # Errors
/// When the text is broken, `document` is not of this text or no mapping, `value` is not YAML, or anything else in the file would change.
pub fn set_entry(text: &str, document: &Node, key: &str, value: &str) -> Result<String, EditError> {
    let source = document.span.source;
    let before = sound(source, text)?;
    let mut expected = before.documents.clone();
    let roots = expected.iter_mut().filter_map(|document| document.root.as_mut());
    let root = roots.into_iter().find(|root| root.span == document.span).ok_or(EditError::Missing)?;
    if !matches!(root.kind, NodeKind::Mapping(_)) {
        return Err(EditError::NotAMapping);
    }
    let new = fragment(value)?;
    let value = splice::Value { text: value.trim_end_matches(['\n', '\r', ' ']), style: new.style };
    let splice = splice::entry(text, root, key, &value)
        .ok_or_else(|| EditError::Value("a value of several lines does not fit into brackets".to_owned()))?;
    let NodeKind::Mapping(entries) = &mut root.kind else { return Err(EditError::NotAMapping) };
    let replaced = match entries.iter_mut().find(|entry| entry.key == key) {
        Some(entry) => {
            let replaced = entry.value.span.range();
            entry.value = new;
            replaced
        }
        None => {
            entries.push(Entry { key: key.to_owned(), key_span: root.span, value: new });
            splice.range.end..splice.range.end
        }
    };
    finish(text, source, &splice, &before, &expected, replaced, &format!("`{}`", super::error::excerpt(key)))
}

/// The parsed text, if nothing is wrong with it.
fn sound(source: SourceId, text: &str) -> Result<Parsed, EditError> {
    let parsed = parse(source, text);
    match parsed.errors.first() {
        Some(error) => Err(EditError::Broken(error.message.clone())),
        None => Ok(parsed),
    }
}

/// A new value on its own: one document, no comment.
fn fragment(text: &str) -> Result<Node, EditError> {
    let parsed = parse(SourceId::new(0), text);
    if let Some(error) = parsed.errors.first() {
        return Err(EditError::Value(error.message.clone()));
    }
    match <[Document; 1]>::try_from(parsed.documents) {
        Ok([Document { root: Some(root), comments, .. }]) if comments.is_empty() => Ok(root),
        Ok(_) => Err(EditError::Value("it is empty or has a comment".to_owned())),
        Err(documents) => Err(EditError::Value(format!("it has {} documents instead of one", documents.len()))),
    }
}

/// The written value with this span; copies of anchored values are somewhere else.
fn find(node: &mut Node, span: Span) -> Option<&mut Node> {
    if node.span == span {
        return Some(node);
    }
    if node.aliased {
        return None;
    }
    match &mut node.kind {
        NodeKind::Sequence(items) => items.iter_mut().find_map(|item| find(item, span)),
        NodeKind::Mapping(entries) => entries.iter_mut().find_map(|entry| find(&mut entry.value, span)),
        _ => None,
    }
}

/// Makes the change, and proves that it did what was expected: the values are those of `expected`, and the comments are those of before except
/// for the ones inside the replaced value.
fn finish(
    text: &str,
    source: SourceId,
    splice: &Splice,
    before: &Parsed,
    expected: &[Document],
    replaced: Range<usize>,
    what: &str,
) -> Result<String, EditError> {
    let refused = || EditError::Refused(what.to_owned());
    let (head, tail) = text.get(..splice.range.start).zip(text.get(splice.range.end..)).ok_or(EditError::Missing)?;
    let edited = format!("{head}{}{tail}", splice.replacement);
    let after = sound(source, &edited).map_err(|_| refused())?;
    let values = after.documents.len() == expected.len()
        && after.documents.iter().zip(expected).all(|(after, expected)| match (&after.root, &expected.root) {
            (Some(after), Some(expected)) => after.same_value(expected),
            (after, expected) => after.is_none() && expected.is_none(),
        });
    let inside = |span: Span| replaced.start <= span.range().start && span.range().end <= replaced.end;
    let kept = before
        .documents
        .iter()
        .flat_map(|document| &document.comments)
        .filter(|comment| !inside(comment.span))
        .map(|comment| &comment.text);
    let found = after.documents.iter().flat_map(|document| &document.comments).map(|comment| &comment.text);
    if values && kept.eq(found) { Ok(edited) } else { Err(refused()) }
}
