//! What one law book allows and another does not.
//!
//! Only what changed can be the reason: a grant that is new, or a denial that is gone. So the question is asked of each of these, and
//! the rest of both law books is what it is asked against (`design/analysis.md`, "Questions").

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashSet;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use rayon::prelude::*;
use serde_json::Value as Json;

use super::escaped::shares_a_member;
use super::formula::Formula;
use super::people::MemberId;
use super::people::People;
use super::prepared::Prepared;
use super::question::Analysis;
use super::question::Verdict;
use super::region::Extent;
use super::region::Region;
use super::side::Case;
use super::side::Side;
use super::side::cases;
use crate::policy::Actions;
use crate::policy::Effect;
use crate::policy::Member;
use crate::policy::PolicyId;
use crate::policy::Selector;

/// So many changes of one direction are described; of more it is said that there are more.
const DESCRIBED: usize = 200;

/// So many questions are asked before it is looked whether enough is described.
const AT_ONCE: usize = 64;

/// What became of access between two law books.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// What the second allows and the first does not.
    pub gained: Vec<Change>,
    /// What the first allows and the second does not.
    pub lost: Vec<Change>,
    /// How many more gains were found that are not described; not 0 if there are any.
    pub more_gained: usize,
    /// How many more losses were found that are not described; not 0 if there are any.
    pub more_lost: usize,
    /// Policies whose change is the reason for a gain, also for one that is not described.
    pub gaining: BTreeSet<PolicyId>,
    /// Policies whose change is the reason for a loss, also for one that is not described.
    pub losing: BTreeSet<PolicyId>,
    /// Policies of which it is not known what their change means.
    pub undecided: Vec<PolicyId>,
    /// Policies whose statement changed, came or went.
    pub changed: BTreeSet<PolicyId>,
}

/// Requests that are allowed on one side only.
#[derive(Debug, Clone)]
pub struct Change {
    /// The grant that allows them, on the side that does.
    pub grant: PolicyId,
    /// The denial that is in the way, on the side that does not; `None` if nothing grants them there.
    pub denial: Option<PolicyId>,
    /// Who: callers that have all the members of one of the lists, and otherwise as little as possible.
    pub callers: Vec<Vec<Member>>,
    /// Which requests.
    pub region: Region,
    /// Whether there are more requests than all regions with this grant, denial and witness together describe.
    pub partial: bool,
    /// A request that is allowed on one side and denied on the other; both have been decided.
    pub witness: Json,
}

/// What a difference amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Every request is decided as before.
    NoChange,
    /// Some requests are denied now, and none is allowed that was not.
    Narrows,
    /// Some requests are allowed now, and none is denied that was not.
    Widens,
    /// Both.
    Mixed,
}

impl Class {
    /// From what there is.
    pub fn of(gained: bool, lost: bool) -> Self {
        match (gained, lost) {
            (false, false) => Self::NoChange,
            (false, true) => Self::Narrows,
            (true, false) => Self::Widens,
            (true, true) => Self::Mixed,
        }
    }

    /// The word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoChange => "no-change",
            Self::Narrows => "narrows",
            Self::Widens => "widens",
            Self::Mixed => "mixed",
        }
    }
}

impl Difference {
    /// What the whole amounts to; `None` if it is not known.
    pub fn class(&self) -> Option<Class> {
        let known = Class::of(!self.gained.is_empty(), !self.lost.is_empty());
        (self.undecided.is_empty() || known == Class::Mixed).then_some(known)
    }

    /// What the change of each policy amounts to; `None` if it is not known.
    pub fn by_policy(&self) -> BTreeMap<&PolicyId, Option<Class>> {
        let class = |id| {
            let known = Class::of(self.gaining.contains(id), self.losing.contains(id));
            (!self.undecided.contains(id)).then_some(known)
        };
        self.changed.iter().map(|id| (id, class(id))).collect()
    }
}

