//! `lawbook serve`: decisions and two administration interfaces, from one immutable snapshot that is swapped as a whole.
//!
//! Everything hangs on one pointer ([`Current`]). One thread turns changes of an `Origin` into swaps
//! (`reload`), two more follow with findings and history (`background`), and the HTTP interfaces (`http`) answer each
//! request from the one snapshot that they found when it began.

mod annals;
mod auth;
mod background;
mod controls;
mod current;
mod defaults;
mod draft;
mod http;
mod later;
mod listen;
mod log;
mod metrics;
mod options;
mod origin;
mod place;
mod reload;
mod run;
mod snapshot;
mod unread;
mod versions;
mod watch;
mod writes;

pub use annals::Annals;
pub use annals::AuditEntry;
pub use auth::Caller;
pub use auth::Role;
pub use auth::Token;
pub use auth::TokenDigest;
pub use auth::TokenFileError;
pub use auth::Tokens;
pub use current::Behind;
pub use current::Current;
pub use defaults::DEFAULTS;
pub use defaults::Default as DefaultControl;
pub use http::MAX_BODY_BYTES;
pub use http::State;
pub use http::app;
pub use later::Later;
pub use log::LogFormat;
pub use log::log_to_stderr;
pub use metrics::Metrics;
pub use options::DEFAULT_ADDRESS;
pub use options::Notice;
pub use options::Options;
pub use options::ServeError;
pub use options::Source;
pub use options::Stop;
pub use origin::Expected;
pub use origin::Location;
pub use place::Kind;
pub use place::Place;
pub use run::serve;
pub use snapshot::Revision;
pub use snapshot::Snapshot;
pub use snapshot::Told;
pub use snapshot::content_digest;
pub use writes::Author;
pub use writes::Done;
pub use writes::Edit;
pub use writes::Seen;
pub use writes::WriteError;
pub use writes::Writes;
