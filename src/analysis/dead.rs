//! Grants that never take effect.

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde_json::Value as Json;

use super::formula::Formula;
use super::plain::Plainly;
use super::prepared::Caller;
use super::prepared::Identity;
use super::prepared::Prepared;
use super::question::Analysis;
use super::question::Verdict;
use super::side::Case;
use super::side::Side;
use crate::decision::applies;
use crate::policy::Effect;

/// A grant that denials cover: every request that it matches is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// The position of the grant.
    pub grant: usize,
    /// The positions of denials that cover it together, none of which can be left out.
    pub denials: Vec<usize>,
    /// A request that the grant matches, and that is denied.
    pub witness: Option<Json>,
}

impl Analysis {
    /// The dead grants of the first law book in the order of the law book, and the grants of which it is not known.
    ///
    /// A grant whose own condition never holds is not among them.
    pub fn dead(&self) -> (Vec<Dead>, Vec<usize>) {
        self.side(0).map(|side| self.dead_among(side, &Plainly::default())).unwrap_or_default()
    }

    /// The same, with what is plain to see of the statements.
    pub(super) fn dead_among(&self, side: &Side, plainly: &Plainly) -> (Vec<Dead>, Vec<usize>) {
        let verdicts: Vec<(usize, Verdict<Dead>)> = side
            .statements
            .par_iter()
            .enumerate()
            .filter(|(position, prepared)| prepared.statement.effect == Effect::Allow && !plainly.is_needed(*position))
            .map(|(position, prepared)| (position, self.is_dead(side, position, prepared)))
            .collect();
        let mut undecided = Vec::new();
        let mut dead = Vec::new();
        for (position, verdict) in verdicts {
            match verdict {
                Verdict::Yes(found) => dead.push(found),
                Verdict::Undecided => undecided.push(position),
                Verdict::No => {}
            }
        }
        (dead, undecided)
    }

    fn is_dead(&self, side: &Side, position: usize, grant: &Prepared) -> Verdict<Dead> {
        if self.is_plainly_left(side, grant, &[Effect::Deny], |_| true) {
            return Verdict::No;
        }
        let Some(cases) = side.cases_against(&[grant]) else { return Verdict::Undecided };
        let mut undecided = false;
        // Where nothing denies, the grant is alive, unless it does not apply to that member after all.
        if !grant.may_spare_members() && cases.iter().any(|case| case.denials.is_empty()) {
            return Verdict::No;
        }
        let headers = |case: &Case| side.at(&case.denials).map(|denial| denial.header).collect::<Vec<_>>();
        if !grant.may_spare_members() && cases.iter().any(|case| grant.header.is_left_by(headers(case).into_iter())) {
            return Verdict::No;
        }
        for case in &cases {
            let applies = grant.applies(&case.caller, &self.vocabulary);
            match self.can_beside(&case.caller, &[applies], side, &case.denials) {
                Verdict::Yes(_) => return Verdict::No,
                // Nothing denies what cannot be told to apply at all.
                Verdict::Undecided if case.denials.is_empty() => return Verdict::No,
                Verdict::Undecided => undecided = true,
                Verdict::No => {}
            }
        }
        if undecided {
            return Verdict::Undecided;
        }
        if !self.can_apply(grant, &cases) {
            return Verdict::No;
        }
        let lists: Vec<Vec<u32>> = cases.iter().map(|case| case.denials.clone()).collect();
        let Some(denials) = self.cover(side, grant, &cases, &lists) else { return Verdict::Undecided };
        Verdict::Yes(Dead { grant: position, denials, witness: self.denied(side, grant, &cases) })
    }

    /// The positions of statements that leave nothing of another, out of those that may in each case, none of which can be left out;
    /// `None` if they do not.
    pub(super) fn cover(&self, side: &Side, covered: &Prepared, cases: &[Case], lists: &[Vec<u32>]) -> Option<Vec<usize>> {
        let enough = |kept: &BTreeSet<u32>| {
            cases.iter().zip(lists).all(|(case, list)| {
                let by: Vec<u32> = list.iter().copied().filter(|other| kept.contains(other)).collect();
                self.covers(side, covered, case, &by)
            })
        };
        let all = || Some(lists.iter().flatten().copied().collect()).filter(|all| enough(all));
        let kept = match self.few(side, covered, cases, lists) {
            // What they leave without the only one of them has been seen.
            Some(few) if few.len() <= 1 => few,
            few => minimal(few.or_else(all)?, enough),
        };
        Some(kept.into_iter().map(|other| other as usize).collect())
    }