impl Change {
    /// The policy whose change is the reason: the denial, if there is one and it changed, otherwise the grant.
    pub fn cause<'a>(&'a self, changed: &BTreeSet<PolicyId>) -> &'a PolicyId {
        self.denial.as_ref().filter(|denial| changed.contains(*denial)).unwrap_or(&self.grant)
    }
}

/// What makes statements of one effect the same.
type Key<'a> = (Effect, &'a Actions, &'a Selector, &'a Selector, &'a [Member], &'a [Member], usize);

fn key(prepared: &Prepared) -> Key<'_> {
    let Prepared { statement, said, .. } = prepared;
    (statement.effect, &statement.actions, &statement.service, &statement.source, &statement.members, &statement.except, said.id)
}

/// What one question came to.
#[derive(Debug, Default)]
struct Outcome {
    /// Whether changes are to be described, and not only counted.
    describe: bool,
    changes: Vec<Change>,
    /// Policies that changes come of which are not described.
    counted: BTreeSet<PolicyId>,
    undecided: Vec<PolicyId>,
}

impl Analysis {
    /// What the second of two law books changes.
    pub fn difference(&self) -> Difference {
        let (Some(before), Some(after)) = (self.side(0), self.side(1)) else { return Difference::default() };
        let gained = self.gained(before, after);
        let lost = self.gained(after, before);
        let mut difference = Difference { changed: changed(before, after), ..Difference::default() };
        difference.undecided = [&gained, &lost].into_iter().flat_map(|outcome| outcome.undecided.iter().cloned()).collect();
        difference.undecided.sort();
        difference.undecided.dedup();
        let causes = |outcome: &Outcome| -> BTreeSet<PolicyId> {
            let described = outcome.changes.iter().map(|change| change.cause(&difference.changed));
            described.chain(&outcome.counted).cloned().collect()
        };
        (difference.gaining, difference.losing) = (causes(&gained), causes(&lost));
        (difference.more_gained, difference.more_lost) = (gained.more(), lost.more());
        (difference.gained, difference.lost) = (gained.changes, lost.changes);
        difference.gained.truncate(DESCRIBED);
        difference.lost.truncate(DESCRIBED);
        difference
    }

    /// What `after` allows and `before` does not.
    fn gained(&self, before: &Side, after: &Side) -> Outcome {
        let mut all = Outcome::default();
        let new: Vec<(&Prepared, Option<&Prepared>)> =
            only_in(after, before, Effect::Allow).into_iter().map(|grant| (grant, None)).collect();
        self.told(before, after, &new, &mut all);
        for denial in only_in(before, after, Effect::Deny) {
            let grants = after.statements.iter().filter(|grant| grant.statement.effect == Effect::Allow);
            let mut grants: Vec<&Prepared> = grants.filter(|grant| grant.overlaps(denial)).collect();
            // Grants for the very members of the denial come before those for callers who have two memberships.
            grants.sort_by_key(|grant| !shares_a_member(&grant.statement, &denial.statement));
            let pairs: Vec<(&Prepared, Option<&Prepared>)> = grants.into_iter().map(|grant| (grant, Some(denial))).collect();
            self.told(before, after, &pairs, &mut all);
        }
        all
    }

    /// Describes what comes of grants and denials that are gone, as long as not enough is described, and counts the policies that
    /// more comes of. A policy is asked about until something does, because one is enough to know which way it changes access.
    fn told(&self, before: &Side, after: &Side, pairs: &[(&Prepared, Option<&Prepared>)], all: &mut Outcome) {
        let mut rest = pairs;
        while all.changes.len() <= DESCRIBED && !rest.is_empty() {
            let (some, others) = rest.split_at(rest.len().min(AT_ONCE));
            let found: Vec<Outcome> = some.par_iter().map(|&pair| self.outcome(before, after, pair, true)).collect();
            for outcome in found {
                all.changes.extend(outcome.changes);
                all.undecided.extend(outcome.undecided);
            }
            rest = others;
        }
        // All pairs with a denial are about one and the same.
        let stop = AtomicBool::new(false);
        let found: Vec<Outcome> = rest
            .par_iter()
            .filter(|(_, denial)| denial.is_none() || !stop.load(Ordering::Relaxed))
            .map(|&pair| {
                let outcome = self.outcome(before, after, pair, false);
                stop.fetch_or(!outcome.counted.is_empty(), Ordering::Relaxed);
                outcome
            })
            .collect();
        let settled = pairs.iter().any(|(_, denial)| denial.is_some()) && found.iter().any(|outcome| !outcome.counted.is_empty());
        for outcome in found {
            all.counted.extend(outcome.counted);
            // Which other questions about it were asked is chance.
            all.undecided.extend(outcome.undecided.into_iter().filter(|_| !settled));
        }
    }

