//! Everything that is refused, with its place and its words.

use std::time::Duration;
use std::time::Instant;

use crate::condition::ConditionError;
use crate::condition::ErrorKind;
use crate::condition::limits;
use crate::condition::parse;

/// The single error of a text: what it points at, and its message; the help must contain `help`.
#[track_caller]
fn check(text: &str, place: &str, message: &str, help: &str) {
    let errors = parse(text).unwrap_err();
    let [error] = errors.as_slice() else { panic!("{text}: {errors:?}") };
    assert_eq!(error.message, message, "{text}");
    assert_eq!(&text[error.range.clone()], place, "{text}");
    let found = error.help.as_deref().unwrap_or_default();
    assert!(found.contains(help), "{text}: {found}");
    assert_eq!(error.kind, ErrorKind::Syntax);
}

#[test]
fn structure() {
    check("", "", "the condition is empty", "leave the field out");
    check("  ", "  ", "the condition is empty", "leave the field out");
    check("a and", "", "an attribute is missing at the end", "write a comparison");
    check("and a", "and", "`and` is a keyword, and an attribute is missing before it", "`` `and` ``");
    check("in = 1", "in", "`in` is a keyword, and an attribute is missing before it", "`` `in` ``");
    check("a b", "b", "`b` follows something that is already a condition", "`and` or `or`");
    check("(a", "(", "this `(` is never closed", "`)`");
    check("a)", ")", "nothing is open that `)` could close", "remove");
    check("(a = 1) = b", "=", "`=` follows something that is already a condition", "whole comparisons");
    check("()", ")", "an attribute is missing before `)`", "write a comparison");
    check("a =", "", "a value is missing at the end", "constant");
    check("a = )", ")", "a value is missing before `)`", "constant");
    check("a = and", "and", "a value is missing before `and`", "constant");
    check("a = = 1", "=", "a value is missing before `=`", "constant");
    check("a not 1", "1", "`in`, `like` or `matches` is missing before `1`", "not x = 1");
    check("exists", "", "an attribute is missing at the end", "write a comparison");
    check("exists(a)", "(", "`exists` is no function", "exists x");
    check("a.", "", "a name is missing after `.`", "name the attribute");
    check("a.0 = 1", "0", "a name is missing after `.`", "back quotes");
    check("'a' = b", "'a'", "`'a'` is a constant, and a comparison starts with an attribute", "attribute first");
    check("5 < a", "5", "`5` is a constant, and a comparison starts with an attribute", "attribute first");
    check("true", "true", "`true` is a constant, and a comparison starts with an attribute", "attribute first");
    check("[1] = a", "[", "an attribute is missing before `[`", "in ('a', 'b')");
}

#[test]
fn other_languages() {
    check("a intersects b", "intersects", "the geo operator `intersects` is not part of conditions", "region");
    check("loc within Sphere(1)", "within", "the geo operator `within` is not part of conditions", "region");
    check("loc not within x", "within", "the geo operator `within` is not part of conditions", "region");
    check("_id in group(\"a:b\")", "group", "`group(…)` is not known to a policy, which cannot see saved lists", "list the ids");
    check("_id = group('a')", "group", "`group(…)` is not known to a policy, which cannot see saved lists", "list the ids");
    check("a = size(20)", "size", "the function `size(…)` is not part of conditions", "length");
    check("a > size(0)", "size", "the function `size(…)` is not part of conditions", "length");
    check("a = all(\"a\", \"b\")", "all", "the function `all(…)` is not part of conditions", "as a list");
    check("lower(a) = 'b'", "lower", "the function `lower(…)` is not part of conditions", "(?i)");
    check(
        "t > ${date:\"today\"}",
        "${date:\"today\"}",
        "active variables such as `${date:\"today\"}` have no value in a policy",
        "{context.today}",
    );
    check("t > ${date", "${date", "active variables such as `${date` have no value in a policy", "{context.today}");
    check("a && b", "&&", "`&&` has no meaning in a condition", "`and`");
    check("a || b", "||", "`||` has no meaning in a condition", "`or`");
    check("!a", "!", "`!` has no meaning in a condition", "`not`");
    check("a + 1 = 2", "+", "`+` has no meaning in a condition", "arithmetic");
    check("a // b", "//", "`//` has no meaning in a condition", "comments");
    check("a is null", "is", "the operator `is` is not part of conditions", "= null");
    check("a between 1 and 2", "between", "the operator `between` is not part of conditions", ">= 1");
    check("größe = 1", "ö", "`ö` has no meaning in a condition", "back quotes");
}

