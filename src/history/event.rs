//! One change of one policy, and the commit that made it.

use std::fmt;
use std::sync::Arc;

use super::CommitTime;
use super::FieldChange;
use super::Person;
use super::change::changes;
use super::state::Delta;
use crate::policy::Policy;
use crate::policy::PolicyId;
use crate::policy::to_value;
use crate::schema::Kind;

/// What happened to a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// It is new.
    Create,
    /// Its meaning changed.
    Update,
    /// It is gone.
    Delete,
    /// It was put in force, and nothing else changed in it.
    Enable,
    /// It was put out of force, and nothing else changed in it.
    Disable,
    /// It is in another file, and nothing changed in it.
    Move,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 6] = [Self::Create, Self::Update, Self::Delete, Self::Enable, Self::Disable, Self::Move];

    /// The word for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Move => "move",
        }
    }

    /// The action of this name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A commit that changed the law book, as it landed on the line of first parents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    /// The id, in hexadecimal.
    pub commit: String,
    /// Its parents; the first one is the commit that it is compared with, and there are several for a merge.
    pub parents: Vec<String>,
    /// Who wrote the change.
    pub author: Person,
    /// When it was written.
    pub authored: CommitTime,
    /// Who made the commit.
    pub committer: Person,
    /// When it was made.
    pub committed: CommitTime,
    /// The first line of the message.
    pub subject: String,
    /// The trailers of the message, in order: claims of whoever wrote it.
    pub trailers: Vec<(String, String)>,
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

    pub(super) fn new(commit: &git2::Commit<'_>) -> Self {
        let message = String::from_utf8_lossy(commit.message_bytes());
        let (author, committer) = (commit.author(), commit.committer());
        let time = |time: git2::Time| CommitTime::new(time.seconds(), time.offset_minutes());
        Self {
            commit: commit.id().to_string(),
            parents: commit.parent_ids().map(|id| id.to_string()).collect(),
            author: person(&author),
            authored: time(author.when()),
            committer: person(&committer),
            committed: time(committer.when()),
            subject: message.trim_start().lines().next().unwrap_or("").trim_end().to_owned(),
            trailers: trailers(&message),
        }
    }
}

fn person(signature: &git2::Signature<'_>) -> Person {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Person { name: text(signature.name_bytes()), email: text(signature.email_bytes()) }
}

/// The trailers of a message, in order; none of one that has no proper block of them.
pub(super) fn trailers(message: &str) -> Vec<(String, String)> {
    let Ok(found) = git2::message_trailers_strs(message) else { return Vec::new() };
    found.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// One change of one policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The position in the trail, from 1 at the oldest.
    pub seq: u64,
    /// The commit.
    pub landing: Arc<Landing>,
    /// The policy.
    pub policy: PolicyId,
    /// Its kind; of a policy that changed it, the new one.
    pub kind: Kind,
    /// Its file after the commit, or the one it was deleted from, relative to the root of the law book.
    pub path: Arc<str>,
    /// Its file before the commit, when that was another one.
    pub from: Option<Arc<str>>,
    /// What happened.
    pub action: Action,
    /// The fields that differ.
    pub changes: Vec<FieldChange>,
    /// The policy before; `None` when it is new.
    pub before: Option<Arc<Policy>>,
    /// The policy after; `None` when it is gone.
    pub after: Option<Arc<Policy>>,
}

impl Event {
    /// The event that a difference is; `None` when nothing that counts differs.
    pub(super) fn new(seq: u64, landing: &Arc<Landing>, delta: Delta) -> Option<Self> {
        let Delta { id, before, after } = delta;
        let place = after.as_ref().or(before.as_ref())?;
        let (path, kind) = (Arc::clone(&place.path), place.policy.kind());
        let from = before.as_ref().map(|held| &held.path).filter(|&old| *old != path).cloned();
        let (before, after) = (before.map(|held| held.policy), after.map(|held| held.policy));
        let action = match (&before, &after) {
            (None, None) => return None,
            (None, Some(_)) => Action::Create,
            (Some(_), None) => Action::Delete,
            (Some(before), Some(after)) if before == after => Action::Move,
            (Some(before), Some(after)) => changed(before, after),
        };
        let changes = changes(before.as_deref(), after.as_deref());
        Some(Self { seq, landing: Arc::clone(landing), policy: id, kind, path, from, action, changes, before, after })
    }
}

fn changed(before: &Policy, after: &Policy) -> Action {
    let switched = |policy: &Policy| {
        let mut value = to_value(policy);
        value.as_object_mut().map(|fields| fields.remove("enabled"));
        value
    };
    match (before.enabled(), after.enabled()) {
        (false, true) if switched(before) == switched(after) => Action::Enable,
        (true, false) if switched(before) == switched(after) => Action::Disable,
        _ => Action::Update,
    }
}
