//! Statements without which every request is decided as before.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::dead::minimal;
use super::prepared::Prepared;
use super::question::Analysis;
use super::question::Verdict;
use super::side::Case;
use super::side::Side;
use crate::policy::Effect;

/// A statement that others make superfluous.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redundant {
    /// The position of the statement.
    pub statement: usize,
    /// The positions of statements that decide whatever it matches in the same way, none of which can be left out: grants and
    /// denials for a grant, denials for a denial.
    pub by: Vec<usize>,
    /// Whether there is one of these, and it matches the very same requests.
    pub equal: bool,
}

/// Statements that change nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Superfluous {
    /// Statements that others make superfluous. All of them can be removed together; none of them is named as what makes another so.
    pub redundant: Vec<Redundant>,
    /// Denials of what nothing grants, by position.
    pub inert: Vec<usize>,
    /// Statements of which it is not known.
    pub undecided: Vec<usize>,
}

impl Analysis {
    /// The statements of the first law book that change no decision, beside dead grants, which are given, and statements that never apply.
    pub fn superfluous(&self, dead: &BTreeSet<usize>) -> Superfluous {
        let Some(side) = self.side(0) else { return Superfluous::default() };
        let none = BTreeSet::new();
        let alone: Vec<(usize, Verdict<()>)> = (0..side.statements.len())
            .into_par_iter()
            .filter(|position| !dead.contains(position))
            .map(|position| (position, self.is_redundant(side, position, &none)))
            .collect();
        let undecided: BTreeSet<usize> =
            alone.iter().filter(|(_, verdict)| *verdict == Verdict::Undecided).map(|(position, _)| *position).collect();
        let candidates: Vec<usize> =
            alone.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Yes(()))).map(|(position, _)| *position).collect();
        // Of statements that make each other superfluous the first one stays, so that all that are reported can go.
        let mut removed: BTreeSet<u32> = BTreeSet::new();
        let mut redundant = Vec::new();
        for &position in candidates.iter().rev() {
            if matches!(self.is_redundant(side, position, &removed), Verdict::Yes(())) {
                removed.extend(u32::try_from(position));
                redundant.push(position);
            }
        }
        redundant.sort_unstable();
        let found: Vec<Redundant> = redundant.par_iter().map(|&position| self.by_what(side, position, &removed)).collect();
        let inert: Vec<(usize, Verdict<()>)> = side
            .statements
            .par_iter()
            .enumerate()
            .filter(|(position, prepared)| {
                let statement = &prepared.statement;
                statement.effect == Effect::Deny && !statement.from_control && !redundant.contains(position)
            })
            .map(|(position, denial)| (position, self.is_inert(side, position, denial, &removed)))
            .collect();
        let mut undecided = undecided;
        undecided.extend(inert.iter().filter(|(_, verdict)| *verdict == Verdict::Undecided).map(|(position, _)| *position));
        let mut unneeded = Vec::new();
        for (position, _) in inert.into_iter().rev().filter(|(_, verdict)| matches!(verdict, Verdict::Yes(()))) {
            let denial = side.statements.get(position);
            if denial.is_some_and(|denial| matches!(self.is_inert(side, position, denial, &removed), Verdict::Yes(()))) {
                removed.extend(u32::try_from(position));
                unneeded.push(position);
            }
        }
        unneeded.reverse();
        Superfluous { redundant: found, inert: unneeded, undecided: undecided.into_iter().collect() }
    }

    /// Whether whatever a statement matches is decided in the same way by the others, without those that are removed.
    fn is_redundant(&self, side: &Side, position: usize, removed: &BTreeSet<u32>) -> Verdict<()> {
        let Some(prepared) = side.statements.get(position) else { return Verdict::No };
        let Some(cases) = side.cases(&[prepared]) else { return Verdict::Undecided };
        let others: Vec<Vec<u32>> = cases.iter().map(|case| others(prepared, position, case, removed)).collect();
        // Denials alone make a grant dead, which is another finding.
        let granted =
            |by: &[u32]| prepared.statement.effect == Effect::Deny || side.at(by).any(|other| other.statement.effect == Effect::Allow);
        if !others.iter().any(|by| granted(by)) || others.iter().any(Vec::is_empty) {
            return Verdict::No;
        }
        let mut known = Verdict::Yes(());
        for (case, by) in cases.iter().zip(&others) {
            let applies = prepared.applies(&case.caller, &self.vocabulary);
            match self.ask(&case.caller, &[applies], &self.applying(side.at(by), &case.caller)) {
                Verdict::Yes(_) => return Verdict::No,
                Verdict::Undecided => known = Verdict::Undecided,
                Verdict::No => {}
            }
        }
        // What never applies is no more superfluous than it is wrong.
        if known == Verdict::Yes(()) && !self.can_apply(prepared, &cases) { Verdict::No } else { known }
    }

    fn by_what(&self, side: &Side, position: usize, removed: &BTreeSet<u32>) -> Redundant {
        let nothing = Redundant { statement: position, by: Vec::new(), equal: false };
        let Some(prepared) = side.statements.get(position) else { return nothing };
        let Some(cases) = side.cases(&[prepared]) else { return nothing };
        let all: BTreeSet<u32> = cases.iter().flat_map(|case| others(prepared, position, case, removed)).collect();
        let enough = |kept: &BTreeSet<u32>| {
            cases.iter().all(|case| {
                let by: Vec<u32> = others(prepared, position, case, removed).into_iter().filter(|other| kept.contains(other)).collect();
                self.covers(side, prepared, case, &by)
            })
        };
        let by: Vec<usize> = minimal(all, enough).into_iter().map(|other| other as usize).collect();
        let equal = match by.as_slice() {
            [only] => self.applies_inside(side, *only, position),
            _ => false,
        };
        Redundant { by, equal, ..nothing }
    }

    /// Whether one statement applies wherever another of the same effect does.
    fn applies_inside(&self, side: &Side, inner: usize, outer: usize) -> bool {
        let (Some(inside), Ok(around)) = (side.statements.get(inner), u32::try_from(outer)) else { return false };
        let same = side.get(around).is_some_and(|outer| outer.statement.effect == inside.statement.effect);
        same && side.cases(&[inside]).is_some_and(|cases| cases.iter().all(|case| self.covers(side, inside, case, &[around])))
    }

    /// Whether nothing grants what a denial denies and no other denial does.
    fn is_inert(&self, side: &Side, position: usize, denial: &Prepared, removed: &BTreeSet<u32>) -> Verdict<()> {
        match side.cases(&[denial]) {
            None => return Verdict::Undecided,
            Some(cases) if !self.can_apply(denial, &cases) => return Verdict::No,
            Some(_) => {}
        }
        let mut known = Verdict::Yes(());
        let grants = side.statements.iter().filter(|grant| grant.statement.effect == Effect::Allow && grant.overlaps(denial));
        for grant in grants {
            let Some(cases) = side.cases(&[grant, denial]) else { return Verdict::Undecided };
            for case in &cases {
                let both = [grant, denial].map(|prepared| prepared.applies(&case.caller, &self.vocabulary));
                let others: Vec<u32> =
                    case.denials.iter().copied().filter(|other| *other as usize != position && !removed.contains(other)).collect();
                match self.ask(&case.caller, &both, &self.applying(side.at(&others), &case.caller)) {
                    Verdict::Yes(_) => return Verdict::No,
                    Verdict::Undecided => known = Verdict::Undecided,
                    Verdict::No => {}
                }
            }
        }
        known
    }
}

