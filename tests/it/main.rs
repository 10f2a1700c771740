//! The one integration binary: everything that is tested from outside a single file.

#![cfg(test)]

mod audit_formats;
mod brute;
mod build;
mod canonical;
mod checkpoint;
mod claims;
mod cli;
mod directory;
mod diff;
mod difference;
mod docs;
mod exported;
mod fuzz;
mod history;
mod hostile;
mod large;
mod load;
mod meaning;
mod metamorphic;
mod mutants;
mod pages;
mod properties;
mod reports;
mod repository;
mod rules;
mod running;
mod server;
mod tidy;
mod trial;
mod write;
