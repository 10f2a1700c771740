//! `like` patterns: `%` is any run of characters, `_` one character, and `\` takes the next character as it is.
//!
//! Patterns are kept as elements in a normal form, so that two texts that mean the same are the same pattern, and small
//! enough that the solver can hold a set of positions in 64 bits. Characters are Unicode scalar values.

use super::limits;

/// One element of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LikeElement {
    /// Exactly this character.
    Char(char),
    /// Any one character.
    One,
    /// Any run of characters, also none.
    Run,
}

/// A pattern of at most [`limits::LIKE_POSITIONS`] positions.
///
/// In the normal form no `Run` follows a `Run`, and no `One` follows a `Run`: `%_%` is kept as `_%`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LikePattern(Vec<LikeElement>);

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LikeError {
    /// It ends in a `\` that escapes nothing.
    DanglingEscape,
    /// It has more positions than [`limits::LIKE_POSITIONS`].
    TooLong,
}

impl LikePattern {
    /// Reads a pattern. `None` if it ends in a lone `\` or is too long.
    pub fn new(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }

    pub(super) fn parse(text: &str) -> Result<Self, LikeError> {
        let mut elements = Vec::new();
        let mut chars = text.chars();
        let mut positions = 1;
        while let Some(char) = chars.next() {
            let element = match char {
                '%' => LikeElement::Run,
                '_' => LikeElement::One,
                '\\' => LikeElement::Char(chars.next().ok_or(LikeError::DanglingEscape)?),
                other => LikeElement::Char(other),
            };
            positions += usize::from(element != LikeElement::Run);
            if positions > limits::LIKE_POSITIONS {
                return Err(LikeError::TooLong);
            }
            push(&mut elements, element);
        }
        Ok(Self(elements))
    }

    /// The elements, in normal form.
    pub fn elements(&self) -> &[LikeElement] {
        &self.0
    }

    /// Whether the whole of `text` fits the pattern. Takes time in proportion to the length of the text.
    pub fn is_match(&self, text: &str) -> bool {
        let mut pattern = self.0.as_slice();
        let mut chars = text.chars();
        // Only the last run ever needs to grow: whatever the runs before it took, taking more would leave less for it.
        let mut last_run = None;
        loop {
            match pattern.split_first() {
                Some((LikeElement::Run, [])) => return true,
                Some((LikeElement::Run, rest)) => {
                    last_run = Some((rest, chars.clone()));
                    pattern = rest;
                    continue;
                }
                Some((element, rest)) => {
                    let Some(char) = chars.next() else { return false };
                    if matches!(element, LikeElement::One) || *element == LikeElement::Char(char) {
                        pattern = rest;
                        continue;
                    }
                }
                None if chars.as_str().is_empty() => return true,
                None => {}
            }
            let Some((rest, start)) = &mut last_run else { return false };
            if start.next().is_none() {
                return false;
            }
            pattern = rest;
            chars = start.clone();
        }
    }
}

/// Appends an element, keeping the normal form.
fn push(elements: &mut Vec<LikeElement>, element: LikeElement) {
    match (elements.last(), element) {
        (Some(LikeElement::Run), LikeElement::Run) => {}
        (Some(LikeElement::Run), LikeElement::One) => {
            elements.pop();
            elements.extend([LikeElement::One, LikeElement::Run]);
        }
        _ => elements.push(element),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        assert_eq!(LikePattern::new(pattern).unwrap().is_match(text), expected, "{pattern} on {text}");
    }

    #[test]
    fn patterns_fit_whole_texts() {
        check("", "", true);
        check("", "a", false);
        check("abc", "abc", true);
        check("abc", "abcd", false);
        check("abc", "ABC", false);
        check("%", "", true);
        check("a%", "a", true);
        check("a%", "ba", false);
        check("%a", "ba", true);
        check("%b%", "abc", true);
        check("%b%", "ac", false);
        check("_", "é", true);
        check("_", "", false);
        check("__", "漢", false);
        check("a_c%e", "abcdde", true);
        check("%ab%ab", "abab", true);
        check("%ab%ab", "ab", false);
        check("%aab", "aaaab", true);
        check("%_a%b", "xaxb", true);
        check("100\\%", "100%", true);
        check("100\\%", "1000", false);
        check("a\\_b", "a_b", true);
        check("a\\_b", "axb", false);
        check("\\\\", "\\", true);
        check("\\a", "a", true);
    }

    #[test]
    fn patterns_that_mean_the_same_are_the_same() {
        for (left, right) in [("%%", "%"), ("%_", "_%"), ("%_%_", "__%"), ("\\a", "a"), ("a%%_b", "a_%b")] {
            assert_eq!(LikePattern::new(left), LikePattern::new(right), "{left} {right}");
        }
    }

    #[test]
    fn a_pattern_is_complete_and_short() {
        assert_eq!(LikePattern::parse("a\\"), Err(LikeError::DanglingEscape));
        assert_eq!(LikePattern::parse(&"a".repeat(64)), Err(LikeError::TooLong));
        assert_eq!(LikePattern::parse(&"%".repeat(10_000)), LikePattern::parse("%"));
        assert!(LikePattern::parse(&"%_".repeat(63)).is_ok());
    }

    /// All words over a small alphabet against a direct definition by recursion.
    #[test]
    fn matching_agrees_with_its_definition() {
        fn direct(pattern: &[u8], text: &[u8]) -> bool {
            match pattern.split_first() {
                None => text.is_empty(),
                Some((b'%', rest)) => (0..=text.len()).any(|taken| direct(rest, &text[taken..])),
                Some((b'_', rest)) => !text.is_empty() && direct(rest, &text[1..]),
                Some((char, rest)) => text.first() == Some(char) && direct(rest, &text[1..]),
            }
        }
        fn words(alphabet: &[char], longest: usize) -> Vec<String> {
            let mut words = vec![String::new()];
            let mut last = words.clone();
            for _ in 0..longest {
                last = last.iter().flat_map(|word| alphabet.iter().map(move |char| format!("{word}{char}"))).collect();
                words.extend(last.iter().cloned());
            }
            words
        }
        let texts = words(&['a', 'b'], 6);
        for pattern in words(&['a', 'b', '_', '%'], 5) {
            let compiled = LikePattern::new(&pattern).unwrap();
            for text in &texts {
                assert_eq!(compiled.is_match(text), direct(pattern.as_bytes(), text.as_bytes()), "{pattern} on {text}");
            }
        }
    }
}