    /// A few statements that leave nothing of another, out of those that may in each case: each takes a request that the ones before
    /// left. `None` if that does not come to an end.
    fn few(&self, side: &Side, covered: &Prepared, cases: &[Case], lists: &[Vec<u32>]) -> Option<BTreeSet<u32>> {
        let mut few = BTreeSet::new();
        for (case, list) in cases.iter().zip(lists) {
            let hold = [covered.applies(&case.caller, &self.vocabulary)];
            loop {
                let taken: Vec<u32> = list.iter().copied().filter(|other| few.contains(other)).collect();
                let found = match self.ask(&case.caller, &hold, &self.applying(side.at(&taken), &case.caller)) {
                    Verdict::No => break,
                    Verdict::Undecided => return None,
                    Verdict::Yes(found) => found,
                };
                let request = super::side::read(&self.witness(&found, |_| true)?)?;
                let takes =
                    |other: &&u32| !few.contains(*other) && side.get(**other).is_some_and(|other| applies(&other.statement, &request));
                few.insert(*list.iter().find(takes)?);
            }
        }
        Some(few)
    }

    /// A request that a grant matches and that is denied, if there is one.
    pub(super) fn denied(&self, side: &Side, grant: &Prepared, cases: &[Case]) -> Option<Json> {
        let certify = |request: &_| applies(&grant.statement, request) && !side.decide(request).allowed;
        cases.iter().find_map(|case| {
            let found = self.ask(&case.caller, &[grant.applies(&case.caller, &self.vocabulary)], &[]).yes()?;
            self.witness(&found, certify)
        })
    }

    /// Whether a statement can apply at all.
    pub(super) fn can_apply(&self, statement: &Prepared, cases: &[Case]) -> bool {
        cases.iter().any(|case| {
            let applies: Formula = statement.applies(&case.caller, &self.vocabulary);
            self.can(&case.caller, &[applies], &[]) != Verdict::No
        })
    }

    /// Whether a statement can apply at all, or to requests whose values fit. Of one that says the same of all its members, the first
    /// will do.
    pub(super) fn is_possible(&self, side: &Side, statement: &Prepared, fitting: bool) -> Verdict<()> {
        let fits = if fitting { statement.said.fits.clone() } else { Formula::always() };
        let ask = |caller: &Caller| self.can(caller, &[statement.applies(caller, &self.vocabulary), fits.clone()], &[]);
        if side.world.is_none() && !statement.may_spare_members() {
            let caller = statement.members.first().and_then(|&member| Caller::with(&[member], &side.people, Identity::Nobody));
            return caller.map_or(Verdict::No, |caller| ask(&caller));
        }
        let Some(cases) = side.cases_against(&[statement]) else { return Verdict::Undecided };
        Verdict::any(cases.iter().map(|case| ask(&case.caller)))
    }

    /// Whether some statements apply wherever another does, for the caller of a case.
    pub(super) fn covers(&self, side: &Side, covered: &Prepared, case: &Case, by: &[u32]) -> bool {
        let applies = covered.applies(&case.caller, &self.vocabulary);
        self.can(&case.caller, &[applies], &self.applying(side.at(by), &case.caller)) == Verdict::No
    }
}

