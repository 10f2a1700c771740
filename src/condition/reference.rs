//! References in braces, and the strings that look like one.
//!
//! OpenDataDSL writes `owner = '{me}'` and replaces the text. Here a string that is nothing but a reference *is* the reference,
//! a typed value that nothing can be injected through; a string that merely contains one is refused, because its author
//! expects a replacement that will not happen.

use super::Path;
use super::Term;
use super::error::excerpt;

/// The first words of references.
const HEADS: [&str; 3] = ["me", "action", "context"];

/// What people write for these words.
const ALIASES: [(&str, &str); 10] = [
    ("user", "me"),
    ("caller", "me"),
    ("subject", "me"),
    ("principal", "me"),
    ("self", "me"),
    ("myself", "me"),
    ("request", "context"),
    ("ctx", "context"),
    ("env", "context"),
    ("environment", "context"),
];

/// What a string says about references.
#[derive(Debug, PartialEq)]
pub(super) enum Mention {
    /// Nothing.
    None,
    /// It is a reference and nothing else.
    Whole(Term),
    /// It looks as if it meant one: what is wrong, and what to write.
    Wrong(String, String),
}

/// The term that a head and the path behind it name; the error is what is wrong and what to write.
pub(super) fn resolve(head: &str, path: Option<Path>) -> Result<Term, (String, String)> {
    let term = match (head, path) {
        ("me", None) => Term::Me,
        ("me", Some(path)) => Term::Caller(path),
        ("action", Some(path)) => Term::Action(path),
        ("context", Some(path)) => Term::Context(path),
        ("action" | "context", None) => {
            let help = format!("name the part that is meant, as in `{{{head}.name}}`");
            return Err((format!("the reference `{{{head}}}` names no value"), help));
        }
        (_, path) => return Err(unknown(head, path)),
    };
    Ok(term)
}

/// The message for a reference that does not exist, with the one that was probably meant.
fn unknown(head: &str, path: Option<Path>) -> (String, String) {
    let written = |head: &str| {
        let parts = path.as_ref().map(|path| Term::Caller(path.clone()).to_string());
        let tail = parts.as_deref().and_then(|text| text.strip_prefix("{me")).unwrap_or("}");
        format!("{{{head}{tail}")
    };
    let help = match closest(head) {
        Some(meant) => format!("write `{}` if that is meant", written(meant)),
        None => {
            "write `{me}`, `{me.…}`, `{action.…}` or `{context.…}`, or leave the braces out to name an attribute of the document".to_owned()
        }
    };
    (format!("unknown reference `{}`", excerpt(&written(head))), help)
}

/// What a constant string says about references.
pub(super) fn in_string(value: &str) -> Mention {
    if let Some(head) = whole(value)
        && closest(head).is_some()
    {
        return match Term::parse(value) {
            Ok(term) => Mention::Whole(term),
            Err(error) => Mention::Wrong(error.message, error.help.unwrap_or_default()),
        };
    }
    in_pattern(value).map_or(Mention::None, |(message, help)| Mention::Wrong(message, help))
}

/// What is wrong with a pattern, which may hold braces of its own: `\d{2}` is a repetition, `{me}` a mistake.
pub(super) fn in_pattern(value: &str) -> Option<(String, String)> {
    let after_braces = value.match_indices('{').filter_map(|(at, brace)| value.get(at + brace.len()..));
    let found = after_braces.filter_map(inside).find(|inside| HEADS.iter().any(|head| head.eq_ignore_ascii_case(first_word(inside))))?;
    let message = format!("a string is taken as it is: `{{{}}}` is not replaced by a value", excerpt(found));
    Some((message, "compare with the whole value, as in `owner = {me}`, and pass anything composed with the request".to_owned()))
}

/// The head of a string that has the shape of one reference.
fn whole(value: &str) -> Option<&str> {
    let inner = value.strip_prefix('{')?.strip_suffix('}')?;
    (inside(value.strip_prefix('{')?) == Some(inner)).then(|| first_word(inner))
}

