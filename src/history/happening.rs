//! What a commit did to policies, from what differs before and after it.

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use super::Action;
use super::Event;
use super::FieldChange;
use super::Landing;
use super::Merge;
use super::Sha256Hash;
use super::Version;
use super::change::changes;
use super::state::Delta;
use super::state::Held;
use crate::policy::PolicyId;
use crate::schema::Kind;

/// What happened to one policy.
#[derive(Debug, Clone)]
pub(super) struct Happening {
    pub(super) policy: PolicyId,
    pub(super) kind: Kind,
    pub(super) path: Arc<str>,
    pub(super) from: Option<Arc<str>>,
    pub(super) action: Action,
    pub(super) renamed: Option<PolicyId>,
    pub(super) restores: Option<Arc<str>>,
    pub(super) before: Option<Arc<Version>>,
    pub(super) after: Option<Arc<Version>>,
}

impl Happening {
    /// The files that it is about, relative to the root of the law book.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.path).chain(self.from.as_deref())
    }

    /// What the policy was called before.
    pub(super) fn id_before(&self) -> &PolicyId {
        self.renamed.as_ref().unwrap_or(&self.policy)
    }

    /// What differs.
    pub(super) fn changes(&self) -> Vec<FieldChange> {
        changes(self.before.as_deref(), self.after.as_deref())
    }

    /// The event that it is, as the first one of a trail.
    pub(super) fn event(self, seq: u64, landing: &Arc<Landing>, changes: &[FieldChange], merge: Option<Merge>, state: Sha256Hash) -> Event {
        let Self { policy, kind, path, from, action, renamed, restores, before, after } = self;
        let prev = Sha256Hash::ZERO;
        let mut fields: Vec<Box<str>> = changes.iter().filter_map(|change| change.path.first()).map(|name| name.as_str().into()).collect();
        fields.dedup();
        let (landing, fields) = (Arc::clone(landing), fields.into());
        Event { seq, landing, policy, kind, path, from, action, renamed, restores, fields, before, after, merge, state, prev }
    }
}

/// What every policy has meant so far, by semantic hash, which covers the id too: the commits in which it came to mean that.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    /// Each commit with its position on the line of first parents, in that order.
    meanings: HashMap<Sha256Hash, Vec<(usize, Arc<Landing>)>>,
    position: usize,
}

impl Past {
    /// With room for so many events.
    pub(super) fn with_capacity(events: usize) -> Self {
        Self { meanings: HashMap::with_capacity(events), position: 0 }
    }

    /// The next commit on the line of first parents.
    pub(super) fn step(&mut self) {
        self.position += 1;
    }

    /// The last commit, up to a position, in which the policy came to mean this.
    fn find(&self, version: &Version, until: usize) -> Option<Arc<str>> {
        let all = self.meanings.get(&version.hash)?;
        let (_, landing) = all.partition_point(|(position, _)| *position <= until).checked_sub(1).and_then(|last| all.get(last))?;
        Some(landing.commit.as_str().into())
    }

    /// Remembers what a policy means from a commit on.
    pub(super) fn record(&mut self, before: Option<&Version>, after: Option<&Version>, landing: &Arc<Landing>) {
        if let Some(after) = after.filter(|after| before.is_none_or(|before| before.hash != after.hash)) {
            self.meanings.entry(after.hash).or_default().push((self.position, Arc::clone(landing)));
        }
    }
}

/// What the differences of one commit are, in order of ids; only the past up to a position is its own. Nothing that counts may
/// be among them.
pub(super) fn happenings(deltas: Vec<Delta>, past: &Past, until: usize) -> Vec<Happening> {
    let mut renamed = renames(&deltas);
    let gone: HashSet<PolicyId> = renamed.values().map(|held| held.version.id.clone()).collect();
    let rest = deltas.into_iter().filter(|delta| delta.after.is_some() || !gone.contains(&delta.id));
    rest.filter_map(|delta| {
        let before = renamed.remove(&delta.id).or(delta.before);
        happening(delta.id, before, delta.after, &|version| past.find(version, until))
    })
    .collect()
}

