//! Files of the worktree, or of a folder without a repository.
//!
//! What is read is what git would commit: tracked files, also those that a pattern ignores, and untracked files that
//! nothing ignores. Nothing is opened before it is known to be a regular file, so that a named pipe cannot hang a check.

use std::collections::BTreeSet;
use std::fs::File;
use std::fs::FileType;
use std::fs::OpenOptions;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use ignore::WalkBuilder;

use super::Found;
use super::LoadError;
use super::MAX_FILES;
use crate::config::Selection;
use crate::history::Repository;
use crate::source::MAX_FILE_BYTES;
use crate::workspace::RawFile;
use crate::workspace::Refusal;

/// One file by its path, read; `None` when there is nothing at this path. What lies behind a link or in another repository is
/// not there, as it is not in a commit.
pub(super) fn file(root: &Path, path: &str) -> Option<RawFile> {
    let content = has_real_folders(root, path).then(|| read(&root.join(path))).flatten()?;
    Some(RawFile { path: path.to_owned(), content })
}

/// The policy files on disk, in no order.
pub(super) fn files(root: &Path, repository: Option<&Repository>, selection: &Selection) -> Result<Vec<Found<PathBuf>>, LoadError> {
    std::fs::read_dir(root).map_err(|why| LoadError::Denied { dir: root.to_owned(), why })?;
    let mut found = walk(root, repository.is_some(), selection)?;
    if let Some(repository) = repository {
        add_tracked(root, repository, selection, &mut found)?;
    }
    Ok(found)
}

fn walk(root: &Path, in_repository: bool, selection: &Selection) -> Result<Vec<Found<PathBuf>>, LoadError> {
    let nested = Arc::new(Mutex::new(Vec::new()));
    let mut builder = WalkBuilder::new(root);
    builder.standard_filters(false).follow_links(false);
    if in_repository {
        builder.git_ignore(true).git_exclude(true).parents(true).require_git(true);
    }
    let (base, chosen, seen) = (root.to_owned(), selection.clone(), Arc::clone(&nested));
    builder.filter_entry(move |entry| {
        if !entry.file_type().is_some_and(|kind| kind.is_dir()) || entry.depth() == 0 {
            return true;
        }
        let path = relative(&base, entry.path());
        let enter = entry.file_name() != ".git" && chosen.may_hold(&path);
        if enter && in_repository && entry.path().join(".git").symlink_metadata().is_ok() {
            if !chosen.excludes_folder(&path) {
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(path);
            }
            return false;
        }
        enter
    });
    let mut found = Vec::new();
    for (visited, entry) in builder.build().enumerate() {
        if visited >= MAX_FILES {
            return Err(LoadError::TooLarge { dir: root.to_owned(), limit: format!("{MAX_FILES} files") });
        }
        match entry {
            Ok(entry) => found.extend(entry.file_type().and_then(|kind| judge(root, entry.path(), kind, selection))),
            Err(error) => found.extend(refused(root, &error)),
        }
    }
    let nested = std::mem::take(&mut *nested.lock().unwrap_or_else(PoisonError::into_inner));
    found.extend(nested.into_iter().map(|path| Found { path, what: Err(Refusal::submodule()) }));
    Ok(found)
}

/// What an entry of a folder is to us; `None` when it is nothing.
fn judge(root: &Path, path: &Path, kind: FileType, selection: &Selection) -> Option<Found<PathBuf>> {
    let name = relative(root, path);
    let selected = selection.selects(&name);
    let what = match () {
        () if kind.is_symlink() => {
            (selected || selection.is_base(&name) || hides_a_folder(path, &name, selection)).then(|| Err(Refusal::link()))
        }
        () if !selected => None,
        () if path.to_str().is_none() => Some(Err(Refusal::name())),
        () if kind.is_dir() => Some(Err(Refusal::folder())),
        () if kind.is_file() => Some(Ok(path.to_owned())),
        () => Some(Err(Refusal::special(special(kind)))),
    };
    what.map(|what| Found { path: name, what })
}

