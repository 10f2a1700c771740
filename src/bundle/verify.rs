//! Every check between two files and a law book that may be served, in one fixed order.
//!
//! Sizes; the trust root; the signatures; types and critical features; name and audience; time; revision; the archive's size
//! and digest; only now its content; the version; the rebuilt law book; its self-test; the state. The first failure is the
//! answer, and nothing before it has changed anything.
//!
//! INVARIANT: until the signatures have been verified, nothing of the archive is opened or read, and of the envelope only its
//! own JSON is parsed, not its payload. The types keep this: an archive is a closure that is called in one place, with a
//! statement that only [`Verifier::authenticate`] gives.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::bundle::archive;
use crate::bundle::build::ARCHIVE_SUFFIX;
use crate::bundle::build::ENVELOPE_SUFFIX;
use crate::bundle::digest::Digest;
use crate::bundle::disk;
use crate::bundle::entries::Entries;
use crate::bundle::entries::Limits;
use crate::bundle::entries::content_digest;
use crate::bundle::envelope::Envelope;
use crate::bundle::envelope::PAYLOAD_TYPE;
use crate::bundle::envelope::signers;
use crate::bundle::fingerprint::KeyId;
use crate::bundle::refusal::Refusal;
use crate::bundle::refusal::VerifyError;
use crate::bundle::refusal::printable;
use crate::bundle::state::Remembered;
use crate::bundle::state::State;
use crate::bundle::statement::SEMANTICS;
use crate::bundle::statement::Statement;
use crate::bundle::trust::Role;
use crate::bundle::trust::Trust;

/// How far ahead the clock of a signer may be.
const DEFAULT_SKEW: SignedDuration = SignedDuration::from_mins(5);

type Opener<'a> = Box<dyn FnOnce() -> io::Result<Box<dyn Read + 'a>> + 'a>;

/// A bundle that nobody has looked at yet: two things that can be opened, and a name for them in messages.
pub struct Candidate<'a> {
    address: String,
    envelope: Opener<'a>,
    archive: Opener<'a>,
}

impl<'a> Candidate<'a> {
    /// A bundle from anywhere. The archive is opened only when the signatures have been verified, and read only as far as
    /// its signed size and one byte more.
    pub fn new<E: Read + 'a, A: Read + 'a>(
        address: impl Into<String>,
        envelope: impl FnOnce() -> io::Result<E> + 'a,
        archive: impl FnOnce() -> io::Result<A> + 'a,
    ) -> Self {
        Self { address: address.into(), envelope: opener(envelope), archive: opener(archive) }
    }

    /// The files `PREFIX.dsse.json` and `PREFIX.tar.gz`.
    pub fn from_prefix(prefix: &Path) -> Self {
        let envelope = disk::with_suffix(prefix, ENVELOPE_SUFFIX);
        let archive = disk::with_suffix(prefix, ARCHIVE_SUFFIX);
        Self::new(prefix.display().to_string(), || File::open(envelope), || File::open(archive))
    }

    /// A bundle in memory.
    pub fn from_bytes(address: impl Into<String>, envelope: &'a [u8], archive: &'a [u8]) -> Self {
        Self::new(address, move || Ok(envelope), move || Ok(archive))
    }
}

fn opener<'a, R: Read + 'a>(open: impl FnOnce() -> io::Result<R> + 'a) -> Opener<'a> {
    Box::new(move || open().map(|reader| Box::new(reader) as Box<dyn Read + 'a>))
}

/// A bundle that has passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T> {
    /// What was signed.
    pub statement: Statement,
    /// The trusted keys that signed it.
    pub signers: BTreeSet<KeyId>,
    /// The unpacked entries.
    pub entries: Entries,
    /// The archive, byte for byte.
    pub archive: Vec<u8>,
    /// The envelope, byte for byte.
    pub envelope: Vec<u8>,
    /// What was rebuilt from the entries.
    pub law_book: T,
}

/// A bundle as its signer sees it before signing: consistent in itself, trusted by nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// What there is to sign.
    pub statement: Statement,
    /// The envelope, to which a signature can be added.
    pub envelope: Envelope,
    /// The unpacked entries.
    pub entries: Entries,
}

/// What is wanted of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    /// Who is trusted.
    pub trust: Trust,
    /// The name that the bundle must have; any, if there is none.
    pub name: Option<String>,
    /// The audience that it must be for; any, if there is none.
    pub audience: Option<String>,
    /// How much it may take.
    pub limits: Limits,
    /// The time, read once, so that all checks agree about it.
    pub now: Timestamp,
    /// How far ahead the clock of a signer may be.
    pub skew: SignedDuration,
    /// How long after its expiry a remembered bundle is still [resumed](Verifier::resume). A new one never is.
    pub grace: SignedDuration,
}

impl Verifier {
    /// A verifier with the default limits, five minutes of skew, no grace, and any name and audience.
    pub fn new(trust: Trust, now: Timestamp) -> Self {
        let limits = Limits::default();
        Self { trust, name: None, audience: None, limits, now, skew: DEFAULT_SKEW, grace: SignedDuration::ZERO }
    }

