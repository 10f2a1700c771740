//! Parts of a condition in a sentence: in the words of the user, with what is to be said of several of them.

use std::ops::Range;

use super::Book;
use super::Draft;
use super::scalar;
use crate::analysis::Place;
use crate::condition::Atom;
use crate::condition::CompareOp;
use crate::condition::Expr;
use crate::condition::Lists;
use crate::condition::Literal;
use crate::condition::Operand;
use crate::condition::Part;
use crate::condition::Term;
use crate::policy::PolicyDocument;

/// The longest excerpt of a condition in a message, in characters.
const SHOWN: usize = 60;

/// More parts than this are counted and not named.
const NAMED: usize = 4;

/// A part of a condition in backticks, on one line.
pub(super) fn quoted(text: &str, range: &Range<usize>) -> String {
    let words: Vec<&str> = text.get(range.clone()).unwrap_or(text).split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("`{}…`", line.get(..end).unwrap_or_default()),
        None => format!("`{line}`"),
    }
}

/// “a”, “a and b”, “a, b and c”, with another last word where one is wanted.
pub(super) fn listed(parts: &[String], last_word: &str) -> String {
    let more = (parts.len() > NAMED + 1).then(|| format!("{} more", parts.len() - NAMED));
    let shown = if more.is_some() { parts.get(..NAMED).unwrap_or(parts) } else { parts };
    let all: Vec<&str> = shown.iter().chain(&more).map(String::as_str).collect();
    match all.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} {last_word} {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// That parts cannot hold, of which there is a group for each alternative.
pub(super) fn never(text: &str, groups: &[Vec<Range<usize>>]) -> String {
    let Some((first, others)) = groups.split_first() else { return String::new() };
    let parts: Vec<String> = first.iter().map(|range| quoted(text, range)).collect();
    let clash = match parts.len() {
        1 => format!("{} can never hold", listed(&parts, "and")),
        2 => format!("{} cannot both hold", listed(&parts, "and")),
        _ => format!("{} cannot hold together", listed(&parts, "and")),
    };
    match others.len() {
        0 => clash,
        1 => format!("{clash}, and neither can the other alternative"),
        count => format!("{clash}, and neither can the other {count} alternatives"),
    }
}

/// That some part of a group always holds, of which there is a group for each part of a conjunction.
pub(super) fn always(text: &str, groups: &[Vec<Range<usize>>]) -> String {
    let Some((first, others)) = groups.split_first() else { return String::new() };
    let parts: Vec<String> = first.iter().map(|range| quoted(text, range)).collect();
    let holds = match parts.len() {
        1 => format!("{} always holds", listed(&parts, "and")),
        _ => format!("one of {} always holds", listed(&parts, "and")),
    };
    match others.len() {
        0 => holds,
        1 => format!("{holds}, and so does the other part"),
        count => format!("{holds}, and so do the other {count} parts"),
    }
}

/// Labels at the parts of all groups but the primary one, which is the first part of the first group: `same` in its group, `other` in others.
pub(super) fn labels(
    mut draft: Draft,
    book: &Book,
    document: &PolicyDocument,
    groups: &[Vec<Range<usize>>],
    [same, other]: [&str; 2],
) -> Draft {
    let words = |at: usize| if at == 0 { same } else { other };
    let places = groups.iter().enumerate().flat_map(|(at, group)| group.iter().map(move |range| (at, range)));
    for (at, range) in places.skip(1).take(NAMED * 2) {
        draft = draft.related(scalar::condition_span(book, document, range.clone()), words(at));
    }
    draft
}

/// Who or what has no such attribute.
pub(super) fn lacks(term: &Term) -> String {
    let what = match term {
        Term::Document(_) => "a document",
        Term::Caller(_) | Term::Me => "a caller",
        Term::Action(_) => "an action",
        Term::Context(_) => "a request",
    };
    format!("{what} without `{term}`")
}

/// A test that also asks for attributes to be there, or also holds where they are not, as it is to stand in the condition.
pub(super) fn guarded(text: &str, test: &Place, terms: &[&Term], demands: bool) -> String {
    let written = quoted(text, &test.range);
    let guard = if demands == test.positive { " and exists " } else { " or not exists " };
    let guards: String = terms.iter().map(|term| format!("{guard}{term}")).collect();
    format!("`({}{guards})`", written.trim_matches('`'))
}

/// Whether a test asks for networks.
pub(super) fn is_network_test(test: &Place) -> bool {
    let mut networks = true;
    test.expr.each_atom(&mut |atom| networks &= matches!(atom, Atom::InCidr { .. }));
    networks
}

/// A test of networks that also asks for an address, as it is to stand in the condition.
pub(super) fn among_addresses(text: &str, test: &Place, term: &Term) -> String {
    let written = quoted(text, &test.range);
    let (asks, joined) = if test.positive { ("in cidr", "and") } else { ("not in cidr", "or") };
    format!("`({term} {asks} ('0.0.0.0/0', '::/0') {joined} {})`", written.trim_matches('`'))
}

/// `not (x <= 5)` for `x > 5`, which also holds where `x` is absent or of another kind; `None` for what is no comparison by order.
pub(super) fn not_the_opposite(test: &Place) -> Option<String> {
    let Expr::Atom(Atom::Compare { term, op, operand }) = &test.expr else { return None };
    let op = match op {
        CompareOp::Lt => CompareOp::Ge,
        CompareOp::Le => CompareOp::Gt,
        CompareOp::Gt => CompareOp::Le,
        CompareOp::Ge => CompareOp::Lt,
        CompareOp::Eq | CompareOp::Ne => return None,
    };
    let opposite = Atom::Compare { term: term.clone(), op, operand: operand.clone() };
    test.positive.then(|| format!("`not ({opposite})`"))
}

/// The part at a place.
pub(super) fn part_at<'a>(whole: &'a Part, range: &Range<usize>) -> Option<&'a Part> {
    if whole.range == *range {
        return Some(whole);
    }
    whole.operands.iter().find_map(|operand| part_at(operand, range))
}

