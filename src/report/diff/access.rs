//! Changes of access, each as much as one sentence can say.
//!
//! The analysis describes what each grant gives to each caller. Two changes with one reason that differ in nothing but the callers,
//! the actions, the services or the sources are one; so are two that differ in nothing but the reason.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value as Json;
use serde_json::json;

use crate::analysis::Change;
use crate::analysis::Names;
use crate::analysis::Region;
use crate::bundle::Digest;
use crate::policy::Member;
use crate::policy::PolicyId;

/// How many hexadecimal digits a fingerprint has: few enough to type, and too many to meet another one by chance.
const DIGITS: usize = 12;

/// Requests that are allowed on one side only.
#[derive(Debug, Clone)]
pub struct Access {
    /// Who: callers that have all the members of one of the lists.
    pub callers: BTreeSet<Vec<Member>>,
    /// Which requests.
    pub region: Region,
    /// The policies whose change is the reason.
    pub causes: BTreeSet<PolicyId>,
    /// The grants that allow them, on the side that does.
    pub grants: BTreeSet<PolicyId>,
    /// The denials that are in the way, on the side that does not.
    pub denials: BTreeSet<PolicyId>,
    /// Whether there are more such requests than are described.
    pub partial: bool,
    /// One of them, which is allowed on one side and denied on the other.
    pub witness: Json,
    /// A short name of what is gained or lost. It does not depend on files, ids of policies, or the witness.
    pub fingerprint: String,
    /// Whether somebody gave leave for it.
    pub waived: bool,
}

/// What is gained, in the order in which the policies that are the reason stand.
pub fn gained(changes: &[Change], places: &BTreeMap<&PolicyId, usize>, waived: &BTreeSet<&str>) -> Vec<Access> {
    let mut all = joined("gained", changes, places);
    for access in &mut all {
        access.waived = waived.contains(access.fingerprint.as_str());
    }
    all
}

/// What is lost, in the order in which the policies that are the reason stand.
pub fn lost(changes: &[Change], places: &BTreeMap<&PolicyId, usize>) -> Vec<Access> {
    joined("lost", changes, places)
}

fn joined(direction: &str, changes: &[Change], places: &BTreeMap<&PolicyId, usize>) -> Vec<Access> {
    let mut all: Vec<Access> = Vec::new();
    for change in changes {
        all.push(Access::of(change));
    }
    // Each round takes one away, so there are no more rounds than changes.
    'again: loop {
        for one in 0..all.len() {
            for two in one + 1..all.len() {
                let (Some(first), Some(second)) = (all.get(one), all.get(two)) else { continue };
                let Some(both) = first.with(second) else { continue };
                all.remove(two);
                if let Some(place) = all.get_mut(one) {
                    *place = both;
                }
                continue 'again;
            }
        }
        break;
    }
    for access in &mut all {
        access.fingerprint = access.fingerprint(direction);
    }
    let place = |access: &Access| access.causes.iter().filter_map(|id| places.get(id).copied()).min();
    all.sort_by(|one, two| {
        // What only a strange document would show comes last.
        let key = |access: &Access| (place(access), access.causes.clone(), !access.region.unfit.is_empty());
        key(one).cmp(&key(two)).then_with(|| one.region.cmp(&two.region)).then_with(|| one.callers.cmp(&two.callers))
    });
    all
}

impl Access {
    fn of(change: &Change) -> Self {
        // A denial that is in the way on one side only is what changed; otherwise the grant is.
        let cause = change.denial.as_ref().unwrap_or(&change.grant);
        Self {
            callers: change.callers.iter().cloned().collect(),
            region: Region {
                actions: sorted(&change.region.actions),
                services: sorted(&change.region.services),
                sources: sorted(&change.region.sources),
                ..change.region.clone()
            },
            causes: BTreeSet::from([cause.clone()]),
            grants: BTreeSet::from([change.grant.clone()]),
            denials: change.denial.iter().cloned().collect(),
            partial: change.partial,
            witness: change.witness.clone(),
            fingerprint: String::new(),
            waived: false,
        }
    }

    /// Both as one, if one sentence can say them exactly.
    fn with(&self, other: &Self) -> Option<Self> {
        let (mine, theirs) = (&self.region, &other.region);
        let rest = |region: &Region| (region.groups.clone(), region.caller_types.clone(), region.condition.clone(), region.unfit.clone());
        if rest(mine) != rest(theirs) {
            return None;
        }
        let differing = [
            self.callers != other.callers,
            mine.actions != theirs.actions,
            mine.services != theirs.services,
            mine.sources != theirs.sources,
            self.causes != other.causes,
        ];
        if differing.into_iter().filter(|differs| *differs).count() > 1 {
            return None;
        }
        let region = Region {
            actions: union(&mine.actions, &theirs.actions),
            services: union(&mine.services, &theirs.services),
            sources: union(&mine.sources, &theirs.sources),
            ..mine.clone()
        };
        Some(Self {
            callers: self.callers.union(&other.callers).cloned().collect(),
            region,
            causes: self.causes.union(&other.causes).cloned().collect(),
            grants: self.grants.union(&other.grants).cloned().collect(),
            denials: self.denials.union(&other.denials).cloned().collect(),
            partial: self.partial || other.partial,
            ..self.clone()
        })
    }

    fn fingerprint(&self, direction: &str) -> String {
        let Region { actions, services, sources, groups, caller_types, condition, unfit } = &self.region;
        let callers: Vec<Vec<String>> = self.callers.iter().map(|members| members.iter().map(member).collect()).collect();
        let groups: Vec<(&str, bool)> = groups.iter().map(|(name, inside)| (&**name, *inside)).collect();
        let condition = condition.as_ref().map(ToString::to_string);
        let unfit: Vec<String> = unfit.iter().map(ToString::to_string).collect();
        let [actions, services, sources, caller_types] = [actions, services, sources, caller_types].map(listed);
        let text = json!([direction, callers, actions, services, sources, groups, caller_types, condition, unfit]).to_string();
        Digest::of(text.as_bytes()).hex().chars().take(DIGITS).collect()
    }
}

/// A member as a policy would write it.
pub fn member(member: &Member) -> String {
    match member {
        Member::Everyone => "*".to_owned(),
        Member::Email(name) | Member::Group(name) => name.to_string(),
        Member::Typed { kind, id } => format!("{kind}:{id}"),
    }
}

/// Names as JSON: `{"only": […]}` or `{"all_but": […]}`.
pub fn listed(names: &Names) -> Json {
    match names {
        Names::Only(names) => json!({"only": names}),
        Names::AllBut(names) => json!({"all_but": names}),
    }
}

fn sorted(names: &Names) -> Names {
    let in_order = |names: &[String]| names.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    match names {
        Names::Only(names) => Names::Only(in_order(names)),
        Names::AllBut(names) => Names::AllBut(in_order(names)),
    }
}

fn union(one: &Names, two: &Names) -> Names {
    match (one, two) {
        (Names::Only(one), Names::Only(two)) => sorted(&Names::Only(one.iter().chain(two).cloned().collect())),
        (Names::AllBut(one), Names::AllBut(two)) => Names::AllBut(one.iter().filter(|name| two.contains(name)).cloned().collect()),
        (Names::AllBut(rest), Names::Only(names)) | (Names::Only(names), Names::AllBut(rest)) => {
            Names::AllBut(rest.iter().filter(|name| !names.contains(name)).cloned().collect())
        }
    }
}
