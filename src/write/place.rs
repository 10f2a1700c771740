//! Where a change keeps what it needs, under the git directory, and the lock that one writer holds at a time.

use std::fs;
use std::fs::File;
use std::fs::TryLockError;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use super::WriteError;
use crate::history::Repository;

/// How long a writer waits for another one.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a writer waits for another git command to let go of the index.
const INDEX_PATIENCE: Duration = Duration::from_secs(1);

/// The files of a change. All but `lock` belong to one worktree.
pub(super) struct Places {
    /// Held by the one writer of lawbook; the system lets go of it when the process ends, however that happens.
    lock: PathBuf,
    /// What is being done.
    pub(super) journal: PathBuf,
    /// The same file as `index_lock` while that is ours: two names of one file are how we know.
    pub(super) held: PathBuf,
    /// The copy of the index that is worked on.
    pub(super) copy: PathBuf,
    /// The index.
    pub(super) index: PathBuf,
    /// What git takes before it touches the index. Whoever has it may replace the index by it.
    pub(super) index_lock: PathBuf,
    /// The same file as `head_lock` while that is ours.
    head_held: PathBuf,
    /// What git takes before it makes another branch the one that is checked out.
    head_lock: PathBuf,
}

impl Places {
    /// The places of a repository; their folders are made.
    pub(super) fn new(repository: &Repository) -> Result<Self, WriteError> {
        let folder = |base: &Path| {
            let folder = base.join("lawbook");
            fs::create_dir_all(&folder).map_err(WriteError::io("make the folder", &folder)).map(|()| folder)
        };
        let own = folder(repository.git_dir())?;
        Ok(Self {
            lock: folder(repository.common_dir())?.join("lock"),
            journal: own.join("journal.json"),
            held: own.join("held"),
            copy: own.join("copy"),
            index: repository.git_dir().join("index"),
            index_lock: repository.git_dir().join("index.lock"),
            head_held: own.join("head"),
            head_lock: repository.git_dir().join("HEAD.lock"),
        })
    }

    /// Waits to be the one writer of this repository, for as long as the file is kept.
    pub(super) fn lock(&self) -> Result<File, WriteError> {
        let mut options = File::options();
        let file = options.create(true).truncate(false).write(true).open(&self.lock).map_err(WriteError::io("open", &self.lock))?;
        let since = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if since.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(5)),
                Err(TryLockError::WouldBlock) => return Err(WriteError::Busy { lock: self.lock.clone() }),
                Err(TryLockError::Error(why)) => return Err(WriteError::io("lock", &self.lock)(why)),
            }
        }
    }

    /// Takes the lock of the index, as every git command does.
    pub(super) fn take_index(&self) -> Result<(), WriteError> {
        if self.has_index() {
            return Ok(());
        }
        remove(&self.held)?;
        fs::write(&self.held, b"").map_err(WriteError::io("write", &self.held))?;
        let since = Instant::now();
        loop {
            match fs::hard_link(&self.held, &self.index_lock) {
                Ok(()) => return Ok(()),
                Err(why) if why.kind() == std::io::ErrorKind::AlreadyExists => {
                    if since.elapsed() > INDEX_PATIENCE {
                        return Err(WriteError::Busy { lock: self.index_lock.clone() });
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(why) => return Err(WriteError::io("lock the index with", &self.index_lock)(why)),
            }
        }
    }

    /// Takes the lock of `HEAD`, as every git command does that checks out another branch. Says whether nobody else has it.
    pub(super) fn take_head(&self) -> Result<bool, WriteError> {
        self.release_head()?;
        fs::write(&self.head_held, b"").map_err(WriteError::io("write", &self.head_held))?;
        match fs::hard_link(&self.head_held, &self.head_lock) {
            Ok(()) => Ok(true),
            Err(why) if why.kind() == std::io::ErrorKind::AlreadyExists => remove(&self.head_held).map(|()| false),
            Err(why) => Err(WriteError::io("lock `HEAD` with", &self.head_lock)(why)),
        }
    }

    /// Lets go of `HEAD`, if it is ours.
    pub(super) fn release_head(&self) -> Result<(), WriteError> {
        if same_file(&self.head_held, &self.head_lock) {
            remove(&self.head_lock)?;
        }
        remove(&self.head_held)
    }

    /// Makes what is in `held` the index, and lets go of it.
    pub(super) fn publish_index(&self) -> Result<(), WriteError> {
        fs::rename(&self.index_lock, &self.index).map_err(WriteError::io("replace the index by", &self.index_lock))
    }

    /// Lets go of the index, if it is ours, and forgets what was being done.
    pub(super) fn clear(&self) -> Result<(), WriteError> {
        self.release_head()?;
        if self.has_index() {
            remove(&self.index_lock)?;
        }
        self.forget_copy()?;
        remove(&self.journal.with_extension("tmp"))?;
        remove(&self.journal)?;
        // Last, because it tells whose the lock is.
        remove(&self.held)
    }

    /// Removes the copy of the index, and what an interrupted writing of it has left.
    pub(super) fn forget_copy(&self) -> Result<(), WriteError> {
        remove(&self.copy.with_extension("lock"))?;
        remove(&self.copy)
    }

    /// Whether the lock of the index is ours.
    fn has_index(&self) -> bool {
        same_file(&self.held, &self.index_lock)
    }
}

#[cfg(unix)]
fn same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path: &Path| path.symlink_metadata().ok().map(|meta| (meta.dev(), meta.ino()));
    identity(one).is_some_and(|one| Some(one) == identity(other))
}

#[cfg(not(unix))]
fn same_file(one: &Path, other: &Path) -> bool {
    fs::read(one).is_ok_and(|one| fs::read(other).is_ok_and(|other| one == other))
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), WriteError> {
    match fs::remove_file(path) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => Err(WriteError::io("remove", path)(why)),
        _ => Ok(()),
    }
}

/// Writes a file so that its bytes outlast the machine.
pub(super) fn store(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let stored = File::create(path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    stored.map_err(WriteError::io("write", path))
}
