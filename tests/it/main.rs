//! The one integration binary: everything that is tested from outside a single file.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod history;
mod load;
mod repository;
mod write;
mod pages;
mod rules;
