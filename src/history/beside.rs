//! What landed beside the policies: changes of `lawbook.toml`, of the file of allowed signers and of the directory.
//!
//! None of them is an event, because an event is about one policy. But they say which files are policies, what the words of a
//! condition mean, whether commits must be signed, and by whom: whoever relies on a trail has to know that they changed.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use git2::Oid;
use serde::Deserialize;
use serde::Serialize;

use super::HistoryError;
use super::Landing;
use super::Repository;
use super::Sha256Hash;
use super::Signers;
use super::Trail;
use super::cache::build;
use super::signature::Terms;
use super::tree::Trees;
use super::walk::Line;
use super::walk::Stop;
use super::walk::line;
use crate::config;

/// Fewer commits are looked at as fast as they are looked up.
const WORTH: usize = 256;

/// A commit that landed and changed such files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// The commit.
    pub landing: Landing,
    /// The files, relative to the root of the law book, in byte order.
    pub files: Vec<String>,
}

impl Trail {
    /// What landed beside the policies, oldest first. The first commit of a history changes nothing: there was nothing before.
    ///
    /// # Errors
    /// The history cannot be read.
    pub fn beside(&self, repository: &Repository) -> Result<Vec<Beside>, HistoryError> {
        let signers = Signers::new(repository, &self.tip())?;
        let kept = Kept::read(repository).unwrap_or_default();
        let known = Oid::from_str(&kept.tip).ok().filter(|_| self.partial().is_none());
        let Line { stops, continues, .. } = line(repository, &self.tip(), known)?;
        let mut found = if continues { kept.found } else { Vec::new() };
        let from = known.filter(|_| continues).map(|known| repository.commit(&known.to_string())).transpose()?;
        found.extend(changed(repository, &signers, from.as_ref(), &stops)?);
        if stops.len() >= WORTH && self.partial().is_none() {
            let _: Option<()> = Kept { build: build(), tip: self.tip(), found: found.clone() }.store(repository);
        }
        let beside = |(commit, files): (String, Vec<String>)| Ok(Beside { landing: self.landed(repository, &signers, &commit)?, files });
        found.into_iter().map(beside).collect()
    }

    fn landed(&self, repository: &Repository, signers: &Signers, commit: &str) -> Result<Landing, HistoryError> {
        let judged = self.unaccounted().iter().find(|(id, _)| id == commit);
        let signature = match judged {
            Some((_, signature)) => signature.clone(),
            None => signers.signature(repository, commit)?,
        };
        Ok(Landing::new(&repository.commit(commit)?, true, signature))
    }
}

/// The commits that changed such files, after one that is known already.
fn changed(
    repository: &Repository,
    signers: &Signers,
    from: Option<&git2::Commit<'_>>,
    stops: &[Stop],
) -> Result<Vec<(String, Vec<String>)>, HistoryError> {
    let mut trees = Trees::new(repository)?;
    let mut found = Vec::new();
    let mut before = from.map(|from| trees.law_book(from.tree_id())).transpose()?.flatten();
    let mut terms: Option<Arc<Terms>> = from.map(|from| signers.terms(repository, from)).transpose()?;
    for stop in stops {
        trees.go_on();
        let law_book = trees.law_book(stop.tree)?;
        let was = std::mem::replace(&mut before, law_book);
        if law_book == was {
            continue;
        }
        let reconfigured = trees.entry(was, config::FILE_NAME)? != trees.entry(law_book, config::FILE_NAME)?;
        let now = match terms.take().filter(|_| !reconfigured) {
            Some(terms) => terms,
            None => signers.terms(repository, &repository.commit(&stop.commit.to_string())?)?,
        };
        let mut files = BTreeSet::new();
        if reconfigured {
            files.insert(config::FILE_NAME);
        }
        for path in std::iter::once(now.path.as_str()).chain(now.directory.as_deref()) {
            if trees.entry(was, path)? != trees.entry(law_book, path)? {
                files.insert(path);
            }
        }
        if stop.parent.is_some() && !files.is_empty() {
            found.push((stop.commit.to_string(), files.into_iter().map(str::to_owned).collect()));
        }
        terms = Some(now);
    }
    Ok(found)
}

/// What was found up to a commit, so that the next look begins there. It only saves time, as the kept trail does.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    build: String,
    tip: String,
    found: Vec<(String, Vec<String>)>,
}

impl Kept {
    fn read(repository: &Repository) -> Option<Self> {
        let text = fs::read(Self::path(repository)).ok()?;
        serde_json::from_slice::<Self>(&text).ok().filter(|kept| kept.build == build())
    }

    fn store(&self, repository: &Repository) -> Option<()> {
        let path = Self::path(repository);
        let folder = path.parent()?;
        fs::create_dir_all(folder).ok()?;
        let mut file = tempfile::NamedTempFile::new_in(folder).ok()?;
        file.write_all(&serde_json::to_vec(self).ok()?).ok()?;
        file.persist(path).ok()?;
        Some(())
    }

    /// One file for each law book.
    fn path(repository: &Repository) -> PathBuf {
        let name = Sha256Hash::of(repository.prefix().as_bytes()).to_string();
        repository.common_dir().join("lawbook").join("beside").join(name)
    }
}
