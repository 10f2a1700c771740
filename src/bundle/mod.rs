//! Bundles (skeleton).

pub mod contents;
