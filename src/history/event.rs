//! One change of one policy.

use std::fmt;
use std::sync::Arc;

use super::FieldChange;
use super::Landing;
use super::Person;
use super::Sha256Hash;
use super::Version;
use super::change::changes;
use crate::policy::PolicyId;
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
    /// It is written differently, and means the same.
    Reformat,
    /// It has another id, and nothing else changed in it.
    Rename,
    /// It means what it meant once before.
    Restore,
    /// It cannot be read any more, and is told with its last meaning until it can be, or is gone.
    Break,
    /// It can be read again.
    Repair,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 11] = [
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Enable,
        Self::Disable,
        Self::Move,
        Self::Reformat,
        Self::Rename,
        Self::Restore,
        Self::Break,
        Self::Repair,
    ];

    /// The word for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Move => "move",
            Self::Reformat => "reformat",
            Self::Rename => "rename",
            Self::Restore => "restore",
            Self::Break => "break",
            Self::Repair => "repair",
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

/// How a merge came to what it holds, for one policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MergeKind {
    /// It holds what one of the merged lines holds.
    Taken,
    /// Both sides changed the file, and it holds what git makes of both by itself.
    Combined,
    /// Both sides changed the same place, and somebody decided by hand.
    Resolved,
    /// An evil merge: it holds what neither side holds and what git does not make of them.
    Evil,
    /// It holds what none of the merged lines holds, and too much is missing here to tell why.
    Unknown,
}

impl MergeKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Taken, Self::Combined, Self::Resolved, Self::Evil, Self::Unknown];

    /// The word for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Combined => "combined",
            Self::Resolved => "resolved",
            Self::Evil => "evil",
            Self::Unknown => "unknown",
        }
    }
}

/// What is known of an event that a merge brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// How the merge came to what it holds.
    pub kind: MergeKind,
    /// Who wrote the merged commits that touch the file, co-authors included, each once, in the order in which they began.
    pub contributors: Vec<Person>,
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
    /// Its id before a rename.
    pub renamed: Option<PolicyId>,
    /// Of a policy that is restored, the last commit in which it came to mean this, in hexadecimal.
    pub restores: Option<Arc<str>>,
    /// The names of the fields that differ, in byte order.
    pub fields: Arc<[Box<str>]>,
    /// The policy before; `None` when it is new.
    pub before: Option<Arc<Version>>,
    /// The policy after; `None` when it is gone. Of one that cannot be read, its last meaning.
    pub after: Option<Arc<Version>>,
    /// How it was merged; `None` when the commit is no merge.
    pub merge: Option<Merge>,
    /// The hash of all policies after the commit; see `chain`.
    pub state: Sha256Hash,
    /// The hash of the event before this one.
    pub prev: Sha256Hash,
}

impl Event {
    /// What differs, in byte order of the paths.
    pub fn changes(&self) -> Vec<FieldChange> {
        changes(self.before.as_deref(), self.after.as_deref())
    }

    /// Everybody who had a part in it, as written: the author, co-authors, and whose work a merge brought.
    pub fn people(&self) -> Vec<Person> {
        let contributors = self.merge.iter().flat_map(|merge| merge.contributors.iter().cloned());
        std::iter::once(Person::clone(&self.landing.author)).chain(self.landing.co_authors()).chain(contributors).collect()
    }
}
