//! Hostile and random files: nothing panics, hangs or points outside the text, and JSON is YAML.

use std::time::Duration;
use std::time::Instant;

use proptest::prelude::*;
use serde_json::Value;

use crate::source::MAX_FILE_BYTES;
use crate::source::SourceId;
use crate::source::Span;
use crate::syntax::ErrorKind;
use crate::syntax::Node;
use crate::syntax::NodeKind;
use crate::syntax::Parsed;
use crate::syntax::decode;
use crate::syntax::limits;
use crate::syntax::parse;
use crate::syntax::set_entry;
use crate::syntax::set_scalar;

/// Far more than any of these files takes in an unoptimised build on a busy machine, far less than anything quadratic would.
const PATIENCE: Duration = Duration::from_secs(20);

const POLICIES: [&str; 4] = [
    "# who reads what
_id: read-reports
description: 'it''s: for all'
service: report # one
actions: [read, \"run\\u0020\"]
members:
- staff
- 'a@b.c'
condition: |
  x = 1
    and y

enabled: &e true
deny: false
",
    "{
  \"id\": \"pol-mfa\",
  \"rules\": [\"a\", {\"b\": null}],
\t\"enabled\": true, \"n\": [1, 2.5e3]
}
",
    "---\r
id: a\r
require: >-\r
  {context.mfa} in\r
  ('x', 'é漢')\r
\r
  or y\r
metadata: {a: &m [1], b: *m, ? c : d}\r
...\r
# end\r
---\r
b: !!str x\r
? k\r
: - - v\r
",
    "\u{feff}a: &x
  b: *y
%TAG
<<: *x
- c
\"k\": 'multi
  line'
plain: one
  two

  three
",
];

#[track_caller]
fn quickly(name: &str, text: &str) -> Parsed {
    let start = Instant::now();
    let parsed = parse(SourceId::new(0), text);
    assert!(start.elapsed() < PATIENCE, "{name} took {:?}", start.elapsed());
    check_spans(text, &parsed);
    parsed
}

/// Hostile files end with one error of the given kind.
#[track_caller]
fn check(name: &str, text: &str, expected: ErrorKind) {
    let parsed = quickly(name, text);
    let kinds: Vec<_> = parsed.errors.iter().map(|error| error.kind).collect();
    assert_eq!(kinds, [expected], "{name}: {:?}", parsed.errors.first());
    assert!(parsed.documents.is_empty(), "{name}");
}

