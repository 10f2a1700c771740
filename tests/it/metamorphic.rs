//! What must not matter to the analysis: the order of policies, how they are split, what groups are called, whether a policy is
//! disabled or gone.

use std::collections::BTreeSet;

use lawbook::analysis::Analysis;
use lawbook::policy::Effect;

use crate::difference::statements;
use crate::mutants::Dice;
use crate::mutants::Written;

const LAW_BOOKS: u64 = 150;

/// Holds something of random law books, named by their seeds.
fn each(check: impl Fn(&mut Dice, &[Written], &str)) {
    for seed in 0..LAW_BOOKS {
        let mut dice = Dice(seed);
        let law_book = dice.law_book();
        check(&mut dice, &law_book, &format!("seed {seed}: {law_book:#?}"));
    }
}

#[track_caller]
fn same_decisions(one: &[Written], two: &[Written], what: &str) {
    let difference = Analysis::new(&[&statements(one), &statements(two)]).difference();
    assert!(difference.gained.is_empty() && difference.lost.is_empty(), "{what}: {difference:#?}");
}

#[test]
fn neither_order_nor_repetition_nor_splitting_changes_a_decision() {
    each(|dice, law_book, what| {
        same_decisions(law_book, law_book, what);
        let reversed: Vec<Written> = law_book.iter().rev().cloned().collect();
        same_decisions(law_book, &reversed, what);
        let repeated: Vec<Written> = law_book.iter().chain([&law_book[dice.roll(law_book.len())]]).cloned().collect();
        same_decisions(law_book, &repeated, what);
        let by_member: Vec<Written> = law_book
            .iter()
            .flat_map(|written| written.members.iter().map(|member| Written { members: vec![*member], ..written.clone() }))
            .collect();
        same_decisions(law_book, &by_member, what);
        let by_action: Vec<Written> = law_book
            .iter()
            .flat_map(|written| written.actions.iter().map(|action| Written { actions: vec![*action], ..written.clone() }))
            .collect();
        same_decisions(law_book, &by_action, what);
    });
}

#[test]
fn what_is_disabled_is_gone_and_one_more_denial_gives_nothing() {
    each(|dice, law_book, what| {
        let at = dice.roll(law_book.len());
        let (mut disabled, mut removed) = (law_book.to_vec(), law_book.to_vec());
        disabled[at].enabled = false;
        removed.remove(at);
        same_decisions(&disabled, &removed, what);
        let denial = Written { effect: Effect::Deny, enabled: true, ..dice.written() };
        let more: Vec<Written> = law_book.iter().cloned().chain([denial.clone()]).collect();
        let difference = Analysis::new(&[&statements(law_book), &statements(&more)]).difference();
        assert!(difference.gained.is_empty(), "{what} with {denial:#?}: {difference:#?}");
    });
}

#[test]
fn what_is_said_of_a_law_book_does_not_depend_on_the_names_of_groups() {
    let renamed = |name: &'static str| match name {
        "g" => "k",
        "h" => "g",
        "k" => "h",
        other => other,
    };
    each(|_, law_book, what| {
        let other: Vec<Written> = law_book
            .iter()
            .map(|written| Written {
                members: written.members.iter().copied().map(renamed).collect(),
                except: written.except.iter().copied().map(renamed).collect(),
                ..written.clone()
            })
            .collect();
        let said = |law_book: &[Written]| {
            let meaning = Analysis::new(&[&statements(law_book)]).meaning();
            let dead: Vec<usize> = meaning.dead.iter().map(|dead| dead.grant).collect();
            let redundant: Vec<usize> = meaning.superfluous.redundant.iter().map(|one| one.statement).collect();
            let inert: BTreeSet<usize> = meaning.superfluous.inert.iter().map(|one| one.denial).collect();
            let conflicts: Vec<usize> = meaning.conflicts.iter().map(|conflict| conflict.denial).collect();
            (dead, redundant, inert, conflicts)
        };
        assert_eq!(said(law_book), said(&other), "{what}");
    });
}
