//! The one integration binary: everything that is tested from outside a single file.

#![cfg(test)]

mod history;
mod hostile;
mod load;
mod pages;
mod properties;
mod repository;
mod rules;
mod tidy;
mod write;
