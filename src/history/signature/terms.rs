//! What a revision says about signatures: its `[history]`, and where its allowed signers are.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use git2::ErrorCode;
use git2::ObjectType;
use git2::Oid;

use super::Signers;
use super::held;
use crate::config;
use crate::config::Config;
use crate::history::Repository;
use crate::history::RepositoryError;
use crate::history::objects::Objects;
use crate::history::objects::Unreadable;
use crate::history::watched::Watched;
use crate::source::MAX_FILE_BYTES;

/// What `lawbook.toml` says about signatures.
#[derive(Debug, Clone)]
pub(in crate::history) struct Terms {
    /// The file of allowed signers, relative to the root of the law book.
    pub(in crate::history) path: String,
    /// The commits that count as trusted.
    pub(in crate::history) pinned: BTreeSet<Oid>,
    /// Whether a landing commit must be signed.
    pub(in crate::history) required: bool,
    /// The files that make up the law book.
    pub(in crate::history) watched: Watched,
}

impl Terms {
    fn new(config: &Config) -> Self {
        let pinned = config.history.pinned.iter().filter_map(|id| Oid::from_str(&id.value).ok()).collect();
        Self {
            path: config.history.allowed_signers.value.clone(),
            pinned,
            required: config.history.require_signed.value,
            watched: Watched::new(config),
        }
    }

    /// What a commit has at the path of the allowed signers.
    pub(super) fn file(&self, repository: &Repository, commit: &git2::Commit<'_>) -> Result<Place, RepositoryError> {
        place(repository, commit, &self.path)
    }
}

/// What a commit has at a path.
pub(super) enum Place {
    File(Oid),
    /// A link, a folder or another repository.
    Taken,
    Free,
}

/// What a commit has at a path that is relative to the root of the law book.
fn place(repository: &Repository, commit: &git2::Commit<'_>, path: &str) -> Result<Place, RepositoryError> {
    let failed = |error: git2::Error| repository.error(&format!("read the tree of commit `{}`", commit.id()), &error);
    let tree = commit.tree().map_err(failed)?;
    match tree.get_path(&Path::new(repository.prefix()).join(path)) {
        Ok(entry) if entry.kind() == Some(ObjectType::Blob) && entry.filemode() & 0o170_000 == 0o100_000 => Ok(Place::File(entry.id())),
        Ok(_) => Ok(Place::Taken),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(Place::Free),
        Err(error) => Err(failed(error)),
    }
}

/// The bytes of a blob; `None` when it is larger than what is read of any file.
pub(super) fn bytes(repository: &Repository, id: Oid) -> Result<Option<Vec<u8>>, RepositoryError> {
    let unreadable = |error: Unreadable| error.during(&format!("read `{id}`"), repository.dir());
    let mut objects = Objects::of(repository);
    Ok(objects.file(id, MAX_FILE_BYTES).map_err(unreadable)?.map(<[u8]>::to_vec))
}

impl Signers {
    /// The terms of a commit. A configuration that is broken says nothing: then the last one that was not, on the line of
    /// first parents, still holds; without one, the default.
    pub(in crate::history) fn terms(&self, repository: &Repository, commit: &git2::Commit<'_>) -> Result<Arc<Terms>, RepositoryError> {
        let mut at = commit.clone();
        let mut broken = Vec::new();
        let terms = loop {
            if let Some(known) = held(&self.inherited).get(&at.id()) {
                break Arc::clone(known);
            }
            if let Some(terms) = self.own_terms(repository, &at)? {
                break terms;
            }
            broken.push(at.id());
            match at.parent(0) {
                Ok(parent) => at = parent,
                Err(_) => break Arc::new(Terms::new(&Config::default())),
            }
        };
        let mut inherited = held(&self.inherited);
        broken.into_iter().for_each(|id| drop(inherited.insert(id, Arc::clone(&terms))));
        Ok(terms)
    }

    /// What the configuration of a commit says; `None` when it is broken.
    pub(in crate::history) fn own_terms(
        &self,
        repository: &Repository,
        commit: &git2::Commit<'_>,
    ) -> Result<Option<Arc<Terms>>, RepositoryError> {
        let id = match place(repository, commit, config::FILE_NAME)? {
            Place::File(id) => id,
            Place::Free => return Ok(Some(Arc::new(Terms::new(&Config::default())))),
            Place::Taken => return Ok(None),
        };
        if let Some(known) = held(&self.configs).get(&id) {
            return Ok(known.clone());
        }
        let text = bytes(repository, id)?.and_then(|bytes| String::from_utf8(bytes).ok());
        let terms = text.and_then(|text| Config::parse(&text).ok()).map(|config| Arc::new(Terms::new(&config)));
        held(&self.configs).insert(id, terms.clone());
        Ok(terms)
    }
}
