//! The controls of a law book as the NeoSC interface lists them.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;

use super::annals::Annals;
use super::defaults::DEFAULTS;
use super::snapshot::Snapshot;
use super::snapshot::hex;
use crate::policy::Control;
use crate::policy::Policy;
use crate::report::audit::wire_time;

/// A control, in the shape and the order of keys of the NeoSC interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ControlEntry {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// What it enforces.
    pub description: String,
    /// `access`, `network` or `session`.
    #[serde(rename = "type")]
    pub category: String,
    /// Prose.
    pub rules: Vec<String>,
    /// Whether it is in force.
    pub enabled: bool,
    /// When it was created, such as `2026-03-01T10:00:00.000Z`.
    pub created_at: String,
}

/// A list of controls as it is sent.
#[derive(Debug)]
pub struct Listing {
    /// The controls, in order of creation, then of path and position.
    pub entries: Vec<ControlEntry>,
    /// The JSON.
    pub body: Vec<u8>,
    /// Its entity tag, with the quotes.
    pub tag: String,
}

impl Listing {
    /// The listing of a snapshot with its history.
    ///
    /// # Errors
    /// JSON that cannot be written.
    pub fn new(snapshot: &Snapshot, annals: &Annals) -> Result<Self, serde_json::Error> {
        let controls = snapshot.set().policies().iter().filter_map(|policy| match &**policy {
            Policy::Control(control) => Some(control),
            Policy::Access(_) => None,
        });
        let mut dated: Vec<(Timestamp, ControlEntry)> = controls.map(|control| dated(control, snapshot, annals)).collect();
        if dated.is_empty() {
            let root = annals.root.unwrap_or(snapshot.loaded_at);
            dated = DEFAULTS.iter().map(|default| (root, default.entry(root))).collect();
        }
        dated.sort_by_key(|(time, _)| *time);
        let entries: Vec<ControlEntry> = dated.into_iter().map(|(_, entry)| entry).collect();
        let body = serde_json::to_vec(&entries)?;
        let tag = tag(&body);
        Ok(Self { entries, body, tag })
    }

    /// The control with this id.
    pub fn get(&self, id: &str) -> Option<&ControlEntry> {
        self.entries.iter().find(|entry| entry.id == id)
    }
}

/// Whether the listing of a snapshot can be made without its history.
pub fn is_dated(snapshot: &Snapshot) -> bool {
    let mut controls = snapshot.set().policies().iter().filter_map(|policy| match &**policy {
        Policy::Control(control) => Some(control),
        Policy::Access(_) => None,
    });
    let Some(first) = controls.next() else { return false };
    first.created_at.is_some() && controls.all(|control| control.created_at.is_some())
}

fn dated(control: &Control, snapshot: &Snapshot, annals: &Annals) -> (Timestamp, ControlEntry) {
    let id = control.id.as_str();
    let written = control.created_at.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    let time =
        written.or_else(|| annals.created.get(id).copied()).or_else(|| snapshot.undated.get(id).copied()).unwrap_or(snapshot.loaded_at);
    let entry = ControlEntry {
        id: id.to_owned(),
        name: control.name.clone(),
        description: control.description.clone(),
        category: control.category.clone(),
        rules: control.rules.clone(),
        enabled: control.enabled,
        created_at: wire_time(time),
    };
    (time, entry)
}

/// The strong entity tag of a body.
fn tag(body: &[u8]) -> String {
    let digest = hex(&Sha256::digest(body));
    format!("\"{}\"", digest.get(..32).unwrap_or(&digest))
}

/// The entity tag of one control.
pub fn tag_of(entry: &ControlEntry) -> String {
    tag(&serde_json::to_vec(entry).unwrap_or_default())
}

/// Whether a header that lists entity tags, or `*`, names one of these.
pub fn names_tag(header: &str, tags: &[&str]) -> bool {
    header.split(',').map(str::trim).any(|tag| tag == "*" || tags.contains(&tag.strip_prefix("W/").unwrap_or(tag)))
}

/// A listing that is made at most once for a snapshot.
pub type SharedListing = std::sync::OnceLock<Arc<Listing>>;
