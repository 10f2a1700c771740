//! What git makes of the parents of a merge by itself, tried in memory.

use std::path::Path;

use git2::ErrorCode;
use git2::Oid;

use super::HistoryError;
use super::Repository;
use super::tree::Content;
use super::walk::is_cut;

/// Where what git tries is written: before every other place, and only to memory.
const FIRST: i32 = 1_000;

/// Repeats merges.
pub(super) struct Attempts<'r> {
    repository: &'r Repository,
    scratch: Option<git2::Repository>,
}

/// What came of it.
pub(super) enum Attempt {
    /// These files, and perhaps conflicts.
    Made(Made),
    /// Git does not merge more than two parents that conflict.
    Nothing,
    /// What is needed for it is not there.
    Unknown,
}

/// What git made.
pub(super) struct Made(git2::Index);

impl Made {
    /// Whether both sides changed the same place of a file.
    pub(super) fn is_conflict(&self, path: &str) -> bool {
        (1..=3).any(|stage| self.0.get_path(Path::new(path), stage).is_some())
    }

    /// What stands at a path.
    pub(super) fn content(&self, path: &str) -> Option<Content> {
        self.0.get_path(Path::new(path), 0).map(|entry| Content::new(entry.mode, entry.id))
    }
}

impl<'r> Attempts<'r> {
    pub(super) fn new(repository: &'r Repository) -> Self {
        Self { repository, scratch: None }
    }

    /// Repeats a merge.
    pub(super) fn of(&mut self, commit: &git2::Commit<'_>) -> Result<Attempt, HistoryError> {
        let failed = |error: git2::Error| self.repository.error("repeat a merge", &error);
        let git = match &self.scratch {
            Some(git) => git,
            None => {
                let git = git2::Repository::open(self.repository.git_dir()).map_err(failed)?;
                git.odb().and_then(|odb| odb.add_new_mempack_backend(FIRST).map(drop)).map_err(failed)?;
                self.scratch.insert(git)
            }
        };
        if self.repository.incomplete().is_some() && !began_here(git, commit).unwrap_or(false) {
            return Ok(Attempt::Unknown);
        }
        Ok(match made(git, commit) {
            Ok(Some(index)) => Attempt::Made(Made(index)),
            Ok(None) => Attempt::Nothing,
            // Whatever stands in the way of an attempt says nothing about whoever merged.
            Err(_) => Attempt::Unknown,
        })
    }
}

fn made(git: &git2::Repository, commit: &git2::Commit<'_>) -> Result<Option<git2::Index>, git2::Error> {
    let mut parents = commit.parent_ids();
    let (Some(mut ours), Some(mut theirs)) = (parents.next(), parents.next()) else { return Ok(None) };
    loop {
        let (one, two) = (git.find_commit(ours)?, git.find_commit(theirs)?);
        let mut index = git.merge_commits(&one, &two, None)?;
        let Some(next) = parents.next() else { return Ok(Some(index)) };
        // Of more than two parents, git merges one after the other, and none that conflict.
        if index.has_conflicts() {
            return Ok(None);
        }
        let tree = git.find_tree(index.write_tree_to(git)?)?;
        ours = git.commit(None, &commit.author(), &commit.committer(), "", &tree, &[&one, &two])?;
        theirs = next;
    }
}

/// Whether everything is there since the parents of a merge parted: otherwise git takes an older place for that, or none.
fn began_here(git: &git2::Repository, merge: &git2::Commit<'_>) -> Result<bool, git2::Error> {
    let parents: Vec<Oid> = merge.parent_ids().collect();
    let base = match git.merge_base_many(&parents) {
        Ok(base) => Some(base),
        Err(error) if error.code() == ErrorCode::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut walk = git.revwalk()?;
    parents.iter().try_for_each(|&parent| walk.push(parent))?;
    base.map_or(Ok(()), |base| walk.hide(base))?;
    for id in walk {
        if is_cut(&git.find_commit(id?)?) {
            return Ok(false);
        }
    }
    Ok(true)
}
