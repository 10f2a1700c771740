//! The where-language of conditions: text to a tree, the tree back to text, and its truth on the facts of a request.
//!
//! The module knows nothing of policies, YAML or files. Every place it names is a range of bytes in the text of one
//! condition. Reading ([`parse`]), printing (`Display`) and truth ([`Condition`]) are separate steps over one tree, [`Expr`],
//! so that the solver and the filters can work on the same tree that a decision is made with.
//!
//! # Normal form
//!
//! The parser gives trees in normal form, and every tree in normal form is what its own print parses to:
//!
//! - `And` and `Or` have at least two operands, and no operand of their own kind ([`Expr::all`] and [`Expr::any`] see to both);
//! - lists have at least one value and hold no null; `<`, `<=`, `>`, `>=` compare with numbers, strings and terms;
//! - no string contains text that looks like a reference, such as `{me}`, because there is no way to write one;
//! - the limits of [`limits`] hold, the one on the length of the text also for the print, which may be longer than what was read.

mod ast;
mod cidr;
mod compile;
mod error;
mod eval;
mod lexer;
mod like;
mod number;
mod operand;
mod parser;
mod part;
mod pool;
mod print;
mod reference;
mod refuse;
mod regular;
mod term;
mod trial;

#[cfg(test)]
pub(crate) mod arbitrary;
#[cfg(test)]
mod tests;

pub use ast::Atom;
pub use ast::CompareOp;
pub use ast::Expr;
pub use ast::Literal;
pub use ast::Operand;
pub use cidr::Network;
pub use cidr::address_number;
pub use cidr::address_spellings;
pub use cidr::networks;
pub use cidr::parse_address;
pub use compile::Condition;
pub use compile::Lists;
pub use error::AtomPlace;
pub use error::ConditionError;
pub use error::ErrorKind;
pub use error::Parsed;
pub use error::Spelling;
pub use eval::Facts;
pub use eval::Outcome;
pub use like::LikeElement;
pub use like::LikePattern;
pub use number::Number;
pub use parser::parse;
pub use part::Part;
pub use part::parts;
pub use part::removal;
pub use pool::Pool;
pub use regular::RegexPattern;
pub use term::Path;
pub use term::Term;
pub use trial::Reading;
pub use trial::Trial;
pub use trial::Tried;
pub use trial::Unfitness;
pub use trial::trial;

/// What one condition may hold. The text comes from people, and everything after it takes its size from these numbers.
pub mod limits {
    /// The longest text of a condition, in bytes.
    pub const TEXT_BYTES: usize = 64 * 1024;
    /// How many `(` and `not` may be open around one place; `not (` counts once, so that printing never adds to it.
    pub const DEPTH: usize = 64;
    /// How many atoms a condition may have.
    pub const ATOMS: usize = 4096;
    /// How many values all its lists together may have.
    pub const LIST_VALUES: usize = 10_000;
    /// How many names a path may have.
    pub const PATH_NAMES: usize = 64;
    /// How many positions the automaton of a `like` pattern may have: one before each character or `_`, and one at the end.
    /// A set of positions therefore fits 64 bits.
    pub const LIKE_POSITIONS: usize = 64;
    /// How many regular expressions a condition may have.
    pub const REGEXES: usize = 16;
    /// The largest program a regular expression may compile to, in bytes. `^[\w.]{1,64}$` takes more than two million.
    pub const REGEX_BYTES: usize = 4 * 1024 * 1024;
    /// How many errors are reported for one condition.
    pub const ERRORS: usize = 20;
}
