//! The tree itself, and the few questions everybody asks it.
//!
//! A tree that [`super::parse`] made is at most [`super::limits::DEPTH`] deep, which is what makes the recursion here safe.

use crate::source::Span;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The bytes of the value: with the quotes of a quoted scalar, the header (`|`, `>`) of a block scalar, the brackets of a flow
    /// collection; without anchor and tag, and without what follows the last value of a block collection. A value that is not written
    /// (`key:`) has an empty span after the colon or dash. Where an alias stands, the span of the alias.
    pub span: Span,
    /// The value.
    pub kind: NodeKind,
    /// How it is written; where an alias stands, how the anchored value is written.
    pub style: Style,
    /// Whether it is the copy of an anchored value in place of an alias, or inside such a copy. Spans inside a copy are those of the
    /// anchored value.
    pub aliased: bool,
}

/// A value, by kind.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// `null`, `~`, or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(serde_json::Number),
    /// Text.
    String(String),
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping, in the order of the file; each key once.
    Mapping(Vec<Entry>),
}

/// One key of a mapping with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key: its text, whatever it looks like (`1`, `0x1` and `true` are three texts).
    pub key: String,
    /// The bytes of the key, with its quotes.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Style {
    /// A scalar without quotes; also one that is not written at all.
    Plain,
    /// A scalar in `'`.
    SingleQuoted,
    /// A scalar in `"`.
    DoubleQuoted,
    /// A block scalar after `|`.
    Literal,
    /// A block scalar after `>`.
    Folded,
    /// A collection in brackets.
    Flow,
    /// A collection by indentation.
    Block,
}

impl Node {
    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value, if this is a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            NodeKind::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, NodeKind::Null)
    }

    /// The items of a sequence; of anything else none.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            NodeKind::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The entries of a mapping in the order of the file; of anything else none.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            NodeKind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The entry with this key, if this is a mapping and has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value of this key, if this is a mapping and has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// What a JSON pointer leads to, given as its unescaped segments: keys of mappings, and decimal positions in sequences.
    /// The span of a key is found with [`Node::entry`] on what all segments but the last lead to.
    pub fn at_pointer<S: AsRef<str>>(&self, segments: impl IntoIterator<Item = S>) -> Option<&Node> {
        segments.into_iter().try_fold(self, |node, segment| match &node.kind {
            NodeKind::Sequence(items) => segment.as_ref().parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => node.get(segment.as_ref()),
        })
    }

    /// The value as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.kind {
            NodeKind::Null => serde_json::Value::Null,
            NodeKind::Bool(value) => serde_json::Value::Bool(*value),
            NodeKind::Number(number) => serde_json::Value::Number(number.clone()),
            NodeKind::String(text) => serde_json::Value::String(text.clone()),
            NodeKind::Sequence(items) => items.iter().map(Node::to_json).collect(),
            NodeKind::Mapping(entries) => entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect(),
        }
    }

    /// Whether both say the same with their keys in the same order, wherever and however they are written.
    pub fn same_value(&self, other: &Node) -> bool {
        match (&self.kind, &other.kind) {
            (NodeKind::Sequence(mine), NodeKind::Sequence(theirs)) => {
                mine.len() == theirs.len() && mine.iter().zip(theirs).all(|(mine, theirs)| mine.same_value(theirs))
            }
            (NodeKind::Mapping(mine), NodeKind::Mapping(theirs)) => {
                let same = |(mine, theirs): (&Entry, &Entry)| mine.key == theirs.key && mine.value.same_value(&theirs.value);
                mine.len() == theirs.len() && mine.iter().zip(theirs).all(same)
            }
            (mine, theirs) => mine == theirs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;
    use crate::syntax::parse;

    fn root(text: &str) -> Node {
        let parsed = parse(SourceId::new(0), text);
        assert!(parsed.errors.is_empty(), "{text:?}: {:?}", parsed.errors);
        parsed.documents.into_iter().next().and_then(|document| document.root).expect("a value")
    }

    #[test]
    fn values_are_found_by_key_and_by_pointer() {
        let text = "a:\n  - {b: [x, 'y']}\n0: zero\n";
        let node = root(text);
        assert_eq!(node.at_pointer(["a", "0", "b", "1"]).map(|node| &text[node.span.range()]), Some("'y'"));
        assert_eq!(node.at_pointer(["a", "0"]).and_then(|node| node.entry("b")).map(|entry| &text[entry.key_span.range()]), Some("b"));
        assert_eq!(node.get("0").and_then(Node::as_str), Some("zero"));
        assert_eq!(node.at_pointer::<&str>([]), Some(&node));
        for missing in [["a", "1"], ["a", "x"], ["b", "0"], ["0", "0"]] {
            assert_eq!(node.at_pointer(missing), None, "{missing:?}");
        }
    }

    #[test]
    fn the_same_value_may_be_written_differently() {
        let node = root("{a: [1, x], b: }");
        assert!(node.same_value(&root("a:\n- 1\n- 'x'\nb: null\n")));
        for other in ["b:\na: [1, x]", "a: [1, x]\nb: ''", "a: [1.0, x]\nb:", "a: [1]\nb:", "a: [1, x]"] {
            assert!(!node.same_value(&root(other)), "{other:?}");
        }
    }

    #[test]
    fn a_tree_becomes_json() {
        let json = root("a: [1, 0x10, 1.5, -2, true, ~, 'true']\nb: {c: }\n").to_json();
        assert_eq!(json, serde_json::json!({"a": [1, 16, 1.5, -2, true, null, "true"], "b": {"c": null}}));
    }
}
