//! Denials that overlap grants in a way that their authors may not have meant.
//!
//! A denial inside a grant is an exception, which is what denials are for, and one that covers a grant makes it dead, which is a
//! finding of its own. What is left is an overlap where each also reaches where the other does not. Denials that controls lower to
//! overlap everything by intent. Only callers who are certain to be meant by both count: two groups may have nobody in common.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::OnceLock;

use rayon::prelude::*;
use serde_json::Value as Json;

use super::formula::Formula;
use super::people::ANYBODY;
use super::people::EVERYONE;
use super::people::MemberId;
use super::point::Point;
use super::prepared::About;
use super::prepared::Caller;
use super::prepared::Prepared;
use super::question::Analysis;
use super::question::Verdict;
use super::region::Region;
use super::said::Said;
use super::search::Goal;
use super::side::Side;
use crate::decision::applies;
use crate::decision::decide;
use crate::policy::Effect;
use crate::policy::Statement;

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
    pub witness: Json,
}

/// What the denial leaves out, or the grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Inclusion {
    denial_in_grant: bool,
    grant_in_denial: bool,
}

/// What is known of conditions beside a statement that has none, by the number of the condition, so that it is found out once.
#[derive(Debug)]
struct Alone(Vec<[OnceLock<Verdict<()>>; 2]>);

impl Alone {
    fn new(side: &Side) -> Self {
        let last = side.statements.iter().map(|prepared| prepared.said.id).max();
        Self((0..=last.unwrap_or_default()).map(|_| Default::default()).collect())
    }

    /// Whether the condition of a statement lets it apply, or keeps it from that, where its values fit.
    fn ask(&self, analysis: &Analysis, prepared: &Prepared, holds: bool) -> Verdict<()> {
        let Said { applies, fits, .. } = &*prepared.said;
        let goals = [Goal { formula: applies, holds }, Goal::yes(fits)];
        let at_a_point = || {
            let own = prepared.said.point(&analysis.vocabulary, analysis.budget);
            own.is_some_and(|own| own.meets(&goals, &analysis.vocabulary)) || Point::default().meets(&goals, &analysis.vocabulary)
        };
        let ask = || if at_a_point() { Verdict::Yes(()) } else { analysis.meets(&goals) };
        let known = self.0.get(prepared.said.id).and_then(|known| known.get(usize::from(holds)));
        known.map_or_else(ask, |known| known.get_or_init(ask).clone())
    }
}

