//! Conditions over attributes that have nothing to do with each other but through `{me}`, also declared lists: against every request of
//! a representative set.
//!
//! Values that no atom of a pair tells apart are one case, so that the requests to try are few, and still all.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rayon::prelude::*;
use serde_json::Value as Json;
use serde_json::json;

use super::generate::Chance;
use super::generate::about;
use super::generate::atom;
use super::generate::condition;
use super::generate::tests;
use super::generate::words;
use super::judge::Pair;
use super::judge::QUESTIONS;
use super::judge::Tally;
use super::judge::blank;
use super::judge::put;
use crate::analysis::Budget;
use crate::condition::Atom;
use crate::condition::CompareOp;
use crate::condition::Condition;
use crate::condition::Expr;
use crate::condition::Facts;
use crate::condition::Lists;
use crate::condition::Operand;
use crate::condition::Outcome;
use crate::condition::Term;

/// The callers that are tried.
const CALLERS: [&str; 12] = ["a", "ab", "ba", "b", "c", "aa", "bab", "abc", "\u{0}", "A", "10.1.2.3", "fd00::1"];

/// Scalars on every side of every constant that the tests have.
fn scalars(longest: usize) -> Vec<Json> {
    let numbers = [f64::MIN, -1.0, -5e-324, 0.0, 5e-324, 0.5, 1.0, 1.0_f64.next_up(), 1.5, 2.0, 3.0, f64::MAX];
    let odd = ["\0", "a\0", "a\0\0", "ab\0", "b\0", "A", "é", "10.0.0.1", "10.1.0.1", "10.1.2.3", "11.0.0.1", "::1", "fd00::1"];
    let texts = words("abc", longest).into_iter().chain(odd.map(str::to_owned)).map(Json::from);
    [json!(null), json!(true), json!(false), json!({})].into_iter().chain(numbers.map(Json::from)).chain(texts).collect()
}

/// Values of one kind of attribute, and what every test says of each.
struct Cells {
    values: Vec<Json>,
    /// By test and value.
    outcomes: Vec<Vec<Outcome>>,
    /// By value, the callers that it holds.
    holds: Vec<u16>,
}

struct Tables {
    tests: Vec<Atom>,
    scalar: Cells,
    list: Cells,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let tests: Vec<Atom> = tests(&mut Chance::new(7)).iter().map(|text| atom(text)).collect();
    let few: Vec<Json> = [json!(null), json!(true), json!(false), json!(0), json!(1), json!(1.5), json!(2), json!(-1)]
        .into_iter()
        .chain(["10.1.0.1", "fd00::1"].map(Json::from))
        .chain(words("abc", 2).into_iter().map(Json::from))
        .chain(["aba", "bab", "abb", "\0"].map(Json::from))
        .collect();
    let mut lists = scalars(3);
    lists.extend([json!([]), json!([[]]), json!([{}]), json!(["a", []])]);
    lists.extend(few.iter().map(|one| json!([one])));
    lists.extend(few.iter().enumerate().flat_map(|(at, one)| few[..at].iter().map(move |two| json!([one, two]))));
    let x = Term::parse("x").expect("a term");
    let list = Cells::new(lists, &tests, &std::iter::once(x).collect());
    Tables { scalar: Cells::new(scalars(4), &tests, &Lists::default()), list, tests }
});

impl Cells {
    fn new(values: Vec<Json>, tests: &[Atom], lists: &Lists) -> Self {
        let x = Term::parse("x").expect("a term");
        let evaluate = |atom: &Atom, me: &str| -> Vec<Outcome> {
            let condition = Condition::new(Expr::Atom(atom.clone()), lists).expect("one list at most");
            let mut request = blank(me);
            let outcomes = values.iter().map(|value| {
                put(&mut request, &x, value);
                let (caller, action) = (&request.subject.properties, &request.action.properties);
                condition.evaluate(&Facts { me, caller, action, context: &request.context, document: &request.document })
            });
            outcomes.collect()
        };
        let outcomes = tests.iter().map(|test| evaluate(test, "somebody")).collect();
        let mut holds = vec![0; values.len()];
        for (bit, caller) in CALLERS.iter().enumerate() {
            for (holds, outcome) in holds.iter_mut().zip(evaluate(&atom("x = {me}"), caller)) {
                *holds |= u16::from(outcome == Outcome::True) << bit;
            }
        }
        Self { values, outcomes, holds }
    }
}

/// What the atoms of one pair say of one term.
#[derive(Default)]
struct Asked {
    tests: Vec<usize>,
    linked: bool,
}

/// The values of a term that some atom tells apart when one of the callers asks.
fn distinct<'c>(cells: &'c Cells, asked: &Asked, caller: usize) -> Vec<&'c Json> {
    let mut seen: BTreeMap<(Vec<u8>, bool), &Json> = BTreeMap::new();
    for (at, value) in cells.values.iter().enumerate() {
        let outcomes = asked.tests.iter().map(|&test| cells.outcomes[test][at] as u8).collect();
        seen.entry((outcomes, asked.linked && cells.holds[at] >> caller & 1 == 1)).or_insert(value);
    }
    if asked.tests.is_empty() && !asked.linked { vec![&Json::Null] } else { seen.into_values().collect() }
}

