//! What lies between two commits: where they parted, and what the messages of one line say that the other does not have.

use git2::ErrorCode;
use git2::Sort;

use super::Repository;
use super::RepositoryError;
use super::Revision;
use super::landing::trailers;

/// A line at the end of a commit's message, `Key: value`: a claim of whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trailer {
    /// The id of the commit, in hexadecimal.
    pub commit: String,
    /// The value.
    pub value: String,
}

impl Repository {
    /// The last commit that two revisions have in common; the best one where there are several.
    ///
    /// # Errors
    /// There is no such revision, or their histories have nothing in common; in a clone without its whole history,
    /// nothing that is there.
    pub fn merge_base(&self, one: &str, two: &str) -> Result<Revision, RepositoryError> {
        let ids = (self.commit(one)?.id(), self.commit(two)?.id());
        match self.git().merge_base(ids.0, ids.1) {
            Ok(base) => self.revision(&base.to_string()),
            Err(error) if error.code() == ErrorCode::NotFound => match self.incomplete() {
                Some(why) => Err(RepositoryError::Partial { dir: self.dir().to_owned(), why }),
                None => Err(RepositoryError::Unrelated { one: one.to_owned(), two: two.to_owned(), dir: self.dir().to_owned() }),
            },
            Err(error) => Err(self.error("find the merge base", &error)),
        }
    }

    /// The trailers of one name, ignoring case, of all commits that `to` has and `from` has not, newest first.
    ///
    /// # Errors
    /// There is no such revision, or the history cannot be read.
    pub fn trailers_between(&self, from: &str, to: &str, name: &str) -> Result<Vec<Trailer>, RepositoryError> {
        let (from, to) = (self.commit(from)?.id(), self.commit(to)?.id());
        let failed = |error: &git2::Error| self.error("walk the history", error);
        let mut walk = self.git().revwalk().map_err(|error| failed(&error))?;
        let started = walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME).and_then(|()| walk.push(to)).and_then(|()| walk.hide(from));
        started.map_err(|error| failed(&error))?;
        let mut found = Vec::new();
        for id in walk {
            let commit = id.and_then(|id| self.git().find_commit(id)).map_err(|error| failed(&error))?;
            let message = String::from_utf8_lossy(commit.message_bytes());
            let own = trailers(&message).into_iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            found.extend(own.map(|(_, value)| Trailer { commit: commit.id().to_string(), value }));
        }
        Ok(found)
    }
}