impl Analysis {
    /// The conflicts of the first law book, in the order of the denials, and the denials of which it is not known. Statements of which
    /// something else is to be said are left aside.
    pub fn conflicts(&self, aside: &BTreeSet<usize>) -> (Vec<Conflict>, Vec<usize>) {
        let Some(side) = self.side(0) else { return Default::default() };
        let alone = Alone::new(side);
        let denials = side.statements.par_iter().enumerate();
        let verdicts: Vec<(usize, Verdict<Conflict>)> = denials
            .filter(|(position, prepared)| {
                prepared.statement.effect == Effect::Deny && !prepared.statement.from_control && !aside.contains(position)
            })
            .map(|(position, denial)| (position, self.conflict(side, position, denial, aside, &alone)))
            .collect();
        let undecided =
            verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Undecided)).map(|(position, _)| *position).collect();
        (verdicts.into_iter().filter_map(|(_, verdict)| verdict.yes()).collect(), undecided)
    }

    fn conflict(&self, side: &Side, position: usize, denial: &Prepared, aside: &BTreeSet<usize>, alone: &Alone) -> Verdict<Conflict> {
        let mut overlaps = 0;
        let mut grants = Vec::new();
        let mut undecided = false;
        let mut relations: HashMap<(usize, bool, bool), Verdict<()>> = HashMap::new();
        for at in side.grants_sharing(denial).into_iter().filter(|at| !aside.contains(&(*at as usize))) {
            let Some(grant) = side.get(at) else { continue };
            let Some(header) = header(grant, denial) else { continue };
            let key = (grant.said.id, header.denial_in_grant, header.grant_in_denial);
            let verdict = match (grant.said.id, denial.said.id) {
                _ if grant.may_spare_members() || denial.may_spare_members() => self.is_partial_for_members(side, grant, denial),
                // What is known beside a statement without a condition is kept for all pairs.
                (0, _) | (_, 0) => self.is_partial(grant, denial, header, alone),
                _ => relations.entry(key).or_insert_with(|| self.is_partial(grant, denial, header, alone)).clone(),
            };
            match verdict {
                Verdict::Yes(()) => {
                    overlaps += 1;
                    grants.extend((grants.len() < NAMED).then_some(at as usize));
                }
                Verdict::Undecided => undecided = true,
                Verdict::No => {}
            }
            if overlaps == COUNTED {
                break;
            }
        }
        let first = grants.first().and_then(|&first: &usize| side.statements.get(first));
        let Some(first) = first else { return if undecided { Verdict::Undecided } else { Verdict::No } };
        match self.proof(side, position, first, denial) {
            Some((regions, witness)) => Verdict::Yes(Conflict { denial: position, overlaps, grants, regions, witness }),
            // Of callers that are known, there may be none whom both are for.
            None if side.world.is_some() => Verdict::No,
            None => Verdict::Undecided,
        }
    }

    /// Whether, of statements whose headers lie to each other in some way, each applies where the other does not and there is
    /// something where both do.
    fn is_partial(&self, grant: &Prepared, denial: &Prepared, header: Inclusion, alone: &Alone) -> Verdict<()> {
        let points = [grant, denial].map(|prepared| prepared.said.point(&self.vocabulary, self.budget));
        let goals = |granted: bool, denied: bool| {
            let conditions = [Goal { formula: &grant.said.applies, holds: granted }, Goal { formula: &denial.said.applies, holds: denied }];
            let ([one, two], [three, four]) = (conditions, [&grant.said.fits, &denial.said.fits].map(Goal::yes));
            [one, two, three, four]
        };
        let at_a_point = |goals: &[Goal<'_>]| {
            let meets = |point: &Point| point.meets(goals, &self.vocabulary);
            points.into_iter().flatten().any(meets) || matches!(points, [Some(one), Some(two)] if meets(&one.with(two)))
        };
        let asks = |granted: bool, denied: bool| match (grant.said.id, denial.said.id) {
            (0, _) if !granted => Verdict::No,
            (_, 0) if !denied => Verdict::No,
            _ if granted && denied && grant.said.is_apart(&denial.said) => Verdict::No,
            (0, _) => alone.ask(self, denial, denied),
            (_, 0) => alone.ask(self, grant, granted),
            _ if at_a_point(&goals(granted, denied)) => Verdict::Yes(()),
            _ => self.meets(&goals(granted, denied)),
        };
        asks(true, true)
            .and(|| if header.denial_in_grant { asks(false, true) } else { Verdict::Yes(()) })
            .and(|| if header.grant_in_denial { asks(true, false) } else { Verdict::Yes(()) })
    }

    /// The same where it depends on who the members are.
    fn is_partial_for_members(&self, side: &Side, grant: &Prepared, denial: &Prepared) -> Verdict<()> {
        let fits = self.both_fit(grant, denial);
        let exists = |roots: &[&Prepared], outside: &[&Prepared]| {
            let Some(cases) = side.cases_against(roots) else { return Verdict::Undecided };
            Verdict::any(cases.iter().filter(|case| case.caller.is_simple()).map(|case| {
                let mut hold = self.applying(roots.iter().copied(), &case.caller);
                hold.push(fits.clone());
                self.ask(&case.caller, &hold, &self.applying(outside.iter().copied(), &case.caller)).known()
            }))
        };
        exists(&[grant, denial], &[]).and(|| exists(&[denial], &[grant])).and(|| exists(&[grant], &[denial]))
    }

    /// That all values fit which a grant and a denial read. Every denial reaches values that do not, and no grant does: that alone is
    /// not what an author is to be told.
    fn both_fit(&self, grant: &Prepared, denial: &Prepared) -> Formula {
        Formula::all([grant.said.fits.clone(), denial.said.fits.clone()], &self.vocabulary)
    }

    /// What a denial takes from a grant, and a request that shows it.
    fn proof(&self, side: &Side, position: usize, grant: &Prepared, denial: &Prepared) -> Option<(Vec<Region>, Json)> {
        for case in side.simple_cases_against(&[grant, denial])? {
            let both = [grant, denial].map(|prepared| prepared.applies(&case.caller, &self.vocabulary)).to_vec();
            let fitting = [both, vec![self.both_fit(grant, denial)]].concat();
            let others: Vec<u32> = case.denials.iter().copied().filter(|&other| other as usize != position).collect();
            let others = self.applying(side.at(&others), &case.caller);
            let found = [others.as_slice(), &[]].into_iter().find_map(|fail| self.ask(&case.caller, &fitting, fail).yes());
            let Some(found) = found else { continue };
            // Where a denial applies, nothing else makes a difference.
            let certify = |request: &_| {
                let [grant, denial] = [grant, denial].map(|prepared| &prepared.statement);
                applies(grant, request) && applies(denial, request) && !decide([grant, denial], request).allowed
            };
            if let Some(witness) = self.witness(&found, certify) {
                return Some((self.common(&case.caller, grant, denial, fitting), witness));
            }
        }
        None
    }

    /// What a grant and a denial have in common, as it is said by `fitting`.
    fn common(&self, caller: &Caller, grant: &Prepared, denial: &Prepared, fitting: Vec<Formula>) -> Vec<Region> {
        let About { actions, service, source } = denial.about();
        let rest = [actions, service, source, &denial.said.holds, &denial.said.fits].map(Clone::clone);
        let members = [grant.applies(caller, &self.vocabulary), denial.among(caller, &self.vocabulary)];
        // Where all values fit, the denial says no more than its condition, which mostly makes it plain to see.
        let plainly = Formula::all(members.into_iter().chain(rest), &self.vocabulary);
        if let Some(regions) = self.apparent_regions(caller, &plainly) {
            return regions;
        }
        let (regions, _) = self.regions(caller, &Formula::all(fitting, &self.vocabulary));
        regions.into_iter().map(|(region, _)| region).collect()
    }
}

