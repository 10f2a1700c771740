//! Regular expressions of `matches`: the linear-time ones of the `regex` crate, unanchored, compiled once and kept.

use std::cmp::Ordering;
use std::hash::Hash;
use std::hash::Hasher;

use regex::Regex;
use regex::RegexBuilder;
use regex_syntax::hir::Class;
use regex_syntax::hir::Hir;
use regex_syntax::hir::HirKind;

use super::limits;

/// A compiled regular expression of bounded size. Two are equal if they are written the same.
#[derive(Debug, Clone)]
pub struct RegexPattern(Regex);

impl RegexPattern {
    /// How deep groups and repetitions may be nested.
    const NESTING: u32 = 64;
    /// How many alternatives are sampled.
    const SAMPLES: usize = 8;
    /// The longest sample, in bytes.
    const SAMPLE_BYTES: usize = 256;

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

    /// A few short texts that it probably fits: what is optional left out, one per alternative.
    pub fn samples(&self) -> Vec<String> {
        let Ok(hir) = regex_syntax::Parser::new().parse(self.as_str()) else { return Vec::new() };
        let alternatives = match hir.kind() {
            HirKind::Alternation(alternatives) => alternatives.as_slice(),
            _ => std::slice::from_ref(&hir),
        };
        let mut samples = Vec::new();
        for alternative in alternatives.iter().take(Self::SAMPLES) {
            let mut text = String::new();
            if sample(alternative, &mut text) {
                samples.push(text);
            }
        }
        samples
    }

    /// Whether it fits anywhere in `text`. Takes time in proportion to the length of the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// Appends the shortest way through an expression, with readable characters; false where there is none or it is long.
fn sample(hir: &Hir, text: &mut String) -> bool {
    if text.len() > RegexPattern::SAMPLE_BYTES {
        return false;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).is_ok_and(|literal| {
            text.push_str(literal);
            true
        }),
        HirKind::Class(Class::Unicode(class)) => {
            let holds = |char: &char| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(char));
            let readable = ('a'..='z').chain('0'..='9').chain('A'..='Z').find(holds);
            let char = readable.or_else(|| class.ranges().first().map(|range| range.start()));
            text.extend(char);
            char.is_some()
        }
        HirKind::Class(Class::Bytes(_)) => false,
        HirKind::Repetition(repetition) => {
            for _ in 0..repetition.min {
                let length = text.len();
                if !sample(&repetition.sub, text) {
                    return false;
                }
                // What adds nothing once never does.
                if text.len() == length {
                    break;
                }
            }
            true
        }
        HirKind::Capture(capture) => sample(&capture.sub, text),
        HirKind::Concat(parts) => parts.iter().all(|part| sample(part, text)),
        HirKind::Alternation(parts) => parts.iter().any(|part| {
            let length = text.len();
            let found = sample(part, text);
            if !found {
                text.truncate(length);
            }
            found
        }),
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
    fn samples_are_fitted() {
        for text in ["^a+$", r"\d{2}-[x-z]", "^(sec|top)ret$|b", "", r"(?i)AB", "[^a-z]", "a{3}"] {
            let pattern = RegexPattern::new(text).unwrap();
            let samples = pattern.samples();
            assert!(!samples.is_empty() && samples.iter().all(|sample| pattern.is_match(sample)), "{text}: {samples:?}");
        }
        assert_eq!(RegexPattern::new("^(sec|top)ret$|b").unwrap().samples(), ["secret", "b"]);
        assert_eq!(RegexPattern::new("a{900}").unwrap().samples(), [""; 0]);
    }

    #[test]
    fn matching_is_unanchored() {
        assert!(RegexPattern::new("b+").unwrap().is_match("abba"));
        assert!(!RegexPattern::new("^b+$").unwrap().is_match("abba"));
    }
}