#[test]
fn nesting_is_bounded() {
    check("brackets", &"[".repeat(1_000_000), ErrorKind::Limit);
    check("braces", &"{a: ".repeat(100_000), ErrorKind::Limit);
    check("dashes", &"- ".repeat(100_000), ErrorKind::Limit);
    check("keys", &(0..2000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>(), ErrorKind::Limit);
    check("question marks", &"? ".repeat(100_000), ErrorKind::Unsupported);
    check("pairs", &"[a: ".repeat(100_000), ErrorKind::Limit);
    check("mixed", &format!("{}{}{}", "- ".repeat(40), "[".repeat(40), "]".repeat(40)), ErrorKind::Limit);
    for depth in [limits::DEPTH - 1, limits::DEPTH] {
        let parsed = quickly("balanced", &format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
        assert!(parsed.errors.is_empty(), "{depth}");
    }
    let deep = format!("{}{}", "[".repeat(limits::DEPTH + 1), "]".repeat(limits::DEPTH + 1));
    check("one too many", &deep, ErrorKind::Limit);
}

#[test]
fn size_is_bounded() {
    let keys: String = (0..200_000).map(|key| format!("k{key}: 1\n")).collect();
    let parsed = quickly("200 000 keys", &keys);
    assert!(parsed.errors.is_empty());
    assert_eq!(parsed.documents[0].root.as_ref().map(|root| root.entries().len()), Some(200_000));
    let last_again = format!("{keys}k0: 1\n");
    check("200 001 keys", &last_again, ErrorKind::DuplicateKey);
    check("many values", &format!("[{}]", "1,".repeat(limits::NODES)), ErrorKind::Limit);
    check("large file", &"#".repeat(MAX_FILE_BYTES + 1), ErrorKind::Encoding);
    let parsed = quickly("many documents", &"--- 1\n".repeat(limits::DOCUMENTS));
    assert_eq!((parsed.documents.len(), parsed.errors.len()), (limits::DOCUMENTS, 0));
    let parsed = quickly("too many documents", &"--- 1\n".repeat(limits::DOCUMENTS + 1));
    assert_eq!(parsed.errors.iter().map(|error| error.kind).collect::<Vec<_>>(), [ErrorKind::Limit]);
    let parsed = quickly("many broken documents", &"--- [\n".repeat(100_000));
    assert_eq!(parsed.errors.len(), limits::ERRORS);
    let parsed = quickly("many wrong keys", &format!("{{{}}}", "a: 1,".repeat(100_000)));
    assert_eq!(parsed.errors.len(), limits::ERRORS);
}

#[test]
fn long_runs_are_read_in_linear_time() {
    let comments = "# c\n".repeat(300_000);
    let parsed = quickly("comments", &format!("a:\n{comments}  b\n{comments}c:\n{comments}"));
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    assert_eq!(parsed.documents[0].comments.len(), 900_000);
    for (name, unit) in [
        ("blank lines", "\n"),
        ("spaces", " "),
        ("anchors", "&a "),
        ("tags", "!a "),
        ("markers", "---\n"),
        ("quotes", "''"),
        ("empty items", "-\n"),
        ("colons", ": "),
    ] {
        quickly(name, &unit.repeat(500_000));
        quickly(name, &format!("a: {}", unit.repeat(500_000)));
        quickly(name, &format!("a: |\n  {}", unit.repeat(500_000)));
    }
}

#[test]
fn alias_bombs_are_defused() {
    let mut bomb = "a0: &a0 lol\n".to_owned();
    for level in 1..30 {
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(", ")));
    }
    check("wide", &bomb, ErrorKind::Limit);
    let mut tower = "a0: &a0 []\n".to_owned();
    for level in 1..200 {
        tower.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    check("tall", &tower, ErrorKind::Limit);
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a,".repeat(100));
    check("long", &long, ErrorKind::Limit);
    check("many", &format!("a: &a x\nb: [{}]\n", "*a,".repeat(100_000)), ErrorKind::Limit);
    check("nested anchors", &format!("{}{}{}", "&a [".repeat(60), "1,".repeat(5_000), "]".repeat(60)), ErrorKind::Limit);
}

fn span_is_inside(text: &str, span: Span) -> bool {
    text.get(span.range()).is_some()
}

/// Every span is a piece of the text, and every written value lies inside its collection.
fn check_spans(text: &str, parsed: &Parsed) {
    for error in &parsed.errors {
        assert!(
            span_is_inside(text, error.span) && error.related.iter().all(|&(span, _)| span_is_inside(text, span)),
            "{error:?} in {text:?}"
        );
        assert!(!error.message.is_empty() && !error.message.ends_with('.'), "{error:?}");
    }
    for document in &parsed.documents {
        assert!(span_is_inside(text, document.span), "{:?} in {text:?}", document.span);
        for comment in &document.comments {
            assert_eq!(text.get(comment.span.range()), Some(format!("#{}", comment.text).as_str()), "{text:?}");
        }
        if let Some(root) = &document.root {
            check_node(text, root);
        }
    }
}

fn check_node(text: &str, node: &Node) {
    assert!(span_is_inside(text, node.span), "{:?} in {text:?}", node.span);
    let inside = |span: Span| node.aliased || (node.span.start <= span.start && span.end <= node.span.end);
    for item in node.items() {
        assert!(inside(item.span), "{:?} is not inside {:?} of {text:?}", item.span, node.span);
        check_node(text, item);
    }
    for entry in node.entries() {
        assert!(inside(entry.key_span) && inside(entry.value.span), "`{}` is not inside {:?} of {text:?}", entry.key, node.span);
        assert!(node.aliased || entry.value.aliased || entry.key_span.end <= entry.value.span.start, "`{}` of {text:?}", entry.key);
        check_node(text, &entry.value);
    }
    if let NodeKind::String(decoded) = &node.kind {
        for offset in [0, decoded.len() / 2, decoded.len(), decoded.len() + 1] {
            let found = node.locate(text, offset);
            assert!(node.span.range().start <= found && found <= node.span.range().end, "{found} of {:?} in {text:?}", node.span);
        }
        assert!(span_is_inside(text, node.locate_range(text, 0..decoded.len())), "{text:?}");
    }
}

/// Mutations of a policy file: pieces of it and of the grammar, put in place of other pieces.
fn mutated() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "\n", "\r\n", "\r", " ", "  ", "\t", ":", ": ", "- ", "-", "? ", "[", "]", "{", "}", ",", "#", " # c\n", "&a ", "*a", "!t ",
            "!!str ", "|", ">-\n", "|2+\n", "'", "\"", "\\", "\\u00e9", "---\n", "...\n", "%", "\u{feff}", "é", "漢", "~", "true", "0x1",
            ".inf", "<<: ", "\0", "\u{85}", "\u{2028}",
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ];
    let cut = (any::<prop::sample::Index>(), 0usize..12, piece);
    (prop::sample::select(POLICIES.to_vec()), prop::collection::vec(cut, 0..8)).prop_map(|(policy, cuts)| {
        cuts.into_iter().fold(policy.to_owned(), |mut text, (at, length, piece)| {
            let start = text.floor_char_boundary(at.index(text.len() + 1));
            let end = text.floor_char_boundary((start + length).min(text.len())).max(start);
            text.replace_range(start..end, &piece);
            text
        })
    })
}