    fn outcome(&self, before: &Side, after: &Side, (grant, denial): (&Prepared, Option<&Prepared>), describe: bool) -> Outcome {
        let mut outcome = match denial {
            Some(denial) => self.no_longer_denied(before, after, grant, denial, describe),
            None => self.newly_granted(before, after, grant, describe),
        };
        // In which order the members were met in the law books is chance.
        outcome.changes.iter_mut().for_each(|change| change.callers.sort());
        outcome.changes.sort_by(|one, two| (&one.callers, &one.region).cmp(&(&two.callers, &two.region)));
        outcome
    }

    /// Requests that a new grant allows, and that nothing granted before.
    fn newly_granted(&self, before: &Side, after: &Side, grant: &Prepared, describe: bool) -> Outcome {
        let Some(cases) = cases(&[after, before], &[grant], &[Effect::Deny, Effect::Allow]) else { return undecided(grant) };
        let mut outcome = Outcome { describe, ..Outcome::default() };
        for around in cases {
            let [now, then] = around.as_slice() else { continue };
            let hold = vec![grant.applies(&now.caller, &self.vocabulary)];
            let fail = [after.at(&now.denials), before.at(&then.grants)].map(|some| self.applying(some, &now.caller)).concat();
            self.describe(before, after, (grant, None), now, hold, fail, &mut outcome);
        }
        outcome
    }

    /// Requests that a grant allows now that a denial is gone.
    fn no_longer_denied(&self, before: &Side, after: &Side, grant: &Prepared, denial: &Prepared, describe: bool) -> Outcome {
        let Some(cases) = cases(&[after, before], &[grant, denial], &[Effect::Deny, Effect::Allow]) else { return undecided(denial) };
        let mut outcome = Outcome { describe, ..Outcome::default() };
        for around in cases {
            let [now, then] = around.as_slice() else { continue };
            let applies = |prepared: &Prepared| prepared.applies(&now.caller, &self.vocabulary);
            // What nothing granted before is told of the new grant already.
            let granted = Formula::any(self.applying(before.at(&then.grants), &now.caller), &self.vocabulary);
            let hold = vec![applies(grant), applies(denial), granted];
            let fail = self.applying(after.at(&now.denials), &now.caller);
            self.describe(before, after, (grant, Some(denial)), now, hold, fail, &mut outcome);
        }
        outcome
    }

    #[expect(clippy::too_many_arguments, reason = "the two sides, what they are about, and where it goes")]
    fn describe(
        &self,
        before: &Side,
        after: &Side,
        (grant, denial): (&Prepared, Option<&Prepared>),
        case: &Case,
        hold: Vec<Formula>,
        fail: Vec<Formula>,
        outcome: &mut Outcome,
    ) {
        let certify = |request: &_| after.decide(request).allowed && !before.decide(request).allowed;
        let cause = &denial.unwrap_or(grant).statement.policy;
        let found = match self.ask(&case.caller, &hold, &fail) {
            Verdict::No => return,
            Verdict::Undecided => return outcome.undecided.push(cause.clone()),
            Verdict::Yes(found) => found,
        };
        if self.witness(&found, certify).is_none() {
            return outcome.undecided.push(cause.clone());
        }
        if !outcome.describe {
            outcome.counted.insert(cause.clone());
            return;
        }
        let fail = fail.into_iter().map(|formula| formula.negate(&self.vocabulary));
        let whole = Formula::all(hold.into_iter().chain(fail), &self.vocabulary);
        let (regions, extent) = self.regions(&case.caller, &whole);
        // The request that was found is in one of the regions, so without any something is not known.
        let mut known = extent != Extent::Undecided && !regions.is_empty();
        for (region, within) in regions {
            let own = self.ask(&case.caller, &[whole.clone(), within], &[]).yes();
            let Some(witness) = own.and_then(|found| self.witness(&found, certify)) else {
                known = false;
                continue;
            };
            outcome.changes.push(Change {
                grant: grant.statement.policy.clone(),
                denial: denial.map(|denial| denial.statement.policy.clone()),
                callers: case.members.iter().map(|members| together(members, &after.people)).collect(),
                region,
                partial: extent == Extent::More,
                witness,
            });
        }
        if !known {
            outcome.undecided.push(cause.clone());
        }
    }
}

