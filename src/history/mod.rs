//! Git, reading: revisions, and the trail of what changed in the law book, when and by whom.
//!
//! A [`Trail`] is made in steps, one file each: `walk` follows the commits, `tree` finds the policy files in which two of them
//! differ, `reading` says what they mean, `state` matches policies by id, `happening` names what a commit did, `merge` tells
//! how a merge came to it, and `chain` makes the whole tamper evident. What is told is an [`Event`] of a [`Landing`].

mod between;
mod chain;
mod change;
mod ends;
mod event;
mod happening;
mod hash;
mod landing;
mod lineage;
mod merge;
mod people;
mod reading;
mod repository;
mod signature;
mod state;
mod time;
mod trail;
mod tree;
mod version;
mod walk;

pub use between::Trailer;
pub use chain::CHAIN_VERSION;
pub use chain::MEMBERS;
pub use chain::kind_word;
pub use change::ChangeKind;
pub use change::FieldChange;
pub use event::Action;
pub use event::Event;
pub use event::Merge;
pub use event::MergeKind;
pub use hash::Sha256Hash;
pub use landing::Landing;
pub use lineage::CommitId;
pub use lineage::CommitText;
pub use people::People;
pub use repository::Repository;
pub use repository::RepositoryError;
pub use repository::Revision;
pub use signature::Signature;
pub use signature::SignatureStatus;
pub use time::CommitTime;
pub use time::Person;
pub use trail::Continuity;
pub use trail::Filter;
pub use trail::HistoryError;
pub use trail::Lines;
pub use trail::Progress;
pub use trail::Trail;
pub use version::Version;
