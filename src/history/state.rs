//! The law book at one commit of its history, and what the next commit changes in it.
//!
//! Policies are matched by id, wherever they are. One that cannot be read keeps the last meaning it had until it can be read
//! again or is gone, so that a slip and its repair are not a deletion and a creation.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use super::Sha256Hash;
use super::Version;
use super::reading::Reading;
use super::reading::Written;
use crate::policy::PolicyId;

/// A policy where it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Held {
    pub(super) path: Arc<str>,
    pub(super) version: Arc<Version>,
    /// The hash of how it is written; of one that cannot be read, how it was when it could be.
    pub(super) text: Sha256Hash,
    /// Whether it cannot be read, and this is its last meaning.
    pub(super) broken: bool,
}

/// A policy before and after a commit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Delta {
    pub(super) id: PolicyId,
    pub(super) before: Option<Held>,
    pub(super) after: Option<Held>,
    /// Whether it is certain that the commit did this. It is not where a file is not in this clone: what that one held, or
    /// holds now, may be the same.
    pub(super) certain: bool,
}

/// A policy in its file.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) written: Written,
    pub(super) broken: bool,
}

/// The policies of one commit, by file and by id.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    files: HashMap<Arc<str>, Vec<Kept>>,
    places: HashMap<PolicyId, BTreeSet<Arc<str>>>,
    /// The files that are not in this clone.
    missing: BTreeSet<Arc<str>>,
}

impl State {
    /// Takes over the files that a commit changes (`None`: it is gone), and gives what that changes, in order of ids.
    pub(super) fn apply(&mut self, changes: &[(Arc<str>, Option<Arc<Reading>>)]) -> Vec<Delta> {
        let before: BTreeMap<PolicyId, Option<Held>> =
            self.concerned(changes).into_iter().map(|id| (id.clone(), self.meaning(id.as_str()))).collect();
        let uncertain = self.uncertain(changes);
        for (path, reading) in changes {
            let old = self.take(path);
            if let Some(reading) = reading {
                self.put(path, succeed(old, reading));
            }
        }
        self.rescue(changes, &before);
        let deltas = before.into_iter().map(|(id, before)| {
            let after = self.meaning(id.as_str());
            let certain = uncertain.as_ref().is_none_or(|ids| before.is_some() && after.is_some() && !ids.contains(&id));
            Delta { id, before, after, certain }
        });
        deltas.filter(|delta| delta.before != delta.after).collect()
    }

    /// The files with their policies.
    pub(super) fn files(&self) -> &HashMap<Arc<str>, Vec<Kept>> {
        &self.files
    }

    /// Every policy that counts, with its semantic hash.
    pub(super) fn meanings(&self) -> impl Iterator<Item = (&PolicyId, Sha256Hash)> {
        self.places.keys().filter_map(|id| Some((id, self.meaning(id.as_str())?.version.hash)))
    }

    /// Puts a file where none is.
    pub(super) fn put(&mut self, path: &Arc<str>, policies: Vec<Kept>) {
        for kept in &policies {
            self.places.entry(kept.written.version.id.clone()).or_default().insert(Arc::clone(path));
        }
        self.files.insert(Arc::clone(path), policies);
    }

    /// The policy with this id that counts: the first one that can be read, in byte order of paths, then in order of the file.
    /// What only was meant once does not stand in the way of what is.
    pub(super) fn meaning(&self, id: &str) -> Option<Held> {
        let mut there = self.places.get(id)?.iter().filter_map(|path| {
            let kept = self.files.get(path)?.iter().find(|kept| kept.written.version.id.as_str() == id)?;
            Some((path, kept))
        });
        let first = there.next()?;
        let (path, kept) = if first.1.broken { there.find(|(_, kept)| !kept.broken).unwrap_or(first) } else { first };
        let Kept { written: Written { version, text }, broken } = kept.clone();
        Some(Held { path: Arc::clone(path), version, text, broken })
    }

    /// The policies of files that are, or were, not in this clone; `None` when there are no such files. Then it is also
    /// uncertain what comes or goes elsewhere, because it may have come from there, or gone there.
    fn uncertain(&mut self, changes: &[(Arc<str>, Option<Arc<Reading>>)]) -> Option<BTreeSet<PolicyId>> {
        let mut ids = None;
        for (path, reading) in changes {
            let is_missing = reading.as_ref().is_some_and(|reading| reading.missing);
            let was_missing = if is_missing { !self.missing.insert(Arc::clone(path)) } else { self.missing.remove(path) };
            if is_missing || was_missing {
                let ids = ids.get_or_insert_with(BTreeSet::new);
                ids.extend(self.files.get(path).into_iter().flatten().map(|kept| kept.written.version.id.clone()));
                ids.extend(reading.iter().flat_map(|reading| &reading.policies).map(|written| written.version.id.clone()));
            }
        }
        ids
    }

    fn concerned(&self, changes: &[(Arc<str>, Option<Arc<Reading>>)]) -> BTreeSet<PolicyId> {
        let mut ids = BTreeSet::new();
        for (path, reading) in changes {
            ids.extend(self.files.get(path).into_iter().flatten().map(|kept| kept.written.version.id.clone()));
            if let Some(reading) = reading {
                ids.extend(reading.policies.iter().map(|written| written.version.id.clone()));
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
                if let Some(Held { version, text, .. }) = before.get(id.as_str()).cloned().flatten() {
                    let mut policies = self.take(path);
                    policies.push(Kept { written: Written { version, text }, broken: true });
                    self.put(path, policies);
                }
            }
        }
    }

