//! A wildcard of another language in a `like` pattern, or a wildcard where none is read.
//!
//! `*`, `?` and `%` are ordinary characters in the wrong place, and ordinary characters have their uses: a question mark in an
//! address, a percent sign behind a number. So the rule speaks only where the character stands as a wildcard would.

use std::ops::Range;

use crate::condition::Atom;
use crate::condition::CompareOp;
use crate::condition::LikeElement;
use crate::condition::LikePattern;
use crate::condition::Literal;
use crate::condition::Operand;
use crate::condition::Term;
use crate::finding::Level;
use crate::finding::Safety;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::atoms::Places;
use crate::lint::atoms::atoms;
use crate::lint::atoms::shown;

pub(super) static RULE: Rule = Rule {
    name: "like-wrong-wildcard",
    summary: "`*` or `?` stands as a wildcard in a `like` pattern, or `%` in a constant of `=` or `in`",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/like-wrong-wildcard.md"),
};

/// How many findings one condition has; more say nothing new.
const FINDINGS_PER_CONDITION: usize = 20;

fn check(book: &Book, sink: &mut Sink) {
    for (policy, document) in book.policies() {
        let places = Places::of(book, document);
        let mut left = FINDINGS_PER_CONDITION;
        for (at, atom) in atoms(policy).into_iter().enumerate() {
            if left == 0 || !is_suspect(atom) {
                continue;
            }
            if let Some(draft) = draft(&places, at, atom) {
                left -= 1;
                sink.report(draft.policy(policy.id().as_str()));
            }
        }
    }
}

/// Whether a look at the text is worth it.
fn is_suspect(atom: &Atom) -> bool {
    match atom {
        Atom::Like { pattern, .. } => pattern.elements().iter().any(|element| matches!(element, LikeElement::Char('*' | '?'))),
        Atom::Compare { op: CompareOp::Eq | CompareOp::Ne, operand: Operand::Literal(literal), .. } => holds_pattern(literal),
        Atom::In { values, .. } => values.iter().any(holds_pattern),
        _ => false,
    }
}

fn draft(places: &Places<'_>, at: usize, atom: &Atom) -> Option<Draft> {
    match atom {
        Atom::Like { term, pattern, negated } => {
            let range = places.get(at)?.values.first()?.clone();
            is_glob(pattern, places.written(&range)).then(|| glob(places, at, term, pattern, *negated))
        }
        Atom::Compare { term, op, operand: Operand::Literal(literal) } => {
            let negated = *op == CompareOp::Ne;
            Some(percent(places, (at, 0), term, literal, &format!("{op}"), negated, true))
        }
        Atom::In { term, values, negated } => {
            let value = values.iter().position(holds_pattern)?;
            let sign = if *negated { "not in" } else { "in" };
            Some(percent(places, (at, value), term, values.get(value)?, sign, *negated, values.len() == 1))
        }
        _ => None,
    }
}

/// Whether `*` or `?` stand in a pattern as they do in a glob. Who writes `%` knows the wildcards of `like`, and who escapes a character
/// means it. Beside `_`, which is a part of many names, a `*` counts only at an end. A `?` in a sentence or before a `=` is none.
pub(super) fn is_glob(pattern: &LikePattern, written: &str) -> bool {
    let elements = pattern.elements();
    if elements.contains(&LikeElement::Run) || written.contains("\\*") || written.contains("\\?") {
        return false;
    }
    let star = LikeElement::Char('*');
    if elements.contains(&LikeElement::One) {
        return elements.first() == Some(&star) || elements.last() == Some(&star);
    }
    let question = elements.iter().position(|element| *element == LikeElement::Char('?'));
    let is_prose =
        |at: usize| elements.contains(&LikeElement::Char(' ')) || elements.iter().skip(at).any(|one| *one == LikeElement::Char('='));
    elements.contains(&star) || question.is_some_and(|at| !is_prose(at))
}

