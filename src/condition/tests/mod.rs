//! Tests of the language as a whole: what is refused, and what is rewritten.

mod errors;
mod spellings;
