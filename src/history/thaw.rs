//! From the form in which a trail is kept back to a trail.

use std::collections::HashMap;
use std::sync::Arc;

use git2::Oid;
use jiff::Timestamp;
use rayon::prelude::*;

use super::Action;
use super::CommitTime;
use super::Event;
use super::Landing;
use super::Merge;
use super::MergeKind;
use super::Person;
use super::Sha256Hash;
use super::Signature;
use super::SignatureStatus;
use super::Version;
use super::freeze::STATUSES;
use super::reading::Written;
use super::state::Kept;
use super::state::State;
use super::stored::At;
use super::stored::Id;
use super::stored::Stored;
use super::stored::StoredContent;
use super::stored::StoredEvent;
use super::stored::StoredLanding;
use super::stored::StoredTime;
use super::stored::StoredVersion;
use super::tree::Content;
use super::version::Text;
use super::walk::Marks;
use crate::policy::PolicyId;
use crate::schema::Kind;

/// A trail that was kept, in its parts.
pub(super) struct Thawed {
    pub(super) tip: Oid,
    pub(super) head: Sha256Hash,
    pub(super) events: Vec<Event>,
    pub(super) created: Vec<(PolicyId, CommitTime)>,
    pub(super) beside: Vec<(Oid, Vec<Arc<str>>)>,
    pub(super) marks: Marks,
    pub(super) state: State,
}

/// The tables, as what they mean.
struct Tables<'a> {
    ids: Vec<PolicyId>,
    paths: Vec<Arc<str>>,
    fields: Vec<Arc<[Box<str>]>>,
    people: Vec<Arc<Person>>,
    /// What everything was read from.
    whole: &'a Arc<Vec<u8>>,
}

impl Thawed {
    /// Reads what was kept, from a place in a file on; `None` when it is damaged.
    pub(super) fn new(bytes: Vec<u8>, start: usize) -> Option<Self> {
        let whole = Arc::new(bytes);
        let stored: Stored<'_> = postcard::from_bytes(whole.get(start..)?).ok()?;
        let tables = Tables {
            ids: stored.ids.iter().map(|id| PolicyId::new(id)).collect::<Option<_>>()?,
            paths: stored.paths.iter().map(|&path| path.into()).collect(),
            fields: stored.fields.iter().map(|names| names.iter().map(|&name| name.into()).collect()).collect(),
            people: stored
                .people
                .iter()
                .map(|&(name, email)| Arc::new(Person { name: name.to_owned(), email: email.to_owned() }))
                .collect(),
            whole: &whole,
        };
        let (versions, landings) = rayon::join(
            || each(&stored.versions, |_, version| tables.version(version)),
            || each(&stored.landings, |_, landing| tables.landing(landing)),
        );
        let (versions, landings) = (versions?, landings?);
        let events = each(&stored.events, |at, event| tables.event(at as u64 + 1, event, &versions, &landings))?;
        let mut state = State::default();
        for (path, policies) in &stored.files {
            let kept = policies.iter().map(|kept| {
                let written = Written { version: get(&versions, kept.version)?, text: Sha256Hash::from(kept.text) };
                Some(Kept { written, broken: kept.broken })
            });
            state.put(&get(&tables.paths, *path)?, kept.collect::<Option<_>>()?);
        }
        let created = stored.created.iter().map(|(id, created)| Some((get(&tables.ids, *id)?, time(*created)?)));
        let beside = stored
            .beside
            .iter()
            .map(|(commit, files)| Some((id(commit)?, files.iter().map(|path| get(&tables.paths, *path)).collect::<Option<_>>()?)));
        let beside = beside.collect::<Option<_>>()?;
        let contents = stored.position.files.iter().map(|(path, one)| Some((get(&tables.paths, *path)?, content(one)?)));
        let marks = Marks {
            law_book: optional(stored.position.law_book.as_ref(), id)?,
            config: optional(stored.position.config.as_ref(), content)?,
            followed: optional(stored.position.followed.as_ref(), id)?,
            files: contents.collect::<Option<HashMap<_, _>>>()?,
        };
        let (tip, head) = (id(&stored.tip)?, Sha256Hash::from(stored.head));
        Some(Self { tip, head, events, created: created.collect::<Option<_>>()?, beside, marks, state })
    }
}

