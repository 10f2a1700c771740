//! Git, reading: revisions, and the trail of what changed in the law book, when and by whom.

mod repository;
mod time;

pub use repository::Repository;
pub use repository::RepositoryError;
pub use repository::Revision;
pub use time::CommitTime;
pub use time::Person;
