//! Texts before and after, as people wrote them and as they would expect them.

use serde_json::Value;
use serde_json::json;

use super::*;

const ORDER: [&str; 6] = ["id", "name", "description", "rules", "enabled", "created_at"];

fn roots(text: &str) -> Vec<Node> {
    let parsed = parse(SourceId::new(0), text);
    assert!(parsed.errors.is_empty(), "{text:?}: {:?}", parsed.errors);
    parsed.documents.into_iter().filter_map(|document| document.root).collect()
}

/// Changes fields of the first document with an `x`, or of the last one; `null` takes a field away.
fn amend(text: &str, change: &Value) -> Result<String, EditError> {
    let roots = roots(text);
    let root = roots.iter().find(|root| root.get("x").is_some()).or(roots.last()).expect("a document");
    let Value::Object(mut fields) = root.to_json() else { panic!("{text:?} is no mapping") };
    for (key, value) in change.as_object().expect("fields") {
        match value {
            Value::Null => drop(fields.remove(key)),
            value => drop(fields.insert(key.clone(), value.clone())),
        }
    }
    set_document(text, root, &fields, &ORDER)
}

#[track_caller]
fn check(text: &str, change: Value, expected: &str) {
    assert_eq!(amend(text, &change).as_deref(), Ok(expected), "{text:?} with {change}");
    let windows = |text: &str| text.replace('\n', "\r\n");
    assert_eq!(amend(&windows(text), &change), Ok(windows(expected)), "{text:?} with {change}, with the line ends of Windows");
}

#[test]
fn what_says_the_same_is_not_touched() {
    for text in ["{x: 1,  y : 'b'}", "x: 0x01 # one\n\n\n", "x: &a [1,2]\ny: *a\n", "x:\n- 'a'\n-   \"b\"\n", "\u{feff}x: 1"] {
        check(text, json!({}), text);
    }
}

#[test]
fn comments_stay_at_every_place() {
    check(
        "# top\n\n# id\nx: 1 # one\n# rules\nrules: # all\n  # first\n  - a # A\n  # second\n  - b # B\n  # end\n\n# last\ny: 2 # two\n# foot\n",
        json!({"y": 3, "rules": ["a", "c", "d"]}),
        "# top\n\n# id\nx: 1 # one\n# rules\nrules: # all\n  # first\n  - a # A\n  # second\n  - c # B\n  - d\n  # end\n\n# last\ny: 3 # two\n# foot\n",
    );
    check("x: 1\n# gone\ny: 2 # too\n# next\nz: 3\n", json!({"y": null}), "x: 1\n# gone\n# next\nz: 3\n");
    check("rules:\n  - a\n  # b\n  - b # B\n  - c\n", json!({"rules": ["a", "c"]}), "rules:\n  - a\n  # b\n  - c\n");
    check("rules:\n  # a\n  - a\n", json!({"rules": ["z", "a"]}), "rules:\n  # a\n  - z\n  - a\n");
    check("rules: # none\n  - a\n  - b\n", json!({"rules": []}), "rules: [] # none\n");
    check("x: 1\t# tab\ny: 2\t\n", json!({"x": 2, "y": 3}), "x: 2\t# tab\ny: 3\t\n");
    check("x: 1\t\n", json!({"enabled": true}), "x: 1\t\nenabled: true\n");
}

#[test]
fn items_are_told_apart() {
    let text = "rules:\n- a\n- b\n- c\n- d\n";
    check(text, json!({"rules": ["a", "c", "d"]}), "rules:\n- a\n- c\n- d\n");
    check(text, json!({"rules": ["b", "c", "x", "d"]}), "rules:\n- b\n- c\n- x\n- d\n");
    check(text, json!({"rules": ["m", "a", "b", "c", "d", "e"]}), "rules:\n- m\n- a\n- b\n- c\n- d\n- e\n");
    check(text, json!({"rules": ["d"]}), "rules:\n- d\n");
    check(text, json!({"rules": ["z"]}), "rules:\n- z\n");
    check("rules:\n  -\n    a\n  - 'b'\n", json!({"rules": ["a", "c", "d"]}), "rules:\n  -\n    a\n  - 'c'\n  - 'd'\n");
    check("rules: []\n", json!({"rules": ["a", "b"]}), "rules:\n  - a\n  - b\n");
    check("rules:\n", json!({"rules": ["a"]}), "rules:\n  - a\n");
}

