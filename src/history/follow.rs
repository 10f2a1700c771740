//! Reading commits on several threads at once.
//!
//! One thread walks: it compares trees, which is sequential, because each commit is compared with the one before it. A second one
//! has the files that differ read, on all cores. Whoever called folds what was read into events. So the three wait for each
//! other only where one has nothing to do.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::sync_channel;
use std::thread;

use rayon::prelude::*;

use super::HistoryError;
use super::Landing;
use super::Repository;
use super::RepositoryError;
use super::Signature;
use super::Signers;
use super::ends::Ends;
use super::objects::Shelf;
use super::objects::Unreadable;
use super::reading::Reading;
use super::reading::Readings;
use super::tree::Trees;
use super::walk::Position;
use super::walk::Schemas;
use super::walk::Step;
use super::walk::Stop;
use crate::schema::Schema;

/// How many commits are read at once, and how many files: a history may change all of them in every commit.
const BATCH: usize = 256;
const BATCH_FILES: usize = 20_000;

/// How many batches may wait for the next thread.
const WAITING: usize = 2;

/// What the walk knows and continues from.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) schemas: Schemas,
    pub(super) positions: Ends<Position>,
    pub(super) readings: Readings,
}

/// A commit with what it made of the files that it changed.
pub(super) struct Read {
    pub(super) stop: Stop,
    /// `None` when it changed nothing here.
    pub(super) changed: Option<Changed>,
}

/// What a commit changed.
pub(super) struct Changed {
    pub(super) landing: Arc<Landing>,
    pub(super) files: Vec<(Arc<str>, Option<Arc<Reading>>)>,
    /// What it changed beside the policies.
    pub(super) beside: Vec<Arc<str>>,
    /// Whether nobody knows which files were policies.
    pub(super) unknown: bool,
}

/// The commits of one batch, and the schemas that they name.
struct Walked {
    steps: Vec<(Stop, Option<Box<Walking>>)>,
    schemas: Vec<Schema>,
}

/// A commit that changed something, before its files are read and its signature is judged.
struct Walking {
    step: Step,
    landing: Landing,
    is_signed: bool,
}

impl Walking {
    fn new(repository: &Repository, stop: Stop, step: Step) -> Result<Self, HistoryError> {
        let commit = repository.git().find_commit(stop.commit).map_err(|error| repository.error("read a commit", &error))?;
        let is_signed = commit.raw_header_bytes().split(|&byte| byte == b'\n').any(|line| line.starts_with(b"gpgsig"));
        Ok(Self { step, landing: Landing::new(&commit, stop.landed, Signature::none()), is_signed })
    }
}

/// Reads commits, each after the one that it is compared with, and hands them over in that order, batch by batch.
pub(super) fn follow(
    repository: &Repository,
    signers: &Signers,
    known: &mut Known,
    stops: &[Stop],
    mut take: impl FnMut(Vec<Read>) -> Result<(), HistoryError>,
) -> Result<(), HistoryError> {
    let Known { schemas, positions, readings } = known;
    positions.expect(stops);
    let (walked_to, walked) = sync_channel(WAITING);
    let (read_to, read) = sync_channel(WAITING);
    let dir = repository.dir();
    let reader = Reader { dir, shelf: Shelf::new(repository.common_dir()), signers };
    thread::scope(|scope| {
        let name = |name: &str| thread::Builder::new().name(name.to_owned());
        let walk = move || {
            // Whoever waits for a batch that does not come is told why by what does.
            if let Err(error) = walk(dir, schemas, positions, stops, &walked_to) {
                let _ = walked_to.send(Err(error));
            }
        };
        let no_thread = |error: std::io::Error| {
            HistoryError::from(RepositoryError::git("read its history", dir, &git2::Error::from_str(&error.to_string())))
        };
        name("walk").spawn_scoped(scope, walk).map_err(no_thread)?;
        name("read").spawn_scoped(scope, move || reader.run(readings, &walked, &read_to)).map_err(no_thread)?;
        // When this ends early, the other two find nobody to send to, and end as well.
        read.into_iter().try_for_each(|batch| take(batch?))
    })
}

