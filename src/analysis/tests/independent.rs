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
use super::judge::met;
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
const CALLERS: [&str; 8] = ["a", "ab", "ba", "c", "bab", "\u{0}", "10.1.2.3", "fd00::1"];

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
    /// By caller and value, whether it is that caller.
    callers: Vec<Vec<Outcome>>,
    /// The same by value, as bits.
    holds: Vec<u16>,
}

struct Tables {
    tests: Vec<Atom>,
    scalar: Cells,
    list: Cells,
    callers: Cells,
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
    let callers = Cells::new(CALLERS.map(Json::from).to_vec(), &tests, &Lists::default());
    Tables { scalar: Cells::new(scalars(4), &tests, &Lists::default()), list, callers, tests }
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
        let callers: Vec<Vec<Outcome>> = CALLERS.iter().map(|caller| evaluate(&atom("x = {me}"), caller)).collect();
        let bit = |at: usize, caller: usize| u16::from(callers[caller][at] == Outcome::True) << caller;
        let holds = (0..values.len()).map(|at| (0..CALLERS.len()).map(|caller| bit(at, caller)).sum()).collect();
        Self { values, outcomes, callers, holds }
    }
}

/// What an atom of a pair is about: a test of a term, or whether a term is the caller. The caller is the term after the last.
#[derive(Clone, Copy)]
enum Leaf {
    Test(usize, usize),
    Caller(usize, bool),
}

/// A condition with its atoms by number, in the order in which they stand.
enum Tree {
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Not(Box<Tree>),
    Leaf(u32),
}

impl Tree {
    fn new(expr: &Expr, next: &mut u32) -> Self {
        match expr {
            Expr::And(parts) => Self::All(parts.iter().map(|part| Self::new(part, next)).collect()),
            Expr::Or(parts) => Self::Any(parts.iter().map(|part| Self::new(part, next)).collect()),
            Expr::Not(part) => Self::Not(Box::new(Self::new(part, next))),
            Expr::Atom(_) => {
                *next += 1;
                Self::Leaf(*next - 1)
            }
        }
    }

    fn holds(&self, truths: u128) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(truths)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(truths)),
            Self::Not(part) => !part.holds(truths),
            Self::Leaf(leaf) => truths >> leaf & 1 == 1,
        }
    }
}

/// A condition with what its atoms are about.
struct Asked {
    tree: Tree,
    leaves: Vec<Leaf>,
}

/// What a condition says of one value: the atoms that are true, and whether it is unfit.
type Says = (u128, bool);

impl Asked {
    fn new(expr: &Expr, leaves: Vec<Leaf>) -> Self {
        Self { tree: Tree::new(expr, &mut 0), leaves }
    }

    /// The tests of a term with their numbers.
    fn tests(&self, term: usize) -> Vec<(usize, usize)> {
        let of_term = |(number, leaf): (usize, &Leaf)| match *leaf {
            Leaf::Test(about, test) => (about == term).then_some((number, test)),
            Leaf::Caller(..) => None,
        };
        self.leaves.iter().enumerate().filter_map(of_term).collect()
    }

    /// With what the comparisons with the caller say.
    fn say(&self, (mut truths, mut unfit): Says, term: usize, caller: Outcome) -> Says {
        for (number, leaf) in self.leaves.iter().enumerate() {
            if let Leaf::Caller(about, negated) = *leaf
                && about == term
            {
                truths |= u128::from((caller == Outcome::True) != negated) << number;
                unfit |= caller == Outcome::Unfit;
            }
        }
        (truths, unfit)
    }
}

