//! The one integration binary: everything that is tested from outside a single file.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod audit_formats;
mod canonical;
mod cli;
mod history;
mod hostile;
mod load;
mod pages;
mod properties;
mod reports;
mod repository;
mod rules;
mod tidy;
mod write;
