//! Any value can be put in the place of any document, however that is written, and nothing else changes.

use proptest::prelude::*;
use serde_json::Map;
use serde_json::Value;

use super::*;

/// Documents as people write them, and as they should not.
const LAYOUTS: [&str; 16] = [
    "# top\n\n# id\nid: a # one\nname: A\nrules: # all\n  # first\n  - a # A\n\n  - b\n  # end\nenabled: true   # for now\n# foot\n",
    "{\n  \"id\": \"a\",\n  \"rules\": [\n    \"a\",\n    \"b\"\n  ],\n  \"metadata\": {\"owner\": [1, null]}\n}\n",
    "{id: a, name: 'A', rules: [a,b , 'c', ], metadata: {k: v}, } # c\n",
    "id: a\ndescription: |  # beside\n  one\n   two\n\nname: >-\n  one\n  two\nrules:\n- |\n  a\n- 'b'\n-\n  c\n",
    "id: &i a\nname: *i\nrules: &r\n  - *i # I\n  - &x b\nmetadata:\n  r: *r\n  x: [*x, *x]\n",
    "'id' : a\n\"name\" : \"A\"\n? rules\n: - a\n  - b\n? enabled\n",
    "id: a\nmetadata:\n  - - a\n    - b\n  - k: v # K\n    l:\n      - 1\n  -\n    m: {n: o}\nrules: []\n",
    "  id: a\n  name: one\n    two # c\n  rules:\n    - a\n    -   b\n",
    "id:\nname: ~\nrules:\n  -\n  - # c\n  - x\nenabled:\n",
    "id: a\t# tab\nname: b\t\nrules:\t[a]\t# c\n",
    "id: é\nname: '漢 ''字'' # no'\nrules: [\"\\u00e9\", '# no', ü]\n",
    "id: a\nrules: [\n  a, # A\n  b # B\n  # end\n]\nname: [ ]\nmetadata: {\n  a: 1,\n\n  b: 2\n}\n",
    "id: a\nname: |+\n  kept\n\n\nrules:\n  - >+\n   folded\n\n",
    "id: a\ndescription: \"one\\\n  two\n  three\" # c\nname: 'one\n\n  two'\n",
    "id: !!str a\nname: &n !!str b\nrules: !!seq\n  - &m c\nmetadata: &o {p: *m}\n",
    "{}\n",
];

const KEYS: [&str; 7] = ["id", "name", "description", "rules", "enabled", "metadata", "new key"];

fn text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "yes",
        "012",
        "a: b",
        "a #b",
        "*a",
        "&a",
        "!a",
        "a",
        "",
        " ",
        "- a",
        "[a",
        "it's",
        "\"",
        "\\",
        "é",
        "漢 字",
        "\u{202e}",
        "\u{85}",
        "\u{feff}",
        "2026-03-01",
        "one two three",
        "null",
        "a, b",
        "}",
        "|",
        ">",
        "%",
        "---",
        "...",
        "\t",
        "\r",
        "\n",
        "\u{2028}",
        "\u{1}",
        "\u{10ffff}",
        "\n\n",
        "# c",
    ]);
    prop::collection::vec(word, 0..4).prop_map(|words| words.concat())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => (-9i64..9).prop_map(Value::from),
        1 => Just(Value::from(1e300)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..3).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// What happens to a value: a part of it goes, comes, or becomes another one.
fn changed(value: &Value, how: &[u8], new: &Value) -> Value {
    let Some((&first, rest)) = how.split_first() else { return new.clone() };
    match value {
        Value::Array(items) if first % 4 != 0 => {
            let mut items = items.clone();
            let at = usize::from(first) % (items.len() + 1);
            match items.get(at).cloned() {
                Some(_) if first % 4 == 1 => drop(items.remove(at)),
                Some(item) if first % 4 == 2 => items[at] = changed(&item, rest, new),
                _ => items.insert(at, new.clone()),
            }
            items.into()
        }
        Value::Object(fields) if first % 4 != 0 && !fields.is_empty() => {
            let mut fields = fields.clone();
            let key = fields.keys().nth(usize::from(first) % fields.len()).cloned().unwrap_or_default();
            match first % 4 {
                1 => drop(fields.remove(&key)),
                2 => fields[&key] = changed(&fields[&key], rest, new),
                _ => drop(fields.insert(format!("{key}2"), new.clone())),
            }
            fields.into()
        }
        _ => new.clone(),
    }
}

type Change = (&'static str, Option<(Vec<u8>, Value)>);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop::option::weighted(0.8, (prop::collection::vec(any::<u8>(), 0..4), value()));
    prop::collection::vec((prop::sample::select(KEYS.to_vec()), change), 0..4)
}