/// Which of the new policies is which of those that are gone: one with the same body, in the same file if there is one, and the
/// first one by its id of several.
fn renames(deltas: &[Delta]) -> HashMap<PolicyId, Held> {
    let mut found: HashMap<PolicyId, Held> = HashMap::new();
    // Bodies are taken out of their versions only where something may have been renamed.
    if deltas.iter().all(|delta| delta.before.is_some()) || deltas.iter().all(|delta| delta.after.is_some()) {
        return found;
    }
    let gone = deltas.iter().rev().filter(|delta| delta.after.is_none()).filter_map(|delta| delta.before.as_ref());
    let (mut by_place, mut by_body): (HashMap<_, Vec<&Held>>, HashMap<_, Vec<&Held>>) = (HashMap::new(), HashMap::new());
    for held in gone.filter(|held| !held.broken) {
        let body = held.version.body();
        by_place.entry((body, &held.path)).or_default().push(held);
        by_body.entry(body).or_default().push(held);
    }
    let new = deltas.iter().filter(|delta| delta.before.is_none()).filter_map(|delta| Some((&delta.id, delta.after.as_ref()?)));
    let new: Vec<(&PolicyId, &Held, Sha256Hash)> = new.map(|(id, held)| (id, held, held.version.body())).collect();
    let mut taken: HashSet<&PolicyId> = HashSet::new();
    for (id, new, body) in &new {
        if let Some(held) = by_place.get_mut(&(*body, &new.path)).and_then(Vec::pop) {
            taken.insert(&held.version.id);
            found.insert((*id).clone(), held.clone());
        }
    }
    for (id, _, body) in &new {
        if found.contains_key(*id) {
            continue;
        }
        let Some(same) = by_body.get_mut(body) else { continue };
        while let Some(held) = same.pop() {
            if taken.insert(&held.version.id) {
                found.insert((*id).clone(), held.clone());
                break;
            }
        }
    }
    found
}

