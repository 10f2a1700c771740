//! Files of a commit or of the git index: names with object ids, and the objects.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use git2::ObjectType;
use git2::Oid;

use super::Found;
use super::LoadError;
use super::MAX_FILES;
use crate::config::Selection;
use crate::history::Repository;
use crate::history::Shelf;
use crate::history::Unreadable;
use crate::source::MAX_FILE_BYTES;
use crate::workspace::Refusal;

const TYPE: u32 = 0o170_000;
const FOLDER: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
const SUBMODULE: u32 = 0o160_000;

/// A name in a tree or in the index.
pub(super) struct Entry {
    /// Relative to the root of the law book. Bytes that are not UTF-8 are replaced.
    pub(super) path: String,
    utf8: bool,
    mode: u32,
    id: Oid,
    conflict: bool,
}

impl Entry {
    fn new(path: &[u8], mode: u32, id: Oid) -> Self {
        let path = String::from_utf8_lossy(path);
        let utf8 = matches!(path, Cow::Borrowed(_));
        Self { path: path.into_owned(), utf8, mode, id, conflict: false }
    }

    /// Whether it is a commit of another repository.
    pub(super) fn is_submodule(&self) -> bool {
        self.mode & TYPE == SUBMODULE
    }

    fn is_file(&self) -> bool {
        self.mode & TYPE == FILE
    }

    fn is_folder(&self) -> bool {
        self.mode & TYPE == FOLDER
    }

    /// The refusal that a submodule deserves, where policies could lie in it.
    pub(super) fn refused<T>(&self, selection: &Selection) -> Option<Found<T>> {
        let concerns = selection.selects(&self.path) || selection.may_lie_below(&self.path);
        concerns.then(|| Found { path: self.path.clone(), what: Err(Refusal::submodule()) })
    }

    /// What the entry is to us; `None` when it is nothing. `is_file` tells whether there is a file at a path of the law book.
    fn judge(&self, git: &git2::Repository, selection: &Selection, is_file: &dyn Fn(&str) -> bool) -> Option<Found<Oid>> {
        let selected = selection.selects(&self.path);
        let what = match self.mode & TYPE {
            SUBMODULE => return self.refused(selection),
            LINK => {
                (selected || selection.is_base(&self.path) || self.hides_a_folder(git, selection, is_file)).then(|| Err(Refusal::link()))
            }
            _ if !selected => None,
            _ if !self.utf8 => Some(Err(Refusal::name())),
            _ if self.conflict => Some(Err(Refusal::conflict())),
            FOLDER => Some(Err(Refusal::folder())),
            _ => Some(Ok(self.id)),
        };
        what.map(|what| Found { path: self.path.clone(), what })
    }

    /// Whether a link stands where policies could lie in the folder that it leads to. Passing over it would lose them without a
    /// word; only a link to a file of the same law book is certain not to.
    fn hides_a_folder(&self, git: &git2::Repository, selection: &Selection, is_file: &dyn Fn(&str) -> bool) -> bool {
        let target = || {
            let text = String::from_utf8(blob(git, self.id).ok()?).ok()?;
            normal(Path::new(&self.path).parent()?, &text)
        };
        selection.may_lie_below(&self.path) && !target().is_some_and(|target| is_file(&target))
    }
}

/// The path of the law book that a link in a folder leads to; `None` when it leads out.
fn normal(folder: &Path, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.iter().map(|part| part.to_str()).collect::<Option<_>>()?;
    for part in target.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()?),
            "" => return None,
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// What is in the index below the law book, in the order of the index. `file` is an index file other than the usual one.
pub(super) fn staged(repository: &Repository, file: Option<&Path>) -> Result<Vec<Entry>, LoadError> {
    const STAGE: u16 = 0x3000;
    const INTENT_TO_ADD: u16 = 1 << 13;
    let index = match file {
        Some(file) => git2::Index::open(file),
        None => repository.git().index(),
    };
    let index = index.map_err(|error| repository.error("read the index", &error))?;
    let mut entries: Vec<Entry> = Vec::with_capacity(index.len());
    for entry in index.iter().filter(|entry| entry.flags_extended & INTENT_TO_ADD == 0) {
        let Some(path) = below(&entry.path, repository.prefix().as_bytes()) else { continue };
        let conflict = entry.flags & STAGE != 0;
        match entries.last_mut().filter(|last| conflict && last.path.as_bytes() == path) {
            Some(last) => last.conflict = true,
            None => entries.push(Entry { conflict, ..Entry::new(path, entry.mode, entry.id) }),
        }
    }
    Ok(entries)
}

fn below<'a>(path: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    if prefix.is_empty() {
        return Some(path);
    }
    path.strip_prefix(prefix)?.strip_prefix(b"/")
}

