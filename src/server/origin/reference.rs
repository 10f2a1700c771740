//! Snapshots of a ref: one commit, one snapshot. A bare repository will do.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Fingerprint;
use super::Loaded;
use super::Origin;
use super::OriginError;
use super::repository::Counter;
use super::repository::broken;
use super::repository::check;
use super::repository::git_directories;
use super::repository::git_path_matters;
use super::repository::hold;
use super::trail::History;
use crate::decision::Index;
use crate::history::Repository;
use crate::server::metrics::Metrics;
use crate::server::snapshot::Revision;
use crate::server::snapshot::Snapshot;
use crate::server::snapshot::content_digest;
use crate::workspace::Origin as From;
use crate::workspace::Workspace;

/// How often the tip is looked at when no event tells.
const PERIOD: Duration = Duration::from_secs(1);

/// A ref of a repository.
#[derive(Debug)]
pub struct RefOrigin {
    dir: PathBuf,
    name: String,
    counter: Counter,
    history: History,
    metrics: Arc<Metrics>,
}

impl RefOrigin {
    /// The ref of the repository that `dir` lies in. `dir` is an absolute path, and `name` a full name.
    pub fn new(dir: PathBuf, name: String, metrics: Arc<Metrics>) -> Self {
        let history = History::new(dir.clone());
        Self { dir, name, counter: Counter::default(), history, metrics }
    }

    fn place(&self) -> String {
        format!("`{}` of `{}`", self.name, self.dir.display())
    }

    fn tip(&self) -> Result<String, OriginError> {
        let found = Repository::open(&self.dir).and_then(|repository| repository.tip(&self.name));
        found.map(|revision| revision.commit).map_err(|error| OriginError::Unreachable { message: error.to_string() })
    }

    /// Git is the authority here: a rewritten history is served, and told.
    fn note_rewrite(&self, before: &str, commit: &str) {
        let descends = Repository::open(&self.dir).and_then(|repository| repository.is_ancestor(before, commit));
        if !descends.unwrap_or(false) {
            self.metrics.rewritten();
            tracing::warn!("{} moved from {before} to {commit}, which does not descend from it", self.place());
        }
    }
}

impl Origin for RefOrigin {
    fn fingerprint(&mut self) -> Result<Fingerprint, OriginError> {
        self.tip().map(Fingerprint)
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn period(&self) -> Duration {
        PERIOD
    }

    fn load(&mut self, served: Option<&Revision>) -> Result<Option<Loaded>, OriginError> {
        let commit = self.tip()?;
        let before = served.and_then(|served| served.commit.as_deref());
        if before == Some(&commit) {
            return Ok(None);
        }
        let mut workspace = Workspace::open(&self.dir, &From::Revision(commit.clone()))
            .map_err(|error| OriginError::Unreachable { message: error.to_string() })?;
        hold(&mut workspace, served)?;
        let place = format!("commit {commit} ({})", self.place());
        let set = workspace.compile().map_err(|findings| broken(&place, &workspace, Some(commit.clone()), &findings))?;
        let number = self.counter.number(&self.dir, &commit);
        let revision = Revision { number, commit: Some(commit.clone()), content: content_digest(workspace.book.served()) };
        let snapshot = Snapshot::new(Index::new(set), workspace.book.config.clone(), revision);
        if let Some(before) = before {
            self.note_rewrite(before, &commit);
        }
        let annals = self.history.task(Some(commit), &snapshot);
        Ok(Some(Loaded { snapshot, check: check(workspace), annals, despite: None }))
    }

    fn directories(&self) -> Vec<PathBuf> {
        Repository::open(&self.dir).as_ref().map(git_directories).unwrap_or_default()
    }

    fn relevance(&self) -> Box<dyn Fn(&Path) -> bool + Send> {
        let git = Repository::open(&self.dir).ok().map(|repository| (repository.git_dir().to_owned(), repository.common_dir().to_owned()));
        Box::new(move |path| git.as_ref().is_none_or(|(own, shared)| git_path_matters(path, own, shared).unwrap_or(false)))
    }
}
