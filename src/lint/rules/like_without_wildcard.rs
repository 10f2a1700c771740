//! `like` with a pattern that is a plain text, or that fits every text.

use std::ops::Range;

use super::like_wrong_wildcard::is_glob;
use super::like_wrong_wildcard::is_pattern;
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

pub(super) static RULE: Rule = Rule {
    name: "like-without-wildcard",
    summary: "a `like` pattern has no wildcard, or is nothing but one",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/like-without-wildcard.md"),
};

/// How many findings one condition has; more say nothing new.
const FINDINGS_PER_CONDITION: usize = 20;

fn check(book: &Book, sink: &mut Sink) {
    for (policy, document) in book.policies() {
        let places = &Places::of(book, document);
        let mut left = FINDINGS_PER_CONDITION;
        for (at, atom) in atoms(policy).into_iter().enumerate() {
            let Atom::Like { term, pattern, negated } = atom else { continue };
            let is_everything = pattern.elements() == [LikeElement::Run];
            let text = text(pattern);
            // An escaped `%` says that the sign itself is meant, where `=` would leave a reader in doubt.
            let is_explicit = text.as_deref().is_some_and(is_pattern);
            if (text.is_none() && !is_everything) || is_explicit || left == 0 {
                continue;
            }
            let draft = match text {
                None => everything(places, at, term, *negated),
                Some(_) if is_glob(pattern, places.written(&value(places, at))) => continue,
                Some(text) => plain(places, at, term, text, *negated),
            };
            left -= 1;
            sink.report(draft.policy(policy.id().as_str()));
        }
    }
}

/// The one text that a pattern without a wildcard fits.
fn text(pattern: &LikePattern) -> Option<String> {
    let char = |element: &LikeElement| match element {
        LikeElement::Char(char) => Some(*char),
        LikeElement::One | LikeElement::Run => None,
    };
    pattern.elements().iter().map(char).collect()
}

fn value(places: &Places<'_>, atom: usize) -> Range<usize> {
    places.get(atom).and_then(|place| place.values.first()).cloned().unwrap_or_default()
}

fn plain(places: &Places<'_>, atom: usize, term: &Term, text: String, negated: bool) -> Draft {
    let (not, op) = if negated { ("not ", CompareOp::Ne) } else { ("", CompareOp::Eq) };
    let literal = Literal::String(text);
    let pattern = places.written(&value(places, atom));
    let message = format!("`{not}like {pattern}` has no `%` and no `_`, so it compares with one text and not with a pattern");
    let written = literal.to_string();
    let draft = Draft::new(places.value(atom, 0), message).label("no wildcard");
    let draft = draft.help(format!("write `{term} {op} {written}`, which means the same, or add the `%` that is missing"));
    let expected = Atom::Compare { term: term.clone(), op, operand: Operand::Literal(literal) };
    let Some(place) = places.get(atom) else { return draft };
    let mut changes = vec![(place.sign.clone(), op.as_str())];
    if pattern.contains('\\') {
        // Only a pattern escapes wildcards, and only it needs its backslashes twice.
        changes.push((value(places, atom), written.as_str()));
    }
    match places.rewrite(atom, &changes, &expected) {
        Some(edits) => draft.fix(format!("compare with `{op}`"), Safety::Safe, edits),
        None => draft,
    }
}

fn everything(places: &Places<'_>, atom: usize, term: &Term, negated: bool) -> Draft {
    let (message, help) = if negated {
        (
            format!("`{term} not like '%'` holds only where `{term}` is absent, or is no string: `%` fits every string"),
            format!("write `not exists {term}` if it has to be absent, or complete the pattern"),
        )
    } else {
        (
            format!("`{term} like '%'` holds for every string, also for an empty one: it only asks whether `{term}` is a string"),
            format!("write `exists {term}` if it has to be present, `{term} like '_%'` if it must not be empty, or complete the pattern"),
        )
    };
    Draft::new(places.value(atom, 0), message).label("fits every string").help(help)
}
