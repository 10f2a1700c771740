//! The trail for a security information system: events of the class Entity Management (3004) of the Open Cybersecurity Schema
//! Framework, version 1.8.0, one on each line, oldest first. <https://schema.ocsf.io/1.8.0/classes/entity_management>
//!
//! The entity is the policy as it was before the commit, or as it came to be; the result is what it is afterwards. What the schema
//! has no place for is told under `unmapped`, with the names of the JSON format. What a message claims stays there too: an
//! address in a trailer is no endpoint that anybody saw.

use std::io;
use std::io::Write;

use serde::Serialize;
use serde_json::Map;
use serde_json::Value;

use super::AuditReport;
use super::event_id;
use super::json::members;
use super::words;
use super::words::address;
use crate::history::Action;
use crate::history::Event;
use crate::history::MergeKind;
use crate::history::Person;
use crate::history::SignatureStatus;
use crate::history::Version;
use crate::history::kind_word;

/// The version of the schema.
const VERSION: &str = "1.8.0";

const CATEGORY: u32 = 3;
const CLASS: u32 = 3004;

/// The type of an entity that is a policy.
const POLICY: u32 = 5;

/// The type of an observable that is an e-mail address.
const EMAIL_ADDRESS: u32 = 5;

/// Members of the JSON format that have a place of their own in the schema.
const MAPPED: [&str; 7] = ["seq", "commit", "policy", "action", "author", "committed", "subject"];

#[derive(Serialize)]
struct EntityManagement<'a> {
    activity_id: u32,
    activity_name: &'static str,
    actor: Actor,
    category_name: &'static str,
    category_uid: u32,
    class_name: &'static str,
    class_uid: u32,
    comment: &'a str,
    entity: Entity<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_result: Option<Entity<'a>>,
    message: String,
    metadata: Metadata<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    observables: Vec<Observable>,
    severity: &'static str,
    severity_id: u32,
    status: &'static str,
    status_id: u32,
    time: i64,
    timezone_offset: i32,
    type_name: String,
    type_uid: u32,
    unmapped: Map<String, Value>,
}

#[derive(Serialize)]
struct Actor {
    user: User,
}

#[derive(Serialize)]
struct User {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    full_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_addr: Option<String>,
}

#[derive(Serialize)]
struct Entity<'a> {
    name: &'a str,
    uid: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    type_id: u32,
    policy: Policy<'a>,
}

#[derive(Serialize)]
struct Policy<'a> {
    name: &'a str,
    uid: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    data: Value,
}

#[derive(Serialize)]
struct Metadata<'a> {
    version: &'static str,
    product: Product,
    uid: String,
    correlation_uid: &'a str,
    sequence: u64,
    original_time: String,
}

#[derive(Serialize)]
struct Product {
    vendor_name: &'static str,
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Observable {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    type_id: u32,
    value: String,
}

/// Writes one event on each line.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    for event in &report.events {
        let Some(event) = entity_management(event, report) else { continue };
        serde_json::to_writer(&mut *out, &event)?;
        writeln!(out)?;
    }
    Ok(())
}

fn entity_management<'a>(event: &'a Event, report: &AuditReport<'_>) -> Option<EntityManagement<'a>> {
    let landing = &*event.landing;
    let (activity_id, activity_name) = activity(event);
    let (severity_id, severity) = severity(event);
    let result = if event.before.is_some() { event.after.as_deref() } else { None };
    let author = report.people.known(&landing.author);
    let mut unmapped = members(event, report.people, report.effects);
    unmapped.retain(|name, _| !MAPPED.contains(&name.as_str()));
    Some(EntityManagement {
        activity_id,
        activity_name,
        category_name: "Identity & Access Management",
        category_uid: CATEGORY,
        class_name: "Entity Management",
        class_uid: CLASS,
        comment: &landing.subject,
        entity: entity(event.before.as_deref().or(event.after.as_deref())?),
        entity_result: result.map(entity),
        message: message(event),
        metadata: Metadata {
            version: VERSION,
            product: Product { vendor_name: "lawbook", name: "lawbook", version: env!("CARGO_PKG_VERSION") },
            uid: event_id(&landing.commit, event.action.as_str(), event.policy.as_str()).to_string(),
            correlation_uid: &landing.commit,
            sequence: event.seq,
            original_time: landing.committed.to_string(),
        },
        observables: email(&author).map(observable).into_iter().collect(),
        actor: Actor { user: user(&author) },
        severity,
        severity_id,
        status: "Success",
        status_id: 1,
        time: landing.committed.at.as_millisecond(),
        timezone_offset: landing.committed.offset_minutes,
        type_name: format!("Entity Management: {activity_name}"),
        type_uid: CLASS * 100 + activity_id,
        unmapped,
    })
}

/// The activity, with the name that the schema gives it, or our own for what it does not know.
fn activity(event: &Event) -> (u32, &'static str) {
    match event.action {
        Action::Create => (1, "Create"),
        Action::Restore if event.before.is_none() => (1, "Create"),
        Action::Update | Action::Restore => (3, "Update"),
        Action::Delete => (4, "Delete"),
        Action::Move | Action::Rename => (5, "Move"),
        Action::Enable => (8, "Enable"),
        Action::Disable => (9, "Disable"),
        Action::Reformat => (99, "Reformat"),
        Action::Break => (99, "Break"),
        Action::Repair => (99, "Repair"),
    }
}

/// What somebody should look at is of medium severity: a signature that does not hold, and an evil merge.
fn severity(event: &Event) -> (u32, &'static str) {
    let evil = event.merge.as_ref().is_some_and(|merge| merge.kind == MergeKind::Evil);
    let bad = event.landing.signature.status == SignatureStatus::Bad;
    if evil || bad { (3, "Medium") } else { (1, "Informational") }
}

fn message(event: &Event) -> String {
    let what = words::what(event);
    let what = if what.is_empty() { what } else { format!(": {what}") };
    format!("{} {} {}{what}", event.action, kind_word(event.kind), event.policy)
}

fn entity(version: &Version) -> Entity<'_> {
    let id = version.id.as_str();
    let policy = Policy { name: id, uid: id, kind: kind_word(version.kind), data: version.value() };
    Entity { name: id, uid: id, kind: "Policy", type_id: POLICY, policy }
}

fn user(person: &Person) -> User {
    let known = |text: &str| if text.is_empty() { "unknown".to_owned() } else { text.to_owned() };
    let full_name = Some(person.name.clone()).filter(|name| !name.is_empty());
    User { name: known(address(person)), full_name, email_addr: email(person).map(str::to_owned) }
}

/// The address, if it is what the schema takes for one (type `email_t`).
fn email(person: &Person) -> Option<&str> {
    let (local, domain) = person.email.split_once('@')?;
    let (first, rest) = domain.split_once('.')?;
    let plain = |text: &str, marks: &str| !text.is_empty() && text.chars().all(|char| char.is_ascii_alphanumeric() || marks.contains(char));
    let valid = plain(local, "!#$%&'*+,-./=?^_`{|}~") && plain(first, "-") && plain(rest, "-.");
    valid.then_some(person.email.as_str())
}

fn observable(address: &str) -> Observable {
    Observable { name: "actor.user.email_addr", kind: "Email Address", type_id: EMAIL_ADDRESS, value: address.to_owned() }
}