/// Terms, and which of them are lists.
struct Terms {
    terms: Vec<(Term, bool)>,
    /// How many atoms in a hundred are about the caller.
    caller: usize,
}

impl Terms {
    fn new(texts: &[&str], lists: &[&str], caller: usize) -> Self {
        let term = |text: &&str| Term::parse(text).expect("a term");
        let terms = texts.iter().map(|text| (term(text), false)).chain(lists.iter().map(|text| (term(text), true)));
        Self { terms: terms.collect(), caller }
    }

    /// An atom, noting what it asks.
    fn atom(&self, chance: &mut Chance, asked: &mut [Asked], me: &mut Asked) -> Atom {
        let at = chance.below(self.terms.len());
        let (term, _) = &self.terms[at];
        let test = chance.below(TABLES.tests.len());
        let kind = chance.below(100);
        if kind < self.caller / 2 {
            asked[at].linked = true;
            me.linked = true;
            let op = *chance.pick(&[CompareOp::Eq, CompareOp::Eq, CompareOp::Ne]);
            return match chance.below(2) {
                0 => Atom::Compare { term: term.clone(), op, operand: Operand::Term(Term::Me) },
                _ => Atom::Compare { term: Term::Me, op, operand: Operand::Term(term.clone()) },
            };
        }
        if kind < self.caller {
            me.tests.push(test);
            return about(&TABLES.tests[test], &Term::Me);
        }
        asked[at].tests.push(test);
        about(&TABLES.tests[test], term)
    }

    /// One pair against every request.
    fn judge(&self, seed: u64) -> Tally {
        let chance = &mut Chance::new(seed);
        let mut asked: Vec<Asked> = self.terms.iter().map(|_| Asked::default()).collect();
        let mut me = Asked::default();
        let depth = 1 + chance.below(4);
        let mut some = |chance: &mut Chance| condition(chance, depth, &mut |chance| self.atom(chance, &mut asked, &mut me));
        let (grant, denial) = (some(chance), some(chance));
        let lists: Lists = self.terms.iter().filter(|(_, list)| *list).map(|(term, _)| term.clone()).collect();
        let pair = Pair::new(grant, denial, &lists).expect("no lists are compared");
        let cells = |list: &bool| if *list { &TABLES.list } else { &TABLES.scalar };
        let callers = if me.linked || !me.tests.is_empty() { CALLERS.as_slice() } else { &CALLERS[..1] };
        let mut found = [false; QUESTIONS.len()];
        'requests: for (caller, me) in callers.iter().enumerate() {
            let distinct = |((_, list), asked): (&(Term, bool), &Asked)| distinct(cells(list), asked, caller);
            let values: Vec<Vec<&Json>> = self.terms.iter().zip(&asked).map(distinct).collect();
            let mut request = blank(me);
            let mut at = vec![0; values.len()];
            for (values, (term, _)) in values.iter().zip(&self.terms) {
                put(&mut request, term, values[0]);
            }
            loop {
                for (found, met) in found.iter_mut().zip(pair.met_by(&request)) {
                    *found |= met;
                }
                if found == [true; QUESTIONS.len()] {
                    break 'requests;
                }
                let Some(digit) = (0..at.len()).find(|&digit| at[digit] + 1 < values[digit].len()) else { break };
                for (lower, at) in at.iter_mut().enumerate().take(digit + 1) {
                    *at = if lower == digit { *at + 1 } else { 0 };
                    put(&mut request, &self.terms[lower].0, values[lower][*at]);
                }
            }
        }
        pair.judge(found, Budget::default())
    }

    fn judge_all(&self, pairs: u64) -> Tally {
        (0..pairs).into_par_iter().map(|seed| self.judge(seed)).reduce(Tally::default, Tally::with)
    }
}

#[track_caller]
fn check(terms: &Terms, pairs: u64) {
    let mut tally = terms.judge_all(pairs);
    tally.assert_right();
    tally.assert_decided(0);
    assert!(tally.met * 4 > tally.asked && tally.met * 10 < tally.asked * 9, "{} of {} are possible", tally.met, tally.asked);
}

#[test]
fn three_attributes() {
    check(&Terms::new(&["a", "b", "{context.c}"], &[], 0), 1_000);
}

#[test]
fn three_attributes_and_the_caller() {
    check(&Terms::new(&["a", "b", "{me.c}"], &[], 30), 1_000);
}

#[test]
fn one_attribute() {
    check(&Terms::new(&["a"], &[], 10), 1_000);
}

#[test]
fn declared_lists() {
    check(&Terms::new(&["a"], &["tags", "{me.roles}"], 0), 300);
    check(&Terms::new(&["a"], &["tags"], 30), 300);
}
#[test]
fn tables() {
    let now = std::time::Instant::now();
    assert!(!TABLES.tests.is_empty());
    eprintln!("tables {:?} {} tests {} scalars {} lists", now.elapsed(), TABLES.tests.len(), TABLES.scalar.values.len(), TABLES.list.values.len());
    let now = std::time::Instant::now();
    Terms::new(&["a", "b", "{context.c}"], &[], 0).judge_all(200);
    eprintln!("three {:?}", now.elapsed());
    let now = std::time::Instant::now();
    Terms::new(&["a", "b", "{context.c}"], &[], 30).judge_all(200);
    eprintln!("three me {:?}", now.elapsed());
}