fn json() -> impl Strategy<Value = Value> {
    // The parser refuses what YAML calls not printable; everything else, line separators and the like included, has to survive.
    let text = "([ -~\u{e9}\u{6f22}\u{1f600}\u{2028}\u{a0}\n\t\r\u{1}\u{1b}]|[:#,'\"\\\\/-]){0,12}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(text, inner, 0..6).prop_map(|map| map.into_iter().collect())
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(text) = decode(&bytes) {
            check_spans(text, &parse(SourceId::new(0), text));
        }
    }

    #[test]
    fn any_text_is_survived(text in "([ \n:#&*!|>'\"%@`\\[\\]{},?-]|[a-c0-2é]|\\r\n|---\n|\\PC){0,60}") {
        check_spans(&text, &parse(SourceId::new(0), &text));
    }

    #[test]
    fn mutated_policies_are_survived_and_edited_exactly_or_not_at_all(text in mutated(), key in prop::sample::select(vec!["enabled", "id", "a", "members", "new key"])) {
        let parsed = parse(SourceId::new(0), &text);
        check_spans(&text, &parsed);
        if !parsed.errors.is_empty() {
            return Ok(());
        }
        for (index, root) in parsed.documents.iter().enumerate().filter_map(|(index, document)| Some((index, document.root.as_ref()?))) {
            if let Ok(edited) = set_entry(&text, root, key, "[\"x\", 1]") {
                let after = parse(SourceId::new(0), &edited);
                prop_assert!(after.errors.is_empty());
                let value = after.documents[index].root.as_ref().and_then(|root| root.get(key)).map(Node::to_json);
                prop_assert_eq!(value, Some(serde_json::json!(["x", 1])));
            }
            if let Ok(edited) = set_scalar(&text, root.span, "false") {
                let after = parse(SourceId::new(0), &edited);
                prop_assert_eq!(after.documents[index].root.as_ref().and_then(Node::as_bool), Some(false));
            }
        }
    }

    #[test]
    fn json_reads_back_as_itself(value in json()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap_or_default()] {
            let parsed = parse(SourceId::new(0), &text);
            prop_assert!(parsed.errors.is_empty(), "{}: {:?}", text, parsed.errors);
            let root = parsed.documents.first().and_then(|document| document.root.as_ref()).map(Node::to_json);
            prop_assert_eq!(root, Some(value.clone()), "{}", text);
        }
    }
}
