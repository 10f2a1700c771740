//! Denials that overlap grants in a way that their authors may not have meant.
//!
//! A denial inside a grant is an exception, which is what denials are for, and one that covers a grant makes it dead, which is a
//! finding of its own. What is left is an overlap where each also reaches where the other does not. Denials that controls lower to
//! overlap everything by intent. Only callers who are certain to be meant by both count: two groups may have nobody in common.

use std::collections::BTreeSet;
use std::collections::HashMap;

use rayon::prelude::*;
use serde_json::Value as Json;

use super::formula::Formula;
use super::prepared::Prepared;
use super::question::Analysis;
use super::question::Verdict;
use super::region::Region;
use super::side::Side;
use crate::decision::applies;
use crate::policy::Effect;
use crate::policy::Member;

/// How many grants a conflict names.
const NAMED: usize = 3;
/// No more overlaps of one denial are counted.
pub const COUNTED: usize = 1000;

/// A denial that overlaps grants in part.
#[derive(Debug, Clone)]
pub struct Conflict {
    /// The position of the denial.
    pub denial: usize,
    /// How many grants it overlaps, up to [`COUNTED`].
    pub overlaps: usize,
    /// The first three of these grants by position.
    pub grants: Vec<usize>,
    /// What the denial takes from the first of them.
    pub regions: Vec<Region>,
    /// A request that matches the denial and the first grant, and that nothing else denies if there is such a one.
    pub witness: Option<Json>,
}

/// What the denial leaves out, or the grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Inclusion {
    denial_in_grant: bool,
    grant_in_denial: bool,
}

impl Analysis {
    /// The conflicts of the first law book, in the order of the denials.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let Some(side) = self.side(0) else { return Vec::new() };
        let denials = side.statements.par_iter().enumerate();
        denials
            .filter(|(_, prepared)| prepared.statement.effect == Effect::Deny && !prepared.statement.from_control)
            .filter_map(|(position, denial)| self.conflict(side, position, denial))
            .collect()
    }

    fn conflict(&self, side: &Side, position: usize, denial: &Prepared) -> Option<Conflict> {
        let mut overlaps = 0;
        let mut grants = Vec::new();
        let mut relations: HashMap<(usize, bool, bool), bool> = HashMap::new();
        for at in side.grants_sharing(denial) {
            let Some(grant) = side.get(at) else { continue };
            let Some(header) = header(grant, denial) else { continue };
            let key = (grant.condition_id, header.denial_in_grant, header.grant_in_denial);
            let partial = *relations.entry(key).or_insert_with(|| self.is_partial(grant, denial, header));
            if partial {
                overlaps += 1;
                grants.extend((grants.len() < NAMED).then_some(at as usize));
            }
            if overlaps == COUNTED {
                break;
            }
        }
        let first = side.statements.get(*grants.first()?)?;
        let (regions, witness) = self.proof(side, position, first, denial);
        Some(Conflict { denial: position, overlaps, grants, regions, witness })
    }

    /// Whether, of statements whose headers lie to each other in some way, each applies where the other does not and there is
    /// something where both do.
    fn is_partial(&self, grant: &Prepared, denial: &Prepared, header: Inclusion) -> bool {
        let nobody = super::prepared::Caller::default();
        let (granted, denied) = (&grant.condition, &denial.condition);
        // Every denial reaches values that do not fit, and no grant does: that alone is not what an author is to be told.
        let fits = Formula::all([granted, denied].into_iter().flat_map(|formula| self.fits(formula)), &self.vocabulary);
        let asks = |hold: &[&Formula], fail: &[&Formula]| {
            let [hold, fail] = [hold, fail].map(|formulas| formulas.iter().map(|&formula| formula.clone()).collect::<Vec<_>>());
            let hold = [hold, vec![fits.clone()]].concat();
            matches!(self.ask(&nobody, &hold, &fail), Verdict::Yes(_))
        };
        asks(&[granted, denied], &[])
            && (!header.denial_in_grant || asks(&[denied], &[granted]))
            && (!header.grant_in_denial || asks(&[granted], &[denied]))
    }

    /// What a denial takes from a grant, and a request that shows it.
    fn proof(&self, side: &Side, position: usize, grant: &Prepared, denial: &Prepared) -> (Vec<Region>, Option<Json>) {
        let Some(cases) = side.cases(&[grant, denial]) else { return Default::default() };
        for case in &cases {
            let both = [grant, denial].map(|prepared| prepared.applies(&case.caller, &self.vocabulary)).to_vec();
            let others: Vec<u32> = case.denials.iter().copied().filter(|&other| other as usize != position).collect();
            let others = self.applying(side.at(&others), &case.caller);
            let found = [others.as_slice(), &[]].into_iter().find_map(|fail| self.ask(&case.caller, &both, fail).yes());
            let Some(found) = found else { continue };
            let certify =
                |request: &_| applies(&grant.statement, request) && applies(&denial.statement, request) && !side.decide(request).allowed;
            if let Some(witness) = self.witness(&found, certify) {
                let (regions, _) = self.regions(&case.caller, &Formula::all(both, &self.vocabulary));
                return (regions.into_iter().map(|(region, _)| region).collect(), Some(witness));
            }
        }
        Default::default()
    }
}

