//! A repository with the place of the law book in it: what others need to know of git without naming it.

use std::path::Path;
use std::path::PathBuf;

use git2::ErrorClass;
use git2::ErrorCode;
use git2::Oid;

use super::CommitTime;
use super::Person;
use crate::finding::nearest;

/// A commit as seen by us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The id of the commit, in hexadecimal.
    pub commit: String,
    /// The id of its tree, in hexadecimal.
    pub tree: String,
    /// When it was committed.
    pub time: CommitTime,
}

/// Why a repository cannot be used, or does not hold what is asked for.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum RepositoryError {
    /// There is no repository here.
    #[error("`{}` is not in a git repository", dir.display())]
    #[diagnostic(help("name the folder of the law book, or run `git init` there and commit it"))]
    None {
        /// The folder.
        dir: PathBuf,
    },
    /// Somebody else owns it, and git does not trust it.
    #[error("the repository of `{}` belongs to another user", dir.display())]
    #[diagnostic(help("trust it with `git config --global --add safe.directory '{}'`, or run as its owner", dir.display()))]
    NotOwned {
        /// The folder.
        dir: PathBuf,
    },
    /// It has no commit.
    #[error("the repository `{}` has no commits yet", dir.display())]
    #[diagnostic(help("commit the law book: `git add . && git commit`"))]
    NoCommits {
        /// The folder.
        dir: PathBuf,
    },
    /// Nothing is called like this.
    #[error("there is no revision `{name}` in `{}`", dir.display())]
    #[diagnostic(help("{help}"))]
    UnknownRevision {
        /// What was asked for.
        name: String,
        /// The folder.
        dir: PathBuf,
        /// What to do next.
        help: String,
    },
    /// A branch and a tag are called like this, and either may be meant.
    #[error("`{name}` is a branch and a tag in `{}`", dir.display())]
    #[diagnostic(help("write the full name: `refs/heads/{name}` or `refs/tags/{name}`"))]
    AmbiguousReference {
        /// What was asked for.
        name: String,
        /// The folder.
        dir: PathBuf,
    },
    /// It is a commit, and not a name that moves on with the history.
    #[error("`{name}` is neither a branch nor a tag of `{}`", dir.display())]
    #[diagnostic(help("name a branch or a tag, such as `main` or `origin/main`"))]
    NoReference {
        /// What was asked for.
        name: String,
        /// The folder.
        dir: PathBuf,
    },
    /// The history ends early.
    #[error("the history of `{}` is incomplete: {why}", dir.display())]
    #[diagnostic(help("{}", remedy(why)))]
    Partial {
        /// The folder.
        dir: PathBuf,
        /// What is missing.
        why: String,
    },
    /// Two revisions have no history in common.
    #[error("`{one}` and `{two}` have no commit in common in `{}`", dir.display())]
    #[diagnostic(help("compare the two themselves: write `{one}..{two}`, with two dots"))]
    Unrelated {
        /// One of them.
        one: String,
        /// The other.
        two: String,
        /// The folder.
        dir: PathBuf,
    },
    /// Nobody is configured.
    #[error("git does not know who you are in `{}`", dir.display())]
    #[diagnostic(help("run `git config user.name \"Your Name\"` and `git config user.email you@example.com`"))]
    NoPerson {
        /// The folder.
        dir: PathBuf,
    },
    /// It cannot be read.
    #[error("git cannot {what} in `{}`: {why}", dir.display())]
    #[diagnostic(help("run `git fsck` there; a repository with SHA-256 ids or reftable references is not supported"))]
    Git {
        /// What was tried.
        what: String,
        /// The folder.
        dir: PathBuf,
        /// What git says.
        why: String,
    },
}

impl RepositoryError {
    /// What git says about an attempt. An object that is not there is nothing that `git fsck` repairs: a partial clone lacks it.
    pub(super) fn git(what: &str, dir: &Path, error: &git2::Error) -> Self {
        if (error.class(), error.code()) == (ErrorClass::Odb, ErrorCode::NotFound) {
            return Self::missing(what, dir);
        }
        Self::Git { what: what.to_owned(), dir: dir.to_owned(), why: error.message().to_owned() }
    }

