//! What the parser says: the tree, the spellings that `fmt` would change, or what is wrong.

use std::borrow::Cow;
use std::ops::Range;

use super::Expr;

/// How a condition is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorKind {
    /// The text is not a condition.
    Syntax,
    /// `and` and `or` are mixed without parentheses, and readers disagree about what that means.
    AmbiguousPrecedence,
}

/// What is wrong with a condition, at one place of its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConditionError {
    /// How it is wrong.
    pub kind: ErrorKind,
    /// Where, in bytes of the text. Empty at the end of the text, and `0..0` when the condition as a whole is meant.
    pub range: Range<usize>,
    /// What is wrong: lower case, no full stop, the user's text in backticks.
    pub message: String,
    /// What to write instead, in the imperative.
    pub help: Option<String>,
}

impl ConditionError {
    /// A syntax error without help.
    pub(super) fn syntax(range: Range<usize>, message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Syntax, range, message: message.into(), help: None }
    }

    /// The same error with a next step.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// An accepted way to write something that has a canonical one.
///
/// The spellings of one condition do not overlap. Replacing all of them gives a text that parses to the same tree and has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spelling {
    /// What is replaced, in bytes of the text.
    pub range: Range<usize>,
    /// What stands there afterwards.
    pub replacement: String,
    /// What was found: lower case, no full stop.
    pub message: String,
}

/// Where the parts of one atom stand, in bytes of the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AtomPlace {
    /// The whole atom.
    pub range: Range<usize>,
    /// The term on the left.
    pub term: Range<usize>,
    /// What relates the two sides, such as `=` or `not in cidr`; empty when nothing does.
    pub sign: Range<usize>,
    /// The constant, the pattern or the term on the right; of a list each value.
    pub values: Vec<Range<usize>>,
}

/// A condition that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// Its tree, in normal form.
    pub expr: Expr,
    /// What is not written canonically, in order of place.
    pub spellings: Vec<Spelling>,
    /// Where its atoms stand, in the order in which [`Expr::each_atom`] visits them.
    pub places: Vec<AtomPlace>,
}

/// The user's text, cut to a length that a message can carry.
pub(super) fn excerpt(text: &str) -> Cow<'_, str> {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or(""))),
        None => Cow::Borrowed(text),
    }
}