/// What tests with their numbers say of a value.
fn tests_say(cells: &Cells, tests: &[(usize, usize)], at: usize) -> Says {
    let outcomes = tests.iter().map(|&(number, test)| (number, cells.outcomes[test][at]));
    outcomes.fold((0, false), |(truths, unfit), (number, outcome)| {
        (truths | u128::from(outcome == Outcome::True) << number, unfit || outcome == Outcome::Unfit)
    })
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

    /// An atom, and what it is about.
    fn atom(&self, chance: &mut Chance) -> (Atom, Leaf) {
        let at = chance.below(self.terms.len());
        let (term, _) = &self.terms[at];
        let test = chance.below(TABLES.tests.len());
        let kind = chance.below(100);
        if kind < self.caller / 2 {
            let op = *chance.pick(&[CompareOp::Eq, CompareOp::Eq, CompareOp::Ne]);
            let (one, two) = if chance.below(2) == 0 { (term.clone(), Term::Me) } else { (Term::Me, term.clone()) };
            return (Atom::Compare { term: one, op, operand: Operand::Term(two) }, Leaf::Caller(at, op == CompareOp::Ne));
        }
        if kind < self.caller {
            return (about(&TABLES.tests[test], &Term::Me), Leaf::Test(self.terms.len(), test));
        }
        (about(&TABLES.tests[test], term), Leaf::Test(at, test))
    }

    /// One pair against every request.
    fn judge(&self, seed: u64) -> Tally {
        let chance = &mut Chance::new(seed);
        let depth = 1 + chance.below(4);
        let mut some = || {
            let mut leaves = Vec::new();
            let expr = condition(chance, depth, &mut |chance| {
                let (atom, leaf) = self.atom(chance);
                leaves.push(leaf);
                atom
            });
            let asked = Asked::new(&expr, leaves);
            (expr, asked)
        };
        let ((grant, grant_asks), (denial, denial_asks)) = (some(), some());
        let lists: Lists = self.terms.iter().filter(|(_, list)| *list).map(|(term, _)| term.clone()).collect();
        let pair = Pair::new(grant, denial, &lists).expect("no lists are compared");
        let asked = [&grant_asks, &denial_asks];
        let cells = |term: usize| if self.terms[term].1 { &TABLES.list } else { &TABLES.scalar };
        // Values that neither an atom nor a caller tells apart are one.
        let values: Vec<BTreeMap<([Says; 2], u16), usize>> = (0..self.terms.len())
            .map(|term| {
                let tests = asked.map(|asked| asked.tests(term));
                let key = |at| (tests.each_ref().map(|tests| tests_say(cells(term), tests, at)), cells(term).holds[at]);
                (0..cells(term).values.len()).map(|at| (key(at), at)).collect()
            })
            .collect();
        let mut found = [false; QUESTIONS.len()];
        let callers = if self.caller == 0 { 1 } else { CALLERS.len() };
        for caller in 0..callers {
            let values: Vec<Vec<([Says; 2], &Json)>> = values
                .iter()
                .enumerate()
                .map(|(term, values)| {
                    let said =
                        |says: &[Says; 2], at: usize| [0, 1].map(|side| asked[side].say(says[side], term, cells(term).callers[caller][at]));
                    let distinct: BTreeMap<[Says; 2], &Json> =
                        values.iter().map(|((says, _), &at)| (said(says, at), &cells(term).values[at])).collect();
                    distinct.into_iter().collect()
                })
                .collect();
            self.try_all(caller, &pair, asked, &values, &mut found);
        }
        pair.judge(found, Budget::default())
    }

    /// Every request of one caller. What is found is evaluated as a request once more.
    fn try_all(
        &self,
        caller: usize,
        pair: &Pair,
        asked: [&Asked; 2],
        values: &[Vec<([Says; 2], &Json)>],
        found: &mut [bool; QUESTIONS.len()],
    ) {
        let me = asked.map(|asked| tests_say(&TABLES.callers, &asked.tests(self.terms.len()), caller));
        let mut at = vec![0; values.len()];
        loop {
            let chosen = || at.iter().zip(values).map(|(&at, values)| &values[at]);
            let applies = |side: usize, unfit: bool| {
                let all = chosen().fold(me[side], |all, (says, _)| (all.0 | says[side].0, all.1 | says[side].1));
                if all.1 { unfit } else { asked[side].tree.holds(all.0) }
            };
            let met = met(applies(0, false), applies(1, true));
            if found.iter().zip(met).any(|(found, met)| met && !found) {
                let mut request = blank(CALLERS[caller]);
                self.terms.iter().zip(chosen()).for_each(|((term, _), (_, value))| put(&mut request, term, value));
                assert_eq!(pair.met_by(&request), met, "{pair} on {request:?}");
                found.iter_mut().zip(met).for_each(|(found, met)| *found |= met);
            }
            if *found == [true; QUESTIONS.len()] {
                return;
            }
            let Some(digit) = (0..at.len()).find(|&digit| at[digit] + 1 < values[digit].len()) else { return };
            at[digit] += 1;
            at[..digit].fill(0);
        }
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
    assert!(tally.met * 4 > tally.asked && tally.met * 20 < tally.asked * 19, "{} of {} are possible", tally.met, tally.asked);
}

#[test]
fn three_attributes() {
    check(&Terms::new(&["a", "b", "{context.c}"], &[], 0), 8_000);
}

#[test]
fn three_attributes_and_the_caller() {
    check(&Terms::new(&["a", "b", "{me.c}"], &[], 30), 6_000);
}

#[test]
fn one_attribute() {
    check(&Terms::new(&["a"], &[], 10), 3_000);
}

#[test]
fn declared_lists() {
    check(&Terms::new(&["a"], &["tags", "{me.roles}"], 0), 1_500);
    check(&Terms::new(&["a"], &["tags"], 30), 1_500);
}
