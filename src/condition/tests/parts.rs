//! What holds for the parts of every condition: they agree with the tree, they stand where they say, and each operand can be taken out.

use proptest::prelude::*;

use crate::condition::Expr;
use crate::condition::Part;
use crate::condition::arbitrary;
use crate::condition::parse;
use crate::condition::parts;
use crate::condition::removal;

/// Writes a condition with needless parentheses and odd spaces; `choices` says where.
fn dressed(expr: &Expr, choices: &mut impl Iterator<Item = u8>) -> String {
    match expr {
        Expr::And(operands) => joined(operands, "and", choices),
        Expr::Or(operands) => joined(operands, "OR", choices),
        Expr::Not(operand) => {
            let inner = dressed(operand, choices);
            let plain = matches!(**operand, Expr::Not(_) | Expr::Atom(_)) && pick(choices, &[true, false]);
            if plain { format!("not {inner}") } else { format!("not{}({inner})", pick(choices, &["", " ", "\n"])) }
        }
        Expr::Atom(atom) => atom.to_string(),
    }
}

fn joined(operands: &[Expr], connective: &str, choices: &mut impl Iterator<Item = u8>) -> String {
    // A group at the start, in the middle or at the end says the same.
    let grouped = pick(choices, &[None, Some(0), Some(1), Some(2)]).filter(|&from| operands.len() >= 3.max(from + 2));
    let mut text = String::new();
    for (index, operand) in operands.iter().enumerate() {
        if index > 0 {
            let close = grouped.is_some_and(|from| index == from + 2);
            let before = if close { ")" } else { "" };
            let space = if text.ends_with(')') || close { pick(choices, &["", " "]) } else { pick(choices, &[" ", "\n  ", "\t"]) };
            text = format!("{text}{before}{space}{connective}");
        }
        let bare = dressed(operand, choices);
        let needed = matches!(operand, Expr::And(_) | Expr::Or(_));
        let own = match pick(choices, &[0, 0, 1, 2]) {
            0 if !needed => bare,
            2 => format!("(( {bare} )\u{a0})"),
            _ => format!("({bare})"),
        };
        let own = if grouped == Some(index) { format!("({own}") } else { own };
        let space = match (index, own.starts_with('(')) {
            (0, _) => "",
            (_, true) => pick(choices, &["", " "]),
            (_, false) => pick(choices, &[" ", "\n", "\u{3000}"]),
        };
        text = format!("{text}{space}{own}");
    }
    if grouped.is_some_and(|from| operands.len() == from + 2) { text + ")" } else { text }
}

fn pick<T: Clone>(choices: &mut impl Iterator<Item = u8>, options: &[T]) -> T {
    options[usize::from(choices.next().unwrap_or(0)) % options.len()].clone()
}

/// A condition, and a text that means it.
fn condition() -> impl Strategy<Value = (Expr, String)> {
    (arbitrary::expr(), prop::collection::vec(any::<u8>(), 1..40)).prop_map(|(expr, choices)| {
        let text = dressed(&expr, &mut choices.into_iter().cycle());
        (expr, text)
    })
}

fn check_places(part: &Part, text: &str) -> Result<(), TestCaseError> {
    let own = text.get(part.range.clone());
    prop_assert!(own.is_some_and(|own| own.trim() == own), "{} {:?}", text, part.range);
    let again = parse(&format!("({})", own.unwrap_or(""))).map(|parsed| parsed.expr);
    prop_assert_eq!(again.as_ref(), Ok(&part.expr), "{} {:?}", text, part.range);
    let mut at = part.range.start;
    for operand in &part.operands {
        prop_assert!(at <= operand.range.start && operand.range.end <= part.range.end, "{} {:?}", text, operand.range);
        at = operand.range.end;
        check_places(operand, text)?;
    }
    let exprs: Vec<Expr> = part.operands.iter().map(|operand| operand.expr.clone()).collect();
    match &part.expr {
        Expr::And(operands) | Expr::Or(operands) => prop_assert_eq!(&exprs, operands),
        Expr::Not(operand) => prop_assert_eq!(exprs, vec![(**operand).clone()]),
        Expr::Atom(_) => prop_assert!(exprs.is_empty()),
    }
    Ok(())
}

/// The tree of a part without one operand of a part inside it.
fn without(part: &Part, target: &Part, left_out: usize) -> Expr {
    let of = |operand: &Part| without(operand, target, left_out);
    let is_target = std::ptr::eq(part, target);
    let operands = part.operands.iter().enumerate().filter(|(index, _)| !is_target || *index != left_out);
    let mut operands: Vec<Expr> = operands.map(|(_, operand)| of(operand)).collect();
    match &part.expr {
        Expr::And(_) => Expr::all(operands),
        Expr::Or(_) => Expr::any(operands),
        Expr::Not(_) => Expr::Not(Box::new(operands.remove(0))),
        Expr::Atom(_) => part.expr.clone(),
    }
}

fn check_removals(whole: &Part, part: &Part, text: &str) -> Result<(), TestCaseError> {
    let joins = matches!(part.expr, Expr::And(_) | Expr::Or(_));
    for (index, operand) in part.operands.iter().enumerate() {
        check_removals(whole, operand, text)?;
        let Some(range) = removal(part, index, text) else {
            prop_assert!(!joins, "{} keeps {:?}", text, operand.range);
            continue;
        };
        let mut left = text.to_owned();
        left.replace_range(range, "");
        let found = parse(&left).map(|parsed| parsed.expr);
        prop_assert_eq!(found, Ok(without(whole, part, index)), "{} without {:?} is {}", text, operand.range, left);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_parts_are_those_of_the_tree_and_stand_where_they_say((expr, text) in condition()) {
        let part = parts(&text).map_err(|errors| TestCaseError::fail(format!("{text}: {errors:?}")))?;
        prop_assert_eq!(&part.expr, &expr, "{}", text);
        check_places(&part, &text)?;
    }

    #[test]
    fn what_is_left_without_an_operand_is_the_tree_without_it((_, text) in condition()) {
        let part = parts(&text).map_err(|errors| TestCaseError::fail(format!("{text}: {errors:?}")))?;
        check_removals(&part, &part, &text)?;
    }

    #[test]
    fn parts_and_parse_accept_and_refuse_the_same(text in super::properties::fragments()) {
        prop_assert_eq!(parts(&text).map(|part| part.expr), parse(&text).map(|parsed| parsed.expr), "{}", text);
    }
}
