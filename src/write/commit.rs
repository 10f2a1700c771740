//! The objects of a commit: blobs, trees, and the commit itself. Nothing refers to them yet.

use git2::FileMode;
use git2::ObjectType;
use git2::Oid;
use git2::build::TreeUpdateBuilder;

use super::FileChange;
use super::WriteError;
use crate::bundle::SigningKey;
use crate::history::CommitTime;
use crate::history::Landing;
use crate::history::Person;
use crate::history::Repository;
use crate::history::armoured;
use crate::history::to_be_signed;

/// Whose change it is, and what is said about it in the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorship {
    /// Who asked for the change.
    pub author: Person,
    /// Who makes the commit: the server.
    pub committer: Person,
    /// When.
    pub at: CommitTime,
    /// The id of the request.
    pub request_id: Option<String>,
    /// The address that the request came from.
    pub client_ip: Option<String>,
    /// Why, in the words of the author.
    pub reason: Option<String>,
}

/// A file of the repository before and after, as objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BlobChange {
    /// Relative to the root of the repository.
    pub(super) path: String,
    pub(super) old: Option<Oid>,
    pub(super) new: Option<Oid>,
    pub(super) mode: u32,
}

/// A commit that exists, with what it changes.
pub(super) struct Made {
    pub(super) id: Oid,
    pub(super) blobs: Vec<BlobChange>,
}

/// Makes the commit on top of `parent`, signed where there is a key.
pub(super) fn make(
    repository: &Repository,
    parent: &git2::Commit<'_>,
    subject: &str,
    files: &[FileChange],
    authorship: &Authorship,
    key: Option<&SigningKey>,
) -> Result<Made, WriteError> {
    let failed = |error: git2::Error| repository.error("write a commit", &error);
    let git = repository.git();
    let base = parent.tree().map_err(failed)?;
    let mut update = TreeUpdateBuilder::new();
    let mut blobs = Vec::with_capacity(files.len());
    for file in files {
        let blob = blob(repository, &base, file)?;
        match blob.new {
            Some(id) => {
                update.upsert(blob.path.as_str(), id, if blob.mode == EXECUTABLE { FileMode::BlobExecutable } else { FileMode::Blob })
            }
            None => update.remove(blob.path.as_str()),
        };
        blobs.push(blob);
    }
    let tree = update.create_updated(git, &base).and_then(|id| git.find_tree(id)).map_err(failed)?;
    let time = git2::Time::new(authorship.at.at.as_second(), authorship.at.offset_minutes);
    let author = signature(&authorship.author, &time).map_err(failed)?;
    let committer = signature(&authorship.committer, &time).map_err(failed)?;
    let message = message(subject, authorship);
    let id = match key {
        None => git.commit(None, &author, &committer, &message, &tree, &[parent]).map_err(failed)?,
        Some(key) => {
            let buffer = git.commit_create_buffer(&author, &committer, &message, &tree, &[parent]).map_err(failed)?;
            let signature = armoured(key.public().as_bytes(), &key.sign(&to_be_signed(&buffer))?);
            let text = std::str::from_utf8(&buffer).map_err(|error| failed(git2::Error::from_str(&error.to_string())))?;
            git.commit_signed(text, signature.trim_end(), None).map_err(failed)?
        }
    };
    Ok(Made { id, blobs })
}

const EXECUTABLE: u32 = 0o100_755;
const PLAIN: u32 = 0o100_644;

/// Compares a change with what the parent holds at its path, and stores the new content.
fn blob(repository: &Repository, base: &git2::Tree<'_>, file: &FileChange) -> Result<BlobChange, WriteError> {
    let failed = |error: git2::Error| repository.error(&format!("read `{}`", file.path), &error);
    let path = if repository.prefix().is_empty() { file.path.clone() } else { format!("{}/{}", repository.prefix(), file.path) };
    let conflict = |why: &str| WriteError::Conflict {
        path: path.clone(),
        why: why.to_owned(),
        help: "read the law book again and repeat the change".to_owned(),
    };
    let (old, mode) = match (entry(base, &path).map_err(failed)?, &file.old) {
        (Place::Free, None) => (None, PLAIN),
        (Place::Free, Some(_)) => return Err(conflict("is not in the repository any more")),
        (Place::Taken, _) => return Err(conflict("leads through something that is not a folder")),
        (Place::Entry(..), None) => return Err(conflict("exists already")),
        (Place::Entry(id, mode), Some(old)) => {
            let is_file = mode == PLAIN || mode == EXECUTABLE || mode == 0o100_664;
            let same = is_file && git2::Oid::hash_object(ObjectType::Blob, old.as_bytes()).map_err(failed)? == id;
            if !same {
                return Err(conflict("has changed"));
            }
            (Some(id), if mode == EXECUTABLE { EXECUTABLE } else { PLAIN })
        }
    };
    let new = file.new.as_ref().map(|text| repository.git().blob(text.as_bytes()).map_err(failed)).transpose()?;
    Ok(BlobChange { path, old, new, mode })
}

