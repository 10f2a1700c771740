//! Git, reading: revisions, and the trail of what changed in the law book, when and by whom.
//!
//! A [`Trail`] is made in steps, one file each: `follow` reads commits on several threads (`objects`), `walk` goes through them, `tree` finds the policy files in which two of them
//! differ, `reading` says what they mean, `state` matches policies by id, `happening` names what a commit did, `merge` tells
//! how a merge came to it (`brought`: of which commits; `attempt`: what git would have made), and `chain` makes the whole tamper evident.
//! `cache` keeps a trail on disk, in the form of `stored`. What is told is an [`Event`] of a [`Landing`]. Who
//! signed a commit is told by `signature`, and which commits had to be signed and are not by `requirement`.

mod attempt;
mod bases;
mod beside;
mod between;
mod blame;
mod brought;
mod cache;
mod chain;
mod change;
mod ends;
mod event;
mod filter;
mod follow;
mod freeze;
mod generations;
mod happening;
mod hash;
mod landing;
mod lifeline;
mod lineage;
mod merge;
mod objects;
mod people;
mod progress;
mod reading;
mod repository;
mod requirement;
mod signature;
mod state;
mod stored;
mod text;
mod thaw;
mod time;
mod trail;
mod tree;
mod version;
mod walk;
mod watched;

pub use beside::Beside;
pub use between::Trailer;
pub use blame::Blamed;
pub use blame::blame;
pub use chain::CHAIN_VERSION;
pub use chain::MEMBERS;
pub use chain::kind_word;
pub use change::ChangeKind;
pub use change::FieldChange;
pub use event::Action;
pub use event::Event;
pub use event::Merge;
pub use event::MergeKind;
pub use filter::Filter;
pub use hash::Sha256Hash;
pub use landing::Landing;
pub use lifeline::Lifeline;
pub use lineage::CommitId;
pub use lineage::CommitText;
pub(crate) use objects::Shelf;
pub(crate) use objects::Unreadable;
pub use objects::take_objects_as_stored;
pub use people::People;
pub use repository::Repository;
pub use repository::RepositoryError;
pub use repository::Revision;
pub use repository::remedy;
pub use requirement::Breach;
pub use requirement::Demand;
pub use requirement::Memory;
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
pub use trail::HistoryError;
pub use trail::Lines;
pub use trail::Progress;
pub use trail::Trail;
pub use version::Version;
