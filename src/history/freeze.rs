//! From a trail to the form in which it is kept; `thaw` is the way back.

use std::collections::HashMap;
use std::hash::Hash;
use std::io::Write;
use std::sync::Arc;

use git2::Oid;

use super::Action;
use super::CommitTime;
use super::MergeKind;
use super::Signature;
use super::SignatureStatus;
use super::Trail;
use super::Version;
use super::stored::At;
use super::stored::Id;
use super::stored::Stored;
use super::stored::StoredContent;
use super::stored::StoredEvent;
use super::stored::StoredKept;
use super::stored::StoredLanding;
use super::stored::StoredPosition;
use super::stored::StoredSignature;
use super::stored::StoredTime;
use super::stored::StoredVersion;
use super::tree::Content;
use super::walk::Marks;
use crate::schema::Kind;

/// Every status of a signature, in the order in which they are counted.
pub(super) const STATUSES: [SignatureStatus; 5] =
    [SignatureStatus::Good, SignatureStatus::Untrusted, SignatureStatus::Bad, SignatureStatus::Unverified, SignatureStatus::None];

/// What is shared, each once, with its position.
struct Table<K> {
    at: HashMap<K, At>,
    all: Vec<K>,
}

impl<K: Copy + Eq + Hash> Table<K> {
    fn new() -> Self {
        Self { at: HashMap::new(), all: Vec::new() }
    }

    fn at(&mut self, key: K) -> At {
        let next = At::try_from(self.all.len()).unwrap_or(At::MAX);
        *self.at.entry(key).or_insert_with(|| {
            self.all.push(key);
            next
        })
    }
}

#[derive(Default)]
struct Versions<'a> {
    at: HashMap<*const Version, At>,
    all: Vec<&'a Version>,
}

impl<'a> Versions<'a> {
    fn at(&mut self, version: &'a Arc<Version>) -> At {
        let next = At::try_from(self.all.len()).unwrap_or(At::MAX);
        *self.at.entry(Arc::as_ptr(version)).or_insert_with(|| {
            self.all.push(version);
            next
        })
    }
}

fn position<T: PartialEq>(all: &[T], one: &T) -> u8 {
    all.iter().position(|other| other == one).and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
}

fn time(time: CommitTime) -> StoredTime {
    (time.at.as_second(), time.offset_minutes)
}

fn id(id: Oid) -> Id {
    id.as_bytes().try_into().unwrap_or_default()
}

fn content(content: Content) -> StoredContent {
    match content {
        Content::Blob(blob) => StoredContent::Blob(id(blob)),
        Content::Refused => StoredContent::Refused,
    }
}

impl Trail {
    /// Writes what is to be kept; `None` of a trail that cannot be continued, or when it cannot be written.
    pub(super) fn freeze<W: Write>(&self, to: W) -> Option<W> {
        let tip = self.end();
        let (marks, state) = (self.known.positions.at(tip)?.marks(), &self.books.at(tip)?.state);
        let (mut ids, mut paths, mut fields, mut people) = (Table::new(), Table::new(), Table::new(), Table::new());
        let (mut versions, mut landings, mut by_commit) = (Versions::default(), Vec::new(), HashMap::new());
        let mut events = Vec::with_capacity(self.events().len());
        for event in self.events() {
            let landing = &event.landing;
            let next = At::try_from(landings.len()).ok()?;
            let at = *by_commit.entry(landing.commit.as_str()).or_insert(next);
            if at == next {
                landings.push(StoredLanding {
                    commit: &landing.commit,
                    parents: landing.parents.iter().map(String::as_str).collect(),
                    author: people.at((landing.author.name.as_str(), landing.author.email.as_str())),
                    authored: time(landing.authored),
                    committer: people.at((landing.committer.name.as_str(), landing.committer.email.as_str())),
                    committed: time(landing.committed),
                    subject: &landing.subject,
                    trailers: landing.trailers.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
                    signature: signature(&landing.signature),
                    state: *event.state.as_bytes(),
                });
            }
            events.push(StoredEvent {
                landing: at,
                policy: ids.at(event.policy.as_str()),
                is_control: event.kind == Kind::Control,
                path: paths.at(&*event.path),
                from: event.from.as_deref().map(|path| paths.at(path)),
                action: position(&Action::ALL, &event.action),
                renamed: event.renamed.as_ref().map(|id| ids.at(id.as_str())),
                restores: match &event.restores {
                    Some(commit) => Some(*by_commit.get(&**commit)?),
                    None => None,
                },
                fields: fields.at(&*event.fields),
                before: event.before.as_ref().map(|version| versions.at(version)),
                after: event.after.as_ref().map(|version| versions.at(version)),
                merge: event.merge.as_ref().map(|merge| {
                    let contributors = merge.contributors.iter().map(|person| people.at((person.name.as_str(), person.email.as_str())));
                    (position(&MergeKind::ALL, &merge.kind), contributors.collect())
                }),
                prev: *event.prev.as_bytes(),
            });
        }
        let mut files = Vec::with_capacity(state.files().len());
        for (path, policies) in state.files() {
            let kept = policies.iter().map(|kept| StoredKept {
                version: versions.at(&kept.written.version),
                text: *kept.written.text.as_bytes(),
                broken: kept.broken,
            });
            files.push((paths.at(&**path), kept.collect()));
        }
        let created = self.created.iter().map(|(id, created)| (ids.at(id.as_str()), time(*created))).collect();
        let beside =
            self.beside.iter().map(|(commit, files)| (id(*commit), files.iter().map(|path| paths.at(&**path)).collect())).collect();
        let Marks { law_book, config, followed, files: contents } = &marks;
        let position = StoredPosition {
            law_book: law_book.map(id),
            config: config.map(content),
            followed: followed.map(id),
            files: contents.iter().map(|(path, one)| (paths.at(&**path), content(*one))).collect(),
        };
        let versions: Vec<StoredVersion<'_>> = versions.all.iter().map(|version| stored(version, ids.at(version.id.as_str()))).collect();
        let stored = Stored {
            tip: id(tip),
            head: *self.head().as_bytes(),
            ids: ids.all,
            paths: paths.all,
            fields: fields.all.iter().map(|names| names.iter().map(|name| &**name).collect()).collect(),
            people: people.all,
            versions,
            landings,
            events,
            created,
            beside,
            position,
            files,
        };
        postcard::to_io(&stored, to).ok()
    }
}

fn signature(signature: &Signature) -> Option<StoredSignature<'_>> {
    let Signature { status, principal, key, why } = signature;
    let is_none = *status == SignatureStatus::None && why.is_none();
    (!is_none).then(|| (position(&STATUSES, status), principal.as_deref(), key.as_deref(), why.as_deref()))
}

fn stored<'a>(version: &'a Version, id: At) -> StoredVersion<'a> {
    StoredVersion {
        id,
        is_control: version.kind == Kind::Control,
        enabled: version.enabled,
        hash: *version.hash.as_bytes(),
        text: version.text(),
    }
}
