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
use super::handles::Handles;
use super::reading::Reading;
use super::reading::Readings;
use super::tree::Trees;
use super::walk::Position;
use super::walk::Schemas;
use super::walk::Step;
use super::walk::Stop;
use crate::schema::Schema;

/// How many commits are read at once, and how many files: a history may change all of them in every commit.
const BATCH: usize = 512;
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
    /// Whether nobody knows which files were policies.
    pub(super) unknown: bool,
}

/// The commits of one batch, and the schemas that they name.
struct Walked {
    steps: Vec<(Stop, Option<Step>)>,
    schemas: Vec<Schema>,
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
    let reader = Reader { dir, handles: Handles::new(repository.git_dir().to_owned()), signers };
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
        let step = position.advance(&mut trees, schemas, &repository, stop)?;
        positions.put(stop.commit, position);
        files += step.as_ref().map_or(0, |step| step.files.len());
        steps.push((stop, step));
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
    handles: Handles,
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
        let Walked { steps, schemas } = walked;
        let files = |step: &Step| step.files.values().flatten().map(|&content| (step.schema, content)).collect::<Vec<_>>();
        let keys: BTreeSet<_> = steps.iter().filter_map(|(_, step)| step.as_ref()).flat_map(files).collect();
        let changing: Vec<Stop> = steps.iter().filter(|(_, step)| step.is_some()).map(|(stop, _)| *stop).collect();
        let failed = |error: git2::Error| HistoryError::from(RepositoryError::git("read its objects", self.dir, &error));
        let (prepared, landings) = rayon::join(
            || readings.prepare(&self.handles, &schemas, &keys).map_err(failed),
            || changing.par_chunks(Handles::SHARE).map(|stops| self.landings(stops)).collect::<Result<Vec<_>, _>>(),
        );
        prepared?;
        let mut landings = landings?.into_iter().flatten();
        let changed = |step: Step| {
            let reading = |content| readings.get((step.schema, content));
            let files = step.files.into_iter().map(|(path, content)| (path, content.map(reading))).collect();
            landings.next().map(|landing| Changed { landing, files, unknown: step.unknown })
        };
        let mut changed = changed;
        Ok(steps.into_iter().map(|(stop, step)| Read { stop, changed: step.and_then(&mut changed) }).collect())
    }

    fn landings(&self, stops: &[Stop]) -> Result<Vec<Arc<Landing>>, HistoryError> {
        let failed = |error: git2::Error| HistoryError::from(RepositoryError::git("read a commit", self.dir, &error));
        let mut signed = Vec::new();
        let read = |git: &git2::Repository| {
            let mut landings = Vec::with_capacity(stops.len());
            for stop in stops {
                let commit = git.find_commit(stop.commit)?;
                if commit.raw_header_bytes().split(|&byte| byte == b'\n').any(|line| line.starts_with(b"gpgsig")) {
                    signed.push(landings.len());
                }
                landings.push(Landing::new(&commit, stop.landed, Signature::none()));
            }
            Ok(landings)
        };
        let mut landings = self.handles.with(read).map_err(failed)?;
        if !signed.is_empty() {
            let repository = Repository::open(self.dir)?;
            for at in signed {
                if let Some(landing) = landings.get_mut(at) {
                    landing.signature = self.signers.signature(&repository, &landing.commit)?;
                }
            }
        }
        Ok(landings.into_iter().map(Arc::new).collect())
    }
}
