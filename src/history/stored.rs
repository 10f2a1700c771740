//! The form in which a trail is kept on disk: tables of what is shared, and rows that name it by its position.
//!
//! It is written and read by this version of the program only, so that it can change freely.

use serde::Deserialize;
use serde::Serialize;

/// A position in a table.
pub(super) type At = u32;

/// An id of git.
pub(super) type Id = [u8; 20];

/// A whole trail.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stored<'a> {
    pub(super) tip: Id,
    pub(super) head: [u8; 32],
    /// Ids of policies.
    #[serde(borrow)]
    pub(super) ids: Vec<&'a str>,
    pub(super) paths: Vec<&'a str>,
    /// Lists of names of fields.
    pub(super) fields: Vec<Vec<&'a str>>,
    /// Names and addresses.
    pub(super) people: Vec<(&'a str, &'a str)>,
    pub(super) versions: Vec<StoredVersion<'a>>,
    pub(super) landings: Vec<StoredLanding<'a>>,
    pub(super) events: Vec<StoredEvent>,
    pub(super) created: Vec<(At, StoredTime)>,
    /// Commits that changed files beside the policies.
    pub(super) beside: Vec<(Id, Vec<At>)>,
    pub(super) position: StoredPosition,
    /// The policies of each file of the tip.
    pub(super) files: Vec<(At, Vec<StoredKept>)>,
}

/// Seconds since 1970, and minutes east of UTC.
pub(super) type StoredTime = (i64, i32);

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredVersion<'a> {
    pub(super) id: At,
    pub(super) is_control: bool,
    pub(super) enabled: bool,
    pub(super) hash: [u8; 32],
    pub(super) text: &'a str,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredLanding<'a> {
    pub(super) commit: &'a str,
    pub(super) parents: Vec<&'a str>,
    pub(super) author: At,
    pub(super) authored: StoredTime,
    pub(super) committer: At,
    pub(super) committed: StoredTime,
    pub(super) subject: &'a str,
    pub(super) trailers: Vec<(&'a str, &'a str)>,
    /// `None` of a commit without one.
    pub(super) signature: Option<StoredSignature<'a>>,
    pub(super) state: [u8; 32],
}

/// The position of the status among all, principal, key, and why it is not good.
pub(super) type StoredSignature<'a> = (u8, Option<&'a str>, Option<&'a str>, Option<&'a str>);

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredEvent {
    pub(super) landing: At,
    pub(super) policy: At,
    pub(super) is_control: bool,
    pub(super) path: At,
    pub(super) from: Option<At>,
    /// The position among all actions.
    pub(super) action: u8,
    pub(super) renamed: Option<At>,
    /// A position among the landings.
    pub(super) restores: Option<At>,
    pub(super) fields: At,
    pub(super) before: Option<At>,
    pub(super) after: Option<At>,
    /// The position among all kinds of merges, and the contributors.
    pub(super) merge: Option<(u8, Vec<At>)>,
    pub(super) prev: [u8; 32],
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredPosition {
    pub(super) law_book: Option<Id>,
    pub(super) config: Option<StoredContent>,
    pub(super) followed: Option<Id>,
    pub(super) files: Vec<(At, StoredContent)>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StoredContent {
    Blob(Id),
    Refused,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredKept {
    pub(super) version: At,
    pub(super) text: [u8; 32],
    pub(super) broken: bool,
}