#[test]
fn lists() {
    check("a in ()", ")", "a value is missing before `)`", "at least one");
    check("a in ('b',)", ")", "a value is missing before `)`", "after the last comma");
    check("a in ('b'", "(", "this list is never closed", "`)`");
    check("a in ('b',", "(", "this list is never closed", "close it");
    check("a in ('b']", "]", "`,` or `)` is missing before `]`", "commas");
    check("a in ['b' 'c']", "'c'", "`,` or `]` is missing before `'c'`", "commas");
    check("a in 'b'", "'b'", "a list is missing before `'b'`", "('b')");
    check("a in b", "b", "a list is missing before `b`", "b = x");
    check("a in", "", "a list is missing at the end", "parentheses");
    check("a in (b)", "b", "a list holds constants, and `b` is the name of an attribute", "`'b'`");
    check("a = (b)", "b", "a list holds constants, and `b` is the name of an attribute", "`'b'`");
    check("a in ({me})", "{", "a list holds constants, and braces are a reference", "{me}");
    check("a in ('x', '{me}')", "'{me}'", "a list holds constants, and `{me}` is a reference", "x = {me}");
    check("a in ('b', null)", "null", "a list cannot hold `null`", "x = null or");
    check("a = [null]", "null", "a list cannot hold `null`", "x = null or");
    check("a < ['b']", "< [", "`<` does not take a list", "in (");
    check("a nin cidr ('::/0')", "cidr", "`nin` does not take `cidr`", "not in cidr");
}

#[test]
fn values() {
    check("a < true", "true", "`<` orders numbers and strings; `true` has no order", "= true");
    check("a >= null", "null", "`>=` orders numbers and strings; `null` has no order", "= null");
    check(
        "a = 9007199254740993",
        "9007199254740993",
        "`9007199254740993` would be read as `9007199254740992`, the nearest number that can be held",
        "as a string",
    );
    check("a in (1e400)", "1e400", "`1e400` is larger than any number that can be held", "smaller");
    check("a = 1e-400", "1e-400", "`1e-400` would be read as `0`, the nearest number that can be held", "`0`");
    check("a > 2024-01-01", "2024-01-01", "`2024-01-01` is no number", "`'2024-01-01'`");
    check("a = 1b", "1b", "`1b` is no number", "`'1b'`");
    check("a = .5", ".", "a value is missing before `.`", "");
    check("a = 'b", "'b", "the string `'b` has no end", "`'`");
    check("a = \"b\\\"", "\"b\\\"", "the string `\"b\\\"` has no end", "`\"`");
    check("`a = 1", "`a = 1", "the name ``a = 1` has no end", "back quote");
}

#[test]
fn patterns_and_networks() {
    check("a like b", "b", "a pattern is missing before `b`", "`'b'`");
    check("a matches b", "b", "a pattern is missing before `b`", "`'b'`");
    check("a like 5", "5", "a pattern is missing before `5`", "like 'a'");
    check("a like", "", "a pattern is missing at the end", "like 'a'");
    check(r"a like 'b\\'", r"'b\\'", "the pattern ends in a backslash that escapes nothing", r"`\\\\`");
    let long = format!("'{}'", "é".repeat(64));
    check(&format!("a like {long}"), &long, "a `like` pattern has at most 63 characters besides `%`", "matches");
    check("a matches '(b'", "'(b'", "`(b` is no regular expression: unclosed group", "regex");
    check(r"a matches '(\w{1000}){1000}'", r"'(\w{1000}){1000}'", r"`(\w{1000}){1000}` is no regular expression: it is too large", "regex");
    check("a in cidr ('10.0.0.1/8')", "'10.0.0.1/8'", "`10.0.0.1/8` has bits set after its prefix", "'10.0.0.0/8'");
    check("a in cidr ('10.0.0.1')", "'10.0.0.1'", "`10.0.0.1` is an address without a prefix length", "'10.0.0.1/32'");
    check("a in cidr ('x')", "'x'", "`x` is no network", "'fd00::/8'");
    check("a in cidr (5)", "5", "`5` is no network", "strings");
    check("a in cidr '::/0'", "'::/0'", "a list is missing before `'::/0'`", "('::/0')");
}

#[test]
fn references() {
    check("a = 'user:{me}'", "'user:{me}'", "a string is taken as it is: `{me}` is not replaced by a value", "owner = {me}");
    check("a in ('{me}x')", "'{me}x'", "a string is taken as it is: `{me}` is not replaced by a value", "owner = {me}");
    check("a like '{me}%'", "'{me}%'", "a string is taken as it is: `{me}` is not replaced by a value", "owner = {me}");
    check("a like '{me}'", "'{me}'", "a string is taken as it is: `{me}` is not replaced by a value", "owner = {me}");
    check(
        "a matches '^{context.x}$'",
        "'^{context.x}$'",
        "a string is taken as it is: `{context.x}` is not replaced by a value",
        "owner = {me}",
    );
    check("a = {Me}", "{Me}", "unknown reference `{Me}`", "`{me}`");
    check("a = '{Me}'", "'{Me}'", "unknown reference `{Me}`", "`{me}`");
    check("a = {foo.x}", "{foo.x}", "unknown reference `{foo.x}`", "leave the braces out");
    check("a = {contxt.x}", "{contxt.x}", "unknown reference `{contxt.x}`", "`{context.x}`");
    check("a = {user.x.`y z`}", "{user.x.`y z`}", "unknown reference `{user.x.`y z`}`", "`{me.x.`y z`}`");
    check("a = {context}", "{context}", "the reference `{context}` names no value", "{context.name}");
    check("a = {me", "", "`}` is missing at the end", "{me}");
    check("a = {}", "}", "a reference is missing before `}`", "{me}");
    check("a = {me.x y}", "y", "`}` is missing before `y`", "{me}");
    assert!(parse(r"a matches '^\d{2}[a-z]{1,3}$' and b = '{name}' and c = '{a.b}'").is_ok());
}

