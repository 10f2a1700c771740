//! What a change of a law book gives and takes, for people and programs: one file per format, one shape of function.
//!
//! The analysis finds changes for each grant and each denial. Here they become what a reviewer can read: `access` joins those
//! that one sentence can say, `policies` tells what happened to each policy and where, and `phrase` has the words that the
//! formats share.

pub mod access;
pub mod human;
pub mod json;
pub mod markdown;
pub mod phrase;
pub mod policies;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::io::Write;

use self::access::Access;
use self::policies::FileChanges;
use self::policies::PolicyChange;
use super::Look;
use crate::analysis::Class;
use crate::analysis::Difference;
use crate::finding::nearest;
use crate::lint::Book;
use crate::policy::PolicyId;

/// One side of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Compared<'a> {
    /// What it is.
    pub what: Side<'a>,
    /// Everything that was read of it.
    pub book: &'a Book,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side<'a> {
    /// The files on disk.
    Worktree,
    /// What the next commit would hold.
    Index,
    /// A commit.
    Revision {
        /// What it was called.
        name: &'a str,
        /// Its id, in hexadecimal.
        commit: &'a str,
    },
}

/// Leave for one gain, by its fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The fingerprint.
    pub fingerprint: String,
    /// The commit whose message gives it; `None` when it was given on the command line.
    pub commit: Option<String>,
    /// Whether it is the fingerprint of a gain.
    pub matches: bool,
}

/// Whether a change may land where every gain of access must have been accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gate {
    /// Gains that are described and not waived.
    pub unwaived: usize,
    /// Of these, the ones that are described only in part, which cannot be waived.
    pub incomplete: usize,
    /// Gains that are not even described.
    pub undescribed: usize,
    /// Policies of which it is not known what their change means.
    pub undecided: usize,
}

/// A difference between two law books, ready to be written in any format.
#[derive(Debug, Clone)]
pub struct DiffReport<'a> {
    /// The side before.
    pub before: Side<'a>,
    /// The side after.
    pub after: Side<'a>,
    /// How many callers there are, where the directory of the side after says so; otherwise every caller counts that there could be.
    pub callers: Option<usize>,
    /// What the whole amounts to; `None` if it is not known.
    pub class: Option<Class>,
    /// Whether nobody can change policies any more, where somebody could before; `None` if it is not known.
    pub lockout: Option<bool>,
    /// What is allowed after and not before.
    pub gained: Vec<Access>,
    /// What is allowed before and not after.
    pub lost: Vec<Access>,
    /// How many more gains the analysis found than it describes.
    pub more_gained: usize,
    /// How many more losses the analysis found than it describes.
    pub more_lost: usize,
    /// Policies of which it is not known what their change means.
    pub undecided: Vec<PolicyId>,
    /// What happened to each policy, in the order of the files.
    pub policies: Vec<PolicyChange>,
    /// What happened to the files.
    pub files: FileChanges,
    /// The waivers, with those that match nothing.
    pub waivers: Vec<Waiver>,
    /// Whether there is a gate, and what it says.
    pub gate: Option<Gate>,
    /// How the text for people may look.
    pub look: Look,
}

impl Gate {
    /// Whether the change may land.
    pub fn passes(self) -> bool {
        self == Self::default()
    }
}

impl<'a> DiffReport<'a> {
    /// Makes a report of what the analysis of two law books found. `waivers` gives leave for gains.
    pub fn new(
        difference: &Difference,
        before: Compared<'a>,
        after: Compared<'a>,
        waivers: &[(String, Option<String>)],
        look: Look,
    ) -> Self {
        let policies = policies::changes(difference, before.book, after.book);
        let places: BTreeMap<&PolicyId, usize> = policies.iter().enumerate().map(|(at, policy)| (&policy.id, at)).collect();
        let waived: BTreeSet<&str> = waivers.iter().map(|(fingerprint, _)| fingerprint.as_str()).collect();
        let gained = access::gained(&difference.gained, &places, &waived);
        let lost = access::lost(&difference.lost, &places);
        let known: BTreeSet<&str> = gained.iter().map(|access| access.fingerprint.as_str()).collect();
        let waivers = waivers.iter().map(|(fingerprint, commit)| Waiver {
            matches: known.contains(fingerprint.as_str()),
            fingerprint: fingerprint.clone(),
            commit: commit.clone(),
        });
        Self {
            before: before.what,
            after: after.what,
            callers: after.book.callers().map(|callers| callers.len()),
            class: difference.class(),
            waivers: waivers.collect(),
            gained,
            lost,
            more_gained: difference.more_gained,
            more_lost: difference.more_lost,
            undecided: difference.undecided.clone(),
            files: policies::files(before.book, after.book, &policies),
            policies,
            gate: None,
            lockout: Some(false),
            look,
        }
    }

    /// The same with the gate that refuses every gain that is not waived, and what is undecided.
    #[must_use]
    pub fn gated(mut self) -> Self {
        let unwaived = self.gained.iter().filter(|access| !access.waived).count();
        let incomplete = self.gained.iter().filter(|access| access.partial).count();
        self.gate = Some(Gate { unwaived, incomplete, undescribed: self.more_gained, undecided: self.undecided.len() });
        self
    }

    /// The same for a change after which nobody can change policies any more, or for one of which that is not known.
    #[must_use]
    pub fn locked_out(mut self, lockout: Option<bool>) -> Self {
        self.lockout = lockout;
        self
    }

    /// What happened to a policy, if anything did.
    pub fn policy(&self, id: &PolicyId) -> Option<&PolicyChange> {
        self.policies.iter().find(|policy| policy.id == *id)
    }

    /// The fingerprint of a gain that a waiver which matches nothing may have meant.
    pub fn meant(&self, waiver: &Waiver) -> Option<&str> {
        nearest(&waiver.fingerprint, self.gained.iter().map(|access| access.fingerprint.as_str()))
    }
}

/// A format of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffFormat {
    /// Sentences, for a terminal.
    Human,
    /// Version 1 of the format for programs.
    Json,
    /// A comment on a pull request.
    Markdown,
}

impl DiffFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Human, Self::Json, Self::Markdown];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Markdown => "markdown",
        }
    }

    /// The format with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// Writes a difference in this format.
    ///
    /// # Errors
    /// The writer refused the bytes.
    pub fn write(self, report: &DiffReport<'_>, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Human => human::write(report, out),
            Self::Json => json::write(report, out),
            Self::Markdown => markdown::write(report, out),
        }
    }
}
