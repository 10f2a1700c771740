//! Files of a law book, from the worktree, the git index or a commit.
//!
//! All three follow one set of rules: which files count is said by the `lawbook.toml` of that same revision, paths are
//! relative to the root of the law book and in byte order, and nothing that matches is passed over in silence: what cannot
//! be read is a file with a [`Refusal`] in place of its bytes.

mod disk;
mod error;
mod objects;

use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use git2::Oid;
use rayon::prelude::*;

use super::Raw;
use super::RawFile;
use super::Refusal;
use super::read_config;
use crate::config;
use crate::config::Config;
use crate::config::ConfigProblem;
use crate::config::Selection;
use crate::history::Repository;
use crate::history::RepositoryError;
use crate::history::Revision;
use crate::history::Shelf;

pub use error::LoadError;

/// The most names that are looked at.
const MAX_FILES: usize = 1_000_000;

/// The most that is read of one law book, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// Where a law book is loaded from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The files as they are on disk.
    Worktree,
    /// What the next commit would hold.
    Index,
    /// A commit, by any name that git understands.
    Revision(String),
}

/// The files of a law book, and where they came from.
#[derive(Debug)]
pub struct Loaded {
    /// The files.
    pub raw: Raw,
    /// The root of the law book, as an absolute path; for a bare repository, the repository.
    pub root: PathBuf,
    /// Whether the root lies in a repository.
    pub repository: bool,
    /// The commit; of the worktree and the index, the one that HEAD is at, if there is one.
    pub revision: Option<Revision>,
}

/// Loads the files of the law book whose root is `dir`.
///
/// # Errors
/// There is no such folder or revision, there is no repository where one is needed, or the law book exceeds all bounds.
/// What is wrong with single files is in the files.
pub fn load(dir: &Path, origin: &Origin) -> Result<Loaded, LoadError> {
    let (mut loaded, files) = locate(dir, origin)?;
    loaded.raw.files = files.read(|_, file| file)?.into_iter().flatten().collect();
    Ok(loaded)
}

/// The same without the policy files, which are only known by name.
pub(super) fn locate(dir: &Path, origin: &Origin) -> Result<(Loaded, Files), LoadError> {
    let root = existing(dir)?;
    match origin {
        Origin::Worktree => worktree(root),
        Origin::Index => index(root),
        Origin::Revision(name) => revision(root, name),
    }
}

/// Policy files that are known by name, in byte order of their paths.
pub(super) struct Files {
    /// The root of the law book, for words.
    root: PathBuf,
    content: Content,
}

/// Where the content of files is.
enum Content {
    Disk(Vec<Found<PathBuf>>),
    Objects { common_dir: PathBuf, found: Vec<Found<Oid>> },
}

impl Files {
    fn on_disk(root: &Path, mut found: Vec<Found<PathBuf>>) -> Self {
        found.sort_unstable();
        Self { root: root.to_owned(), content: Content::Disk(found) }
    }

    fn in_git(repository: &Repository, mut found: Vec<Found<Oid>>) -> Self {
        found.sort_unstable();
        let content = Content::Objects { common_dir: repository.common_dir().to_owned(), found };
        Self { root: repository.dir().to_owned(), content }
    }

    /// Reads every file, and makes something of it and its position at once, on all cores: a file is in the cache then, and who waits
    /// for the disk or a lock keeps nobody from working. There is nothing in place of a file that is gone since it was found.
    pub(super) fn read<T: Send>(self, make: impl Fn(usize, RawFile) -> T + Sync) -> Result<Vec<Option<T>>, LoadError> {
        let budget = Budget::new(&self.root);
        let make = |at: usize, path: String, content: Option<Result<Vec<u8>, Refusal>>| {
            let content = content?;
            budget.spend(&content);
            Some(make(at, RawFile { path, content }))
        };
        let made = match self.content {
            Content::Disk(found) => {
                let read = |(at, one): (usize, Found<PathBuf>)| {
                    let content = match one.what {
                        Ok(path) => budget.allow(|| disk::read(&path)),
                        Err(refusal) => Some(Err(refusal)),
                    };
                    make(at, one.path, content)
                };
                found.into_par_iter().enumerate().map(read).collect()
            }
            Content::Objects { common_dir, found } => {
                let shelf = Shelf::new(&common_dir);
                let read = |(at, one): (usize, Found<Oid>)| {
                    let content = match one.what {
                        Ok(id) => budget.allow(|| Some(objects::file(&shelf, id))),
                        Err(refusal) => Some(Err(refusal)),
                    };
                    make(at, one.path, content)
                };
                found.into_par_iter().enumerate().map(read).collect()
            }
        };
        budget.check().map(|()| made)
    }
}

