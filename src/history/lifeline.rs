//! The versions of one policy: its events under all the ids that it has had.
//!
//! An id is a name, and names are given away: a policy may be called otherwise later, and another one may then be called what it
//! was. So the events are followed one by one, through each renaming, and never gathered by id.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Event;
use super::Trail;
use super::Version;
use crate::policy::PolicyId;

/// One policy through time.
#[derive(Debug, Clone)]
pub struct Lifeline<'a> {
    /// What it is called at the tip, or was when it was deleted.
    pub id: PolicyId,
    /// Its events, oldest first.
    pub events: Vec<&'a Event>,
    /// What it means at the tip; `None` when it was deleted. Of one that cannot be read, its last meaning.
    pub now: Option<Arc<Version>>,
    /// What it meant before its first event; something only in a partial trail.
    pub before: Option<Arc<Version>>,
    /// Its file at the tip, or the one that it was deleted from.
    pub path: Arc<str>,
}

impl Trail {
    /// The policy that has this id, or had it last when there is none. One that was renamed is found by its earlier ids too.
    pub fn lifeline(&self, id: &str) -> Option<Lifeline<'_>> {
        let found = match follow(self.events(), id) {
            Some(found) => Some(found),
            // In a partial trail there are policies of which nothing is told.
            None => PolicyId::new(id).map(|id| (id, Vec::new())),
        };
        let (id, events) = found?;
        let held = self.state().and_then(|state| state.meaning(id.as_str()));
        let last = events.last();
        let path = held.as_ref().map(|held| Arc::clone(&held.path)).or_else(|| last.map(|event| Arc::clone(&event.path)))?;
        let now = held.map(|held| held.version);
        let before = events.first().map_or_else(|| now.clone(), |event| event.before.clone());
        Some(Lifeline { id, events, now, before, path })
    }

    /// Every id that a policy of this trail ever had, in byte order.
    pub fn ids(&self) -> BTreeSet<&str> {
        let told = self.events().iter().flat_map(|event| [Some(&event.policy), event.renamed.as_ref()]).flatten().map(PolicyId::as_str);
        let there = self.state().into_iter().flat_map(|state| state.files().values().flatten());
        told.chain(there.map(|kept| kept.written.version.id.as_str())).collect()
    }
}

impl<'a> Lifeline<'a> {
    /// The event that deleted it, if it is gone.
    pub fn deleted(&self) -> Option<&'a Event> {
        self.events.last().copied().filter(|event| event.after.is_none())
    }

    /// Every id that it has had, the last one first.
    pub fn ids(&self) -> Vec<&PolicyId> {
        let mut ids = vec![&self.id];
        ids.extend(self.events.iter().rev().filter_map(|event| event.renamed.as_ref()));
        ids
    }

    /// The last event by which it was called something other than `id`.
    pub fn renamed_from(&self, id: &str) -> Option<&'a Event> {
        self.events.iter().rev().copied().find(|event| event.renamed.as_ref().is_some_and(|old| old.as_str() == id))
    }
}

