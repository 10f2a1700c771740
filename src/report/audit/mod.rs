//! The audit trail, for people and programs: one file per format, one shape of function.

pub mod json;
pub mod neosc;
pub mod table;

use std::io;
use std::io::Write;

use jiff::Timestamp;

use super::Look;
use crate::history::Event;

/// Events of a trail, ready to be written in any format.
#[derive(Debug, Clone)]
pub struct AuditReport<'a> {
    /// The events that are wanted, oldest first.
    pub events: Vec<&'a Event>,
    /// The commit that the trail ends at, in hexadecimal.
    pub tip: &'a str,
    /// Why the trail is not the whole history, if so.
    pub partial: Option<&'a str>,
    /// How the text for people may look.
    pub look: Look,
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
    /// The audit log of the NeoSC interface, newest first.
    Neosc,
}

impl AuditFormat {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Table, Self::Json, Self::Jsonl, Self::Neosc];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Neosc => "neosc",
        }
    }

    /// The format with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
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
            Self::Neosc => neosc::write(report, out),
        }
    }
}

/// A time as the documented interfaces write it: UTC, three digits of a second, `Z`. Parts of a millisecond are cut off.
pub fn wire_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
