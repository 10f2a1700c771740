//! Sets and literals in the language of conditions, so that a region reads like the policies it comes from.

use std::sync::Arc;

use super::formula::Literal;
use super::formula::Test;
use super::interval::Intervals;
use super::interval::Point;
use super::interval::Rank;
use super::values::ValueSet;
use super::vocabulary::Attribute;
use super::vocabulary::Vocabulary;
use crate::condition::Atom;
use crate::condition::CompareOp;
use crate::condition::Expr;
use crate::condition::LikePattern;
use crate::condition::Literal as Constant;
use crate::condition::Number;
use crate::condition::Operand;
use crate::condition::Term;
use crate::condition::networks;
use crate::condition::parse;

/// More parts than this are not written for one literal.
const PARTS: usize = 1_000;

/// What conditions can say of a literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    /// Nothing: it speaks of no fact, or only of whether a value fits.
    None,
    /// This, for values that fit.
    Exact(Expr),
    /// Something that there is no way to write.
    Beyond,
}

/// The condition that says what a literal says, for values that fit.
pub fn expr(literal: &Literal, vocabulary: &Vocabulary) -> Words {
    let Some(attribute) = vocabulary.get(literal.attribute) else { return Words::None };
    let (term, list) = match attribute {
        Attribute::Me => (Term::Me, false),
        Attribute::Fact { term, list } => (term.clone(), *list),
        Attribute::Opaque(atom) => {
            let holds = matches!(&*literal.test, Test::Values(set) if *set == ValueSet::bool(true) || set.bools == [false, true]);
            let atom = Expr::Atom(atom.clone());
            return readable(if holds == literal.positive { atom } else { Expr::Not(Box::new(atom)) });
        }
        _ => return Words::None,
    };
    let positive = match &*literal.test {
        // That a value fits is not said.
        Test::Values(set) if literal.positive && !list && (ValueSet { other: true, ..set.clone() }).is_all() => return Words::None,
        Test::Values(set) if list => match elements(&term, set) {
            Some(expr) => expr,
            None => return Words::Beyond,
        },
        Test::Values(set) => scalar(&term, set),
        Test::Like(pattern) => Expr::Atom(Atom::Like { term, pattern: pattern.clone(), negated: false }),
        Test::Addresses(ranges) => Expr::Atom(Atom::InCidr { term, networks: networks(&ranges.ranges()), negated: false }),
        Test::Matches(pattern) => Expr::Atom(Atom::Matches { term, pattern: pattern.clone(), negated: false }),
        Test::Me => Expr::Atom(Atom::Compare { term, op: CompareOp::Eq, operand: Operand::Term(Term::Me) }),
        Test::Unfit => return Words::None,
    };
    readable(if literal.positive { positive } else { complement(positive) })
}

/// The words, if they read back as what they are to say: of strings with something like a reference in them not all can be written.
fn readable(expr: Expr) -> Words {
    let text = expr.to_string();
    let same = !text.contains('{') || parse(&text).is_ok_and(|parsed| parsed.expr == expr);
    if same { Words::Exact(expr) } else { Words::Beyond }
}

/// The complement, written as people do: `!=` and `not in` where there is such a form.
fn complement(expr: Expr) -> Expr {
    match expr {
        Expr::Atom(Atom::Compare { term, op: CompareOp::Eq, operand }) => Expr::Atom(Atom::Compare { term, op: CompareOp::Ne, operand }),
        Expr::Atom(Atom::Compare { term, op: CompareOp::Ne, operand }) => Expr::Atom(Atom::Compare { term, op: CompareOp::Eq, operand }),
        Expr::Atom(Atom::Exists(term)) => null(term),
        Expr::Atom(Atom::In { term, values, negated }) => Expr::Atom(Atom::In { term, values, negated: !negated }),
        Expr::Atom(Atom::InCidr { term, networks, negated }) => Expr::Atom(Atom::InCidr { term, networks, negated: !negated }),
        Expr::Atom(Atom::Like { term, pattern, negated }) => Expr::Atom(Atom::Like { term, pattern, negated: !negated }),
        Expr::Atom(Atom::Matches { term, pattern, negated }) => Expr::Atom(Atom::Matches { term, pattern, negated: !negated }),
        Expr::Not(inner) => *inner,
        other => Expr::Not(Box::new(other)),
    }
}