/// The id that a policy came to have, and its events, oldest first.
fn follow<'a>(events: &'a [Event], id: &str) -> Option<(PolicyId, Vec<&'a Event>)> {
    let gave_away = |event: &Event, id: &str| event.renamed.as_ref().is_some_and(|old| old.as_str() == id);
    let last = events.iter().rposition(|event| event.policy.as_str() == id || gave_away(event, id))?;
    let mut current = PolicyId::new(id)?;
    for event in events.get(last..)? {
        if gave_away(event, current.as_str()) {
            current = event.policy.clone();
        }
    }
    let called = current.clone();
    let mut own = Vec::new();
    for event in events.iter().rev() {
        if event.policy == current {
            own.push(event);
            if let Some(old) = &event.renamed {
                current = old.clone();
            }
        } else if gave_away(event, current.as_str()) {
            // What was called this before is another policy, which is called otherwise now.
            break;
        }
    }
    own.reverse();
    Some((called, own))
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;
    use crate::history::Action;
    use crate::history::CommitTime;
    use crate::history::Landing;
    use crate::history::Person;
    use crate::history::Sha256Hash;
    use crate::history::Signature;
    use crate::policy::from_value;
    use crate::schema::Kind;

    pub fn version(fields: &Value) -> Arc<Version> {
        let kind = if fields.get("_id").is_some() { Kind::Access } else { Kind::Control };
        Arc::new(Version::new(&from_value(kind, fields).expect("valid")))
    }

    /// An event of commit `seq`, which is all that its landing says.
    pub fn event(seq: u64, action: Action, before: Option<&Arc<Version>>, after: Option<&Arc<Version>>) -> Event {
        let nobody = Person { name: String::new(), email: String::new() };
        let at = CommitTime::new(0, 0);
        let landing = Landing {
            commit: format!("c{seq}"),
            parents: Vec::new(),
            author: nobody.clone(),
            authored: at,
            committer: nobody,
            committed: at,
            subject: String::new(),
            trailers: Vec::new(),
            landed: true,
            signature: Signature::NONE,
        };
        let place = after.or(before).expect("one of them");
        Event {
            seq,
            landing: Arc::new(landing),
            policy: place.id.clone(),
            kind: place.kind,
            path: "f".into(),
            from: None,
            action,
            renamed: before.filter(|before| action == Action::Rename && before.id != place.id).map(|before| before.id.clone()),
            restores: None,
            fields: Box::default(),
            before: before.cloned(),
            after: after.cloned(),
            merge: None,
            state: Sha256Hash::ZERO,
            prev: Sha256Hash::ZERO,
        }
    }

    fn named(id: &str) -> Arc<Version> {
        version(&json!({"_id": id, "service": "s", "actions": ["read"], "members": ["a"]}))
    }

    /// Each event as `+A`, `-A`, `A>B` or `A`.
    fn events(told: &[&str]) -> Vec<Event> {
        let one = |(at, text): (usize, &&str)| {
            let seq = at as u64 + 1;
            if let Some(id) = text.strip_prefix('+') {
                event(seq, Action::Create, None, Some(&named(id)))
            } else if let Some(id) = text.strip_prefix('-') {
                event(seq, Action::Delete, Some(&named(id)), None)
            } else if let Some((old, new)) = text.split_once('>') {
                event(seq, Action::Rename, Some(&named(old)), Some(&named(new)))
            } else {
                event(seq, Action::Update, Some(&named(text)), Some(&named(text)))
            }
        };
        told.iter().enumerate().map(one).collect()
    }

    #[track_caller]
    fn check(told: &[&str], id: &str, expected: Option<(&str, &[u64])>) {
        let events = events(told);
        let found = follow(&events, id).map(|(id, own)| (id.to_string(), own.iter().map(|event| event.seq).collect::<Vec<_>>()));
        assert_eq!(found, expected.map(|(id, own)| (id.to_owned(), own.to_vec())), "{told:?} {id}");
    }

    #[test]
    fn a_policy_is_followed_through_its_ids() {
        check(&["+A", "+X", "A>B", "B"], "B", Some(("B", &[1, 3, 4])));
        check(&["+A", "+X", "A>B", "B"], "A", Some(("B", &[1, 3, 4])));
        check(&["+A", "A>B", "B>C", "-C"], "A", Some(("C", &[1, 2, 3, 4])));
        check(&["+A", "A>B", "B>A"], "B", Some(("A", &[1, 2, 3])));
        check(&["+A", "-A", "+A"], "A", Some(("A", &[1, 2, 3])));
        check(&["+A"], "B", None);
        check(&["+A"], "", None);
    }

    #[test]
    fn an_id_that_was_given_away_is_that_of_its_new_owner() {
        check(&["+A", "A>B", "+A", "A", "B"], "A", Some(("A", &[3, 4])));
        check(&["+A", "A>B", "+A", "A", "B"], "B", Some(("B", &[1, 2, 5])));
        check(&["+A", "A>B", "+A", "-A"], "A", Some(("A", &[3, 4])));
        check(&["+A", "A>B", "B>C", "+B", "B"], "A", Some(("C", &[1, 2, 3])));
    }
}