    /// An object that an attempt needs is not there.
    pub(super) fn missing(what: &str, dir: &Path) -> Self {
        Self::Partial { dir: dir.to_owned(), why: format!("what is needed to {what} is missing") }
    }
}

/// How to get what a history lacks, by why it is incomplete.
pub fn remedy(why: &str) -> &'static str {
    if why.ends_with("is missing") {
        "clone the repository again, without `--filter`"
    } else if why.contains("info/grafts") {
        "take `info/grafts` out of the git directory"
    } else {
        "get the whole history with `git fetch --unshallow`"
    }
}

/// A repository, opened from the folder of a law book.
pub struct Repository {
    inner: git2::Repository,
    dir: PathBuf,
    prefix: String,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository").field("dir", &self.dir).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Repository {
    /// Opens the repository that the folder of a law book lies in; the folder may also be a bare repository.
    ///
    /// # Errors
    /// There is none, it belongs to somebody else, or it cannot be read.
    pub fn open(dir: &Path) -> Result<Self, RepositoryError> {
        let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        let inner = git2::Repository::discover(&dir).map_err(|error| match error.code() {
            ErrorCode::NotFound => RepositoryError::None { dir: dir.clone() },
            ErrorCode::Owner => RepositoryError::NotOwned { dir: dir.clone() },
            _ => RepositoryError::Git { what: "open the repository".to_owned(), dir: dir.clone(), why: error.message().to_owned() },
        })?;
        let prefix = prefix(&inner, &dir)?;
        Ok(Self { inner, dir, prefix })
    }

    /// The folder of the law book, relative to the root of the repository, with `/` between its parts; empty at the root.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The folder of the law book on disk; for a bare repository, the repository.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The git directory of this worktree.
    pub fn git_dir(&self) -> &Path {
        self.inner.path()
    }

    /// The git directory that all worktrees share.
    pub fn common_dir(&self) -> &Path {
        self.inner.commondir()
    }

    /// The root of the worktree; `None` in a bare repository.
    pub fn worktree(&self) -> Option<&Path> {
        self.inner.workdir()
    }

    /// The full name of the branch that is checked out, also when it has no commit yet; `None` when HEAD is detached.
    pub fn branch(&self) -> Option<String> {
        let head = self.inner.find_reference("HEAD").ok()?;
        head.symbolic_target().ok().flatten().map(str::to_owned)
    }

    /// What a revision is: a branch, a tag, an id or any other expression that git understands.
    ///
    /// # Errors
    /// There is no such revision, or no commit at all.
    pub fn revision(&self, name: &str) -> Result<Revision, RepositoryError> {
        self.commit(name).map(|commit| described(&commit))
    }

