//! The one integration binary: everything that is tested from outside a single file.

mod hostile;
mod pages;
mod properties;
mod rules;
mod tidy;
