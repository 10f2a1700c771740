//! Events of the file system, as a hint that looking may be worth it.
//!
//! Directories are watched, never files: editors and Kubernetes replace files, and a watch on a file ends with the first
//! replacement. Reading is an event too, and is dropped, else every load would lead to the next one.

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use notify::Event;
use notify::EventKind;
use notify::RecommendedWatcher;
use notify::RecursiveMode;
use notify::Watcher;
use notify::event::ModifyKind;

/// The watched directories.
pub struct Watch {
    watcher: Option<RecommendedWatcher>,
    armed: BTreeSet<PathBuf>,
    /// Directories that an event says are gone or moved, and whose watch is dead.
    lost: Arc<Mutex<Vec<PathBuf>>>,
    warned: bool,
}

impl Watch {
    /// Calls `changed` after every event that `relevant` says may matter.
    pub fn new(relevant: Box<dyn Fn(&Path) -> bool + Send>, changed: impl Fn() + Send + 'static) -> Self {
        let lost = Arc::new(Mutex::new(Vec::new()));
        let gone = Arc::clone(&lost);
        let handler = move |event: notify::Result<Event>| match event {
            Ok(event) if matches!(event.kind, EventKind::Access(_)) => {}
            Ok(event) => {
                if matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))) {
                    gone.lock().unwrap_or_else(PoisonError::into_inner).extend(event.paths.iter().cloned());
                }
                if event.need_rescan() || event.paths.iter().any(|path| relevant(path)) {
                    changed();
                }
            }
            Err(error) => {
                tracing::debug!("watching: {error}");
                changed();
            }
        };
        let watcher = notify::recommended_watcher(handler);
        if let Err(error) = &watcher {
            tracing::warn!("the system gives no file events, changes are seen by looking: {error}");
        }
        Self { watcher: watcher.ok(), armed: BTreeSet::new(), lost, warned: false }
    }

    /// Watches exactly these directories from now on, as far as they exist.
    pub fn follow(&mut self, directories: Vec<PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        let lost = std::mem::take(&mut *self.lost.lock().unwrap_or_else(PoisonError::into_inner));
        if !lost.is_empty() {
            self.armed.retain(|armed| {
                let dead = lost.iter().any(|gone| armed.starts_with(gone));
                if dead {
                    // The system has usually dropped it already, and then there is nothing to take back.
                    let _: Result<_, _> = watcher.unwatch(armed);
                }
                !dead
            });
        }
        let wanted: BTreeSet<PathBuf> = directories.into_iter().collect();
        self.armed.retain(|armed| {
            let keep = wanted.contains(armed);
            if !keep {
                let _: Result<_, _> = watcher.unwatch(armed);
            }
            keep
        });
        for directory in wanted {
            if self.armed.contains(&directory) {
                continue;
            }
            match watcher.watch(&directory, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.armed.insert(directory);
                }
                Err(error) if !self.warned && directory.is_dir() => {
                    self.warned = true;
                    tracing::warn!("`{}` cannot be watched, changes there are seen by looking: {error}", directory.display());
                }
                Err(_) => {}
            }
        }
    }
}