    fn take(&mut self, path: &Arc<str>) -> Vec<Kept> {
        let policies = self.files.remove(path).unwrap_or_default();
        for kept in &policies {
            let id = &kept.written.version.id;
            if let Some(paths) = self.places.get_mut(id) {
                paths.remove(path);
                if paths.is_empty() {
                    self.places.remove(id);
                }
            }
        }
        policies
    }
}

/// The policies of a file: those that can be read, and of those that cannot, what they meant before.
fn succeed(old: Vec<Kept>, reading: &Reading) -> Vec<Kept> {
    let mut policies: Vec<Kept> = reading.policies.iter().map(|written| Kept { written: written.clone(), broken: false }).collect();
    let lost = |kept: &Kept| {
        let id = &kept.written.version.id;
        let here = reading.policies.iter().any(|written| written.version.id == *id);
        !here && (reading.opaque || reading.broken.contains(id.as_str()))
    };
    policies.extend(old.into_iter().filter(lost).map(|kept| Kept { broken: true, ..kept }));
    policies
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::from_value;
    use crate::schema::Kind;

    fn policy(id: &str, service: &str) -> Written {
        let value = json!({"_id": id, "service": service, "actions": ["read"], "members": ["*"]});
        let policy = from_value(Kind::Access, &value).expect("valid");
        Written { version: Arc::new(Version::new(&policy)), text: Sha256Hash::of(service.as_bytes()) }
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
            let service = |held: &Held| held.version.value()["service"].as_str().unwrap_or_default().to_owned();
            let mark = |held: &Held| if held.broken { "!" } else { "" };
            held.as_ref().map_or("-".to_owned(), |held| format!("{}={}{}", held.path, service(held), mark(held)))
        };
        let shown: Vec<String> = last
            .iter()
            .map(|delta| format!("{}: {} {} {}", delta.id, show(&delta.before), if delta.certain { ">" } else { "?" }, show(&delta.after)))
            .collect();
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

    /// A file that cannot be read any more once hid what became of its policy elsewhere.
    #[test]
    fn of_two_with_one_id_the_one_that_can_be_read_counts() {
        let first = [("f", Some(readable(&[("A", "a")])))];
        let moved = [("f", Some(opaque())), ("g", Some(readable(&[("A", "b")])))];
        check(&[&first, &moved], &["A: f=a > g=b"]);
        check(&[&first, &moved, &[("g", Some(readable(&[("A", "c")])))]], &["A: g=b > g=c"]);
        check(&[&first, &moved, &[("f", None)]], &[]);
        check(&[&first, &moved, &[("f", Some(readable(&[("B", "b")])))]], &["B: - > f=b"]);
        check(&[&first, &moved, &[("g", None)]], &["A: g=b > f=a!"]);
        check(&[&first, &[("f", Some(opaque()))], &[("g", Some(readable(&[("A", "a")])))]], &["A: f=a! > g=a"]);
    }

    #[test]
    fn what_cannot_be_read_keeps_its_meaning() {
        let both = [("f", Some(readable(&[("A", "a"), ("B", "b")])))];
        check(&[&both, &[("f", Some(opaque()))]], &["A: f=a > f=a!", "B: f=b > f=b!"]);
        check(&[&both, &[("f", Some(opaque()))], &[("f", Some(opaque()))]], &[]);
        check(&[&both, &[("f", Some(opaque()))], &both], &["A: f=a! > f=a", "B: f=b! > f=b"]);
        check(&[&both, &[("f", Some(opaque()))], &[("f", Some(readable(&[("A", "x")])))]], &["A: f=a! > f=x", "B: f=b! > -"]);
        check(&[&both, &[("f", Some(broken(&["A"])))]], &["A: f=a > f=a!", "B: f=b > -"]);
        check(&[&both, &[("f", Some(opaque()))], &[("f", None)]], &["A: f=a! > -", "B: f=b! > -"]);
        check(&[&[("f", Some(broken(&["A"])))]], &[]);
    }

    /// Of a file that is not in a clone, whoever changed it next was once told to have made all that is in it.
    #[test]
    fn what_a_missing_file_held_is_not_told_as_news() {
        let missing = || Reading { missing: true, ..opaque() };
        let first = [("f", Some(readable(&[("A", "a")]))), ("g", Some(missing()))];
        check(&[&first], &["A: - ? f=a"]);
        check(&[&first, &[("g", Some(readable(&[("B", "b")])))]], &["B: - ? g=b"]);
        check(&[&first, &[("g", Some(readable(&[("B", "b")])))], &[("g", Some(readable(&[("B", "c")])))]], &["B: g=b > g=c"]);
        check(&[&first, &[("g", None), ("h", Some(readable(&[("B", "b")])))]], &["B: - ? h=b"]);
        check(&[&first, &[("f", Some(missing()))]], &["A: f=a ? f=a!"]);
        check(&[&first, &[("f", Some(missing()))], &[("f", Some(readable(&[("A", "b")])))]], &["A: f=a! ? f=b"]);
        check(&[&first, &[("f", None), ("g", Some(missing()))]], &["A: f=a ? -"]);
        check(&[&first, &[("f", None)]], &["A: f=a > -"]);
        check(&[&first, &[("f", Some(readable(&[("A", "b")]))), ("g", None)]], &["A: f=a > f=b"]);
    }

    #[test]
    fn a_policy_that_moves_and_breaks_at_once_is_not_deleted() {
        let first = [("f", Some(readable(&[("A", "a")])))];
        check(&[&first, &[("f", None), ("g", Some(broken(&["A"])))]], &["A: f=a > g=a!"]);
        check(&[&first, &[("e", Some(broken(&["A"])))]], &[]);
    }
}
