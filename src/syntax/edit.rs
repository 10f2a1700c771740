//! Changes of one value in an existing file that leave every other byte as it is.
//!
//! [`super::splice`] decides which bytes to replace. It need not be right about every corner of YAML, because the result is parsed and
//! compared here with what the change was meant to make: a change that would do anything else is refused.

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
    let splice = Splice { range: span.range(), replacement: format!("{space}{}", scalar.trim()), old: span.range() };
    finish(text, span.source, &splice, &before, &expected, "this value")
}

/// The text with the value of a top-level key of one document replaced, or the key added after the last one if it is absent.
///
/// `document` is the root of the document as it was parsed from this very text. `value` is YAML: JSON on one line fits everywhere;
/// several lines, of a block list for example, fit into a document that is a block mapping, and are indented as needed. An anchor on
/// the old value stays if no alias uses it; an old value that is an alias is written out. Comments inside the old value go with it;
/// everything else stays.
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
    match entries.iter_mut().find(|entry| entry.key == key) {
        Some(entry) => entry.value = new,
        None => entries.push(Entry { key: key.to_owned(), key_span: root.span, value: new }),
    }
    finish(text, source, &splice, &before, &expected, &format!("`{}`", super::error::excerpt(key)))
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

/// Makes the change, and proves that it did what was expected: the values are those of `expected`, and the comments are those of before
/// except for the ones inside the old value.
fn finish(text: &str, source: SourceId, splice: &Splice, before: &Parsed, expected: &[Document], what: &str) -> Result<String, EditError> {
    let refused = || EditError::Refused(what.to_owned());
    let (head, tail) = text.get(..splice.range.start).zip(text.get(splice.range.end..)).ok_or(EditError::Missing)?;
    let edited = format!("{head}{}{tail}", splice.replacement);
    let after = sound(source, &edited).map_err(|_| refused())?;
    let values = after.documents.len() == expected.len()
        && after.documents.iter().zip(expected).all(|(after, expected)| match (&after.root, &expected.root) {
            (Some(after), Some(expected)) => after.same_value(expected),
            (after, expected) => after.is_none() && expected.is_none(),
        });
    let inside = |span: Span| splice.old.start <= span.range().start && span.range().end <= splice.old.end;
    let kept = before
        .documents
        .iter()
        .flat_map(|document| &document.comments)
        .filter(|comment| !inside(comment.span))
        .map(|comment| &comment.text);
    let found = after.documents.iter().flat_map(|document| &document.comments).map(|comment| &comment.text);
    if values && kept.eq(found) { Ok(edited) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(text: &str) -> Vec<Node> {
        let parsed = parse(SourceId::new(0), text);
        assert!(parsed.errors.is_empty(), "{text:?}: {:?}", parsed.errors);
        parsed.documents.into_iter().filter_map(|document| document.root).collect()
    }

    /// Sets a key of the last document; `expected` is the whole file after that.
    #[track_caller]
    fn check(text: &str, key: &str, value: &str, expected: &str) {
        let root = documents(text).pop().expect("a document");
        assert_eq!(set_entry(text, &root, key, value).as_deref(), Ok(expected), "{text:?}");
    }

    /// Sets a key of the last document; the change is refused.
    #[track_caller]
    fn check_refused(text: &str, key: &str, value: &str, words: &str) {
        let root = documents(text).pop().expect("a document");
        match set_entry(text, &root, key, value) {
            Ok(edited) => panic!("{text:?} became {edited:?}"),
            Err(error) => assert!(error.to_string().contains(words), "{text:?}: {error}"),
        }
    }

    #[test]
    fn a_value_is_replaced_and_nothing_else() {
        check("a: 1\nenabled: true   # on\nb: 2\n", "enabled", "false", "a: 1\nenabled: false   # on\nb: 2\n");
        check("a: 1\r\nenabled: true\r\n", "enabled", "false", "a: 1\r\nenabled: false\r\n");
        check("enabled: true", "enabled", "false", "enabled: false");
        check("{_id: a, members: [u1], enabled: true, x: 1}", "enabled", "false", "{_id: a, members: [u1], enabled: false, x: 1}");
        check("{\n  \"id\": \"a\",\n  \"enabled\":true\n}\n", "enabled", "false", "{\n  \"id\": \"a\",\n  \"enabled\":false\n}\n");
        check("'enabled' : 'true' # é\nname: 漢\n", "enabled", "false", "'enabled' : false # é\nname: 漢\n");
        check("é: 漢\nenabled: true\n", "é", "\"x\"", "é: \"x\"\nenabled: true\n");
        check("\u{feff}enabled: true\n", "enabled", "false", "\u{feff}enabled: false\n");
        check("enabled: true\n--- # two\nenabled: true\n", "enabled", "false", "enabled: true\n--- # two\nenabled: false\n");
        check("c: |\n  x\n  y\n\nb: 1\n", "c", "z", "c: z\n\nb: 1\n");
        check("c: one\n  two # c\nb: 1\n", "c", "z", "c: z # c\nb: 1\n");
        check("? c\n: d\n", "c", "z", "? c\n: z\n");
    }

    #[test]
    fn a_value_that_is_not_written_is_written() {
        check("a:\nb: 1\n", "a", "x", "a: x\nb: 1\n");
        check("a: # c\nb: 1\n", "a", "x", "a: x # c\nb: 1\n");
        check("a: &e # c\n", "a", "x", "a: &e x # c\n");
        check("{a, b: , c:}", "a", "x", "{a: x, b: , c:}");
        check("{a, b: , c:}", "b", "x", "{a, b: x , c:}");
        check("{a, b: , c:}", "c", "x", "{a, b: , c: x}");
    }

    #[test]
    fn a_block_list_becomes_a_flow_list_on_the_line_of_its_key() {
        check("members: # who\n  - a\n  - b # bob\nx: 1\n", "members", "[\"c\"]", "members: [\"c\"] # who\nx: 1\n");
        check("members:\n- a\n- b\n\n# x\nx: 1\n", "members", "[c]", "members: [c]\n\n# x\nx: 1\n");
        check("members:\n  # inside\n  - a\n", "members", "[c]", "members: [c]\n  # inside\n");
        check("members: &m\n  - a # gone\n  - b\n", "members", "[c]", "members: &m [c]\n");
    }

    #[test]
    fn a_value_of_several_lines_is_indented() {
        check("a: [x] # c\nb: 1\n", "a", "- y\n- z\n", "a: # c\n  - y\n  - z\nb: 1\n");
        check("  a:\n    - x\n  b: 1\n", "a", "- y\n-\n  k: z", "  a:\n    - y\n    -\n      k: z\n  b: 1\n");
        check("a: 1\r\nb: 1\r\n", "a", "x: 1\ny: 2", "a:\r\n  x: 1\r\n  y: 2\r\nb: 1\r\n");
        check("a: x # c\n", "a", ">-\n  y\n\n  z", "a: >- # c\n    y\n\n    z\n");
        check("a: 1", "b", "|\n  x\n  y\n", "a: 1\nb: |\n    x\n    y");
        check("a: 1\n", "b", "- x", "a: 1\nb:\n  - x\n");
        check_refused("{a: 1}", "a", "- x", "does not fit into brackets");
    }

    #[test]
    fn an_absent_key_is_added_after_the_last() {
        check("a: 1 # c\n# end\n", "enabled", "false", "a: 1 # c\nenabled: false\n# end\n");
        check("a: 1", "enabled", "false", "a: 1\nenabled: false");
        check("a:\r\n  - b\r\n", "enabled", "false", "a:\r\n  - b\r\nenabled: false\r\n");
        check("\u{feff}  a: 1\n", "b", "2", "\u{feff}  a: 1\n  b: 2\n");
        check("\u{feff}a: 1\n", "b", "2", "\u{feff}a: 1\nb: 2\n");
        check("---\nx: 1\n---\na: 1\n...\n# c\n", "b", "2", "---\nx: 1\n---\na: 1\nb: 2\n...\n# c\n");
        check("a: |+\n  x\n\n", "b", "2", "a: |+\n  x\n\nb: 2\n");
        check("a: |\n  x\n\n\n# c\n", "b", "2", "a: |\n  x\nb: 2\n\n\n# c\n");
        check("a: |\n  x", "b", "2", "a: |\n  x\nb: 2");
        check("'a': 1\n", "two words", "2", "'a': 1\n\"two words\": 2\n");
        check("a:\n", "b", "2", "a:\nb: 2\n");
        let text = "a: 1\n---\nb: 1\n";
        assert_eq!(set_entry(text, &documents(text)[0], "c", "2").as_deref(), Ok("a: 1\nc: 2\n---\nb: 1\n"));
    }

    #[test]
    fn an_absent_key_is_added_inside_brackets() {
        check("{a: 1}\n", "b", "2", "{a: 1, b: 2}\n");
        check("{}", "b", "2", "{\"b\": 2}");
        check("{\"a\":1}", "b", "[2]", "{\"a\":1, \"b\": [2]}");
        check("{\n  \"a\": 1\n}\n", "b", "2", "{\n  \"a\": 1,\n  \"b\": 2\n}\n");
        check("{\r\n\t\"a\": {\r\n\t}\r\n}\r\n", "b", "2", "{\r\n\t\"a\": {\r\n\t},\r\n\t\"b\": 2\r\n}\r\n");
        check("{\n  a: 1, # c\n}", "b", "2", "{\n  a: 1, # c\n  b: 2,\n}");
        check("{\n  a: 1 # c\n}", "b", "2", "{\n  a: 1, # c\n  b: 2\n}");
        check("{a, }", "b", "2", "{a, b: 2, }");
    }

    #[test]
    fn an_anchor_stays_and_an_alias_is_written_out() {
        check("enabled: &e true # c\n", "enabled", "false", "enabled: &e false # c\n");
        check("a: &e true\nenabled: *e\nb: *e\n", "enabled", "false", "a: &e true\nenabled: false\nb: *e\n");
        check("a: &e\n  - x\nb: *e # c\n", "b", "[]", "a: &e\n  - x\nb: [] # c\n");
        check_refused("enabled: &e true\nb: *e\n", "enabled", "false", "touching more than `enabled`");
        check_refused("a: [&e x]\nb: *e\n", "a", "[]", "touching more than `a`");
        check("a: &e true\nb: *e\n", "a", "true", "a: &e true\nb: *e\n");
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        check_refused("{a: 1}", "a", "b, c", "touching more than");
        check_refused("a: 1", "a", "[", "`[` is never closed");
        check_refused("a: 1", "a", "b # c", "has a comment");
        check_refused("a: 1", "a", "", "0 documents");
        check_refused("a: 1", "a", "b\n---\nc", "2 documents");
        check_refused("a: 1", "a", "*b", "no anchor");
        check_refused("[a]", "a", "1", "not a mapping");
        let other = documents("\n\na: 1").remove(0);
        assert_eq!(set_entry("a: 1", &other, "a", "2"), Err(EditError::Missing));
        let root = documents("a: 1").remove(0);
        assert!(matches!(set_entry("a: 1\nb: [", &root, "a", "2"), Err(EditError::Broken(message)) if message.contains("never closed")));
    }

    #[test]
    fn a_scalar_anywhere_is_replaced() {
        let text = "a:\n  - {b: 'x', c: *y}\n";
        let text = format!("y: &y 1 # é\n{text}z:\n");
        let root = documents(&text).remove(0);
        let span = |path: &[&str]| root.at_pointer(path).expect("a node").span;
        assert_eq!(set_scalar(&text, span(&["a", "0", "b"]), "\"é\""), Ok(text.replace("'x'", "\"é\"")));
        assert_eq!(set_scalar(&text, span(&["a", "0", "c"]), "2"), Ok(text.replace("*y", "2")));
        assert_eq!(set_scalar(&text, span(&["z"]), "2"), Ok(text.replace("z:", "z: 2")));
        assert!(matches!(set_scalar(&text, span(&["y"]), "2"), Err(EditError::Refused(_))));
        assert!(matches!(set_scalar(&text, span(&["a", "0", "b"]), "[1]"), Err(EditError::Value(_))));
        assert!(matches!(set_scalar(&text, span(&["a", "0", "b"]), "x, y"), Err(EditError::Refused(_))));
        assert_eq!(set_scalar(&text, Span::new(SourceId::new(0), 1..2), "2"), Err(EditError::Missing));
    }
}