/// `x not in ('a', 'b')` for `x != 'a' or x != 'b'`, which says the opposite of what it looks like.
pub(super) fn none_of(part: &Part) -> Option<String> {
    let Expr::Or(operands) = &part.expr else { return None };
    values_of(operands.iter(), CompareOp::Ne).map(|(term, values)| Atom::In { term, values, negated: true }.to_string())
}

/// `x in ('a', 'b')` for parts `x = 'a'` and `x = 'b'`, with the attribute.
pub(super) fn one_of(whole: &Part, ranges: &[Range<usize>]) -> Option<(String, Term)> {
    let parts: Vec<&Expr> = ranges.iter().map(|range| part_at(whole, range).map(|part| &part.expr)).collect::<Option<_>>()?;
    let (term, values) = values_of(parts.into_iter(), CompareOp::Eq)?;
    Some((Atom::In { term: term.clone(), values, negated: false }.to_string(), term))
}

/// What to do about parts that cannot hold together, where the reason is one that the parts do not show; `None` otherwise.
pub(super) fn hidden_reason(whole: &Part, ranges: &[Range<usize>], lists: &Lists) -> Option<String> {
    let mut atoms: Vec<&Atom> = Vec::new();
    for part in ranges.iter().filter_map(|range| part_at(whole, range)) {
        part.expr.each_atom(&mut |atom| atoms.push(atom));
    }
    undeclared_groups(&atoms, lists).or_else(|| capitals(&atoms)).or_else(|| strings_in_order(&atoms))
}

fn undeclared_groups(atoms: &[&Atom], lists: &Lists) -> Option<String> {
    let groups = Term::parse("{me.groups}").ok()?;
    let read = atoms.iter().any(|atom| *atom.term() == groups || atom.other_term() == Some(&groups));
    (read && !lists.contains(&groups))
        .then(|| "`{me.groups}` is a list; declare it under `[attributes]` in lawbook.toml: `\"{me.groups}\" = \"list\"`".to_owned())
}

