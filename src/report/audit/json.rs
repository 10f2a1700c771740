//! The trail for programs, version 1: one object, or one event on each line. `schema/audit.schema.json` is its
//! specification. Changes of fields have the form of the OpenDataDSL audit service.

use std::io;
use std::io::Write;

use serde::Serialize;
use serde_json::Value;

use super::AuditReport;
use crate::history::Event;
use crate::history::FieldChange;
use crate::history::Person;
use crate::history::kind_word;

/// The published schema of this format, as text.
pub const AUDIT_SCHEMA: &str = include_str!("../../../schema/audit.schema.json");

#[derive(Serialize)]
struct WireTrail<'a> {
    version: u8,
    tip: &'a str,
    partial: Option<&'a str>,
    events: Vec<WireEvent<'a>>,
}

#[derive(Serialize)]
struct WireEvent<'a> {
    seq: u64,
    commit: &'a str,
    parents: &'a [String],
    policy: &'a str,
    kind: &'static str,
    action: &'static str,
    path: &'a str,
    from: Option<&'a str>,
    renamed: Option<&'a str>,
    restores: Option<&'a str>,
    changes: Vec<WireChange>,
    author: WirePerson<'a>,
    authored: String,
    committer: WirePerson<'a>,
    committed: String,
    subject: &'a str,
    claimed: Vec<WireTrailer<'a>>,
    state: String,
    prev: String,
}

#[derive(Serialize)]
struct WireChange {
    kind: &'static str,
    path: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lhs: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rhs: Option<Value>,
}

#[derive(Serialize)]
struct WirePerson<'a> {
    name: &'a str,
    email: &'a str,
}

#[derive(Serialize)]
struct WireTrailer<'a> {
    key: &'a str,
    value: &'a str,
}

/// Writes the trail as one object and a line break.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let events = report.events.iter().map(|event| wire_event(event)).collect();
    serde_json::to_writer_pretty(&mut *out, &WireTrail { version: 1, tip: report.tip, partial: report.partial, events })?;
    writeln!(out)
}

/// Writes one event on each line.
///
/// # Errors
/// The writer refused the bytes.
pub fn write_lines(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    for event in &report.events {
        serde_json::to_writer(&mut *out, &wire_event(event))?;
        writeln!(out)?;
    }
    Ok(())
}

fn wire_event(event: &Event) -> WireEvent<'_> {
    let landing = &*event.landing;
    WireEvent {
        seq: event.seq,
        commit: &landing.commit,
        parents: &landing.parents,
        policy: event.policy.as_str(),
        kind: kind_word(event.kind),
        action: event.action.as_str(),
        path: &event.path,
        from: event.from.as_deref(),
        renamed: event.renamed.as_ref().map(|id| id.as_str()),
        restores: event.restores.as_deref(),
        changes: event.changes().into_iter().map(wire_change).collect(),
        author: wire_person(&landing.author),
        authored: landing.authored.to_string(),
        committer: wire_person(&landing.committer),
        committed: landing.committed.to_string(),
        subject: &landing.subject,
        claimed: landing.trailers.iter().map(|(key, value)| WireTrailer { key, value }).collect(),
        state: event.state.to_string(),
        prev: event.prev.to_string(),
    }
}

fn wire_change(change: FieldChange) -> WireChange {
    WireChange { kind: change.kind.as_str(), path: change.path, lhs: change.lhs, rhs: change.rhs }
}

fn wire_person(person: &Person) -> WirePerson<'_> {
    WirePerson { name: &person.name, email: &person.email }
}
