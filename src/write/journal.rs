//! What is being done to a worktree, written down first, so that it can be completed or undone whatever happens.
//!
//! The branch moves in one step, and that step decides: before it, everything is undone; after it, everything is completed.
//! Both can be done again and again. Files that somebody has edited since are left as they are.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use git2::Oid;
use serde::Deserialize;
use serde::Serialize;

use super::WriteError;
use super::checkout::Checkout;
use super::commit::BlobChange;
use super::place::Places;
use super::place::remove;
use super::place::store;
use crate::history::Repository;

/// What became of a change that was interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    /// There was none.
    Nothing,
    /// The branch had moved to this commit; the worktree has followed.
    Completed(String),
    /// The branch had not moved; nothing is left of it.
    Undone,
}

/// A change of a worktree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Journal {
    pub(super) branch: String,
    pub(super) old: String,
    pub(super) new: String,
    pub(super) files: Vec<Row>,
    /// Folders that are made for new files, outermost first.
    pub(super) folders: Vec<PathBuf>,
}

/// One file. Paths are relative to the worktree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) path: String,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
    pub(super) mode: u32,
    /// Where the new content is until it takes its place.
    pub(super) temporary: String,
}

impl Journal {
    pub(super) fn new(branch: &str, old: Oid, new: Oid, blobs: &[BlobChange], worktree: &Path) -> Self {
        let mut folders: Vec<PathBuf> = Vec::new();
        let mut files = Vec::new();
        for blob in blobs {
            let path = Path::new(&blob.path);
            let missing = path.ancestors().skip(1).take_while(|folder| worktree.join(folder).symlink_metadata().is_err());
            folders.extend(missing.map(Path::to_owned));
            // The name holds the commit, and matches no glob for policies.
            let temporary = path.with_file_name(format!(".lawbook-{new}-{}.tmp", files.len()));
            let hex = |id: Option<Oid>| id.map(|id| id.to_string());
            let (old, new) = (hex(blob.old), hex(blob.new));
            files.push(Row { path: blob.path.clone(), old, new, mode: blob.mode, temporary: temporary.to_string_lossy().into_owned() });
        }
        folders.sort();
        folders.dedup();
        Self { branch: branch.to_owned(), old: old.to_string(), new: new.to_string(), files, folders }
    }

    pub(super) fn write(&self, places: &Places) -> Result<(), WriteError> {
        let failed = |why: String| WriteError::Journal { path: places.journal.clone(), why };
        let text = serde_json::to_vec(self).map_err(|error| failed(error.to_string()))?;
        let draft = places.journal.with_extension("tmp");
        store(&draft, &text)?;
        fs::rename(&draft, &places.journal).map_err(WriteError::io("write", &places.journal))?;
        // The name of the file has to last as well.
        let folder = places.journal.parent().map_or_else(|| Ok(()), |folder| fs::File::open(folder).and_then(|folder| folder.sync_all()));
        folder.map_err(WriteError::io("write", &places.journal))
    }

    fn read(places: &Places) -> Result<Option<Self>, WriteError> {
        let text = match fs::read(&places.journal) {
            Ok(text) => text,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(WriteError::io("read", &places.journal)(why)),
        };
        let journal = serde_json::from_slice(&text);
        journal.map(Some).map_err(|error| WriteError::Journal { path: places.journal.clone(), why: error.to_string() })
    }

    /// Removes what was only needed on the way. A folder is removed when it is empty: then it was made for nothing.
    pub(super) fn tidy(&self, worktree: &Path) -> Result<(), WriteError> {
        for row in &self.files {
            remove(&worktree.join(&row.temporary)).or_else(|error| match error {
                WriteError::Io { why, .. } if why.kind() == std::io::ErrorKind::NotADirectory => Ok(()),
                error => Err(error),
            })?;
        }
        for folder in self.folders.iter().rev() {
            // Not being empty is the usual case, and no reason to fail.
            drop(fs::remove_dir(worktree.join(folder)));
        }
        Ok(())
    }
}

/// Completes or undoes what the journal says. The writers' lock must be held.
pub(super) fn settle(repository: &Repository, places: &Places) -> Result<Recovery, WriteError> {
    let Some(journal) = Journal::read(places)? else {
        places.clear()?;
        return Ok(Recovery::Nothing);
    };
    let tip = repository.git().refname_to_id(&journal.branch).map(|id| id.to_string()).ok();
    let moved = match &tip {
        // A commit that the branch never reached may have been collected since.
        Some(tip) => *tip == journal.new || repository.commit(&journal.new).is_ok() && repository.is_ancestor(&journal.new, tip)?,
        None => false,
    };
    let recovery = if moved {
        // Whoever has checked out something else since has a worktree that is none of our business.
        if repository.branch().as_deref() == Some(&journal.branch) {
            Checkout::new(repository, places)?.complete(&journal)?;
        }
        Recovery::Completed(journal.new.clone())
    } else {
        Recovery::Undone
    };
    if let Some(worktree) = repository.worktree() {
        journal.tidy(worktree)?;
    }
    places.clear()?;
    Ok(recovery)
}
