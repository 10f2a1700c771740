//! The worktree in which the branch is checked out: file, index entry and branch move together.
//!
//! While the index is locked no git command commits, adds or checks out here. The files and the index entries must be exactly
//! what the commit holds, so that nobody's work is overwritten, and the next `git commit` does not revert the change.

use std::fs;
use std::fs::Metadata;
use std::path::Path;

use git2::IndexEntry;
use git2::IndexTime;
use git2::ObjectType;
use git2::Oid;

use super::WriteError;
use super::journal::Journal;
use super::journal::Row;
use super::place::Places;
use super::place::store;
use crate::history::Repository;

/// The mode of an entry that is a commit of another repository, and no file.
const COMMIT: u32 = 0o160_000;

/// A worktree with the places of a change.
pub(super) struct Checkout<'a> {
    repository: &'a Repository,
    places: &'a Places,
    worktree: &'a Path,
}

/// The steps of a change, in order. A test can stop after each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The commit is there, and nothing is held yet.
    Made,
    /// `HEAD` is held, where the branch moves alone.
    Head,
    Journal,
    Lock,
    Files,
    Index,
    /// The branch is held.
    Taken,
    Branch,
    FilesInPlace,
    IndexInPlace,
}

/// Called after each step.
pub(super) type After<'a> = &'a dyn Fn(Step) -> Result<(), WriteError>;

impl<'a> Checkout<'a> {
    pub(super) fn new(repository: &'a Repository, places: &'a Places) -> Result<Self, WriteError> {
        let worktree = repository.worktree().ok_or_else(|| WriteError::Detached { dir: repository.dir().to_owned() })?;
        Ok(Self { repository, places, worktree })
    }

    pub(super) fn worktree(&self) -> &Path {
        self.worktree
    }

    /// Does what the journal says; `advance` moves the branch. After an error the journal has to be [settled](super::journal::settle).
    pub(super) fn apply(
        &self,
        journal: &Journal,
        advance: impl FnOnce() -> Result<(), WriteError>,
        after: After<'_>,
    ) -> Result<(), WriteError> {
        journal.write(self.places)?;
        after(Step::Journal)?;
        self.places.take_index()?;
        after(Step::Lock)?;
        self.check(journal)?;
        for row in &journal.files {
            self.prepare(row)?;
        }
        after(Step::Files)?;
        self.prepare_index(&journal.files, |row| fs::metadata(self.worktree.join(&row.temporary)).ok())?;
        after(Step::Index)?;
        advance()?;
        after(Step::Branch)?;
        for row in &journal.files {
            self.put(row)?;
        }
        after(Step::FilesInPlace)?;
        self.places.publish_index()?;
        after(Step::IndexInPlace)?;
        journal.tidy(self.worktree)?;
        self.places.clear()
    }

    /// Completes what the journal says, after the branch has moved: what is still as it was before follows.
    pub(super) fn complete(&self, journal: &Journal) -> Result<(), WriteError> {
        self.places.take_index()?;
        let index = self.index()?;
        let staged: Vec<Row> = journal.files.iter().filter(|row| self.is_staged(&index, row, row.old.as_deref())).cloned().collect();
        for row in &journal.files {
            if self.is_on_disk(row, row.old.as_deref())? && has_real_folders(self.worktree, &row.path) {
                self.prepare(row)?;
                self.put(row)?;
            }
        }
        if !staged.is_empty() {
            // Of a file that somebody has edited since, the index must not claim to know the times.
            let known = |row: &Row| self.is_on_disk(row, row.new.as_deref()).is_ok_and(|same| same);
            self.prepare_index(&staged, |row| known(row).then(|| fs::metadata(self.worktree.join(&row.path)).ok()).flatten())?;
            self.places.publish_index()?;
        }
        Ok(())
    }