fn glob(places: &Places<'_>, at: usize, term: &Term, pattern: &LikePattern, negated: bool) -> Draft {
    let star = pattern.elements().contains(&LikeElement::Char('*'));
    let (found, meant, what) = if star { ('*', '%', "any run of characters") } else { ('?', '_', "any one character") };
    let message = format!(
        "`{found}` is an ordinary character in a `like` pattern, so only a text with a `{found}` in this place fits; {what} is `{meant}`"
    );
    let text: String = pattern.elements().iter().map(translated).collect();
    let meant = LikePattern::new(&text).map(|pattern| Atom::Like { term: term.clone(), pattern, negated });
    let draft = Draft::new(places.value(at, 0), message).label(format!("`{found}` is no wildcard here"));
    let Some(meant) = meant else { return draft.help(format!("write `{what}` as a wildcard")) };
    let draft = draft.help(format!("write `{meant}`, or `\\{found}` if the character itself is meant"));
    let written = meant.to_string();
    let Some((_, value)) = written.split_once("like ") else { return draft };
    let range: Range<usize> = places.get(at).and_then(|place| place.values.first()).cloned().unwrap_or_default();
    // What would then fit everything is left to its author.
    match places.rewrite(at, &[(range, value)], &meant).filter(|_| !text.trim_matches('%').is_empty()) {
        Some(edits) => draft.fix("write the wildcards of `like`", Safety::Unsafe, edits),
        None => draft,
    }
}

/// An element of a glob as it is written in a pattern.
fn translated(element: &LikeElement) -> String {
    match element {
        LikeElement::Run | LikeElement::Char('*') => "%".to_owned(),
        LikeElement::One | LikeElement::Char('?') => "_".to_owned(),
        LikeElement::Char(char) => escaped(*char),
    }
}

/// A character that stands for itself, as it is written in a pattern.
fn escaped(char: char) -> String {
    if matches!(char, '%' | '_' | '\\') { format!("\\{char}") } else { char.to_string() }
}

fn holds_pattern(literal: &Literal) -> bool {
    matches!(literal, Literal::String(text) if is_pattern(text))
}

/// Whether a `%` at an end of a constant stands there as a wildcard: not behind a number (`100%`) or a space, not as an encoded
/// character (`%20`), and not as a placeholder (`%s`, `%Y-%m`).
pub(super) fn is_pattern(text: &str) -> bool {
    let at_the_end = text.strip_suffix('%').is_some_and(|before| {
        let is_number = |word: &str| word.chars().all(|char| char.is_ascii_digit() || ".,+-<>=~/".contains(char));
        let last_word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
        let joined = before.ends_with(|last: char| last.is_alphanumeric() || "-_./:@#".contains(last));
        joined && !is_number(last_word)
    });
    let at_the_start = text.strip_prefix('%').is_some_and(|behind| {
        let mut chars = behind.chars();
        let (first, second, third) = (chars.next(), chars.next(), chars.next());
        let is_encoded = |char: char| char.is_ascii_hexdigit() && !char.is_ascii_lowercase();
        let encoded = first.is_some_and(is_encoded) && second.is_some_and(is_encoded);
        let begins = first.is_some_and(|first| first.is_alphabetic() || "-_./:@#".contains(first));
        begins && second.is_some_and(char::is_alphabetic) && third.is_some() && !encoded
    });
    at_the_end || at_the_start
}

fn percent(
    places: &Places<'_>,
    (at, value): (usize, usize),
    term: &Term,
    literal: &Literal,
    sign: &str,
    negated: bool,
    alone: bool,
) -> Draft {
    let text = if let Literal::String(text) = literal { text.as_str() } else { "" };
    let message =
        format!("`%` is an ordinary character behind `{sign}`, which compares with the text `{}`, percent sign and all", shown(text));
    let draft = Draft::new(places.value(at, value), message).label("`%` is no wildcard here");
    let pattern: String = text.chars().map(|char| if char == '%' { "%".to_owned() } else { escaped(char) }).collect();
    let Some(pattern) = LikePattern::new(&pattern) else {
        return draft.help("write a `like` pattern, of at most 63 characters besides `%`, if a wildcard is meant");
    };
    let meant = Atom::Like { term: term.clone(), pattern, negated };
    if !alone {
        let joined = if negated { "and" } else { "or" };
        return draft.help(format!("write `{meant} {joined} {term} {sign} ( … )` if a wildcard is meant"));
    }
    let sign_itself = LikePattern::new(&text.chars().map(escaped).collect::<String>());
    let itself = sign_itself.map(|pattern| Atom::Like { term: term.clone(), pattern, negated });
    let otherwise = itself.map(|itself| format!(", or `{itself}` if the sign itself is")).unwrap_or_default();
    let draft = draft.help(format!("write `{meant}` if a wildcard is meant{otherwise}"));
    let Some(place) = places.get(at) else { return draft };
    let written = meant.to_string();
    let behind = written.strip_prefix(&term.to_string()).unwrap_or_default().trim_start();
    match places.rewrite(at, &[(place.sign.start..place.range.end, behind)], &meant) {
        Some(edits) => draft.fix("compare with a pattern", Safety::Unsafe, edits),
        None => draft,
    }
}
