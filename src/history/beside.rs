//! What landed beside the policies: changes of `lawbook.toml`, of the file of allowed signers and of the directory.
//!
//! None of them is an event, because an event is about one policy. But they say which files are policies, what the words of a
//! condition mean, whether commits must be signed, and by whom: whoever relies on a trail has to know that they changed.

use std::sync::Arc;

use super::HistoryError;
use super::Landing;
use super::Repository;
use super::Signers;
use super::Trail;

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
        let told = |(commit, files): &(git2::Oid, Vec<Arc<str>>)| {
            let files = files.iter().map(|file| file.to_string()).collect();
            Ok(Beside { landing: self.landed(repository, &signers, &commit.to_string())?, files })
        };
        self.beside.iter().map(told).collect()
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
