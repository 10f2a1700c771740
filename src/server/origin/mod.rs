//! Where snapshots come from: a worktree, a ref of a repository, or a bundle.

mod bundle;
mod fetch;
mod reference;
mod repository;
mod trail;
mod tree;
mod worktree;

use std::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use super::annals::Annals;
use super::snapshot::Findings;
use super::snapshot::Revision;
use super::snapshot::Snapshot;
use super::snapshot::Told;

pub use bundle::BundleOrigin;
pub use bundle::Expected;
pub use bundle::Location;
pub use reference::RefOrigin;
pub use worktree::WorktreeOrigin;

/// What tells two states of an origin apart without loading them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(pub String);

/// Work that follows a load, and that nobody waits for to get a decision.
pub type Task<T> = Box<dyn FnOnce() -> T + Send>;

/// A law book that can be served.
pub struct Loaded {
    /// What will be served.
    pub snapshot: Snapshot,
    /// Finds what is wrong with it.
    pub check: Task<Findings>,
    /// Derives its history.
    pub annals: Task<Result<Annals, String>>,
    /// What keeps something newer from being served, when this is only the best there is.
    pub despite: Option<OriginError>,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("snapshot", &self.snapshot).finish_non_exhaustive()
    }
}

/// Why a law book cannot be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginError {
    /// It cannot be had now; trying again may help.
    Unreachable {
        /// What is wrong, naming the place.
        message: String,
    },
    /// Somebody is in the middle of changing it, and says so.
    Busy {
        /// Who, naming the place.
        message: String,
    },
    /// It is there, and its meaning is not determined.
    Broken {
        /// What is wrong, naming the place.
        message: String,
        /// Its commit.
        commit: Option<String>,
        /// Its blocking findings.
        findings: Vec<Told>,
    },
    /// It is a bundle that must not be trusted.
    Refused {
        /// The reason code of the verifier.
        reason: &'static str,
        /// What is wrong, naming the bundle.
        message: String,
    },
}

impl OriginError {
    /// What is wrong, naming the place.
    pub fn message(&self) -> &str {
        match self {
            Self::Unreachable { message } | Self::Busy { message } | Self::Broken { message, .. } | Self::Refused { message, .. } => {
                message
            }
        }
    }

    /// The label of metrics.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Busy { .. } => "busy",
            Self::Broken { .. } => "broken",
            Self::Refused { .. } => "refused",
        }
    }
}

/// A place that snapshots come from. It is used by one thread only.
pub trait Origin: Send {
    /// What tells the present state from another, cheaply.
    ///
    /// # Errors
    /// The place cannot be looked at.
    fn fingerprint(&mut self) -> Result<Fingerprint, OriginError>;

    /// Whether equal fingerprints prove that nothing changed, so that an event need not lead to a load.
    fn is_exact(&self) -> bool;

    /// How long to wait before the next look at the fingerprint.
    fn period(&self) -> Duration;

    /// Whether only loading tells if something changed.
    fn is_remote(&self) -> bool {
        false
    }

    /// Why it should not be loaded just now: somebody is in the middle of changing it.
    fn busy(&self) -> Option<OriginError> {
        None
    }

    /// Loads the present state; `None` when it is known to be the one that is served. What was loaded earlier does not count:
    /// it may never have been served.
    ///
    /// # Errors
    /// It cannot be served, and why.
    fn load(&mut self, served: Option<&Revision>) -> Result<Option<Loaded>, OriginError>;

    /// The directories in which something may happen, not recursively.
    fn directories(&self) -> Vec<PathBuf>;

    /// Tells whether an event at a path can concern the origin.
    fn relevance(&self) -> Box<dyn Fn(&Path) -> bool + Send>;
}

/// A look at the blocking findings as one message.
pub(super) fn summary(place: &str, findings: &[Told]) -> String {
    match findings {
        [] => format!("{place} cannot be served"),
        [one] => format!("{place} cannot be served: {}:{}: {}", one.path, one.line, one.message),
        [one, rest @ ..] => format!("{place} cannot be served: {}:{}: {} (and {} more)", one.path, one.line, one.message, rest.len()),
    }
}
