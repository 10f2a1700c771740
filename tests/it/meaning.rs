//! What the analysis says of whole law books, held against every request there is.

use std::collections::BTreeSet;

use lawbook::analysis::Analysis;
use lawbook::analysis::Management;
use lawbook::decision::Request;
use lawbook::decision::applies;
use lawbook::decision::decide;
use lawbook::policy::Effect;
use lawbook::policy::Statement;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::brute::Brute;
use crate::brute::World;
use crate::brute::Written;
use crate::brute::controls;
use crate::brute::law_book;
use crate::brute::set;

/// So many law books are tried.
const LAW_BOOKS: u32 = 700;

/// So many law books of controls alone.
const CONTROLS: u32 = 300;

/// Judges random law books in two ways.
#[track_caller]
fn check(count: u32, law_books: &impl Strategy<Value = Vec<Written>>, judge: impl Fn(&Brute, &Analysis)) {
    let world = World::new();
    let config = ProptestConfig { cases: count, failure_persistence: None, ..ProptestConfig::default() };
    let run = TestRunner::new(config).run(law_books, |law_book| {
        let brute = world.brute(&law_book);
        judge(&brute, &Analysis::new(&[&brute.statements]));
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}

/// That grants are dead exactly when nothing they apply to is allowed, because of denials none of which can be left out.
fn check_dead(brute: &Brute, analysis: &Analysis) -> BTreeSet<usize> {
    let (dead, undecided) = analysis.dead();
    assert_eq!(undecided, [0; 0]);
    let found: BTreeSet<usize> = dead.iter().map(|dead| dead.grant).collect();
    let grants = (0..brute.statements.len()).filter(|&at| brute.statements[at].effect == Effect::Allow);
    let expected: BTreeSet<usize> = grants.filter(|&at| brute.can_apply(at) && brute.covered(at, brute.denials())).collect();
    assert_eq!(found, expected, "dead grants");
    for dead in dead {
        let by = set(dead.denials.iter().copied());
        assert_eq!(by & !brute.denials(), 0, "a grant is named as a denial");
        check_minimal(brute, dead.grant, by);
    }
    found
}

fn check_minimal(brute: &Brute, covered: usize, by: u32) {
    assert!(brute.covered(covered, by), "{covered} is not covered by {by:b}");
    for left_out in (0..brute.statements.len()).filter(|at| by >> at & 1 == 1) {
        assert!(!brute.covered(covered, by & !(1 << left_out)), "{left_out} is not needed to cover {covered}");
    }
}

fn check_superfluous(brute: &Brute, analysis: &Analysis, dead: &BTreeSet<usize>) {
    let found = analysis.superfluous(dead);
    assert_eq!((found.undecided.as_slice(), found.inert_undecided.as_slice()), ([].as_slice(), [].as_slice()));
    let redundant = set(found.redundant.iter().map(|one| one.statement));
    let inert = set(found.inert.iter().map(|one| one.denial));
    let all = brute.all();
    let gone = redundant | inert | set(dead.iter().copied());
    assert!(brute.same(all, all & !gone), "all that is superfluous can go");
    for position in 0..brute.statements.len() {
        let (bit, statement) = (1 << position, &brute.statements[position]);
        if gone & bit != 0 {
            assert!(brute.same(all, all & !bit), "{position} can go");
            assert!(brute.can_apply(position), "{position} never applies, which is another finding");
        } else if brute.can_apply(position) {
            let of_effect = if statement.effect == Effect::Deny { brute.denials() } else { !brute.denials() };
            let left = all & !(gone & of_effect) & !bit;
            let kept = !brute.same(all, left);
            // A control that denies what nothing grants is there for what may be granted.
            let covered = brute.covered(position, left & brute.denials());
            assert!(kept || statement.from_control && !covered, "{position} could go as well");
        }
    }
    for one in &found.inert {
        let (statement, by) = (&brute.statements[one.denial], set(one.by.iter().copied()));
        assert!(!statement.from_control && statement.effect == Effect::Deny);
        assert_eq!(by & (gone | !brute.denials()), 0, "what makes {} inert goes itself", one.denial);
        assert!(brute.takes_nothing(one.denial, by));
        assert!(one.by.iter().all(|&left_out| !brute.takes_nothing(one.denial, by & !(1 << left_out))));
    }
    for one in &found.redundant {
        let by = set(one.by.iter().copied());
        assert_eq!(by & gone, 0, "what makes {} superfluous goes itself", one.statement);
        check_minimal(brute, one.statement, by);
        let equal = one.by.len() == 1 && brute.covered(one.by[0], 1 << one.statement) && {
            brute.statements[one.by[0]].effect == brute.statements[one.statement].effect
        };
        assert_eq!(one.equal, equal, "{} is a duplicate", one.statement);
        let only_denials = brute.statements[one.statement].effect == Effect::Deny;
        assert!(!only_denials || by & !brute.denials() == 0, "a grant makes a denial superfluous");
    }
}

/// That a conflict is shown by a request which both apply to.
fn check_conflicts(brute: &Brute, analysis: &Analysis) {
    let (conflicts, undecided) = analysis.conflicts(&BTreeSet::new());
    assert_eq!(undecided, [0; 0]);
    for conflict in conflicts {
        let witness = conflict.witness;
        let request = Request::from_authzen(&witness).expect("a request");
        let statement = |at: usize| &brute.statements[at];
        assert!(applies(statement(conflict.denial), &request) && applies(statement(conflict.grants[0]), &request), "{witness}");
        assert!(!decide(&brute.statements, &request).allowed, "{witness}");
        let both = |at: usize| brute.classes().any(|class| class >> at & 1 == 1 && class >> conflict.denial & 1 == 1);
        assert!(conflict.grants.iter().all(|&at| both(at) && statement(at).effect == Effect::Allow));
        assert!(conflict.grants.iter().all(|&at| !brute.covered(at, 1 << conflict.denial) && !brute.covered(conflict.denial, 1 << at)));
        assert!(!conflict.regions.is_empty() && !statement(conflict.denial).from_control);
    }
}

fn check_management(brute: &Brute, analysis: &Analysis) {
    let meant = |statement: &Statement| {
        statement.effect == Effect::Allow && statement.service.matches("policy") && statement.actions.contains("update")
    };
    match analysis.management(0) {
        Management::Possible => assert!(brute.can_change_policies(), "somebody can change policies"),
        Management::NotGranted => assert!(!brute.statements.iter().any(meant), "nobody is granted to change policies"),
        Management::LockedOut(grants) => {
            assert!(!brute.can_change_policies(), "nobody can change policies");
            let expected: Vec<usize> = (0..brute.statements.len()).filter(|&at| meant(&brute.statements[at])).collect();
            assert_eq!(grants, expected);
        }
        Management::Undecided(_) => panic!("it is known who can change policies"),
    }
}

/// That controls contradict each other exactly when everything within the scope of one of them, or of all of them, is denied by them
/// together, and not by fewer.
fn check_contradictions(brute: &Brute, analysis: &Analysis) {
    let (found, undecided) = analysis.contradicting_controls();
    assert_eq!(undecided, [0; 0]);
    let controls = (0..brute.statements.len()).filter(|&at| brute.statements[at].from_control);
    let alone: Vec<usize> = controls.filter(|&at| brute.can_be_met(1 << at, 1 << at) == Some(true)).collect();
    for contradiction in &found {
        let together = set(contradiction.controls.iter().copied());
        assert!(contradiction.controls.len() > 1 && contradiction.controls.iter().all(|at| alone.contains(at)));
        let scopes = alone.iter().map(|at| 1 << at).chain([together]);
        let all_denied = |&scope: &u32| brute.can_be_met(scope, together) == Some(false);
        let needed = |scope: u32| contradiction.controls.iter().all(|at| brute.can_be_met(scope, together & !(1 << at)) == Some(true));
        assert!(scopes.clone().filter(all_denied).any(needed), "{:?} contradict each other", contradiction.controls);
    }
    for &at in &alone {
        let all = set(alone.iter().copied());
        let by_one = alone.iter().any(|one| brute.can_be_met(1 << at, 1 << one) == Some(false));
        if brute.can_be_met(1 << at, all) == Some(false) && !by_one {
            let says = |set: u32| brute.can_be_met(1 << at, set) == Some(false);
            let more = found.iter().any(|one| one.more > 0);
            assert!(more || found.iter().any(|one| says(set(one.controls.iter().copied()))), "nothing can be met where {at} applies");
        }
    }
}

#[test]
fn whole_law_books_are_judged_as_every_request_says() {
    check(LAW_BOOKS, &law_book(), |brute, analysis| {
        let dead = check_dead(brute, analysis);
        check_superfluous(brute, analysis, &dead);
        check_conflicts(brute, analysis);
        check_management(brute, analysis);
        check_contradictions(brute, analysis);
        assert!(analysis.meaning().undecided.is_empty());
    });
}

#[test]
fn controls_contradict_each_other_as_every_request_says() {
    check(CONTROLS, &controls(), check_contradictions);
}
