//! The artefact: a law book packed, signed, and verified before anything of it is looked at.
//!
//! A bundle is two files. `PREFIX.tar.gz` is the archive, the same bytes for the same entries wherever it is made.
//! `PREFIX.dsse.json` is the envelope: an in-toto statement about the archive and the signatures over it. They are apart so
//! that nothing has to be unpacked to find out whether it is trusted.

mod archive;
mod content;
mod digest;
mod disk;
mod envelope;
mod json;
mod key;
mod refusal;
mod statement;
mod trust;

pub use archive::ArchiveError;
pub use archive::read;
pub use archive::write;
pub use content::Entries;
pub use content::EntryMeta;
pub use content::Limits;
pub use content::MAX_NAME_BYTES;
pub use content::content_digest;
pub use content::describe;
pub use digest::Digest;
pub use digest::DigestParseError;
pub use envelope::Envelope;
pub use envelope::EnvelopeError;
pub use envelope::MAX_SIGNATURES;
pub use envelope::PAYLOAD_TYPE;
pub use envelope::signers;
pub use key::KEY_TYPE;
pub use key::KeyError;
pub use key::KeyId;
pub use key::KeyIdParseError;
pub use key::PublicKey;
pub use key::Signature;
pub use key::SigningKey;
pub use key::load_private;
pub use key::load_public;
pub use refusal::Refusal;
pub use refusal::VerifyError;
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
