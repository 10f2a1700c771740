//! The audit log of the NeoSC interface: its fields, in its order, newest first. Seed 000 of the design is its
//! specification; the server answers with the same entries.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;
use std::io::Write;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use super::AuditReport;
use super::event_id;
use super::identifier;
use super::wire_time;
use crate::history::Action;
use crate::history::Event;
use crate::history::Landing;

/// One entry of the audit log, with its keys in the documented order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// A UUID of version 5 over the commit, the policy and the action: the same wherever it is derived.
    pub id: String,
    /// A UUID of version 5 over the author's address in lower case.
    pub user_id: String,
    /// The author's address.
    pub user_email: String,
    /// `create_policy`, `update_policy`, `delete_policy` or `toggle_policy`.
    pub action: String,
    /// `policy:` and the id of the policy.
    pub resource: String,
    /// What happened, for people.
    pub details: String,
    /// Where the request came from, as a trailer of the commit claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// When it was committed, such as `2026-03-05T14:30:00.000Z`.
    pub timestamp: String,
    /// Always true: what did not succeed is no commit.
    pub success: bool,
}

/// What an entry tells, wherever it is read from.
struct Facts<'a> {
    commit: &'a str,
    policy: &'a str,
    action: Action,
    fields: Vec<&'a str>,
    email: &'a str,
    address: Option<&'a str>,
    committed: Timestamp,
}

/// A line of the trail, as far as an entry needs it; see `schema/audit.schema.json`.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    commit: Cow<'a, str>,
    policy: String,
    action: String,
    changes: Vec<LineChange>,
    author: LinePerson,
    committed: String,
    claimed: Vec<LineTrailer>,
}

#[derive(Deserialize)]
struct LineChange {
    path: Vec<String>,
}

#[derive(Deserialize)]
struct LinePerson {
    email: String,
}

#[derive(Deserialize)]
struct LineTrailer {
    key: String,
    value: String,
}

impl Entry {
    /// The entry of an event; `None` for what the interface does not know: a policy that moved, or is only written differently.
    pub fn new(event: &Event) -> Option<Self> {
        let landing = &event.landing;
        Self::of(&Facts {
            commit: &landing.commit,
            policy: event.policy.as_str(),
            action: event.action,
            fields: event.fields.iter().map(|name| &**name).collect(),
            email: &landing.author.email,
            address: landing.trailer(Landing::CLIENT_IP),
            committed: landing.committed.at,
        })
    }

    /// The entries of a trail in the form of a bundle, one event on each line and the oldest first: newest first.
    ///
    /// # Errors
    /// A line is no event; it is named by its number.
    pub fn of_lines(text: &str) -> Result<Vec<Self>, String> {
        let lines = text.lines().enumerate().map(|(at, line)| Self::of_line(line).map_err(|why| format!("line {}: {why}", at + 1)));
        let mut entries: Vec<Self> = lines.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        entries.reverse();
        Ok(entries)
    }

    fn of_line(text: &str) -> Result<Option<Self>, String> {
        let line: Line<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut fields: Vec<&str> = line.changes.iter().filter_map(|change| change.path.first().map(String::as_str)).collect();
        fields.dedup();
        let address = line.claimed.iter().find(|trailer| trailer.key.eq_ignore_ascii_case(Landing::CLIENT_IP));
        Ok(Self::of(&Facts {
            commit: &line.commit,
            policy: &line.policy,
            action: Action::parse(&line.action).ok_or_else(|| format!("`{}` is no action", line.action))?,
            fields,
            email: &line.author.email,
            address: address.map(|trailer| trailer.value.as_str()),
            committed: line.committed.parse().map_err(|_| format!("`{}` is no time", line.committed))?,
        }))
    }

    /// Every action that an entry can tell.
    pub fn actions() -> Vec<&'static str> {
        let mut words: Vec<&str> = Action::ALL.into_iter().filter_map(word).collect();
        let mut seen = BTreeSet::new();
        words.retain(|word| seen.insert(*word));
        words
    }

    fn of(facts: &Facts<'_>) -> Option<Self> {
        let action = word(facts.action)?;
        let details = match facts.action {
            Action::Create => "Policy created".to_owned(),
            Action::Update => format!("Policy updated: {}", facts.fields.join(", ")),
            Action::Delete => "Policy deleted".to_owned(),
            Action::Enable => "Policy enabled".to_owned(),
            Action::Disable => "Policy disabled".to_owned(),
            Action::Rename => "Policy renamed".to_owned(),
            Action::Restore => "Policy restored".to_owned(),
            Action::Break => "Policy cannot be read any more".to_owned(),
            Action::Repair => "Policy can be read again".to_owned(),
            Action::Move | Action::Reformat => return None,
        };
        let claimed = facts.address.and_then(|text| text.trim().parse::<IpAddr>().ok());
        Some(Self {
            id: event_id(facts.commit, facts.action.as_str(), facts.policy).to_string(),
            user_id: identifier(&format!("mailto:{}", facts.email.to_lowercase())).to_string(),
            user_email: facts.email.to_owned(),
            action: action.to_owned(),
            resource: format!("policy:{}", facts.policy),
            details,
            ip_address: claimed.map(|address| address.to_string()),
            timestamp: wire_time(facts.committed),
            success: true,
        })
    }
}

/// Writes the entries as one array and a line break.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let entries: Vec<Entry> = report.events.iter().rev().filter_map(|event| Entry::new(event)).collect();
    serde_json::to_writer_pretty(&mut *out, &entries)?;
    writeln!(out)
}
/// What the document calls an action; `None` for one that leaves the meaning as it is.
fn word(action: Action) -> Option<&'static str> {
    match action {
        Action::Create => Some("create_policy"),
        Action::Delete => Some("delete_policy"),
        Action::Enable | Action::Disable => Some("toggle_policy"),
        Action::Update | Action::Rename | Action::Restore | Action::Break | Action::Repair => Some("update_policy"),
        Action::Move | Action::Reformat => None,
    }
}