impl Outcome {
    /// How many changes were found beyond those that are described.
    fn more(&self) -> usize {
        self.changes.len().saturating_sub(DESCRIBED) + self.counted.len()
    }
}

/// Members that a caller has together, each once, and without `*`, which everybody has.
fn together(members: &[MemberId], people: &People) -> Vec<Member> {
    let distinct: BTreeSet<&Member> = members.iter().filter_map(|&member| people.member(member)).collect();
    let named: Vec<Member> = distinct.iter().filter(|member| ***member != Member::Everyone).map(|&member| member.clone()).collect();
    if named.is_empty() { vec![Member::Everyone] } else { named }
}

fn undecided(prepared: &Prepared) -> Outcome {
    Outcome { undecided: vec![prepared.statement.policy.clone()], ..Outcome::default() }
}

/// The statements with an effect that only one of two sides has.
fn only_in<'a>(side: &'a Side, other: &Side, effect: Effect) -> Vec<&'a Prepared> {
    let known: HashSet<Key<'_>> = other.statements.iter().map(key).collect();
    side.statements.iter().filter(|prepared| prepared.statement.effect == effect && !known.contains(&key(prepared))).collect()
}

/// The policies whose statements are not the same on both sides.
fn changed(before: &Side, after: &Side) -> BTreeSet<PolicyId> {
    let one = by_policy(before);
    let two = by_policy(after);
    let ids: BTreeSet<&PolicyId> = one.keys().chain(two.keys()).copied().collect();
    ids.into_iter().filter(|id| one.get(id) != two.get(id)).cloned().collect()
}

