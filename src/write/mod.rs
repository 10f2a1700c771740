//! Git, writing.

mod init;

pub use init::InitError;
pub use init::init_repository;
