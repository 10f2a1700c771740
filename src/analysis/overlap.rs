//! How a grant and a denial stand to each other: a request that both match is denied, and the question is whether somebody meant it.
//!
//! The answer is put together from the five parts of a statement. Each part compares two sets; the whole is covered if every
//! part is, and has nothing in common if one part has nothing in common.

use crate::condition::Condition;
use crate::policy::Actions;
use crate::policy::Member;
use crate::policy::Selector;
use crate::policy::Statement;

/// How the requests of a denial stand to those of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relation {
    /// No request is certain to match both. Two different groups may still share a caller.
    Disjoint,
    /// The denial is strictly inside the grant: an exception, which is what denials are for.
    CarveOut,
    /// The denial matches every request that the grant matches.
    Covers,
    /// Each also reaches where the other does not.
    Partial,
}

/// How one part of a denial stands to the same part of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Disjoint,
    Equal,
    /// The denial's part is smaller.
    Inside,
    /// The denial's part is larger.
    Around,
    Crossing,
}

impl Part {
    /// From the two inclusions, of sets that have something in common.
    fn overlapping(denial_covers: bool, grant_covers: bool) -> Self {
        match (denial_covers, grant_covers) {
            (true, true) => Self::Equal,
            (true, false) => Self::Around,
            (false, true) => Self::Inside,
            (false, false) => Self::Crossing,
        }
    }
}

/// The relation of a denial to a grant, or `None` when it depends on how their conditions differ or on whom they except.
///
/// Where one of the two has exceptions, nothing is said but that they have nothing in common, which exceptions cannot change.
///
/// A condition that is never true is not recognised as such: of a conditional pair the relation says what holds as far as
/// the conditions can hold.
pub fn relation(grant: &Statement, denial: &Statement) -> Option<Relation> {
    let parts = [
        actions(&grant.actions, &denial.actions),
        selector(&grant.service, &denial.service),
        selector(&grant.source, &denial.source),
        members(&grant.members, &denial.members),
    ];
    if parts.contains(&Part::Disjoint) {
        return Some(Relation::Disjoint);
    }
    if !grant.except.is_empty() || !denial.except.is_empty() {
        return None;
    }
    let condition = condition(grant.condition.as_deref(), denial.condition.as_deref())?;
    let parts = || parts.into_iter().chain([condition]);
    Some(if parts().all(|part| matches!(part, Part::Equal | Part::Around)) {
        Relation::Covers
    } else if parts().all(|part| matches!(part, Part::Equal | Part::Inside)) {
        Relation::CarveOut
    } else {
        Relation::Partial
    })
}

fn actions(grant: &Actions, denial: &Actions) -> Part {
    if !grant.overlaps(denial) {
        return Part::Disjoint;
    }
    Part::overlapping(denial.covers(grant), grant.covers(denial))
}

fn selector(grant: &Selector, denial: &Selector) -> Part {
    if !grant.overlaps(denial) {
        return Part::Disjoint;
    }
    Part::overlapping(denial.covers(grant), grant.covers(denial))
}

// INVARIANT: the members of a statement are sorted and distinct, so that a search may halve, and `*` comes first.
/// Whether the members are every caller.
pub(super) fn everyone(members: &[Member]) -> bool {
    members.first() == Some(&Member::Everyone)
}

/// Members are compared as names. Whether two groups share a caller is not known, so they have nothing in common here.
fn members(grant: &[Member], denial: &[Member]) -> Part {
    let (grant_all, denial_all) = (everyone(grant), everyone(denial));
    if grant_all || denial_all {
        return Part::overlapping(denial_all, grant_all);
    }
    let (fewer, more) = if grant.len() < denial.len() { (grant, denial) } else { (denial, grant) };
    let shared = fewer.iter().filter(|member| more.binary_search(member).is_ok()).count();
    if shared == 0 {
        return Part::Disjoint;
    }
    Part::overlapping(shared == grant.len(), shared == denial.len())
}