fn by_policy(side: &Side) -> BTreeMap<&PolicyId, Vec<Key<'_>>> {
    let mut all: BTreeMap<&PolicyId, Vec<Key<'_>>> = BTreeMap::new();
    for prepared in &side.statements {
        all.entry(&prepared.statement.policy).or_default().push(key(prepared));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::sample::statement;
    use crate::policy::Statement;

    fn book(texts: &[&str]) -> Vec<Statement> {
        let statements = texts.iter().map(|text| {
            let (id, text) = text.split_once(": ").expect("an id");
            match text.strip_prefix("deny ") {
                Some(text) => statement(id, Effect::Deny, text),
                None => statement(id, Effect::Allow, text),
            }
        });
        statements.collect()
    }

    fn said(change: &Change) -> String {
        let Region { actions, services, sources, groups, caller_types, condition, unfit, or_unfit, fit, .. } = &change.region;
        let names = |names: &super::super::words::Names| match names {
            super::super::words::Names::Only(names) => names.join(","),
            super::super::words::Names::AllBut(names) if names.is_empty() => "*".to_owned(),
            super::super::words::Names::AllBut(names) => format!("not {}", names.join(",")),
        };
        let condition = condition.as_ref().map_or_else(|| "always".to_owned(), ToString::to_string);
        let who: Vec<String> = change.callers.iter().map(|members| format!("{members:?}")).collect();
        let condition = unfit.iter().fold(condition, |text, term| format!("{text} and {term} unfit"));
        let condition = or_unfit.iter().fold(condition, |text, term| format!("{text} or {term} unfit"));
        let condition = fit.iter().fold(condition, |text, term| format!("{text} and {term} fit"));
        let more = if groups.is_empty() && names(caller_types) == "*" { "" } else { " +" };
        let denial = change.denial.as_ref().map_or(String::new(), |denial| format!(" without {denial}"));
        format!(
            "{}{denial}: {} | {} | {} | {} | {condition}{more}",
            change.grant,
            names(actions),
            names(services),
            names(sources),
            who.len()
        )
    }

    #[track_caller]
    fn check(before: &[&str], after: &[&str], gained: &[&str], lost: &[&str]) {
        let (before, after) = (book(before), book(after));
        let difference = Analysis::new(&[&before, &after]).difference();
        assert_eq!(difference.gained.iter().map(said).collect::<Vec<_>>(), gained, "gained");
        assert_eq!(difference.lost.iter().map(said).collect::<Vec<_>>(), lost, "lost");
        assert_eq!(difference.undecided, [] as [PolicyId; 0]);
    }

    #[test]
    fn nothing_changes_where_nothing_did() {
        let same = ["A: read | r | s | g | a = 1 or a = 2", "D: deny read | r | s | *| b = 1"];
        check(&same, &same, &[], &[]);
        check(&["A: read | r | s | g | a = 1 or a = 2"], &["B: read | r | s | g | a in (2, 1)"], &[], &[]);
        check(&["A: read, update | r | s | g, h"], &["A: read | r | s | h, g", "B: update | r | s | g", "C: update | r | s | h"], &[], &[]);
    }

    #[test]
    fn what_is_not_described_counts() {
        let many: Vec<String> = (0..=DESCRIBED).map(|at| format!("P{at:04}: read | r{at} | s | g | x = {at}")).collect();
        let after = book(&many.iter().map(String::as_str).collect::<Vec<_>>());
        let difference = Analysis::new(&[&[], &after]).difference();
        assert_eq!((difference.gained.len(), difference.more_gained, difference.more_lost), (DESCRIBED, 1, 0));
        assert_eq!(difference.by_policy().into_values().filter(|class| *class == Some(Class::Widens)).count(), DESCRIBED + 1);
    }

    #[test]
    fn what_is_gained_and_lost_is_said() {
        check(
            &["A: read | r | s | g | a = 'x'"],
            &["A: read | r | s | g | a in ('x', 'y') and price < 10"],
            &["A: read | r | s | 1 | a = 'y' and price < 10"],
            &["A: read | r | s | 1 | a = 'x' and not (price < 10) or price unfit"],
        );
        check(
            &["A: read | r | s | g | a = 1 or b = 1"],
            &["A: read | r | s | g | a = 1"],
            &["A: read | r | s | 1 | a = 1 and b unfit"],
            &["A: read | r | s | 1 | a != 1 and b = 1"],
        );
        check(
            &[],
            &["A: read, update | r | s | g", "D: deny update | r | s | * | a = 1"],
            &["A: read | r | s | 1 | always", "A: update | r | s | 1 | a != 1"],
            &[],
        );
        check(&[], &["A: read, update | r | s | g, h"], &["A: read,update | r | s | 2 | always"], &[]);
        check(
            &["A: read | r | s | g", "D: deny * | * | * | * | {context.mfa} = null"],
            &["A: read | r | s | g"],
            &["A without D: read | r | s | 1 | {context.mfa} = null or {context.mfa} unfit"],
            &[],
        );
        check(
            &["A: read | * | s | *"],
            &["A: read | * | s | *", "D: deny read | r | * | h"],
            &[],
            &["A without D: read | r | s | 1 | always"],
        );
        check(
            &["A: read | r | s | g | a = 1", "D: deny read | r | s | g | a = 1"],
            &["A: read | r | s | g | a = 1"],
            &["A without D: read | r | s | 1 | a = 1"],
            &[],
        );
    }
}
