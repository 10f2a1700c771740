//! YAML text as a tree of nodes that know where they stand, and the comments around them.
//!
//! The rest of the program never sees a YAML parser: [`parse`] gives [`Document`]s of [`Node`]s with byte spans, and every
//! problem as a [`SyntaxError`] with a place. The dialect is deliberately small, because a policy must mean the same to every
//! reader: the YAML 1.2 core schema, string keys, no directives, no tags that change a meaning, no merge keys, each key once.
//! JSON is accepted as the subset of YAML that it is. Everything is bounded (see [`limits`]), so no input can exhaust the stack,
//! the memory or the patience of a server.
//!
//! Existing files are changed by [`set_scalar`], [`set_entry`], [`set_document`] and [`remove_document`], which replace bytes in place and prove, by
//! parsing again, that nothing else changed.

mod amend;
mod build;
mod checks;
mod cut;
mod decode;
mod edit;
mod error;
mod events;
mod hints;
pub mod limits;
mod locate;
mod node;
mod pieces;
mod places;
mod print;
mod scalar;
mod splice;

#[cfg(test)]
mod torture;
#[cfg(test)]
mod trees;

use crate::source::Span;

pub use amend::set_document;
pub use cut::remove_document;
pub use decode::DecodeError;
pub use decode::decode;
pub use edit::EditError;
pub use edit::set_entry;
pub use edit::set_scalar;
pub use error::ErrorKind;
pub use error::SyntaxError;
pub use events::parse;
pub use node::Entry;
pub use node::Node;
pub use node::NodeKind;
pub use node::Style;
pub use pieces::pieces;
pub use print::print;
pub use print::print_json;

/// What [`parse`] makes of a file.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    /// The documents in which nothing is wrong, in the order of the file. A file of comments has one, without a root;
    /// an empty file has none.
    pub documents: Vec<Document>,
    /// What is wrong, in the order of the file; at most [`limits::ERRORS`]. Any of them makes the file as a whole unusable.
    pub errors: Vec<SyntaxError>,
}

/// One YAML document of a file.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its value; `None` if the document says nothing. A written `null` is a value.
    pub root: Option<Node>,
    /// Its comments in order, including those between it and the next document, and those before the first document.
    pub comments: Vec<Comment>,
    /// From its `---` or first value to the end of its content, without `...`.
    pub span: Span,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// From the `#` to the end of the line, without the line break.
    pub span: Span,
    /// What follows the `#`, as written.
    pub text: String,
}