/// How the headers of a grant and a denial lie to each other; `None` if no caller is certain to be meant by both.
fn header(grant: &Prepared, denial: &Prepared) -> Option<Inclusion> {
    let has = |members: &[MemberId], member: &MemberId| members.binary_search(member).is_ok();
    let everyone = |members: &[MemberId]| members.first() == Some(&EVERYONE);
    let excepted = |member: &MemberId| has(&grant.except, member) || has(&denial.except, member);
    let shared = match (everyone(&grant.members), everyone(&denial.members)) {
        (true, true) => true,
        (true, false) => denial.members.iter().any(|member| !excepted(member)),
        (false, true) => grant.members.iter().any(|member| !excepted(member)),
        (false, false) => grant.members.iter().any(|member| has(&denial.members, member) && !excepted(member)),
    };
    let spared = |one: &[MemberId], two: &[MemberId]| one.iter().all(|member| has(two, member));
    let inside = |one: &[MemberId], two: &[MemberId]| everyone(two) || spared(one, two);
    let covers = |outer: &Prepared, inner: &Prepared| {
        let closer = |(outer, inner): (&Statement, &Statement)| {
            outer.actions.covers(&inner.actions) && outer.service.covers(&inner.service) && outer.source.covers(&inner.source)
        };
        outer.header.covers(inner.header).unwrap_or_else(|| closer((&outer.statement, &inner.statement)))
    };
    shared.then(|| Inclusion {
        denial_in_grant: covers(grant, denial) && inside(&denial.members, &grant.members) && spared(&grant.except, &denial.except),
        grant_in_denial: covers(denial, grant) && inside(&grant.members, &denial.members) && spared(&denial.except, &grant.except),
    })
}

impl Side {
    /// The grants that have a member, actions, a service, a source and values that fit in common with a denial, by position.
    pub(super) fn grants_sharing(&self, denial: &Prepared) -> Vec<u32> {
        if denial.members.first() == Some(&EVERYONE) {
            return self.candidates_where_fitting(Effect::Allow, denial, &[ANYBODY]);
        }
        let members: Vec<MemberId> = [EVERYONE].into_iter().chain(denial.members.iter().copied()).collect();
        self.candidates_where_fitting(Effect::Allow, denial, &members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::sample::statement;

    #[track_caller]
    fn check(grant: &str, denial: &str, expected: Option<&str>) {
        let statements = [statement("G", Effect::Allow, grant), statement("D", Effect::Deny, denial)];
        let (found, undecided) = Analysis::new(&[&statements]).conflicts(&BTreeSet::new());
        assert_eq!(undecided, [0; 0]);
        let said = found.first().map(|conflict| {
            assert!(conflict.grants == [0] && conflict.overlaps == 1);
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
        // What the condition says of the caller was not held against the members.
        check("read, update | r | s | a@x", "read | r | s | * | {me} = 'b@x'", None);
        check("read, update | r | s | a@x", "read | r | s | * | {me} != 'b@x'", Some("always"));
        // That a value fits, which an opaque comparison needs, was said as `not ()`.
        check("read, update | r | s | g | a < b", "read, run | r | s | g | c = 1", Some("a < b and c = 1"));
    }
}