/// Whether a link stands where policies could lie in the folder that it leads to. Passing over it would lose them without a word.
fn hides_a_folder(path: &Path, name: &str, selection: &Selection) -> bool {
    selection.may_lie_below(name) && path.metadata().map_or(true, |target| target.is_dir())
}

#[cfg(unix)]
fn special(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match () {
        () if kind.is_fifo() => "named pipe",
        () if kind.is_socket() => "socket",
        () => "device",
    }
}

#[cfg(not(unix))]
fn special(_: FileType) -> &'static str {
    "device"
}

/// A folder that the walk could not enter; `None` when it is gone, or when only a file of patterns is at fault.
fn refused(root: &Path, error: &ignore::Error) -> Option<Found<PathBuf>> {
    let why = error.io_error().filter(|why| why.kind() != io::ErrorKind::NotFound)?;
    let path = path_of(error)?;
    // The walk's own error names the path once more, and absolutely; its kind says why.
    Some(Found { path: relative(root, path), what: Err(Refusal::unreadable(&io::Error::from(why.kind()))) })
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

/// Adds tracked files that a pattern ignores: git commits them, so they count. And submodules, also those that are not checked out.
fn add_tracked(root: &Path, repository: &Repository, selection: &Selection, found: &mut Vec<Found<PathBuf>>) -> Result<(), LoadError> {
    let known: BTreeSet<String> = found.iter().map(|one| one.path.clone()).collect();
    for entry in super::objects::staged(repository, None)? {
        if known.contains(&entry.path) {
            continue;
        }
        if entry.is_submodule() {
            found.extend(entry.refused(selection));
        } else if selection.selects(&entry.path) && has_real_folders(root, &entry.path) {
            let path = root.join(&entry.path);
            let kind = path.symlink_metadata().ok().map(|meta| meta.file_type());
            found.extend(kind.and_then(|kind| judge(root, &path, kind, selection)));
        }
    }
    Ok(())
}

/// Whether no folder on the way to this path is a link or another repository.
fn has_real_folders(root: &Path, path: &str) -> bool {
    let folders = Path::new(path).ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
    folders
        .map(|folder| root.join(folder))
        .all(|folder| folder.symlink_metadata().is_ok_and(|meta| meta.is_dir()) && folder.join(".git").symlink_metadata().is_err())
}

fn relative(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    inside.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The bytes of a file, or why there are none; `None` when it is gone.
pub(super) fn read(path: &Path) -> Option<Result<Vec<u8>, Refusal>> {
    let kind = match path.symlink_metadata() {
        Ok(meta) => meta.file_type(),
        Err(why) if why.kind() == io::ErrorKind::NotFound => return None,
        Err(why) => return Some(Err(Refusal::unreadable(&why))),
    };
    match () {
        () if kind.is_symlink() => return Some(Err(Refusal::link())),
        () if kind.is_dir() => return Some(Err(Refusal::special("folder"))),
        () if !kind.is_file() => return Some(Err(Refusal::special(special(kind)))),
        () => {}
    }
    match open(path).and_then(read_open) {
        Ok(content) => Some(content),
        Err(why) if why.kind() == io::ErrorKind::NotFound => None,
        Err(why) => Some(Err(Refusal::unreadable(&why))),
    }
}

/// Opens a file so that neither a link nor a pipe that has just taken its place does harm.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

fn read_open(file: File) -> io::Result<Result<Vec<u8>, Refusal>> {
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Ok(Err(Refusal::special("device")));
    }
    if meta.len() > MAX_FILE_BYTES as u64 {
        return Ok(Err(Refusal::too_large(meta.len())));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
    // The file may grow while it is read.
    file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_FILE_BYTES { Ok(Err(Refusal::too_large(bytes.len() as u64))) } else { Ok(Ok(bytes)) }
}
