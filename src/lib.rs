//! `lawbook` compiles and lints access policies that live as YAML files in a git repository.
//!
//! The modules are listed in reading order, and that order is the direction of dependence: a module
//! names only modules above it. `tests/it/tidy.rs` holds this, and `ARCHITECTURE.md` says why.

pub mod analysis;
pub mod bundle;
pub mod cli;
pub mod condition;
pub mod config;
pub mod decision;
pub mod finding;
pub mod history;
pub mod lint;
pub mod policy;
pub mod report;
pub mod schema;
pub mod server;
pub mod source;
pub mod syntax;
pub mod workspace;
pub mod write;
