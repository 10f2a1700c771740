//! Why a bundle is refused: one variant for each thing that can be wrong, with a stable reason code for metrics and scripts.
//!
//! [`Refusal`] is what a check finds; [`VerifyError`] adds which bundle it was. Texts that come from the bundle are made
//! printable before they are shown, because up to the signatures anybody may have written them.

use std::fmt;

use crate::bundle::digest::Digest;
use crate::bundle::fingerprint::KeyId;

/// The longest text of a bundle that a message repeats, in characters.
const SHOWN_CHARACTERS: usize = 200;

/// A bundle that was refused, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyError {
    /// The file prefix or address of the bundle, or the state directory.
    pub address: String,
    /// Its revision, once that is known from a verified signature.
    pub revision: Option<u64>,
    /// What is wrong with it; boxed, because an outcome is passed on often and is seldom this one.
    pub refusal: Box<Refusal>,
}

impl VerifyError {
    /// The stable reason code, such as `threshold-not-met`.
    pub fn reason(&self) -> &'static str {
        self.refusal.reason()
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bundle `{}`", self.address)?;
        if let Some(revision) = self.revision {
            write!(f, ", revision {revision}")?;
        }
        write!(f, ": {}", self.refusal)
    }
}

impl std::error::Error for VerifyError {}

impl miette::Diagnostic for VerifyError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.reason()))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.refusal.help()))
    }
}