    fn check(&self, journal: &Journal) -> Result<(), WriteError> {
        let conflict =
            |path: &str, why: &str, help: &str| WriteError::Conflict { path: path.to_owned(), why: why.to_owned(), help: help.to_owned() };
        let root = self.worktree.to_string_lossy();
        if self.repository.branch().as_deref() != Some(&journal.branch) {
            return Err(conflict(&root, "has just been switched to another branch", "try again"));
        }
        if self.repository.git().state() != git2::RepositoryState::Clean {
            return Err(conflict(&root, "is in the middle of a merge, a rebase or the like", "finish or abort it; `git status` says how"));
        }
        let index = self.index()?;
        for row in &journal.files {
            if !has_real_folders(self.worktree, &row.path) {
                return Err(conflict(&row.path, "lies behind a link or a file in the worktree", "put the folder itself there"));
            }
            if !self.is_staged(&index, row, row.old.as_deref()) {
                return Err(conflict(&row.path, "has a staged change", "commit it, or take it back with `git restore --staged`"));
            }
            if !self.is_on_disk(row, row.old.as_deref())? {
                let help = "commit the change, or take it back with `git restore`; line endings must be as they are committed";
                return Err(conflict(&row.path, "differs in the worktree from what is committed", help));
            }
        }
        Ok(())
    }

    fn index(&self) -> Result<git2::Index, WriteError> {
        let failed = |error: git2::Error| self.repository.error("read the index", &error);
        self.places.forget_copy()?;
        match fs::copy(&self.places.index, &self.places.copy) {
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(WriteError::io("read", &self.places.index)(why)),
            // Without an index there is nothing staged.
            _ => {}
        }
        Ok(git2::Index::open(&self.places.copy).map_err(failed)?)
    }

    /// Whether the index holds just this blob at the path, or nothing.
    fn is_staged(&self, index: &git2::Index, row: &Row, blob: Option<&str>) -> bool {
        let path = Path::new(&row.path);
        let conflicted = (1..=3).any(|stage| index.get_path(path, stage).is_some());
        let entry = index.get_path(path, 0).map(|entry| entry.id.to_string());
        !conflicted && entry.as_deref() == blob
    }

    /// Whether the file on disk is just this blob, or there is nothing at its path.
    fn is_on_disk(&self, row: &Row, blob: Option<&str>) -> Result<bool, WriteError> {
        let path = self.worktree.join(&row.path);
        let meta = path.symlink_metadata().ok();
        let (Some(meta), Some(blob)) = (&meta, blob) else { return Ok(meta.is_none() && blob.is_none()) };
        let odb = self.repository.git().odb().map_err(|error| self.git(&error))?;
        let size = Oid::from_str(blob).and_then(|id| odb.read_header(id)).map_err(|error| self.git(&error))?.0;
        if !meta.is_file() || meta.len() != size as u64 {
            return Ok(false);
        }
        let bytes = fs::read(&path).map_err(WriteError::io("read", &path))?;
        let id = Oid::hash_object(ObjectType::Blob, &bytes).map_err(|error| self.git(&error))?;
        Ok(id.to_string() == blob)
    }

