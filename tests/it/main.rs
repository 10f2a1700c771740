//! The one integration binary: everything that is tested from outside a single file.

mod pages;
mod rules;
