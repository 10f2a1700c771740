//! Regular expressions of `matches`: the linear-time ones of the `regex` crate, unanchored, compiled once and kept.

use std::cmp::Ordering;
use std::hash::Hash;
use std::hash::Hasher;

use regex::Regex;
use regex::RegexBuilder;

use super::limits;

/// A compiled regular expression of bounded size. Two are equal if they are written the same.
#[derive(Debug, Clone)]
pub struct RegexPattern(Regex);

impl RegexPattern {
    /// How deep groups and repetitions may be nested.
    const NESTING: u32 = 64;

    /// Compiles a regular expression.
    ///
    /// # Errors
    ///
    /// In one line, what is wrong with it; also when it compiles to more than [`limits::REGEX_BYTES`].
    pub fn new(text: &str) -> Result<Self, String> {
        let built = RegexBuilder::new(text).size_limit(limits::REGEX_BYTES).nest_limit(Self::NESTING).build();
        built.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            other => {
                // The last line says what is wrong; those before it draw the place in a fixed-width font.
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default();
                last.trim().trim_start_matches("error: ").to_owned()
            }
        })
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it fits anywhere in `text`. Takes time in proportion to the length of the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl PartialEq for RegexPattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for RegexPattern {}

impl PartialOrd for RegexPattern {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RegexPattern {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for RegexPattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(), &str>) {
        assert_eq!(RegexPattern::new(text).map(|_| ()), expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn errors_are_one_line() {
        check(r"\d{2}", Ok(()));
        check(r"^[\w.]{1,64}$", Ok(()));
        check("(a", Err("unclosed group"));
        check("a{3,2}", Err("invalid repetition count range, the start must be <= the end"));
        check(r"(a)\1", Err("backreferences are not supported"));
        check("(?=a)", Err("look-around, including look-ahead and look-behind, is not supported"));
        check(r"(\w{1000}){1000}", Err("it is too large"));
        check(&format!("{}{}", "(".repeat(5000), ")".repeat(5000)), Err("exceed the maximum number of nested parentheses/brackets (64)"));
    }

    #[test]
    fn matching_is_unanchored() {
        assert!(RegexPattern::new("b+").unwrap().is_match("abba"));
        assert!(!RegexPattern::new("^b+$").unwrap().is_match("abba"));
    }
}