#[test]
fn brackets_stay_brackets() {
    check("x: [a, b, c] # l\n", json!({"x": ["a", "c"]}), "x: [a, c] # l\n");
    check("x: [a, b, c]\n", json!({"x": ["c"]}), "x: [c]\n");
    check("x: [a,b]\n", json!({"x": ["m", "a", "b", "m, m"]}), "x: [m, a,b, \"m, m\"]\n");
    check("x: [\n  a, # A\n  b # B\n]\n", json!({"x": ["a", "b", "c"]}), "x: [\n  a, # A\n  b, # B\n  c\n]\n");
    check("x: [\n  a, # A\n  b, # B\n]\n", json!({"x": ["a", "m", "b", "c"]}), "x: [\n  a, # A\n  m,\n  b, # B\n  c,\n]\n");
    check("x: [ a, b, ]\n", json!({"x": ["a"]}), "x: [ a, ]\n");
    check(
        "{x: 1, y: {a: 1, b: 2}, z: 3}\n",
        json!({"x": null, "y": {"a": 1, "c": "d"}, "name": "m"}),
        "{y: {a: 1, c: d}, z: 3, name: m}\n",
    );
    check(
        "{\n  \"x\": \"a\",\n  \"rules\": [\n    \"r\"\n  ]\n}\n",
        json!({"x": "b\n", "rules": ["r", "yes"], "enabled": false}),
        "{\n  \"x\": \"b\\n\",\n  \"rules\": [\n    \"r\",\n    \"yes\"\n  ],\n  \"enabled\": false\n}\n",
    );
    check("{\"x\":[],\"y\":1}", json!({"x": ["é\u{7f}"], "y": null}), "{\"x\":[\"é\\u007f\"]}");
}