fn null(term: Term) -> Expr {
    Expr::Atom(Atom::Compare { term, op: CompareOp::Eq, operand: Operand::Literal(Constant::Null) })
}

/// That some element is in a set; `None` if there is no way to say it. Two comparisons of a list may be met by two elements, so
/// that a range with two ends is made of prefixes and single values.
fn elements(term: &Term, set: &ValueSet) -> Option<Expr> {
    if *set == ValueSet::present() {
        return Some(Expr::Atom(Atom::Exists(term.clone())));
    }
    let mut parted = set.clone();
    let (mut words, mut alternatives) = (Vec::new(), Vec::new());
    for (first, end) in set.numbers.ranges() {
        if let Some(end) = end.filter(|_| first != Rank::least()) {
            let singles = std::iter::successors(Some(first), Point::next).take_while(|rank| *rank < end).take(PARTS + 1);
            let singles: Vec<Rank> = singles.collect();
            if singles.len() > PARTS {
                return None;
            }
            parted.numbers = parted.numbers.intersect(&Intervals::range(&first, Some(&end)).complement());
            words.extend(singles.into_iter().filter_map(|rank| Number::new(rank.number()).map(Constant::Number)));
        }
    }
    for (first, end) in set.texts.ranges() {
        let Some(end) = end.filter(|end| !first.is_empty() && first.next().as_ref() != Some(end)) else { continue };
        parted.texts = parted.texts.intersect(&Intervals::range(&first, Some(&end)).complement());
        let mut from = first.clone();
        while from < end {
            if words.len() + alternatives.len() > PARTS {
                return None;
            }
            let after = prefix(&from).and_then(|pattern| Some((ValueSet::like(&pattern)?.texts.ranges().first()?.1.clone()?, pattern)));
            match after {
                Some((after, pattern)) if after <= end => {
                    alternatives.push(Expr::Atom(Atom::Like { term: term.clone(), pattern, negated: false }));
                    from = after;
                }
                _ => {
                    words.push(Constant::String(from.to_string()));
                    from = from.next()?;
                }
            }
        }
    }
    let rest = (!parted.is_empty()).then(|| present(term, &parted));
    let listed = singles(term, words);
    Some(Expr::any(rest.into_iter().chain(listed).chain(alternatives).collect()))
}

/// That a value which fits is in a set.
fn scalar(term: &Term, set: &ValueSet) -> Expr {
    let fitting = ValueSet { other: false, ..set.clone() };
    if fitting == ValueSet::absent() {
        return null(term.clone());
    }
    if !fitting.absent {
        return within(term, &fitting);
    }
    // What includes absent is the complement of something present.
    let missing = ValueSet { other: false, ..set.clone().complement() };
    complement(within(term, &missing))
}

/// That a value is in a set of present values: what is in it, or everything but what is not.
fn within(term: &Term, set: &ValueSet) -> Expr {
    let exists = || Expr::Atom(Atom::Exists(term.clone()));
    let rest = ValueSet { absent: false, other: false, ..set.clone().complement() };
    if rest.is_empty() {
        return exists();
    }
    if size(&rest) < size(set) { Expr::all(vec![exists(), complement(present(term, &rest))]) } else { present(term, set) }
}

/// How much there is to write down.
fn size(set: &ValueSet) -> usize {
    let bools = set.bools.iter().filter(|&&value| value).count();
    // A kind that is in it as a whole takes words of its own.
    let whole = |all: bool| if all { 8 } else { 0 };
    bools + set.numbers.len() + whole(set.numbers.is_all()) + set.texts.len() + whole(set.texts.is_all())
}

