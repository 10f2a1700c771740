//! Whether anybody is left who can change the law.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::dead::minimal;
use super::formula::Formula;
use super::prepared::Prepared;
use super::question::Analysis;
use super::question::Found;
use super::question::Verdict;
use super::side::Case;
use super::side::Side;
use super::values::ValueSet;
use super::vocabulary::AttributeId;
use crate::decision::Request;
use crate::decision::applies;
use crate::policy::Effect;

/// The service that policies are changed through.
const POLICY: &str = "policy";
/// What it takes to change them.
const CHANGES: [&str; 3] = ["create", "update", "delete"];

/// Who can change policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Management {
    /// Somebody can.
    Possible,
    /// No grant is meant to let anybody.
    NotGranted,
    /// The grants at these positions are meant to, and nothing is left of them.
    LockedOut(Vec<usize>),
    /// It is not known, because of the grants at these positions.
    Undecided(Vec<usize>),
}

/// Nobody can change policies, although grants are meant to let somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockout {
    /// The positions of the grants.
    pub grants: Vec<usize>,
    /// The positions of denials that leave nothing of them, none of which can be left out; none, if the grants never apply at all.
    pub denials: Vec<usize>,
    /// A change of policies that one of the grants matches, and that is denied.
    pub witness: Option<Json>,
}

impl Analysis {
    /// Whether somebody can create, update or delete on the service `policy` by one of the law books.
    pub fn management(&self, side: usize) -> Management {
        let Some(side) = self.side(side) else { return Management::NotGranted };
        let mut lost = Vec::new();
        let mut undecided = Vec::new();
        for (position, grant) in side.statements.iter().enumerate() {
            let statement = &grant.statement;
            let meant = statement.service.matches(POLICY) && CHANGES.iter().any(|change| statement.actions.contains(change));
            if statement.effect != Effect::Allow || !meant {
                continue;
            }
            let verdict = match side.cases_against(&[grant]) {
                None => Verdict::Undecided,
                Some(cases) => self.can_change(side, grant, &cases, |_| true, |found| self.is_change(side, found)),
            };
            match verdict {
                Verdict::Yes(_) => return Management::Possible,
                Verdict::Undecided => undecided.push(position),
                Verdict::No => lost.push(position),
            }
        }
        match (undecided.is_empty(), lost.is_empty()) {
            (false, _) => Management::Undecided(undecided),
            (true, true) => Management::NotGranted,
            (true, false) => Management::LockedOut(lost),
        }
    }

    /// What keeps everybody from changing the policies of the first law book.
    pub(super) fn lockout(&self, grants: Vec<usize>) -> Option<Lockout> {
        let side = self.side(0)?;
        let lost: Vec<(&Prepared, Vec<Case>)> = grants
            .iter()
            .filter_map(|&at| side.statements.get(at))
            .map(|grant| side.cases_against(&[grant]).map(|cases| (grant, cases)))
            .collect::<Option<_>>()?;
        let all: BTreeSet<u32> = lost.iter().flat_map(|(_, cases)| cases).flat_map(|case| case.denials.iter().copied()).collect();
        let denials = minimal(all, |kept| {
            lost.iter().all(|(grant, cases)| matches!(self.can_change(side, grant, cases, |at| kept.contains(&at), |_| true), Verdict::No))
        });
        let witness = lost.iter().find_map(|(grant, cases)| {
            let certify = |request: &_| applies(&grant.statement, request) && !side.decide(request).allowed;
            cases.iter().find_map(|case| {
                let hold = self.changing(grant, case);
                self.witness(&self.ask(&case.caller, &hold, &[]).yes()?, certify)
            })
        });
        Some(Lockout { grants, denials: denials.into_iter().map(|at| at as usize).collect(), witness })
    }

    /// Whether a request that was found is an allowed change of policies.
    fn is_change(&self, side: &Side, found: &Found) -> bool {
        let is_change = |request: &Request| request.service == POLICY && CHANGES.contains(&&*request.action.name);
        self.witness(found, |request| is_change(request) && side.decide(request).allowed).is_some()
    }

    /// Whether a grant lets somebody change policies, with some of the denials, as a request shows that is accepted.
    fn can_change(
        &self,
        side: &Side,
        grant: &Prepared,
        cases: &[Case],
        kept: impl Fn(u32) -> bool,
        accepted: impl Fn(&Found) -> bool,
    ) -> Verdict<()> {
        Verdict::any(cases.iter().map(|case| {
            let denials: Vec<u32> = case.denials.iter().copied().filter(|&at| kept(at)).collect();
            match self.ask(&case.caller, &self.changing(grant, case), &self.applying(side.at(&denials), &case.caller)) {
                Verdict::Yes(found) if !accepted(&found) => Verdict::Undecided,
                verdict => verdict.known(),
            }
        }))
    }

    /// That a grant applies to a change of policies.
    fn changing(&self, grant: &Prepared, case: &Case) -> [Formula; 3] {
        [
            Formula::values(AttributeId::ACTION, ValueSet::words(CHANGES)),
            Formula::values(AttributeId::SERVICE, ValueSet::words([POLICY])),
            grant.applies(&case.caller, &self.vocabulary),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::sample::statement;

    #[track_caller]
    fn check(grant: &str, expected: &Management) {
        let analysis = Analysis::new(&[&[statement("G", Effect::Allow, grant)]]);
        assert_eq!(analysis.management(0), *expected, "{grant}");
    }

    /// It was enough that nothing is known to be in the way.
    #[test]
    fn that_somebody_can_change_policies_is_seen_from_a_request() {
        check("update | policy | * | g", &Management::Possible);
        check("update | policy | private | g | {context.source} = 'private'", &Management::Possible);
        check("update | policy | public | g | {context.source} = 'private'", &Management::LockedOut(vec![0]));
        check("update | policy | * | g | {me.groups} = null", &Management::LockedOut(vec![0]));
        check("read | policy | * | g", &Management::NotGranted);
    }
}
