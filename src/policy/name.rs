//! Names: shared, immutable strings, and the id of a policy.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// A name that many statements share: of a service, a source, an action, a member.
pub type Name = Arc<str>;

/// The id of a policy: 1 to 128 characters, no `/`, no control characters. Unique in a law book, also ignoring case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyId(Name);

impl PolicyId {
    /// The most characters that an id may have.
    pub const MAX_CHARS: usize = 128;

    /// The id, if the text may be one.
    pub fn new(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && text.chars().count() <= Self::MAX_CHARS;
        let allowed = text.chars().all(|char| char != '/' && !char.is_control());
        (fits && allowed).then(|| Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text in the form in which ids must be unique.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for PolicyId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: bool) {
        assert_eq!(PolicyId::new(text).is_some(), expected, "{text:?}");
    }

    #[test]
    fn an_id_is_short_and_has_no_slash_or_control_character() {
        check("ReadReports", true);
        check("é 漢", true);
        check(&"a".repeat(128), true);
        check(&"a".repeat(129), false);
        check("", false);
        check("a/b", false);
        check("a\nb", false);
        check("a\u{85}b", false);
    }
}
