//! Conditions that read a value and what lies inside it, against documents of every shape.

use std::sync::LazyLock;

use rayon::prelude::*;
use serde_json::Value as Json;
use serde_json::json;

use super::generate::Chance;
use super::generate::about;
use super::generate::atom;
use super::generate::condition;
use super::generate::tests;
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

static TESTS: LazyLock<Vec<Atom>> = LazyLock::new(|| tests(&mut Chance::new(11)).iter().map(|text| atom(text)).collect());

/// Values that hold nothing inside them.
fn leaves() -> Vec<Json> {
    let lists = [json!([]), json!([null]), json!([1]), json!(["ab", true]), json!([{}])];
    let scalars = [json!(true), json!(false), json!(0), json!(1), json!(1.5), json!("a"), json!("ab"), json!("bab")];
    std::iter::once(json!(null)).chain(lists).chain(scalars).collect()
}

/// Documents in which `a`, `a.b`, `a.b.c` and `a.d` are everything they can be.
fn documents() -> Vec<Json> {
    let mut b: Vec<Json> = leaves();
    b.push(json!({}));
    b.extend(leaves().into_iter().chain([json!({})]).map(|c| json!({"c": c})));
    let mut a = leaves();
    a.push(json!({}));
    for b in &b {
        a.extend([json!(null), json!(1), json!("ab"), json!([])].map(|d| json!({"b": b, "d": d})));
    }
    a
}

fn judge(seed: u64, terms: &[Term], lists: &Lists, documents: &[Json]) -> Tally {
    let chance = &mut Chance::new(seed);
    let depth = chance.below(4);
    // Whether there is a value at all matters most here.
    let some = |chance: &mut Chance| -> Expr {
        condition(chance, depth, &mut |chance| {
            let test = if chance.below(3) == 0 { chance.below(24) } else { chance.below(TESTS.len()) };
            about(&TESTS[test], chance.pick(terms))
        })
    };
    let pair = Pair::new(some(chance), some(chance), lists).expect("no lists are compared");
    let mut found = [false; QUESTIONS.len()];
    let mut request = blank("a");
    for document in documents {
        put(&mut request, &Term::parse("a").expect("a term"), document);
        for (found, met) in found.iter_mut().zip(pair.met_by(&request)) {
            *found |= met;
        }
    }
    pair.judge(found, Budget::default())
}

#[track_caller]
fn check(terms: &[&str], lists: &[&str]) {
    let all = |texts: &[&str]| texts.iter().map(|text| Term::parse(text).expect("a term")).collect::<Vec<_>>();
    let (terms, lists) = (all(terms), all(lists).into_iter().collect());
    let documents = documents();
    let judged = (0..1_500).into_par_iter().map(|seed| judge(seed, &terms, &lists, &documents));
    let mut tally = judged.reduce(Tally::default, Tally::with);
    tally.assert_right();
    tally.assert_decided(0);
}

#[test]
fn values_inside_each_other() {
    check(&["a", "a.b", "a.b.c"], &[]);
    check(&["a", "a.b", "a.d"], &[]);
    check(&["a", "a.b.c", "a.d"], &[]);
}

#[test]
fn values_inside_declared_lists() {
    check(&["a", "a.b", "a.b.c"], &["a"]);
    check(&["a", "a.b", "a.b.c"], &["a.b"]);
    check(&["a", "a.b", "a.d"], &["a", "a.b"]);
}