/// A condition against itself, or against none. Of equal conditions, a value that does not fit keeps the grant from applying and
/// makes the denial apply, so that the denial still covers the grant.
fn condition(grant: Option<&Condition>, denial: Option<&Condition>) -> Option<Part> {
    match (grant, denial) {
        (None, None) => Some(Part::Equal),
        (None, Some(_)) => Some(Part::Inside),
        (Some(_), None) => Some(Part::Around),
        (Some(grant), Some(denial)) => (grant.expr() == denial.expr()).then_some(Part::Equal),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;
    use crate::condition;
    use crate::condition::Lists;
    use crate::policy::Effect;
    use crate::policy::Name;
    use crate::policy::PolicyId;

    fn words(text: &str) -> impl Iterator<Item = &str> {
        text.split(',').map(str::trim)
    }

    /// A statement from `actions | service | source | members | condition`; members behind `except` are the exceptions.
    pub fn statement(id: &str, effect: Effect, text: &str) -> Statement {
        let parts: Vec<&str> = text.split('|').map(str::trim).collect();
        let sorted = |text: &str| words(text).map(Member::parse).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
        let (members, except) = parts[3].split_once(" except ").map_or((parts[3], None), |(members, except)| (members, Some(except)));
        let condition = parts.get(4).map(|text| {
            let parsed = condition::parse(text).expect("a condition");
            Arc::new(Condition::new(parsed.expr, &Lists::default()).expect("fits"))
        });
        Statement {
            policy: PolicyId::new(id).expect("an id"),
            effect,
            actions: if parts[0] == "*" { Actions::Any } else { Actions::Only(words(parts[0]).map(Name::from).collect()) },
            service: Selector::parse(parts[1]),
            source: Selector::parse(parts[2]),
            members: sorted(members),
            except: except.map_or_else(Vec::new, sorted),
            condition,
            from_control: false,
        }
    }

    #[track_caller]
    fn check(grant: &str, denial: &str, expected: Option<Relation>) {
        let found = relation(&statement("G", Effect::Allow, grant), &statement("D", Effect::Deny, denial));
        assert_eq!(found, expected, "{grant} against {denial}");
    }

    #[test]
    fn parts_with_nothing_in_common_keep_the_whole_apart() {
        check("read | report | private | g", "update | report | private | g", Some(Relation::Disjoint));
        check("read | report | private | g", "read | object | private | g", Some(Relation::Disjoint));
        check("read | report | private | g", "read | report | public | g", Some(Relation::Disjoint));
        check("read | report | private | g", "read | report | private | h", Some(Relation::Disjoint));
        check("read | report | private | g", "read | report | private | g@x", Some(Relation::Disjoint));
    }

    #[test]
    fn a_denial_inside_a_grant_is_a_carve_out() {
        check("read, update | report | private | g", "read | report | private | g", Some(Relation::CarveOut));
        check("read | * | private | g", "read | report | private | g", Some(Relation::CarveOut));
        check("read | report | * | g", "read | report | private | g", Some(Relation::CarveOut));
        check("read | report | private | *", "read | report | private | g", Some(Relation::CarveOut));
        check("read | report | private | g, h", "read | report | private | g", Some(Relation::CarveOut));
    }

    #[test]
    fn a_denial_around_a_grant_covers_it() {
        check("read | report | private | g", "read | report | private | g", Some(Relation::Covers));
        check("read | report | private | g", "* | * | * | *", Some(Relation::Covers));
        check("read | report | private | g", "read, update | report | * | g, h", Some(Relation::Covers));
        check("read | report | private | *", "read | report | private | *, g", Some(Relation::Covers));
    }

    #[test]
    fn an_overlap_with_something_left_on_both_sides_is_partial() {
        check("read, update | report | private | g", "read, delete | report | private | g", Some(Relation::Partial));
        check("read, update | report | private | g", "read | report | private | *", Some(Relation::Partial));
        check("read | report | private | g, h", "read | report | private | h, i", Some(Relation::Partial));
        check("read | * | private | g", "read | report | * | g", Some(Relation::Partial));
    }

    #[test]
    fn nothing_is_claimed_of_a_pair_with_exceptions() {
        check("read | report | private | g except h", "read | report | private | g", None);
        check("read | report | private | g", "read | report | private | * except g", None);
        check("read | report | private | g except h", "read | report | private | g except h", None);
        check("read | report | private | g except h", "update | report | private | *", Some(Relation::Disjoint));
    }

    #[test]
    fn conditions_count_when_they_are_equal_or_absent() {
        check("read | report | private | g | a = 1", "read | report | private | g | a = 1", Some(Relation::Covers));
        check("read | report | private | g | a = 1", "read | report | private | g", Some(Relation::Covers));
        check("read | report | private | g", "read | report | private | g | a = 1", Some(Relation::CarveOut));
        check("read | report | private | g", "read | report | private | * | a = 1", Some(Relation::Partial));
        check("read | report | private | g | a = 1", "read | report | private | g | a = 2", None);
        check("read | report | private | g | a = 1", "read | object | private | g | a = 2", Some(Relation::Disjoint));
    }
}
