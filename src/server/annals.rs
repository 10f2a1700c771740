//! What the NeoSC interface needs of history: audit entries, and when each control came to be.
//!
//! It is derived from the trail beside the served snapshot, never before it: a revocation does not wait for a walk over
//! twenty thousand commits.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::versions::Versions;
use crate::report::audit::wire_time;

pub use crate::report::audit::neosc::Entry as AuditEntry;

/// The history of one served law book.
#[derive(Debug, Clone, Default)]
pub struct Annals {
    /// The entries, newest first. Shared between snapshots, which mostly have the same past.
    pub entries: Arc<Vec<AuditEntry>>,
    /// When each policy was created, by id.
    pub created: Arc<BTreeMap<String, Timestamp>>,
    /// The time of the root commit.
    pub root: Option<Timestamp>,
    /// What every control has said, by id; absent where only a list of changes is known.
    pub versions: Option<Arc<Versions>>,
}

/// Which entries are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// At most so many.
    pub limit: usize,
    /// Only what is older than this entry, or than this time.
    pub before: Option<String>,
    /// Only about this policy.
    pub policy: Option<String>,
    /// Only of this action.
    pub action: Option<String>,
    /// Only by this author, ignoring case.
    pub author: Option<String>,
}

impl Annals {
    /// The entries that are asked for, newest first.
    pub fn select(&self, filter: &EntryFilter) -> Vec<&AuditEntry> {
        let start = match &filter.before {
            None => 0,
            Some(before) => self.position_before(before),
        };
        let resource = filter.policy.as_ref().map(|id| format!("policy:{id}"));
        let wanted = |entry: &&AuditEntry| {
            resource.as_ref().is_none_or(|resource| entry.resource == *resource)
                && filter.action.as_ref().is_none_or(|action| entry.action == *action)
                && filter.author.as_ref().is_none_or(|author| entry.user_email.eq_ignore_ascii_case(author))
        };
        self.entries.iter().skip(start).filter(wanted).take(filter.limit).collect()
    }

    /// How many entries to leave out so that only older ones than the named entry, or than the time, are left.
    fn position_before(&self, before: &str) -> usize {
        if let Some(position) = self.entries.iter().position(|entry| entry.id == before) {
            return position + 1;
        }
        // Dates never decide order, so that a time stands for the first entry from which on everything is older.
        let Ok(time) = before.parse::<Timestamp>() else { return self.entries.len() };
        let time = wire_time(time);
        self.entries.iter().rposition(|entry| entry.timestamp >= time).map_or(0, |position| position + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, policy: &str, email: &str, second: u32) -> AuditEntry {
        AuditEntry {
            id: id.to_owned(),
            user_id: "u".to_owned(),
            user_email: email.to_owned(),
            action: "toggle_policy".to_owned(),
            resource: format!("policy:{policy}"),
            details: "Policy disabled".to_owned(),
            ip_address: None,
            timestamp: format!("2026-03-05T14:30:{second:02}.000Z"),
            success: true,
        }
    }

    fn annals() -> Annals {
        let entries = vec![entry("3", "a", "a@x", 3), entry("2", "b", "B@x", 2), entry("1", "a", "b@x", 1)];
        Annals { entries: Arc::new(entries), ..Annals::default() }
    }

    #[track_caller]
    fn check(filter: EntryFilter, expected: &[&str]) {
        let annals = annals();
        let found: Vec<&str> = annals.select(&filter).iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(found, expected, "{filter:?}");
    }

    #[test]
    fn entries_are_found_by_what_is_asked() {
        let all = EntryFilter { limit: 500, ..EntryFilter::default() };
        check(all.clone(), &["3", "2", "1"]);
        check(EntryFilter { limit: 2, ..all.clone() }, &["3", "2"]);
        check(EntryFilter { before: Some("2".to_owned()), ..all.clone() }, &["1"]);
        check(EntryFilter { before: Some("2026-03-05T14:30:02Z".to_owned()), ..all.clone() }, &["1"]);
        check(EntryFilter { before: Some("2027-01-01T00:00:00Z".to_owned()), ..all.clone() }, &["3", "2", "1"]);
        check(EntryFilter { before: Some("nonsense".to_owned()), ..all.clone() }, &[]);
        check(EntryFilter { policy: Some("a".to_owned()), ..all.clone() }, &["3", "1"]);
        check(EntryFilter { action: Some("create_policy".to_owned()), ..all.clone() }, &[]);
        check(EntryFilter { author: Some("b@x".to_owned()), ..all }, &["2", "1"]);
    }

    #[test]
    fn the_keys_stand_in_the_documented_order() {
        let text = serde_json::to_string(&entry("log-123", "p", "admin@example.com", 0)).expect("JSON");
        assert_eq!(
            text,
            r#"{"id":"log-123","user_id":"u","user_email":"admin@example.com","action":"toggle_policy","resource":"policy:p","details":"Policy disabled","timestamp":"2026-03-05T14:30:00.000Z","success":true}"#
        );
    }
}
