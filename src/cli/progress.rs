//! How far long work is: one line on a terminal, shown only when it takes longer than half a second.
//!
//! The work only says where it is, from any thread and as often as it likes. A thread of its own draws the line, so that it is
//! there after half a second even when the work has nothing to say for long, and nothing is written when that never comes.

use std::io::IsTerminal;
use std::io::Write;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::report::count;

/// How long work may take before anything is shown.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often the line is drawn.
const PACE: Duration = Duration::from_millis(100);

/// How many characters the bar has.
const WIDTH: usize = 24;

/// The line that says how far the work is. It goes away when this is dropped.
pub struct Progress {
    work: Arc<Work>,
    painter: Option<JoinHandle<()>>,
}

/// What is known of the work.
#[derive(Default)]
struct Work {
    what: &'static str,
    unit: &'static str,
    done: AtomicUsize,
    all: AtomicUsize,
    ended: Mutex<bool>,
    end: Condvar,
}

impl Progress {
    /// A line for work that has just begun, on standard error; nothing where that is no terminal.
    pub(super) fn new(what: &'static str, unit: &'static str) -> Self {
        let work = Arc::new(Work { what, unit, ..Work::default() });
        let painted = Arc::clone(&work);
        let start = || std::thread::Builder::new().spawn(move || painted.paint(PATIENCE, &mut std::io::stderr())).ok();
        let painter = if std::io::stderr().is_terminal() { start() } else { None };
        Self { work, painter }
    }

    /// Says how far the work is.
    pub fn show(&self, done: usize, all: usize) {
        self.work.done.store(done, Ordering::Relaxed);
        self.work.all.store(all, Ordering::Relaxed);
    }

    /// Says that one more of so many is done.
    pub fn advance(&self, all: usize) {
        self.work.done.fetch_add(1, Ordering::Relaxed);
        self.work.all.store(all, Ordering::Relaxed);
    }

    /// Takes the line away.
    pub fn clear(self) {
        drop(self);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.work.finish();
        if let Some(painter) = self.painter.take() {
            // A painter that failed has nothing on the screen to take away.
            let _ = painter.join();
        }
    }
}

impl Work {
    fn finish(&self) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.end.notify_all();
    }

    /// Whether the work ends within a time.
    fn ends_within(&self, time: Duration) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let (ended, _) = self.end.wait_timeout_while(ended, time, |ended| !*ended).unwrap_or_else(PoisonError::into_inner);
        *ended
    }

    /// Draws until the work has ended. The work goes on when nobody can be told about it.
    fn paint(&self, patience: Duration, out: &mut dyn Write) {
        if self.ends_within(patience) {
            return;
        }
        loop {
            let _ = write!(out, "\r\u{1b}[2K{}", self.line()).and_then(|()| out.flush());
            if self.ends_within(PACE) {
                let _ = write!(out, "\r\u{1b}[2K").and_then(|()| out.flush());
                return;
            }
        }
    }

    fn line(&self) -> String {
        let (done, all) = (self.done.load(Ordering::Relaxed), self.all.load(Ordering::Relaxed));
        if all == 0 {
            return format!("{} …", self.what);
        }
        let filled = WIDTH.saturating_mul(done.min(all)) / all;
        let bar = format!("{}{}", "=".repeat(filled), " ".repeat(WIDTH.saturating_sub(filled)));
        format!("{} [{bar}] {done} of {}", self.what, count(all, self.unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work() -> Arc<Work> {
        Arc::new(Work { what: "reading history", unit: "commit", ..Work::default() })
    }

    /// A terminal on which the work ends as soon as anything is seen.
    struct Screen {
        work: Arc<Work>,
        text: Vec<u8>,
    }

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.text.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            self.work.finish();
            Ok(())
        }
    }

    #[track_caller]
    fn seen(work: &Arc<Work>, patience: Duration) -> String {
        let mut screen = Screen { work: Arc::clone(work), text: Vec::new() };
        work.paint(patience, &mut screen);
        String::from_utf8(screen.text).expect("UTF-8")
    }

    #[test]
    fn work_that_ends_in_time_is_not_seen() {
        let work = work();
        work.finish();
        assert_eq!(seen(&work, Duration::from_secs(600)), "");
    }

    #[test]
    fn work_that_takes_long_is_seen_until_it_ends_even_if_it_says_nothing() {
        assert_eq!(seen(&work(), Duration::ZERO), "\r\u{1b}[2Kreading history …\r\u{1b}[2K");
    }

    #[test]
    fn the_line_says_how_far_the_work_is() {
        let progress = Progress { work: work(), painter: None };
        progress.show(511, 2048);
        progress.advance(2048);
        assert_eq!(progress.work.line(), "reading history [======                  ] 512 of 2048 commits");
    }
}
