//! Git, reading: revisions, and the trail of what changed in the law book, when and by whom.
//!
//! A [`Trail`] is made in four steps, one file each: `walk` follows the line of first parents, `tree` finds the policy files
//! in which two commits differ, `reading` says what they mean, and `state` matches policies by id and tells what each commit
//! changed. What a change is called is said in `event`, and in `change` for its fields. Who signed a commit is told by `signature`.

mod between;
mod change;
mod event;
mod reading;
mod repository;
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
pub use signature::AllowedSigners;
pub use signature::Signature;
pub use signature::SignatureStatus;
pub use signature::Signers;
pub use signature::SignersProblem;
pub use time::CommitTime;
pub use time::Person;
pub use trail::Continuity;
pub use trail::Filter;
pub use trail::HistoryError;
pub use trail::Progress;
pub use trail::Trail;
