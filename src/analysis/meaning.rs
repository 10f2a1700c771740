//! Everything that is to be said of a law book as a whole, found at once, and what could not be found out.
//!
//! A question that is not answered is told like one that is: nothing is taken to be fine because nobody knows.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use rayon::prelude::*;

use super::conflict::Conflict;
use super::controls::Contradiction;
use super::dead::Dead;
use super::lockout::Lockout;
use super::lockout::Management;
use super::needed::Superfluous;
use super::prepared::Prepared;
use super::question::Analysis;
use super::question::Verdict;
use super::side::Side;
use crate::condition::Atom;
use crate::condition::CompareOp;
use crate::condition::Operand;
use crate::condition::Term;
use crate::config::BUILT_IN_ACTIONS;
use crate::policy::Effect;
use crate::policy::Member;
use crate::policy::Selector;
use crate::policy::Statement;

/// No more obstacles are named for one statement.
const NAMED: usize = 3;

/// What there is to say of a law book.
#[derive(Debug, Clone, Default)]
pub struct Meaning {
    /// Grants that denials cover.
    pub dead: Vec<Dead>,
    /// Other statements that change nothing.
    pub superfluous: Superfluous,
    /// Denials that overlap grants in part.
    pub conflicts: Vec<Conflict>,
    /// Why nobody can change policies, if that is so.
    pub lockout: Option<Lockout>,
    /// Controls that cannot be met together.
    pub contradictions: Vec<Contradiction>,
    /// What is not known, by statement.
    pub undecided: Vec<Undecided>,
}

/// What is not known of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// The position of the statement.
    pub statement: usize,
    /// What may or may not be so.
    pub claims: BTreeSet<Claim>,
    /// What is in the way, three things at most; without any, the question is too large.
    pub obstacles: Vec<Obstacle>,
}

/// Something that may be so of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    /// Denials leave nothing of the grant.
    Dead,
    /// It changes no decision.
    Redundant,
    /// Nothing grants what it denies.
    Inert,
    /// It overlaps grants in part.
    Conflict,
    /// It leaves nobody who can change policies.
    Lockout,
    /// It cannot be met together with other controls.
    Contradiction,
}

/// A part of a condition that is not reasoned about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// The position of the statement that it is part of.
    pub statement: usize,
    /// The part.
    pub atom: Atom,
}

impl Analysis {
    /// What there is to say of the first law book.
    pub fn meaning(&self) -> Meaning {
        let mut claims: BTreeMap<usize, BTreeSet<Claim>> = BTreeMap::new();
        let mut note = |claim: Claim, positions: &[usize]| {
            for &position in positions {
                claims.entry(position).or_default().insert(claim);
            }
        };
        let Some(side) = self.side(0) else { return Meaning::default() };
        let sweeping = side.statements.iter().enumerate().filter(|(_, prepared)| is_sweeping(&prepared.statement));
        let (denials, grants): (Vec<_>, Vec<_>) = sweeping.partition(|(_, prepared)| prepared.statement.effect == Effect::Deny);
        let grants: BTreeSet<usize> = grants.into_iter().map(|(at, _)| at).collect();
        let plainly = self.plainly(side, &grants);
        let (dead, undecided) = self.dead_among(side, &plainly);
        note(Claim::Dead, &undecided);
        let mut aside: BTreeSet<usize> = dead.iter().map(|dead| dead.grant).collect();
        // What is superfluous because of everything for everybody is needed again when that goes, as it should.
        let sweeping = grants.into_iter().chain(denials.into_iter().map(|(at, _)| at));
        let mut superfluous = self.superfluous_among(side, &plainly, &aside.iter().copied().chain(sweeping).collect());
        // A condition that only a value which does not fit can meet is another finding.
        let found = superfluous.redundant.iter().map(|one| one.statement).chain(superfluous.inert.iter().map(|one| one.denial));
        let found: Vec<usize> = found.collect();
        let hollow: BTreeSet<usize> = found.into_par_iter().filter(|&position| !self.can_apply_fitting(position)).collect();
        superfluous.redundant.retain(|one| !hollow.contains(&one.statement));
        superfluous.inert.retain(|one| !hollow.contains(&one.denial));
        aside.extend(superfluous.redundant.iter().map(|one| one.statement).chain(superfluous.inert.iter().map(|one| one.denial)));
        note(Claim::Redundant, &superfluous.undecided);
        note(Claim::Inert, &superfluous.inert_undecided);
        let (conflicts, undecided) = self.conflicts(&aside);
        note(Claim::Conflict, &undecided);
        let lockout = match self.management(0) {
            Management::LockedOut(grants) => self.lockout(grants),
            Management::Undecided(grants) => {
                note(Claim::Lockout, &grants);
                None
            }
            Management::Possible | Management::NotGranted => None,
        };
        let (contradictions, undecided) = self.contradicting_controls();
        note(Claim::Contradiction, &undecided);
        let undecided = claims.into_iter().map(|(statement, claims)| Undecided { statement, claims, obstacles: self.obstacles(statement) });
        Meaning { dead, superfluous, conflicts, lockout, contradictions, undecided: undecided.collect() }
    }

