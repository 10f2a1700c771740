//! The one integration binary: everything that is tested from outside a single file.

#![cfg(test)]

mod attacks;
mod audit_effects;
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
mod difficult;
mod docs;
mod exported;
mod fuzz;
mod history;
mod hostile;
mod killed;
mod large;
mod load;
mod meaning;
mod metamorphic;
mod mutants;
mod ocsf;
mod pages;
mod properties;
mod reports;
mod repository;
mod requirement;
mod rules;
mod running;
mod server;
mod signatures;
mod signing;
mod templates;
mod tidy;
mod trial;
mod versions;
mod write;