/// The root of the law book that is meant: a folder that is named is taken as it is; else the nearest folder from the current
/// one upwards, within the repository, that holds a `lawbook.toml`; else the current one.
///
/// # Errors
/// There is no such folder.
pub fn find_root(dir: Option<&Path>) -> Result<PathBuf, LoadError> {
    match dir {
        Some(dir) => existing(dir),
        None => existing(Path::new(".")).map(|current| nearest_root(&current)),
    }
}

fn nearest_root(current: &Path) -> PathBuf {
    let Some(top) = Repository::open(current).ok().and_then(|repository| repository.worktree()?.canonicalize().ok()) else {
        return current.to_owned();
    };
    let inside = current.ancestors().take_while(|folder| folder.starts_with(&top));
    let holding = inside.into_iter().find(|folder| folder.join(config::FILE_NAME).symlink_metadata().is_ok());
    holding.unwrap_or(current).to_owned()
}

fn existing(dir: &Path) -> Result<PathBuf, LoadError> {
    let root = dir.canonicalize().map_err(|why| match why.kind() {
        std::io::ErrorKind::NotFound => LoadError::Missing { dir: dir.to_owned() },
        std::io::ErrorKind::NotADirectory => LoadError::NotAFolder { dir: dir.to_owned() },
        _ => LoadError::Denied { dir: dir.to_owned(), why },
    })?;
    if root.is_dir() { Ok(root) } else { Err(LoadError::NotAFolder { dir: dir.to_owned() }) }
}

