//! How a merge came to what it holds: whose work it brought, and whether that is what its parents held.
//!
//! A policy file that a merge takes from one of its lines is no news. One that differs from all of them is either what git makes
//! of both sides by itself, which is tried, or somebody's work that no line of commits shows: a conflict decided by hand, or an
//! evil merge. Where a file is as it was on the first line, it is the configuration that made the difference, and is judged in
//! its place.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use git2::Oid;

use super::HistoryError;
use super::Landing;
use super::Merge;
use super::MergeKind;
use super::Person;
use super::Repository;
use super::Signature;
use super::attempt::Attempt;
use super::attempt::Attempts;
use super::brought::Brought;
use super::happening::Happening;
use super::tree::Differences;
use super::tree::Trees;
use super::tree::Wanted;
use super::walk::Stop;
use super::walk::is_cut;
use crate::config;
use crate::policy::PolicyId;

/// The files that policies have left: whoever worked on one of them there had a part in what became of it.
pub(super) type Places = HashMap<PolicyId, BTreeSet<Arc<str>>>;

/// Judges the merges of a repository, in the order in which they are walked.
pub(super) struct Merges<'r> {
    repository: &'r Repository,
    trees: Trees<'r>,
    brought: Brought<'r>,
    attempts: Attempts<'r>,
}

/// Where the parents of a merge hold something else, the first one first.
struct Compared(Vec<Differences>);

/// What git made of a merge, and what it holds.
struct Tried {
    attempt: Attempt,
    own: Differences,
}

/// The merged commits, by the files that they touch.
#[derive(Default)]
struct Touched {
    people: Vec<Vec<Person>>,
    by_path: BTreeMap<String, Vec<usize>>,
}

impl<'r> Merges<'r> {
    pub(super) fn new(repository: &'r Repository, stops: &[Stop]) -> Result<Self, HistoryError> {
        Ok(Self {
            repository,
            trees: Trees::new(repository)?,
            brought: Brought::new(repository, stops),
            attempts: Attempts::new(repository),
        })
    }

    /// A merged commit that was looked for and is not there.
    pub(super) fn missing(&self) -> Option<Oid> {
        self.brought.missing
    }

    /// What is known of each happening of a merge.
    pub(super) fn judge(
        &mut self,
        commit: &git2::Commit<'_>,
        happenings: &[Happening],
        places: &Places,
    ) -> Result<Vec<Option<Merge>>, HistoryError> {
        let former =
            |happening: &Happening| places.get(happening.id_before()).into_iter().flatten().map(|path| &**path).collect::<Vec<_>>();
        let named = happenings.iter().flat_map(Happening::paths).chain([config::FILE_NAME]);
        let wanted: BTreeSet<&str> = named.chain(happenings.iter().flat_map(former)).collect();
        let compared = self.compare(commit, &wanted)?;
        let touched = self.touched(commit, &wanted)?;
        let mut tried = None;
        let mut known = Vec::with_capacity(happenings.len());
        for happening in happenings {
            let about = compared.about(happening);
            let kind = if compared.is_taken(&about) {
                MergeKind::Taken
            } else {
                let tried = match &tried {
                    Some(tried) => tried,
                    None => tried.insert(self.try_again(commit, &wanted)?),
                };
                tried.kind(&about, self.repository.prefix())
            };
            known.push(Some(Merge { kind, contributors: touched.contributors(about.into_iter().chain(former(happening))) }));
        }
        Ok(known)
    }

    fn compare(&mut self, commit: &git2::Commit<'_>, wanted: &BTreeSet<&str>) -> Result<Compared, HistoryError> {
        let book = self.trees.law_book(commit.tree_id())?;
        let mut parents = Vec::new();
        for parent in commit.parents() {
            let other = self.trees.law_book(parent.tree_id())?;
            parents.push(self.trees.compare(other, book, wanted)?);
        }
        Ok(Compared(parents))
    }

    fn try_again(&mut self, commit: &git2::Commit<'_>, wanted: &BTreeSet<&str>) -> Result<Tried, HistoryError> {
        let book = self.trees.law_book(commit.tree_id())?;
        Ok(Tried { attempt: self.attempts.of(commit)?, own: self.trees.compare(None, book, wanted)? })
    }

