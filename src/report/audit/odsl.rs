//! The records of the OpenDataDSL audit service, newest first, as its portal shows them.
//!
//! The documentation of the service is the specification, with the record that it shows: its fields, in its order, and times in
//! UTC without a `Z`. Policies have no versions there and lie in the source `private`. What did not change a policy, such as
//! another file, is no record.

use std::io;
use std::io::Write;

use serde::Serialize;

use super::AuditReport;
use super::event_id;
use super::identifier;
use super::json::WireChange;
use super::json::wire_change;
use super::words::address;
use crate::history::Action;
use crate::history::Event;
use crate::history::Sha256Hash;

/// How many hexadecimal digits an id has: those of an ObjectId of MongoDB.
const DIGITS: usize = 24;

#[derive(Serialize)]
struct Record<'a> {
    #[serde(rename = "_id")]
    id: String,
    action: &'static str,
    service: &'static str,
    source: &'static str,
    user: &'a str,
    #[serde(rename = "invocationId")]
    invocation: String,
    description: &'a str,
    key: &'a str,
    version: u64,
    #[serde(rename = "ref")]
    reference: Reference<'a>,
    status: u16,
    timestamp: String,
    changes: Vec<WireChange>,
}

#[derive(Serialize)]
struct Reference<'a> {
    #[serde(rename = "_type")]
    kind: &'static str,
    #[serde(rename = "_service")]
    service: &'static str,
    #[serde(rename = "_oid")]
    id: &'a str,
}

/// Writes the records as one array and a line break.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let records: Vec<Record<'_>> = report.events.iter().rev().filter_map(|event| record(event)).collect();
    serde_json::to_writer_pretty(&mut *out, &records)?;
    writeln!(out)
}

fn record(event: &Event) -> Option<Record<'_>> {
    let landing = &*event.landing;
    let action = match event.action {
        Action::Move | Action::Reformat => return None,
        Action::Delete => "delete",
        _ if event.before.is_none() => "create",
        _ => "update",
    };
    let name = event_id(&landing.commit, event.action.as_str(), event.policy.as_str());
    Some(Record {
        id: Sha256Hash::of(name.as_bytes()).to_string().chars().take(DIGITS).collect(),
        action,
        service: "policy",
        source: "private",
        user: address(&landing.author),
        invocation: identifier(&format!("urn:lawbook:commit:{}", landing.commit)).to_string(),
        description: &landing.subject,
        key: event.policy.as_str(),
        version: 0,
        reference: Reference { kind: "VarReference", service: "policy", id: event.policy.as_str() },
        status: 200,
        timestamp: landing.committed.at.strftime("%Y-%m-%dT%H:%M:%S.%3f").to_string(),
        changes: event.changes().into_iter().map(wire_change).collect(),
    })
}
