//! The versions of a policy for programs, version 1. `schema/log.schema.json` and `schema/blame.schema.json` are its
//! specification.

use std::io;
use std::io::Write;

use serde::Serialize;
use serde_json::Value;

use super::BlameReport;
use super::LogReport;
use super::Versions;
use crate::history::Blamed;
use crate::history::Event;
use crate::history::FieldChange;
use crate::history::People;
use crate::history::Person;
use crate::history::Signature;
use crate::history::kind_word;

/// The published schema of `lawbook log --format json`, as text.
pub const LOG_SCHEMA: &str = include_str!("../../../schema/log.schema.json");

/// The published schema of `lawbook blame --format json`, as text.
pub const BLAME_SCHEMA: &str = include_str!("../../../schema/blame.schema.json");

#[derive(Serialize)]
struct WireLog<'a> {
    #[serde(flatten)]
    of: WirePolicy<'a>,
    events: Vec<WireEvent<'a>>,
}

#[derive(Serialize)]
struct WireBlame<'a> {
    #[serde(flatten)]
    of: WirePolicy<'a>,
    parts: Vec<WirePart<'a>>,
}

#[derive(Serialize)]
struct WirePolicy<'a> {
    version: u8,
    tip: &'a str,
    partial: Option<&'a str>,
    policy: &'a str,
    path: &'a str,
    deleted: bool,
}

#[derive(Serialize)]
struct WireEvent<'a> {
    seq: u64,
    #[serde(flatten)]
    landing: WireLanding<'a>,
    action: &'static str,
    policy: &'a str,
    kind: &'static str,
    path: &'a str,
    from: Option<&'a str>,
    renamed: Option<&'a str>,
    restores: Option<&'a str>,
    changes: Vec<WireChange>,
    merge: Option<WireMerge>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<&'a str>,
}

#[derive(Serialize)]
struct WireLanding<'a> {
    commit: &'a str,
    author: WirePerson,
    committed: String,
    subject: &'a str,
    signature: WireSignature<'a>,
}

#[derive(Serialize)]
struct WirePerson {
    name: String,
    email: String,
}

#[derive(Serialize)]
struct WireSignature<'a> {
    status: &'static str,
    principal: Option<&'a str>,
    key: Option<&'a str>,
    why: Option<&'a str>,
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
struct WireMerge {
    kind: &'static str,
    contributors: Vec<WirePerson>,
}

#[derive(Serialize)]
struct WirePart<'a> {
    path: &'a [String],
    element: bool,
    value: &'a Value,
    changed: Option<WireChanged<'a>>,
}

#[derive(Serialize)]
struct WireChanged<'a> {
    seq: u64,
    action: &'static str,
    #[serde(flatten)]
    landing: WireLanding<'a>,
}

/// Writes what happened to a policy, newest first, as one object and a line break.
///
/// # Errors
/// The writer refused the bytes.
pub fn write_log(report: &LogReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let patch = |at: usize| report.patches.and_then(|patches| patches.get(at)).map(String::as_str);
    let events = report.of.lifeline.events.iter().enumerate().rev();
    let events = events.map(|(at, event)| wire_event(event, report.of.people, patch(at))).collect();
    serde_json::to_writer_pretty(&mut *out, &WireLog { of: wire_policy(&report.of), events })?;
    writeln!(out)
}

/// Writes what last changed each part, as one object and a line break.
///
/// # Errors
/// The writer refused the bytes.
pub fn write_blame(report: &BlameReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let parts = report.parts.iter().map(|part| wire_part(part, report.of.people)).collect();
    serde_json::to_writer_pretty(&mut *out, &WireBlame { of: wire_policy(&report.of), parts })?;
    writeln!(out)
}

fn wire_policy<'a>(of: &Versions<'a>) -> WirePolicy<'a> {
    let lifeline = of.lifeline;
    let (policy, path) = (lifeline.id.as_str(), &*lifeline.path);
    WirePolicy { version: 1, tip: of.tip, partial: of.partial, policy, path, deleted: lifeline.deleted().is_some() }
}

fn wire_event<'a>(event: &'a Event, people: &People, patch: Option<&'a str>) -> WireEvent<'a> {
    WireEvent {
        seq: event.seq,
        landing: wire_landing(event, people),
        action: event.action.as_str(),
        policy: event.policy.as_str(),
        kind: kind_word(event.kind),
        path: &event.path,
        from: event.from.as_deref(),
        renamed: event.renamed.as_ref().map(|id| id.as_str()),
        restores: event.restores.as_deref(),
        changes: event.changes().into_iter().map(wire_change).collect(),
        merge: event.merge.as_ref().map(|merge| WireMerge {
            kind: merge.kind.as_str(),
            contributors: merge.contributors.iter().map(|person| wire_person(person, people)).collect(),
        }),
        patch,
    }
}

fn wire_landing<'a>(event: &'a Event, people: &People) -> WireLanding<'a> {
    let landing = &*event.landing;
    let Signature { status, principal, key, why } = &landing.signature;
    let signature = WireSignature { status: status.as_str(), principal: principal.as_deref(), key: key.as_deref(), why: why.as_deref() };
    WireLanding {
        commit: &landing.commit,
        author: wire_person(&landing.author, people),
        committed: landing.committed.to_string(),
        subject: &landing.subject,
        signature,
    }
}

fn wire_person(person: &Person, people: &People) -> WirePerson {
    let Person { name, email } = people.known(person).into_owned();
    WirePerson { name, email }
}

fn wire_change(change: FieldChange) -> WireChange {
    WireChange { kind: change.kind.as_str(), path: change.path, lhs: change.lhs, rhs: change.rhs }
}

fn wire_part<'a>(part: &'a Blamed<'a>, people: &People) -> WirePart<'a> {
    let changed =
        part.event.map(|event| WireChanged { seq: event.seq, action: event.action.as_str(), landing: wire_landing(event, people) });
    WirePart { path: &part.path, element: part.element, value: &part.value, changed }
}
