//! How far histories were found to be signed, so that the next look begins there.
//!
//! It is kept under the git directory, for each law book of a repository the last commits up to which nothing was missing. It
//! only saves time: without the file, or with one of another version, the whole history is looked at again.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

use git2::Oid;
use serde::Deserialize;
use serde::Serialize;

use super::Repository;

/// How many commits are kept for a law book: the tips of some branches.
const KEPT: usize = 16;

/// The largest file that is read, in bytes.
const MOST: u64 = 1 << 20;

/// Verifying may mean something else in another version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    version: String,
    /// By the folder of the law book in the repository; the last one first.
    commits: BTreeMap<String, Vec<String>>,
}

/// The commits up to which nothing was missing.
pub(super) fn known(repository: &Repository) -> Vec<Oid> {
    let file = read(repository).unwrap_or_default();
    let commits = file.commits.get(repository.prefix()).into_iter().flatten();
    commits.filter_map(|id| Oid::from_str(id).ok()).collect()
}

/// Remembers a commit up to which nothing is missing. It is no error when that cannot be done.
pub(super) fn remember(repository: &Repository, commit: Oid) {
    let mut file = read(repository).unwrap_or_default();
    VERSION.clone_into(&mut file.version);
    let commits = file.commits.entry(repository.prefix().to_owned()).or_default();
    let id = commit.to_string();
    commits.retain(|known| *known != id);
    commits.insert(0, id);
    commits.truncate(KEPT);
    let Ok(text) = serde_json::to_string(&file) else { return };
    let path = path(repository);
    let Some(folder) = path.parent() else { return };
    let stored = fs::create_dir_all(folder).and_then(|()| {
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(text.as_bytes())?;
        new.persist(&path).map_err(|error| error.error)
    });
    drop(stored);
}

fn read(repository: &Repository) -> Option<File> {
    let path = path(repository);
    let is_small = path.metadata().ok()?.len() <= MOST;
    let text = fs::read_to_string(path).ok().filter(|_| is_small)?;
    serde_json::from_str::<File>(&text).ok().filter(|file| file.version == VERSION)
}

fn path(repository: &Repository) -> PathBuf {
    repository.common_dir().join("lawbook").join("signed.json")
}