/// What is wrong with a bundle. Sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the variants and their fields are")]
pub enum Refusal {
    #[error("the envelope cannot be read: {problem}")]
    EnvelopeUnreadable { problem: String },
    #[error("the envelope is larger than {limit} bytes")]
    EnvelopeTooLarge { limit: u64 },
    #[error("the envelope is not a DSSE envelope: {problem}")]
    EnvelopeMalformed { problem: String },
    #[error("the envelope is not written the way an envelope is: same members, other bytes")]
    EnvelopeNotCanonical,
    #[error("the trust file expired at {expired}")]
    TrustExpired { expired: String },
    #[error("the signature by the trusted key `{key}` does not verify")]
    BadSignature { key: KeyId },
    #[error("a signature by `{actual}` claims to be by `{claimed}`")]
    WrongKeyId { claimed: KeyId, actual: KeyId },
    #[error("{found} of the {needed} required signatures by trusted keys")]
    ThresholdNotMet { found: usize, needed: usize },
    #[error("`{found}` where `{expected}` is required")]
    WrongType { expected: &'static str, found: String },
    #[error("the signed statement is malformed: {problem}")]
    StatementMalformed { problem: String },
    #[error("the bundle needs the feature `{feature}`, which this version does not know")]
    UnknownCritical { feature: String },
    #[error("it is the bundle `{found}`, not `{expected}`")]
    WrongName { expected: String, found: String },
    #[error("it is for the audience `{found}`, not `{expected}`")]
    WrongAudience { expected: String, found: String },
    #[error("it expired at {expired}")]
    Expired { expired: String },
    #[error("it was issued at {issued}, which is in the future")]
    NotYetValid { issued: String },
    #[error("the revision {last} has been accepted already, and the revision never goes back")]
    Rollback { last: u64 },
    #[error("its content is `{found}`, but the same revision was accepted before with the content `{accepted}`")]
    Equivocation { accepted: Digest, found: Digest },
    #[error("the archive has {declared} bytes, which is above the limit of {limit}")]
    ArchiveTooLarge { declared: u64, limit: u64 },
    #[error("the archive cannot be read: {problem}")]
    ArchiveUnreadable { problem: String },
    #[error("the archive is {} than the signed size of {declared} bytes", if *.longer { "longer" } else { "shorter" })]
    ArchiveSize { declared: u64, longer: bool },
    #[error("the archive is `{found}`, but `{signed}` was signed")]
    ArchiveDigest { signed: Digest, found: Digest },
    #[error("the archive is malformed: {problem}")]
    ArchiveMalformed { problem: String },
    #[error("there is data after the end of the archive")]
    TrailingData,
    #[error("the archive unpacks to {declared} bytes, which is above the limit of {limit}")]
    DecompressionBomb { declared: u64, limit: u64 },
    #[error("the archive has {declared} entries, which is above the limit of {limit}")]
    TooManyEntries { declared: usize, limit: usize },
    #[error("the entry `{entry}` has an unsafe path: {problem}")]
    UnsafePath { entry: String, problem: &'static str },
    #[error("the entry `{entry}` is not a regular file")]
    NotARegularFile { entry: String },
    #[error("the entries `{first}` and `{second}` are the same file, or would be on a disk that ignores case")]
    DuplicateEntry { first: String, second: String },
    #[error("the entry `{entry}` is not in the signed list")]
    UnexpectedEntry { entry: String },
    #[error("the entry `{entry}` of the signed list is missing")]
    MissingEntry { entry: String },
    #[error("the entry `{entry}` has {found} bytes, but {signed} were signed")]
    EntrySize { entry: String, signed: u64, found: u64 },
    #[error("the entry `{entry}` is `{found}`, but `{signed}` was signed")]
    EntryDigest { entry: String, signed: Digest, found: Digest },
    #[error("the content is `{found}`, but `{signed}` was signed")]
    ContentDigest { signed: Digest, found: Digest },
    #[error("its semantics are `{found}`, this version knows `{known}`")]
    UnsupportedVersion { found: String, known: &'static str },
    #[error("the law book cannot be rebuilt from it: {problem}")]
    RebuildFailed { problem: String },
    #[error("the self-test failed: {problem}")]
    SelfTestFailed { problem: String },
    #[error("the remembered state cannot be read: {problem}")]
    StateUnreadable { problem: String },
    #[error("another process uses the state directory")]
    StateLocked,
    #[error("the state cannot be written: {problem}")]
    StateUnwritable { problem: String },
}

impl Refusal {
    /// The stable reason code, for metrics, logs and scripts.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::EnvelopeUnreadable { .. } => "envelope-unreadable",
            Self::EnvelopeTooLarge { .. } => "envelope-too-large",
            Self::EnvelopeMalformed { .. } => "envelope-malformed",
            Self::EnvelopeNotCanonical => "envelope-not-canonical",
            Self::TrustExpired { .. } => "trust-expired",
            Self::BadSignature { .. } => "bad-signature",
            Self::WrongKeyId { .. } => "wrong-key-id",
            Self::ThresholdNotMet { .. } => "threshold-not-met",
            Self::WrongType { .. } => "wrong-type",
            Self::StatementMalformed { .. } => "statement-malformed",
            Self::UnknownCritical { .. } => "unknown-critical",
            Self::WrongName { .. } => "wrong-name",
            Self::WrongAudience { .. } => "wrong-audience",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not-yet-valid",
            Self::Rollback { .. } => "rollback",
            Self::Equivocation { .. } => "equivocation",
            Self::ArchiveTooLarge { .. } => "archive-too-large",
            Self::ArchiveUnreadable { .. } => "archive-unreadable",
            Self::ArchiveSize { .. } => "archive-size",
            Self::ArchiveDigest { .. } => "archive-digest",
            Self::ArchiveMalformed { .. } => "archive-malformed",
            Self::TrailingData => "trailing-data",
            Self::DecompressionBomb { .. } => "decompression-bomb",
            Self::TooManyEntries { .. } => "too-many-entries",
            Self::UnsafePath { .. } => "unsafe-path",
            Self::NotARegularFile { .. } => "not-a-regular-file",
            Self::DuplicateEntry { .. } => "duplicate-entry",
            Self::UnexpectedEntry { .. } => "unexpected-entry",
            Self::MissingEntry { .. } => "missing-entry",
            Self::EntrySize { .. } => "entry-size",
            Self::EntryDigest { .. } => "entry-digest",
            Self::ContentDigest { .. } => "content-digest",
            Self::UnsupportedVersion { .. } => "unsupported-version",
            Self::RebuildFailed { .. } => "rebuild-failed",
            Self::SelfTestFailed { .. } => "self-test-failed",
            Self::StateUnreadable { .. } => "state-unreadable",
            Self::StateLocked => "state-locked",
            Self::StateUnwritable { .. } => "state-unwritable",
        }
    }

    /// Every reason code, in the order in which the checks are made: for metrics that start at zero.
    pub const REASONS: [&'static str; 39] = [
        "envelope-unreadable",
        "envelope-too-large",
        "envelope-malformed",
        "envelope-not-canonical",
        "trust-expired",
        "bad-signature",
        "wrong-key-id",
        "threshold-not-met",
        "wrong-type",
        "statement-malformed",
        "unknown-critical",
        "wrong-name",
        "wrong-audience",
        "expired",
        "not-yet-valid",
        "rollback",
        "equivocation",
        "archive-too-large",
        "archive-unreadable",
        "archive-size",
        "archive-digest",
        "archive-malformed",
        "trailing-data",
        "decompression-bomb",
        "too-many-entries",
        "unsafe-path",
        "not-a-regular-file",
        "duplicate-entry",
        "unexpected-entry",
        "missing-entry",
        "entry-size",
        "entry-digest",
        "content-digest",
        "unsupported-version",
        "rebuild-failed",
        "self-test-failed",
        "state-unreadable",
        "state-locked",
        "state-unwritable",
    ];

    /// The next step, in the imperative.
    pub fn help(&self) -> &'static str {
        match self {
            Self::EnvelopeUnreadable { .. } | Self::ArchiveUnreadable { .. } => {
                "check that `PREFIX.tar.gz` and `PREFIX.dsse.json` exist and are readable, then try again"
            }
            Self::EnvelopeTooLarge { .. } | Self::EnvelopeMalformed { .. } | Self::EnvelopeNotCanonical => {
                "fetch the envelope again, byte for byte as `lawbook build` or `lawbook sign` wrote it"
            }
            Self::TrustExpired { .. } => "install a trust file that is still valid, see `lawbook trust show`",
            Self::BadSignature { .. } | Self::WrongKeyId { .. } => {
                "do not use this bundle; fetch it again from its builder, and find out who changed it"
            }
            Self::ThresholdNotMet { .. } => "add the missing signatures with `lawbook sign`, or trust the keys of its signers",
            Self::WrongType { .. } | Self::StatementMalformed { .. } => {
                "check that the file is the envelope of a law book, and build it again"
            }
            Self::UnknownCritical { .. } | Self::UnsupportedVersion { .. } => "update lawbook here before using this bundle",
            Self::WrongName { .. } => "fetch the bundle that is configured, or correct the configured name",
            Self::WrongAudience { .. } => "fetch the bundle of this environment, or correct the configured audience",
            Self::Expired { .. } => "build and sign the current revision again",
            Self::NotYetValid { .. } => "correct the clock of this machine, or of the one that signed",
            Self::Rollback { .. } => "publish the older policies as a new revision if they are wanted",
            Self::Equivocation { .. } => {
                "find out who signed two bundles with one revision, and publish a new revision when that is understood"
            }
            Self::ArchiveTooLarge { .. } | Self::DecompressionBomb { .. } | Self::TooManyEntries { .. } => {
                "raise the limit only if the law book is really that large"
            }
            Self::ArchiveSize { .. } | Self::ArchiveDigest { .. } => {
                "fetch the archive again; it does not belong to this envelope, or was damaged on the way"
            }
            Self::ArchiveMalformed { .. }
            | Self::TrailingData
            | Self::UnsafePath { .. }
            | Self::NotARegularFile { .. }
            | Self::DuplicateEntry { .. }
            | Self::UnexpectedEntry { .. }
            | Self::MissingEntry { .. }
            | Self::EntrySize { .. }
            | Self::EntryDigest { .. }
            | Self::ContentDigest { .. } => "do not use this bundle; its signers signed an archive that `lawbook build` does not make",
            Self::RebuildFailed { .. } | Self::SelfTestFailed { .. } => {
                "build the bundle again with the version of lawbook that is used here"
            }
            Self::StateUnreadable { .. } => {
                "restore the state directory from a copy; deleting it makes this machine accept older revisions again"
            }
            Self::StateLocked => "stop the other process, or use another state directory",
            Self::StateUnwritable { .. } => "check the permissions and the free space of the state directory",
        }
    }
}