/// What stands between a brace and the next closing one, if it has the shape of a reference: a word alone, or before a dot.
fn inside(after_brace: &str) -> Option<&str> {
    let inner = after_brace.get(..after_brace.find('}')?)?;
    let rest = inner.trim_start().strip_prefix(first_word(inner))?.trim_start();
    (rest.is_empty() || rest.starts_with('.')).then_some(inner)
}

fn first_word(text: &str) -> &str {
    let text = text.trim_start();
    text.get(..text.find(|char: char| !char.is_ascii_alphabetic()).unwrap_or(text.len())).unwrap_or("")
}

/// The first word of a reference that `head` is, or was probably meant to be.
fn closest(head: &str) -> Option<&'static str> {
    let head = head.to_ascii_lowercase();
    if let Some((_, meant)) = ALIASES.into_iter().find(|(alias, _)| *alias == head) {
        return Some(meant);
    }
    // A misspelling of a two-letter word is any two- or three-letter word, so `me` allows one letter too many and nothing else.
    HEADS.into_iter().find(|&known| {
        let distance = strsim::damerau_levenshtein(known, &head);
        distance == 0 || (distance <= 2 && known.len() > 2 && head.len() > 3) || (distance == 1 && head.len() > known.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: &str) {
        let found = match in_string(value) {
            Mention::None => "none".to_owned(),
            Mention::Whole(term) => term.to_string(),
            Mention::Wrong(message, _) => message,
        };
        assert_eq!(found, expected, "{value}");
    }

    #[test]
    fn strings_are_constants_or_one_reference() {
        check("", "none");
        check("{", "none");
        check("{}", "none");
        check("{2}", "none");
        check("{name}", "none");
        check("{mensa}", "none");
        check("{m}", "none");
        check("{me-too}", "none");
        check("{me", "none");
        check("me}", "none");
        check("{a.b}", "none");
        check("{me}", "{me}");
        check("{ me }", "{me}");
        check("{me.a.`b c`}", "{me.a.`b c`}");
        check("{context.ip}", "{context.ip}");
    }

    #[test]
    fn strings_that_mean_to_hold_a_reference_are_refused() {
        check("user:{me}", "a string is taken as it is: `{me}` is not replaced by a value");
        check("{me}@example.com", "a string is taken as it is: `{me}` is not replaced by a value");
        check("{me}{me}", "a string is taken as it is: `{me}` is not replaced by a value");
        check("x {context.ip}", "a string is taken as it is: `{context.ip}` is not replaced by a value");
        check("x{ Action.soft }", "a string is taken as it is: `{ Action.soft }` is not replaced by a value");
        check("{Me}", "unknown reference `{Me}`");
        check("{mee.x}", "unknown reference `{mee.x}`");
        check("{user.email}", "unknown reference `{user.email}`");
        check("{contxt.ip}", "unknown reference `{contxt.ip}`");
        check("{action}", "the reference `{action}` names no value");
        check("{me.}", "a name is missing after `.`");
        check("{context. }", "a name is missing after `.`");
    }

    #[test]
    fn patterns_may_hold_braces() {
        for pattern in [r"\d{2}", "a{1,3}", "{name}", "{mee}", r"\p{Lu}", r"\x{1F600}", "{user}"] {
            assert_eq!(in_pattern(pattern), None, "{pattern}");
        }
        for pattern in ["^{me}$", "%{context.a}%", "{Me.x}", "{action}"] {
            assert!(in_pattern(pattern).is_some(), "{pattern}");
        }
    }

    #[test]
    fn the_meant_reference_is_named() {
        let help = |head: &str| resolve(head, Path::new(vec!["x".to_owned()])).unwrap_err().1;
        assert!(help("Me").contains("`{me.x}`"));
        assert!(help("acton").contains("`{action.x}`"));
        assert!(help("user").contains("`{me.x}`"));
        assert!(help("zebra").contains("leave the braces out"));
    }
}
