//! What is shown to people and programs: one file per format, one shape of function.
//!
//! A format is a function `write(&Report, &mut dyn Write)`. It holds its own types for the wire, so that no format
//! depends on how the core is laid out, and changing one never changes another.

pub mod audit;
pub mod code_span;
pub mod colour;
pub mod concise;
pub mod diff;
pub mod human;
pub mod json;
pub mod printable;
pub mod trial;
pub mod verification;
pub mod versions;

use std::collections::BTreeSet;
use std::io;
use std::io::Write;

use crate::finding::Finding;
use crate::finding::Severity;
use crate::source::SourceMap;

/// What a check found, ready to be written in any format.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The findings, in their order.
    pub findings: &'a [Finding],
    /// The files that the findings point into.
    pub sources: &'a SourceMap,
    /// How many policy files were checked.
    pub files: usize,
    /// How many policies they hold.
    pub policies: usize,
    /// How many callers there are, where a directory says so; otherwise every caller counts that there could be.
    pub callers: Option<usize>,
    /// What was checked, when it is not the worktree: a commit, or `index`.
    pub revision: Option<&'a str>,
    /// How the text for people may look.
    pub look: Look,
}

/// How the text for people may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Whether colours are understood and wanted.
    pub colour: bool,
    /// How many columns a line has.
    pub width: usize,
}

impl Look {
    /// For a file or a pipe.
    pub const PLAIN: Self = Self { colour: false, width: 100 };
}

/// How many findings there are of each severity, and in how many files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Findings that fail a check.
    pub errors: usize,
    /// Findings that do not.
    pub warnings: usize,
    /// Files that have a finding.
    pub files: usize,
}

impl Report<'_> {
    /// Counts the findings.
    pub fn counts(&self) -> Counts {
        let of = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        let files: BTreeSet<_> = self.findings.iter().map(|finding| finding.primary.span.source).collect();
        Counts { errors: of(Severity::Error), warnings: of(Severity::Warning), files: files.len() }
    }
}

/// A format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Excerpts with labels, for a terminal.
    Human,
    /// One line for each finding.
    Concise,
    /// Version 1 of the format for programs.
    Json,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Human, Self::Concise, Self::Json];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Concise => "concise",
            Self::Json => "json",
        }
    }

    /// The format with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// Writes a report in this format.
    ///
    /// # Errors
    /// The writer refused the bytes.
    pub fn write(self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Human => human::write(report, out),
            Self::Concise => concise::write(report, out),
            Self::Json => json::write(report, out),
        }
    }
}

/// The callers that something is said for, where a directory says who there is.
pub fn of_the_directory(callers: usize) -> String {
    format!(", for the {} of the directory", count(callers, "caller"))
}

/// A number with its noun: `1 file`, `2 files`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    };
    if number == 1 { format!("1 {noun}") } else { format!("{number} {plural}") }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn a_number_agrees_with_its_noun() {
        let words = [count(0, "file"), count(1, "policy"), count(2, "policy"), count(2, "key"), count(7, "more finding")];
        assert_eq!(words, ["0 files", "1 policy", "2 policies", "2 keys", "7 more findings"]);
    }
}