    /// Makes every check on a new bundle. `rebuild` makes the law book out of the entries, `self_test` tries it; both
    /// say what is wrong in words. When they have passed, the state remembers the bundle, and the caller may swap.
    ///
    /// # Errors
    ///
    /// The first check that fails. The state is then as it was.
    pub fn verify<T>(
        &self,
        candidate: Candidate<'_>,
        state: Option<&mut State>,
        rebuild: impl FnOnce(&Statement, &Entries) -> Result<T, String>,
        self_test: impl FnOnce(&T, &Entries) -> Result<(), String>,
    ) -> Result<Verified<T>, VerifyError> {
        let mut at = Named { address: candidate.address, revision: None };
        let (envelope, statement, signers) = self.authenticate(candidate.envelope).map_err(|refusal| at.refuse(refusal))?;
        at.revision = Some(statement.predicate.revision);
        let checked = (|| {
            self.check_addressee(&statement)?;
            self.check_time(&statement, SignedDuration::ZERO)?;
            state.as_deref().and_then(State::remembered).map_or(Ok(()), |last| check_revision(&statement, last))?;
            let verified = self.unpack(envelope, statement, signers, candidate.archive, rebuild, self_test)?;
            if let Some(state) = state {
                state.accept(&verified.statement, &verified.archive, &verified.envelope)?;
            }
            Ok(verified)
        })();
        checked.map_err(|refusal| at.refuse(refusal))
    }

    /// Makes every check but that of the revision on the bundle that the state remembers, to have something to serve from
    /// the start; `None` in a new state. It must be the remembered bundle, and may be expired by [`grace`](Self::grace).
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn resume<T>(
        &self,
        state: &State,
        rebuild: impl FnOnce(&Statement, &Entries) -> Result<T, String>,
        self_test: impl FnOnce(&T, &Entries) -> Result<(), String>,
    ) -> Result<Option<Verified<T>>, VerifyError> {
        let Some(last) = state.remembered() else { return Ok(None) };
        let at = Named { address: state.directory().display().to_string(), revision: Some(last.revision) };
        let checked = (|| {
            let path = state.envelope_path(last);
            let (envelope, statement, signers) = self.authenticate(opener(move || File::open(path)))?;
            self.check_addressee(&statement)?;
            self.check_time(&statement, self.grace)?;
            check_remembered(&statement, last)?;
            let path = state.archive_path(last);
            self.unpack(envelope, statement, signers, opener(move || File::open(path)), rebuild, self_test)
        })();
        checked.map(Some).map_err(|refusal| at.refuse(refusal))
    }

    /// From sizes to exact types. What comes out is what the signers signed.
    fn authenticate(&self, envelope: Opener<'_>) -> Result<(Vec<u8>, Statement, BTreeSet<KeyId>), Refusal> {
        let bytes = read_envelope(envelope, &self.limits)?;
        if let Some(expires) = self.trust.expires().filter(|&expires| expires <= self.now) {
            return Err(Refusal::TrustExpired { expired: expires.to_string() });
        }
        let envelope = Envelope::parse(&bytes)?;
        let signers = signers(&envelope, &self.trust, Role::Bundle)?;
        Ok((bytes, parse_payload(&envelope)?, signers))
    }

    fn check_addressee(&self, statement: &Statement) -> Result<(), Refusal> {
        check_name(&statement.predicate.name, self.name.as_deref())?;
        check_audience(&statement.predicate.audience, self.audience.as_deref())
    }

    fn check_time(&self, statement: &Statement, grace: SignedDuration) -> Result<(), Refusal> {
        let (issued, expires) = (statement.predicate.issued, statement.predicate.expires);
        if self.now.duration_since(expires) >= grace {
            return Err(Refusal::Expired { expired: expires.to_string() });
        }
        if issued.duration_since(self.now) > self.skew {
            return Err(Refusal::NotYetValid { issued: issued.to_string() });
        }
        Ok(())
    }

    /// From the archive's first byte to the self-test.
    fn unpack<T>(
        &self,
        envelope: Vec<u8>,
        statement: Statement,
        signers: BTreeSet<KeyId>,
        archive: Opener<'_>,
        rebuild: impl FnOnce(&Statement, &Entries) -> Result<T, String>,
        self_test: impl FnOnce(&T, &Entries) -> Result<(), String>,
    ) -> Result<Verified<T>, Refusal> {
        let archive = fetch_archive(archive, &statement, &self.limits)?;
        let entries = open_archive(&archive, &statement, &self.limits)?;
        if statement.predicate.semantics != SEMANTICS {
            return Err(Refusal::UnsupportedVersion { found: printable(&statement.predicate.semantics), known: SEMANTICS });
        }
        let law_book = rebuild(&statement, &entries).map_err(|problem| Refusal::RebuildFailed { problem })?;
        self_test(&law_book, &entries).map_err(|problem| Refusal::SelfTestFailed { problem })?;
        Ok(Verified { statement, signers, entries, archive, envelope, law_book })
    }
}