/// The files of the index that a selection concerns. Folders have no entry there; those with the name of a file are found by their files.
pub(super) fn of_index(git: &git2::Repository, entries: &[Entry], selection: &Selection) -> Vec<Found<Oid>> {
    let is_file = |path: &str| entries.iter().any(|entry| entry.path == path && entry.is_file());
    let mut found = Vec::with_capacity(entries.len());
    found.extend(entries.iter().filter_map(|entry| entry.judge(git, selection, &is_file)));
    let mut folders = BTreeSet::new();
    for entry in entries {
        let parents = Path::new(&entry.path).ancestors().skip(1).filter_map(Path::to_str).filter(|folder| !folder.is_empty());
        // A folder that is known has known parents.
        parents.take_while(|&folder| folders.insert(folder)).for_each(drop);
    }
    let misnamed = folders.into_iter().filter(|folder| selection.selects(folder));
    found.extend(misnamed.map(|folder| Found { path: folder.to_owned(), what: Err(Refusal::folder()) }));
    found
}

/// The tree of the law book in a commit; `None` when its folder is not there.
pub(super) fn root<'r>(repository: &'r Repository, commit: &str) -> Result<Option<git2::Tree<'r>>, LoadError> {
    let failed = |error: git2::Error| repository.error(&format!("read the tree of `{commit}`"), &error);
    let tree = repository.commit(commit)?.tree().map_err(failed)?;
    if repository.prefix().is_empty() {
        return Ok(Some(tree));
    }
    match tree.get_path(Path::new(repository.prefix())) {
        Ok(entry) if entry.kind() == Some(ObjectType::Tree) => Ok(Some(repository.git().find_tree(entry.id()).map_err(failed)?)),
        Ok(_) => Ok(None),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(failed(error).into()),
    }
}

/// The files of a tree that a selection concerns.
pub(super) fn of_tree(repository: &Repository, root: &git2::Tree<'_>, selection: &Selection) -> Result<Vec<Found<Oid>>, LoadError> {
    let is_file =
        |path: &str| root.get_path(Path::new(path)).is_ok_and(|entry| u32::try_from(entry.filemode_raw()).unwrap_or(0) & TYPE == FILE);
    let mut found = Vec::new();
    let mut visited = 0;
    // Explicit, because a hostile tree can be nested deeper than any stack; counted, because it can repeat itself.
    let mut pending = vec![(Vec::new(), root.id())];
    while let Some((folder, id)) = pending.pop() {
        let tree = repository.git().find_tree(id).map_err(|error| repository.error(&format!("read the tree `{id}`"), &error))?;
        for entry in &tree {
            visited += 1;
            if visited > MAX_FILES {
                return Err(LoadError::TooLarge { dir: repository.dir().to_owned(), limit: format!("{MAX_FILES} files") });
            }
            let path = if folder.is_empty() { entry.name_bytes().to_vec() } else { [&folder[..], b"/", entry.name_bytes()].concat() };
            let named = Entry::new(&path, u32::try_from(entry.filemode_raw()).unwrap_or(0), entry.id());
            if named.is_folder() && selection.may_hold(&named.path) {
                pending.push((path, entry.id()));
            }
            found.extend(named.judge(repository.git(), selection, &is_file));
        }
    }
    Ok(found)
}

/// The entry for one file in a tree; `None` when there is nothing at this path.
pub(super) fn in_tree(repository: &Repository, tree: &git2::Tree<'_>, path: &str) -> Result<Option<Entry>, LoadError> {
    match tree.get_path(Path::new(path)) {
        Ok(entry) => Ok(Some(Entry::new(path.as_bytes(), u32::try_from(entry.filemode_raw()).unwrap_or(0), entry.id()))),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(repository.error(&format!("look for `{path}`"), &error).into()),
    }
}

/// The content of one entry, whatever the selection says.
pub(super) fn content(repository: &Repository, entry: &Entry) -> Result<Vec<u8>, Refusal> {
    match entry.mode & TYPE {
        SUBMODULE => Err(Refusal::submodule()),
        LINK => Err(Refusal::link()),
        FOLDER => Err(Refusal::special("folder")),
        _ if entry.conflict => Err(Refusal::conflict()),
        _ => blob(repository.git(), entry.id),
    }
}

/// The content of a file, read without waiting for other threads.
pub(super) fn file(shelf: &Shelf, id: Oid) -> Result<Vec<u8>, Refusal> {
    let read = shelf.with(|objects| match objects.file(id, MAX_FILE_BYTES)? {
        Some(bytes) => Ok(Ok(bytes.to_vec())),
        None => objects.size(id).map(|bytes| Err(Refusal::too_large(bytes))),
    });
    read.unwrap_or_else(|why| match why {
        Unreadable::Missing => Err(Refusal::damaged(&format!("there is no object `{id}`"))),
        Unreadable::Damaged(why) => Err(Refusal::damaged(&why)),
    })
}

fn blob(git: &git2::Repository, id: Oid) -> Result<Vec<u8>, Refusal> {
    let odb = git.odb().map_err(|error| Refusal::damaged(error.message()))?;
    // The size is in the header: a hostile object is refused before it is unpacked.
    let (bytes, _) = odb.read_header(id).map_err(|error| Refusal::damaged(error.message()))?;
    if bytes > MAX_FILE_BYTES {
        return Err(Refusal::too_large(bytes as u64));
    }
    odb.read(id).map(|object| object.data().to_vec()).map_err(|error| Refusal::damaged(error.message()))
}