    /// Whether a statement can apply to a request whose values fit.
    fn can_apply_fitting(&self, position: usize) -> bool {
        let Some((side, own)) = self.side(0).and_then(|side| side.statements.get(position).map(|own| (side, own))) else { return false };
        self.is_possible(side, own, true) == Verdict::Yes(())
    }

    /// What is not reasoned about in a statement, and then in those that may apply with it.
    fn obstacles(&self, position: usize) -> Vec<Obstacle> {
        let Some((side, own)) = self.side(0).and_then(|side| side.statements.get(position).map(|own| (side, own))) else {
            return Vec::new();
        };
        let cases = side.cases(&[own]).unwrap_or_default();
        let around: BTreeSet<usize> = cases
            .iter()
            .flat_map(|case| case.denials.iter().chain(&case.grants))
            .map(|&at| at as usize)
            .filter(|&at| at != position)
            .collect();
        let opaque = |at: usize| Self::opaque(side, at).into_iter().map(move |atom| Obstacle { statement: at, atom });
        std::iter::once(position).chain(around).flat_map(opaque).take(NAMED).collect()
    }

    fn opaque(side: &Side, position: usize) -> Vec<Atom> {
        let mut atoms = Vec::new();
        let condition = side.statements.get(position).and_then(|prepared: &Prepared| prepared.statement.condition.as_ref());
        if let Some(condition) = condition {
            condition.expr().each_atom(&mut |atom| {
                if is_opaque(atom) && !atoms.contains(atom) {
                    atoms.push(atom.clone());
                }
            });
        }
        atoms
    }
}

/// Whether a statement is about every built-in action on every service, whoever asks and whatever about.
pub fn is_sweeping(statement: &Statement) -> bool {
    statement.condition.is_none()
        && statement.except.is_empty()
        && statement.service == Selector::Any
        && statement.members.contains(&Member::Everyone)
        && BUILT_IN_ACTIONS.iter().all(|action| statement.actions.contains(action))
}

/// Whether an atom is one that questions cannot see into.
pub(super) fn is_opaque(atom: &Atom) -> bool {
    match atom {
        Atom::Matches { .. } => true,
        Atom::Compare { term, op, operand: Operand::Term(other) } => {
            let with_me = [term, other].into_iter().any(|term| *term == Term::Me);
            !(with_me && matches!(op, CompareOp::Eq | CompareOp::Ne))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::sample::statement;

    /// What is in the way of knowing whether the grant is dead.
    #[track_caller]
    fn check(grant: &str, denial: &str, expected: &[(usize, &str)]) {
        let statements = [statement("G", Effect::Allow, grant), statement("D", Effect::Deny, denial)];
        let meaning = Analysis::new(&[&statements]).meaning();
        let undecided = meaning.undecided.iter().find(|one| one.statement == 0 && one.claims.contains(&Claim::Dead));
        let said: Vec<(usize, String)> = undecided
            .iter()
            .flat_map(|one| &one.obstacles)
            .map(|obstacle| (obstacle.statement, crate::condition::Expr::Atom(obstacle.atom.clone()).to_string()))
            .collect();
        let said: Vec<(usize, &str)> = said.iter().map(|(at, text)| (*at, text.as_str())).collect();
        assert_eq!(said, expected, "{grant} against {denial}");
        assert!(meaning.dead.is_empty());
    }

    #[test]
    fn what_is_not_known_is_told_with_what_is_in_the_way() {
        let around = [(0, "a < b"), (0, "b < c"), (1, "c > a")];
        check("read | r | s | g | a < b and b < c", "read | r | s | g | c > a", &around);
        check("read | r | s | g | a < b", "read | r | s | g | c = 1", &[]);
        check("read | r | s | g | a like 'x%'", "read | r | s | g | a matches '^x'", &[(1, "a matches '^x'")]);
        check("read | r | s | g | owner = {me}", "read | r | s | g | owner != {me}", &[]);
    }
}
