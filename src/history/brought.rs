//! Which commits a merge brought: those that its other parents hold and its first one does not.
//!
//! On the line of first parents a commit is brought once. So all merges of a line together cost one walk over the history, however
//! long ago their branches began; what git offers would walk back to that place for each of them.

use std::collections::HashSet;
use std::collections::VecDeque;

use git2::ErrorCode;
use git2::Oid;
use git2::Sort;

use super::HistoryError;
use super::Repository;
use super::walk::Found;
use super::walk::Stop;
use super::walk::parents_first;

/// What merges brought, to be asked for in the order in which they landed.
pub(super) struct Brought<'r> {
    repository: &'r Repository,
    landed: HashSet<Oid>,
    /// The merges of the line that were not reached yet.
    merges: VecDeque<Oid>,
    /// The line, when it goes on from another commit: where it begins and ends.
    continued: Option<(Oid, Oid)>,
    /// All that a continued line brings. What was there before is in the history of every merge on it.
    new: Option<HashSet<Oid>>,
    seen: HashSet<Oid>,
    /// A commit that was looked for and is not there.
    pub(super) missing: Option<Oid>,
}

impl<'r> Brought<'r> {
    /// For the commits of a walk.
    pub(super) fn new(repository: &'r Repository, stops: &[Stop]) -> Self {
        let line = || stops.iter().filter(|stop| stop.landed);
        let ends = line().next().zip(line().next_back());
        Self {
            repository,
            landed: line().map(|stop| stop.commit).collect(),
            merges: line().filter(|stop| stop.merge).map(|stop| stop.commit).collect(),
            continued: ends.and_then(|(first, last)| Some((first.parent?, last.commit))),
            new: None,
            seen: HashSet::new(),
            missing: None,
        }
    }

    /// The commits that a merge brought, each after its parents.
    pub(super) fn by(&mut self, merge: &git2::Commit<'_>) -> Result<Vec<Oid>, HistoryError> {
        if !self.landed.contains(&merge.id()) {
            return self.aside(merge);
        }
        if let (None, Some((begin, end))) = (&self.new, self.continued) {
            self.new = Some(self.between(begin, [end])?.into_iter().collect());
        }
        while let Some(next) = self.merges.pop_front() {
            if next == merge.id() {
                return self.follow(merge);
            }
            let skipped = self.repository.git().find_commit(next).map_err(|error| self.failed(&error))?;
            self.follow(&skipped)?;
        }
        Ok(Vec::new())
    }

    /// What a merge of the line brought, when all before it are followed.
    fn follow(&mut self, merge: &git2::Commit<'_>) -> Result<Vec<Oid>, HistoryError> {
        let Self { landed, new, seen, .. } = self;
        let is_new = |commit| !landed.contains(&commit) && new.as_ref().is_none_or(|new| new.contains(&commit)) && seen.insert(commit);
        let Found { commits, missing } = parents_first(self.repository, merge.parent_ids().skip(1), is_new)?;
        self.missing = self.missing.or(missing);
        Ok(commits)
    }

    /// What a merge brought that lies on no line of first parents.
    fn aside(&mut self, merge: &git2::Commit<'_>) -> Result<Vec<Oid>, HistoryError> {
        let mut parents = merge.parent_ids();
        let Some(first) = parents.next() else { return Ok(Vec::new()) };
        self.between(first, parents)
    }

    /// The commits that some have and another one has not, each after its parents; none when they cannot be told.
    fn between(&mut self, without: Oid, with: impl IntoIterator<Item = Oid>) -> Result<Vec<Oid>, HistoryError> {
        let walked = || -> Result<Vec<Oid>, git2::Error> {
            let mut walk = self.repository.git().revwalk()?;
            walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE)?;
            walk.hide(without)?;
            with.into_iter().try_for_each(|commit| walk.push(commit))?;
            walk.collect()
        };
        match walked() {
            Err(error) if error.code() == ErrorCode::NotFound => {
                self.missing = Some(without);
                Ok(Vec::new())
            }
            walked => walked.map_err(|error| self.failed(&error)),
        }
    }

    fn failed(&self, error: &git2::Error) -> HistoryError {
        self.repository.error("walk the merged commits", error).into()
    }
}
