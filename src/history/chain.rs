//! What makes the trail tamper evident: the hash of all policies after a commit, and the hash that chains the events.
//!
//! Both can be computed again by anybody, from the repository or from an export, with nothing but SHA-256 and JSON:
//!
//! - The *state* is the root of a tree: the SHA-256 of 16 values, one after the other, each the SHA-256 of 16 values again. Of
//!   these 256 in order, value *n* is the SHA-256 of the lines `id:hash`, each with a line feed, of those policies whose id has a
//!   SHA-256 that begins with the byte *n*, in byte order of the ids. `hash` is the SHA-256 of the policy as canonical JSON, in
//!   hexadecimal digits. So one commit costs the 256th part of a law book.
//! - An event is hashed as the canonical JSON of its members [`MEMBERS`], all there, absent values as `null`. `prev` is the hash
//!   of the event before, or 64 zeros. Everything else that an export says of an event (who signed, what it means) is told
//!   beside it, and follows from the commit.
//!
//! Canonical JSON has its keys in byte order, no white space, and UTF-8 unescaped.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use sha2::Digest;
use sha2::Sha256;

use super::Event;
use super::FieldChange;
use super::Landing;
use super::Person;
use super::Sha256Hash;
use super::hash::canonical;
use crate::policy::PolicyId;
use crate::schema::Kind;

/// The version of what is written above; it changes when an old head could not be computed any more.
pub const CHAIN_VERSION: u8 = 1;

/// The members of an event that are chained, in byte order.
pub const MEMBERS: [&str; 19] = [
    "action",
    "author",
    "authored",
    "changes",
    "claimed",
    "commit",
    "committed",
    "committer",
    "from",
    "kind",
    "parents",
    "path",
    "policy",
    "prev",
    "renamed",
    "restores",
    "seq",
    "state",
    "subject",
];

/// The word for a kind of policy.
pub fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Access => "access-policy",
        Kind::Control => "control",
    }
}

/// The chained members; the fields stand in byte order of their names, as do those of everything below.
#[derive(Serialize)]
struct Chained<'a> {
    action: &'a str,
    author: ChainedPerson<'a>,
    authored: String,
    changes: Vec<ChainedChange<'a>>,
    claimed: Vec<ChainedTrailer<'a>>,
    commit: &'a str,
    committed: String,
    committer: ChainedPerson<'a>,
    from: Option<&'a str>,
    kind: &'a str,
    parents: &'a [String],
    path: &'a str,
    policy: &'a str,
    prev: String,
    renamed: Option<&'a str>,
    restores: Option<&'a str>,
    seq: u64,
    state: String,
    subject: &'a str,
}

#[derive(Serialize)]
struct ChainedPerson<'a> {
    email: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct ChainedChange<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lhs: Option<&'a Value>,
    path: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    rhs: Option<&'a Value>,
}

#[derive(Serialize)]
struct ChainedTrailer<'a> {
    key: &'a str,
    value: &'a str,
}

impl Event {
    /// The hash of the event, which the next one names as `prev`.
    pub fn hash(&self) -> Sha256Hash {
        Sha256Hash::of(&self.canonical())
    }

    /// The bytes that are hashed.
    pub fn canonical(&self) -> Vec<u8> {
        self.canonical_with(&self.changes())
    }

    /// The same, with changes that are known already.
    pub(super) fn canonical_with(&self, changes: &[FieldChange]) -> Vec<u8> {
        let landing: &Landing = &self.landing;
        canonical(&Chained {
            action: self.action.as_str(),
            author: chained_person(&landing.author),
            authored: landing.authored.to_string(),
            changes: changes.iter().map(chained_change).collect(),
            claimed: landing.trailers.iter().map(|(key, value)| ChainedTrailer { key, value }).collect(),
            commit: &landing.commit,
            committed: landing.committed.to_string(),
            committer: chained_person(&landing.committer),
            from: self.from.as_deref(),
            kind: kind_word(self.kind),
            parents: &landing.parents,
            path: &self.path,
            policy: self.policy.as_str(),
            prev: self.prev.to_string(),
            renamed: self.renamed.as_ref().map(PolicyId::as_str),
            restores: self.restores.as_deref(),
            seq: self.seq,
            state: self.state.to_string(),
            subject: &landing.subject,
        })
    }
}

/// An event that is hashed but for the one before it, so that only what follows that has to wait.
pub(super) struct Hashing {
    begun: Sha256,
    rest: Vec<u8>,
}

impl Hashing {
    /// Begins with the bytes of an event that names no event before it.
    pub(super) fn new(bytes: &[u8]) -> Self {
        const NAME: &[u8] = b"\"prev\":\"";
        // What follows this member is short, and in none of the texts there can be a quotation mark that is not escaped.
        let at = bytes.windows(NAME.len()).rposition(|window| window == NAME).map_or(bytes.len(), |at| at + NAME.len());
        let (head, rest) = bytes.split_at(at);
        Self { begun: Sha256::new_with_prefix(head), rest: rest.get(64..).unwrap_or_default().to_vec() }
    }

    /// The hash after an event.
    pub(super) fn after(self, prev: Sha256Hash) -> Sha256Hash {
        let hash: [u8; 32] = self.begun.chain_update(prev.digits()).chain_update(self.rest).finalize().into();
        hash.into()
    }
}

fn chained_person(person: &Person) -> ChainedPerson<'_> {
    ChainedPerson { email: &person.email, name: &person.name }
}

