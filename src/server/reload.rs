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

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
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

/// How often somebody who is in the middle of a change is asked whether it is done.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// The longest pause before something that could not be reached is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What could not be served is tried again after this long also when it looks the same: the disk may have been full, or the
/// clock early.
const RETRY: Duration = Duration::from_secs(30);

/// How many may wait for a reload at a time; others wait for their place.
const MAX_WAITING: usize = 1024;

/// What the loop is told.
#[derive(Debug)]
pub enum Signal {
    /// Something may have changed.
    Changed,
    /// Somebody waits for whatever there is now to be served.
    Demand(Waiter),
    /// The server stops.
    Stop,
}

/// Somebody who waits for a reload, with the place that this takes.
#[derive(Debug)]
pub struct Waiter {
    done: oneshot::Sender<()>,
    _place: OwnedSemaphorePermit,
}

/// The way to the loop.
#[derive(Debug, Clone)]
pub struct Reloader {
    signals: Sender<Signal>,
    places: Arc<Semaphore>,
}

impl Reloader {
    /// Loads what there is now; returns when it is served, or known not to be servable, or after `limit`.
    pub async fn reload(&self, limit: Duration) {
        let demand = async {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { return };
            let (done, wait) = oneshot::channel();
            if self.signals.send(Signal::Demand(Waiter { done, _place: place })).is_ok() {
                let _: Result<_, _> = wait.await;
            }
        };
        let _: Result<_, _> = tokio::time::timeout(limit, demand).await;
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
    /// When something that could not be served is tried again, whatever it looks like.
    retry_at: Option<Instant>,
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
        let reloader = Reloader { signals: sender, places: Arc::new(Semaphore::new(MAX_WAITING)) };
        (Self { origin, current, metrics, background, signals, watch, last: None, failures: 0, retry_at: None }, reloader)
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
        let (mut waiting, told) = match self.signals.recv_timeout(self.pause()) {
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return None,
            Ok(Signal::Demand(waiter)) => (vec![waiter], false),
            Ok(Signal::Changed) => (Vec::new(), true),
            Err(RecvTimeoutError::Timeout) => (Vec::new(), false),
        };
        let is_exact = self.origin.is_exact();
        let moved = !told && !self.looks_the_same();
        // A commit is whole when it is seen. Files that move may be on the way to something.
        let told = self.settle(&mut waiting, if told || (moved && !is_exact) { QUIET } else { Duration::ZERO })? || told;
        waiting.retain(|waiter| !waiter.done.is_closed());
        let may_differ = moved || self.origin.is_remote() || (told && !(is_exact && self.looks_the_same()));
        if may_differ || !waiting.is_empty() {
            self.attempt();
        }
        for waiter in waiting {
            let _: Result<_, _> = waiter.done.send(());
        }
        Some(())
    }

    fn pause(&self) -> Duration {
        let period = self.origin.period();
        if self.failures == 0 { period } else { period.saturating_mul(1 << self.failures.min(5)).min(LONGEST_PAUSE) }
    }

    /// Takes what has been said, until no event comes for a moment, but not for longer than [`PATIENCE`]. Gives whether there
    /// was an event.
    fn settle(&self, waiting: &mut Vec<Waiter>, quiet: Duration) -> Option<bool> {
        let end = Instant::now() + PATIENCE;
        let mut calm = Instant::now() + quiet;
        let mut told = false;
        while Instant::now() < end {
            let left = calm.min(end).saturating_duration_since(Instant::now());
            match self.signals.recv_timeout(left) {
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return None,
                Ok(Signal::Demand(waiter)) => waiting.push(waiter),
                Ok(Signal::Changed) => {
                    told = true;
                    calm = Instant::now() + quiet;
                }
                Err(RecvTimeoutError::Timeout) => break,
            }
        }
        Some(told)
    }

    /// Whether there is nothing new since the last load. What cannot be looked at counts as new, so that loading tells why.
    fn looks_the_same(&mut self) -> bool {
        let now = self.look();
        let is_due = self.retry_at.is_some_and(|at| at <= Instant::now());
        now.is_some() && now == self.last && self.failures == 0 && !is_due
    }

    /// Looks at the origin, and watches the directories that there are now. Watching comes before loading, so that what
    /// happens during a load is an event.
    fn look(&mut self) -> Option<Fingerprint> {
        let seen = self.origin.fingerprint().ok();
        self.watch.follow(self.origin.directories());
        seen
    }

