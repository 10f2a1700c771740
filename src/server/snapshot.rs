//! What the server answers from: one law book, immutable, swapped as a whole.
//!
//! Every answer of one request comes from one [`Snapshot`], so that no answer can mix two revisions.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;

use super::annals::Annals;
use super::controls::SharedListing;
use super::later::Later;
use crate::config::Config;
use crate::config::staleness;
use crate::decision::Index;
use crate::finding::Finding;
use crate::policy::PolicySet;
use crate::source::SourceFile;
use crate::source::SourceMap;

/// The identity of a law book, as the headers of every answer give it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revision {
    /// The number of the revision: of a bundle as its manifest says, else how many commits landed up to it.
    pub number: Option<u64>,
    /// The commit, in hexadecimal; absent without a repository. A worktree may hold edits on top of it, which `content` tells.
    pub commit: Option<String>,
    /// The SHA-256, in hexadecimal, of everything that was read and that what is served depends on.
    pub content: String,
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.commit, self.number) {
            (Some(commit), Some(number)) => write!(f, "revision {number}, commit {commit}"),
            (Some(commit), None) => write!(f, "commit {commit}"),
            (None, Some(number)) => write!(f, "revision {number}"),
            (None, None) => write!(f, "content {}", self.content),
        }
    }
}

/// The digest of some files, those that a [`Book` serves](crate::lint::Book::served): of every path and text, with their
/// lengths, in order.
pub fn content_digest<'a>(files: impl IntoIterator<Item = &'a SourceFile>) -> String {
    let mut hash = Sha256::new();
    for file in files {
        for part in [file.path(), file.text()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
    }
    hex(&hash.finalize())
}

/// Bytes in hexadecimal, lower case.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A finding as `/status` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The rule.
    pub rule: &'static str,
    /// `warning` or `error`.
    pub severity: &'static str,
    /// Whether it keeps a law book from being served.
    pub blocking: bool,
    /// What is wrong.
    pub message: String,
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The policy it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// A request that proves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<String>,
}

impl Told {
    /// A finding with its place looked up.
    pub fn new(finding: &Finding, sources: &SourceMap) -> Self {
        let place = sources.line_column(finding.primary.span);
        Self {
            rule: finding.rule,
            severity: finding.severity.as_str(),
            blocking: finding.blocking,
            message: finding.message.clone(),
            path: sources.path(finding.primary.span.source).to_owned(),
            line: place.line,
            column: place.column,
            policy: finding.policy.clone(),
            help: finding.help.clone(),
            witness: finding.witness.clone(),
        }
    }

    /// All findings of a law book.
    pub fn all(findings: &[Finding], sources: &SourceMap) -> Vec<Self> {
        findings.iter().map(|finding| Self::new(finding, sources)).collect()
    }
}

/// Findings that came from checking a served law book; `None` when a newer one was served before they were looked for.
pub type Findings = Option<Vec<Told>>;

/// One law book, ready to answer.
#[derive(Debug)]
pub struct Snapshot {
    /// Decides.
    pub index: Index,
    /// How the law book is configured.
    pub config: Config,
    /// Which law book it is.
    pub revision: Revision,
    /// When it was loaded.
    pub loaded_at: Timestamp,
    /// When policies were created that no history tells of, by id; the times of their files.
    pub undated: BTreeMap<String, Timestamp>,
    /// How long it may be served once something newer exists that cannot be; after that everything is denied.
    pub max_staleness: Option<Duration>,
    /// What checking it found.
    pub findings: Later<Findings>,
    /// Its history, or why there is none.
    pub annals: Later<Result<Annals, String>>,
    /// Its controls as they are sent, once somebody has asked for them.
    pub listing: SharedListing,
}

impl Snapshot {
    /// A law book that has just been loaded, with findings and history still to come.
    pub fn new(index: Index, config: Config, revision: Revision) -> Self {
        // Whoever reads a configuration or a bundle has refused a limit that is none; if one came here, nothing stale would be served.
        let max_staleness = config.server.max_staleness.as_deref().map(|limit| staleness(limit).unwrap_or_default());
        Self {
            index,
            config,
            revision,
            loaded_at: Timestamp::now(),
            undated: BTreeMap::new(),
            max_staleness,
            findings: Later::pending(),
            annals: Later::pending(),
            listing: SharedListing::new(),
        }
    }

    /// The policies.
    pub fn set(&self) -> &Arc<PolicySet> {
        self.index.set()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_is_told_apart_by_every_path_and_text() {
        let digest =
            |files: &[(&str, &str)]| content_digest(&files.iter().map(|&(path, text)| SourceFile::new(path, text)).collect::<Vec<_>>());
        assert_eq!(digest(&[("a", "b")]), digest(&[("a", "b")]));
        assert_ne!(digest(&[("a", "b")]), digest(&[("ab", "")]));
        assert_ne!(digest(&[("a", "b"), ("c", "")]), digest(&[("a", "bc")]));
    }
}