fn walk(
    dir: &std::path::Path,
    schemas: &mut Schemas,
    positions: &mut Ends<Position>,
    stops: &[Stop],
    to: &SyncSender<Result<Walked, HistoryError>>,
) -> Result<(), HistoryError> {
    let repository = Repository::open(dir)?;
    let mut trees = Trees::new(&repository)?;
    let (mut steps, mut files) = (Vec::new(), 0);
    for &stop in stops {
        let mut position = match positions.take(stop.parent) {
            Some(position) => position,
            None => Position::start(schemas)?,
        };
        let step = position.advance(&mut trees, schemas, stop)?;
        positions.put(stop.commit, position);
        files += step.as_ref().map_or(0, |step| step.files.len());
        steps.push((stop, step.map(|step| Walking::new(&repository, stop, step).map(Box::new)).transpose()?));
        if steps.len() >= BATCH || files >= BATCH_FILES {
            files = 0;
            if to.send(Ok(Walked { steps: std::mem::take(&mut steps), schemas: schemas.all() })).is_err() {
                return Ok(());
            }
        }
    }
    // When nobody waits for the rest, nobody wants it.
    let _: Result<(), _> = to.send(Ok(Walked { steps, schemas: schemas.all() }));
    Ok(())
}

struct Reader<'a> {
    dir: &'a std::path::Path,
    shelf: Shelf,
    signers: &'a Signers,
}

impl Reader<'_> {
    fn run(
        &self,
        readings: &mut Readings,
        from: &Receiver<Result<Walked, HistoryError>>,
        to: &SyncSender<Result<Vec<Read>, HistoryError>>,
    ) {
        for walked in from {
            if to.send(walked.and_then(|walked| self.batch(readings, walked))).is_err() {
                break;
            }
        }
    }

    fn batch(&self, readings: &mut Readings, walked: Walked) -> Result<Vec<Read>, HistoryError> {
        let Walked { mut steps, schemas } = walked;
        let files = |walking: &Walking| {
            let Step { schema, ref files, .. } = walking.step;
            files.values().flatten().map(|&content| (schema, content)).collect::<Vec<_>>()
        };
        let keys: BTreeSet<_> = steps.iter().filter_map(|(_, walking)| walking.as_deref()).flat_map(files).collect();
        let signed: Vec<&mut Walking> =
            steps.iter_mut().filter_map(|(_, walking)| walking.as_deref_mut()).filter(|walking| walking.is_signed).collect();
        let failed = |error: Unreadable| HistoryError::from(error.during("read its objects", self.dir));
        let (prepared, judged) = rayon::join(|| readings.prepare(&self.shelf, &schemas, &keys).map_err(failed), || self.judge(signed));
        prepared?;
        judged?;
        let changed = |walking: Box<Walking>| {
            let Walking { step, landing, .. } = *walking;
            let reading = |content| readings.get((step.schema, content));
            let files = step.files.into_iter().map(|(path, content)| (path, content.map(reading))).collect();
            Changed { landing: Arc::new(landing), files, beside: step.beside, unknown: step.unknown }
        };
        Ok(steps.into_iter().map(|(stop, walking)| Read { stop, changed: walking.map(changed) }).collect())
    }

    /// Judges the signatures of commits, on all cores.
    fn judge(&self, mut signed: Vec<&mut Walking>) -> Result<(), HistoryError> {
        signed.par_chunks_mut(Shelf::SHARE).try_for_each(|walking| {
            let repository = Repository::open(self.dir)?;
            for Walking { landing, .. } in walking {
                landing.signature = self.signers.signature(&repository, &landing.commit)?;
            }
            Ok(())
        })
    }
}