/// How the headers of a grant and a denial lie to each other; `None` if no caller is certain to be meant by both.
fn header(grant: &Prepared, denial: &Prepared) -> Option<Inclusion> {
    let (grant, denial) = (&grant.statement, &denial.statement);
    let everyone = Member::Everyone;
    let (grant_all, denial_all) = (grant.members.contains(&everyone), denial.members.contains(&everyone));
    let excepted = |member: &Member| grant.except.contains(member) || denial.except.contains(member);
    let shared = match (grant_all, denial_all) {
        (true, true) => true,
        (true, false) => denial.members.iter().any(|member| !excepted(member)),
        (false, true) => grant.members.iter().any(|member| !excepted(member)),
        (false, false) => grant.members.iter().any(|member| denial.members.contains(member) && !excepted(member)),
    };
    let inside = |one: &[Member], two: &[Member]| two.contains(&everyone) || one.iter().all(|member| two.contains(member));
    let spared = |one: &[Member], two: &[Member]| one.iter().all(|member| two.contains(member));
    shared.then(|| Inclusion {
        denial_in_grant: grant.actions.covers(&denial.actions)
            && grant.service.covers(&denial.service)
            && grant.source.covers(&denial.source)
            && inside(&denial.members, &grant.members)
            && spared(&grant.except, &denial.except),
        grant_in_denial: denial.actions.covers(&grant.actions)
            && denial.service.covers(&grant.service)
            && denial.source.covers(&grant.source)
            && inside(&grant.members, &denial.members)
            && spared(&denial.except, &grant.except),
    })
}

impl Side {
    /// The grants that have a member, actions, a service and a source in common with a denial, by position.
    fn grants_sharing(&self, denial: &Prepared) -> BTreeSet<u32> {
        if denial.statement.members.contains(&Member::Everyone) {
            let grants = (0..).zip(&self.statements).filter(|(_, grant)| grant.statement.effect == Effect::Allow && grant.overlaps(denial));
            return grants.map(|(position, _)| position).collect();
        }
        self.candidates(Effect::Allow, denial.statement.members.iter().chain([&Member::Everyone]), &[denial])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::sample::statement;

    #[track_caller]
    fn check(grant: &str, denial: &str, expected: Option<&str>) {
        let statements = [statement("G", Effect::Allow, grant), statement("D", Effect::Deny, denial)];
        let found = Analysis::new(&[&statements]).conflicts();
        let said = found.first().map(|conflict| {
            assert!(conflict.witness.is_some() && conflict.grants == [0] && conflict.overlaps == 1);
            let conditions =
                conflict.regions.iter().map(|region| region.condition.as_ref().map_or("always".to_owned(), ToString::to_string));
            conditions.collect::<Vec<_>>().join(" / ")
        });
        assert_eq!(said.as_deref(), expected, "{grant} against {denial}");
    }

    #[test]
    fn only_an_overlap_with_something_left_on_both_sides_is_a_conflict() {
        check("read, update | r | s | g", "read, delete | r | s | g", Some("always"));
        check("read, update | r | s | g", "read | r | s | g", None);
        check("read | r | s | g", "read | r | s | *", None);
        check("read | r | s | g", "read | r | s | h", None);
        check("read | r | s | g | a < 5", "read | r | s | g | a > 3", Some("a > 3 and a < 5"));
        check("read | r | s | g | a < 5", "read | r | s | g | a > 3 and a < 4", None);
        check("read | r | s | g | a < 5", "read | r | s | g | a > 5", None);
        check("read, update | r | s | g | a = 'x'", "read | r | s | * | b = 'y'", Some("a = 'x' and b = 'y'"));
        check("read | r | s | g, h except k", "read | r | s | h, i", Some("always"));
        check("read | r | s | g except h", "read | r | s | h", None);
    }
}