/// What a tree has at a path.
enum Place {
    Free,
    Taken,
    Entry(Oid, u32),
}

fn entry(base: &git2::Tree<'_>, path: &str) -> Result<Place, git2::Error> {
    let mut at = 0;
    while let Some(slash) = path.get(at..).and_then(|rest| rest.find('/')) {
        match base.get_path(std::path::Path::new(path.get(..at + slash).unwrap_or(path))) {
            Ok(folder) if folder.kind() == Some(ObjectType::Tree) => at += slash + 1,
            Ok(_) => return Ok(Place::Taken),
            Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(Place::Free),
            Err(error) => return Err(error),
        }
    }
    match base.get_path(std::path::Path::new(path)) {
        Ok(found) => Ok(Place::Entry(found.id(), u32::try_from(found.filemode_raw()).unwrap_or(0))),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(Place::Free),
        Err(error) => Err(error),
    }
}

/// What a request says goes into trailers of one line each, which no value can break out of.
fn message(subject: &str, authorship: &Authorship) -> String {
    let trailers =
        [(Landing::REASON, &authorship.reason), (Landing::REQUEST_ID, &authorship.request_id), (Landing::CLIENT_IP, &authorship.client_ip)];
    let lines = trailers.into_iter().filter_map(|(name, value)| {
        let value = one_line(value.as_deref()?, 1000);
        (!value.is_empty()).then(|| format!("{name}: {value}\n"))
    });
    let lines: String = lines.collect();
    let subject = one_line(subject, 200);
    if lines.is_empty() { format!("{subject}\n") } else { format!("{subject}\n\n{lines}") }
}

fn one_line(text: &str, most: usize) -> String {
    let spaced: String =
        text.chars().map(|char| if char.is_control() || matches!(char, '\u{2028}' | '\u{2029}') { ' ' } else { char }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(most).collect::<String>().trim_end().to_owned()
}

/// A person in the form that git can store; one without a name is called by the address.
fn signature(person: &Person, time: &git2::Time) -> Result<git2::Signature<'static>, git2::Error> {
    let clean = |text: &str| one_line(&text.replace(['<', '>'], ""), 200);
    let (name, email) = (clean(&person.name), clean(&person.email));
    let email = if email.is_empty() { "unknown".to_owned() } else { email };
    git2::Signature::new(if name.is_empty() { &email } else { &name }, &email, time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(subject: &str, reason: Option<&str>, request_id: Option<&str>, expected: &str) {
        let nobody = Person { name: String::new(), email: String::new() };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let authorship = Authorship {
            author: nobody.clone(),
            committer: nobody,
            at: CommitTime::new(0, 0),
            request_id: owned(request_id),
            client_ip: None,
            reason: owned(reason),
        };
        assert_eq!(message(subject, &authorship), expected);
    }

    #[test]
    fn no_value_breaks_out_of_its_line() {
        check("Disable a", None, None, "Disable a\n");
        check("Disable a\n\nSigned-off-by: x", None, None, "Disable a Signed-off-by: x\n");
        check(
            "s",
            Some("because\r\nReviewed-by: x\u{2028}y"),
            Some("r"),
            "s\n\nLawbook-Reason: because Reviewed-by: x y\nLawbook-Request-Id: r\n",
        );
        check("s", Some(" \n "), Some(""), "s\n");
    }

    #[test]
    fn any_person_can_be_stored() {
        let shown = |name: &str, email: &str| {
            let person = Person { name: name.to_owned(), email: email.to_owned() };
            signature(&person, &git2::Time::new(0, 0)).expect("a signature").to_string()
        };
        assert_eq!(shown("Ada", "ada@example.com"), "Ada <ada@example.com>");
        assert_eq!(shown("", "ada@example.com"), "ada@example.com <ada@example.com>");
        assert_eq!(shown("A\n<x> ", ""), "A x <unknown>");
    }
}
