//! What other languages have and this one has not, with what to write instead.
//!
//! OpenDataDSL has geo operators, `group("…")`, active variables and functions; SQL and programming languages have more that
//! people will try. Each is refused by name, because "unexpected word" would leave its author nowhere.

use std::ops::Range;

use super::ConditionError;
use super::error::excerpt;

/// Signs that start no lexeme, and the way out.
const SIGNS: [(&str, &str); 10] = [
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("!", "write `not`, or `!=` to compare"),
    ("=~", "write `matches '…'`"),
    ("//", "write comments in YAML, with `#`"),
    ("/*", "write comments in YAML, with `#`"),
    ("*", "compute the value before the request is made; conditions have no arithmetic"),
    ("/", "compute the value before the request is made; conditions have no arithmetic"),
    ("+", "compute the value before the request is made; conditions have no arithmetic"),
    ("-", "compute the value before the request is made; conditions have no arithmetic"),
];

/// The error for a character that starts no lexeme, at the beginning of `rest`.
pub(super) fn character(rest: &str, at: usize, first: char) -> ConditionError {
    if rest.starts_with("${") {
        let length = rest.find('}').map_or(rest.len(), |end| end + 1);
        let shown = excerpt(rest.get(..length).unwrap_or(rest));
        return ConditionError::syntax(at..at + length, format!("active variables such as `{shown}` have no value in a policy"))
            .help("compare with a reference, as in `{context.today}`, and pass its value with the request");
    }
    if let Some((sign, help)) = SIGNS.into_iter().find(|(sign, _)| rest.starts_with(sign)) {
        return ConditionError::syntax(at..at + sign.len(), format!("`{sign}` has no meaning in a condition")).help(help);
    }
    let error = ConditionError::syntax(at..at + first.len_utf8(), format!("`{}` has no meaning in a condition", first.escape_debug()));
    if first.is_alphanumeric() {
        error.help("put names with letters outside ASCII in back quotes, and strings in single quotes")
    } else {
        error
    }
}

/// The error for a name that is followed by `(`.
pub(super) fn function(name: &str, range: Range<usize>) -> ConditionError {
    let help = match name.to_ascii_lowercase().as_str() {
        "group" => "list the ids, as in `_id in ('a', 'b')`",
        "size" => "store the length in an attribute of its own, and compare that",
        "all" => "declare the attribute as a list in `lawbook.toml`, and write `tags = 'a' and tags = 'b'`",
        "any" => "declare the attribute as a list in `lawbook.toml`, and write `tags in ('a', 'b')`",
        "sphere" | "polygon" | "point" | "box" => GEO,
        "lower" | "upper" => "write `matches '(?i)^…$'` to ignore case",
        _ => "compare an attribute with a constant or with another attribute",
    };
    let shown = excerpt(name);
    let message = match name {
        "group" => "`group(…)` is not known to a policy, which cannot see saved lists".to_owned(),
        _ => format!("the function `{shown}(…)` is not part of conditions"),
    };
    ConditionError::syntax(range, message).help(help)
}

const GEO: &str = "store the region's name in an attribute, and compare that, as in `region = 'north-sea'`";

/// The error for a word where an operator of another language is probably meant.
pub(super) fn operator(word: &str, range: Range<usize>) -> Option<ConditionError> {
    let help = match word.to_ascii_lowercase().as_str() {
        "intersects" | "within" => {
            return Some(ConditionError::syntax(range, format!("the geo operator `{word}` is not part of conditions")).help(GEO));
        }
        "is" => "write `= null` or `!= null`",
        "between" => "write `x >= 1 and x <= 2`",
        "contains" => "write `tags = 'a'` on a declared list, or `name like '%a%'` on a string",
        "startswith" | "starts" => "write `like 'a%'`",
        "endswith" | "ends" => "write `like '%a'`",
        "ilike" | "regex" | "regexp" | "rlike" | "similar" => "write `matches '…'`, with `(?i)` to ignore case",
        "eq" | "equals" => "write `=`",
        "ne" | "neq" => "write `!=`",
        "lt" => "write `<`",
        "lte" | "le" => "write `<=`",
        "gt" => "write `>`",
        "gte" | "ge" => "write `>=`",
        "xor" => "write `(a or b) and not (a and b)`",
        _ => return None,
    };
    Some(ConditionError::syntax(range, format!("the operator `{word}` is not part of conditions")).help(help))
}
