//! All events of a law book, in the order in which they landed.
//!
//! What commits changed comes read, batch by batch (`follow`). It is folded into the state of the law book one by one, named and
//! serialised on all cores, and chained one by one again.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use git2::Oid;
use rayon::prelude::*;

use super::CommitTime;
use super::Event;
use super::Filter;
use super::Landing;
use super::Merge;
use super::People;
use super::Repository;
use super::RepositoryError;
use super::Sha256Hash;
use super::Signature;
use super::Signers;
use super::chain::Hashing;
use super::chain::StateHash;
use super::ends::Ends;
use super::follow;
use super::follow::Changed;
use super::follow::Known;
use super::follow::Read;
use super::happening::Happening;
use super::happening::Past;
use super::happening::happenings;
use super::merge::Merges;
use super::merge::Places;
use super::reading::Reading;
use super::state::State;
use super::thaw::Thawed;
use super::walk::Line;
use super::walk::Position;
use super::walk::Stop;
use super::walk::everything;
use super::walk::line;
use crate::policy::PolicyId;
use crate::schema::SchemaError;

/// Why a trail cannot be read.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum HistoryError {
    /// The repository cannot be read, or has no such revision.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Repository(#[from] RepositoryError),
    /// A defect of the program.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Schema(#[from] SchemaError),
    /// A commit changes more than any law book holds.
    #[error("a commit of `{}` changes more files than can be looked at", dir.display())]
    #[diagnostic(help("narrow `files` in `lawbook.toml`"))]
    TooLarge {
        /// The folder of the law book.
        dir: PathBuf,
    },
}

/// How far reading is: commits done, and all of them.
pub type Progress<'a> = &'a dyn Fn(usize, usize);

/// Whether a trail could be continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continuity {
    /// The new tip came after the old one; this many events were added.
    Continued(usize),
    /// The new tip does not come after the old one on the line of first parents, or the old trail was partial; it was read anew.
    Rewritten,
}

/// Which commits are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lines {
    /// Those that landed: the line of first parents.
    #[default]
    Landed,
    /// Every commit, each against its first parent; a merge tells what its lines have told once more.
    All,
}

/// The law book at one commit.
#[derive(Debug, Clone)]
pub(super) struct Book {
    pub(super) state: State,
    hash: StateHash,
}

/// The events up to one commit.
#[derive(Debug)]
pub struct Trail {
    tip: Oid,
    partial: Option<String>,
    events: Vec<Event>,
    head: Sha256Hash,
    pub(super) created: HashMap<PolicyId, CommitTime>,
    /// The files that policies have left.
    places: Places,
    past: Past,
    pub(super) known: Known,
    pub(super) books: Ends<Book>,
    /// How many commits were walked to get here.
    pub(super) walked: usize,
    unaccounted: Vec<(String, Signature)>,
    /// The commits that landed and changed files beside the policies.
    pub(super) beside: Vec<(Oid, Vec<Arc<str>>)>,
}

impl Trail {
    /// Reads the trail of the law book that the repository was opened for, up to `tip`.
    ///
    /// # Errors
    /// There is no such revision, or its history cannot be read. That a history ends early is no error: see [`Self::partial`].
    pub fn read(repository: &Repository, tip: &str, lines: Lines, progress: Progress<'_>) -> Result<Self, HistoryError> {
        let line = match lines {
            Lines::Landed => line(repository, tip, None)?,
            Lines::All => everything(repository, tip)?,
        };
        Self::of(repository, line, progress)
    }

