//! The controls of a law book as the NeoSC interface lists them.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;

use super::annals::Annals;
use super::defaults::DEFAULTS;
use super::draft::hidden;
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

/// A control as it is sent, and as it is.
#[derive(Debug, Clone)]
pub struct Listed {
    /// What is sent.
    pub entry: ControlEntry,
    /// The control, also with what is not sent of it.
    pub control: Control,
    /// Its entity tag, with the quotes.
    pub tag: String,
}

impl Listed {
    /// A control that was created at this time.
    pub fn new(control: Control, created: Timestamp) -> Self {
        let entry = ControlEntry {
            id: control.id.as_str().to_owned(),
            name: control.name.clone(),
            description: control.description.clone(),
            category: control.category.clone(),
            rules: control.rules.clone(),
            enabled: control.enabled,
            created_at: wire_time(created),
        };
        let tag = tag(&[&serde_json::to_vec(&entry).unwrap_or_default(), &unsent(&control)]);
        Self { entry, control, tag }
    }
}

/// A list of controls as it is sent.
#[derive(Debug)]
pub struct Listing {
    /// The controls, in order of creation, then of path and position.
    pub controls: Vec<Listed>,
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
        let mut dated: Vec<(Timestamp, Listed)> = controls.map(|control| dated(control, snapshot, annals)).collect();
        if dated.is_empty() {
            let root = annals.root.unwrap_or(snapshot.loaded_at);
            let made = DEFAULTS.iter().filter_map(|default| default.control(&wire_time(root)));
            dated = made.map(|control| (root, Listed::new(control, root))).collect();
        }
        dated.sort_by_key(|(time, _)| *time);
        let controls: Vec<Listed> = dated.into_iter().map(|(_, listed)| listed).collect();
        let entries: Vec<&ControlEntry> = controls.iter().map(|listed| &listed.entry).collect();
        let body = serde_json::to_vec(&entries)?;
        let unsent: Vec<u8> = controls.iter().flat_map(|listed| unsent(&listed.control)).collect();
        let tag = tag(&[&body, &unsent]);
        Ok(Self { controls, body, tag })
    }

    /// The control with this id.
    pub fn get(&self, id: &str) -> Option<&Listed> {
        self.controls.iter().find(|listed| listed.entry.id == id)
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

fn dated(control: &Control, snapshot: &Snapshot, annals: &Annals) -> (Timestamp, Listed) {
    let id = control.id.as_str();
    let written = control.created_at.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    let time =
        written.or_else(|| annals.created.get(id).copied()).or_else(|| snapshot.undated.get(id).copied()).unwrap_or(snapshot.loaded_at);
    (time, Listed::new(control.clone(), time))
}

/// What is not sent of a control, and counts all the same for whoever changes it; nothing, mostly.
fn unsent(control: &Control) -> Vec<u8> {
    let hidden = hidden(control);
    if hidden.is_empty() { Vec::new() } else { serde_json::to_vec(&hidden).unwrap_or_default() }
}

/// The strong entity tag of what is made of these parts.
pub fn tag(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    let digest = hex(&hash.finalize());
    format!("\"{}\"", digest.get(..32).unwrap_or(&digest))
}

/// Whether a header that lists entity tags, or `*`, names one of these.
pub fn names_tag(header: &str, tags: &[&str]) -> bool {
    header.split(',').map(str::trim).any(|tag| tag == "*" || tags.contains(&tag.strip_prefix("W/").unwrap_or(tag)))
}

/// A listing that is made at most once for a snapshot.
pub type SharedListing = std::sync::OnceLock<Arc<Listing>>;
