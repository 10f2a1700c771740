//! Tests of the language as a whole: what is refused, what is rewritten, what is true, and what holds for every condition.

mod errors;
mod oracle;
mod parts;
mod places;
mod properties;
mod semantics;
mod spellings;
