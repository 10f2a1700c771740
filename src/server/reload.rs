//! The reload loop: one thread that turns changes into swaps.
//!
//! It alone loads, so that there is one order of snapshots. Events make it quick, and a look at the fingerprint every now
//! and then makes it certain: events get lost, directories are removed and made again, and some file systems send none.

use std::sync::Arc;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use tokio::sync::oneshot;

use super::background::Background;
use super::current::Current;
use super::metrics::Metrics;
use super::origin::Fingerprint;
use super::origin::Loaded;
use super::origin::Origin;
use super::origin::OriginError;
use super::watch::Watch;

/// Events settle when nothing has happened for this long.
const QUIET: Duration = Duration::from_millis(100);

/// Events that keep coming are not waited for any longer than this.
const PATIENCE: Duration = Duration::from_secs(1);

/// The longest pause before something that could not be reached is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What the loop is told.
#[derive(Debug)]
pub enum Signal {
    /// Something may have changed.
    Changed,
    /// Somebody waits for whatever there is now to be served.
    Demand(oneshot::Sender<()>),
    /// The server stops.
    Stop,
}

/// The way to the loop.
#[derive(Debug, Clone)]
pub struct Reloader {
    signals: Sender<Signal>,
}

impl Reloader {
    /// Loads what there is now; returns when it is served, or known not to be servable, or after `limit`.
    pub async fn reload(&self, limit: Duration) {
        let (done, wait) = oneshot::channel();
        if self.signals.send(Signal::Demand(done)).is_ok() {
            let _: Result<_, _> = tokio::time::timeout(limit, wait).await;
        }
    }

    /// Ends the loop.
    pub fn stop(&self) {
        let _: Result<_, _> = self.signals.send(Signal::Stop);
    }
}

/// The loop, ready to run.
pub struct Loop {
    origin: Box<dyn Origin>,
    current: Arc<Current>,
    metrics: Arc<Metrics>,
    background: Background,
    signals: Receiver<Signal>,
    watch: Watch,
    last: Option<Fingerprint>,
    failures: u32,
}

impl Loop {
    /// A loop over an origin, and the way to it.
    pub fn new(origin: Box<dyn Origin>, current: Arc<Current>, metrics: Arc<Metrics>) -> (Self, Reloader) {
        let (sender, signals) = mpsc::channel();
        let events = sender.clone();
        let watch = Watch::new(origin.relevance(), move || {
            let _: Result<_, _> = events.send(Signal::Changed);
        });
        let background = Background::start(Arc::clone(&metrics));
        (Self { origin, current, metrics, background, signals, watch, last: None, failures: 0 }, Reloader { signals: sender })
    }

    /// Loads for the first time. Whether that went well is seen in what is served.
    pub fn first(&mut self) {
        self.attempt();
    }

