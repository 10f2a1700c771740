//! A commit that changed the law book: who made it, when, and what is said and known about that.

use std::sync::Arc;

use super::CommitTime;
use super::Person;
use super::signature::Signature;

/// A commit that changed the law book, as it landed on the line of first parents; with all parents, also one that was merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    /// The id, in hexadecimal.
    pub commit: String,
    /// Its parents; the first one is the commit that it is compared with, and there are several for a merge.
    pub parents: Vec<String>,
    /// Who wrote the change.
    pub author: Arc<Person>,
    /// When it was written.
    pub authored: CommitTime,
    /// Who made the commit.
    pub committer: Arc<Person>,
    /// When it was made.
    pub committed: CommitTime,
    /// The first line of the message.
    pub subject: String,
    /// The trailers of the message, in order: claims of whoever wrote it.
    pub trailers: Vec<(String, String)>,
    /// Whether it lies on the line of first parents.
    pub landed: bool,
    /// Whether it was signed, and by whom.
    pub signature: Signature,
}

impl Landing {
    /// The trailer of a commit that was made for a request: its id.
    pub const REQUEST_ID: &'static str = "Lawbook-Request-Id";
    /// The trailer of a commit that was made for a request: the address it came from.
    pub const CLIENT_IP: &'static str = "Lawbook-Client-Ip";
    /// The trailer of a commit that was made for a request: why.
    pub const REASON: &'static str = "Lawbook-Reason";

    /// The value of the first trailer of this name, ignoring case.
    pub fn trailer(&self, name: &str) -> Option<&str> {
        self.trailers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The authors that the message names beside its own, in order: claims of whoever wrote it.
    pub fn co_authors(&self) -> Vec<Person> {
        let named = self.trailers.iter().filter(|(key, _)| key.eq_ignore_ascii_case("Co-authored-by"));
        named.map(|(_, value)| Person::parse(value)).collect()
    }

    pub(super) fn new(commit: &git2::Commit<'_>, landed: bool, signature: Signature) -> Self {
        let message = String::from_utf8_lossy(commit.message_bytes());
        let (author, committer) = (commit.author(), commit.committer());
        let time = |time: git2::Time| CommitTime::new(time.seconds(), time.offset_minutes());
        Self {
            commit: commit.id().to_string(),
            parents: commit.parent_ids().map(|id| id.to_string()).collect(),
            author: Arc::new(person(&author)),
            authored: time(author.when()),
            committer: Arc::new(person(&committer)),
            committed: time(committer.when()),
            subject: message.trim_start().lines().next().unwrap_or("").trim_end().to_owned(),
            trailers: trailers(&message),
            landed,
            signature,
        }
    }
}

pub(super) fn person(signature: &git2::Signature<'_>) -> Person {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Person { name: text(signature.name_bytes()), email: text(signature.email_bytes()) }
}

/// The trailers of a message, in order; none of one that has no proper block of them.
pub(super) fn trailers(message: &str) -> Vec<(String, String)> {
    let Ok(found) = git2::message_trailers_strs(message) else { return Vec::new() };
    found.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