#[track_caller]
fn ambiguous(text: &str, place: &str, help: &str) {
    let errors = parse(text).unwrap_err();
    let [error] = errors.as_slice() else { panic!("{text}: {errors:?}") };
    assert_eq!(error.kind, ErrorKind::AmbiguousPrecedence, "{text}");
    assert_eq!(&text[error.range.clone()], place, "{text}");
    assert_eq!(error.help.as_deref(), Some(help), "{text}");
}

#[test]
fn mixtures_of_and_and_or() {
    ambiguous("a or b and c", "a or b and c", "write `a or (b and c)` (as in SQL) or `(a or b) and c`");
    ambiguous("x and (a and b or c)", "a and b or c", "write `(a and b) or c` (as in SQL) or `a and (b or c)`");
    ambiguous("a and not b or (c)", "a and not b or (c)", "write `(a and not b) or c` (as in SQL) or `a and (not b or c)`");
    let long = "a and b or ".repeat(10) + "c";
    ambiguous(&long, &long, "put parentheses around what belongs together");
    assert!(parse("(a or b) and (c or d and (e))").is_err());
    assert!(parse("(a or b) and (c or (d and e)) and not (f or g)").is_ok());
}

#[test]
fn all_errors_of_known_extent_are_reported_in_order() {
    let errors = parse("a in cidr ('x', '10.0.0.1/8') or b < null and c in (null, '{Me}')").unwrap_err();
    let kinds: Vec<_> = errors.iter().map(|error| (error.kind, error.range.start)).collect();
    use ErrorKind::AmbiguousPrecedence;
    use ErrorKind::Syntax;
    assert_eq!(kinds, [(AmbiguousPrecedence, 0), (Syntax, 11), (Syntax, 16), (Syntax, 37), (Syntax, 52), (Syntax, 58)]);
    let many = format!("a in ({}1)", "null, ".repeat(1000));
    assert_eq!(parse(&many).unwrap_err().len(), limits::ERRORS);
}

#[track_caller]
fn refused_quickly(text: &str, message: &str) {
    let start = Instant::now();
    let errors = parse(text).unwrap_err();
    // A bound that a loaded machine keeps, and that anything worse than linear breaks.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    let messages = |errors: &[ConditionError]| errors.iter().map(|error| error.message.clone()).collect::<Vec<_>>();
    assert!(errors.iter().any(|error| error.message.starts_with(message)), "{:?}", messages(&errors));
}

#[test]
fn hostile_text_is_refused() {
    refused_quickly(&"(".repeat(1024 * 1024), "the condition is 1048576 bytes long");
    refused_quickly(&"(".repeat(limits::TEXT_BYTES), "more than 64 levels");
    refused_quickly(&"not ".repeat(16_000), "more than 64 levels");
    refused_quickly(&"not(".repeat(16_000), "more than 64 levels");
    refused_quickly(&format!("a{}", " and a".repeat(10_000)), "the condition has more than 4096 comparisons");
    refused_quickly(&format!("a in (1{})", ",1".repeat(limits::LIST_VALUES)), "the condition lists more than 10000 values");
    refused_quickly(&format!("a{}", ".a".repeat(30_000)), "a path has at most 64 names");
    refused_quickly(&format!("a{}", " and b or c".repeat(1300)), "`and` and `or` are mixed");
    refused_quickly(&format!("a{}", r" and a matches '\w{50}'".repeat(40)), "the condition has more than 16 regular expressions");
    refused_quickly(&format!("a = {}", "9".repeat(65_000)), "`999");
    refused_quickly(&format!("a = '{}", "''".repeat(32_000)), "the string");
    refused_quickly(&format!("a = '{}'", "{".repeat(65_000) + "me}"), "a string is taken as it is");
    refused_quickly(&format!("a = {{{}}}", "x".repeat(65_000)), "unknown reference");
}

#[test]
fn depth_is_counted_so_that_printing_never_adds_to_it() {
    let nested = |levels: usize| format!("{}a = 1{}", "not (b and ".repeat(levels), ")".repeat(levels));
    let deepest = parse(&nested(64)).unwrap().expr;
    assert_eq!(parse(&deepest.to_string()).unwrap().expr, deepest);
    assert!(parse(&nested(65)).is_err());
    let chain = parse(&format!("{}a = 1", "not ".repeat(64))).unwrap().expr;
    assert_eq!(parse(&chain.to_string()).unwrap().expr, chain);
    assert!(parse(&format!("{}a = 1", "not ".repeat(65))).is_err());
    assert!(parse(&format!("{}a{}", "(".repeat(64), ")".repeat(64))).is_ok());
}
