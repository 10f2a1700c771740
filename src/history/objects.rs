//! The objects of a repository, as the bytes that git stores.
//!
//! Several threads read a history at once. libgit2 lets them wait for each other at every access to a pack, which costs more than
//! the reading itself; here each has its own view, and nobody waits. Whatever is more than bytes by their id (references, merges,
//! the index, writing) stays with libgit2.

use std::ops::Range;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use git2::ErrorCode;
use git2::ObjectType;
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
pub(crate) enum Unreadable {
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
}

impl From<git2::Error> for Unreadable {
    fn from(error: git2::Error) -> Self {
        if error.code() == ErrorCode::NotFound { Self::Missing } else { Self::Damaged(error.message().to_owned()) }
    }
}

/// The objects, for one thread.
///
/// Whatever is not plainly found is looked for once more by libgit2, which finds its way around damaged copies, odd alternates and
/// indexes that are out of date, and has the word on what is wrong.
pub(crate) struct Objects {
    common_dir: PathBuf,
    /// `None` when it cannot be opened, so that all is left to libgit2.
    store: Option<gix_odb::Handle>,
    careful: Option<git2::Repository>,
    bytes: Vec<u8>,
    is_hashed: bool,
}

impl Objects {
    fn open(common_dir: &Path) -> Self {
        let mut store = gix_odb::at(common_dir.join("objects"), gix_hash::Kind::Sha1).ok();
        if let Some(store) = &mut store {
            store.set_pack_cache(|| Box::<Bases>::default());
        }
        Self { common_dir: common_dir.to_owned(), store, careful: None, bytes: Vec::new(), is_hashed: !AS_STORED.load(Ordering::Relaxed) }
    }

    /// Opens those of a repository.
    pub(super) fn of(repository: &Repository) -> Self {
        Self::open(repository.common_dir())
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
    pub(crate) fn file(&mut self, id: Oid, limit: usize) -> Result<Option<&[u8]>, Unreadable> {
        if self.size(id)? > limit as u64 {
            return Ok(None);
        }
        self.read(id, Kind::Blob).map(Some)
    }

    /// How many bytes an object has.
    pub(crate) fn size(&mut self, id: Oid) -> Result<u64, Unreadable> {
        let found = self.store.as_ref().zip(known(id)).and_then(|(store, id)| store.try_header(&id).ok().flatten());
        match found {
            Some(header) => Ok(header.size),
            None => Ok(self.careful()?.read_header(id)?.0 as u64),
        }
    }

    fn read(&mut self, id: Oid, kind: Kind) -> Result<&[u8], Unreadable> {
        match self.find(id, kind) {
            Some(range) => Ok(self.bytes.get(range).unwrap_or_default()),
            None => self.read_carefully(id, kind),
        }
    }

    /// Where in `bytes` an object is, if it is plainly found.
    fn find(&mut self, id: Oid, kind: Kind) -> Option<Range<usize>> {
        let id = known(id)?;
        let found: Data<'_> = self.store.as_ref()?.try_find(&id, &mut self.bytes).ok().flatten()?;
        if found.kind != kind || self.is_hashed && found.verify_checksum(&id).is_err() {
            return None;
        }
        let (at, length) = (found.data.as_ptr().addr(), found.data.len());
        let start = at.checked_sub(self.bytes.as_ptr().addr())?;
        (start + length <= self.bytes.len()).then_some(start..start + length)
    }

    fn read_carefully(&mut self, id: Oid, kind: Kind) -> Result<&[u8], Unreadable> {
        let (found, bytes) = {
            let odb = self.careful()?;
            let object = odb.read(id)?;
            (object.kind(), object.data().to_vec())
        };
        let wanted = match kind {
            Kind::Tree => ObjectType::Tree,
            Kind::Commit => ObjectType::Commit,
            Kind::Blob => ObjectType::Blob,
            Kind::Tag => ObjectType::Tag,
        };
        if found != wanted {
            return Err(Unreadable::Damaged(format!("`{id}` is a {}, not a {kind}", found.str())));
        }
        self.bytes = bytes;
        Ok(&self.bytes)
    }

    fn careful(&mut self) -> Result<git2::Odb<'_>, git2::Error> {
        let opened = match self.careful.take() {
            Some(opened) => opened,
            None => git2::Repository::open(&self.common_dir)?,
        };
        self.careful.insert(opened).odb()
    }
}

fn known(id: Oid) -> Option<gix_hash::ObjectId> {
    gix_hash::ObjectId::try_from(id.as_bytes()).ok()
}

/// The objects, opened once for each thread that reads them.
pub(crate) struct Shelf {
    common_dir: PathBuf,
    free: Mutex<Vec<Objects>>,
}

impl Shelf {
    /// How many objects one thread reads at a time.
    pub(super) const SHARE: usize = 32;

    pub(crate) fn new(common_dir: &Path) -> Self {
        Self { common_dir: common_dir.to_owned(), free: Mutex::default() }
    }

    /// Lends what nobody uses at the moment.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Objects) -> Result<T, Unreadable>) -> Result<T, Unreadable> {
        let free = || self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = free().pop();
        let mut objects = match kept {
            Some(objects) => objects,
            None => Objects::open(&self.common_dir),
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
        let mut objects = Objects::open(folder.path());
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
        let mut objects = Objects::open(folder.path());
        assert!(objects.is_hashed);
        assert_eq!(text(objects.file(blob, 5)), "damaged");
        objects.is_hashed = false;
        assert_eq!(text(objects.file(blob, 5)), "jello");
    }
}