/// Shows a bundle to somebody who is about to sign it or compares two of them. It makes the checks of a verifier but for
/// trust, addressee, time and revision; **nothing of it is trusted**.
///
/// # Errors
///
/// When the bundle contradicts itself or is above the limits.
pub fn inspect(candidate: Candidate<'_>, limits: &Limits) -> Result<Inspected, VerifyError> {
    let at = Named { address: candidate.address, revision: None };
    let inspected = (|| {
        let envelope = Envelope::parse(&read_envelope(candidate.envelope, limits)?)?;
        let statement = parse_payload(&envelope)?;
        let archive = fetch_archive(candidate.archive, &statement, limits)?;
        let entries = open_archive(&archive, &statement, limits)?;
        Ok(Inspected { statement, envelope, entries })
    })();
    inspected.map_err(|refusal| at.refuse(refusal))
}

/// The bundle in the words of an error.
struct Named {
    address: String,
    revision: Option<u64>,
}

impl Named {
    fn refuse(&self, refusal: Refusal) -> VerifyError {
        VerifyError { address: self.address.clone(), revision: self.revision, refusal: Box::new(refusal) }
    }
}

fn read_envelope(envelope: Opener<'_>, limits: &Limits) -> Result<Vec<u8>, Refusal> {
    let limit = limits.envelope_bytes;
    envelope().and_then(|reader| disk::read_bounded(reader, limit)).map_err(|problem| match problem.kind() {
        io::ErrorKind::FileTooLarge => Refusal::EnvelopeTooLarge { limit },
        _ => Refusal::EnvelopeUnreadable { problem: problem.to_string() },
    })
}

fn parse_payload(envelope: &Envelope) -> Result<Statement, Refusal> {
    if envelope.payload_type() != PAYLOAD_TYPE {
        return Err(Refusal::WrongType { expected: PAYLOAD_TYPE, found: printable(envelope.payload_type()) });
    }
    Statement::parse(envelope.payload())
}

fn check_name(found: &str, expected: Option<&str>) -> Result<(), Refusal> {
    match expected.filter(|&expected| expected != found) {
        Some(expected) => Err(Refusal::WrongName { expected: expected.to_owned(), found: found.to_owned() }),
        None => Ok(()),
    }
}

fn check_audience(found: &str, expected: Option<&str>) -> Result<(), Refusal> {
    match expected.filter(|&expected| expected != found) {
        Some(expected) => Err(Refusal::WrongAudience { expected: expected.to_owned(), found: found.to_owned() }),
        None => Ok(()),
    }
}

/// Newer is accepted, equal must be identical, older never is. Revisions of different bundles say nothing about each other,
/// so a state directory stays with the bundle it began with.
fn check_revision(statement: &Statement, last: &Remembered) -> Result<(), Refusal> {
    check_name(&statement.predicate.name, Some(&last.name))?;
    check_audience(&statement.predicate.audience, Some(&last.audience))?;
    if statement.predicate.revision < last.revision {
        return Err(Refusal::Rollback { last: last.revision });
    }
    let found = statement.content_digest();
    if statement.predicate.revision == last.revision && found != last.content {
        return Err(Refusal::Equivocation { accepted: last.content, found });
    }
    Ok(())
}

fn check_remembered(statement: &Statement, last: &Remembered) -> Result<(), Refusal> {
    if statement.predicate.revision == last.revision && statement.content_digest() == last.content {
        return Ok(());
    }
    Err(Refusal::StateUnreadable { problem: "the copy of the last bundle is another bundle".to_owned() })
}

/// The archive's bytes, once they are known to be the signed ones.
fn fetch_archive(archive: Opener<'_>, statement: &Statement, limits: &Limits) -> Result<Vec<u8>, Refusal> {
    let declared = statement.predicate.size;
    if declared > limits.archive_bytes {
        return Err(Refusal::ArchiveTooLarge { declared, limit: limits.archive_bytes });
    }
    let bytes = archive().and_then(|reader| disk::read_bounded(reader, declared)).map_err(|problem| match problem.kind() {
        io::ErrorKind::FileTooLarge => Refusal::ArchiveSize { declared, longer: true },
        _ => Refusal::ArchiveUnreadable { problem: problem.to_string() },
    })?;
    if (bytes.len() as u64) < declared {
        return Err(Refusal::ArchiveSize { declared, longer: false });
    }
    let (signed, found) = (statement.archive_digest(), Digest::of(&bytes));
    if found == signed { Ok(bytes) } else { Err(Refusal::ArchiveDigest { signed, found }) }
}

fn open_archive(archive: &[u8], statement: &Statement, limits: &Limits) -> Result<Entries, Refusal> {
    let listed = &statement.predicate.entries;
    let entries = archive::read(archive, listed, limits)?;
    let (signed, found) = (statement.content_digest(), content_digest(listed));
    if found == signed { Ok(entries) } else { Err(Refusal::ContentDigest { signed, found }) }
}
