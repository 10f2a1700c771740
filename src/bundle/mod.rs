//! The artefact: a law book packed, signed, and verified before anything of it is looked at.
//!
//! A bundle is two files. `PREFIX.tar.gz` is the archive, the same bytes for the same entries wherever it is made.
//! `PREFIX.dsse.json` is the envelope: an in-toto statement about the archive and the signatures over it. They are apart so
//! that nothing has to be unpacked to find out whether it is trusted.

mod archive;
mod build;
pub mod contents;
mod digest;
pub(crate) mod disk;
mod entries;
mod envelope;
mod fingerprint;
mod json;
mod key;
pub(crate) mod refusal;
mod state;
pub(crate) mod statement;
mod trust;
mod verify;

#[cfg(test)]
mod hostile;

pub use archive::ArchiveError;
pub use archive::read;
pub use archive::write;
pub use build::ARCHIVE_SUFFIX;
pub use build::Build;
pub use build::BuildError;
pub use build::ENVELOPE_SUFFIX;
pub use build::assemble;
pub use build::write_envelope;
pub use build::write_outputs;
pub use digest::Digest;
pub use digest::DigestParseError;
pub use entries::Entries;
pub use entries::EntryMeta;
pub use entries::Limits;
pub use entries::MAX_NAME_BYTES;
pub use entries::content_digest;
pub use entries::describe;
pub use envelope::Envelope;
pub use envelope::EnvelopeError;
pub use envelope::MAX_SIGNATURES;
pub use envelope::PAYLOAD_TYPE;
pub use envelope::signers;
pub use fingerprint::KeyId;
pub use fingerprint::KeyIdParseError;
pub use key::KEY_TYPE;
pub use key::KeyError;
pub use key::PublicKey;
pub use key::Signature;
pub use key::SigningKey;
pub use key::load_private;
pub use key::load_public;
pub use refusal::Refusal;
pub use refusal::VerifyError;
pub use state::Remembered;
pub use state::State;
pub use statement::CONTENT_SUBJECT;
pub use statement::Checks;
pub use statement::DigestSet;
pub use statement::FEATURES;
pub use statement::PREDICATE_TYPE;
pub use statement::Predicate;
pub use statement::Provenance;
pub use statement::SEMANTICS;
pub use statement::STATEMENT_TYPE;
pub use statement::Statement;
pub use statement::Subject;
pub use statement::Tool;
pub use trust::MAX_KEYS;
pub use trust::Role;
pub use trust::Trust;
pub use trust::TrustError;
pub use verify::Candidate;
pub use verify::Inspected;
pub use verify::Verified;
pub use verify::Verifier;
pub use verify::inspect;
