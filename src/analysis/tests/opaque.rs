//! What the solver does not see through: it may give up, and must never be wrong.

use rayon::prelude::*;
use serde_json::Value as Json;
use serde_json::json;

use super::generate::Chance;
use super::generate::about;
use super::generate::atom;
use super::generate::condition;
use super::judge::Pair;
use super::judge::QUESTIONS;
use super::judge::Tally;
use super::judge::blank;
use super::judge::put;
use crate::analysis::Budget;
use crate::condition::Atom;
use crate::condition::Expr;
use crate::condition::Lists;
use crate::condition::Term;

const TESTS: [&str; 22] = [
    "x",
    "exists x",
    "x = null",
    "x != null",
    "x = 1",
    "x != 1",
    "x = 'a'",
    "x != 'ab'",
    "x = true",
    "x in (1, 'a')",
    "x not in (0, 'ab')",
    "x < 1",
    "x >= 1",
    "x > 'a'",
    "x <= 'ab'",
    "x like 'a%'",
    "x not like '%b'",
    "x matches '^a+$'",
    "x not matches 'b'",
    "x matches '^[ab]{2}$'",
    "x in cidr ('10.0.0.0/8')",
    "x matches '(?i)AB'",
];

const COMPARISONS: [&str; 8] = ["=", "=", "!=", "!=", "<", "<=", ">", ">="];

fn values() -> Vec<Json> {
    let scalars = [json!(null), json!(true), json!(false), json!(0), json!(1), json!(2), json!({}), json!("a"), json!("ab"), json!("aa")];
    scalars.into_iter().chain([json!("ba"), json!("AB"), json!("10.0.0.1"), json!("")]).collect()
}

fn judge(seed: u64, terms: &[Term], lists: &Lists, values: &[Json], opaque: usize) -> Tally {
    let chance = &mut Chance::new(seed);
    let depth = chance.below(4);
    let some = |chance: &mut Chance| -> Expr {
        condition(chance, depth, &mut |chance| {
            let (one, two) = (chance.pick(terms), chance.pick(terms));
            if chance.below(100) < opaque && !(lists.contains(one) && lists.contains(two)) {
                return match atom(&format!("x {} y", COMPARISONS[chance.below(COMPARISONS.len())])) {
                    Atom::Compare { op, .. } => {
                        Atom::Compare { term: one.clone(), op, operand: crate::condition::Operand::Term(two.clone()) }
                    }
                    other => other,
                };
            }
            about(&atom(TESTS[chance.below(TESTS.len())]), one)
        })
    };
    let Some(pair) = Pair::new(some(chance), some(chance), lists) else { return Tally::default() };
    let mut found = [false; QUESTIONS.len()];
    let mut request = blank("a");
    for one in values {
        put(&mut request, &terms[0], one);
        for two in values {
            put(&mut request, &terms[1], two);
            for three in ["a", "ab", "ba", "c"].into_iter().map(Json::from) {
                put(&mut request, &terms[2], &three);
                for (found, met) in found.iter_mut().zip(pair.met_by(&request)) {
                    *found |= met;
                }
            }
        }
    }
    pair.judge(found, Budget::default())
}

#[track_caller]
fn check(terms: &[&str], lists: &[&str], opaque: usize, most: usize) {
    let all = |texts: &[&str]| texts.iter().map(|text| Term::parse(text).expect("a term")).collect::<Vec<_>>();
    let (terms, lists) = (all(terms), all(lists).into_iter().collect());
    let mut values = values();
    if lists != Lists::default() {
        values.extend([json!([]), json!(["a"]), json!(["a", "ab"]), json!([1, "ba"]), json!([0, 2]), json!([[]])]);
    }
    let judged = (0..1_000).into_par_iter().map(|seed| judge(seed, &terms, &lists, &values, opaque));
    let mut tally = judged.reduce(Tally::default, Tally::with);
    tally.assert_right();
    tally.assert_decided(most);
}

#[test]
fn regular_expressions() {
    check(&["a", "b", "{me}"], &[], 0, 100);
}

#[test]
fn comparisons_of_two_terms() {
    check(&["a", "b", "{me}"], &[], 30, 150);
    check(&["a", "a.b", "{me}"], &[], 30, 150);
    check(&["a", "tags", "{me}"], &["tags"], 30, 150);
}
