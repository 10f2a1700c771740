//! What landed beside the policies: changes of `lawbook.toml`, of the file of allowed signers and of the directory.
//!
//! None of them is an event, because an event is about one policy. But they say which files are policies, what the words of a
//! condition mean, whether commits must be signed, and by whom: whoever relies on a trail has to know that they changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::HistoryError;
use super::Landing;
use super::Repository;
use super::Signers;
use super::Trail;
use super::signature::Terms;
use super::tree::Trees;
use super::walk::line;
use crate::config;

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
        let mut trees = Trees::new(repository)?;
        let mut found = Vec::new();
        let mut before = None;
        let mut terms: Option<Arc<Terms>> = None;
        for stop in line(repository, &self.tip(), None)?.stops {
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
                let files = files.into_iter().map(str::to_owned).collect();
                found.push(Beside { landing: self.landed(repository, &signers, &stop.commit.to_string())?, files });
            }
            terms = Some(now);
        }
        Ok(found)
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
