//! What is accepted and not canonical, and that rewriting it changes nothing.

use crate::condition::parse;

/// Applies all spellings, and holds the result to the promise of `Spelling`.
#[track_caller]
fn check(text: &str, rewritten: &str) {
    let parsed = parse(text).unwrap();
    let mut result = text.to_owned();
    let mut next = text.len();
    for spelling in parsed.spellings.iter().rev() {
        assert!(spelling.range.end <= next, "spellings overlap in {text}");
        next = spelling.range.start;
        result.replace_range(spelling.range.clone(), &spelling.replacement);
    }
    assert_eq!(result, rewritten, "{text}");
    let again = parse(&result).unwrap();
    assert_eq!(again.expr, parsed.expr, "{text}");
    assert_eq!(again.spellings, [], "{text}");
}

#[test]
fn canonical_text_has_no_spellings() {
    for text in
        ["a = 1", "not (a)", "( a and b )", "a=1.0", r"a = 'it\'s'", "a in ('b','c')", "cidr like 'a%%'", "a.NOT = `AND`", "AND_x = 1"]
    {
        check(text, text);
    }
}

#[test]
fn accepted_spellings_are_rewritten() {
    check("a == 1", "a = 1");
    check("a <> 1", "a != 1");
    check("a=='x'and b<>2", "a='x'and b!=2");
    check("a nin ('b')", "a not in ('b')");
    check("a NIN['b']", "a not in('b')");
    check("a = ['b', \"c\"]", "a in ('b', 'c')");
    check("a == (1)", "a in (1)");
    check("a != [1]", "a not in (1)");
    check("a <> [1]", "a not in (1)");
    check("a=[1]and b", "a in (1)and b");
    check("`a`=[1]", "a in (1)");
    check("{me}=[\"x\"]", "{me} in ('x')");
    check("'{me}'=['x']", "{me} in ('x')");
    check("a in [1, 2]", "a in (1, 2)");
    check("a in cidr [\"::/0\"]", "a in cidr ('::/0')");
    check("a = \"it's\"", "a = 'it''s'");
    check(r#"a matches "\d""#, r"a matches '\d'");
    check(r#"a like "b%_""#, "a like 'b%_'");
    check(r#"a in ("x", 'y', "z")"#, "a in ('x', 'y', 'z')");
    check("owner = '{me}'", "owner = {me}");
    check("owner='{me}'and a", "owner={me}and a");
    check("\"{ context . a }\" = 1", "{context.a} = 1");
    check("exists '{me.x}'", "exists {me.x}");
    check("NOT a AND Exists b", "not a and exists b");
    check("a Not In CIDR ('::/0')", "a not in cidr ('::/0')");
    check("a = TRUE or a=Null", "a = true or a=null");
    check("a LIKE 'A' and b MATCHES 'B'", "a like 'A' and b matches 'B'");
    check("`a` . b = { me . `c` }", "a.b = {me.c}");
    check("exists`a`and`b`", "exists a and b");
    check("not`a`or`not`", "not a or`not`");
}

#[test]
fn a_spelling_says_what_is_written_instead() {
    let parsed = parse("a = [\"b\"]").unwrap();
    assert_eq!(
        parsed.spellings.iter().map(|spelling| spelling.message.as_str()).collect::<Vec<_>>(),
        ["`= [\"b\"]` is written `in ('b')`"]
    );
}
