//! What one law book allows and another does not.
//!
//! Only what changed can be the reason: a grant that is new, or a denial that is gone. So the question is asked of each of these, and
//! the rest of both law books is what it is asked against (`design/analysis.md`, "Questions").

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashSet;

use rayon::prelude::*;
use serde_json::Value as Json;

use super::formula::Formula;
use super::people::MemberId;
use super::people::People;
use super::prepared::Prepared;
use super::question::Analysis;
use super::question::Verdict;
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

/// What became of access between two law books.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// What the second allows and the first does not.
    pub gained: Vec<Change>,
    /// What the first allows and the second does not.
    pub lost: Vec<Change>,
    /// How many more gains there are that are not described.
    pub more_gained: usize,
    /// How many more losses there are that are not described.
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
    let Prepared { statement, condition_id, .. } = prepared;
    (statement.effect, &statement.actions, &statement.service, &statement.source, &statement.members, &statement.except, *condition_id)
}

/// What one question came to.
#[derive(Debug, Default)]
struct Outcome {
    changes: Vec<Change>,
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
        let causes = |outcome: &Outcome| outcome.changes.iter().map(|change| change.cause(&difference.changed).clone()).collect();
        (difference.gaining, difference.losing) = (causes(&gained), causes(&lost));
        difference.more_gained = gained.changes.len().saturating_sub(DESCRIBED);
        difference.more_lost = lost.changes.len().saturating_sub(DESCRIBED);
        difference.gained = gained.changes;
        difference.lost = lost.changes;
        difference.gained.truncate(DESCRIBED);
        difference.lost.truncate(DESCRIBED);
        difference
    }

    /// What `after` allows and `before` does not.
    fn gained(&self, before: &Side, after: &Side) -> Outcome {
        let new: Vec<&Prepared> = only_in(after, before, Effect::Allow);
        let gone: Vec<&Prepared> = only_in(before, after, Effect::Deny);
        let granted: Vec<Outcome> = new.par_iter().map(|&grant| self.newly_granted(before, after, grant)).collect();
        let pairs: Vec<(&Prepared, &Prepared)> = gone
            .iter()
            .flat_map(|&denial| {
                let grants = after.statements.iter().filter(|grant| grant.statement.effect == Effect::Allow);
                let mut grants: Vec<&Prepared> = grants.filter(|grant| grant.overlaps(denial)).collect();
                // Grants for the very members of the denial come before those for callers who have two memberships.
                grants.sort_by_key(|grant| !share_a_member(grant, denial));
                grants.into_iter().map(move |grant| (grant, denial))
            })
            .collect();
        let freed: Vec<Outcome> = pairs.par_iter().map(|&(grant, denial)| self.no_longer_denied(before, after, grant, denial)).collect();
        let mut all = Outcome::default();
        for outcome in granted.into_iter().chain(freed) {
            all.changes.extend(outcome.changes);
            all.undecided.extend(outcome.undecided);
        }
        all
    }

    /// Requests that a new grant allows, and that nothing granted before.
    fn newly_granted(&self, before: &Side, after: &Side, grant: &Prepared) -> Outcome {
        let Some(cases) = cases(&[after, before], &[grant], &[Effect::Deny, Effect::Allow]) else { return undecided(grant) };
        let mut outcome = Outcome::default();
        for around in cases {
            let [now, then] = around.as_slice() else { continue };
            let hold = vec![grant.applies(&now.caller, &self.vocabulary)];
            let fail = [after.at(&now.denials), before.at(&then.grants)].map(|some| self.applying(some, &now.caller)).concat();
            self.describe(before, after, (grant, None), now, hold, fail, &mut outcome);
        }
        outcome
    }

    /// Requests that a grant allows now that a denial is gone.
    fn no_longer_denied(&self, before: &Side, after: &Side, grant: &Prepared, denial: &Prepared) -> Outcome {
        let Some(cases) = cases(&[after, before], &[grant, denial], &[Effect::Deny, Effect::Allow]) else { return undecided(denial) };
        let mut outcome = Outcome::default();
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
        let mut doubt = || outcome.undecided.push(denial.unwrap_or(grant).statement.policy.clone());
        let found = match self.ask(&case.caller, &hold, &fail) {
            Verdict::No => return,
            Verdict::Undecided => return doubt(),
            Verdict::Yes(found) => found,
        };
        let Some(first) = self.witness(&found, certify) else { return doubt() };
        let fail = fail.into_iter().map(|formula| formula.negate(&self.vocabulary));
        let whole = Formula::all(hold.into_iter().chain(fail), &self.vocabulary);
        let (regions, complete) = self.regions(&case.caller, &whole);
        for (region, within) in regions {
            let own = self.ask(&case.caller, &[whole.clone(), within], &[]).yes();
            let witness = own.and_then(|found| self.witness(&found, certify)).unwrap_or_else(|| first.clone());
            outcome.changes.push(Change {
                grant: grant.statement.policy.clone(),
                denial: denial.map(|denial| denial.statement.policy.clone()),
                callers: case.members.iter().map(|members| together(members, &after.people)).collect(),
                region,
                partial: !complete,
                witness,
            });
        }
    }
}

/// Members that a caller has together, each once, and without `*`, which everybody has.
fn together(members: &[MemberId], people: &People) -> Vec<Member> {
    let distinct: BTreeSet<&Member> = members.iter().filter_map(|&member| people.member(member)).collect();
    let named: Vec<Member> = distinct.iter().filter(|member| ***member != Member::Everyone).map(|&member| member.clone()).collect();
    if named.is_empty() { vec![Member::Everyone] } else { named }
}

fn undecided(prepared: &Prepared) -> Outcome {
    Outcome { changes: Vec::new(), undecided: vec![prepared.statement.policy.clone()] }
}

fn share_a_member(one: &Prepared, two: &Prepared) -> bool {
    let (one, two) = (&one.statement.members, &two.statement.members);
    one.contains(&Member::Everyone) || two.contains(&Member::Everyone) || one.iter().any(|member| two.contains(member))
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
        let Region { actions, services, sources, groups, caller_types, condition, unfit } = &change.region;
        let names = |names: &super::super::words::Names| match names {
            super::super::words::Names::Only(names) => names.join(","),
            super::super::words::Names::AllBut(names) if names.is_empty() => "*".to_owned(),
            super::super::words::Names::AllBut(names) => format!("not {}", names.join(",")),
        };
        let condition = condition.as_ref().map_or_else(|| "always".to_owned(), ToString::to_string);
        let who: Vec<String> = change.callers.iter().map(|members| format!("{members:?}")).collect();
        let condition = unfit.iter().fold(condition, |text, term| format!("{text} and {term} unfit"));
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
            &["A: read | r | s | 1 | a = 'x' and not (price < 10)"],
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
            &["A without D: read | r | s | 1 | {context.mfa} = null"],
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
