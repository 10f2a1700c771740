//! Where a change keeps what it needs, under the git directory, and the locks that it holds: the one of the only writer of lawbook,
//! and those of git.

use std::fs;
use std::fs::File;
use std::fs::TryLockError;
use std::io::ErrorKind;
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
    /// The copy of the index that is worked on.
    pub(super) copy: PathBuf,
    /// The index.
    pub(super) index: PathBuf,
    /// What git takes before it touches the index. Whoever has it may replace the index by it.
    pub(super) index_lock: Lock,
    /// What git takes before it makes another branch the one that is checked out.
    head_lock: Lock,
    /// The git directory that all worktrees share.
    common: PathBuf,
}

/// A lock file of git that is known to be ours, also after the process was killed: it is a second name of a file of our own.
pub(super) struct Lock {
    own: PathBuf,
    path: PathBuf,
}

impl Lock {
    /// The lock file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The other name of the lock file, to write to while it is held.
    pub(super) fn own(&self) -> &Path {
        &self.own
    }

    /// Takes the lock with this content. Says whether nobody else has it.
    pub(super) fn take(&self, content: &[u8]) -> Result<bool, WriteError> {
        // INVARIANT: a new file, because the one before may be what the lock has become.
        self.release()?;
        fs::write(&self.own, content).map_err(WriteError::io("write", &self.own))?;
        let linked = match self.path.parent() {
            Some(folder) => fs::create_dir_all(folder).and_then(|()| fs::hard_link(&self.own, &self.path)),
            None => fs::hard_link(&self.own, &self.path),
        };
        match linked {
            Ok(()) => Ok(true),
            // Git takes empty folders away, also those that were made a moment ago.
            Err(why) if matches!(why.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => remove(&self.own).map(|()| false),
            Err(why) => Err(WriteError::io("take the lock", &self.path)(why)),
        }
    }

    /// Lets go of the lock, if it is ours.
    pub(super) fn release(&self) -> Result<(), WriteError> {
        if self.is_ours() {
            remove(&self.path)?;
        }
        // Last, because it tells whose the lock is.
        remove(&self.own)
    }

    fn is_ours(&self) -> bool {
        same_file(&self.own, &self.path)
    }
}

impl Places {
    /// The places of a repository; their folders are made.
    pub(super) fn new(repository: &Repository) -> Result<Self, WriteError> {
        let folder = |base: &Path| {
            let folder = base.join("lawbook");
            fs::create_dir_all(&folder).map_err(WriteError::io("make the folder", &folder)).map(|()| folder)
        };
        let own = folder(repository.git_dir())?;
        let git_dir = repository.git_dir();
        Ok(Self {
            lock: folder(repository.common_dir())?.join("lock"),
            journal: own.join("journal.json"),
            copy: own.join("copy"),
            index: git_dir.join("index"),
            index_lock: Lock { own: own.join("held"), path: git_dir.join("index.lock") },
            head_lock: Lock { own: own.join("head"), path: git_dir.join("HEAD.lock") },
            common: repository.common_dir().to_owned(),
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
        if self.index_lock.is_ours() {
            return Ok(());
        }
        let since = Instant::now();
        while !self.index_lock.take(b"")? {
            if since.elapsed() > INDEX_PATIENCE {
                return Err(WriteError::Busy { lock: self.index_lock.path.clone() });
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Takes the lock of `HEAD`, as every git command does that checks out another branch. Says whether nobody else has it.
    pub(super) fn take_head(&self) -> Result<bool, WriteError> {
        self.head_lock.take(b"")
    }

    /// Lets go of `HEAD`, if it is ours.
    pub(super) fn release_head(&self) -> Result<(), WriteError> {
        self.head_lock.release()
    }

    /// The lock of a branch, after it has been written down which one it is.
    pub(super) fn branch(&self, name: &str) -> Result<Lock, WriteError> {
        self.release_branch()?;
        let file = self.branch_name();
        fs::write(&file, name).map_err(WriteError::io("write", &file))?;
        Ok(self.branch_lock(name))
    }

    /// Lets go of the branch that is held, if one is, and if it is ours.
    pub(super) fn release_branch(&self) -> Result<(), WriteError> {
        let file = self.branch_name();
        let name = match fs::read_to_string(&file) {
            Ok(name) => name,
            Err(why) if why.kind() == ErrorKind::NotFound => return Ok(()),
            Err(why) => return Err(WriteError::io("read", &file)(why)),
        };
        self.branch_lock(&name).release()?;
        remove(&file)
    }

    fn branch_name(&self) -> PathBuf {
        self.common.join("lawbook").join("branch-name")
    }

    fn branch_lock(&self, name: &str) -> Lock {
        Lock { own: self.common.join("lawbook").join("branch"), path: self.common.join(format!("{name}.lock")) }
    }

    /// Makes what was written to its lock the index, and lets go of it.
    pub(super) fn publish_index(&self) -> Result<(), WriteError> {
        let lock = &self.index_lock.path;
        fs::rename(lock, &self.index).map_err(WriteError::io("replace the index by", lock))
    }

    /// Lets go of everything that is ours, and forgets what was being done.
    pub(super) fn clear(&self) -> Result<(), WriteError> {
        self.release_head()?;
        self.release_branch()?;
        self.forget_copy()?;
        remove(&self.journal.with_extension("tmp"))?;
        remove(&self.journal)?;
        self.index_lock.release()
    }

    /// Removes the copy of the index, and what an interrupted writing of it has left.
    pub(super) fn forget_copy(&self) -> Result<(), WriteError> {
        remove(&self.copy.with_extension("lock"))?;
        remove(&self.copy)
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
        Err(why) if why.kind() != ErrorKind::NotFound => Err(WriteError::io("remove", path)(why)),
        _ => Ok(()),
    }
}

/// Writes a file so that its bytes outlast the machine.
pub(super) fn store(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let stored = File::create(path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    stored.map_err(WriteError::io("write", path))
}
