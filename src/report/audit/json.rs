//! The trail for programs, version 1: one object, or one event on each line. `schema/audit.schema.json` is its
//! specification. Changes of fields have the form of the OpenDataDSL audit service.
//!
//! The members that are chained (`history::MEMBERS`) are always all there and are never renamed: whoever has the lines can
//! compute the chain again. Everything else is told beside them.

use std::io;
use std::io::Write;

use serde::Serialize;
use serde_json::Map;
use serde_json::Value;

use super::AuditReport;
use super::effect::Effect;
use super::effect::Effects;
use super::effect::QUOTED;
use super::effect::sentence;
use crate::analysis::Class;
use crate::history::CHAIN_VERSION;
use crate::history::Event;
use crate::history::FieldChange;
use crate::history::Lines;
use crate::history::Merge;
use crate::history::People;
use crate::history::Person;
use crate::history::Signature;
use crate::history::kind_word;
use crate::report::diff::access::Access;
use crate::report::diff::phrase::Direction;

/// The published schema of this format, as text.
pub const AUDIT_SCHEMA: &str = include_str!("../../../schema/audit.schema.json");

#[derive(Serialize)]
struct WireTrail<'a> {
    version: u8,
    chain: u8,
    lines: &'static str,
    tip: String,
    partial: Option<&'a str>,
    total: usize,
    head: String,
    events: Vec<WireEvent<'a>>,
}

#[derive(Serialize)]
struct WireEvent<'a> {
    seq: u64,
    commit: &'a str,
    parents: &'a [String],
    landed: bool,
    policy: &'a str,
    kind: &'static str,
    action: &'static str,
    path: &'a str,
    from: Option<&'a str>,
    renamed: Option<&'a str>,
    restores: Option<&'a str>,
    changes: Vec<WireChange>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<WireEffect>,
    author: WirePerson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author_known: Option<OwnedPerson>,
    authored: String,
    committer: WirePerson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    committer_known: Option<OwnedPerson>,
    committed: String,
    subject: &'a str,
    claimed: Vec<WireTrailer<'a>>,
    co_authors: Vec<OwnedPerson>,
    signature: WireSignature<'a>,
    merge: Option<WireMerge<'a>>,
    state: String,
    prev: String,
}

#[derive(Serialize)]
pub(super) struct WireChange {
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
struct OwnedPerson {
    name: String,
    email: String,
}

#[derive(Serialize)]
struct WireTrailer<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct WireSignature<'a> {
    status: &'static str,
    principal: Option<&'a str>,
    key: Option<&'a str>,
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct WireMerge<'a> {
    kind: &'static str,
    contributors: Vec<WirePerson<'a>>,
}

#[derive(Serialize)]
struct WireEffect {
    class: Option<&'static str>,
    since: Option<String>,
    gained: Vec<String>,
    lost: Vec<String>,
    more: bool,
    beside: WireBeside,
    unknown: Option<String>,
}

#[derive(Serialize, Default)]
struct WireBeside {
    gained: Vec<String>,
    lost: Vec<String>,
}

/// Writes the trail as one object and a line break.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let trail = report.trail;
    let wire = WireTrail {
        version: 1,
        chain: CHAIN_VERSION,
        lines: match report.scope.lines {
            Lines::Landed => "landed",
            Lines::All => "all",
        },
        tip: trail.tip(),
        partial: trail.partial(),
        total: trail.events().len(),
        head: trail.head().to_string(),
        events: report.events.iter().map(|event| wire_event(event, report.people, report.effects)).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &wire)?;
    writeln!(out)
}

/// Writes one event on each line.
///
/// # Errors
/// The writer refused the bytes.
pub fn write_lines(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    for event in &report.events {
        serde_json::to_writer(&mut *out, &wire_event(event, report.people, report.effects))?;
        writeln!(out)?;
    }
    Ok(())
}

/// One event as the members that a line has, without what its change gave and took.
pub fn event(event: &Event, people: &People) -> Map<String, Value> {
    members(event, people, None)
}

/// The members of a line.
pub(super) fn members(event: &Event, people: &People, effects: Option<&Effects>) -> Map<String, Value> {
    match serde_json::to_value(wire_event(event, people, effects)) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

fn wire_event<'a>(event: &'a Event, people: &People, effects: Option<&Effects>) -> WireEvent<'a> {
    let landing = &*event.landing;
    let known =
        |person: &Person| Some(people.known(person)).filter(|known| **known != *person).map(|known| owned_person(known.into_owned()));
    WireEvent {
        seq: event.seq,
        commit: &landing.commit,
        parents: &landing.parents,
        landed: landing.landed,
        policy: event.policy.as_str(),
        kind: kind_word(event.kind),
        action: event.action.as_str(),
        path: &event.path,
        from: event.from.as_deref(),
        renamed: event.renamed.as_ref().map(|id| id.as_str()),
        restores: event.restores.as_deref(),
        changes: event.changes().into_iter().map(wire_change).collect(),
        effect: effects.and_then(|effects| effects.of(event)).map(|effect| wire_effect(effect, event)),
        author: wire_person(&landing.author),
        author_known: known(&landing.author),
        authored: landing.authored.to_string(),
        committer: wire_person(&landing.committer),
        committer_known: known(&landing.committer),
        committed: landing.committed.to_string(),
        subject: &landing.subject,
        claimed: landing.trailers.iter().map(|(key, value)| WireTrailer { key, value }).collect(),
        co_authors: landing.co_authors().into_iter().map(owned_person).collect(),
        signature: wire_signature(&landing.signature),
        merge: event.merge.as_ref().map(wire_merge),
        state: event.state.to_string(),
        prev: event.prev.to_string(),
    }
}

pub(super) fn wire_change(change: FieldChange) -> WireChange {
    WireChange { kind: change.kind.as_str(), path: change.path, lhs: change.lhs, rhs: change.rhs }
}

fn wire_person(person: &Person) -> WirePerson<'_> {
    WirePerson { name: &person.name, email: &person.email }
}

fn owned_person(person: Person) -> OwnedPerson {
    OwnedPerson { name: person.name, email: person.email }
}

fn wire_signature(signature: &Signature) -> WireSignature<'_> {
    let Signature { status, principal, key, why } = signature;
    WireSignature { status: status.as_str(), principal: principal.as_deref(), key: key.as_deref(), why: why.as_deref() }
}

fn wire_merge(merge: &Merge) -> WireMerge<'_> {
    WireMerge { kind: merge.kind.as_str(), contributors: merge.contributors.iter().map(wire_person).collect() }
}

fn wire_effect(effect: &Effect, event: &Event) -> WireEffect {
    let known = match effect {
        Effect::Unknown(why) => {
            let (gained, lost, beside) = (Vec::new(), Vec::new(), WireBeside::default());
            return WireEffect { class: None, since: None, gained, lost, more: false, beside, unknown: Some(why.clone()) };
        }
        Effect::Known(known) => known,
    };
    let share = known.share(event);
    let said =
        |all: &[&Access], direction: Direction| all.iter().map(|access| sentence(access, direction, QUOTED)).collect::<Vec<String>>();
    WireEffect {
        class: share.class.map(Class::as_str),
        since: share.since.map(str::to_owned),
        gained: said(&share.gained, Direction::Gained),
        lost: said(&share.lost, Direction::Lost),
        more: share.more,
        beside: WireBeside { gained: said(&share.beside_gained, Direction::Gained), lost: said(&share.beside_lost, Direction::Lost) },
        unknown: share.class.is_none().then(|| "the conditions cannot be compared exactly, or doing so takes too long".to_owned()),
    }
}
