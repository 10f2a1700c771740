//! Snapshots of the files on disk: check, compile, serve, again on every settled change.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use jiff::Timestamp;

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
use super::tree;
use crate::config::Config;
use crate::config::Selection;
use crate::decision::Index;
use crate::history::Repository;
use crate::policy::Policy;
use crate::server::snapshot::Revision;
use crate::server::snapshot::Snapshot;
use crate::server::snapshot::content_digest;
use crate::workspace::Origin as From;
use crate::workspace::Workspace;

/// The least time between two looks.
const SHORTEST_PERIOD: Duration = Duration::from_secs(1);

/// Looking may take one part in so many of the time, so that a huge tree does not keep a core busy.
const LOOKING_SHARE: u32 = 50;

/// The index in a git directory.
const INDEX: &str = "index";

/// A lock of git that is older than this was left by a process that died, and says nothing about the files.
const LOCK_LIFE: Duration = Duration::from_secs(30);

/// A worktree, or a folder without a repository.
#[derive(Debug)]
pub struct WorktreeOrigin {
    root: PathBuf,
    selection: Selection,
    loaded: BTreeSet<String>,
    directories: Vec<PathBuf>,
    took: Duration,
    counter: Counter,
    history: History,
}

impl WorktreeOrigin {
    /// The law book in `root`, which must be an absolute path.
    pub fn new(root: PathBuf) -> Self {
        let history = History::new(root.clone());
        Self {
            root,
            selection: Selection::new(&Config::default()),
            loaded: BTreeSet::new(),
            directories: Vec::new(),
            took: Duration::ZERO,
            counter: Counter::default(),
            history,
        }
    }

    fn repository(&self) -> Option<Repository> {
        Repository::open(&self.root).ok()
    }

    /// The times of files whose policies no history tells of yet.
    fn undated(&self, workspace: &Workspace) -> BTreeMap<String, Timestamp> {
        let book = &workspace.book;
        let controls = book.set.policies().iter().zip(&book.places).filter_map(|(policy, place)| match &**policy {
            Policy::Control(control) if control.created_at.is_none() => Some((control.id.as_str().to_owned(), place.file)),
            _ => None,
        });
        let time = |file: usize| {
            let path = self.root.join(book.sources.path(book.files.get(file)?.source));
            path.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|time| Timestamp::try_from(time).ok())
        };
        controls.filter_map(|(id, file)| time(file).map(|time| (id, time))).collect()
    }
}

impl Origin for WorktreeOrigin {
    fn fingerprint(&mut self) -> Result<Fingerprint, OriginError> {
        let started = Instant::now();
        if !self.root.is_dir() {
            return Err(OriginError::Unreachable { message: format!("there is no folder `{}`", self.root.display()) });
        }
        let look = tree::look(&self.root, &self.selection, &self.loaded);
        let repository = self.repository();
        let head = repository.as_ref().and_then(|repository| repository.revision("HEAD").ok()).map(|revision| revision.commit);
        self.directories = look.directories;
        self.directories.extend(repository.as_ref().map(git_directories).unwrap_or_default());
        self.took = started.elapsed();
        // What is ignored counts once it is in the index.
        let index = repository.map(|repository| tree::stamps(&[repository.git_dir().join(INDEX)]));
        Ok(Fingerprint(format!("{} {} {}", look.digest, head.unwrap_or_default(), index.unwrap_or_default())))
    }

    fn is_exact(&self) -> bool {
        // Two changes within one tick of the file system's clock look the same.
        false
    }

    fn period(&self) -> Duration {
        self.took.saturating_mul(LOOKING_SHARE).max(SHORTEST_PERIOD)
    }

    fn busy(&self) -> Option<OriginError> {
        let lock = self.repository()?.git_dir().join(INDEX).with_extension("lock");
        let modified = lock.symlink_metadata().ok()?.modified().ok()?;
        // A clock that is a little ahead makes a young lock one of the near future.
        let age = modified.elapsed().unwrap_or_else(|early| early.duration());
        let message = format!("git is in the middle of changing the worktree: there is `{}`", lock.display());
        (age < LOCK_LIFE).then_some(OriginError::Busy { message })
    }

    fn load(&mut self, served: Option<&Revision>) -> Result<Option<Loaded>, OriginError> {
        let mut workspace =
            Workspace::open(&self.root, &From::Worktree).map_err(|error| OriginError::Unreachable { message: error.to_string() })?;
        hold(&mut workspace, served)?;
        self.selection = Selection::new(&workspace.book.config);
        self.loaded = workspace.book.served().map(|file| file.path().to_owned()).collect();
        let commit = workspace.revision.as_ref().map(|revision| revision.commit.clone());
        let place = format!("the law book in `{}`", self.root.display());
        let set = workspace.compile().map_err(|findings| broken(&place, &workspace, commit.clone(), &findings))?;
        let number = commit.as_deref().and_then(|commit| self.counter.number(&self.root, commit));
        let revision = Revision { number, commit: commit.clone(), content: content_digest(workspace.book.served()) };
        let mut snapshot = Snapshot::new(Index::new(set), workspace.book.config.clone(), revision);
        snapshot.undated = self.undated(&workspace);
        let annals = self.history.task(commit, &snapshot);
        Ok(Some(Loaded { snapshot, check: check(workspace), annals, despite: None }))
    }

    fn directories(&self) -> Vec<PathBuf> {
        self.directories.clone()
    }

    fn relevance(&self) -> Box<dyn Fn(&Path) -> bool + Send> {
        let git = self.repository().map(|repository| (repository.git_dir().to_owned(), repository.common_dir().to_owned()));
        Box::new(move |path| match &git {
            Some((own, shared)) => path == own.join(INDEX) || git_path_matters(path, own, shared).unwrap_or(true),
            None => true,
        })
    }
}
