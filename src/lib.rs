//! `lawbook` compiles and lints access policies that live as YAML files in a git repository.
//!
//! The modules are listed in reading order, and that order is the direction of dependence: a module
//! names only modules above it. `tests/it/tidy.rs` holds this, and `ARCHITECTURE.md` says why.

pub mod source;
pub mod finding;
pub mod syntax;
pub mod schema;
pub mod config;
pub mod condition;
pub mod policy;
pub mod decision;
pub mod directory;
pub mod analysis;
pub mod lint;
pub mod template;
pub mod history;
pub mod bundle;
pub mod checkpoint;
pub mod workspace;
pub mod write;
pub mod report;
pub mod server;
pub mod cli;
