//! All events of a law book, in the order in which they landed.
//!
//! The walk compares trees and is sequential; reading the files that differ is not. So commits are taken in batches: their
//! differences are found, all files that are not known yet are read in parallel, and then the batch is folded into events.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use git2::Oid;
use rayon::prelude::*;

use super::CommitTime;
use super::Event;
use super::FieldChange;
use super::Filter;
use super::Landing;
use super::People;
use super::Repository;
use super::RepositoryError;
use super::Sha256Hash;
use super::chain::StateHash;
use super::ends::Ends;
use super::happening::Happening;
use super::happening::Past;
use super::happening::happenings;
use super::merge::Merges;
use super::reading::Readings;
use super::signature::Signature;
use super::state::State;
use super::tree::Trees;
use super::walk::Line;
use super::walk::Position;
use super::walk::Schemas;
use super::walk::Step;
use super::walk::Stop;
use super::walk::everything;
use super::walk::line;
use crate::policy::PolicyId;
use crate::schema::SchemaError;

/// How many commits are read at once.
const BATCH: usize = 1024;

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
    /// The new tip does not come after the old one on the line of first parents; the trail was read anew.
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
struct Book {
    state: State,
    hash: StateHash,
}

/// The events up to one commit.
#[derive(Debug)]
pub struct Trail {
    tip: Oid,
    partial: Option<String>,
    events: Vec<Event>,
    head: Sha256Hash,
    created: HashMap<PolicyId, CommitTime>,
    past: Past,
    schemas: Schemas,
    readings: Readings,
    positions: Ends<Position>,
    books: Ends<Book>,
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
        let line = line(repository, tip, Some(self.tip))?;
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
        self.events.iter().filter(|event| filter.accepts(event, people))
    }

    /// When the policy was last introduced; `None` when it is not there, or was there before the trail begins.
    pub fn created(&self, id: &str) -> Option<CommitTime> {
        self.created.get(id).copied()
    }

    fn of(repository: &Repository, line: Line, progress: Progress<'_>) -> Result<Self, HistoryError> {
        let mut trail = Self {
            tip: Oid::ZERO_SHA1,
            partial: line.partial,
            events: Vec::new(),
            head: Sha256Hash::ZERO,
            created: HashMap::new(),
            past: Past::default(),
            schemas: Schemas::default(),
            readings: Readings::default(),
            positions: Ends::default(),
            books: Ends::default(),
        };
        trail.follow(repository, &line.stops, progress)?;
        Ok(trail)
    }

    fn follow(&mut self, repository: &Repository, stops: &[Stop], progress: Progress<'_>) -> Result<(), HistoryError> {
        let mut trees = Trees::new(repository)?;
        let mut merges = Merges::new(repository)?;
        self.positions.expect(stops);
        self.books.expect(stops);
        let mut done = 0;
        for batch in stops.chunks(BATCH) {
            let mut steps = Vec::with_capacity(batch.len());
            for &stop in batch {
                let mut position = match self.positions.take(stop.parent) {
                    Some(position) => position,
                    None => Position::start(&mut self.schemas)?,
                };
                steps.push((stop, position.advance(&mut trees, &mut self.schemas, repository, stop)?));
                self.positions.put(stop.commit, position);
            }
            let files = |step: &Step| step.files.values().flatten().map(|&content| (step.schema, content)).collect::<Vec<_>>();
            let keys: BTreeSet<_> = steps.iter().filter_map(|(_, step)| step.as_ref()).flat_map(files).collect();
            self.readings.prepare(repository, self.schemas.all(), &keys)?;
            let drafts: Vec<Draft> = steps.into_iter().filter_map(|(stop, step)| self.draft(stop, step)).collect();
            self.record(repository, &mut merges, drafts)?;
            done += batch.len();
            progress(done, stops.len());
        }
        if let Some(last) = stops.last() {
            self.tip = last.commit;
        }
        Ok(())
    }

    /// What a commit did, with the law book after it.
    fn draft(&mut self, stop: Stop, step: Option<Step>) -> Option<Draft> {
        let mut book = self.books.take(stop.parent).unwrap_or_else(|| Book { state: State::default(), hash: StateHash::new() });
        let happenings = step.map_or_else(Vec::new, |step| self.apply(&mut book, &stop, step));
        let draft = (!happenings.is_empty()).then(|| Draft { stop, happenings, state: book.hash.root() });
        self.books.put(stop.commit, book);
        draft
    }

    fn apply(&mut self, book: &mut Book, stop: &Stop, step: Step) -> Vec<Happening> {
        let read = |content| self.readings.get((step.schema, content));
        let files: Vec<_> = step.files.into_iter().map(|(path, content)| (path, content.map(read))).collect();
        if files.iter().any(|(_, reading)| reading.as_ref().is_some_and(|reading| reading.missing)) {
            self.partial.get_or_insert_with(|| format!("an object of commit `{}` is missing", stop.commit));
        }
        let deltas = book.state.apply(&files);
        for delta in &deltas {
            book.hash.set(&delta.id, delta.after.as_ref().map(|held| held.version.hash));
        }
        let happenings = happenings(deltas, &self.past);
        let commit: Arc<str> = stop.commit.to_string().into();
        for happening in &happenings {
            self.past.record(happening.before.as_deref(), happening.after.as_deref(), &commit);
        }
        if stop.cut { Vec::new() } else { happenings }
    }

    /// Chains what commits did to what is told already.
    fn record(&mut self, repository: &Repository, merges: &mut Merges<'_>, drafts: Vec<Draft>) -> Result<(), HistoryError> {
        let changes: Vec<Vec<Vec<FieldChange>>> =
            drafts.par_iter().map(|draft| draft.happenings.iter().map(Happening::changes).collect()).collect();
        for (draft, changes) in drafts.into_iter().zip(changes) {
            let Draft { stop, happenings, state } = draft;
            let commit = repository.git().find_commit(stop.commit);
            let commit = commit.map_err(|error| repository.error(&format!("read commit `{}`", stop.commit), &error))?;
            let landing = Arc::new(Landing::new(&commit, stop.landed, Signature::NONE));
            let merged = merges.judge(&commit, &happenings)?;
            for ((happening, changes), merge) in happenings.into_iter().zip(changes).zip(merged) {
                match (&happening.before, &happening.after) {
                    (None, Some(_)) => drop(self.created.insert(happening.policy.clone(), landing.committed)),
                    (_, None) => drop(self.created.remove(&happening.policy)),
                    _ => {}
                }
                if let Some(created) = happening.renamed.as_ref().and_then(|old| self.created.remove(old)) {
                    self.created.insert(happening.policy.clone(), created);
                }
                let seq = self.events.len() as u64 + 1;
                let Some(event) = happening.event(seq, &landing, &changes, merge, state, self.head) else { continue };
                self.head = event.hash_with(&changes);
                self.events.push(event);
            }
        }
        Ok(())
    }
}

/// What a commit did, before it is told.
struct Draft {
    stop: Stop,
    happenings: Vec<Happening>,
    state: Sha256Hash,
}
