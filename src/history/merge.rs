//! How a merge came to what it holds: whose work it brought, and whether that is what its parents held.
//!
//! A policy file that a merge takes from one of its lines is no news. One that differs from all of them is either what git makes
//! of both sides by itself, which is tried, or somebody's work that no line of commits shows: a conflict decided by hand, or an
//! evil merge.

use std::collections::BTreeSet;
use std::path::Path;

use git2::ErrorCode;
use git2::Oid;
use git2::Sort;

use super::HistoryError;
use super::Landing;
use super::Merge;
use super::MergeKind;
use super::Person;
use super::Repository;
use super::Signature;
use super::happening::Happening;
use super::tree::Trees;
use super::tree::Wanted;

/// The most merged commits that are looked at for contributors.
const MOST_COMMITS: usize = 20_000;

/// Where what git tries is written: before every other place, and only to memory.
const FIRST: i32 = 1_000;

/// Judges the merges of a repository.
pub(super) struct Merges<'r> {
    repository: &'r Repository,
    trees: Trees<'r>,
    scratch: Option<git2::Repository>,
}

/// A merged commit: who wrote it, and which of the wanted files it changed.
struct Merged {
    people: Vec<Person>,
    paths: BTreeSet<String>,
}

impl<'r> Merges<'r> {
    pub(super) fn new(repository: &'r Repository) -> Result<Self, HistoryError> {
        Ok(Self { repository, trees: Trees::new(repository)?, scratch: None })
    }

    /// What is known of each happening of a commit; nothing when it is no merge.
    pub(super) fn judge(&mut self, commit: &git2::Commit<'_>, happenings: &[Happening]) -> Result<Vec<Option<Merge>>, HistoryError> {
        if commit.parent_count() < 2 {
            return Ok(vec![None; happenings.len()]);
        }
        let merged = self.merged(commit, &happenings.iter().flat_map(paths).collect())?;
        let (mut tried, mut known) = (None, Vec::with_capacity(happenings.len()));
        for happening in happenings {
            let touches = |merged: &&Merged| paths(happening).any(|path| merged.paths.contains(path));
            let mut contributors: Vec<Person> = Vec::new();
            for person in merged.iter().filter(touches).flat_map(|merged| &merged.people) {
                if !contributors.contains(person) {
                    contributors.push(person.clone());
                }
            }
            known.push(Some(Merge { kind: self.kind(commit, happening, &mut tried)?, contributors }));
        }
        Ok(known)
    }