/// That a value is one of some present ones: listed where they are single, compared where they are ranges.
fn present(term: &Term, set: &ValueSet) -> Expr {
    let mut values: Vec<Constant> = Vec::new();
    let mut parts: Vec<Expr> = Vec::new();
    for (value, holds) in [false, true].into_iter().zip(set.bools) {
        values.extend(holds.then_some(Constant::Bool(value)));
    }
    for (first, end) in set.numbers.ranges() {
        match first.next() == end && end.is_some() {
            true => values.extend(Number::new(first.number()).map(Constant::Number)),
            false => parts.push(numbers(term, first, end)),
        }
    }
    for (first, end) in set.texts.ranges() {
        match first.next() == end {
            true => values.push(Constant::String(first.to_string())),
            false => parts.push(texts(term, &first, end.as_ref())),
        }
    }
    Expr::any(singles(term, values).into_iter().chain(parts).collect())
}

/// That a value is one of these. A string that would be taken for a reference is written as a pattern.
fn singles(term: &Term, values: Vec<Constant>) -> Vec<Expr> {
    let mut parts = Vec::new();
    let mut plain = Vec::new();
    for value in values {
        let Constant::String(text) = &value else {
            plain.push(value);
            continue;
        };
        let alone = compare(term, CompareOp::Eq, value.clone());
        match escaped(text).filter(|_| readable(alone) == Words::Beyond) {
            Some(pattern) => parts.push(Expr::Atom(Atom::Like { term: term.clone(), pattern, negated: false })),
            None => plain.push(value),
        }
    }
    let listed = match plain.as_slice() {
        [] => None,
        [value] => Some(compare(term, CompareOp::Eq, value.clone())),
        _ => Some(Expr::Atom(Atom::In { term: term.clone(), values: plain, negated: false })),
    };
    listed.into_iter().chain(parts).collect()
}

/// The pattern that only one string matches; `None` if that string is too long for one.
fn escaped(text: &str) -> Option<LikePattern> {
    LikePattern::new(&literally(text))
}

/// The pattern that the strings with a prefix match.
fn prefix(text: &str) -> Option<LikePattern> {
    LikePattern::new(&(literally(text) + "%"))
}

/// A text as a pattern would write it.
fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 1);
    for char in text.chars() {
        if matches!(char, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(char);
    }
    pattern
}

fn compare(term: &Term, op: CompareOp, constant: Constant) -> Expr {
    Expr::Atom(Atom::Compare { term: term.clone(), op, operand: Operand::Literal(constant) })
}

/// A range of numbers. Of the two ways to write each end, the one with the shorter number is taken.
fn numbers(term: &Term, first: Rank, end: Option<Rank>) -> Expr {
    let constant = |number: f64| Number::new(number).map_or(Constant::Null, Constant::Number);
    let shorter = |one: f64, two: f64| one.to_string().len() <= two.to_string().len();
    let mut parts = Vec::new();
    if first != Rank::least() {
        let (from, before) = (first.number(), first.number().next_down());
        parts.push(if shorter(from, before) {
            compare(term, CompareOp::Ge, constant(from))
        } else {
            compare(term, CompareOp::Gt, constant(before))
        });
    }
    if let Some(end) = end {
        let (to, last) = (end.number(), end.number().next_down());
        parts.push(if shorter(to, last) {
            compare(term, CompareOp::Lt, constant(to))
        } else {
            compare(term, CompareOp::Le, constant(last))
        });
    }
    if parts.is_empty() {
        // Every number: no comparison leaves nothing out, so there are two that meet.
        let zero = || constant(0.0);
        return Expr::any(vec![compare(term, CompareOp::Lt, zero()), compare(term, CompareOp::Ge, zero())]);
    }
    Expr::all(parts)
}

