//! The table of the language's semantics, row by row.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::condition::Condition;
use crate::condition::Facts;
use crate::condition::Lists;
use crate::condition::Outcome;
use crate::condition::Outcome::False;
use crate::condition::Outcome::True;
use crate::condition::Outcome::Unfit;
use crate::condition::Term;
use crate::condition::parse;

fn lists() -> Lists {
    ["tags", "more", "o.tags", "{me.roles}"].iter().map(|term| Term::parse(term).unwrap()).collect()
}

fn condition(text: &str) -> Condition {
    Condition::new(parse(text).unwrap().expr, &lists()).unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

/// Evaluates a condition on a document, for the caller `a@b`, and holds its complement to it.
#[track_caller]
fn check(text: &str, document: Value, expected: Outcome) {
    let caller = object(json!({"x": "a", "n": null, "roles": ["r", "s"], "o": {"x": 1}}));
    let (action, context) = (object(json!({"soft": true})), object(json!({"ip": "10.1.2.3", "l": [1]})));
    let shown = document.to_string();
    let document = object(document);
    let facts = Facts { me: "a@b", caller: &caller, action: &action, context: &context, document: &document };
    assert_eq!(condition(text).evaluate(&facts), expected, "{text} on {shown}");
    let complement = match expected {
        True => False,
        False => True,
        Unfit => Unfit,
    };
    assert_eq!(condition(&format!("not ({text})")).evaluate(&facts), complement, "not ({text}) on {shown}");
    assert_eq!(condition(text).negate().evaluate(&facts), complement, "negated {text} on {shown}");
}

#[test]
fn comparison_with_a_constant_needs_its_kind() {
    for (text, value, expected) in [
        ("x = 'a'", json!("a"), True),
        ("x = 'a'", json!("A"), False),
        ("x = 'é'", json!("e\u{301}"), False),
        ("x = 5", json!(5), True),
        ("x = 5", json!(5.0), True),
        ("x = 5", json!("5"), False),
        ("x = 0", json!(-0.0), True),
        ("x = 1", json!(true), False),
        ("x = true", json!(true), True),
        ("x = false", json!(0), False),
        ("x = 'null'", json!(null), False),
        ("x < 5", json!(4), True),
        ("x < 5", json!(5), False),
        ("x < 5", json!("4"), False),
        ("x < 5", json!(null), False),
        ("x <= 5", json!(5), True),
        ("x > -1e300", json!(-5), True),
        ("x >= 5", json!(4.9), False),
        ("x < 'b'", json!("a"), True),
        ("x < 'b'", json!("B"), True),
        ("x >= '2026-01-01T00:00:00Z'", json!("2026-03-01T12:00:00Z"), True),
        ("x > '\u{ffff}'", json!("\u{10000}"), True),
        ("x <= '2026'", json!(2026), False),
        ("x = 18446744073709552000", json!(u64::MAX), True),
    ] {
        check(text, json!({"x": value}), expected);
    }
}

#[test]
fn what_is_absent_satisfies_only_negations() {
    for document in [json!({}), json!({"x": null})] {
        for positive in [
            "x = 'a'",
            "x = 1",
            "x = false",
            "x < 1",
            "x > 'a'",
            "x in ('a', 1)",
            "x in cidr ('::/0')",
            "x like '%'",
            "x matches ''",
            "x",
            "exists x",
        ] {
            check(positive, document.clone(), False);
        }
        for positive in ["x = y", "y = x", "x < y", "x <= x", "x = x", "x = {me}", "x != null"] {
            check(positive, document.clone(), False);
        }
        for negative in ["x != 'a'", "x not in ('a')", "x not in cidr ('::/0')", "x not like '%'", "x not matches ''", "x != y", "x = null"]
        {
            check(negative, document.clone(), True);
        }
    }
}

#[test]
fn negated_forms_are_complements() {
    for value in [json!("a"), json!("b"), json!(1), json!(true), json!(false), json!("10.0.0.1")] {
        for (positive, negative) in [
            ("x = 'a'", "x != 'a'"),
            ("x = 1", "x != 1"),
            ("x = false", "x != false"),
            ("x = null", "x != null"),
            ("x = {me.x}", "x != {me.x}"),
            ("x in ('a', 1, true)", "x not in ('a', 1, true)"),
            ("x in cidr ('10.0.0.0/8')", "x not in cidr ('10.0.0.0/8')"),
            ("x like 'a%'", "x not like 'a%'"),
            ("x matches 'a'", "x not matches 'a'"),
        ] {
            let document = json!({"x": value});
            let held = condition(positive);
            let empty = Map::new();
            let facts = Facts { me: "", caller: &empty, action: &empty, context: &empty, document: document.as_object().unwrap() };
            let complement = if held.evaluate(&facts) == True { False } else { True };
            assert_eq!(condition(negative).evaluate(&facts), complement, "{negative} on {document}");
        }
    }
}

#[test]
fn null_existence_and_bare_terms() {
    for (value, exists, bare) in
        [(json!("a"), True, True), (json!(""), True, True), (json!(0), True, True), (json!(true), True, True), (json!(false), True, False)]
    {
        let absent = if exists == True { False } else { True };
        check("exists x", json!({"x": value}), exists);
        check("x != null", json!({"x": value}), exists);
        check("x = null", json!({"x": value}), absent);
        check("x", json!({"x": value}), bare);
        check("exists x and not (x = false)", json!({"x": value}), bare);
    }
}

#[test]
fn two_terms_are_compared_within_one_kind() {
    for (text, x, y, expected) in [
        ("x = y", json!("a"), json!("a"), True),
        ("x = y", json!("1"), json!(1), False),
        ("x = y", json!(1), json!(1.0), True),
        ("x = y", json!(true), json!(true), True),
        ("x = y", json!(true), json!(1), False),
        ("x = y", json!(null), json!(null), False),
        ("x != y", json!(null), json!(null), True),
        ("x != y", json!("a"), json!("b"), True),
        ("x != y", json!("a"), json!("a"), False),
        ("x < y", json!(1), json!(2), True),
        ("x < y", json!("1"), json!(2), False),
        ("x >= y", json!("b"), json!("a"), True),
        ("x <= y", json!("a"), json!(null), False),
        ("x <= y", json!(false), json!(true), False),
        ("x >= y", json!(true), json!(true), False),
    ] {
        check(text, json!({"x": x, "y": y}), expected);
    }
}

#[test]
fn lists_of_constants_may_mix_kinds() {
    for (value, expected) in [
        (json!("b"), True),
        (json!("c"), False),
        (json!(2), True),
        (json!("2"), False),
        (json!(true), True),
        (json!(false), False),
        (json!(-0.0), True),
    ] {
        check("x in ('b', 'a', 2, true, 'é', 0)", json!({"x": value}), expected);
    }
}

#[test]
fn patterns_and_networks_take_strings() {
    for (text, value, expected) in [
        ("x like 'a%'", json!("abc"), True),
        ("x like '1%'", json!(12), False),
        ("x like 'a\\%'", json!("a%"), True),
        ("x matches 'b+'", json!("abba"), True),
        ("x matches '^\\d{2}$'", json!("12"), True),
        ("x matches '^\\d{2}$'", json!(12), False),
        ("x in cidr ('10.0.0.0/8', 'fd00::/8')", json!("10.255.0.1"), True),
        ("x in cidr ('10.0.0.0/8', 'fd00::/8')", json!("::ffff:10.0.0.1"), True),
        ("x in cidr ('10.0.0.0/8', 'fd00::/8')", json!("fd12::"), True),
        ("x in cidr ('10.0.0.0/8', 'fd00::/8')", json!("11.0.0.0"), False),
        ("x in cidr ('10.0.0.0/8', '10.1.0.0/16', '0.0.0.0/0')", json!("200.0.0.0"), True),
        ("x in cidr ('10.0.0.0/8')", json!("10.0.0.1 "), False),
        ("x in cidr ('10.0.0.0/8')", json!("localhost"), False),
        ("x in cidr ('0.0.0.0/0')", json!(1), False),
        ("x not in cidr ('10.0.0.0/8')", json!("localhost"), True),
    ] {
        check(text, json!({"x": value}), expected);
    }
}

#[test]
fn references_read_the_request() {
    check("{me} = 'a@b'", json!({}), True);
    check("owner = '{me}'", json!({"owner": "a@b"}), True);
    check("owner = {me}", json!({"owner": "c@b"}), False);
    check("{me.x} = x", json!({"x": "a"}), True);
    check("{me.n} = null", json!({}), True);
    check("{me.o.x} = 1", json!({}), True);
    check("{me.o}", json!({}), Unfit);
    check("{me.x.y}", json!({}), Unfit);
    check("{action.soft}", json!({}), True);
    check("{action.hard}", json!({}), False);
    check("{context.ip} in cidr ('10.0.0.0/8')", json!({}), True);
    check("{context.l} = 1", json!({}), Unfit);
    check("{me.roles} = 'r'", json!({}), True);
}

#[test]
fn a_caller_without_an_id_is_absent() {
    let empty = Map::new();
    let document = object(json!({"owner": "", "readers": [""]}));
    let facts = Facts { me: "", caller: &empty, action: &empty, context: &empty, document: &document };
    for (text, expected) in
        [("owner = {me}", False), ("{me} = ''", False), ("exists {me}", False), ("{me} != 'a'", True), ("{me} = null", True)]
    {
        assert_eq!(condition(text).evaluate(&facts), expected, "{text}");
    }
}

#[test]
fn a_declared_list_holds_if_any_element_does() {
    for (text, tags, expected) in [
        ("tags = 'a'", json!(["a", "b"]), True),
        ("tags = 'c'", json!(["a", "b"]), False),
        ("tags = 'a' and tags = 'b'", json!(["a", "b"]), True),
        ("tags != 'a'", json!(["a", "b"]), False),
        ("tags != 'c'", json!(["a", "b"]), True),
        ("tags != 'c'", json!([]), True),
        ("tags = 'a'", json!("a"), True),
        ("tags = 'a'", json!([1, null, "a"]), True),
        ("tags > 1 and tags < 0", json!([-1, 2]), True),
        ("tags in ('b', 3)", json!([1, 3]), True),
        ("tags not in ('b', 3)", json!([1, 3]), False),
        ("tags like 'a%'", json!(["x", "ab"]), True),
        ("tags not like 'a%'", json!(["x", "ab"]), False),
        ("tags matches '^b'", json!(["ab", "ba"]), True),
        ("tags in cidr ('::1/128')", json!(["x", "::1"]), True),
        ("exists tags", json!([]), False),
        ("exists tags", json!([null, null]), False),
        ("exists tags", json!([null, 1]), True),
        ("exists tags", json!(null), False),
        ("tags = null", json!([]), True),
        ("tags = null", json!([null]), True),
        ("tags = null", json!([null, "a"]), False),
        ("tags != null", json!(["a"]), True),
        ("tags", json!(["a"]), True),
        ("tags", json!([true, false]), False),
        ("tags", json!([]), False),
        ("tags = x", json!(["a", "b"]), False),
        ("tags", json!([["a"]]), Unfit),
        ("tags = 'a'", json!(["a", {}]), Unfit),
        ("tags = 'a'", json!({"a": 1}), Unfit),
        ("tags.x = 'a'", json!([{"x": "a"}]), Unfit),
    ] {
        check(text, json!({"tags": tags}), expected);
    }
}

#[test]
fn a_declared_list_against_a_scalar_term_is_some_element() {
    for (text, document, expected) in [
        ("tags = {me}", json!({"tags": ["c", "a@b"]}), True),
        ("{me} = tags", json!({"tags": ["c", "a@b"]}), True),
        ("tags != {me}", json!({"tags": ["c", "a@b"]}), False),
        ("tags = {me}", json!({"tags": []}), False),
        ("x = tags", json!({"x": 1, "tags": ["1", 1]}), True),
        ("x < tags", json!({"x": 1, "tags": [0, 2]}), True),
        ("tags < x", json!({"x": 1, "tags": [3, 2]}), False),
        ("{me.roles} = x", json!({"x": "s"}), True),
        ("o.tags = x", json!({"x": "s", "o": {"tags": ["s"]}}), True),
    ] {
        check(text, document, expected);
    }
}

#[test]
fn what_does_not_fit_wins_wherever_it_is_read() {
    for (text, document, expected) in [
        ("x = 'a'", json!({"x": ["a"]}), Unfit),
        ("x != 'a'", json!({"x": ["a"]}), Unfit),
        ("exists x", json!({"x": {}}), Unfit),
        ("x = null", json!({"x": []}), Unfit),
        ("y = 1 or x = 1", json!({"x": [], "y": 1}), Unfit),
        ("y = 2 and x = 1", json!({"x": [], "y": 1}), Unfit),
        ("y = x", json!({"x": {}}), Unfit),
        ("not x", json!({"x": {}}), Unfit),
        ("x.y = 1", json!({"x": {"y": 1}}), True),
        ("x.y = 1", json!({}), False),
        ("x.y = 1", json!({"x": null}), False),
        ("x.y.z = null", json!({"x": {"y": null}}), True),
        ("x.y = 1", json!({"x": 1}), Unfit),
        ("x.y != 1", json!({"x": "a"}), Unfit),
        ("x.y = 1", json!({"x": [{"y": 1}]}), Unfit),
        ("x.y = 1", json!({"x": {"y": {}}}), Unfit),
        ("`x.y` = 1", json!({"x.y": 1, "x": 2}), True),
        ("x = 1", json!({"x": 1, "y": []}), True),
    ] {
        check(text, document, expected);
    }
}

#[test]
fn a_condition_may_read_many_terms() {
    let names: Vec<_> = (0..40).map(|number| format!("a{number:02}")).collect();
    let text = names.iter().map(|name| format!("{name} = '{name}'")).collect::<Vec<_>>().join(" and ");
    let document = |changed: Option<(&str, Value)>| {
        let mut document: Map<_, _> = names.iter().map(|name| (name.clone(), json!(name))).collect();
        document.extend(changed.map(|(name, value)| (name.to_owned(), value)));
        Value::Object(document)
    };
    check(&text, document(None), True);
    for last in ["a00", "a16", "a39"] {
        check(&text, document(Some((last, json!("other")))), False);
        check(&text, document(Some((last, json!({})))), Unfit);
    }
}

#[test]
fn list_against_list_is_refused() {
    let errors = |text: &str| Condition::new(parse(text).unwrap().expr, &lists()).map(|_| ()).unwrap_err();
    for text in ["tags = more", "tags = tags", "x = 1 or not tags != {me.roles}", "tags < more"] {
        assert_eq!(errors(text).len(), 1, "{text}");
    }
    assert_eq!(errors("tags = more")[0].message, "`tags = more` compares two lists");
}

#[test]
fn a_condition_names_what_it_reads() {
    let condition = condition("b = a and {me} = tags and not exists b");
    assert_eq!(condition.terms().map(ToString::to_string).collect::<Vec<_>>(), ["a", "b", "tags", "{me}"]);
    assert_eq!(condition.terms().map(|term| condition.is_list(term)).collect::<Vec<_>>(), [false, false, true, false]);
    assert_eq!(condition.negate().expr().to_string(), "not (b = a and {me} = tags and not exists b)");
}
