//! Git, reading: revisions, and the trail of what changed in the law book, when and by whom.
//!
//! A [`Trail`] is made in four steps, one file each: `walk` follows the line of first parents, `tree` finds the policy files
//! in which two commits differ, `reading` says what they mean, and `state` matches policies by id and tells what each commit
//! changed. What a change is called is said in `event`, and in `change` for its fields. Who signed a commit is told by `signature`,
//! and which commits had to be signed and are not by `requirement`.

mod between;
mod change;
mod event;
mod progress;
mod reading;
mod repository;
mod requirement;
mod signature;
mod state;
mod time;
mod trail;
mod tree;
mod walk;

pub use between::Trailer;
pub use change::ChangeKind;
pub use change::FieldChange;
pub use event::Action;
pub use event::Event;
pub use event::Landing;
pub use repository::Repository;
pub use repository::RepositoryError;
pub use repository::Revision;
pub use requirement::Breach;
pub use requirement::Demand;
pub use requirement::breaches;
pub use signature::AllowedSigners;
pub use signature::Signature;
pub use signature::SignatureStatus;
pub use signature::Signers;
pub use signature::SignersProblem;
pub use signature::armoured;
pub use signature::to_be_signed;
pub use time::CommitTime;
pub use time::Person;
pub use trail::Continuity;
pub use trail::Filter;
pub use trail::HistoryError;
pub use trail::Progress;
pub use trail::Trail;