/// A smallest part of a set that is still enough: nothing can be left out of it. Halves are tried first, so that of a large set
/// the little that matters is found soon.
pub(super) fn minimal(all: BTreeSet<u32>, enough: impl Fn(&BTreeSet<u32>) -> bool) -> BTreeSet<u32> {
    let mut kept = all;
    let mut size = kept.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        while at < kept.len() {
            let without: BTreeSet<u32> =
                kept.iter().enumerate().filter(|(index, _)| *index < at || *index >= at + size).map(|(_, &item)| item).collect();
            if enough(&without) {
                kept = without;
            } else {
                at += size;
            }
        }
        if size == 1 {
            return kept;
        }
        size = size.div_ceil(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::sample::statement;
    use crate::policy::Statement;

    #[track_caller]
    fn check(grants: &[&str], denials: &[&str], expected: &[(usize, &[usize])]) {
        let all = |effect, texts: &[&str]| texts.iter().map(|text| statement("P", effect, text)).collect::<Vec<Statement>>();
        let statements = [all(Effect::Allow, grants), all(Effect::Deny, denials)].concat();
        let (dead, undecided) = Analysis::new(&[&statements]).dead();
        let dead: Vec<(usize, &[usize])> = dead.iter().map(|dead| (dead.grant, dead.denials.as_slice())).collect();
        assert_eq!(dead, expected, "{grants:?} {denials:?}");
        assert_eq!(undecided, [0; 0]);
    }

    #[test]
    fn denials_cover_a_grant_together() {
        check(&["read | r | s | g"], &["read | r | s | g"], &[(0, &[1])]);
        check(&["read | r | s | g"], &["read | r | s | h"], &[]);
        check(&["read | r | s | g | a = 1"], &["read | r | s | * | a < 1", "read | r | s | g | a >= 1"], &[(0, &[2])]);
        check(
            &["read | r | s | g | a > 0"],
            &["read | r | s | * | a < 5", "read | r | s | g | a >= 5", "read | r | s | g | b = 1"],
            &[(0, &[1, 2])],
        );
        check(&["read, update | r | s | g"], &["read | * | * | *", "update | r | s | g"], &[(0, &[1, 2])]);
        check(&["read | r | s | g, h"], &["read | r | s | g", "read | r | s | h"], &[(0, &[1, 2])]);
        check(&["read | r | s | *"], &["read | r | s | h"], &[]);
        check(&["read | * | s | g"], &["read | r | s | g"], &[]);
        check(&["read | r | s | g | a = 'x' or a = 'y'"], &["read | r | s | g | a in ('x', 'y', 'z')"], &[(0, &[1])]);
        check(&["read | r | s | g | a = 1 and a = 2"], &["read | r | s | g"], &[]);
        check(&["read | r | s | g | owner = {me}"], &["read | r | s | * | owner = {me}"], &[(0, &[1])]);
        check(&["read | r | s | g | owner = {me}"], &["read | r | s | * | exists owner"], &[(0, &[1])]);
        check(&["read | r | s | g | owner = {me} and owner = 'x@y'"], &["read | r | s | * | {me} = 'x@y'"], &[(0, &[1])]);
        check(&["read | r | s | g | a != 'x'"], &["read | r | s | g | exists a"], &[]);
        check(&["read | r | s | g | a != 'x'"], &["read | r | s | g | exists a", "read | r | s | g | a = null"], &[(0, &[1, 2])]);
        check(&["read | r | s | a@x"], &["read | r | s | * | {me} = 'a@x'"], &[(0, &[1])]);
        // Members of `h` were taken for members of `g`, because the same statements are in reach of both.
        let spared = ["read | r | s | g, h", "read | r | s | * except g | a = 1"];
        check(&spared, &["read | r | s | g"], &[]);
        // A member that is excepted, or that the condition spares, seemed to be left.
        check(&["read | r | s | g, h except g"], &["read | r | s | h"], &[(0, &[1])]);
        check(&["read | r | s | a@x, h | {me} != 'a@x'"], &["read | r | s | h"], &[(0, &[1])]);
        check(&["read | r | s | g | name like '%a%'"], &["read | r | s | g | name like '%b%'"], &[]);
        check(&["read | r | s | g | name like 'ab%'"], &["read | r | s | g | name like '%b%'"], &[(0, &[1])]);
        check(&["read | r | s | g | ip in cidr ('10.1.0.0/16')"], &["read | r | s | g | ip in cidr ('10.0.0.0/8')"], &[(0, &[1])]);
    }
}
