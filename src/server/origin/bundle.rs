//! Snapshots of a bundle: verified first, remembered, then served.
//!
//! A bundle comes from two files or from a file server. Whatever is wrong with a new one, the last good one stays; a
//! restart resumes from the state directory, so that a file server that is down keeps nobody from starting.

use std::fmt;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Fingerprint;
use super::Loaded;
use super::Origin;
use super::OriginError;
use super::fetch::Answer;
use super::fetch::Client;
use super::tree;
use crate::bundle::ARCHIVE_SUFFIX;
use crate::bundle::Candidate;
use crate::bundle::ENVELOPE_SUFFIX;
use crate::bundle::Entries;
use crate::bundle::Refusal;
use crate::bundle::State;
use crate::bundle::Statement;
use crate::bundle::Trust;
use crate::bundle::Verified;
use crate::bundle::Verifier;
use crate::bundle::VerifyError;
use crate::bundle::contents;
use crate::bundle::contents::AUDIT;
use crate::bundle::contents::Contents;
use crate::config::Config;
use crate::config::Placed;
use crate::config::Server;
use crate::decision::Index;
use crate::server::annals::Annals;
use crate::server::annals::AuditEntry;
use crate::server::snapshot::Revision;
use crate::server::snapshot::Snapshot;

/// How often files are looked at when no event tells.
const FILE_PERIOD: Duration = Duration::from_secs(2);

/// How often a file server is asked.
const POLL_PERIOD: Duration = Duration::from_secs(5);

/// How long a file server may take for an envelope, which is small, and for an archive. Nothing else is loaded meanwhile.
const ENVELOPE_TIME: Duration = Duration::from_secs(10);
const ARCHIVE_TIME: Duration = Duration::from_secs(60);

/// What is wrong with a file server that says that nothing changed since nothing.
const UNASKED: &str = "the file server knows no state of this client, and says `not modified`";

/// Where the two files of a bundle are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// `PREFIX.tar.gz` and `PREFIX.dsse.json` on disk.
    Files(PathBuf),
    /// The same on a file server, by `http` or `https`.
    Server(String),
}

impl Location {
    /// An address when it starts with `http://` or `https://`, else a path.
    pub fn parse(text: &str) -> Self {
        if text.starts_with("http://") || text.starts_with("https://") {
            Self::Server(text.to_owned())
        } else {
            Self::Files(PathBuf::from(text))
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(prefix) => write!(f, "{}", prefix.display()),
            Self::Server(address) => f.write_str(address),
        }
    }
}

/// What is wanted of a bundle.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The file that says who is trusted; read again for every bundle, so that keys rotate without a restart.
    pub trust: PathBuf,
    /// The name that the bundle must have.
    pub name: Option<String>,
    /// The audience that it must be for.
    pub audience: Option<String>,
}

/// A bundle in a place.
#[derive(Debug)]
pub struct BundleOrigin {
    location: Location,
    expected: Expected,
    state: State,
    client: Option<Client>,
    accepted: Option<Accepted>,
}

/// What is known of the bundle that was accepted last, to know it again without fetching it.
#[derive(Debug)]
struct Accepted {
    revision: Revision,
    /// The entity tag of its envelope.
    tag: Option<String>,
    /// What the trust file looked like. Under other keys, an unchanged bundle is verified again.
    trusted: String,
    /// When it ends to be valid.
    expires: Timestamp,
    /// When those who signed it end to be trusted.
    trust_expires: Option<Timestamp>,
}

impl BundleOrigin {
    /// The bundle at a location.
    ///
    /// # Errors
    /// The state directory is held by another process, or cannot be read.
    pub fn new(location: Location, expected: Expected, state: &Path) -> Result<Self, VerifyError> {
        let client = matches!(location, Location::Server(_)).then(Client::new);
        let state = State::open(state)?;
        Ok(Self { location, expected, state, client, accepted: None })
    }

    fn verifier(&self) -> Result<Verifier, OriginError> {
        let trust = Trust::load(&self.expected.trust)
            .map_err(|error| OriginError::Refused { reason: "trust-unreadable", message: error.to_string() })?;
        let mut verifier = Verifier::new(trust, Timestamp::now());
        verifier.name.clone_from(&self.expected.name);
        verifier.audience.clone_from(&self.expected.audience);
        Ok(verifier)
    }

