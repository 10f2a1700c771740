//! What a server is told to do, and why it cannot.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;

use super::auth::Token;
use super::log::LogFormat;
use super::origin::Expected;
use super::origin::Location;
use crate::bundle::KeyError;

/// The address when nobody says another one: this machine only.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:8282";

/// Where snapshots come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The files in a folder.
    Worktree(PathBuf),
    /// A ref of the repository that a folder lies in, or that the folder is.
    Ref {
        /// The folder.
        dir: PathBuf,
        /// The ref.
        name: String,
    },
    /// A bundle.
    Bundle {
        /// Where it is.
        location: Location,
        /// What is wanted of it.
        expected: Expected,
        /// The directory that remembers the last good one.
        state: PathBuf,
    },
}

/// What whoever started the server should see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The token that was made because there is no token file. It is told once, before anything else.
    AdministratorToken(Token),
    /// The address that is listened on.
    Listening(SocketAddr),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AdministratorToken(token) => write!(f, "administrator token: {}", token.as_str()),
            Self::Listening(address) => write!(f, "listening on http://{address}"),
        }
    }
}

/// Ends a server, from another thread.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    /// Lets requests that have begun come to their end, and then ends the server.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Ends when somebody has called [`stop`](Self::stop).
    pub(super) async fn stopped(&self) {
        let mut changes = self.0.subscribe();
        let _: Result<_, _> = changes.wait_for(|stopped| *stopped).await;
    }
}

/// What a server is told to do.
#[derive(Clone)]
pub struct Options {
    /// Where snapshots come from.
    pub source: Source,
    /// The address to listen on, such as [`DEFAULT_ADDRESS`]; port 0 takes a free one.
    pub listen: String,
    /// The token file.
    pub tokens: Option<PathBuf>,
    /// The file of the key that signs the commits of changes.
    pub commit_signing_key: Option<PathBuf>,
    /// How logs are written; absent leaves logging to the caller.
    pub log: Option<LogFormat>,
    /// Shows a notice.
    pub notice: Arc<dyn Fn(Notice) + Send + Sync>,
    /// Ends the server, like SIGTERM and SIGINT do.
    pub stop: Stop,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("source", &self.source)
            .field("listen", &self.listen)
            .field("tokens", &self.tokens)
            .field("commit_signing_key", &self.commit_signing_key)
            .finish_non_exhaustive()
    }
}

/// Why a server cannot start or go on.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ServeError {
    /// The address is none.
    #[error("`{address}` is no address to listen on: {why}")]
    #[diagnostic(help("write an address and a port, such as `{DEFAULT_ADDRESS}`"))]
    Address {
        /// What was given.
        address: String,
        /// What is wrong with it.
        why: String,
    },
    /// Others could reach the server, and nobody has been given a token.
    #[error("`{address}` can be reached from other machines, and there is no token file")]
    #[diagnostic(help(
        "give every caller a token with `lawbook token new`, and name the file with `--tokens`; or listen on `{DEFAULT_ADDRESS}`"
    ))]
    Public {
        /// The address.
        address: SocketAddr,
    },
    /// The address is taken or not ours.
    #[error("cannot listen on `{address}`: {why}")]
    #[diagnostic(help("choose another address with `--listen`"))]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        why: std::io::Error,
    },
    /// The token file is not good to start with.
    #[error("{message}")]
    #[diagnostic(help("{help}"))]
    Tokens {
        /// What is wrong.
        message: String,
        /// What to do next.
        help: String,
    },
    /// The key that would sign commits cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Key(#[from] KeyError),
    /// There is nothing to serve from.
    #[error("{message}")]
    #[diagnostic(help("{help}"))]
    Source {
        /// What is wrong.
        message: String,
        /// What to do next.
        help: String,
    },
    /// The system does not give what a server needs.
    #[error("the system does not give {what}: {why}")]
    #[diagnostic(help("look at the limits of the process"))]
    System {
        /// What.
        what: &'static str,
        /// What the system says.
        why: String,
    },
}
