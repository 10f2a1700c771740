//! What holds for every condition: print and parse are inverse, evaluation agrees with the oracle, and the laws of logic hold.

use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;

use super::oracle;
use crate::condition::Condition;
use crate::condition::Expr;
use crate::condition::Facts;
use crate::condition::Lists;
use crate::condition::Outcome;
use crate::condition::Term;
use crate::condition::arbitrary;
use crate::condition::parse;

/// Values that meet the constants and the paths of the generated conditions.
fn value() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(vec!["", "a", "b", "ab", "12", "10.0.0.1", "::ffff:10.1.1.1", "::1", "fd00::9", "it's"]);
    let scalar = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        2 => prop::sample::select(vec![json!(-1), json!(0), json!(-0.0), json!(0.5), json!(1), json!(1.0), json!(2)]),
        4 => text.prop_map(Value::from),
    ];
    scalar.prop_recursive(2, 8, 3, |inner| prop_oneof![prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from), attributes(inner)])
}

fn attributes(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec!["a", "b", "c", "not"]).prop_map(str::to_owned);
    prop::collection::btree_map(name, value, 0..4).prop_map(|map| Value::Object(map.into_iter().collect()))
}

fn request() -> impl Strategy<Value = Value> {
    let me = prop::sample::select(vec!["", "a", "ab"]);
    (me, attributes(value()), attributes(value()), attributes(value()), attributes(value())).prop_map(
        |(me, caller, action, context, document)| json!({"me": me, "caller": caller, "action": action, "context": context, "document": document}),
    )
}

fn lists() -> impl Strategy<Value = Lists> {
    let terms = ["a", "b", "a.b", "c.c", "{me.a}", "{context.b}"];
    prop::sample::subsequence(terms.to_vec(), 0..4).prop_map(|terms| terms.into_iter().map(|term| Term::parse(term).unwrap()).collect())
}

fn evaluate(expr: &Expr, lists: &Lists, request: &Value) -> Option<Outcome> {
    let map = |name: &str| request[name].as_object().unwrap();
    let facts = Facts {
        me: request["me"].as_str().unwrap(),
        caller: map("caller"),
        action: map("action"),
        context: map("context"),
        document: map("document"),
    };
    Some(Condition::new(expr.clone(), lists).ok()?.evaluate(&facts))
}

fn complement(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::True => Outcome::False,
        Outcome::False => Outcome::True,
        Outcome::Unfit => Outcome::Unfit,
    }
}

/// The tree with every negation pushed down to the atoms.
fn pushed(expr: &Expr, negated: bool) -> Expr {
    match (expr, negated) {
        (Expr::And(operands), false) | (Expr::Or(operands), true) => {
            Expr::all(operands.iter().map(|operand| pushed(operand, negated)).collect())
        }
        (Expr::Or(operands), false) | (Expr::And(operands), true) => {
            Expr::any(operands.iter().map(|operand| pushed(operand, negated)).collect())
        }
        (Expr::Not(operand), _) => pushed(operand, !negated),
        (Expr::Atom(_), false) => expr.clone(),
        (Expr::Atom(_), true) => Expr::Not(Box::new(expr.clone())),
    }
}

/// Texts that are nearly conditions.
pub(super) fn fragments() -> impl Strategy<Value = String> {
    let pieces = [
        "a", "b.c", "`x`", "{me}", "{me.a}", "'{me}'", "{", "}", "(", ")", "[", "]", ",", ".", "=", "==", "<>", "<", "not", "AND", "or",
        "in", "nin", "cidr", "like", "Matches", "exists", "null", "TRUE", "1", "1e9", "'s'", "\"s\"", "'::/0'", "'", " ", "\\", "é",
    ];
    let piece = prop::sample::select(pieces.to_vec());
    let between = prop::sample::select(vec!["", " ", "\n"]);
    prop::collection::vec((piece, between), 0..14)
        .prop_map(|parts| parts.into_iter().map(|(piece, between)| format!("{piece}{between}")).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printing_is_the_inverse_of_parsing(expr in arbitrary::expr()) {
        let text = expr.to_string();
        let parsed = parse(&text).map_err(|errors| TestCaseError::fail(format!("{text}: {errors:?}")))?;
        prop_assert_eq!(&parsed.expr, &expr, "{}", text);
        prop_assert!(parsed.spellings.is_empty(), "{}", text);
    }

    #[test]
    fn terms_are_read_alone_as_in_conditions(term in arbitrary::term()) {
        prop_assert_eq!(Term::parse(&term.to_string()), Ok(term));
    }

    #[test]
    fn evaluation_agrees_with_the_oracle(expr in arbitrary::expr(), lists in lists(), requests in prop::collection::vec(request(), 8)) {
        for request in &requests {
            if let Some(outcome) = evaluate(&expr, &lists, request) {
                prop_assert_eq!(outcome, oracle::evaluate(&expr, &lists, request), "{} on {}", expr, request);
            }
        }
    }

    #[test]
    fn negation_is_the_exact_complement(expr in arbitrary::expr(), lists in lists(), request in request()) {
        let outcome = evaluate(&expr, &lists, &request);
        let negated = Expr::Not(Box::new(expr.clone()));
        prop_assert_eq!(evaluate(&negated, &lists, &request), outcome.map(complement));
        prop_assert_eq!(evaluate(&pushed(&negated, false), &lists, &request), outcome.map(complement));
        prop_assert_eq!(evaluate(&pushed(&expr, false), &lists, &request), outcome);
    }

    #[test]
    fn what_parses_can_be_printed_and_rewritten(text in fragments()) {
        let Ok(parsed) = parse(&text) else { return Ok(()) };
        prop_assert_eq!(&parse(&parsed.expr.to_string()).unwrap().expr, &parsed.expr, "{}", text);
        let mut rewritten = text.clone();
        let mut next = text.len();
        for spelling in parsed.spellings.iter().rev() {
            prop_assert!(spelling.range.end <= next, "{}", text);
            next = spelling.range.start;
            rewritten.replace_range(spelling.range.clone(), &spelling.replacement);
        }
        let again = parse(&rewritten).map_err(|errors| TestCaseError::fail(format!("{text} to {rewritten}: {errors:?}")))?;
        prop_assert_eq!(&again.expr, &parsed.expr, "{} to {}", text, rewritten);
        prop_assert!(again.spellings.is_empty(), "{} to {}", text, rewritten);
    }

    #[test]
    fn no_text_makes_the_parser_fail(text in "\\PC{0,40}", cut in fragments()) {
        for text in [text, cut] {
            for error in parse(&text).err().into_iter().flatten() {
                prop_assert!(text.get(error.range.clone()).is_some(), "{} {:?}", text, error);
                prop_assert!(error.message.chars().next().is_some_and(|first| !first.is_uppercase()) && !error.message.ends_with('.'));
            }
        }
    }
}

/// The property above rejects list against list, so it must be rare enough to leave something to test.
#[test]
fn generated_conditions_reach_every_outcome() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = [0; 4];
    for _ in 0..500 {
        use proptest::strategy::ValueTree;
        let (expr, lists, request) = (arbitrary::expr(), lists(), request()).new_tree(&mut runner).unwrap().current();
        let index = match evaluate(&expr, &lists, &request) {
            Some(Outcome::True) => 0,
            Some(Outcome::False) => 1,
            Some(Outcome::Unfit) => 2,
            None => 3,
        };
        seen[index] += 1;
    }
    assert!(seen.iter().take(3).all(|&count| count >= 50), "{seen:?}");
}
