//! The one integration binary: everything that is tested from outside a single file.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;
mod history;
mod hostile;
mod load;
mod pages;
mod properties;
mod repository;
mod rules;
mod server;
mod tidy;
mod write;