fn worktree(root: PathBuf) -> Result<(Loaded, Files), LoadError> {
    let repository = match Repository::open(&root) {
        Ok(repository) if repository.worktree().is_none() => return Err(LoadError::Bare { dir: root }),
        Ok(repository) => Some(repository),
        Err(RepositoryError::None { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let revision = repository.as_ref().map(head).transpose()?.flatten();
    let config = disk::file(&root, config::FILE_NAME);
    let (parsed, selection) = selection(config.as_ref());
    let directory = directory_path(&parsed).and_then(|path| disk::file(&root, path));
    let signers = signers_path(&parsed).and_then(|path| disk::file(&root, path));
    let files = Files::on_disk(&root, disk::files(&root, repository.as_ref(), &selection)?);
    let raw = Raw { config, parsed: Some(parsed), directory, signers, files: Vec::new() };
    Ok((Loaded { raw, root, repository: repository.is_some(), revision }, files))
}

fn index(root: PathBuf) -> Result<(Loaded, Files), LoadError> {
    let repository = Repository::open(&root)?;
    if repository.worktree().is_none() {
        return Err(LoadError::Bare { dir: root });
    }
    let named = std::env::var_os("GIT_INDEX_FILE").and_then(|named| index_of_hook(&repository, Path::new(&named)));
    let entries = objects::staged(&repository, named.as_deref())?;
    let file = |path: &str| {
        let entry = entries.iter().find(|entry| entry.path == path)?;
        Some(RawFile { path: entry.path.clone(), content: objects::content(&repository, entry) })
    };
    let config = file(config::FILE_NAME);
    let (parsed, selection) = selection(config.as_ref());
    let directory = directory_path(&parsed).and_then(file);
    let signers = signers_path(&parsed).and_then(file);
    let files = Files::in_git(&repository, objects::of_index(repository.git(), &entries, &selection));
    let revision = head(&repository)?;
    let raw = Raw { config, parsed: Some(parsed), directory, signers, files: Vec::new() };
    Ok((Loaded { raw, root, repository: true, revision }, files))
}

/// The index that git names to its hooks, another one for a partial commit; only if it is one of this repository.
fn index_of_hook(repository: &Repository, named: &Path) -> Option<PathBuf> {
    let file = repository.worktree()?.join(named).canonicalize().ok()?;
    let git_dir = repository.git_dir().canonicalize().ok()?;
    (file.parent() == Some(git_dir.as_path())).then_some(file)
}

fn revision(root: PathBuf, name: &str) -> Result<(Loaded, Files), LoadError> {
    let repository = Repository::open(&root)?;
    let revision = repository.revision(name)?;
    let tree = objects::root(&repository, &revision.commit)?;
    let file = |path: &str| {
        let entry = tree.as_ref().map(|tree| objects::in_tree(&repository, tree, path)).transpose()?.flatten();
        Ok::<_, LoadError>(entry.map(|entry| RawFile { content: objects::content(&repository, &entry), path: entry.path }))
    };
    let config = file(config::FILE_NAME)?;
    let (parsed, selection) = selection(config.as_ref());
    let directory = directory_path(&parsed).map(file).transpose()?.flatten();
    let signers = signers_path(&parsed).map(file).transpose()?.flatten();
    let found = tree.as_ref().map(|tree| objects::of_tree(&repository, tree, &selection)).transpose()?;
    let files = Files::in_git(&repository, found.unwrap_or_default());
    let raw = Raw { config, parsed: Some(parsed), directory, signers, files: Vec::new() };
    Ok((Loaded { raw, root, repository: true, revision: Some(revision) }, files))
}

fn head(repository: &Repository) -> Result<Option<Revision>, LoadError> {
    match repository.revision("HEAD") {
        Ok(revision) => Ok(Some(revision)),
        // A branch without a commit; other branches may have some.
        Err(RepositoryError::NoCommits { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The configuration, and the files that it selects; with a broken one, those of the default.
fn selection(file: Option<&RawFile>) -> (Result<Config, Vec<ConfigProblem>>, Selection) {
    let parsed = read_config(file);
    let selection = match &parsed {
        Ok(config) => Selection::new(config),
        Err(_) => Selection::new(&Config::default()),
    };
    (parsed, selection)
}

/// Where the directory would be; nowhere while the configuration is broken, which may say it.
fn directory_path(parsed: &Result<Config, Vec<ConfigProblem>>) -> Option<&str> {
    parsed.as_ref().ok().and_then(Config::directory_path)
}

/// Where the allowed signers would be; nowhere while the configuration is broken, which may say it.
fn signers_path(parsed: &Result<Config, Vec<ConfigProblem>>) -> Option<&str> {
    parsed.as_ref().ok().map(|config| config.history.allowed_signers.value.as_str())
}

/// A name that concerns the law book, and where its content is. Ordered by the path.
#[derive(Debug)]
struct Found<T> {
    path: String,
    what: Result<T, Refusal>,
}

impl<T> PartialEq for Found<T> {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl<T> Eq for Found<T> {}

impl<T> PartialOrd for Found<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Found<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.path.cmp(&other.path)
    }
}

/// How much may still be read, over all threads.
struct Budget<'a> {
    root: &'a Path,
    spent: AtomicU64,
}

impl<'a> Budget<'a> {
    fn new(root: &'a Path) -> Self {
        Self { root, spent: AtomicU64::new(0) }
    }

    /// Reads, unless there is too much already.
    fn allow<T>(&self, read: impl FnOnce() -> Option<T>) -> Option<T> {
        if self.spent.load(Ordering::Relaxed) > MAX_BYTES { None } else { read() }
    }

    fn spend(&self, content: &Result<Vec<u8>, Refusal>) {
        let bytes = content.as_ref().map_or(0, Vec::len);
        self.spent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn check(&self) -> Result<(), LoadError> {
        if self.spent.load(Ordering::Relaxed) > MAX_BYTES {
            let limit = format!("{MAX_BYTES} bytes of policies");
            return Err(LoadError::TooLarge { dir: self.root.to_owned(), limit });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_configuration_upwards_within_the_repository_makes_the_root() {
        let folder = tempfile::tempdir().expect("a folder");
        let top = folder.path().canonicalize().expect("it exists");
        let make = |path: &str| std::fs::create_dir_all(top.join(path)).expect("made");
        ["repository/law/policies", "repository/other", "plain"].iter().for_each(|path| make(path));
        git2::Repository::init(top.join("repository")).expect("initialised");
        for place in ["", "repository/law", "plain"] {
            std::fs::write(top.join(place).join(config::FILE_NAME), "").expect("written");
        }
        let check = |current: &str, expected: &str| assert_eq!(nearest_root(&top.join(current)), top.join(expected), "{current}");
        check("repository/law/policies", "repository/law");
        check("repository/law", "repository/law");
        check("repository/other", "repository/other");
        check("plain", "plain");
    }

    #[test]
    fn the_index_of_a_hook_counts_only_in_its_own_repository() {
        let folder = tempfile::tempdir().expect("a folder");
        let top = folder.path().canonicalize().expect("it exists");
        git2::Repository::init(&top).expect("initialised");
        let repository = Repository::open(&top).expect("opens");
        std::fs::write(top.join(".git/next-index-1.lock"), "").expect("written");
        std::fs::write(top.join("other"), "").expect("written");
        let check = |named: &str, expected: Option<&str>| {
            assert_eq!(index_of_hook(&repository, Path::new(named)), expected.map(|file| top.join(file)), "{named}");
        };
        check(".git/next-index-1.lock", Some(".git/next-index-1.lock"));
        check(&top.join(".git/next-index-1.lock").display().to_string(), Some(".git/next-index-1.lock"));
        check(".git/gone", None);
        check("other", None);
    }
}
