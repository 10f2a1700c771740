//! The audit trail, for people and programs: one file per format, one shape of function.
//!
//! `words` has the phrases that the formats for people share, `claims` what the trailers of a message claim, and `effect` what
//! the changes of a commit give and take.

pub mod claims;
pub mod csv;
pub mod effect;
pub mod json;
pub mod markdown;
pub mod neosc;
pub mod ocsf;
pub mod odsl;
pub mod table;
pub mod words;

use std::io;
use std::io::Write;

use jiff::Timestamp;
use uuid::Uuid;

use self::effect::Effects;
use super::Look;
use crate::history::Beside;
use crate::history::Event;
use crate::history::Lines;
use crate::history::People;
use crate::history::Trail;

/// Events of a trail, ready to be written in any format.
#[derive(Clone)]
pub struct AuditReport<'a> {
    /// The whole trail.
    pub trail: &'a Trail,
    /// The events that are wanted, oldest first.
    pub events: Vec<&'a Event>,
    /// What was asked for.
    pub scope: Scope,
    /// Who people are.
    pub people: &'a People,
    /// What landed beside the policies in the period, oldest first; only where everything of the period was asked for.
    pub beside: &'a [Beside],
    /// What the shown commits gave and took, if that was asked for.
    pub effects: Option<&'a Effects>,
    /// How the text for people may look.
    pub look: Look,
}

/// What was asked for, as far as a reader has to know it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The law book: the name of its folder.
    pub name: String,
    /// The revision at which the trail ends, as it was named; of `HEAD` the branch that is checked out, if one is.
    pub reference: String,
    /// Which commits are told.
    pub lines: Lines,
    /// The beginning of the period, if it has one.
    pub since: Option<Timestamp>,
    /// The end of the period, if it has one.
    pub until: Option<Timestamp>,
    /// What else was asked for: what it is about, and a value. Any one value of the same name is enough.
    pub only: Vec<(&'static str, String)>,
    /// Of so many events only the newest are shown.
    pub newest_of: Option<usize>,
}

impl<'a> AuditReport<'a> {
    /// All events of a trail.
    pub fn whole(trail: &'a Trail, people: &'a People) -> Self {
        let events = trail.events().iter().collect();
        Self { trail, events, scope: Scope::default(), people, beside: &[], effects: None, look: Look::PLAIN }
    }
}

/// A format of an audit trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditFormat {
    /// Columns, newest first.
    Table,
    /// Version 1 of the format for programs, as one object, oldest first.
    Json,
    /// The events of that format, one on each line, oldest first.
    Jsonl,
    /// For a spreadsheet, one event in each row, oldest first.
    Csv,
    /// Evidence of the changes of a period, oldest first.
    Markdown,
    /// The audit log of the NeoSC interface, newest first.
    Neosc,
    /// The records of the OpenDataDSL audit service, newest first.
    Odsl,
    /// Events of the Open Cybersecurity Schema Framework, one on each line, oldest first.
    Ocsf,
}

impl AuditFormat {
    /// Every format.
    pub const ALL: [Self; 8] = [Self::Table, Self::Json, Self::Jsonl, Self::Csv, Self::Markdown, Self::Neosc, Self::Odsl, Self::Ocsf];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Markdown => "markdown",
            Self::Neosc => "neosc",
            Self::Odsl => "odsl",
            Self::Ocsf => "ocsf",
        }
    }

    /// The format with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// Whether it says what a change gave and took.
    pub fn tells_effects(self) -> bool {
        !matches!(self, Self::Neosc | Self::Odsl)
    }

    /// Whether it says what landed beside the policies.
    pub fn tells_beside(self) -> bool {
        matches!(self, Self::Table | Self::Markdown)
    }

    /// Writes a trail in this format.
    ///
    /// # Errors
    /// The writer refused the bytes.
    pub fn write(self, report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Table => table::write(report, out),
            Self::Json => json::write(report, out),
            Self::Jsonl => json::write_lines(report, out),
            Self::Csv => csv::write(report, out),
            Self::Markdown => markdown::write(report, out),
            Self::Neosc => neosc::write(report, out),
            Self::Odsl => odsl::write(report, out),
            Self::Ocsf => ocsf::write(report, out),
        }
    }
}

/// A time as the documented interfaces write it: UTC, three digits of a second, `Z`. Parts of a millisecond are cut off.
pub fn wire_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// The name of an event: a UUID of version 5 over its commit, its action and its policy, the same wherever it is derived. A commit
/// has no two events with the same action and policy.
fn event_id(commit: &str, action: &str, policy: &str) -> Uuid {
    identifier(&format!("urn:lawbook:event:{commit}:{action}:{policy}"))
}

/// The name-based identifier (version 5) of a URI.
fn identifier(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
}
