//! What follows a swap: checking the served law book, and deriving its history.
//!
//! Both have a thread of their own. Histories are derived one after the other, since each continues the one before; of
//! several law books that wait to be checked, only the newest is.

use std::sync::Arc;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;

use super::annals::Annals;
use super::metrics::Metrics;
use super::origin::Task;
use super::snapshot::Findings;
use super::snapshot::Snapshot;

type Job<T> = (Arc<Snapshot>, Task<T>);

/// The two threads.
#[derive(Debug)]
pub struct Background {
    annals: Sender<Job<Result<Annals, String>>>,
    checks: Sender<Job<Findings>>,
}

impl Background {
    /// Starts the threads. They end when this is dropped.
    pub fn start(metrics: Arc<Metrics>) -> Self {
        let (annals, histories) = mpsc::channel();
        let (checks, books) = mpsc::channel();
        spawn("history", move || derive(&histories));
        spawn("check", move || check(&books, &metrics));
        Self { annals, checks }
    }

    /// Derives the history of a snapshot.
    pub fn annals(&self, snapshot: Arc<Snapshot>, task: Task<Result<Annals, String>>) {
        if let Err(mpsc::SendError((snapshot, _))) = self.annals.send((snapshot, task)) {
            snapshot.annals.set(Err("no thread derives the history".to_owned()));
        }
    }

    /// Checks a snapshot.
    pub fn check(&self, snapshot: Arc<Snapshot>, task: Task<Findings>) {
        if let Err(mpsc::SendError((snapshot, _))) = self.checks.send((snapshot, task)) {
            snapshot.findings.set(None);
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    if let Err(error) = std::thread::Builder::new().name(name.to_owned()).spawn(work) {
        tracing::error!("the system gives no thread for `{name}`: {error}");
    }
}

fn derive(jobs: &Receiver<Job<Result<Annals, String>>>) {
    while let Ok((snapshot, task)) = jobs.recv() {
        let annals = task();
        if let Err(error) = &annals {
            tracing::warn!("the audit trail cannot be derived: {error}");
        }
        snapshot.annals.set(annals);
    }
}

fn check(jobs: &Receiver<Job<Findings>>, metrics: &Metrics) {
    while let Ok(mut job) = jobs.recv() {
        while let Ok(newer) = jobs.try_recv() {
            job.0.findings.set(None);
            job = newer;
        }
        let (snapshot, task) = job;
        let findings = task();
        if let Some(findings) = &findings {
            metrics.found(findings);
        }
        snapshot.findings.set(findings);
    }
}