/// A text of unknown origin, fit for a message: control characters escaped, and no longer than [`SHOWN_CHARACTERS`].
pub(crate) fn printable(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARACTERS).map(visible).collect();
    if text.chars().nth(SHOWN_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}

/// Directional and invisible characters can make a message read as something else, so only the plainly visible pass.
fn visible(character: char) -> String {
    if character == '\'' || character == '"' { character.to_string() } else { character.escape_debug().collect() }
}

#[cfg(test)]
mod tests {
    use miette::Diagnostic as _;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(printable(text), expected);
    }

    #[test]
    fn a_hostile_text_cannot_reach_the_terminal() {
        check("plain \"quoted\" é", "plain \"quoted\" é");
        check("a\u{1b}[31mb\n", "a\\u{1b}[31mb\\n");
        check("a\u{202e}b", "a\\u{202e}b");
        check(&"x".repeat(1000), &format!("{}…", "x".repeat(SHOWN_CHARACTERS)));
    }

    #[test]
    fn the_message_names_the_bundle_the_revision_and_the_next_step() {
        let error = VerifyError { address: "dist/authz".to_owned(), revision: Some(7), refusal: Box::new(Refusal::Rollback { last: 9 }) };
        assert_eq!(
            error.to_string(),
            "bundle `dist/authz`, revision 7: the revision 9 has been accepted already, and the revision never goes back"
        );
        assert_eq!(error.code().unwrap().to_string(), "rollback");
        assert_eq!(error.help().unwrap().to_string(), "publish the older policies as a new revision if they are wanted");
    }

    #[test]
    fn a_reason_code_is_unique() {
        let mut reasons = Refusal::REASONS.to_vec();
        reasons.sort_unstable();
        reasons.dedup();
        assert_eq!(reasons.len(), Refusal::REASONS.len());
    }
}
