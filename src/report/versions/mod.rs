//! The versions of one policy, for people and programs: what happened to it, and who is to be asked about each part.

pub mod blame;
pub mod json;
pub mod log;

use std::io;
use std::io::Write;

use serde_json::Value;

use super::Look;
use super::printable::one_line;
use crate::history::Blamed;
use crate::history::Event;
use crate::history::Landing;
use crate::history::Lifeline;
use crate::history::People;
use crate::history::SignatureStatus;

/// How many characters of a commit id are shown.
pub const SHOWN_OF_AN_ID: usize = 10;

/// How many characters of a value are shown to people.
const SHOWN_OF_A_VALUE: usize = 400;

/// What is common to both reports.
#[derive(Clone, Copy)]
pub struct Versions<'a> {
    /// The policy.
    pub lifeline: &'a Lifeline<'a>,
    /// The commit that the trail ends at, in hexadecimal.
    pub tip: &'a str,
    /// Why the trail is not the whole history, if so.
    pub partial: Option<&'a str>,
    /// The names that people are known by.
    pub people: &'a People,
    /// How the text for people may look.
    pub look: Look,
}

/// What happened to a policy.
#[derive(Clone, Copy)]
pub struct LogReport<'a> {
    /// The policy.
    pub of: Versions<'a>,
    /// The difference of its text that each event made, in the order of the events, if that is wanted.
    pub patches: Option<&'a [String]>,
}

/// What last changed each part of a policy.
#[derive(Clone, Copy)]
pub struct BlameReport<'a> {
    /// The policy.
    pub of: Versions<'a>,
    /// Its parts.
    pub parts: &'a [Blamed<'a>],
}

/// A format of either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionsFormat {
    /// For a terminal.
    Human,
    /// Version 1 of the format for programs.
    Json,
}

impl VersionsFormat {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Human, Self::Json];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
        }
    }

    /// The format with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// Writes what happened to a policy in this format.
    ///
    /// # Errors
    /// The writer refused the bytes.
    pub fn write_log(self, report: &LogReport<'_>, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Human => log::write(report, out),
            Self::Json => json::write_log(report, out),
        }
    }

    /// Writes what last changed each part in this format.
    ///
    /// # Errors
    /// The writer refused the bytes.
    pub fn write_blame(self, report: &BlameReport<'_>, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Human => blame::write(report, out),
            Self::Json => json::write_blame(report, out),
        }
    }
}

/// The id of a commit as people are shown it, and as every command takes it.
pub fn short(commit: &str) -> &str {
    commit.get(..SHOWN_OF_AN_ID).unwrap_or(commit)
}

/// When a commit was made, to the minute, in UTC.
pub fn minute(landing: &Landing) -> String {
    landing.committed.at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Who wrote the change, by the name that everybody knows.
fn author(event: &Event, people: &People) -> String {
    one_line(&people.known(&event.landing.author).to_string()).into_owned()
}

/// How well it is proven who made the commit, and for whom.
fn signature(landing: &Landing) -> String {
    let signature = &landing.signature;
    match (signature.status, &signature.principal) {
        (SignatureStatus::None, _) => "not signed".to_owned(),
        (status, None) => format!("signature {}", status.as_str()),
        (status, Some(principal)) => format!("signature {} ({})", status.as_str(), one_line(principal)),
    }
}

/// A value on one line: text as it is, unless it could be taken for something else.
fn shown(value: &Value) -> String {
    let json = || value.to_string();
    let line = match value {
        Value::String(text) if is_plain(text) => one_line(text).into_owned(),
        _ => one_line(&json()).into_owned(),
    };
    match line.char_indices().nth(SHOWN_OF_A_VALUE) {
        Some((end, _)) => format!("{}… ({} more characters)", line.get(..end).unwrap_or(""), line.chars().count() - SHOWN_OF_A_VALUE),
        None => line,
    }
}

fn is_plain(text: &str) -> bool {
    let odd = text.is_empty() || text.trim() != text || text.starts_with(['"', '[', '{', '-', '+', '→']);
    !odd && serde_json::from_str::<Value>(text).is_err()
}

fn painted(text: &str, colour: &str, look: Look) -> String {
    if look.colour { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_one_line_that_cannot_be_taken_for_another() {
        let check = |value: Value, expected: &str| assert_eq!(shown(&value), expected);
        check(json!("owner = {me}"), "owner = {me}");
        check(json!("true"), "\"true\"");
        check(json!(true), "true");
        check(json!(""), "\"\"");
        check(json!(" x"), "\" x\"");
        check(json!("- x"), "\"- x\"");
        check(json!("a\nb\u{1b}[2J\u{202e}"), "a b?[2J\u{fffd}");
        check(json!({"a": "\u{9b}"}), "{\"a\":\"¿\"}");
        check(json!("x".repeat(500)), &format!("{}… (100 more characters)", "x".repeat(400)));
    }
}
