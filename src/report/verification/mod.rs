//! What a verification of the audit trail proved, for people and programs.

pub mod human;
pub mod json;

use std::io;
use std::io::Write;

use crate::bundle::KeyId;
use crate::bundle::Trust;
use crate::checkpoint::Verification;

/// A verification, ready to be written in any format.
#[derive(Debug, Clone, Copy)]
pub struct VerificationReport<'a> {
    /// What was compared, and what came of it.
    pub verification: &'a Verification<'a>,
    /// Whose signatures count, and what the keys are called; `None` where nothing was signed.
    pub trust: Option<&'a Trust>,
}

/// A format of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerificationFormat {
    /// Sentences.
    Human,
    /// Version 1 of the format for programs.
    Json,
}

impl VerificationFormat {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Human, Self::Json];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
        }
    }

    /// The format with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// Writes a verification in this format.
    ///
    /// # Errors
    /// The writer refused the bytes.
    pub fn write(self, report: &VerificationReport<'_>, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Human => human::write(report, out),
            Self::Json => json::write(report, out),
        }
    }
}

impl VerificationReport<'_> {
    /// What a key is called; empty when it has no name.
    fn name(&self, key: &KeyId) -> &str {
        self.trust.and_then(|trust| trust.key(key)).map_or("", |key| key.comment())
    }
}
