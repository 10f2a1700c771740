//! What is wrong with a file as YAML, as a value that a rule can turn into a finding.

use crate::source::Span;

/// The kinds of [`SyntaxError`], for rules that treat them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorKind {
    /// The bytes are not text that can be read: too many, not UTF-8, or with a NUL.
    Encoding,
    /// The text is not YAML.
    Syntax,
    /// A mapping gives a key twice.
    DuplicateKey,
    /// YAML that is refused on purpose: tags, directives, keys that are no text, numbers that cannot be held.
    Unsupported,
    /// An alias that refers to nothing, or to a value that contains it.
    Alias,
    /// A bound of [`super::limits`] is exceeded.
    Limit,
}

/// Something wrong with a file as YAML, at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// What kind of error it is.
    pub kind: ErrorKind,
    /// Where; empty at the end of a line or file.
    pub span: Span,
    /// What is wrong: lower case, no full stop, the user's text in backticks.
    pub message: String,
    /// What to do next, in the imperative.
    pub help: Option<String>,
    /// Other places that matter, with words for them.
    pub related: Vec<(Span, String)>,
}

impl SyntaxError {
    /// An error without related places.
    pub(super) fn new(kind: ErrorKind, span: Span, message: impl Into<String>, help: impl Into<Option<&'static str>>) -> Self {
        Self { kind, span, message: message.into(), help: help.into().map(str::to_owned), related: Vec::new() }
    }

    /// The same error with one more place.
    pub(super) fn with_related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push((span, text.into()));
        self
    }
}

/// The user's text for a message, short enough to be read and on one line.
pub(super) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut kept: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_on_one_line() {
        assert_eq!(excerpt("a\nb"), "a b");
        assert_eq!(excerpt(&"é".repeat(41)), format!("{}…", "é".repeat(40)));
    }
}