fn happening(
    policy: PolicyId,
    before: Option<Held>,
    after: Option<Held>,
    find: &dyn Fn(&Version) -> Option<Arc<str>>,
) -> Option<Happening> {
    let place = after.as_ref().or(before.as_ref())?;
    let (path, kind) = (Arc::clone(&place.path), place.version.kind);
    let from = before.as_ref().map(|held| &held.path).filter(|&old| *old != path).cloned();
    let renamed = before.as_ref().map(|held| &held.version.id).filter(|&id| *id != policy).cloned();
    let mut restores = None;
    let mut again = |held: &Held| {
        restores = find(&held.version);
        restores.is_some()
    };
    let action = match (&before, &after) {
        (None, None) => return None,
        (Some(_), None) => Action::Delete,
        (None, Some(after)) => {
            if again(after) {
                Action::Restore
            } else {
                Action::Create
            }
        }
        (Some(_), Some(_)) if renamed.is_some() => Action::Rename,
        (Some(before), Some(after)) => match (before.broken, after.broken) {
            (false, true) => Action::Break,
            (true, false) => Action::Repair,
            _ if before.version.hash == after.version.hash && from.is_some() => Action::Move,
            (true, true) => return None,
            _ if before.version.hash == after.version.hash => Action::Reformat,
            _ if before.version.differs_in_force_only(&after.version) => {
                if after.version.enabled {
                    Action::Enable
                } else {
                    Action::Disable
                }
            }
            _ if again(after) => Action::Restore,
            _ => Action::Update,
        },
    };
    let (before, after) = (before.map(|held| held.version), after.map(|held| held.version));
    Some(Happening { policy, kind, path, from, action, renamed, restores, before, after })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::CommitTime;
    use super::super::Person;
    use super::super::Signature;
    use super::*;
    use crate::policy::from_value;

    /// `path id service`, with `!` before the path of one that cannot be read, `~` before one that is written differently and
    /// `-` before one that is out of force.
    fn held(text: &str) -> Held {
        let mark = |sign: char| text.split(' ').next().is_some_and(|path| path.contains(sign));
        let mut words = text.trim_start_matches(['!', '~', '-']).split(' ').map(str::to_owned);
        let mut word = || words.next().expect("three words");
        let (path, id, service) = (word(), word(), word());
        let value = json!({"_id": id, "service": service, "actions": ["read"], "members": ["*"], "enabled": !mark('-')});
        let version = Version::new(&from_value(Kind::Access, &value).expect("valid"));
        let text = Sha256Hash::of(if mark('~') { b"other" } else { b"usual" });
        Held { path: path.into(), version: Arc::new(version), text, broken: mark('!') }
    }

    fn landing(commit: &str) -> Arc<Landing> {
        let person = || Person { name: String::new(), email: String::new() };
        let time = CommitTime::new(0, 0);
        Arc::new(Landing {
            commit: commit.to_owned(),
            parents: Vec::new(),
            author: Arc::new(person()),
            authored: time,
            committer: Arc::new(person()),
            committed: time,
            subject: String::new(),
            trailers: Vec::new(),
            landed: true,
            signature: Signature::none(),
        })
    }

    #[track_caller]
    fn check(past: &[(&str, &str)], deltas: &[(Option<&str>, Option<&str>)], expected: &[&str]) {
        let mut known = Past::default();
        for (commit, version) in past {
            known.record(None, Some(&held(version).version), &landing(commit));
        }
        let delta = |(before, after): &(Option<&str>, Option<&str>)| {
            let (before, after) = (before.map(held), after.map(held));
            let id = after.as_ref().or(before.as_ref()).expect("one of them").version.id.clone();
            Delta { id, before, after, certain: true }
        };
        let found: Vec<String> = happenings(deltas.iter().map(delta).collect(), &known, usize::MAX)
            .into_iter()
            .map(|one| {
                let more =
                    [one.from.map(|path| path.to_string()), one.renamed.map(|id| id.to_string()), one.restores.map(|id| id.to_string())];
                let words =
                    [one.action.to_string(), one.policy.to_string(), one.path.to_string()].into_iter().chain(more.into_iter().flatten());
                words.collect::<Vec<_>>().join(" ")
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_difference_has_its_name() {
        check(&[], &[(None, Some("f A s"))], &["create A f"]);
        check(&[], &[(Some("f A s"), None)], &["delete A f"]);
        check(&[], &[(Some("f A s"), Some("f A t"))], &["update A f"]);
        check(&[], &[(Some("f A s"), Some("-f A s"))], &["disable A f"]);
        check(&[], &[(Some("-f A s"), Some("f A s"))], &["enable A f"]);
        check(&[], &[(Some("-f A s"), Some("f A t"))], &["update A f"]);
        check(&[], &[(Some("f A s"), Some("g A s"))], &["move A g f"]);
        check(&[], &[(Some("f A s"), Some("~g A s"))], &["move A g f"]);
        check(&[], &[(Some("f A s"), Some("~f A s"))], &["reformat A f"]);
        check(&[], &[(Some("f A s"), Some("!f A s"))], &["break A f"]);
        check(&[], &[(Some("!f A s"), Some("f A s"))], &["repair A f"]);
        check(&[], &[(Some("!f A s"), Some("f A t"))], &["repair A f"]);
        check(&[], &[(Some("!f A s"), None)], &["delete A f"]);
        check(&[], &[(Some("!f A s"), Some("!~f A s"))], &[]);
    }

    #[test]
    fn what_was_before_is_restored_unless_it_was_only_switched() {
        check(&[("c1", "f A s"), ("c2", "f A t")], &[(Some("f A t"), Some("f A s"))], &["restore A f c1"]);
        check(&[("c1", "f A s")], &[(None, Some("g A s"))], &["restore A g c1"]);
        check(&[("c1", "f B s")], &[(None, Some("g A s"))], &["create A g"]);
        check(&[("c1", "f A s"), ("c2", "-f A s")], &[(Some("-f A s"), Some("f A s"))], &["enable A f"]);
    }

    #[test]
    fn a_policy_with_another_id_and_the_same_body_is_renamed() {
        check(&[], &[(Some("f A s"), None), (None, Some("f B s"))], &["rename B f A"]);
        check(&[], &[(Some("f A s"), None), (None, Some("g B s"))], &["rename B g f A"]);
        check(&[], &[(Some("f A s"), None), (None, Some("f B t"))], &["delete A f", "create B f"]);
        let both = [(Some("f A s"), None), (Some("g B s"), None), (None, Some("g C s")), (None, Some("h D s"))];
        check(&[], &both, &["rename C g B", "rename D h f A"]);
        check(&[], &[(Some("f A s"), None), (Some("g B s"), None), (None, Some("h D s"))], &["delete B g", "rename D h f A"]);
        let three = [(Some("f A s"), None), (Some("f B s"), None), (None, Some("f C s")), (None, Some("f D s")), (None, Some("f E s"))];
        check(&[], &three, &["rename C f A", "rename D f B", "create E f"]);
        let in_place = [(Some("f A s"), None), (Some("g B s"), None), (None, Some("h C s")), (None, Some("f D s")), (None, Some("h E s"))];
        check(&[], &in_place, &["rename C h g B", "rename D f A", "create E h"]);
        check(&[], &[(Some("!f A s"), None), (None, Some("f B s"))], &["delete A f", "create B f"]);
    }
}
