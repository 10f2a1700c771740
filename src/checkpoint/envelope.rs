//! The file of a checkpoint: the envelope of bundles around it, written once and never overwritten, read only behind its
//! signatures.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use jiff::SignedDuration;
use jiff::Timestamp;

use super::Checkpoint;
use crate::bundle::Envelope;
use crate::bundle::EnvelopeError;
use crate::bundle::KeyId;
use crate::bundle::PAYLOAD_TYPE;
use crate::bundle::Refusal;
use crate::bundle::Role;
use crate::bundle::SigningKey;
use crate::bundle::Trust;
use crate::bundle::disk;
use crate::bundle::disk::Readers;
use crate::bundle::refusal::printable;
use crate::bundle::signers;
use crate::history::RepositoryError;

/// The largest file that is read, in bytes: room for some nine million commits.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// How far ahead the clock of a signer may be.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Why a checkpoint cannot be made, written or read.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum CheckpointError {
    /// The file cannot be read.
    #[error("the checkpoint `{}` cannot be read: {problem}", path.display())]
    #[diagnostic(help("name the file that `lawbook audit checkpoint` wrote"))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        problem: io::Error,
    },
    /// A file of that name is there already.
    #[error("`{}` exists already", path.display())]
    #[diagnostic(help("choose another name; a checkpoint is never overwritten, because the older one proves more"))]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("the checkpoint `{}` cannot be written: {problem}", path.display())]
    #[diagnostic(help("check that the folder exists and that you may write there"))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        problem: io::Error,
    },
    /// The export cannot be read.
    #[error("the export `{}` cannot be read: {problem}", path.display())]
    #[diagnostic(help("name a file that `lawbook audit --format json` or `--format jsonl` wrote"))]
    Export {
        /// The file.
        path: PathBuf,
        /// What the system says.
        problem: io::Error,
    },
    /// The history cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Repository(#[from] RepositoryError),
    /// It cannot be signed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Our own verifier would refuse it.
    #[error("the checkpoint would be refused: {refusal}")]
    #[diagnostic(help("name the repository in one line, with `--repository NAME`"))]
    Refused {
        /// What the verifier says.
        refusal: Refusal,
    },
}

/// A checkpoint that nobody should believe, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it; boxed, because it is seldom there.
    pub refusal: Box<Refusal>,
}

impl Refused {
    /// The next step, in the imperative.
    pub fn help(&self) -> &'static str {
        match &*self.refusal {
            Refusal::EnvelopeTooLarge { .. } | Refusal::EnvelopeMalformed { .. } | Refusal::EnvelopeNotCanonical => {
                "get the file again, byte for byte as `lawbook audit checkpoint` wrote it"
            }
            Refusal::TrustExpired { .. } => "use a trust file that is still valid, see `lawbook trust show`",
            Refusal::ThresholdNotMet { .. } => {
                "trust the keys of its signers if they are the right ones, or get the checkpoint that was signed"
            }
            Refusal::WrongType { .. } => "name a file that `lawbook audit checkpoint` wrote",
            Refusal::StatementMalformed { .. } => "verify it with the version of lawbook that made it, or a newer one",
            Refusal::NotYetValid { .. } => "correct the clock of this machine, or find out why the signer's was wrong",
            _ => "do not believe this checkpoint; get it again from whoever keeps it, and find out who changed it",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the checkpoint `{}` is not to be believed: {}", self.path.display(), self.refusal)
    }
}

impl std::error::Error for Refused {}

/// A checkpoint, and the trusted keys that signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The trusted keys that signed it.
    pub signers: BTreeSet<KeyId>,
}

/// Writes a file that is new, whole or not at all.
///
/// # Errors
/// A file of that name exists, or it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    disk::create_new(path, bytes, Readers::Everybody).map_err(|problem| match problem.kind() {
        io::ErrorKind::AlreadyExists => CheckpointError::Exists { path: path.to_owned() },
        _ => CheckpointError::Write { path: path.to_owned(), problem },
    })
}

impl Checkpoint {
    /// The bytes of the file: the envelope with a signature by each key.
    ///
    /// # Errors
    /// A key does not sign, or signs twice, or every verifier would refuse the checkpoint.
    pub fn seal(&self, keys: &[SigningKey]) -> Result<Vec<u8>, CheckpointError> {
        let payload = self.to_payload().map_err(|refusal| CheckpointError::Refused { refusal })?;
        let mut envelope = Envelope::around(PAYLOAD_TYPE, &payload);
        for key in keys {
            envelope.sign(key)?;
        }
        Ok(envelope.to_bytes())
    }
}

impl Signed {
    /// Reads a checkpoint that enough trusted keys signed. Until that is known, nothing but the envelope is parsed.
    ///
    /// # Errors
    /// The file cannot be read. That it is not to be believed is an answer, not an error.
    pub fn open(path: &Path, trust: &Trust, now: Timestamp) -> Result<Result<Self, Refused>, CheckpointError> {
        let refused = |refusal| Refused { path: path.to_owned(), refusal: Box::new(refusal) };
        let read = File::open(path).and_then(|file| disk::read_bounded(file, MAX_FILE_BYTES));
        match read {
            Ok(bytes) => Ok(Self::authenticate(&bytes, trust, now).map_err(refused)),
            Err(problem) if problem.kind() == io::ErrorKind::FileTooLarge => {
                Ok(Err(refused(Refusal::EnvelopeTooLarge { limit: MAX_FILE_BYTES })))
            }
            Err(problem) => Err(CheckpointError::Read { path: path.to_owned(), problem }),
        }
    }

