//! One repository, opened once for each thread that reads it.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

/// The handles that nobody uses at the moment.
pub(super) struct Handles {
    git_dir: PathBuf,
    free: Mutex<Vec<git2::Repository>>,
}

impl Handles {
    /// How many objects one thread reads at a time.
    pub(super) const SHARE: usize = 64;

    pub(super) fn new(git_dir: PathBuf) -> Self {
        Self { git_dir, free: Mutex::default() }
    }

    /// Lends a handle.
    pub(super) fn with<T>(&self, work: impl FnOnce(&git2::Repository) -> Result<T, git2::Error>) -> Result<T, git2::Error> {
        let free = || self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = free().pop();
        let git = match kept {
            Some(git) => git,
            None => git2::Repository::open(&self.git_dir)?,
        };
        let made = work(&git);
        free().push(git);
        made
    }
}