    /// Continues the trail of what landed to a new tip, or reads it anew when history was rewritten. After an error the trail
    /// is as it was.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub fn extend(&mut self, repository: &Repository, tip: &str, progress: Progress<'_>) -> Result<Continuity, HistoryError> {
        // What was missing may have been fetched since.
        let line = line(repository, tip, Some(self.tip).filter(|_| self.partial.is_none()))?;
        if !line.continues {
            *self = Self::of(repository, line, progress)?;
            return Ok(Continuity::Rewritten);
        }
        let known = self.events.len();
        match self.follow(repository, &line.stops, progress) {
            Ok(()) => Ok(Continuity::Continued(self.events.len() - known)),
            Err(error) => {
                // What was followed half is not undone step by step: the trail up to the old tip is read again.
                let old = self.tip.to_string();
                *self = Self::read(repository, &old, Lines::Landed, progress)?;
                Err(error)
            }
        }
    }

    /// The trail of what landed, from its parts; `None` when the configuration that it continues with is not there any more.
    pub(super) fn continued(repository: &Repository, parts: Thawed) -> Result<Option<Self>, HistoryError> {
        let Thawed { tip, head, events, created, beside, marks, state } = parts;
        let (mut known, mut books) = (Known::default(), Ends::default());
        let Some(position) = Position::again(marks, &mut known.schemas, repository)? else { return Ok(None) };
        let remembered = || {
            let mut past = Past::with_capacity(events.len());
            events.iter().for_each(|event| past.record(event.before.as_deref(), event.after.as_deref(), &event.landing));
            past
        };
        let (past, (places, hash)) = rayon::join(remembered, || (left(&events), StateHash::of(state.meanings())));
        known.positions.leave(tip, position);
        books.leave(tip, Book { hash, state });
        let (created, unaccounted) = (created.into_iter().collect(), Vec::new());
        Ok(Some(Self { tip, partial: None, events, head, created, places, past, known, books, walked: 0, unaccounted, beside }))
    }

    /// The commit that the trail ends at.
    pub(super) fn end(&self) -> Oid {
        self.tip
    }

    /// The commit that the trail ends at, in hexadecimal.
    pub fn tip(&self) -> String {
        self.tip.to_string()
    }

    /// Why the trail is not the whole history, if so. Then its oldest commit tells no events: who made what it holds is unknown.
    pub fn partial(&self) -> Option<&str> {
        self.partial.as_deref()
    }

    /// The events, oldest first.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The hash of the last event, which chains all of them.
    pub fn head(&self) -> Sha256Hash {
        self.head
    }

    /// The hash of the first `seq` events; `None` when there are not so many.
    pub fn head_at(&self, seq: u64) -> Option<Sha256Hash> {
        let count = usize::try_from(seq).ok()?;
        match self.events.get(count) {
            Some(next) => Some(next.prev),
            None => (count == self.events.len()).then_some(self.head),
        }
    }

    /// The events that a filter lets pass, oldest first.
    pub fn filtered<'a>(&'a self, filter: &'a Filter, people: &'a People) -> impl DoubleEndedIterator<Item = &'a Event> {
        let lives = filter.policies.iter().filter_map(|id| self.lifeline(id));
        let followed: BTreeSet<u64> = lives.flat_map(|life| life.events).map(|event| event.seq).collect();
        self.events.iter().filter(move |event| filter.accepts(event, people, &followed))
    }

    /// The landing commits that had to be signed by somebody who may and are not accounted for, in hexadecimal, each with its
    /// signature as the keys that count judge it; oldest first, and none before [`Self::hold_to_requirement`].
    pub fn unaccounted(&self) -> &[(String, Signature)] {
        &self.unaccounted
    }

    /// Takes other verdicts on the signatures of some commits, which are not accounted for. As long as there are any, a commit is
    /// pinned only where the last commit that is in order pins it.
    pub(super) fn judge_again(&mut self, verdicts: Vec<(String, Signature)>, pinned: &BTreeSet<Oid>) {
        let found: HashMap<&str, &Signature> = verdicts.iter().map(|(commit, signature)| (commit.as_str(), signature)).collect();
        let again = |landing: &Landing| {
            let signature = found.get(landing.commit.as_str()).map(|&signature| signature.clone());
            signature.or_else(|| {
                let counts = found.is_empty() || Oid::from_str(&landing.commit).is_ok_and(|id| pinned.contains(&id));
                landing.signature.without_a_pin().filter(|_| !counts)
            })
        };
        let mut last: Option<Arc<Landing>> = None;
        for event in &mut self.events {
            if let Some(last) = last.as_ref().filter(|last| last.commit == event.landing.commit) {
                event.landing = Arc::clone(last);
            } else if let Some(signature) = again(&event.landing) {
                event.landing = Arc::new(Landing { signature, ..(*event.landing).clone() });
            }
            last = Some(Arc::clone(&event.landing));
        }
        self.unaccounted = verdicts;
    }

    /// When the policy was last introduced; `None` when it is not there, or was there before the trail begins.
    pub fn created(&self, id: &str) -> Option<CommitTime> {
        self.created.get(id).copied()
    }

    /// The law book at the tip.
    pub(super) fn state(&self) -> Option<&State> {
        self.books.at(self.tip).map(|book| &book.state)
    }

    fn of(repository: &Repository, line: Line, progress: Progress<'_>) -> Result<Self, HistoryError> {
        let mut trail = Self {
            tip: Oid::ZERO_SHA1,
            partial: line.partial,
            events: Vec::new(),
            head: Sha256Hash::ZERO,
            created: HashMap::new(),
            places: Places::new(),
            past: Past::default(),
            known: Known::default(),
            books: Ends::default(),
            walked: 0,
            unaccounted: Vec::new(),
            beside: Vec::new(),
        };
        trail.follow(repository, &line.stops, progress)?;
        Ok(trail)
    }

    fn follow(&mut self, repository: &Repository, stops: &[Stop], progress: Progress<'_>) -> Result<(), HistoryError> {
        let Some(last) = stops.last() else { return Ok(()) };
        let signers = Signers::new(repository, &last.commit.to_string())?;
        let mut merges = Merges::new(repository, stops)?;
        let mut done = 0;
        let mut known = std::mem::take(&mut self.known);
        self.books.expect(stops);
        self.events.reserve(stops.len());
        let followed = follow::follow(repository, &signers, &mut known, stops, |batch| {
            done += batch.len();
            let drafts: Vec<Draft> = batch.into_iter().filter_map(|read| self.draft(read)).collect();
            self.record(repository, &mut merges, drafts)?;
            progress(done, stops.len());
            Ok(())
        });

        self.known = known;
        self.tip = last.commit;
        self.walked += stops.len();
        followed
    }

    /// What a commit did, with the law book after it.
    fn draft(&mut self, read: Read) -> Option<Draft> {
        let Read { stop, changed } = read;
        if stop.landed {
            self.past.step();
        }
        let mut book = self.books.take(stop.parent).unwrap_or_else(|| Book { state: State::default(), hash: StateHash::new() });
        let draft = changed.and_then(|mut changed| {
            // The first commit of a history changes nothing: there was nothing before.
            if stop.landed && stop.parent.is_some() && !changed.beside.is_empty() {
                self.beside.push((stop.commit, std::mem::take(&mut changed.beside)));
            }
            let happenings = self.apply(&mut book, &stop, &changed);
            (!happenings.is_empty()).then(|| Draft { landing: changed.landing, merges: Vec::new(), happenings, state: book.hash.root() })
        });
        self.books.put(stop.commit, book);
        draft
    }

    fn apply(&mut self, book: &mut Book, stop: &Stop, changed: &Changed) -> Vec<Happening> {
        let is_missing = |reading: &Option<Arc<Reading>>| reading.as_ref().is_some_and(|reading| reading.missing);
        if changed.unknown || changed.files.iter().any(|(_, reading)| is_missing(reading)) {
            self.partial.get_or_insert_with(|| format!("an object of commit `{}` is missing", stop.commit));
        }
        let mut deltas = book.state.apply(&changed.files);
        for delta in &deltas {
            book.hash.set(&delta.id, delta.after.as_ref().map(|held| held.version.hash));
        }
        deltas.retain(|delta| delta.certain && !changed.unknown);
        let happenings = happenings(deltas, &self.past, stop.left);
        // What a line meant that never landed is nobody's past.
        for happening in happenings.iter().filter(|_| stop.landed) {
            self.past.record(happening.before.as_deref(), happening.after.as_deref(), &changed.landing);
        }
        if stop.cut { Vec::new() } else { happenings }
    }

    /// Chains what commits did to what is told already.
    fn record(&mut self, repository: &Repository, merges: &mut Merges<'_>, mut drafts: Vec<Draft>) -> Result<(), HistoryError> {
        for draft in &mut drafts {
            if draft.landing.parents.len() > 1 {
                draft.merges = merges.judge(&repository.commit(&draft.landing.commit)?, &draft.happenings, &self.places)?;
            }
            for Happening { policy, renamed, from, .. } in &draft.happenings {
                place(&mut self.places, policy, renamed.as_ref(), from.as_ref());
            }
        }
        if let Some(commit) = merges.missing() {
            self.partial.get_or_insert_with(|| format!("commit `{commit}` is missing"));
        }
        let mut seq = self.events.len() as u64;
        let numbered: Vec<(u64, Draft)> = drafts
            .into_iter()
            .map(|draft| {
                let first = seq + 1;
                seq += draft.happenings.len() as u64;
                (first, draft)
            })
            .collect();
        let links: Vec<Vec<Link>> = numbered.into_par_iter().with_min_len(16).map(|(first, draft)| draft.links(first)).collect();

        for Link { mut event, hashing } in links.into_iter().flatten() {
            self.date(&event);
            event.prev = self.head;
            self.head = hashing.after(event.prev);
            self.events.push(event);
        }

        Ok(())
    }

    /// Remembers when a policy was introduced.
    fn date(&mut self, event: &Event) {
        if !event.landing.landed {
            return;
        }
        match (&event.before, &event.after, &event.renamed) {
            (None, Some(_), _) => drop(self.created.insert(event.policy.clone(), event.landing.committed)),
            (_, None, _) => drop(self.created.remove(&event.policy)),
            (.., Some(old)) => {
                if let Some(created) = self.created.remove(old) {
                    self.created.insert(event.policy.clone(), created);
                }
            }
            _ => {}
        }
    }
}

