//! The table of rules, in the order in which `lawbook explain` lists them. Each rule is a file of its own.

mod public_write;
mod yaml_syntax;

use super::Rule;

/// Every rule.
pub static RULES: &[&Rule] = &[&yaml_syntax::RULE, &public_write::RULE];
