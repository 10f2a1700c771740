//! Laws that hold for every condition, with odd names, large numbers, many networks and all of what is opaque.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::judge::Pair;
use super::judge::QUESTIONS;
use crate::analysis::Budget;
use crate::analysis::Formula;
use crate::analysis::Goal;
use crate::analysis::Vocabulary;
use crate::analysis::satisfiable;
use crate::condition::Atom;
use crate::condition::Condition;
use crate::condition::Expr;
use crate::condition::Lists;
use crate::condition::Operand;
use crate::condition::Path;
use crate::condition::Term;
use crate::condition::arbitrary;
use crate::policy::Effect;

fn not(expr: &Expr) -> Expr {
    Expr::Not(Box::new(expr.clone()))
}

/// What is known of whether conditions, as those of grants, can hold together, and others fail.
fn known(hold: &[&Expr], fail: &[&Expr]) -> Option<bool> {
    let mut vocabulary = Vocabulary::default();
    let mut formula = |expr: &&Expr| {
        let condition = Condition::new((*expr).clone(), &Lists::default()).expect("no lists");
        Formula::of_statement(&condition, Effect::Allow, &mut vocabulary)
    };
    let hold: Vec<Formula> = hold.iter().map(&mut formula).collect();
    let fail: Vec<Formula> = fail.iter().map(&mut formula).collect();
    vocabulary.relate();
    let goals: Vec<Goal<'_>> = hold.iter().map(Goal::yes).chain(fail.iter().map(Goal::no)).collect();
    satisfiable(&vocabulary, &goals, Budget::default()).known()
}

/// With other names of attributes.
fn renamed(expr: &Expr) -> Expr {
    let term = |term: &Term| match term {
        Term::Document(path) => Term::Document(rename(path)),
        Term::Caller(path) => Term::Caller(rename(path)),
        Term::Action(path) => Term::Action(rename(path)),
        Term::Context(path) => Term::Context(rename(path)),
        Term::Me => Term::Me,
    };
    match expr {
        Expr::And(parts) => Expr::And(parts.iter().map(renamed).collect()),
        Expr::Or(parts) => Expr::Or(parts.iter().map(renamed).collect()),
        Expr::Not(part) => not(&renamed(part)),
        Expr::Atom(Atom::Compare { term: one, op, operand: Operand::Term(other) }) => {
            Expr::Atom(Atom::Compare { term: term(one), op: *op, operand: Operand::Term(term(other)) })
        }
        Expr::Atom(atom) => Expr::Atom(super::generate::about(atom, &term(atom.term()))),
    }
}

fn rename(path: &Path) -> Path {
    Path::new(path.names().iter().map(|name| format!("z{name}")).collect()).expect("a path")
}

/// No law holds for what is not known, but for whatever is known about both.
fn agree(one: Option<bool>, two: Option<bool>) -> bool {
    one.is_none() || two.is_none() || one == two
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_condition_and_its_complement(expr in arbitrary::expr()) {
        prop_assert_ne!(known(&[&expr, &not(&expr)], &[]), Some(true), "{}", expr);
        prop_assert_ne!(known(&[&expr], &[&expr]), Some(true), "{}", expr);
        prop_assert_ne!((known(&[&expr], &[]), known(&[], &[&expr])), (Some(false), Some(false)), "{}", expr);
        prop_assert!(agree(known(&[&not(&not(&expr))], &[]), known(&[&expr], &[])), "{}", expr);
        prop_assert!(agree(known(&[&renamed(&expr)], &[]), known(&[&expr], &[])), "{}", expr);
    }

    #[test]
    fn de_morgan(one in arbitrary::expr(), two in arbitrary::expr()) {
        let outside = not(&Expr::And(vec![one.clone(), two.clone()]));
        let inside = Expr::Or(vec![not(&one), not(&two)]);
        prop_assert_ne!(known(&[&outside], &[&inside]), Some(true), "{} and {}", one, two);
        prop_assert_ne!(known(&[&inside], &[&outside]), Some(true), "{} and {}", one, two);
        prop_assert!(agree(known(&[&inside], &[]), known(&[&outside], &[])), "{} and {}", one, two);
        let both = Expr::And(vec![one.clone(), two.clone()]);
        prop_assert!(agree(known(&[&both], &[]), known(&[&one, &two], &[])), "{} and {}", one, two);
    }

    #[test]
    fn every_model_is_a_request(grant in arbitrary::expr(), denial in arbitrary::expr(), lists in any::<bool>()) {
        let lists: Lists = ["a", "{me.b}"].iter().filter(|_| lists).map(|text| Term::parse(text).expect("a term")).collect();
        let Some(pair) = Pair::new(grant, denial, &lists) else { return Ok(()) };
        let tally = pair.judge([false; QUESTIONS.len()], Budget::default());
        prop_assert!(tally.wrong.is_empty(), "{:?}", tally.wrong);
    }
}

/// What a generated condition can be asked is rarely not known.
#[test]
fn little_is_not_known() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut answers: BTreeMap<Option<bool>, usize> = BTreeMap::new();
    for _ in 0..500 {
        use proptest::strategy::ValueTree;
        let (one, two) = (arbitrary::expr(), arbitrary::expr()).new_tree(&mut runner).expect("a tree").current();
        *answers.entry(known(&[&one], &[&two])).or_default() += 1;
    }
    assert!(answers.get(&None).copied().unwrap_or_default() <= 10, "{answers:?}");
}