    /// Why what was accepted is no longer good by itself, if so. Nothing has to change for a bundle to expire.
    fn expired(&self) -> Option<VerifyError> {
        let accepted = self.accepted.as_ref()?;
        let now = Timestamp::now();
        let refusal = match accepted.trust_expires {
            _ if accepted.expires <= now => Refusal::Expired { expired: accepted.expires.to_string() },
            Some(expires) if expires <= now => Refusal::TrustExpired { expired: expires.to_string() },
            _ => return None,
        };
        Some(VerifyError { address: self.location.to_string(), revision: accepted.revision.number, refusal: Box::new(refusal) })
    }

    /// What the state remembers, when there is nothing new to be had and nothing is served yet.
    fn resume(&mut self, served: Option<&Revision>, why: OriginError) -> Result<Option<Loaded>, OriginError> {
        if served.is_some() {
            return Err(why);
        }
        let trusted = self.trust_look();
        let verifier = self.verifier()?;
        match verifier.resume(&self.state, rebuild, self_test) {
            Ok(Some(verified)) => {
                tracing::warn!("{}; resuming from `{}`", why.message(), self.state.directory().display());
                self.accept(verified, None, trusted, &verifier).map(|loaded| Some(Loaded { despite: Some(why), ..loaded }))
            }
            Ok(None) => Err(why),
            Err(error) => Err(OriginError::Refused { reason: error.reason(), message: format!("{}; {error}", why.message()) }),
        }
    }

    fn accept(
        &mut self,
        verified: Verified<Rebuilt>,
        tag: Option<String>,
        trusted: String,
        verifier: &Verifier,
    ) -> Result<Loaded, OriginError> {
        let Verified { statement, law_book: (contents, index), entries, .. } = verified;
        let revision = Revision {
            number: Some(statement.predicate.revision),
            commit: statement.predicate.source.commit.clone(),
            content: statement.content_digest().hex(),
        };
        let snapshot = Snapshot::new(index, config(contents), revision.clone());
        self.accepted =
            Some(Accepted { revision, tag, trusted, expires: statement.predicate.expires, trust_expires: verifier.trust.expires() });
        // What a bundle holds was checked before it was signed.
        let annals = Box::new(move || annals(&entries));
        Ok(Loaded { snapshot, check: Box::new(|| Some(Vec::new())), annals, despite: None })
    }

    fn load_files(&mut self, prefix: &Path, served: Option<&Revision>) -> Result<Option<Loaded>, OriginError> {
        let trusted = self.trust_look();
        let verifier = self.verifier()?;
        let candidate = Candidate::from_prefix(prefix);
        match verifier.verify(candidate, Some(&mut self.state), rebuild, self_test) {
            Ok(verified) => self.accept(verified, None, trusted, &verifier).map(Some),
            Err(error) => self.resume(served, refused(&error)),
        }
    }

    fn load_server(&mut self, address: &str, served: Option<&Revision>) -> Result<Option<Loaded>, OriginError> {
        let Some(client) = &self.client else {
            return Err(OriginError::Unreachable { message: format!("`{address}` is not on a file server") });
        };
        let trusted = self.trust_look();
        let known = self.accepted.as_ref().filter(|accepted| Some(&accepted.revision) == served && accepted.trusted == trusted);
        let unreachable = |why: &dyn fmt::Display| OriginError::Unreachable { message: format!("the bundle cannot be fetched: {why}") };
        let tag = known.and_then(|known| known.tag.as_deref());
        let (body, tag) = match client.get(&format!("{address}{ENVELOPE_SUFFIX}"), tag, ENVELOPE_TIME) {
            Ok(Answer::Unchanged) if tag.is_some() => return self.expired().map_or(Ok(None), |error| Err(refused(&error))),
            Ok(Answer::Unchanged) => return self.resume(served, unreachable(&UNASKED)),
            Ok(Answer::File { body, tag }) => (body, tag),
            Err(error) => return self.resume(served, unreachable(&error)),
        };
        let archive = || match client.get(&format!("{address}{ARCHIVE_SUFFIX}"), None, ARCHIVE_TIME)? {
            Answer::File { body, .. } => Ok(body),
            Answer::Unchanged => Err(io::Error::other(UNASKED)),
        };
        let verifier = self.verifier()?;
        let candidate = Candidate::new(address, move || Ok(body), archive);
        match verifier.verify(candidate, Some(&mut self.state), rebuild, self_test) {
            Ok(verified) => self.accept(verified, tag, trusted, &verifier).map(Some),
            Err(error) => self.resume(served, refused(&error)),
        }
    }