#[test]
fn a_text_keeps_its_quotes_if_it_can() {
    check("x: 'a'\n", json!({"x": "it's"}), "x: 'it''s'\n");
    check("x: \"a\" # c\n", json!({"x": "\\ \"q\"\t"}), "x: \"\\\\ \\\"q\\\"\\t\" # c\n");
    check("x: 'a'\n", json!({"x": "b\u{7}"}), "x: \"b\\u0007\"\n");
    check("'x' : a\n", json!({"x": "漢 é"}), "'x' : 漢 é\n");
    check("x: one\n  two # c\ny: 1\n", json!({"x": "three"}), "x: three # c\ny: 1\n");
    for plain in ["b c", "30-day retention", "a: b".trim_end_matches(": b"), "a#b", "it's", "[x".trim_start_matches('[')] {
        check("x: a\n", json!({"x": plain}), &format!("x: {plain}\n"));
    }
    for quoted in [
        "yes",
        "No",
        "on",
        "012",
        "0x1f",
        "1_000",
        "2026-03-01",
        "12:30:45",
        "1",
        "true",
        "null",
        "~",
        "",
        " a",
        "a ",
        "a: b",
        "a #b",
        "#a",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a`",
        "- a",
        "-",
        "? a",
        "[a",
        "{a",
        "|",
        ">",
        "'a",
        "<<",
        "=",
        "a:",
        "...",
        "1e3",
        ".5",
        "+1",
    ] {
        check("x: a # c\n", json!({"x": quoted}), &format!("x: \"{quoted}\" # c\n"));
    }
    check("x: a\n", json!({"x": "\"a\" \\ b"}), "x: '\"a\" \\ b'\n");
    check("x: a\n", json!({"x": "---"}), "x: \"---\"\n");
    check("x: a\n", json!({"x": "{me.x} in ('a', \"b\")"}), "x: '{me.x} in (''a'', \"b\")'\n");
}

#[test]
fn block_scalars_stay_block_scalars() {
    check("x: | # c\n  a\n  b\n\ny: 1\n", json!({"x": "a\nc\n"}), "x: | # c\n  a\n  c\n\ny: 1\n");
    check("x: |\n  a\ny: 1\n", json!({"x": "b"}), "x: |-\n  b\ny: 1\n");
    check("x: |\n  a\ny: 1\n", json!({"x": "a\n  b\n"}), "x: |\n  a\n    b\ny: 1\n");
    check("x: |+\n  a\n\ny: 1\n", json!({"y": null, "name": "m"}), "x: |+\n  a\n\nname: m\n");
    check("x: |\n  a\n", json!({"x": " a\n\n"}), "x: \" a\\n\\n\"\n");
    check("x: >-\n  one two\n  three\ny: 1\n", json!({"x": "one two three four"}), "x: >-\n  one two\n  three\n  four\ny: 1\n");
    check("x: >\n  a\n", json!({"x": "a\n\nb\nc\n"}), "x: >\n  a\n\n\n  b\n\n  c\n");
    check("x: a # c\n", json!({"x": "a\nb\n"}), "x: | # c\n  a\n  b\n");
    check("rules:\n  - a # A\n", json!({"rules": ["a", "b\nc"]}), "rules:\n  - a # A\n  - |-\n    b\n    c\n");
    check("rules:\n  - >-\n    a\n    b\n  - c\n", json!({"rules": ["c"]}), "rules:\n  - c\n");
}

#[test]
fn fields_are_added_in_order_and_taken_away_by_line() {
    check(
        "x: 1\n",
        json!({"enabled": true, "rules": ["a", "b"], "name": "M", "z": {"k": [1, {"l": null}]}}),
        "x: 1\nname: M\nrules:\n  - a\n  - b\nenabled: true\nz:\n  k:\n    - 1\n    - l: null\n",
    );
    check("  x: 1\n  y: 2\n", json!({"x": 2, "y": null, "id": "i"}), "  x: 2\n  id: i\n");
    check("x: 1\ny:\n  - a\n\n  - b # B\n\nz: 1\n", json!({"y": null}), "x: 1\n\nz: 1\n");
    check("\u{feff}a: 1\nx: 2\n", json!({"a": null}), "\u{feff}x: 2\n");
    check("x: {a: 1}\n", json!({"x": {}}), "x: {}\n");
    check("x:\n  a: 1\n  b:\n    c: 2\n", json!({"x": {"a": 1, "b": {"c": 3, "d": []}}}), "x:\n  a: 1\n  b:\n    c: 3\n    d: []\n");
    check("x:\n  - a: 1\n    b: 2\n  - c\n", json!({"x": [{"a": 1, "b": 3}, "c"]}), "x:\n  - a: 1\n    b: 3\n  - c\n");
    check("x: 1\n", json!({"y": {"a b": "c"}}), "x: 1\ny:\n  \"a b\": c\n");
}

#[test]
fn a_last_line_without_an_end_stays_so() {
    check("x: 1\ny: 2", json!({"y": 3}), "x: 1\ny: 3");
    check("x: 1\ny: 2", json!({"y": null}), "x: 1");
    check("y: 0\nx: 1", json!({"name": "m"}), "y: 0\nx: 1\nname: m");
    check("x: 1\nrules:\n- a", json!({"rules": ["a", "b"]}), "x: 1\nrules:\n- a\n- b");
    check("{x: 1}", json!({"name": "m"}), "{x: 1, name: m}");
    check("x: |\n  a", json!({"x": "b"}), "x: |-\n  b");
}

#[test]
fn other_documents_are_not_touched() {
    check(
        "a: 1 # A\n---\n# x\nx: 1\n...\n---\n\nb: [ 1 ]\n",
        json!({"x": 2, "name": "m"}),
        "a: 1 # A\n---\n# x\nx: 2\nname: m\n...\n---\n\nb: [ 1 ]\n",
    );
    check("x: 1\ny: 2\n--- # two\nb: 1\n", json!({"y": null}), "x: 1\n--- # two\nb: 1\n");
    check("a: &e 1\n---\nx: &e 2\ny: *e\n", json!({"y": 3}), "a: &e 1\n---\nx: &e 2\ny: 3\n");
}

#[test]
fn what_is_shared_changes_in_one_place_only() {
    check("x: &e true # c\n", json!({"x": false}), "x: &e false # c\n");
    check("x: &e true\ny: *e # c\n", json!({"y": false}), "x: &e true\ny: false # c\n");
    check("x: &e true\ny: *e # c\n", json!({"x": false}), "x: &e false\ny: true # c\n");
    check("x: &e\n  - a\n  - b\ny: *e\nz: [*e]\n", json!({"x": ["a"]}), "x: &e\n  - a\ny:\n  - a\n  - b\nz: [[a, b]]\n");
    check("x: &e [a, b] # c\ny: *e\n", json!({"y": ["a", "b", "c"]}), "x: &e [a, b] # c\ny:\n  - a\n  - b\n  - c\n");
    check("x: &e a # c\ny: *e\n", json!({"x": null}), "y: a\n");
    check("x: [&e a, b]\ny: *e # c\n", json!({"x": ["b"]}), "x: [b]\ny: a # c\n");
    check("x:\n  - &e a\n  - *e\n", json!({"x": ["b", "a"]}), "x:\n  - &e b\n  - a\n");
}

/// No finer cut can take the key of `? key` away.
#[test]
fn what_cannot_be_cut_is_written_anew_around_its_comments() {
    check(
        "# top\n---\n# x\nx: 1 # one\n? y # key\n: 2\n# z\nz: [a, # A\n  b]\n# foot\n",
        json!({"y": null, "id": "i"}),
        "# top\n---\n# x\nid: i\n# one\nx: 1\n# z\n# A\nz:\n  - a\n  - b\n# key\n# foot\n",
    );
    check("--- # a\n{x: 1, ? y : 2}\n", json!({"y": null}), "--- # a\n{x: 1}\n");
}

#[test]
fn what_is_no_text_of_ours_is_refused() {
    let root = roots("\n\nx: 1").remove(0);
    assert_eq!(set_document("x: 1", &root, &Map::new(), &[]), Err(EditError::Missing));
    assert!(matches!(set_document("x: [", &root, &Map::new(), &[]), Err(EditError::Broken(_))));
    let root = roots("[x]").remove(0);
    assert_eq!(set_document("[x]", &root, &Map::new(), &[]), Err(EditError::NotAMapping));
}
