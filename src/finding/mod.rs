//! What is wrong with the user's files: a [`Finding`], as a value with a total order.
//!
//! A finding does not know how it will be shown. It has one primary place, words that say what is wrong, help that
//! names the next step, and, where a claim is made about requests, a witness that proves it.

mod fix;

use std::cmp::Ordering;
use std::fmt;

use crate::source::Span;

pub use fix::apply;
pub use fix::compatible;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look; does not fail a check.
    Warning,
    /// Fails a check.
    Error,
}

impl Severity {
    /// The word for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a rule is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// The rule does not run.
    Ignore,
    /// Its findings are warnings.
    Warn,
    /// Its findings are errors.
    Error,
}

impl Level {
    /// The word in `lawbook.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// The severity of a finding at this level; `None` when the rule does not run.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Ignore => None,
            Self::Warn => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
        }
    }
}

/// A span with words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be seen there; may be empty on a primary label.
    pub text: String,
}

impl Label {
    /// A label on a place.
    pub fn new(span: Span, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }
}

/// Whether a fix may be applied without looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Safety {
    /// Keeps the meaning of the file.
    Safe,
    /// May change the meaning, or needs a choice.
    Unsafe,
}

/// A replacement of one range of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; an empty span inserts.
    pub span: Span,
    /// What stands there afterwards.
    pub replacement: String,
}

/// A repair of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, in the imperative.
    pub title: String,
    /// Whether it may be applied without looking.
    pub safety: Safety,
    /// Its edits, which do not overlap.
    pub edits: Vec<Edit>,
}

/// What is wrong with the user's files, at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Why it is that bad: `default`, or the line of configuration that says so.
    pub level_reason: String,
    /// Whether the meaning of the file is unknown because of it, so that a reload has to wait.
    pub blocking: bool,
    /// What is wrong: lower case, no full stop, the user's text in backticks.
    pub message: String,
    /// Where it is wrong.
    pub primary: Label,
    /// Other places that matter, in the order in which they are told.
    pub related: Vec<Label>,
    /// What to do next, in the imperative.
    pub help: Option<String>,
    /// A request that proves the finding, in the form that `lawbook decide` reads.
    pub witness: Option<String>,
    /// The policy it is about.
    pub policy: Option<String>,
    /// How it can be repaired.
    pub fix: Option<Fix>,
}

impl Finding {
    /// Where it is, then what it is: the order in which findings are shown.
    fn key(&self) -> (Span, &'static str, &str) {
        (self.primary.span, self.rule, &self.message)
    }
}

impl PartialOrd for Finding {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Finding {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key()).then_with(|| other.severity.cmp(&self.severity))
    }
}

/// The nearest of some names to a mistyped one, for a did-you-mean; `None` when nothing is near, or the name is too long to be one.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// The longest name in bytes that is compared. Comparing takes time and memory by the product of both lengths.
    const LONGEST: usize = 256;
    if name.len() > LONGEST {
        return None;
    }
    let wanted = name.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|&(distance, candidate)| distance <= 1.max(candidate.chars().count().min(wanted.chars().count()) / 3))
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<&str>) {
        assert_eq!(nearest(name, ["members", "actions", "service", "deny"]), expected, "{name}");
    }

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        check("member", Some("members"));
        check("Deny", Some("deny"));
        check("servcie", Some("service"));
        check("zebra", None);
        check("", None);
    }
}
