//! Tamper evidence for somebody who does not trust us: what the history was, signed, and whether it still is.
//!
//! A [`Checkpoint`] says how many events there are up to a commit, and the hash that chains them; it is signed in the envelope
//! and with the keys of bundles, and kept where whoever can rewrite the repository cannot reach it. Later, [`Verifier`] compares
//! it with the repository, and an export of the trail with both. `statement` is what is signed, `envelope` the file around
//! it, `standing` says where a rewritten history differs first, `reading` reads an export event by event, `export` compares
//! it, and `verify` puts together what has been proven.

mod envelope;
mod export;
mod reading;
mod standing;
mod statement;
mod verify;

pub use envelope::CheckpointError;
pub use envelope::Refused;
pub use envelope::Signed;
pub use envelope::Unsigned;
pub use envelope::write;
pub use export::Exported;
pub use export::Flaw;
pub use export::Named;
pub use reading::MAX_EVENT_BYTES;
pub use standing::Difference;
pub use standing::How;
pub use standing::Rewrite;
pub use standing::Standing;
pub use statement::Checkpoint;
pub use statement::PREDICATE_TYPE;
pub use statement::PrefixLine;
pub use verify::Against;
pub use verify::Checked;
pub use verify::Proof;
pub use verify::Verdict;
pub use verify::Verification;
pub use verify::Verifier;