/// A range of strings.
fn texts(term: &Term, first: &Arc<str>, end: Option<&Arc<str>>) -> Expr {
    if let Some(pattern) = prefix(first)
        && ValueSet::like(&pattern).is_some_and(|set| set.texts == Intervals::range(first, end))
    {
        return Expr::Atom(Atom::Like { term: term.clone(), pattern, negated: false });
    }
    let mut parts = Vec::new();
    if !first.is_empty() {
        parts.push(match first.strip_suffix('\0') {
            Some(before) => compare(term, CompareOp::Gt, Constant::String(before.to_owned())),
            None => compare(term, CompareOp::Ge, Constant::String(first.to_string())),
        });
    }
    if let Some(end) = end {
        parts.push(match end.strip_suffix('\0') {
            Some(last) => compare(term, CompareOp::Le, Constant::String(last.to_owned())),
            None => compare(term, CompareOp::Lt, Constant::String(end.to_string())),
        });
    }
    Expr::all(parts)
}

/// Names out of all names there can be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Names {
    /// Just these.
    Only(Vec<String>),
    /// All but these; all, if there are none.
    AllBut(Vec<String>),
}

impl Names {
    /// The names of a set of strings, which is finite or has a finite complement.
    pub fn of(set: &Intervals<Arc<str>>) -> Self {
        let list = |set: &Intervals<Arc<str>>| {
            let texts: Option<Vec<&Arc<str>>> = set.singles().collect();
            texts.map(|texts| texts.into_iter().filter(|text| !text.is_empty()).map(|text| text.to_string()).collect())
        };
        match list(set) {
            Some(texts) => Self::Only(texts),
            None => Self::AllBut(list(&set.clone().complement()).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::formula::Formula;
    use crate::condition::Condition;
    use crate::condition::Lists;

    /// The words of the only literal of a condition about the list `tags` or the scalar `a`.
    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let mut lists = Lists::default();
        lists.insert(Term::parse("tags").expect("a term"));
        let condition = Condition::new(parse(text).expect("a condition").expr, &lists).expect("fits");
        let mut vocabulary = Vocabulary::default();
        let formula = Formula::of_condition(&condition, &mut vocabulary);
        let Formula::Literal(literal) = &formula else { panic!("{formula:?}") };
        match (expr(literal, &vocabulary), expected) {
            (Words::Exact(expr), Some(expected)) => {
                assert_eq!(expr.to_string(), expected);
                assert_eq!(parse(expected).expect("a condition").expr, expr);
                let again = Condition::new(expr, &lists).expect("fits");
                assert_eq!(Formula::of_condition(&again, &mut vocabulary), formula, "the words mean the same");
            }
            (words, expected) => assert!(words == Words::Beyond && expected.is_none(), "{text}: {words:?}"),
        }
    }

    #[test]
    fn one_element_of_a_list_is_not_said_with_two_comparisons() {
        check("tags like 'ab%' or tags like 'ac%'", Some("tags like 'ab%' or tags like 'ac%'"));
        check("tags like 'ab%' or tags = 'ac'", Some("tags = 'ac' or tags like 'ab%'"));
        check("tags like 'ab%' or tags > 'ab'", Some("tags >= 'ab'"));
        check("tags < 'b' or tags like 'b%'", Some("tags < 'c'"));
        check("tags not like 'ab%' and tags not like 'ac%'", Some("not (tags like 'ab%' or tags like 'ac%')"));
        check("tags in (1, 1.0000000000000002)", Some("tags in (1, 1.0000000000000002)"));
        check("a like 'ab%' or a like 'ac%'", Some("a >= 'ab' and a < 'ad'"));
    }

    #[test]
    fn text_like_a_reference_stays_text() {
        check("a like '{m\\e}'", Some("a like '{\\me}'"));
        check("a like '{m\\e}%'", Some("a like '{\\me}%'"));
        check("a not like '{m\\e}'", Some("a not like '{\\me}'"));
        check("a like '{m\\e}' or a in ('b', 1)", Some("a in (1, 'b') or a like '{\\me}'"));
        check("tags like 'x{m\\e}_'", Some("tags like 'x{\\me}_'"));
    }

    #[test]
    fn what_no_condition_can_say_is_beyond_words() {
        check("a like '{m\\e}%' and a not like '{m\\e}'", None);
    }
}