    /// The commits that a merge brought, in the order in which they began, as far as they touch the wanted files.
    fn touched(&mut self, commit: &git2::Commit<'_>, wanted: &BTreeSet<&str>) -> Result<Touched, HistoryError> {
        let mut touched = Touched::default();
        for id in self.brought.by(commit)? {
            let failed = |error: git2::Error| self.repository.error("read a merged commit", &error);
            let merged = self.repository.git().find_commit(id).map_err(failed)?;
            let paths = self.changed(&merged, wanted)?;
            if paths.is_empty() {
                continue;
            }
            for path in paths {
                touched.by_path.entry(path).or_default().push(touched.people.len());
            }
            let landing = Landing::new(&merged, false, Signature::none());
            touched.people.push(std::iter::once(Person::clone(&landing.author)).chain(landing.co_authors()).collect());
        }
        Ok(touched)
    }

    /// The wanted files that a commit changed, which for a merge are those that it has from none of its parents. Of a commit
    /// whose parents are not there nobody knows.
    fn changed(&mut self, commit: &git2::Commit<'_>, wanted: &BTreeSet<&str>) -> Result<BTreeSet<String>, HistoryError> {
        if is_cut(commit) {
            return Ok(BTreeSet::new());
        }
        let own = self.trees.law_book(commit.tree_id())?;
        let mut changed: Option<BTreeSet<String>> = None;
        let parents: Vec<Oid> = commit.parents().map(|parent| parent.tree_id()).collect();
        for parent in parents.into_iter().map(Some).chain((commit.parent_count() == 0).then_some(None)) {
            let parent = parent.map(|tree| self.trees.law_book(tree)).transpose()?.flatten();
            let differs: BTreeSet<String> = self.trees.compare(parent, own, wanted)?.into_keys().map(|path| path.to_string()).collect();
            changed = Some(match changed {
                Some(changed) => changed.intersection(&differs).cloned().collect(),
                None => differs,
            });
        }
        Ok(changed.unwrap_or_default())
    }
}

impl Tried {
    /// How a merge that does not take these files came to them.
    fn kind(&self, about: &[&str], prefix: &str) -> MergeKind {
        let full = |path: &str| if prefix.is_empty() { path.to_owned() } else { format!("{prefix}/{path}") };
        let made = match &self.attempt {
            Attempt::Unknown => return MergeKind::Unknown,
            Attempt::Nothing => return MergeKind::Evil,
            Attempt::Made(made) => made,
        };
        if about.iter().any(|path| made.is_conflict(&full(path))) {
            return MergeKind::Resolved;
        }
        let same = |path: &&str| made.content(&full(path)) == self.own.get(*path).copied().flatten();
        if about.iter().all(same) { MergeKind::Combined } else { MergeKind::Evil }
    }
}

impl Compared {
    /// The files that decided what happened.
    fn about<'a>(&self, happening: &'a Happening) -> Vec<&'a str> {
        let differs = |path: &str| self.0.first().is_some_and(|first| first.contains_key(path));
        let mut about: Vec<&str> = happening.paths().collect();
        let comes_or_goes = happening.before.is_none() || happening.after.is_none();
        if differs(config::FILE_NAME) && (comes_or_goes || !about.iter().any(|path| differs(path))) {
            about.push(config::FILE_NAME);
        }
        about
    }

    /// Whether one of the merged lines holds all of them as the merge does.
    fn is_taken(&self, about: &[&str]) -> bool {
        self.0.iter().skip(1).any(|other| !about.iter().any(|path| other.contains_key(*path)))
    }
}

impl Touched {
    /// Who wrote the commits that touch some files, each once.
    fn contributors<'a>(&self, paths: impl Iterator<Item = &'a str>) -> Vec<Person> {
        let commits: BTreeSet<usize> = paths.filter_map(|path| self.by_path.get(path)).flatten().copied().collect();
        let people = commits.into_iter().filter_map(|at| self.people.get(at)).flatten();
        let mut known = HashSet::new();
        people.filter(|&person| known.insert(person)).cloned().collect()
    }
}

impl Wanted for BTreeSet<&str> {
    fn selects(&self, path: &str) -> bool {
        self.contains(path)
    }

    fn may_hold(&self, folder: &str) -> bool {
        let start = format!("{folder}/");
        self.range(start.as_str()..).next().is_some_and(|path| path.starts_with(&start))
    }
}
