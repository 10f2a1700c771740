//! The law book at one commit of its history, and what the next commit changes in it.
//!
//! Policies are matched by id, wherever they are. One that cannot be read keeps the last meaning it had until it can be read
//! again or is gone, so that a slip and its repair are not a deletion and a creation.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use super::reading::Reading;
use crate::policy::Policy;
use crate::policy::PolicyId;

/// A policy where it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Held {
    pub(super) path: Arc<str>,
    pub(super) policy: Arc<Policy>,
}

/// A policy before and after a commit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Delta {
    pub(super) id: PolicyId,
    pub(super) before: Option<Held>,
    pub(super) after: Option<Held>,
}

/// The policies of one commit, by file and by id.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    files: BTreeMap<Arc<str>, Vec<Arc<Policy>>>,
    places: HashMap<PolicyId, BTreeSet<Arc<str>>>,
}

impl State {
    /// Takes over the files that a commit changes (`None`: it is gone), and gives what that changes, in order of ids.
    pub(super) fn apply(&mut self, changes: &[(Arc<str>, Option<Arc<Reading>>)]) -> Vec<Delta> {
        let before: BTreeMap<PolicyId, Option<Held>> =
            self.concerned(changes).into_iter().map(|id| (id.clone(), self.meaning(&id))).collect();
        for (path, reading) in changes {
            let old = self.take(path);
            if let Some(reading) = reading {
                self.put(path, succeed(old, reading));
            }
        }
        self.rescue(changes, &before);
        let deltas = before.into_iter().map(|(id, before)| Delta { after: self.meaning(&id), id, before });
        deltas.filter(|delta| delta.before != delta.after).collect()
    }

    /// The policy with this id that counts: the first one in byte order of paths, then in order of the file.
    fn meaning(&self, id: &PolicyId) -> Option<Held> {
        let path = self.places.get(id)?.first()?;
        let policy = self.files.get(path)?.iter().find(|policy| policy.id() == id)?;
        Some(Held { path: Arc::clone(path), policy: Arc::clone(policy) })
    }

    fn concerned(&self, changes: &[(Arc<str>, Option<Arc<Reading>>)]) -> BTreeSet<PolicyId> {
        let mut ids = BTreeSet::new();
        for (path, reading) in changes {
            ids.extend(self.files.get(path).into_iter().flatten().map(|policy| policy.id().clone()));
            if let Some(reading) = reading {
                ids.extend(reading.policies.iter().map(|policy| policy.id().clone()));
                ids.extend(reading.broken.iter().filter_map(|id| PolicyId::new(id)));
            }
        }
        ids
    }

    /// A policy that moved and became unreadable in one commit keeps its meaning at its new place.
    fn rescue(&mut self, changes: &[(Arc<str>, Option<Arc<Reading>>)], before: &BTreeMap<PolicyId, Option<Held>>) {
        for (path, reading) in changes {
            for id in reading.iter().flat_map(|reading| &reading.broken) {
                if self.places.contains_key(id.as_str()) {
                    continue;
                }
                if let Some(held) = before.get(id.as_str()).and_then(Option::as_ref) {
                    let mut policies = self.take(path);
                    policies.push(Arc::clone(&held.policy));
                    self.put(path, policies);
                }
            }
        }
    }

    fn take(&mut self, path: &Arc<str>) -> Vec<Arc<Policy>> {
        let policies = self.files.remove(path).unwrap_or_default();
        for policy in &policies {
            if let Some(paths) = self.places.get_mut(policy.id()) {
                paths.remove(path);
                if paths.is_empty() {
                    self.places.remove(policy.id());
                }
            }
        }
        policies
    }

    fn put(&mut self, path: &Arc<str>, policies: Vec<Arc<Policy>>) {
        for policy in &policies {
            self.places.entry(policy.id().clone()).or_default().insert(Arc::clone(path));
        }
        self.files.insert(Arc::clone(path), policies);
    }
}