impl Tables<'_> {
    fn version(&self, version: &StoredVersion<'_>) -> Option<Arc<Version>> {
        Some(Arc::new(Version {
            id: get(&self.ids, version.id)?,
            kind: kind(version.is_control),
            enabled: version.enabled,
            hash: Sha256Hash::from(version.hash),
            text: self.part(version.text)?,
        }))
    }

    /// A text that was read, as a part of the whole.
    fn part(&self, text: &str) -> Option<Text> {
        let start = text.as_ptr().addr().checked_sub(self.whole.as_ptr().addr())?;
        let range = u32::try_from(start).ok()?..u32::try_from(start + text.len()).ok()?;
        Some(Text::Part(Arc::clone(self.whole), range))
    }

    fn landing(&self, landing: &StoredLanding<'_>) -> Option<(Arc<Landing>, Sha256Hash)> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let signature = match landing.signature {
            None => Signature::none(),
            Some((status, principal, key, why)) => {
                let status: SignatureStatus = STATUSES.get(usize::from(status)).copied()?;
                Signature { status, principal: owned(principal), key: owned(key), why: owned(why) }
            }
        };
        let read = Landing {
            commit: landing.commit.to_owned(),
            parents: landing.parents.iter().map(|&parent| parent.to_owned()).collect(),
            author: get(&self.people, landing.author)?,
            authored: time(landing.authored)?,
            committer: get(&self.people, landing.committer)?,
            committed: time(landing.committed)?,
            subject: landing.subject.to_owned(),
            trailers: landing.trailers.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect(),
            landed: true,
            signature,
        };
        Some((Arc::new(read), Sha256Hash::from(landing.state)))
    }

    fn event(&self, seq: u64, event: &StoredEvent, versions: &[Arc<Version>], landings: &[(Arc<Landing>, Sha256Hash)]) -> Option<Event> {
        let (landing, state) = get(landings, event.landing)?;
        let merge = match &event.merge {
            None => None,
            Some((kind, contributors)) => Some(Merge {
                kind: MergeKind::ALL.get(usize::from(*kind)).copied()?,
                contributors: contributors
                    .iter()
                    .map(|&at| get(&self.people, at).map(|person| Person::clone(&person)))
                    .collect::<Option<_>>()?,
            }),
        };
        let restored = optional(event.restores, |at| get(landings, at))?;
        Some(Event {
            seq,
            landing,
            policy: get(&self.ids, event.policy)?,
            kind: kind(event.is_control),
            path: get(&self.paths, event.path)?,
            from: optional(event.from, |at| get(&self.paths, at))?,
            action: Action::ALL.get(usize::from(event.action)).copied()?,
            renamed: optional(event.renamed, |at| get(&self.ids, at))?,
            restores: restored.map(|(landing, _)| landing.commit.as_str().into()),
            fields: get(&self.fields, event.fields)?,
            before: optional(event.before, |at| get(versions, at))?,
            after: optional(event.after, |at| get(versions, at))?,
            merge,
            state,
            prev: Sha256Hash::from(event.prev),
        })
    }
}

/// What each of many things comes to, worked out on all cores; `None` if one of them comes to nothing.
fn each<S: Sync, T: Send>(all: &[S], make: impl Fn(usize, &S) -> Option<T> + Sync) -> Option<Vec<T>> {
    // The length is known, so that nothing is moved as it grows; what is in it then stays where it is.
    let made: Vec<Option<T>> = all.par_iter().enumerate().map(|(at, one)| make(at, one)).collect();
    made.into_iter().collect()
}

fn get<T: Clone>(table: &[T], at: At) -> Option<T> {
    table.get(usize::try_from(at).ok()?).cloned()
}

/// Nothing stays nothing; something that is not there is a damage.
fn optional<K, T>(key: Option<K>, get: impl Fn(K) -> Option<T>) -> Option<Option<T>> {
    key.map_or(Some(None), |key| get(key).map(Some))
}

fn kind(is_control: bool) -> Kind {
    if is_control { Kind::Control } else { Kind::Access }
}

fn time((seconds, offset_minutes): StoredTime) -> Option<CommitTime> {
    Some(CommitTime { at: Timestamp::from_second(seconds).ok()?, offset_minutes })
}

fn id(id: &Id) -> Option<Oid> {
    Oid::from_bytes(id).ok()
}

fn content(content: &StoredContent) -> Option<Content> {
    Some(match content {
        StoredContent::Blob(blob) => Content::Blob(id(blob)?),
        StoredContent::Refused => Content::Refused,
    })
}