/// The statements that decide a request in the same way as one does, or against it: for a denial the other denials, for a grant
/// all others.
fn others(prepared: &Prepared, position: usize, case: &Case, removed: &BTreeSet<u32>) -> Vec<u32> {
    let grants = if prepared.statement.effect == Effect::Allow { case.grants.as_slice() } else { &[] };
    case.denials.iter().chain(grants).copied().filter(|&other| other as usize != position && !removed.contains(&other)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::sample::statement;
    use crate::policy::Statement;

    #[track_caller]
    fn check(texts: &[&str], redundant: &[(usize, &[usize], bool)], inert: &[usize]) {
        let statements: Vec<Statement> = texts
            .iter()
            .map(|text| match text.strip_prefix("deny ") {
                Some(text) => statement("P", Effect::Deny, text),
                None => statement("P", Effect::Allow, text),
            })
            .collect();
        let analysis = Analysis::new(&[&statements]);
        let dead = analysis.dead().0.into_iter().map(|dead| dead.grant).collect();
        let found = analysis.superfluous(&dead);
        let said: Vec<(usize, &[usize], bool)> = found.redundant.iter().map(|one| (one.statement, one.by.as_slice(), one.equal)).collect();
        assert_eq!(said, redundant, "{texts:?}");
        assert_eq!(found.inert, inert, "{texts:?}");
        assert_eq!(found.undecided, [0; 0]);
    }

    #[test]
    fn what_others_decide_is_redundant() {
        check(&["read | r | s | g", "read | r | s | g"], &[(1, &[0], true)], &[]);
        check(&["read | r | s | g | a in (1, 2)", "read | r | s | g | a = 1 or a = 2"], &[(1, &[0], true)], &[]);
        check(&["read | r | s | g", "read, update | r | s | g"], &[(0, &[1], false)], &[]);
        check(&["read | r | s | g | a > 1", "read | r | s | * | a < 5", "read | r | s | g | a > 3"], &[(2, &[0], false)], &[]);
        check(
            &["read | r | s | g | a > 1", "read | r | s | * | a < 5", "read | r | s | g | exists a and a != 'x'"],
            &[(0, &[2], false)],
            &[],
        );
        check(&["read | r | s | g | a > 1", "read | r | s | * | a < 5", "read | r | s | g | a = 'x'"], &[], &[]);
        check(
            &["read | r | s | g | a >= 1", "read | r | s | * | a < 1", "read | r | s | g | a >= 0 or a < 0"],
            &[(2, &[0, 1], false)],
            &[],
        );
        check(
            &["read | r | s | g | a = 1", "deny read | r | s | g | a = 2", "read | r | s | g | a in (1, 2)"],
            &[(2, &[0, 1], false)],
            &[],
        );
        check(&["read | r | s | g", "deny read | r | s | g | a = 1", "deny read | * | s | * | a = 1"], &[(1, &[2], false)], &[]);
    }

    #[test]
    fn a_denial_of_what_nothing_grants_is_inert() {
        check(&["read | r | s | g", "deny read | r | s | h"], &[], &[]);
        check(&["read | r | s | g", "deny update | r | s | g"], &[], &[1]);
        check(&["read | r | s | a@x", "deny read | r | s | b@x"], &[], &[1]);
        check(&["read | r | s | g | a = 1", "deny read | r | s | g | a = 2"], &[], &[1]);
    }
}
