//! What texts become: where values stand, what is refused, and whose comments are whose.

use crate::source::SourceId;
use crate::syntax::ErrorKind;
use crate::syntax::Node;
use crate::syntax::NodeKind;
use crate::syntax::parse;

/// A tree as one line: each value with its place, `!` before what an alias repeats.
fn show(text: &str, node: &Node, out: &mut String) {
    let alias = if node.aliased { "!" } else { "" };
    let place = node.span.range();
    match &node.kind {
        NodeKind::Sequence(items) => {
            out.push_str(&format!("{alias}{}..{}[", place.start, place.end));
            for item in items {
                show(text, item, out);
            }
            out.push(']');
        }
        NodeKind::Mapping(entries) => {
            out.push_str(&format!("{alias}{}..{}{{", place.start, place.end));
            for entry in entries {
                out.push_str(&format!("{}=", &text[entry.key_span.range()]));
                show(text, &entry.value, out);
            }
            out.push('}');
        }
        _ if place.is_empty() => out.push_str(&format!("{alias}@{} ", place.start)),
        _ => out.push_str(&format!("{alias}{} ", text[place].replace('\n', "\\n"))),
    }
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let parsed = parse(SourceId::new(0), text);
    assert!(parsed.errors.is_empty(), "{text:?}: {:?}", parsed.errors);
    let mut shown = String::new();
    parsed.documents[0].root.iter().for_each(|root| show(text, root, &mut shown));
    assert_eq!(shown, expected, "{text:?}");
}

/// Each error is written as the text it points at, its kind, and words of its message.
#[track_caller]
fn check_errors(text: &str, expected: &[(&str, ErrorKind, &str)]) {
    let parsed = parse(SourceId::new(0), text);
    let got: Vec<_> = parsed.errors.iter().map(|error| (&text[error.span.range()], error.kind, error.message.as_str())).collect();
    assert_eq!(got.len(), expected.len(), "{text:?}: {got:?}");
    for ((place, kind, message), (wanted_place, wanted_kind, words)) in got.into_iter().zip(expected) {
        assert_eq!((place, kind), (*wanted_place, *wanted_kind), "{text:?}: {message}");
        assert!(message.contains(words), "{text:?}: {message}");
    }
    assert!(parsed.documents.is_empty(), "{text:?}");
}