    /// The commits that a merge brought, in the order in which they began, as far as they touch the wanted files.
    fn merged(&mut self, commit: &git2::Commit<'_>, wanted: &BTreeSet<&str>) -> Result<Vec<Merged>, HistoryError> {
        let failed = |error: &git2::Error| self.repository.error("walk the merged commits", error);
        let mut walk = self.repository.git().revwalk().map_err(|error| failed(&error))?;
        let mut parents = commit.parent_ids();
        let mut started = walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE);
        if let Some(first) = parents.next() {
            started = started.and_then(|()| walk.hide(first));
        }
        let started = parents.fold(started, |started, parent| started.and_then(|()| walk.push(parent)));
        let ids: Result<Vec<Oid>, git2::Error> = started.and_then(|()| walk.take(MOST_COMMITS).collect());
        let ids = match ids {
            Ok(ids) => ids,
            // The trail of a clone without them is partial, and says so.
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&error).into()),
        };
        let mut found = Vec::new();
        for id in ids {
            let merged = self.repository.git().find_commit(id).map_err(|error| failed(&error))?;
            let paths = self.touched(&merged, wanted)?;
            if !paths.is_empty() {
                let landing = Landing::new(&merged, false, Signature::none());
                let people = std::iter::once(Person::clone(&landing.author)).chain(landing.co_authors()).collect();
                found.push(Merged { people, paths });
            }
        }
        Ok(found)
    }

    /// The wanted files that a commit changed, which for a merge are those that it has from none of its parents.
    fn touched(&mut self, commit: &git2::Commit<'_>, wanted: &BTreeSet<&str>) -> Result<BTreeSet<String>, HistoryError> {
        let own = self.trees.law_book(commit.tree_id())?;
        let mut touched: Option<BTreeSet<String>> = None;
        let parents: Vec<Oid> = commit.parents().map(|parent| parent.tree_id()).collect();
        for parent in parents.into_iter().map(Some).chain((commit.parent_count() == 0).then_some(None)) {
            let parent = parent.map(|tree| self.trees.law_book(tree)).transpose()?.flatten();
            let differs: BTreeSet<String> = self.trees.compare(parent, own, wanted)?.into_keys().map(|path| path.to_string()).collect();
            touched = Some(match touched {
                Some(touched) => touched.intersection(&differs).cloned().collect(),
                None => differs,
            });
        }
        Ok(touched.unwrap_or_default())
    }

    fn kind(
        &mut self,
        commit: &git2::Commit<'_>,
        happening: &Happening,
        tried: &mut Option<Option<git2::Index>>,
    ) -> Result<MergeKind, HistoryError> {
        let prefix = self.repository.prefix();
        let full = |path: &str| if prefix.is_empty() { path.to_owned() } else { format!("{prefix}/{path}") };
        let paths: Vec<String> = paths(happening).map(full).collect();
        let failed = |error: git2::Error| self.repository.error("compare a merge with its parents", &error);
        let tree = commit.tree().map_err(failed)?;
        for parent in commit.parents().skip(1) {
            let other = parent.tree().map_err(failed)?;
            if paths.iter().all(|path| blob(&tree, path) == blob(&other, path)) {
                return Ok(MergeKind::Taken);
            }
        }
        let index = match tried {
            Some(index) => index,
            None => tried.insert(self.attempt(commit)?),
        };
        let Some(index) = index else { return Ok(MergeKind::Evil) };
        let stages = |path: &str| (1..=3).any(|stage| index.get_path(Path::new(path), stage).is_some());
        if paths.iter().any(|path| stages(path)) {
            return Ok(MergeKind::Resolved);
        }
        let same = |path: &String| index.get_path(Path::new(path), 0).map(|entry| entry.id) == blob(&tree, path);
        Ok(if paths.iter().all(same) { MergeKind::Combined } else { MergeKind::Evil })
    }

    /// What git makes of the parents by itself; `None` when it makes nothing of them.
    fn attempt(&mut self, commit: &git2::Commit<'_>) -> Result<Option<git2::Index>, HistoryError> {
        let failed = |error: git2::Error| self.repository.error("repeat a merge", &error);
        let git = match &self.scratch {
            Some(git) => git,
            None => {
                let git = git2::Repository::open(self.repository.git_dir()).map_err(failed)?;
                git.odb().and_then(|odb| odb.add_new_mempack_backend(FIRST).map(drop)).map_err(failed)?;
                self.scratch.insert(git)
            }
        };
        let mut parents = commit.parent_ids();
        let (Some(mut ours), Some(mut theirs)) = (parents.next(), parents.next()) else { return Ok(None) };
        loop {
            let sides = git.find_commit(ours).and_then(|ours| Ok((ours, git.find_commit(theirs)?)));
            let Ok(mut index) = sides.and_then(|(ours, theirs)| git.merge_commits(&ours, &theirs, None)) else { return Ok(None) };
            let Some(next) = parents.next() else { return Ok(Some(index)) };
            // Of more than two parents, git merges one after the other, and none that conflict.
            let so_far = index.write_tree_to(git).and_then(|tree| git.find_tree(tree)).and_then(|tree| {
                let (one, two) = (git.find_commit(ours)?, git.find_commit(theirs)?);
                git.commit(None, &commit.author(), &commit.committer(), "", &tree, &[&one, &two])
            });
            let Ok(so_far) = so_far else { return Ok(None) };
            (ours, theirs) = (so_far, next);
        }
    }
}

/// The files that a happening is about, relative to the root of the law book.
fn paths(happening: &Happening) -> impl Iterator<Item = &str> {
    std::iter::once(&*happening.path).chain(happening.from.as_deref())
}

fn blob(tree: &git2::Tree<'_>, path: &str) -> Option<Oid> {
    tree.get_path(Path::new(path)).ok().map(|entry| entry.id())
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