fn wanted(root: &Node, changes: &[Change]) -> Map<String, Value> {
    let Value::Object(mut fields) = root.to_json() else { return Map::new() };
    for (key, change) in changes {
        match (change, fields.get(*key)) {
            (None, _) => drop(fields.remove(*key)),
            (Some((how, new)), Some(old)) => drop(fields.insert((*key).to_owned(), changed(old, how, new))),
            (Some((_, new)), None) => drop(fields.insert((*key).to_owned(), new.clone())),
        }
    }
    fields
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_change_of_any_layout_says_what_is_wanted(
        layouts in prop::collection::vec(prop::sample::select(LAYOUTS.to_vec()), 1..4),
        which in any::<prop::sample::Index>(),
        changes in changes(),
        windows in any::<bool>(),
        open in any::<bool>(),
    ) {
        let mut text = layouts.join("---\n");
        if open {
            text = text.trim_end_matches('\n').to_owned();
        }
        if windows {
            text = text.replace('\n', "\r\n");
        }
        let before = parse(SourceId::new(0), &text);
        prop_assert!(before.errors.is_empty(), "{text:?}: {:?}", before.errors);
        let index = which.index(before.documents.len());
        let document = &before.documents[index];
        let root = document.root.as_ref().expect("a root");
        let fields = wanted(root, &changes);
        let amended = set_document(&text, root, &fields, &KEYS);
        prop_assert!(amended.is_ok(), "{text:?} to {fields:?}: {amended:?}");
        let amended = amended.expect("checked");

        let after = parse(SourceId::new(0), &amended);
        prop_assert!(after.errors.is_empty(), "{text:?} became {amended:?}: {:?}", after.errors);
        let said: Vec<Option<Value>> = after.documents.iter().map(|document| document.root.as_ref().map(Node::to_json)).collect();
        let mut expected: Vec<Option<Value>> = before.documents.iter().map(|document| document.root.as_ref().map(Node::to_json)).collect();
        expected[index] = Some(Value::Object(fields));
        prop_assert_eq!(said, expected, "{:?} became {:?}", text, amended);

        // Every byte outside of the document is as it was.
        let head = &text[..document.span.range().start];
        let next = before.documents.get(index + 1).map_or(text.len(), |next| next.span.range().start);
        prop_assert!(amended.starts_with(head), "{text:?} became {amended:?}");
        prop_assert!(amended.ends_with(&text[next..]), "{text:?} became {amended:?}");
        // And nobody's words are lost but those beside what is gone.
        let other = |parsed: &Parsed| -> Vec<Vec<String>> {
            let others = parsed.documents.iter().enumerate().filter(|(at, _)| *at != index);
            others.map(|(_, document)| document.comments.iter().map(|comment| comment.text.trim_end().to_owned()).collect()).collect()
        };
        prop_assert_eq!(other(&before), other(&after));
    }

    #[test]
    fn any_document_of_several_can_be_taken_out(
        layouts in prop::collection::vec(prop::sample::select(LAYOUTS.to_vec()), 2..5),
        which in any::<prop::sample::Index>(),
        dashed in any::<bool>(),
        windows in any::<bool>(),
    ) {
        let text = format!("{}{}", if dashed { "---\n" } else { "" }, layouts.join("---\n"));
        let text = if windows { text.replace('\n', "\r\n") } else { text };
        let documents = |text: &str| parse(SourceId::new(0), text).documents;
        let before = documents(&text);
        let index = which.index(before.len());
        let cut = crate::syntax::remove_document(&text, before[index].root.as_ref().expect("a root"));
        let Ok(Some(cut)) = cut else { panic!("{text:?} without {index}: {cut:?}") };
        let shown = |document: &Document| {
            let comments: Vec<String> = document.comments.iter().map(|comment| comment.text.clone()).collect();
            (document.root.as_ref().map(Node::to_json), comments)
        };
        let mut expected: Vec<_> = before.iter().map(shown).collect();
        let (_, gone) = expected.remove(index);
        let mut left: Vec<_> = documents(&cut).iter().map(shown).collect();
        // What stood on top of the file is now on top of what was the second document.
        if index == 0 {
            let more = left[0].1.len() - expected[0].1.len();
            prop_assert!(gone.starts_with(&left[0].1[..more]), "{text:?} became {cut:?}");
            left[0].1.drain(..more);
        }
        prop_assert_eq!(left, expected, "{:?} became {:?}", text, cut);
    }
}
