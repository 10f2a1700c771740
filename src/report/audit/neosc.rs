//! The audit log of the NeoSC interface: its fields, in its order, newest first. Seed 000 of the design is its
//! specification; the server answers with the same entries.

use std::io;
use std::io::Write;
use std::net::IpAddr;

use serde::Serialize;
use uuid::Uuid;

use super::AuditReport;
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

impl Entry {
    /// The entry of an event; `None` for a move, which the interface does not know.
    pub fn new(event: &Event) -> Option<Self> {
        let (action, details) = match event.action {
            Action::Create => ("create_policy", "Policy created".to_owned()),
            Action::Update => ("update_policy", format!("Policy updated: {}", fields(event).join(", "))),
            Action::Delete => ("delete_policy", "Policy deleted".to_owned()),
            Action::Enable => ("toggle_policy", "Policy enabled".to_owned()),
            Action::Disable => ("toggle_policy", "Policy disabled".to_owned()),
            Action::Move => return None,
        };
        let landing = &event.landing;
        let claimed = landing.trailer(Landing::CLIENT_IP).and_then(|text| text.trim().parse::<IpAddr>().ok());
        Some(Self {
            id: identifier(&format!("urn:lawbook:event:{}:{}:{}", landing.commit, event.action, event.policy)),
            user_id: identifier(&format!("mailto:{}", landing.author.email.to_lowercase())),
            user_email: landing.author.email.clone(),
            action: action.to_owned(),
            resource: format!("policy:{}", event.policy),
            details,
            ip_address: claimed.map(|address| address.to_string()),
            timestamp: wire_time(landing.committed.at),
            success: true,
        })
    }
}

/// The name-based identifier (version 5) of a URI.
fn identifier(name: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
}

/// The fields of the policy that changed, each once.
pub(super) fn fields(event: &Event) -> Vec<&str> {
    let mut names: Vec<&str> = event.changes.iter().filter_map(|change| change.path.first().map(String::as_str)).collect();
    names.dedup();
    names
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
