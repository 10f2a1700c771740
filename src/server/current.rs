//! The one pointer: which snapshot is served, and since when something newer could not be.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use tokio::sync::watch;

use super::snapshot::Snapshot;
use super::snapshot::Told;

/// Why the newest law book is not the one that is served.
#[derive(Debug, Clone)]
pub struct Behind {
    /// When the first reload failed that no good one followed.
    pub since: Timestamp,
    /// The same moment, for measuring.
    pub started: Instant,
    /// What is wrong, naming the place.
    pub error: String,
    /// The commit that could not be served, if it is one.
    pub commit: Option<String>,
    /// The findings that keep it from being served.
    pub findings: Vec<Told>,
}

/// What is served now.
#[derive(Debug)]
pub struct Current {
    snapshot: ArcSwapOption<Snapshot>,
    behind: ArcSwapOption<Behind>,
    swaps: watch::Sender<u64>,
}

impl Default for Current {
    fn default() -> Self {
        Self { snapshot: ArcSwapOption::empty(), behind: ArcSwapOption::empty(), swaps: watch::Sender::new(0) }
    }
}

impl Current {
    /// The served snapshot, if any has been good yet. A request loads it once.
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.snapshot.load_full()
    }

    /// Why the newest law book is not served, if it is not.
    pub fn behind(&self) -> Option<Arc<Behind>> {
        self.behind.load_full()
    }

    /// Serves this snapshot from now on.
    pub fn swap(&self, snapshot: Arc<Snapshot>) {
        self.snapshot.store(Some(snapshot));
        self.behind.store(None);
        self.swaps.send_modify(|count| *count += 1);
    }

    /// The served snapshot is what there is.
    pub fn up_to_date(&self) {
        if self.behind.swap(None).is_some() {
            self.swaps.send_modify(|count| *count += 1);
        }
    }

    /// The newest law book cannot be served. The moment of the first failure is kept.
    pub fn fell_behind(&self, error: String, commit: Option<String>, findings: Vec<Told>) {
        let earlier = self.behind.load_full();
        let (since, started) = earlier.map_or_else(|| (Timestamp::now(), Instant::now()), |earlier| (earlier.since, earlier.started));
        self.behind.store(Some(Arc::new(Behind { since, started, error, commit, findings })));
        self.swaps.send_modify(|count| *count += 1);
    }

    /// Whether this snapshot has been behind for longer than its configuration allows.
    pub fn is_stale(&self, snapshot: &Snapshot) -> bool {
        let Some(limit) = snapshot.max_staleness else { return false };
        self.behind.load().as_ref().is_some_and(|behind| behind.started.elapsed() > limit)
    }

    /// Tells of every swap, and of every change between being behind and not.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.swaps.subscribe()
    }
}
