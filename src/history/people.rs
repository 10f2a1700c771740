//! Who people are, by the `.mailmap` of a revision.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

use super::Person;
use super::Repository;
use super::RepositoryError;
use super::landing::person;

/// The names and addresses that people are known by.
pub struct People {
    mailmap: Option<git2::Mailmap>,
    known: RefCell<HashMap<Person, Person>>,
}

impl People {
    /// The `.mailmap` at the root of the repository, in a revision. Without one everybody is who the commit says.
    ///
    /// # Errors
    /// There is no such revision, or it cannot be read.
    pub fn at(repository: &Repository, revision: &str) -> Result<Self, RepositoryError> {
        let failed = |error: git2::Error| repository.error("read `.mailmap`", &error);
        let tree = repository.commit(revision)?.tree().map_err(failed)?;
        let entry = tree.get_name(".mailmap").filter(|entry| entry.kind() == Some(git2::ObjectType::Blob));
        let mailmap = match entry {
            Some(entry) => {
                let blob = repository.git().find_blob(entry.id()).map_err(failed)?;
                let text = String::from_utf8_lossy(blob.content()).replace('\0', "");
                Some(git2::Mailmap::from_buffer(&text).map_err(failed)?)
            }
            None => None,
        };
        Ok(Self { mailmap, known: RefCell::default() })
    }

    /// Everybody is who the commit says.
    pub fn as_written() -> Self {
        Self { mailmap: None, known: RefCell::default() }
    }

    /// The name and address that a person is known by.
    pub fn known<'a>(&self, written: &'a Person) -> Cow<'a, Person> {
        let Some(mailmap) = &self.mailmap else { return Cow::Borrowed(written) };
        if let Some(known) = self.known.borrow().get(written) {
            return Cow::Owned(known.clone());
        }
        let resolved = git2::Signature::new(&written.name, &written.email, &git2::Time::new(0, 0))
            .and_then(|signature| mailmap.resolve_signature(&signature));
        let known = resolved.map_or_else(|_| written.clone(), |signature| person(&signature));
        self.known.borrow_mut().insert(written.clone(), known.clone());
        Cow::Owned(known)
    }
}
