//! A difference for programs, version 1. `schema/diff.schema.json` is its specification, and a test holds the two equal.

use std::io;
use std::io::Write;

use serde::Serialize;
use serde_json::Value as Json;
use serde_json::json;

use super::DiffReport;
use super::Side;
use super::access::Access;
use super::access::listed;
use super::access::member;
use super::phrase;
use super::phrase::Direction;
use super::phrase::Marks;
use super::policies::Place;
use super::policies::PolicyChange;
use crate::analysis::Class;
use crate::policy::PolicyId;

/// The published schema of this format, as text.
pub const DIFF_SCHEMA: &str = include_str!("../../../schema/diff.schema.json");

#[derive(Serialize)]
struct WireDiff<'a> {
    version: u8,
    before: Json,
    after: Json,
    callers: Option<usize>,
    class: Option<&'static str>,
    lockout: Option<bool>,
    gained: Vec<WireAccess<'a>>,
    lost: Vec<WireAccess<'a>>,
    more: WireMore,
    undecided: Vec<&'a str>,
    policies: Vec<WirePolicy<'a>>,
    files: Json,
    waivers: Vec<WireWaiver<'a>>,
    gate: Option<WireGate>,
}

#[derive(Serialize)]
struct WireMore {
    gained: usize,
    lost: usize,
}

#[derive(Serialize)]
struct WireAccess<'a> {
    fingerprint: &'a str,
    sentence: String,
    callers: Vec<Vec<String>>,
    actions: Json,
    services: Json,
    sources: Json,
    groups: Json,
    caller_types: Json,
    condition: Option<String>,
    unfit: Vec<String>,
    or_unfit: Vec<String>,
    fit: Vec<String>,
    approximate: bool,
    witness: &'a Json,
    causes: Vec<&'a str>,
    grants: Vec<&'a str>,
    denials: Vec<&'a str>,
    partial: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    waived: Option<bool>,
}

#[derive(Serialize)]
struct WirePolicy<'a> {
    id: &'a str,
    kind: &'static str,
    class: Option<&'static str>,
    happened: Option<&'static str>,
    fields: &'a [String],
    before: Option<WirePlace<'a>>,
    after: Option<WirePlace<'a>>,
}

#[derive(Serialize)]
struct WirePlace<'a> {
    path: &'a str,
    line: usize,
}

#[derive(Serialize)]
struct WireWaiver<'a> {
    fingerprint: &'a str,
    commit: Option<&'a str>,
    matches: bool,
}

#[derive(Serialize)]
struct WireGate {
    passes: bool,
    unwaived: usize,
    incomplete: usize,
    undescribed: usize,
    undecided: usize,
}

/// Writes the difference as one JSON object and a line break.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &DiffReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let wire = WireDiff {
        version: 1,
        before: side(report.before),
        after: side(report.after),
        callers: report.callers,
        class: report.class.map(Class::as_str),
        lockout: report.lockout,
        gained: report.gained.iter().map(|one| access(one, Direction::Gained)).collect(),
        lost: report.lost.iter().map(|one| access(one, Direction::Lost)).collect(),
        more: WireMore { gained: report.more_gained, lost: report.more_lost },
        undecided: report.undecided.iter().map(PolicyId::as_str).collect(),
        policies: report.policies.iter().map(policy).collect(),
        files: json!({"changed": report.files.changed, "removed": report.files.removed, "moved": report.files.moved}),
        waivers: report
            .waivers
            .iter()
            .map(|waiver| WireWaiver { fingerprint: &waiver.fingerprint, commit: waiver.commit.as_deref(), matches: waiver.matches })
            .collect(),
        gate: report.gate.map(|gate| WireGate {
            passes: gate.passes(),
            unwaived: gate.unwaived,
            incomplete: gate.incomplete,
            undescribed: gate.undescribed,
            undecided: gate.undecided,
        }),
    };
    serde_json::to_writer_pretty(&mut *out, &wire)?;
    writeln!(out)
}

fn side(side: Side<'_>) -> Json {
    match side {
        Side::Worktree => json!({"kind": "worktree"}),
        Side::Index => json!({"kind": "index"}),
        Side::Revision { name, commit } => json!({"kind": "revision", "name": name, "commit": commit}),
    }
}

fn access(access: &Access, direction: Direction) -> WireAccess<'_> {
    let region = &access.region;
    let of =
        |wanted: bool| -> Vec<&str> { region.groups.iter().filter(|(_, inside)| *inside == wanted).map(|(name, _)| &**name).collect() };
    WireAccess {
        fingerprint: &access.fingerprint,
        sentence: phrase::sentence(access, direction, Marks { name: quoted, path: str::to_owned }),
        callers: access.callers.iter().map(|members| members.iter().map(member).collect()).collect(),
        actions: listed(&region.actions),
        services: listed(&region.services),
        sources: listed(&region.sources),
        groups: json!({"in": of(true), "not_in": of(false)}),
        caller_types: listed(&region.caller_types),
        condition: region.condition.as_ref().map(ToString::to_string),
        unfit: region.unfit.iter().map(ToString::to_string).collect(),
        or_unfit: access.or_unfit.iter().map(ToString::to_string).collect(),
        fit: region.fit.iter().map(ToString::to_string).collect(),
        approximate: !region.beyond.is_empty(),
        witness: &access.witness,
        causes: access.causes.iter().map(PolicyId::as_str).collect(),
        grants: access.grants.iter().map(PolicyId::as_str).collect(),
        denials: access.denials.iter().map(PolicyId::as_str).collect(),
        partial: access.partial,
        waived: (direction == Direction::Gained).then_some(access.waived),
    }
}

fn quoted(text: &str) -> String {
    format!("`{text}`")
}

fn policy(policy: &PolicyChange) -> WirePolicy<'_> {
    WirePolicy {
        id: policy.id.as_str(),
        kind: if policy.control { "control" } else { "access-policy" },
        class: policy.class.map(Class::as_str),
        happened: policy.happened.map(super::policies::Happened::as_str),
        fields: &policy.fields,
        before: policy.before.as_ref().map(place),
        after: policy.after.as_ref().map(place),
    }
}

fn place(place: &Place) -> WirePlace<'_> {
    WirePlace { path: &place.path, line: place.line }
}