    /// Loads once, and again while files keep changing under the load. What is one thing by itself, such as a commit, cannot
    /// change under the load; it is served, and the next look finds what came after it. While somebody says that a change is
    /// under way, what is served stays: late is better than a mixture.
    fn attempt(&mut self) {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(busy) = self.wait_while_busy(end) {
                self.conclude(Err(busy), Duration::ZERO);
                return;
            }
            let before = self.look();
            let started = Instant::now();
            // INVARIANT: only what is served counts as known. What an attempt loaded and did not serve is loaded again.
            let served = self.current.snapshot();
            let outcome = self.origin.load(served.as_deref().map(|served| &served.revision));
            let after = self.origin.fingerprint().ok();
            let busy = self.origin.busy();
            self.last.clone_from(&before);
            let is_late = Instant::now() >= end;
            if is_late || self.origin.is_exact() || (busy.is_none() && before == after) {
                self.conclude(busy.map_or(outcome, Err), started.elapsed());
                return;
            }
            std::thread::sleep(QUIET.min(end.saturating_duration_since(Instant::now())));
        }
    }

    /// Waits for the end of a change that is under way; gives who makes it when it takes too long.
    fn wait_while_busy(&self, end: Instant) -> Option<OriginError> {
        loop {
            let busy = self.origin.busy()?;
            if Instant::now() >= end {
                return Some(busy);
            }
            std::thread::sleep(BUSY_PAUSE);
        }
    }

    fn conclude(&mut self, outcome: Result<Option<Loaded>, OriginError>, took: Duration) {
        match outcome {
            Ok(loaded) => {
                self.failures = 0;
                self.retry_at = None;
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
            let meanwhile =
                if self.current.snapshot().is_some() { "the last good law book stays" } else { "nothing is served until it is repaired" };
            tracing::error!("{}; {meanwhile}", error.message());
        }
        let message = error.message().to_owned();
        self.retry_at = Some(Instant::now() + RETRY);
        match error {
            OriginError::Busy { .. } => {
                self.failures = 0;
                self.retry_at = Some(Instant::now());
                self.current.fell_behind(message, None, Vec::new());
            }
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
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::config::Config;
    use crate::decision::Index;
    use crate::policy::PolicySet;
    use crate::server::annals::Annals;
    use crate::server::snapshot::Revision;
    use crate::server::snapshot::Snapshot;

    /// A tip that moves as its script says, with one step after each load.
    #[derive(Clone, Default)]
    struct Scripted {
        script: Vec<Tip>,
        loads: Arc<AtomicUsize>,
        exact: bool,
        /// Looks the same whatever it is.
        still: bool,
        busy: Arc<AtomicBool>,
    }

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Tip {
        Good(&'static str),
        Broken,
    }

    impl Scripted {
        fn tip(&self) -> Tip {
            self.script.get(self.loads.load(Ordering::Relaxed)).or(self.script.last()).copied().unwrap_or(Tip::Broken)
        }
    }

    impl Origin for Scripted {
        fn fingerprint(&mut self) -> Result<Fingerprint, OriginError> {
            Ok(Fingerprint(if self.still { String::new() } else { format!("{:?}", self.tip()) }))
        }

        fn is_exact(&self) -> bool {
            self.exact
        }

        fn busy(&self) -> Option<OriginError> {
            self.busy.load(Ordering::Relaxed).then(|| OriginError::Busy { message: "busy".to_owned() })
        }

        fn period(&self) -> Duration {
            PATIENCE
        }

        fn load(&mut self, served: Option<&Revision>) -> Result<Option<Loaded>, OriginError> {
            let tip = self.tip();
            self.loads.fetch_add(1, Ordering::Relaxed);
            let Tip::Good(content) = tip else {
                return Err(OriginError::Broken { message: "broken".to_owned(), commit: None, findings: Vec::new() });
            };
            if served.is_some_and(|served| served.content == content) {
                return Ok(None);
            }
            let revision = Revision { number: None, commit: None, content: content.to_owned() };
            let index = Index::new(Arc::new(PolicySet::default()));
            let snapshot = Snapshot::new(index, Config::default(), revision);
            Ok(Some(Loaded { snapshot, check: Box::new(|| None), annals: Box::new(|| Ok(Annals::default())), despite: None }))
        }

        fn directories(&self) -> Vec<PathBuf> {
            Vec::new()
        }

        fn relevance(&self) -> Box<dyn Fn(&Path) -> bool + Send> {
            Box::new(|_| true)
        }
    }

    fn looped(origin: &Scripted) -> (Loop, Reloader, Arc<Current>) {
        let current = Arc::new(Current::default());
        let (reload, reloader) = Loop::new(Box::new(origin.clone()), Arc::clone(&current), Arc::new(Metrics::default()));
        (reload, reloader, current)
    }

    fn served(current: &Current) -> Option<String> {
        current.snapshot().map(|snapshot| snapshot.revision.content.clone())
    }

    /// A commit that landed while another one was being loaded made the loaded one vanish.
    #[test]
    fn what_was_loaded_is_served_also_when_the_origin_moved_meanwhile() {
        for (exact, expected) in [(false, "second"), (true, "first")] {
            let script = vec![Tip::Good("first"), Tip::Good("second")];
            let (mut reload, _, current) = looped(&Scripted { script, exact, ..Scripted::default() });
            reload.attempt();
            assert_eq!(served(&current).as_deref(), Some(expected), "exact: {exact}");
        }
    }

    /// The tip was loaded, moved to a broken one before it was served, and was set back: it passed for served already.
    #[test]
    fn what_was_loaded_and_not_served_is_loaded_again() {
        let [old, new] = ["old", "new"].map(Tip::Good);
        let script = vec![old, old, new, Tip::Broken, Tip::Broken, new];
        let (mut reload, _, current) = looped(&Scripted { script, ..Scripted::default() });
        reload.attempt();
        assert_eq!(served(&current).as_deref(), Some("old"));
        reload.attempt();
        assert_eq!((served(&current).as_deref(), current.behind().is_some()), (Some("old"), true));
        reload.attempt();
        assert_eq!((served(&current).as_deref(), current.behind().is_none()), (Some("new"), true));
    }

    /// A disk that was full for a moment kept a server behind until the next edit.
    #[test]
    fn what_could_not_be_served_is_tried_again_though_it_looks_the_same() {
        let script = vec![Tip::Broken, Tip::Good("new")];
        let (mut reload, _, current) = looped(&Scripted { script, still: true, ..Scripted::default() });
        reload.attempt();
        assert!(current.behind().is_some() && reload.looks_the_same(), "it is not tried again at once");
        let due = reload.retry_at.expect("it will be tried again");
        assert!(due <= Instant::now() + RETRY);
        reload.retry_at = Some(Instant::now());
        assert!(!reload.looks_the_same());
        reload.attempt();
        assert_eq!((served(&current).as_deref(), reload.retry_at), (Some("new"), None));
    }

    /// Three hundred requests at once were a hundred loads.
    #[test]
    fn many_demands_are_one_load() {
        let origin = Scripted { script: vec![Tip::Good("only")], still: true, ..Scripted::default() };
        let (mut reload, reloader, _) = looped(&origin);
        reload.first();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let mut demands: Vec<_> = (0..40).map(|_| Box::pin(reloader.reload(Duration::from_secs(20)))).collect();
            let mut gone = Box::pin(reloader.reload(Duration::from_secs(20)));
            std::future::poll_fn(|context| {
                for demand in demands.iter_mut().chain([&mut gone]) {
                    assert!(demand.as_mut().poll(context).is_pending());
                }
                std::task::Poll::Ready(())
            })
            .await;
            drop(gone);
            reload.turn().expect("it goes on");
            for demand in demands {
                demand.await;
            }
            assert_eq!(origin.loads.load(Ordering::Relaxed), 2, "the first one, and one for all of them");
            let abandoned = async { tokio::time::timeout(Duration::ZERO, reloader.reload(Duration::from_secs(20))).await };
            assert!(abandoned.await.is_err());
            reload.turn().expect("it goes on");
            assert_eq!(origin.loads.load(Ordering::Relaxed), 2, "nobody waits any more");
        });
    }

    /// A checkout that took longer than a second was served half done.
    #[test]
    fn what_is_in_the_middle_of_a_change_is_not_loaded() {
        let origin = Scripted { script: vec![Tip::Good("old"), Tip::Good("new")], still: true, ..Scripted::default() };
        let (mut reload, _, current) = looped(&origin);
        reload.first();
        origin.busy.store(true, Ordering::Relaxed);
        reload.attempt();
        let behind = current.behind().expect("it is behind");
        assert_eq!((served(&current).as_deref(), behind.error.as_str()), (Some("old"), "busy"));
        origin.busy.store(false, Ordering::Relaxed);
        assert!(!reload.looks_the_same(), "it is looked at again");
        reload.attempt();
        assert_eq!((served(&current).as_deref(), current.behind().is_none()), (Some("new"), true));
    }
}