    fn trust_look(&self) -> String {
        tree::stamps(std::slice::from_ref(&self.expected.trust))
    }

    fn watched_files(&self) -> Vec<PathBuf> {
        let mut files = vec![self.expected.trust.clone()];
        if let Location::Files(prefix) = &self.location {
            files.extend([ARCHIVE_SUFFIX, ENVELOPE_SUFFIX].map(|suffix| {
                let mut name = prefix.clone().into_os_string();
                name.push(suffix);
                PathBuf::from(name)
            }));
        }
        files
    }
}

type Rebuilt = (Contents, Index);

fn rebuild(_: &Statement, entries: &Entries) -> Result<Rebuilt, String> {
    Contents::from_entries(entries).map_err(|error| error.to_string())
}

fn self_test((_, index): &Rebuilt, entries: &Entries) -> Result<(), String> {
    contents::self_test(entries, index).map_err(|error| error.to_string())
}

/// What of a configuration a bundle holds.
fn config(contents: Contents) -> Config {
    let critical = contents.critical.into_iter().map(|value| Placed { value, range: 0..0 }).collect();
    let server = Server { max_staleness: contents.max_staleness, ..Server::default() };
    Config { actions: contents.actions, critical, server, ..Config::default() }
}

fn refused(error: &VerifyError) -> OriginError {
    OriginError::Refused { reason: error.reason(), message: error.to_string() }
}

impl Origin for BundleOrigin {
    fn fingerprint(&mut self) -> Result<Fingerprint, OriginError> {
        let files = tree::stamps(&self.watched_files());
        Ok(Fingerprint(format!("{files} expired: {}", self.expired().is_some())))
    }

    fn is_exact(&self) -> bool {
        false
    }

    fn is_remote(&self) -> bool {
        self.client.is_some()
    }

    fn period(&self) -> Duration {
        if self.client.is_some() { POLL_PERIOD } else { FILE_PERIOD }
    }

    fn load(&mut self, served: Option<&Revision>) -> Result<Option<Loaded>, OriginError> {
        match self.location.clone() {
            Location::Files(prefix) => self.load_files(&prefix, served),
            Location::Server(address) => self.load_server(&address, served),
        }
    }

    fn directories(&self) -> Vec<PathBuf> {
        let parent =
            |path: PathBuf| path.parent().map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent }.to_owned());
        self.watched_files().into_iter().filter_map(parent).collect()
    }

    fn relevance(&self) -> Box<dyn Fn(&Path) -> bool + Send> {
        // A swapped link anywhere in the directory may change the files; what is written to remember a bundle does not, unless
        // the files are there too.
        let state = self.state.directory().to_owned();
        let is_apart = !self.directories().iter().any(|directory| directory.starts_with(&state));
        Box::new(move |path| !(is_apart && path.starts_with(&state)))
    }
}

/// The history that a bundle carries. A bundle without one does not say that nothing ever happened.
fn annals(entries: &Entries) -> Result<Annals, String> {
    let lines = entries.get(AUDIT).ok_or("the bundle was built without one; ask the repository that it was built from")?;
    let text = std::str::from_utf8(lines).map_err(|error| format!("`{AUDIT}` of the bundle cannot be read: {error}"))?;
    let entries = AuditEntry::of_lines(text).map_err(|error| format!("`{AUDIT}` of the bundle cannot be read: {error}"))?;
    Ok(Annals { entries: Arc::new(entries), ..Annals::default() })
}
