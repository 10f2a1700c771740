//! The objects of a repository, as the bytes that git stores.
//!
//! Several threads read a history at once. libgit2 lets them wait for each other at every access to a pack, which costs more than
//! the reading itself; here each has its own view, and nobody waits. Whatever is more than bytes by their id (references, merges,
//! the index, writing) stays with libgit2.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use git2::Oid;
use gix_object::Data;
use gix_object::Find;
use gix_object::FindHeader;
use gix_object::Kind;

use super::Repository;
use super::RepositoryError;
use super::bases::Bases;

/// Whether objects are taken as they are stored; see [`take_objects_as_stored`].
static AS_STORED: AtomicBool = AtomicBool::new(false);

/// From now on this process takes objects as git stores them, as `git log` does: they are not hashed again when they are read, nor
/// kept for a second time. Whoever has to prove something does not call this.
pub fn take_objects_as_stored() {
    AS_STORED.store(true, Ordering::Relaxed);
    git2::opts::strict_hash_verification(false);
    git2::opts::enable_caching(false);
}

/// Why an object cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is not in this clone.
    Missing,
    /// It, or what it is stored in, is damaged.
    Damaged(String),
}

impl Unreadable {
    /// What it means for an attempt.
    pub(super) fn during(self, what: &str, dir: &Path) -> RepositoryError {
        match self {
            Self::Missing => RepositoryError::missing(what, dir),
            Self::Damaged(why) => RepositoryError::Git { what: what.to_owned(), dir: dir.to_owned(), why },
        }
    }

    fn damaged(why: impl ToString) -> Self {
        Self::Damaged(why.to_string())
    }
}

/// The objects, for one thread.
pub(super) struct Objects {
    store: gix_odb::Handle,
    bytes: Vec<u8>,
    is_hashed: bool,
}

impl Objects {
    fn open(common_dir: &Path) -> Result<Self, Unreadable> {
        let mut store = gix_odb::at(common_dir.join("objects"), gix_hash::Kind::Sha1).map_err(Unreadable::damaged)?;
        store.set_pack_cache(|| Box::<Bases>::default());
        Ok(Self { store, bytes: Vec::new(), is_hashed: !AS_STORED.load(Ordering::Relaxed) })
    }

    /// Opens those of a repository.
    pub(super) fn of(repository: &Repository) -> Result<Self, RepositoryError> {
        Self::open(repository.common_dir()).map_err(|error| error.during("open its objects", repository.dir()))
    }

    /// The bytes of a tree.
    pub(super) fn tree(&mut self, id: Oid) -> Result<&[u8], Unreadable> {
        self.read(id, Kind::Tree)
    }

    /// The bytes of a commit.
    pub(super) fn commit(&mut self, id: Oid) -> Result<&[u8], Unreadable> {
        self.read(id, Kind::Commit)
    }

    /// The bytes of a file; `None` when there are more than `limit`.
    pub(super) fn file(&mut self, id: Oid, limit: usize) -> Result<Option<&[u8]>, Unreadable> {
        let header = self.store.try_header(&known(id)?).map_err(Unreadable::damaged)?.ok_or(Unreadable::Missing)?;
        if header.size > limit as u64 {
            return Ok(None);
        }
        self.read(id, Kind::Blob).map(Some)
    }

    fn read(&mut self, id: Oid, kind: Kind) -> Result<&[u8], Unreadable> {
        let id = known(id)?;
        let found: Data<'_> = self.store.try_find(&id, &mut self.bytes).map_err(Unreadable::damaged)?.ok_or(Unreadable::Missing)?;
        if found.kind != kind {
            return Err(Unreadable::Damaged(format!("`{id}` is a {}, not a {kind}", found.kind)));
        }
        if self.is_hashed {
            found.verify_checksum(&id).map_err(Unreadable::damaged)?;
        }
        Ok(found.data)
    }
}

fn known(id: Oid) -> Result<gix_hash::ObjectId, Unreadable> {
    gix_hash::ObjectId::try_from(id.as_bytes()).map_err(Unreadable::damaged)
}

/// The objects, opened once for each thread that reads them.
pub(super) struct Shelf {
    common_dir: PathBuf,
    free: Mutex<Vec<Objects>>,
}

impl Shelf {
    /// How many objects one thread reads at a time.
    pub(super) const SHARE: usize = 32;

    pub(super) fn new(common_dir: &Path) -> Self {
        Self { common_dir: common_dir.to_owned(), free: Mutex::default() }
    }

    /// Lends what nobody uses at the moment.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Objects) -> Result<T, Unreadable>) -> Result<T, Unreadable> {
        let free = || self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = free().pop();
        let mut objects = match kept {
            Some(objects) => objects,
            None => Objects::open(&self.common_dir)?,
        };
        let made = work(&mut objects);
        free().push(objects);
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(found: Result<Option<&[u8]>, Unreadable>) -> String {
        match found {
            Ok(Some(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
            Ok(None) => "too large".to_owned(),
            Err(Unreadable::Missing) => "missing".to_owned(),
            Err(Unreadable::Damaged(_)) => "damaged".to_owned(),
        }
    }

    #[test]
    fn files_are_read_and_what_is_wrong_with_them_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let git = git2::Repository::init_bare(folder.path()).expect("a repository");
        let blob = git.blob(b"hello").expect("written");
        let tree = git.treebuilder(None).and_then(|builder| builder.write()).expect("written");
        let absent = Oid::from_str("0123456789012345678901234567890123456789").expect("an id");
        let mut objects = Objects::open(folder.path()).expect("opened");
        assert_eq!(text(objects.file(blob, 5)), "hello");
        assert_eq!(text(objects.file(blob, 4)), "too large");
        assert_eq!(text(objects.file(tree, 5)), "damaged", "a tree is no file");
        assert_eq!(text(objects.file(absent, 5)), "missing");
        assert_eq!(objects.tree(tree), Ok(&b""[..]));
        assert!(objects.tree(blob).is_err() && objects.commit(tree).is_err());
    }

    #[test]
    fn an_object_under_the_id_of_another_is_found_by_whoever_proves_something() {
        let folder = tempfile::tempdir().expect("a folder");
        let git = git2::Repository::init_bare(folder.path()).expect("a repository");
        let (blob, other) = (git.blob(b"hello").expect("written"), git.blob(b"jello").expect("written"));
        let path = |id: Oid| folder.path().join("objects").join(&id.to_string()[..2]).join(&id.to_string()[2..]);
        std::fs::rename(path(other), path(blob)).expect("renamed");
        let mut objects = Objects::open(folder.path()).expect("opened");
        assert!(objects.is_hashed);
        assert_eq!(text(objects.file(blob, 5)), "damaged");
        objects.is_hashed = false;
        assert_eq!(text(objects.file(blob, 5)), "jello");
    }
}
