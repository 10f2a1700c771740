//! The versions of one policy: its events under all the ids that it has had.
//!
//! An id is a name, and names are given away: a policy may be called otherwise later, and another one may then be called what it
//! was. So the events are followed one by one, through each renaming, and never gathered by id.

use std::collections::BTreeSet;
use std::collections::HashMap;
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
    let mut lives = Lives::default();
    for commit in events.chunk_by(|one, other| one.landing.commit == other.landing.commit) {
        // What a commit takes away goes before what it brings, whatever their ids: one may stand in the place of the other.
        let (gone, rest): (Vec<&Event>, Vec<&Event>) = commit.iter().partition(|event| event.after.is_none());
        gone.into_iter().chain(rest).for_each(|event| lives.tell(event));
    }
    let life = lives.called.get(id).or_else(|| lives.formerly.get(id))?;
    let own = lives.all.get(*life)?.events.clone();
    Some((own.last()?.policy.clone(), own))
}

/// Every policy that there ever was, by position.
#[derive(Default)]
struct Lives<'a> {
    all: Vec<Life<'a>>,
    /// Whose each id is, or was when it was deleted.
    called: HashMap<&'a str, usize>,
    /// Who gave each id away last.
    formerly: HashMap<&'a str, usize>,
}

#[derive(Default)]
struct Life<'a> {
    events: Vec<&'a Event>,
    there: bool,
}

impl<'a> Lives<'a> {
    fn tell(&mut self, event: &'a Event) {
        let id = event.policy.as_str();
        let life = match &event.renamed {
            Some(old) => {
                let life = self.called.remove(old.as_str());
                let life = life.unwrap_or_else(|| self.begin());
                self.formerly.insert(old.as_str(), life);
                life
            }
            None => self.of(event).unwrap_or_else(|| self.begin()),
        };
        self.called.insert(id, life);
        if let Some(life) = self.all.get_mut(life) {
            life.events.push(event);
            life.there = event.after.is_some();
        }
    }

    /// Whose the id of an event is. One that appears anew is who had the id before, if that one is gone; what is restored may
    /// have been called otherwise in between.
    fn of(&self, event: &Event) -> Option<usize> {
        let id = event.policy.as_str();
        let gone = |life: &&usize| self.all.get(**life).is_some_and(|life| !life.there);
        let holder = self.called.get(id);
        if event.before.is_some() {
            return holder.copied();
        }
        let former = || self.formerly.get(id).filter(|_| event.restores.is_some()).filter(gone);
        holder.filter(gone).or_else(former).copied()
    }

    fn begin(&mut self) -> usize {
        self.all.push(Life::default());
        self.all.len() - 1
    }
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
        let nobody = Arc::new(Person { name: String::new(), email: String::new() });
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
            signature: Signature::none(),
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
            fields: Arc::default(),
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

    /// Each event as `+A`, `*A` (it is restored), `-A`, `A>B` or `A`; with `!` behind it, of the same commit as the one before.
    fn events(told: &[&str]) -> Vec<Event> {
        let one = |(at, text): (usize, &&str)| {
            let (seq, text) = (at as u64 + 1, text.trim_end_matches('!'));
            if let Some(id) = text.strip_prefix('+') {
                event(seq, Action::Create, None, Some(&named(id)))
            } else if let Some(id) = text.strip_prefix('*') {
                let restored = event(seq, Action::Restore, None, Some(&named(id)));
                Event { restores: Some("c1".into()), ..restored }
            } else if let Some(id) = text.strip_prefix('-') {
                event(seq, Action::Delete, Some(&named(id)), None)
            } else if let Some((old, new)) = text.split_once('>') {
                event(seq, Action::Rename, Some(&named(old)), Some(&named(new)))
            } else {
                event(seq, Action::Update, Some(&named(text)), Some(&named(text)))
            }
        };
        let mut events: Vec<Event> = told.iter().enumerate().map(one).collect();
        for at in 1..told.len() {
            if told[at].ends_with('!') {
                events[at].landing = events[at - 1].landing.clone();
            }
        }
        events
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
        check(&["A", "A>B", "B"], "B", Some(("B", &[1, 2, 3])));
        check(&["A>B"], "A", Some(("B", &[1])));
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

    #[test]
    fn what_is_restored_under_an_earlier_id_goes_on_where_it_ended() {
        check(&["+A", "A>B", "-B", "*A"], "A", Some(("A", &[1, 2, 3, 4])));
        check(&["+A", "A>B", "-B", "*A"], "B", Some(("A", &[1, 2, 3, 4])));
        check(&["+A", "A>B", "-B", "*A", "+B"], "B", Some(("B", &[5])));
        check(&["+A", "A>B", "*A"], "A", Some(("A", &[3])));
        check(&["+A", "A>B", "-B", "+A"], "A", Some(("A", &[4])));
        check(&["+A", "A>B", "*A", "-B!"], "A", Some(("A", &[1, 2, 4, 3])));
    }
}