    /// The full name of the branch or tag that somebody calls by its short or full name. `HEAD` is the branch that is checked
    /// out now, or itself when there is none. Whoever reads a name again and again resolves it once, so that a tag that
    /// appears later under the name of a branch does not take its place.
    ///
    /// # Errors
    /// There is none, or both a branch and a tag have this name.
    pub fn full_name(&self, name: &str) -> Result<String, RepositoryError> {
        if name == "HEAD" {
            return Ok(self.branch().unwrap_or_else(|| name.to_owned()));
        }
        if name.starts_with("refs/") {
            return self.tip(name).map(|_| name.to_owned());
        }
        let found = |full: &str| match self.inner.find_reference(full) {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec) => Ok(false),
            Err(error) => Err(self.error(&format!("read `{full}`"), &error)),
        };
        let (branch, tag) = (format!("refs/heads/{name}"), format!("refs/tags/{name}"));
        match (found(&branch)?, found(&tag)?) {
            (true, true) => Err(RepositoryError::AmbiguousReference { name: name.to_owned(), dir: self.dir.clone() }),
            (true, false) => Ok(branch),
            (false, true) => Ok(tag),
            (false, false) => Err(self.unknown(name, &git2::Error::new(ErrorCode::NotFound, ErrorClass::Reference, "no such reference"))),
        }
    }

    /// What a reference holds, by its full name and by nothing that is only called similarly.
    ///
    /// # Errors
    /// There is no such reference, or it does not hold a commit.
    pub fn tip(&self, full_name: &str) -> Result<Revision, RepositoryError> {
        let found = self.inner.find_reference(full_name).and_then(|reference| reference.peel_to_commit());
        found.map(|commit| described(&commit)).map_err(|error| self.unknown(full_name, &error))
    }

    /// Whether everything in `ancestor` is also in the history of `descendant`; a commit is in its own.
    ///
    /// # Errors
    /// There is no such revision, or the history cannot be read.
    pub fn is_ancestor(&self, ancestor: &str, descendant: &str) -> Result<bool, RepositoryError> {
        let (old, new) = (self.commit(ancestor)?.id(), self.commit(descendant)?.id());
        if old == new {
            return Ok(true);
        }
        self.inner.graph_descendant_of(new, old).map_err(|error| self.error("compare commits", &error))
    }

    /// How many commits lie on the line of first parents up to this one, itself included.
    ///
    /// # Errors
    /// There is no such revision, or the history is incomplete.
    pub fn first_parent_count(&self, name: &str) -> Result<u64, RepositoryError> {
        self.first_parent_count_from(name, None)
    }

    /// The same, without walking on from a commit on the line whose count is known. Such a commit is given by its id.
    ///
    /// # Errors
    /// There is no such revision, or the history is incomplete.
    pub fn first_parent_count_from(&self, name: &str, known: Option<(&str, u64)>) -> Result<u64, RepositoryError> {
        if let Some(why) = self.incomplete() {
            return Err(RepositoryError::Partial { dir: self.dir.clone(), why });
        }
        let known = known.and_then(|(commit, count)| Oid::from_str(commit).ok().map(|id| (id, count)));
        let mut commit = self.commit(name)?;
        let mut walked = 1;
        loop {
            if let Some((_, count)) = known.filter(|(id, _)| *id == commit.id()) {
                return Ok(walked - 1 + count);
            }
            let Ok(parent) = commit.parent_id(0) else { return Ok(walked) };
            commit = self
                .inner
                .find_commit(parent)
                .map_err(|_| RepositoryError::Partial { dir: self.dir.clone(), why: format!("commit `{parent}` is missing") })?;
            walked += 1;
        }
    }

    /// The commit at which the line of first parents begins.
    ///
    /// # Errors
    /// There is no such revision, or the history is incomplete.
    pub fn root(&self, name: &str) -> Result<Revision, RepositoryError> {
        if let Some(why) = self.incomplete() {
            return Err(RepositoryError::Partial { dir: self.dir.clone(), why });
        }
        let mut commit = self.commit(name)?;
        while let Ok(parent) = commit.parent_id(0) {
            commit = self
                .inner
                .find_commit(parent)
                .map_err(|_| RepositoryError::Partial { dir: self.dir.clone(), why: format!("commit `{parent}` is missing") })?;
        }
        self.revision(&commit.id().to_string())
    }

    /// Who works here, by `user.name` and `user.email`.
    ///
    /// # Errors
    /// One of the two is not set.
    pub fn person(&self) -> Result<Person, RepositoryError> {
        let config =
            self.inner.config().and_then(|mut config| config.snapshot()).map_err(|error| self.error("read the configuration", &error))?;
        let read = |key: &str| config.get_string(key).ok().filter(|value| !value.trim().is_empty());
        match (read("user.name"), read("user.email")) {
            (Some(name), Some(email)) => Ok(Person { name, email }),
            _ => Err(RepositoryError::NoPerson { dir: self.dir.clone() }),
        }
    }

    /// Whether the folder of the law book differs from HEAD, in the index or in the worktree, also by untracked files.
    ///
    /// # Errors
    /// The worktree cannot be compared.
    pub fn is_dirty(&self) -> Result<bool, RepositoryError> {
        let mut options = git2::StatusOptions::new();
        options.include_untracked(true).include_ignored(false).exclude_submodules(true).disable_pathspec_match(true);
        if !self.prefix.is_empty() {
            options.pathspec(&self.prefix);
        }
        let statuses = self.inner.statuses(Some(&mut options)).map_err(|error| self.error("compare the worktree", &error))?;
        Ok(!statuses.is_empty())
    }

    /// Why the history of this repository is not all there, if so.
    pub fn incomplete(&self) -> Option<String> {
        if self.inner.is_shallow() {
            return Some("the clone is shallow".to_owned());
        }
        let grafts = self.inner.commondir().join("info").join("grafts");
        grafts.exists().then(|| "it is changed by `info/grafts`".to_owned())
    }

    /// The repository itself, for the modules that read and write it.
    pub(crate) fn git(&self) -> &git2::Repository {
        &self.inner
    }

    /// The commit that a revision is.
    pub(crate) fn commit(&self, name: &str) -> Result<git2::Commit<'_>, RepositoryError> {
        // An id that was read from this repository before is looked up as one, whatever branches are called.
        match Oid::from_str(name).ok().filter(|_| name.len() == 40).map(|id| self.inner.find_commit(id)) {
            Some(Ok(commit)) => return Ok(commit),
            Some(Err(error)) if error.code() == ErrorCode::GenericError => {
                return Err(self.error(&format!("read the commit `{name}`"), &error));
            }
            _ => {}
        }
        let found = self.inner.revparse_single(name).and_then(|object| object.peel_to_commit());
        found.map_err(|error| self.unknown(name, &error))
    }

    /// What git says, with the place.
    pub(crate) fn error(&self, what: &str, error: &git2::Error) -> RepositoryError {
        RepositoryError::git(what, &self.dir, error)
    }

    fn unknown(&self, name: &str, error: &git2::Error) -> RepositoryError {
        let dir = self.dir.clone();
        let unborn = || self.inner.head().is_err_and(|error| error.code() == ErrorCode::UnbornBranch);
        if name.starts_with("HEAD") && unborn() {
            return RepositoryError::NoCommits { dir };
        }
        let name = name.to_owned();
        if error.code() == ErrorCode::Ambiguous {
            return RepositoryError::UnknownRevision { name, dir, help: "write more digits of the id, or the full name".to_owned() };
        }
        if !matches!(error.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec | ErrorCode::Peel | ErrorCode::GenericError) {
            return self.error(&format!("read the revision `{name}`"), error);
        }
        let names = self.reference_names();
        if names.is_empty() && unborn() {
            return RepositoryError::NoCommits { dir };
        }
        let help = nearest(&name, names.iter().map(String::as_str))
            .map_or_else(|| "`git branch --all` and `git tag` list what there is".to_owned(), |near| format!("did you mean `{near}`?"));
        RepositoryError::UnknownRevision { name, dir, help }
    }

    /// Short names of branches and tags, as many as a suggestion needs.
    fn reference_names(&self) -> Vec<String> {
        const LOOKED_AT: usize = 10_000;
        let Ok(references) = self.inner.references() else { return Vec::new() };
        let named = references.take(LOOKED_AT).filter_map(Result::ok);
        named.filter_map(|reference| reference.shorthand().ok().map(str::to_owned)).collect()
    }
}

fn described(commit: &git2::Commit<'_>) -> Revision {
    let time = commit.time();
    Revision {
        commit: commit.id().to_string(),
        tree: commit.tree_id().to_string(),
        time: CommitTime::new(time.seconds(), time.offset_minutes()),
    }
}

/// The folder of the law book as a path inside the repository.
fn prefix(repository: &git2::Repository, dir: &Path) -> Result<String, RepositoryError> {
    let Some(worktree) = repository.workdir() else { return Ok(String::new()) };
    let worktree = worktree.canonicalize().unwrap_or_else(|_| worktree.to_owned());
    let git_dir = repository.path().canonicalize().unwrap_or_else(|_| repository.path().to_owned());
    if dir.starts_with(&git_dir) {
        return Ok(String::new());
    }
    let refuse = |why: &str| RepositoryError::Git { what: "place the law book".to_owned(), dir: dir.to_owned(), why: why.to_owned() };
    let inside = dir.strip_prefix(&worktree).map_err(|_| refuse("the folder is outside of the worktree"))?;
    let parts: Option<Vec<&str>> = inside.iter().map(|part| part.to_str()).collect();
    parts.map(|parts| parts.join("/")).ok_or_else(|| refuse("its path is not UTF-8"))
}