    /// Runs until it is stopped.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn spawn(mut self) -> std::io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name("reload".to_owned()).spawn(move || while self.turn().is_some() {})
    }

    /// Waits for one reason to look, and looks; `None` when the server stops.
    fn turn(&mut self) -> Option<()> {
        let pause = self.pause();
        match self.signals.recv_timeout(pause) {
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return None,
            Ok(Signal::Demand(waiting)) => self.answer(vec![waiting]),
            Ok(Signal::Changed) => {
                let waiting = self.settle()?;
                if waiting.is_empty() && self.origin.is_exact() && self.looks_the_same() {
                    return Some(());
                }
                self.answer(waiting);
            }
            Err(RecvTimeoutError::Timeout) => {
                if !self.looks_the_same() || self.origin.is_remote() {
                    self.answer(Vec::new());
                }
            }
        }
        Some(())
    }

    fn pause(&self) -> Duration {
        let period = self.origin.period();
        if self.failures == 0 { period } else { period.saturating_mul(1 << self.failures.min(5)).min(LONGEST_PAUSE) }
    }

    /// Collects events until they stop for a moment, but not for longer than [`PATIENCE`]. Whoever waits for a reload ends the waiting.
    fn settle(&self) -> Option<Vec<oneshot::Sender<()>>> {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.signals.recv_timeout(QUIET.min(left)) {
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return None,
                Ok(Signal::Demand(waiting)) => return Some(vec![waiting]),
                Ok(Signal::Changed) => {}
                Err(RecvTimeoutError::Timeout) if self.origin.is_busy() && left > QUIET => {}
                Err(RecvTimeoutError::Timeout) => return Some(Vec::new()),
            }
            if left.is_zero() {
                return Some(Vec::new());
            }
        }
    }

    /// Whether there is nothing new since the last load. What cannot be looked at counts as new, so that loading tells why.
    fn looks_the_same(&mut self) -> bool {
        let now = self.look();
        now.is_some() && now == self.last && self.failures == 0
    }

    /// Looks at the origin, and watches the directories that there are now. Watching comes before loading, so that what
    /// happens during a load is an event.
    fn look(&mut self) -> Option<Fingerprint> {
        let seen = self.origin.fingerprint().ok();
        self.watch.follow(self.origin.directories());
        seen
    }

    fn answer(&mut self, waiting: Vec<oneshot::Sender<()>>) {
        self.attempt();
        for one in waiting {
            let _: Result<_, _> = one.send(());
        }
    }

    /// Loads once, and again while files keep changing under the load. What is one thing by itself, such as a commit, cannot
    /// change under the load; it is served, and the next look finds what came after it.
    fn attempt(&mut self) {
        let end = Instant::now() + PATIENCE;
        loop {
            let before = self.look();
            let started = Instant::now();
            // INVARIANT: only what is served counts as known. What an attempt loaded and did not serve is loaded again.
            let served = self.current.snapshot();
            let outcome = self.origin.load(served.as_deref().map(|served| &served.revision));
            let after = self.origin.fingerprint().ok();
            self.last.clone_from(&before);
            if before == after || self.origin.is_exact() || Instant::now() >= end {
                self.conclude(outcome, started.elapsed());
                return;
            }
            std::thread::sleep(QUIET.min(end.saturating_duration_since(Instant::now())));
        }
    }

    fn conclude(&mut self, outcome: Result<Option<Loaded>, OriginError>, took: Duration) {
        match outcome {
            Ok(loaded) => {
                self.failures = 0;
                match loaded {
                    Some(loaded) => self.serve(loaded, took),
                    None => {
                        self.current.up_to_date();
                        self.metrics.reloaded("unchanged");
                    }
                }
            }
            Err(error) => self.fail(error),
        }
        self.metrics.behind(self.current.behind().map(|behind| behind.since));
    }

    fn serve(&mut self, mut loaded: Loaded, took: Duration) {
        let despite = loaded.despite.take();
        self.swap(loaded, took);
        if let Some(error) = despite {
            self.fail(error);
        }
    }

    fn swap(&mut self, loaded: Loaded, took: Duration) {
        let served = self.current.snapshot();
        if served.is_some_and(|served| served.revision == loaded.snapshot.revision) {
            self.current.up_to_date();
            self.metrics.reloaded("unchanged");
            return;
        }
        let snapshot = Arc::new(loaded.snapshot);
        self.current.swap(Arc::clone(&snapshot));
        self.metrics.reloaded("swapped");
        self.metrics.serves(&snapshot);
        tracing::info!(
            policies = snapshot.set().policies().len(),
            milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "serving {}",
            snapshot.revision
        );
        self.background.annals(Arc::clone(&snapshot), loaded.annals);
        self.background.check(snapshot, loaded.check);
    }

    fn fail(&mut self, error: OriginError) {
        self.metrics.reloaded(error.outcome());
        let known = self.current.behind().is_some_and(|behind| behind.error == error.message());
        if !known {
            tracing::error!("{}; the last good law book stays", error.message());
        }
        let message = error.message().to_owned();
        match error {
            OriginError::Unreachable { .. } => {
                self.failures = self.failures.saturating_add(1);
                self.current.fell_behind(message, None, Vec::new());
            }
            OriginError::Broken { commit, findings, .. } => {
                self.failures = 0;
                self.current.fell_behind(message, commit, findings);
            }
            OriginError::Refused { reason, .. } => {
                self.failures = 0;
                self.metrics.refused(reason);
                self.current.fell_behind(message, None, Vec::new());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::path::PathBuf;

    use super::*;
    use crate::config::Config;
    use crate::decision::Index;
    use crate::policy::PolicySet;
    use crate::server::annals::Annals;
    use crate::server::snapshot::Revision;
    use crate::server::snapshot::Snapshot;

    /// A tip that moves as its script says, with one step after each load.
    struct Scripted {
        script: Vec<Tip>,
        at: usize,
        exact: bool,
    }

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Tip {
        Good(&'static str),
        Broken,
    }

    impl Scripted {
        fn tip(&self) -> Tip {
            self.script.get(self.at).or(self.script.last()).copied().unwrap_or(Tip::Broken)
        }
    }

    impl Origin for Scripted {
        fn fingerprint(&mut self) -> Result<Fingerprint, OriginError> {
            Ok(Fingerprint(format!("{:?}", self.tip())))
        }

        fn is_exact(&self) -> bool {
            self.exact
        }

        fn period(&self) -> Duration {
            PATIENCE
        }

        fn load(&mut self, served: Option<&Revision>) -> Result<Option<Loaded>, OriginError> {
            let tip = self.tip();
            self.at += 1;
            let Tip::Good(content) = tip else {
                return Err(OriginError::Broken { message: "broken".to_owned(), commit: None, findings: Vec::new() });
            };
            if served.is_some_and(|served| served.content == content) {
                return Ok(None);
            }
            let revision = Revision { number: None, commit: None, content: content.to_owned() };
            let index = Index::new(Arc::new(PolicySet::default()));
            let snapshot = Snapshot::new(index, Config::default(), revision).expect("a snapshot");
            Ok(Some(Loaded { snapshot, check: Box::new(|| None), annals: Box::new(|| Ok(Annals::default())), despite: None }))
        }

        fn directories(&self) -> Vec<PathBuf> {
            Vec::new()
        }

        fn relevance(&self) -> Box<dyn Fn(&Path) -> bool + Send> {
            Box::new(|_| true)
        }
    }

    fn scripted(script: &[Tip], exact: bool) -> (Loop, Arc<Current>) {
        let current = Arc::new(Current::default());
        let origin = Scripted { script: script.to_vec(), at: 0, exact };
        let (reload, _) = Loop::new(Box::new(origin), Arc::clone(&current), Arc::new(Metrics::default()));
        (reload, current)
    }

    fn served(current: &Current) -> Option<String> {
        current.snapshot().map(|snapshot| snapshot.revision.content.clone())
    }

    /// A commit that landed while another one was being loaded made the loaded one vanish.
    #[test]
    fn what_was_loaded_is_served_also_when_the_origin_moved_meanwhile() {
        for (exact, expected) in [(false, "second"), (true, "first")] {
            let (mut reload, current) = scripted(&[Tip::Good("first"), Tip::Good("second")], exact);
            reload.attempt();
            assert_eq!(served(&current).as_deref(), Some(expected), "exact: {exact}");
        }
    }

    /// The tip was loaded, moved to a broken one before it was served, and was set back: it passed for served already.
    #[test]
    fn what_was_loaded_and_not_served_is_loaded_again() {
        let [old, new] = ["old", "new"].map(Tip::Good);
        let script = [old, old, new, Tip::Broken, Tip::Broken, new];
        let (mut reload, current) = scripted(&script, false);
        reload.attempt();
        assert_eq!(served(&current).as_deref(), Some("old"));
        reload.attempt();
        assert_eq!((served(&current).as_deref(), current.behind().is_some()), (Some("old"), true));
        reload.attempt();
        assert_eq!((served(&current).as_deref(), current.behind().is_none()), (Some("new"), true));
    }
}
