//! How far long work is: one line on a terminal, shown only when it takes longer than half a second.

use std::io::IsTerminal;
use std::io::Write;
use std::time::Duration;
use std::time::Instant;

use crate::report::count;

/// How long work may take before anything is shown.
const PATIENCE: Duration = Duration::from_millis(500);

/// The line that says how far the work is.
pub struct Progress {
    what: &'static str,
    unit: &'static str,
    start: Instant,
    terminal: bool,
}

impl Progress {
    /// A line for work that has just begun, on standard error.
    pub(super) fn new(what: &'static str, unit: &'static str) -> Self {
        Self { what, unit, start: Instant::now(), terminal: std::io::stderr().is_terminal() }
    }

    fn visible(&self) -> bool {
        self.terminal && self.start.elapsed() > PATIENCE
    }

    /// Says how far the work is.
    pub fn show(&self, done: usize, all: usize) {
        if self.visible() {
            // The work goes on when nobody can be told about it.
            let _ = write!(std::io::stderr(), "\r{}: {done} of {} ", self.what, count(all, self.unit));
        }
    }

    /// Takes the line away.
    pub fn clear(&self) {
        if self.visible() {
            let _ = write!(std::io::stderr(), "\r\u{1b}[2K");
        }
    }
}