/// The files that policies have left in some events.
fn left(events: &[Event]) -> Places {
    let mut places = Places::new();
    for event in events {
        place(&mut places, &event.policy, event.renamed.as_ref(), event.from.as_ref());
    }
    places
}

/// Remembers the file that a policy left.
fn place(places: &mut Places, policy: &PolicyId, renamed: Option<&PolicyId>, from: Option<&Arc<str>>) {
    if let Some(known) = renamed.and_then(|old| places.remove(old)) {
        places.insert(policy.clone(), known);
    }
    if let Some(from) = from {
        places.entry(policy.clone()).or_default().insert(Arc::clone(from));
    }
}

/// What a commit did, before it is told.
struct Draft {
    landing: Arc<Landing>,
    happenings: Vec<Happening>,
    /// For a merge, what is known of each of them.
    merges: Vec<Option<Merge>>,
    state: Sha256Hash,
}

/// An event that does not know the one before it yet.
struct Link {
    event: Event,
    hashing: Hashing,
}

impl Draft {
    /// The events, numbered from `first` on.
    fn links(self, first: u64) -> Vec<Link> {
        let mut merges = self.merges.into_iter();
        let link = |(seq, happening): (u64, Happening)| {
            let changes = happening.changes();
            let event = happening.event(seq, &self.landing, &changes, merges.next().flatten(), self.state);
            Link { hashing: Hashing::new(&event.canonical_with(&changes)), event }
        };
        (first..).zip(self.happenings).map(link).collect()
    }
}
