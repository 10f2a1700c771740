//! What a condition reads: an attribute of the document, or a fact of the request.

use std::sync::Arc;

use super::ConditionError;
use super::lexer;
use super::limits;
use super::parser::Parser;

/// A non-empty sequence of names, from the outside in. Any text is a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(Arc<[String]>);

impl Path {
    /// The path of these names; `None` if there are none, or more than [`limits::PATH_NAMES`].
    pub fn new(names: Vec<String>) -> Option<Self> {
        (!names.is_empty() && names.len() <= limits::PATH_NAMES).then(|| Self(names.into()))
    }

    /// The path of one name.
    pub fn single(name: impl Into<String>) -> Self {
        Self([name.into()].into())
    }

    /// The names, from the outside in; never empty.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether `other` lies inside this path: `a` contains `a.b`, and not itself.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.len() > self.0.len() && other.0.starts_with(&self.0)
    }
}

/// Something a condition reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Term {
    /// `a.b`: an attribute of the document.
    Document(Path),
    /// `{me}`: the id of the caller.
    Me,
    /// `{me.a}`: a property of the caller.
    Caller(Path),
    /// `{action.a}`: a property of the action.
    Action(Path),
    /// `{context.a}`: a part of the context.
    Context(Path),
}

impl Term {
    /// Reads a term on its own, as the keys under `[attributes]` in `lawbook.toml` are: `tags`, `{me.roles}`.
    ///
    /// # Errors
    ///
    /// What is wrong, with its place in `text`, if the text is anything but one term.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        let lexemes = lexer::lex(text)?;
        let mut parser = Parser::new(text, &lexemes);
        let term = parser.term()?;
        match parser.peek() {
            None => Ok(term),
            Some(lexeme) => Err(ConditionError::syntax(lexeme.range.clone(), format!("`{term}` is followed by something else"))
                .help("write one attribute, or one reference in braces")),
        }
    }

    /// The path of the term; `{me}` has none.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Me => None,
            Self::Document(path) | Self::Caller(path) | Self::Action(path) | Self::Context(path) => Some(path),
        }
    }

    /// Whether `other` lies inside this term, so that the two cannot both hold a scalar.
    pub fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Document(outer), Self::Document(inner))
            | (Self::Caller(outer), Self::Caller(inner))
            | (Self::Action(outer), Self::Action(inner))
            | (Self::Context(outer), Self::Context(inner)) => outer.contains(inner),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(Term::parse(text).ok().map(|term| term.to_string()).as_deref(), expected, "{text}");
    }

    #[test]
    fn a_term_stands_alone() {
        check("tags", Some("tags"));
        check("a.b.in", Some("a.b.in"));
        check("`in`.`b c`", Some("`in`.`b c`"));
        check("{me}", Some("{me}"));
        check("{me.roles}", Some("{me.roles}"));
        check("{ action . soft }", Some("{action.soft}"));
        check("'{context.a}'", Some("{context.a}"));
        check("", None);
        check("in", None);
        check("a b", None);
        check("a =", None);
        check("{roles}", None);
        check("{context}", None);
        check("'tags'", None);
        check("a.", None);
        check("a.1", None);
        check("a('x')", None);
    }

    #[test]
    fn a_path_has_names_and_not_too_many() {
        assert_eq!(Path::new(vec![]), None);
        assert_eq!(Path::new(vec!["a".to_owned(); 65]), None);
        check(&vec!["a"; 64].join("."), Some(&vec!["a"; 64].join(".")));
        check(&vec!["a"; 65].join("."), None);
    }

    #[track_caller]
    fn check_contains(outer: &str, inner: &str, expected: bool) {
        assert_eq!(Term::parse(outer).unwrap().contains(&Term::parse(inner).unwrap()), expected, "{outer} {inner}");
    }

    #[test]
    fn a_term_contains_what_lies_inside_it() {
        check_contains("a", "a.b", true);
        check_contains("a", "a.b.c", true);
        check_contains("a", "a", false);
        check_contains("a.b", "a", false);
        check_contains("a", "{me.a.b}", false);
        check_contains("{me.a}", "{me.a.b}", true);
        check_contains("{me}", "{me.a}", false);
    }
}