    fn authenticate(bytes: &[u8], trust: &Trust, now: Timestamp) -> Result<Self, Refusal> {
        if let Some(expires) = trust.expires().filter(|&expires| expires <= now) {
            return Err(Refusal::TrustExpired { expired: expires.to_string() });
        }
        let envelope = Envelope::parse(bytes)?;
        let signers = signers(&envelope, trust, Role::Bundle)?;
        let checkpoint = payload(&envelope)?;
        if checkpoint.time.duration_since(now) > SKEW {
            return Err(Refusal::NotYetValid { issued: checkpoint.time.to_string() });
        }
        Ok(Self { checkpoint, signers })
    }
}

/// A checkpoint to which another person may add a signature, once they have seen for themselves that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// What there is to sign; **nothing of it is trusted**.
    pub checkpoint: Checkpoint,
    path: PathBuf,
    envelope: Envelope,
}

impl Unsigned {
    /// Reads a checkpoint without looking at its signatures.
    ///
    /// # Errors
    /// The file cannot be read. That it is no checkpoint is an answer, not an error.
    pub fn open(path: &Path) -> Result<Result<Self, Refused>, CheckpointError> {
        let read = File::open(path).and_then(|file| disk::read_bounded(file, MAX_FILE_BYTES));
        let bytes = read.map_err(|problem| CheckpointError::Read { path: path.to_owned(), problem })?;
        let parsed = Envelope::parse(&bytes).and_then(|envelope| {
            let checkpoint = payload(&envelope)?;
            Ok(Self { checkpoint, path: path.to_owned(), envelope })
        });
        Ok(parsed.map_err(|refusal| Refused { path: path.to_owned(), refusal: Box::new(refusal) }))
    }

    /// What it says, as if it was signed already: to be compared with the history before it is.
    pub fn claim(&self) -> Signed {
        Signed { checkpoint: self.checkpoint.clone(), signers: self.envelope.claimed_signers().cloned().collect() }
    }

    /// Adds signatures to the file, which is then the old one or the new one. What was signed before stays as it was.
    ///
    /// # Errors
    /// A key has signed already or does not sign, or the file cannot be written.
    pub fn sign(mut self, keys: &[SigningKey]) -> Result<(), CheckpointError> {
        for key in keys {
            self.envelope.sign(key)?;
        }
        disk::replace(&self.path, &self.envelope.to_bytes(), Readers::Everybody)
            .map_err(|problem| CheckpointError::Write { path: self.path, problem })
    }
}

/// What an envelope holds, if that is a checkpoint.
fn payload(envelope: &Envelope) -> Result<Checkpoint, Refusal> {
    if envelope.payload_type() != PAYLOAD_TYPE {
        return Err(Refusal::WrongType { expected: PAYLOAD_TYPE, found: printable(envelope.payload_type()) });
    }
    Checkpoint::parse(envelope.payload())
}

#[cfg(test)]
mod tests {
    use super::super::statement::tests::sample;
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn only_what_trusted_keys_signed_is_believed() {
        let [ann, bob] = ["ann", "bob"].map(|name| SigningKey::generate(name).expect("a key"));
        let trust = |threshold| Trust::init([ann.public().clone(), bob.public().clone()], threshold).expect("trust");
        let now = at("2026-11-02T09:00:00Z");
        let seal = |keys: &[SigningKey]| sample().seal(keys).expect("sealed");
        let bytes = seal(std::slice::from_ref(&ann));
        let found = Signed::authenticate(&bytes, &trust(1), now).expect("signed");
        assert_eq!(found, Signed { checkpoint: sample(), signers: BTreeSet::from([ann.id()]) });
        let check = |bytes: &[u8], trust: &Trust, now: Timestamp, reason: &str| {
            assert_eq!(Signed::authenticate(bytes, trust, now).map_err(|refusal| refusal.reason()).err(), Some(reason));
        };
        check(&bytes, &trust(2), now, "threshold-not-met");
        let stranger = SigningKey::generate("eve").expect("a key");
        check(&seal(&[stranger]), &trust(1), now, "threshold-not-met");
        let mut expired = trust(1);
        expired.set_expires(Some(now));
        check(&bytes, &expired, now, "trust-expired");
        check(&bytes, &trust(1), at("2026-11-02T07:00:00Z"), "not-yet-valid");
        check(&bytes[1..], &trust(1), now, "envelope-malformed");
        let text = String::from_utf8(bytes).expect("text");
        let payload = text.split('"').nth(3).expect("a payload");
        let other = Checkpoint { seq: 8, ..sample() }.seal(&[]).expect("sealed");
        let other = String::from_utf8(other).expect("text");
        check(text.replace(payload, other.split('"').nth(3).expect("a payload")).as_bytes(), &trust(1), now, "bad-signature");
        let mut wrong = Envelope::around("text/plain", b"x");
        wrong.sign(&ann).expect("signed");
        check(&wrong.to_bytes(), &trust(1), now, "wrong-type");
    }

    #[test]
    fn a_checkpoint_is_never_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("c");
        assert!(write(&path, b"one").is_ok());
        assert!(matches!(write(&path, b"two"), Err(CheckpointError::Exists { .. })));
        assert_eq!(std::fs::read(&path).expect("read"), b"one");
        assert!(matches!(write(&folder.path().join("none/c"), b""), Err(CheckpointError::Write { .. })));
    }
}