/// The policies of a file: those that can be read, and of those that cannot, what they meant before.
fn succeed(old: Vec<Arc<Policy>>, reading: &Reading) -> Vec<Arc<Policy>> {
    let mut policies = reading.policies.clone();
    let lost = |policy: &Arc<Policy>| {
        let here = reading.policies.iter().any(|one| one.id() == policy.id());
        !here && (reading.opaque || reading.broken.contains(policy.id().as_str()))
    };
    policies.extend(old.into_iter().filter(lost));
    policies
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::from_value;
    use crate::schema::Kind;

    fn policy(id: &str, service: &str) -> Arc<Policy> {
        let value = json!({"_id": id, "service": service, "actions": ["read"], "members": ["*"]});
        Arc::new(from_value(Kind::Access, &value).expect("valid"))
    }

    fn readable(policies: &[(&str, &str)]) -> Reading {
        Reading { policies: policies.iter().map(|(id, service)| policy(id, service)).collect(), ..Reading::default() }
    }

    fn broken(ids: &[&str]) -> Reading {
        Reading { broken: ids.iter().map(|&id| id.to_owned()).collect(), ..Reading::default() }
    }

    fn opaque() -> Reading {
        Reading { opaque: true, ..Reading::default() }
    }

    /// Applies the commits in turn and shows what the last one changed: `id: path=service > path=service`.
    #[track_caller]
    fn check(commits: &[&[(&str, Option<Reading>)]], expected: &[&str]) {
        let mut state = State::default();
        let mut last = Vec::new();
        for commit in commits {
            let changes: Vec<_> = commit.iter().map(|(path, reading)| (Arc::from(*path), reading.clone().map(Arc::new))).collect();
            last = state.apply(&changes);
        }
        let show = |held: &Option<Held>| {
            held.as_ref().map_or("-".to_owned(), |held| format!("{}={}", held.path, held.policy.service().unwrap_or("")))
        };
        let shown: Vec<String> =
            last.iter().map(|delta| format!("{}: {} > {}", delta.id, show(&delta.before), show(&delta.after))).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn policies_are_matched_by_id() {
        let both = [("f", Some(readable(&[("A", "a"), ("B", "b")])))];
        check(&[&both], &["A: - > f=a", "B: - > f=b"]);
        check(&[&both, &both], &[]);
        check(&[&both, &[("f", Some(readable(&[("B", "b"), ("A", "x")])))]], &["A: f=a > f=x"]);
        check(&[&both, &[("f", Some(readable(&[("A", "a")]))), ("g", Some(readable(&[("B", "b")])))]], &["B: f=b > g=b"]);
        check(&[&both, &[("f", None)]], &["A: f=a > -", "B: f=b > -"]);
    }

    #[test]
    fn of_two_with_one_id_the_first_path_counts() {
        let first = [("f", Some(readable(&[("A", "a")])))];
        check(&[&first, &[("g", Some(readable(&[("A", "b")])))]], &[]);
        check(&[&first, &[("g", Some(readable(&[("A", "b")])))], &[("f", None)]], &["A: f=a > g=b"]);
        check(&[&first, &[("e", Some(readable(&[("A", "b")])))]], &["A: f=a > e=b"]);
    }

    #[test]
    fn what_cannot_be_read_keeps_its_meaning() {
        let both = [("f", Some(readable(&[("A", "a"), ("B", "b")])))];
        check(&[&both, &[("f", Some(opaque()))]], &[]);
        check(&[&both, &[("f", Some(opaque()))], &both], &[]);
        check(&[&both, &[("f", Some(opaque()))], &[("f", Some(readable(&[("A", "x")])))]], &["A: f=a > f=x", "B: f=b > -"]);
        check(&[&both, &[("f", Some(broken(&["A"])))]], &["B: f=b > -"]);
        check(&[&both, &[("f", Some(opaque()))], &[("f", None)]], &["A: f=a > -", "B: f=b > -"]);
        check(&[&[("f", Some(broken(&["A"])))]], &[]);
    }

    #[test]
    fn a_policy_that_moves_and_breaks_at_once_is_not_deleted() {
        let first = [("f", Some(readable(&[("A", "a")])))];
        check(&[&first, &[("f", None), ("g", Some(broken(&["A"])))]], &["A: f=a > g=a"]);
        check(&[&first, &[("e", Some(broken(&["A"])))]], &[]);
    }
}