fn chained_change(change: &FieldChange) -> ChainedChange<'_> {
    ChainedChange { kind: change.kind.as_str(), lhs: change.lhs.as_ref(), path: &change.path, rhs: change.rhs.as_ref() }
}

/// The semantic hashes of all policies, in 16 times 16 groups by the hash of their id.
#[derive(Debug, Clone)]
pub(super) struct StateHash {
    branches: [Branch; 16],
}

#[derive(Debug, Clone, Default)]
struct Branch {
    groups: [Group; 16],
    hash: Option<Sha256Hash>,
}

#[derive(Debug, Clone, Default)]
struct Group {
    policies: BTreeMap<PolicyId, Sha256Hash>,
    hash: Option<Sha256Hash>,
}

impl StateHash {
    /// Of no policy.
    pub(super) fn new() -> Self {
        Self { branches: Default::default() }
    }

    /// Of some policies.
    pub(super) fn of<'a>(policies: impl IntoIterator<Item = (&'a PolicyId, Sha256Hash)>) -> Self {
        let mut state = Self::new();
        policies.into_iter().for_each(|(id, hash)| state.set(id, Some(hash)));
        state
    }

    /// A policy means something else, or is gone.
    pub(super) fn set(&mut self, id: &PolicyId, hash: Option<Sha256Hash>) {
        let [first, ..] = *Sha256Hash::of(id.as_str().as_bytes()).as_bytes();
        let Some(branch) = self.branches.get_mut(usize::from(first >> 4)) else { return };
        branch.hash = None;
        let Some(group) = branch.groups.get_mut(usize::from(first & 15)) else { return };
        group.hash = None;
        match hash {
            Some(hash) => group.policies.insert(id.clone(), hash),
            None => group.policies.remove(id),
        };
    }

    /// The state.
    pub(super) fn root(&mut self) -> Sha256Hash {
        joined(&mut self.branches, |Branch { groups, hash }| {
            *hash.get_or_insert_with(|| joined(groups, |group| *group.hash.get_or_insert_with(|| lines(&group.policies))))
        })
    }
}

/// The hash of 16 hashes.
fn joined<T>(parts: &mut [T; 16], mut hash: impl FnMut(&mut T) -> Sha256Hash) -> Sha256Hash {
    let mut all = Vec::with_capacity(16 * 32);
    parts.iter_mut().for_each(|part| all.extend_from_slice(hash(part).as_bytes()));
    Sha256Hash::of(&all)
}

/// The hash of the policies of one group.
fn lines(policies: &BTreeMap<PolicyId, Sha256Hash>) -> Sha256Hash {
    let mut lines = Vec::with_capacity(policies.len() * 96);
    for (id, hash) in policies {
        lines.extend_from_slice(id.as_str().as_bytes());
        lines.push(b':');
        lines.extend_from_slice(&hash.digits());
        lines.push(b'\n');
    }
    Sha256Hash::of(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> PolicyId {
        PolicyId::new(text).expect("an id")
    }

    /// The state by its definition, group by group.
    fn by_definition(policies: &[(&str, Sha256Hash)]) -> Sha256Hash {
        let mut all: Vec<Vec<u8>> = vec![Vec::new(); 16];
        for group in 0..=255_u8 {
            let mut own: Vec<&(&str, Sha256Hash)> =
                policies.iter().filter(|(id, _)| Sha256Hash::of(id.as_bytes()).as_bytes().first() == Some(&group)).collect();
            own.sort();
            let lines: String = own.iter().map(|(id, hash)| format!("{id}:{hash}\n")).collect();
            all[usize::from(group / 16)].extend_from_slice(Sha256Hash::of(lines.as_bytes()).as_bytes());
        }
        Sha256Hash::of(&all.iter().flat_map(|branch| *Sha256Hash::of(branch).as_bytes()).collect::<Vec<u8>>())
    }

    #[test]
    fn the_state_depends_on_what_there_is_and_not_on_how_it_came_to_be() {
        let (one, two) = (Sha256Hash::of(b"1"), Sha256Hash::of(b"2"));
        let mut state = StateHash::new();
        assert_eq!(state.root(), by_definition(&[]));
        let names: Vec<String> = (0..600).map(|number| format!("POLICY-{number}")).collect();
        names.iter().for_each(|name| state.set(&id(name), Some(one)));
        state.root();
        names.iter().skip(300).for_each(|name| state.set(&id(name), None));
        state.set(&id("POLICY-7"), Some(two));
        let expected: Vec<(&str, Sha256Hash)> =
            names.iter().take(300).map(|name| (name.as_str(), if name == "POLICY-7" { two } else { one })).collect();
        assert_eq!(state.root(), by_definition(&expected));
    }

    #[test]
    fn the_event_before_is_put_where_it_belongs() {
        let bytes =
            |prev: &str| format!(r#"{{"changes":[{{"lhs":{{"prev":"{0}"}}}}],"prev":"{prev}","subject":"\"prev\":\"x"}}"#, "0".repeat(64));
        let prev = Sha256Hash::of(b"the one before");
        let expected = Sha256Hash::of(bytes(&prev.to_string()).as_bytes());
        assert_eq!(Hashing::new(bytes(&Sha256Hash::ZERO.to_string()).as_bytes()).after(prev), expected);
    }

    #[test]
    fn the_members_are_in_byte_order() {
        assert!(MEMBERS.is_sorted());
    }
}