    /// Writes the new content beside its place, with the permissions of the old file.
    fn prepare(&self, row: &Row) -> Result<(), WriteError> {
        let Some(new) = &row.new else { return Ok(()) };
        let (place, temporary) = (self.worktree.join(&row.path), self.worktree.join(&row.temporary));
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).map_err(WriteError::io("make the folder", folder))?;
        }
        let git = self.repository.git();
        let blob = Oid::from_str(new).and_then(|id| git.find_blob(id)).map_err(|error| self.git(&error))?;
        store(&temporary, blob.content())?;
        match fs::metadata(&place) {
            Ok(meta) => fs::set_permissions(&temporary, meta.permissions()).map_err(WriteError::io("set the permissions of", &temporary)),
            Err(_) => Ok(()),
        }
    }

    fn put(&self, row: &Row) -> Result<(), WriteError> {
        let place = self.worktree.join(&row.path);
        // An editor may have saved in the meantime; what it wrote is not overwritten.
        if !self.is_on_disk(row, row.old.as_deref())? {
            return Ok(());
        }
        match &row.new {
            Some(_) => fs::rename(self.worktree.join(&row.temporary), &place).map_err(WriteError::io("replace", &place)),
            None => super::place::remove(&place),
        }
    }

    /// Writes the index as it will be into the file that is also its lock.
    fn prepare_index(&self, rows: &[Row], on_disk: impl Fn(&Row) -> Option<Metadata>) -> Result<(), WriteError> {
        let failed = |error: git2::Error| self.repository.error("write the index", &error);
        let mut index = self.index()?;
        self.smudge(&mut index).map_err(failed)?;
        for row in rows {
            let path = Path::new(&row.path);
            match &row.new {
                None => index.remove(path, 0).map_err(failed)?,
                Some(new) => {
                    let old = index.get_path(path, 0);
                    let id = Oid::from_str(new).map_err(failed)?;
                    index.add(&entry(row, id, old, on_disk(row).as_ref())).map_err(failed)?;
                }
            }
        }
        index.write().map_err(failed)?;
        let bytes = fs::read(&self.places.copy).map_err(WriteError::io("read", &self.places.copy))?;
        store(self.places.index_lock.own(), &bytes)
    }

    /// Makes git look into the files that may have changed without looking changed, as every git command does that writes the
    /// index. An edit within the same second as the old index shows neither in size nor in time, and git looks into such a file
    /// only as long as the index is no newer than it.
    fn smudge(&self, index: &mut git2::Index) -> Result<(), git2::Error> {
        const STAGE: u16 = 0x3000;
        let written = fs::metadata(&self.places.index).and_then(|meta| meta.modified()).ok();
        let written = written.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok()).map(|time| time.as_secs());
        let Some(written) = written else { return Ok(()) };
        let is_racy = |entry: &IndexEntry| entry.flags & STAGE == 0 && u64::try_from(entry.mtime.seconds()).is_ok_and(|at| at >= written);
        for entry in index.iter().filter(is_racy).collect::<Vec<_>>() {
            if entry.mode != COMMIT && !self.has_content(&entry) {
                index.add(&IndexEntry { file_size: 0, ..entry })?;
            }
        }
        Ok(())
    }

    /// Whether the file on disk is just what its entry says. Large ones are left to git, and so are links.
    fn has_content(&self, entry: &IndexEntry) -> bool {
        const MOST: u64 = 1024 * 1024;
        let Ok(path) = std::str::from_utf8(&entry.path) else { return false };
        let path = self.worktree.join(path);
        let is_small = path.symlink_metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= MOST);
        let bytes = is_small.then(|| fs::read(&path).ok()).flatten();
        bytes.and_then(|bytes| Oid::hash_object(ObjectType::Blob, &bytes).ok()) == Some(entry.id)
    }

    fn git(&self, error: &git2::Error) -> WriteError {
        self.repository.error("compare the worktree", error).into()
    }
}

/// An entry of the index. Where the times of the file are not known, or have changed, git compares its content.
fn entry(row: &Row, id: Oid, old: Option<IndexEntry>, meta: Option<&Metadata>) -> IndexEntry {
    let zero = IndexTime::new(0, 0);
    let (flags, flags_extended) = old.map_or((0, 0), |old| (old.flags, old.flags_extended));
    let path = row.path.clone().into_bytes();
    let blank = IndexEntry {
        ctime: zero,
        mtime: zero,
        dev: 0,
        ino: 0,
        mode: row.mode,
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        flags,
        flags_extended,
        path,
    };
    match meta {
        Some(meta) => with_times(blank, meta),
        None => blank,
    }
}

/// The index keeps only the low 32 bits of these numbers.
#[cfg(unix)]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the format of the index truncates")]
fn with_times(entry: IndexEntry, meta: &Metadata) -> IndexEntry {
    use std::os::unix::fs::MetadataExt;
    IndexEntry {
        ctime: IndexTime::new(meta.ctime() as i32, meta.ctime_nsec() as u32),
        mtime: IndexTime::new(meta.mtime() as i32, meta.mtime_nsec() as u32),
        dev: meta.dev() as u32,
        ino: meta.ino() as u32,
        uid: meta.uid(),
        gid: meta.gid(),
        file_size: meta.size() as u32,
        ..entry
    }
}

#[cfg(not(unix))]
fn with_times(entry: IndexEntry, _: &Metadata) -> IndexEntry {
    entry
}

/// Whether everything on the way to a path is a folder, as far as it exists.
fn has_real_folders(worktree: &Path, path: &str) -> bool {
    let folders = Path::new(path).ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
    folders.map(|folder| worktree.join(folder)).all(|folder| folder.symlink_metadata().map_or(true, |meta| meta.is_dir()))
}
