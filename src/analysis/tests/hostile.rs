//! The largest conditions that are accepted: an answer, or none, and soon.

use std::time::Duration;
use std::time::Instant;

use crate::analysis::Budget;
use crate::analysis::Formula;
use crate::analysis::Goal;
use crate::analysis::Vocabulary;
use crate::analysis::satisfiable;
use crate::condition::Condition;
use crate::condition::Expr;
use crate::condition::Lists;
use crate::condition::Term;
use crate::condition::parse;
use crate::policy::Effect;

fn expr(text: &str) -> Expr {
    parse(text).unwrap_or_else(|errors| panic!("{errors:?}")).expr
}

fn joined(count: usize, word: &str, part: impl Fn(usize) -> String) -> Expr {
    let parts = (0..count).map(|at| expr(&part(at))).collect();
    if word == "and" { Expr::all(parts) } else { Expr::any(parts) }
}

/// Asks whether the first can hold, whether it can fail, and whether it can hold without the second.
#[track_caller]
fn check(what: &str, one: &Expr, two: &Expr, expected: [Option<bool>; 3]) {
    let started = Instant::now();
    let lists: Lists = std::iter::once(Term::parse("tags").expect("a term")).collect();
    let mut vocabulary = Vocabulary::default();
    let mut formula = |expr: &Expr, effect: Effect| {
        let condition = Condition::new(expr.clone(), &lists).expect("no lists are compared");
        Formula::of_statement(&condition, effect, &mut vocabulary)
    };
    let (one, two) = (formula(one, Effect::Allow), formula(two, Effect::Deny));
    vocabulary.relate();
    let built = started.elapsed();
    let ask = |goals: &[Goal<'_>]| satisfiable(&vocabulary, goals, Budget::default()).known();
    let mut times = Vec::new();
    let answers = [vec![Goal::yes(&one)], vec![Goal::no(&one)], vec![Goal::yes(&one), Goal::no(&two)]].map(|goals| {
        let started = Instant::now();
        let answer = ask(&goals);
        times.push(started.elapsed());
        answer
    });
    eprintln!("{what}: {built:?}, then {times:?}");
    assert!(started.elapsed() < Duration::from_secs(40), "{what}: {:?}", started.elapsed());
    assert_eq!(answers, expected, "{what}");
}

const YES: Option<bool> = Some(true);
const NO: Option<bool> = Some(false);

#[test]
fn many_atoms_of_one_attribute() {
    let none = joined(4096, "and", |at| format!("a != {at}"));
    let some = joined(4096, "or", |at| format!("a = {at}"));
    check("a != n", &none, &some, [YES, YES, YES]);
    check("a = n", &some, &none, [YES, YES, YES]);
    check("a = n without itself", &some, &some, [YES, YES, NO]);
    let words = joined(4096, "or", |at| format!("a = 'word{at}'"));
    check("a = word", &words, &words, [YES, YES, NO]);
    let mixed = joined(2048, "or", |at| format!("(a > {at} and a < {at}.5) or a like 'p{at}%'"));
    check("ranges", &mixed, &mixed, [YES, YES, NO]);
    let like = joined(4096, "or", |at| format!("a like '%{at}_'"));
    check("like", &like, &like, [YES, YES, NO]);
    check("not like", &Expr::Not(Box::new(like.clone())), &like, [YES, YES, YES]);
    let tags = joined(4096, "and", |at| format!("tags = {at}"));
    check("tags", &tags, &tags, [YES, YES, NO]);
    let tags = joined(4096, "or", |at| format!("tags = {at}"));
    check("no tags", &tags, &tags, [YES, YES, NO]);
}

#[test]
fn many_attributes() {
    let all = joined(4096, "and", |at| format!("a{at} = 1"));
    let any = joined(4096, "or", |at| format!("a{at} = 1"));
    check("all", &all, &any, [YES, YES, NO]);
    check("any", &any, &any, [YES, YES, NO]);
    check("any without all", &any, &all, [YES, YES, YES]);
    let pairs = joined(512, "and", |at| format!("(a{at} = 1 or b{at} = 1)"));
    check("pairs", &pairs, &pairs, [YES, YES, None]);
    let nested = joined(64, "and", |at| format!("exists {}", vec!["a"; at + 1].join(".")));
    check("nested", &nested, &nested, [NO, YES, NO]);
    let mine = joined(4096, "and", |at| format!("a{at} = {{me}}"));
    check("mine", &mine, &mine, [YES, YES, NO]);
    let others = joined(4096, "and", |at| format!("a{at} != {{me}} and a{at} in ('x', 'y')"));
    check("others", &others, &mine, [YES, YES, YES]);
    let compared = joined(4096, "and", |at| format!("a{at} < a{}", at + 1));
    check("compared", &compared, &compared, [None, YES, NO]);
}

#[test]
fn deep_conditions() {
    let mut text = "a = 1".to_owned();
    for depth in 0..30 {
        text = format!("not (({text} or b = {depth}) and c = {depth})");
    }
    let deep = expr(&text);
    check("deep", &deep, &deep, [YES, YES, NO]);
    let parity = (0..8).fold(expr("a = 1"), |known, at| {
        let one = expr(&format!("b{at} = 1"));
        let not = |expr: &Expr| Expr::Not(Box::new(expr.clone()));
        Expr::any(vec![Expr::all(vec![known.clone(), not(&one)]), Expr::all(vec![not(&known), one])])
    });
    check("parity", &parity, &parity, [YES, YES, NO]);
}

#[test]
fn long_lists_and_patterns() {
    let numbers = |from: usize| (from..from + 5_000).map(|at| format!("{at},'{at}'")).collect::<Vec<_>>().join(",");
    let (one, two) = (expr(&format!("a in ({})", numbers(0))), expr(&format!("a in ({})", numbers(1))));
    check("lists", &one, &two, [YES, YES, YES]);
    check("the same list", &one, &one, [YES, YES, NO]);
    let patterns =
        |word: &str| joined(40, "and", |at| format!("a {word} '%{}%{}_%{}'", "ab".repeat(at % 7), "a".repeat(at), "b".repeat(at % 5)));
    check("patterns", &patterns("like"), &patterns("not like"), [None, YES, None]);
    let runs = format!("a like '{}' and a not like '{}'", "%a_".repeat(31), "%_b".repeat(31));
    check("runs", &expr(&runs), &expr("a like '%b%'"), [YES, YES, YES]);
    let networks = joined(2048, "or", |at| format!("a in cidr ('10.{}.{}.0/24')", at / 256, at % 256));
    check("networks", &networks, &expr("a in cidr ('10.0.0.0/13')"), [YES, YES, NO]);
}
