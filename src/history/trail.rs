//! All events of a law book, in the order in which they landed.
//!
//! The walk compares trees and is sequential; reading the files that differ is not. So commits are taken in batches: their
//! differences are found, all files that are not known yet are read in parallel, and then the batch is folded into events.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use git2::Oid;
use jiff::Timestamp;

use super::Action;
use super::CommitTime;
use super::Event;
use super::Landing;
use super::Repository;
use super::RepositoryError;
use super::reading::Readings;
use super::state::Delta;
use super::state::State;
use super::tree::Trees;
use super::walk::Line;
use super::walk::Position;
use super::walk::Step;
use super::walk::Stop;
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

/// The events up to one commit.
#[derive(Debug)]
pub struct Trail {
    tip: Oid,
    partial: Option<String>,
    events: Vec<Event>,
    created: HashMap<PolicyId, CommitTime>,
    position: Position,
    state: State,
    readings: Readings,
}

impl Trail {
    /// Reads the trail of the law book that the repository was opened for, along the first parents of `tip`.
    ///
    /// # Errors
    /// There is no such revision, or its history cannot be read. That a history ends early is no error: see [`Self::partial`].
    pub fn read(repository: &Repository, tip: &str, progress: Progress<'_>) -> Result<Self, HistoryError> {
        Self::of(repository, line(repository, tip, None)?, progress)
    }

    /// Continues the trail to a new tip, or reads it anew when history was rewritten. After an error the trail is as it was.
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
                *self = Self::read(repository, &old, progress)?;
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

    /// The events that a filter lets pass, oldest first.
    pub fn filtered<'a>(&'a self, filter: &'a Filter) -> impl DoubleEndedIterator<Item = &'a Event> {
        self.events.iter().filter(|event| filter.accepts(event))
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
            created: HashMap::new(),
            position: Position::start()?,
            state: State::default(),
            readings: Readings::default(),
        };
        let mut stops = line.stops.as_slice();
        if let (Some(_), Some((oldest, later))) = (&trail.partial, stops.split_first()) {
            trail.follow(repository, std::slice::from_ref(oldest), &|_, _| ())?;
            trail.events.clear();
            trail.created.clear();
            stops = later;
        }
        trail.follow(repository, stops, progress)?;
        Ok(trail)
    }

    fn follow(&mut self, repository: &Repository, stops: &[Stop], progress: Progress<'_>) -> Result<(), HistoryError> {
        let mut trees = Trees::new(repository)?;
        let mut done = 0;
        for batch in stops.chunks(BATCH) {
            let mut steps = Vec::new();
            for &stop in batch {
                steps.extend(self.position.advance(&mut trees, repository, stop)?);
            }
            let files = |step: &Step| step.files.values().flatten().map(|&content| (step.schema, content)).collect::<Vec<_>>();
            let keys: BTreeSet<_> = steps.iter().flat_map(files).collect();
            self.readings.prepare(repository, self.position.schemas(), &keys)?;
            for step in steps {
                self.fold(repository, step)?;
            }
            done += batch.len();
            progress(done, stops.len());
        }
        if let Some(last) = stops.last() {
            self.tip = last.commit;
        }
        Ok(())
    }

    fn fold(&mut self, repository: &Repository, step: Step) -> Result<(), HistoryError> {
        let read = |content| self.readings.get((step.schema, content));
        let files: Vec<_> = step.files.into_iter().map(|(path, content)| (path, content.map(read))).collect();
        if files.iter().any(|(_, reading)| reading.as_ref().is_some_and(|reading| reading.missing)) {
            self.partial.get_or_insert_with(|| format!("an object of commit `{}` is missing", step.commit));
        }
        let deltas = self.state.apply(&files);
        if deltas.is_empty() {
            return Ok(());
        }
        let commit = repository.git().find_commit(step.commit);
        let commit = commit.map_err(|error| repository.error(&format!("read commit `{}`", step.commit), &error))?;
        let landing = Arc::new(Landing::new(&commit));
        deltas.into_iter().for_each(|delta| self.record(&landing, delta));
        Ok(())
    }

    fn record(&mut self, landing: &Arc<Landing>, delta: Delta) {
        match (&delta.before, &delta.after) {
            (None, Some(_)) => drop(self.created.insert(delta.id.clone(), landing.committed)),
            (_, None) => drop(self.created.remove(&delta.id)),
            _ => {}
        }
        let seq = self.events.len() as u64 + 1;
        self.events.extend(Event::new(seq, landing, delta));
    }
}

/// Which events are wanted. An absent field lets every event pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Committed at this time or later.
    pub since: Option<Timestamp>,
    /// Committed at this time or earlier.
    pub until: Option<Timestamp>,
    /// Of the policy with this id.
    pub policy: Option<String>,
    /// By an author whose `name <e-mail>` holds this text, ignoring case.
    pub author: Option<String>,
    /// Of this action.
    pub action: Option<Action>,
}

impl Filter {
    /// Whether the filter lets an event pass.
    pub fn accepts(&self, event: &Event) -> bool {
        let at = event.landing.committed.at;
        let author = || event.landing.author.to_string().to_lowercase();
        self.since.is_none_or(|since| at >= since)
            && self.until.is_none_or(|until| at <= until)
            && self.policy.as_deref().is_none_or(|policy| event.policy.as_str() == policy)
            && self.action.is_none_or(|action| event.action == action)
            && self.author.as_deref().is_none_or(|wanted| author().contains(&wanted.to_lowercase()))
    }
}