/// The id of a caller that contains `@` is lower case, whatever the request says.
fn capitals(atoms: &[&Atom]) -> Option<String> {
    atoms.iter().find(|atom| *atom.term() == Term::Me || atom.other_term() == Some(&Term::Me))?;
    let compared: Vec<&Literal> = atoms
        .iter()
        .flat_map(|atom| match atom {
            Atom::Compare { operand: Operand::Literal(literal), .. } => std::slice::from_ref(literal),
            Atom::In { values, .. } => values.as_slice(),
            _ => &[],
        })
        .collect();
    let address = compared.into_iter().find_map(|literal| match literal {
        Literal::String(text) if text.contains('@') && text.contains(|char: char| char.is_ascii_uppercase()) => Some(text),
        _ => None,
    })?;
    let lower = Literal::String(address.to_ascii_lowercase());
    Some(format!("write `{lower}`: `{{me}}` is in lower case where it contains `@`, and `=` tells capitals apart"))
}

/// Limits that are strings, of which the lower one comes after the upper one.
fn strings_in_order(atoms: &[&Atom]) -> Option<String> {
    let limits: Vec<(&Term, &String)> = atoms
        .iter()
        .map(|atom| match atom {
            Atom::Compare {
                term,
                op: CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge,
                operand: Operand::Literal(Literal::String(text)),
            } => Some((term, text)),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let [(one, first), (other, second)] = limits.as_slice() else { return None };
    if one != other {
        return None;
    }
    let (before, after) = if first <= second { (first, second) } else { (second, first) };
    let [before, after] = [before, after].map(|text| Literal::String(text.to_string()));
    Some(format!(
        "strings are compared character by character, so `{before}` comes before `{after}`; write numbers, or strings of equal length such as `'09:00'`"
    ))
}

/// The values that one attribute is compared with, each once; `None` if they are not all of one attribute, or fewer than two.
fn values_of<'a>(tests: impl Iterator<Item = &'a Expr>, relation: CompareOp) -> Option<(Term, Vec<Literal>)> {
    let mut of: Option<&Term> = None;
    let mut values: Vec<Literal> = Vec::new();
    for test in tests {
        let (term, own): (&Term, &[Literal]) = match test {
            Expr::Atom(Atom::Compare { term, op, operand: Operand::Literal(literal) }) if *op == relation && *literal != Literal::Null => {
                (term, std::slice::from_ref(literal))
            }
            Expr::Atom(Atom::In { term, values, negated }) if *negated == (relation == CompareOp::Ne) => (term, values),
            _ => return None,
        };
        if of.is_some_and(|known| known != term) {
            return None;
        }
        of = Some(term);
        for value in own {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
    }
    of.filter(|_| values.len() > 1).map(|term| (term.clone(), values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::parts;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let whole = parts(text).expect("a condition");
        let help = hidden_reason(&whole, std::slice::from_ref(&whole.range), &Lists::default());
        match expected {
            Some(words) => assert!(help.as_deref().is_some_and(|help| help.contains(words)), "{text}: {help:?}"),
            None => assert_eq!(help, None, "{text}"),
        }
    }

    #[test]
    fn a_reason_that_the_parts_do_not_show_is_told() {
        check("x = 'Ann@example.com' and x = {me}", Some("write `'ann@example.com'`"));
        check("x = 'ann@example.com' and x = {me}", None);
        check("x = 'Ann@example.com' and x = 'b'", None);
        check("{me.groups} = 'staff'", Some("declare it under `[attributes]`"));
        check("t > '9:00' and t < '10:00'", Some("`'10:00'` comes before `'9:00'`"));
        check("t > '9:00' and u < '10:00'", None);
        check("t > 9 and t < 8", None);
    }

    #[test]
    fn the_opposite_of_an_order_holds_where_nothing_is_there() {
        let opposite = |text: &str| {
            let whole = parts(text).expect("a condition");
            not_the_opposite(&Place { range: whole.range, expr: whole.expr, positive: true })
        };
        assert_eq!(opposite("{context.risk} > 50").as_deref(), Some("`not ({context.risk} <= 50)`"));
        assert_eq!(opposite("a <= b").as_deref(), Some("`not (a > b)`"));
        assert_eq!(opposite("a = 5"), None);
    }
}