#[test]
fn spans_are_what_a_splice_has_to_replace() {
    check("a: 1\nb: 'x'\nc: \"y\"\n", r#"0..18{a=1 b='x' c="y" }"#);
    check("é: 漢\r\nb: x", "0..13{é=漢 b=x }");
    check("\u{feff}a: x\n", "3..7{a=x }");
    check("a:\n  - x\n  - y\n# c\nb: 1\n", "0..23{a=5..14[x y ]b=1 }");
    check("a: # c\n- x\n- - y\n", "0..16{a=7..16[x 13..16[y ]]}");
    check("a: {b: [x, y], 'c': }\n", "0..21{a=3..21{b=7..13[x y ]'c'=@19 }}");
    check("[a: b, c]", "0..9[1..5{a=b }c ]");
    check("? a\n: b\n", "0..7{a=b }");
    check("x\n", "x ");
}

#[test]
fn a_block_scalar_starts_with_its_header() {
    check("a: |\n  x\n  y\n\nb: >- # c\n  z\n", r"0..27{a=|\n  x\n  y b=>- # c\n  z }");
    check("a: &x |\n  t  \n", r"0..13{a=|\n  t   }");
    check("a: |\nb: |+\n\nc: >2\n     x\n", r"0..24{a=| b=|+ c=>2\n     x }");
    check("- |\n x\n-\n  # c\n  >\n x", r"0..21[|\n x >\n x ]");
    check("--- |\n x\n", r"|\n x ");
    check("# c\n| # d\n x\n", r"| # d\n x ");
    check("\u{feff}>\n x\n", r">\n x ");
    check("? |\n  a\n: b\n", "0..11{|\n  a=b }");
}

#[test]
fn a_value_that_is_not_written_has_an_empty_place_beside_its_key_or_dash() {
    check("a:\nb: # c\n", "0..5{a=@2 b=@5 }");
    check("a:   \n  b:\n", "0..10{a=8..10{b=@10 }}");
    check("- \n-\n- # c\n- x\n", "0..14[@1 @4 @6 x ]");
    check("{a, b: , c:, d: }", "0..17{a=@2 b=@6 c=@11 d=@15 }");
    check("? a\n? b\n", "0..7{a=@3 b=@7 }");
    check("a: &x\n", "0..5{a=@5 }");
    check("a:\n- \n- - \n", "0..9{a=3..9[@4 8..9[@9 ]]}");
}

#[test]
fn an_alias_is_a_copy_in_its_place() {
    check("a: &e true\nb: *e\n", "0..16{a=true b=!*e }");
    check("a: &m {x: 1}\nb: [*m]\n", "0..20{a=6..12{x=1 }b=16..20[!17..19{x=!1 }]}");
    check("&k a: *k\n", "0..8{a=!*k }");
    check("a: &x 1\nb: &x 2\nc: *x\n", "0..21{a=1 b=2 c=!*x }");
}

#[test]
fn merge_keys_and_odd_keys_are_ordinary_text() {
    check("<<: {a: 1}\n1: b\n0x1: c\n~: d\ntrue: e\n.inf: f\n", "0..43{<<=4..10{a=1 }1=b 0x1=c ~=d true=e .inf=f }");
}

#[test]
fn tags_that_change_nothing_are_accepted() {
    check(
        "a: !!str x\nb: !!bool true\nc: !!map {}\nd: !!seq\n- !!int 1\n- !!float 1.5\n- !!null ~\n",
        "0..81{a=x b=true c=35..37{}d=47..81[1 1.5 ~ ]}",
    );
}

#[test]
fn refused_yaml_is_told_where_it_stands() {
    use ErrorKind::*;
    check_errors("a: !t x", &[("!t", Unsupported, "`!t` is not supported")]);
    check_errors("a: !!str 1\nb: ! y", &[("!!str", Unsupported, "`!!str` would change"), ("!", Unsupported, "`!` is not")]);
    check_errors("a: !<tag:yaml.org,2002:int> x", &[("!<tag:yaml.org,2002:int>", Unsupported, "would change")]);
    check_errors("!t {a: 1}", &[("!t", Unsupported, "not supported")]);
    check_errors("? [a]\n: 1", &[("[", Unsupported, "key has to be text")]);
    check_errors("a: {{b}}", &[("{", Unsupported, "key has to be text")]);
    check_errors("? - a\n: 1", &[("-", Unsupported, "key has to be text")]);
    check_errors("{: a}", &[("", Unsupported, "without a key")]);
    check_errors(
        "a: .inf\nb: 1e999\nc: .NaN",
        &[(".inf", Unsupported, "`.inf`"), ("1e999", Unsupported, "too large"), (".NaN", Unsupported, "`.NaN`")],
    );
    check_errors("a: &x 1\n*x : 2", &[("*x", Unsupported, "alias cannot be a key")]);
}

#[test]
fn aliases_refer_to_what_came_before() {
    use ErrorKind::*;
    check_errors("a: *x\nb: &x 1", &[("*x", Alias, "no anchor `&x`")]);
    check_errors("a: &x [1, *x]", &[("*x", Alias, "inside the value it refers to")]);
    check_errors("a: &x\n  b: *x", &[("*x", Alias, "inside the value")]);
    check_errors("*x : 1", &[("*x", Alias, "no anchor")]);
    let text = "a: &x 1\n---\nb: *x\n";
    assert_eq!(parse(SourceId::new(0), text).errors.len(), 1, "anchors end with their document");
}

#[test]
fn a_duplicate_key_points_at_the_second_and_relates_the_first() {
    use ErrorKind::DuplicateKey;
    let text = "a: 1\n'b': {c: 1, \"c\": 2}\n\"a\": 3\na: 4\n";
    check_errors(text, &[("\"c\"", DuplicateKey, "`c` is given twice"), ("\"a\"", DuplicateKey, "`a`"), ("a", DuplicateKey, "`a`")]);
    let parsed = parse(SourceId::new(0), text);
    let related: Vec<_> = parsed.errors.iter().map(|error| error.related[0].0.range()).collect();
    assert_eq!(related, [11..12, 0..1, 0..1]);
    let many: String = (0..20).map(|key| format!("k{key}: 1\n")).collect();
    check_errors(&format!("{many}k3: 2\n"), &[("k3", DuplicateKey, "`k3`")]);
}

#[test]
fn documents_hold_their_comments() {
    let text = "# first\n\na: 1 # one\n# last\n---\n# head\nb: |  # beside\n  x\n...\n# after\n---\n# nothing\n---\n~\n";
    let parsed = parse(SourceId::new(0), text);
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    let comments: Vec<Vec<&str>> =
        parsed.documents.iter().map(|document| document.comments.iter().map(|comment| comment.text.as_str()).collect()).collect();
    assert_eq!(comments, [vec![" first", " one", " last"], vec![" head", " beside", " after"], vec![" nothing"], vec![]]);
    let roots: Vec<bool> = parsed.documents.iter().map(|document| document.root.is_some()).collect();
    assert_eq!(roots, [true, true, false, true]);
    let spans: Vec<&str> = parsed.documents.iter().map(|document| &text[document.span.range()]).collect();
    assert_eq!(spans[1], "---\n# head\nb: |  # beside\n  x\n");
}

#[test]
fn a_file_may_be_empty() {
    for (text, documents, comments) in
        [("", 0, 0), ("\n \n", 0, 0), ("\u{feff}", 0, 0), ("# a\n# b\n", 1, 2), ("---\n", 1, 0), ("--- # a\n...\n", 1, 1)]
    {
        let parsed = parse(SourceId::new(0), text);
        assert!(parsed.errors.is_empty(), "{text:?}: {:?}", parsed.errors);
        assert_eq!(parsed.documents.len(), documents, "{text:?}");
        assert!(parsed.documents.iter().all(|document| document.root.is_none()), "{text:?}");
        assert_eq!(parsed.documents.iter().map(|document| document.comments.len()).sum::<usize>(), comments, "{text:?}");
    }
}

#[test]
fn an_error_between_documents_does_not_take_the_one_before() {
    let parsed = parse(SourceId::new(0), "a: 1\n...\n%YAML 1.2\n---\nb: 1\n---\nc: 1\n");
    assert_eq!(parsed.errors.len(), 1);
    let keys: Vec<_> =
        parsed.documents.iter().filter_map(|document| document.root.as_ref()).map(|root| root.entries()[0].key.as_str()).collect();
    assert_eq!(keys, ["a", "c"]);
}
