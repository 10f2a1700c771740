//! From entries to the two files of a bundle.
//!
//! Everything that is said in the statement comes in from outside, the clock too, so that the same call gives the same bytes.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::bundle::archive;
use crate::bundle::archive::ArchiveError;
use crate::bundle::digest::Digest;
use crate::bundle::disk;
use crate::bundle::disk::Readers;
use crate::bundle::entries::Entries;
use crate::bundle::entries::Limits;
use crate::bundle::entries::content_digest;
use crate::bundle::entries::describe;
use crate::bundle::envelope::Envelope;
use crate::bundle::refusal::Refusal;
use crate::bundle::statement::CONTENT_SUBJECT;
use crate::bundle::statement::Checks;
use crate::bundle::statement::DigestSet;
use crate::bundle::statement::PREDICATE_TYPE;
use crate::bundle::statement::Predicate;
use crate::bundle::statement::Provenance;
use crate::bundle::statement::SEMANTICS;
use crate::bundle::statement::STATEMENT_TYPE;
use crate::bundle::statement::Statement;
use crate::bundle::statement::Subject;
use crate::bundle::statement::Tool;
use crate::bundle::statement::archive_name;
use crate::bundle::statement::utc_seconds;

/// What follows the prefix in the name of the archive.
pub const ARCHIVE_SUFFIX: &str = ".tar.gz";

/// What follows the prefix in the name of the envelope.
pub const ENVELOPE_SUFFIX: &str = ".dsse.json";

/// What is said about a bundle that is being built; the fields mean what they mean in [`Predicate`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The name: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// Who is to use it.
    pub audience: String,
    /// The number of the revision.
    pub revision: u64,
    /// The content digest of the bundle before this one.
    pub previous: Option<Digest>,
    /// When it is signed; fractions of a second are dropped.
    pub issued: Timestamp,
    /// From when on it is refused; fractions of a second are dropped.
    pub expires: Timestamp,
    /// Where the policies come from.
    pub source: Provenance,
    /// What was checked before.
    pub checks: Checks,
    /// Members and features that a verifier has to know.
    pub critical: Vec<String>,
}

/// A bundle that cannot be built or written.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum BuildError {
    /// The entries cannot be packed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Archive(#[from] ArchiveError),
    /// Our own verifier would refuse the bundle.
    #[error("revision {revision} of the bundle `{name}` would be refused: {refusal}")]
    #[diagnostic(help("correct the options of the build, or split the law book if it is too large"))]
    Refused {
        /// The name of the bundle.
        name: String,
        /// Its revision.
        revision: u64,
        /// What the verifier says.
        refusal: Refusal,
    },
    /// A file cannot be written.
    #[error("`{}` cannot be written: {problem}", path.display())]
    #[diagnostic(help("check that the directory exists and that you may write there"))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        problem: io::Error,
    },
}

/// Packs the entries and says what there is to say about them. The result is read back the way a verifier does it, so that
/// nothing is built that everybody would refuse.
///
/// # Errors
///
/// When an entry or something that is said about the bundle is not allowed, or it is above [`Limits::default`].
pub fn assemble(entries: &Entries, build: Build) -> Result<(Vec<u8>, Statement), BuildError> {
    let archive = archive::write(entries)?;
    let statement = statement(entries, &archive, build);
    check(&archive, &statement).map_err(|refusal| BuildError::Refused {
        name: statement.predicate.name.clone(),
        revision: statement.predicate.revision,
        refusal,
    })?;
    Ok((archive, statement))
}

/// Writes `PREFIX.tar.gz` and then `PREFIX.dsse.json`, each whole or not at all. Between the two a reader may see the new
/// archive with the old envelope; it refuses that, and succeeds the next time.
///
/// # Errors
///
/// When a file cannot be written.
pub fn write_outputs(prefix: &Path, archive: &[u8], envelope: &Envelope) -> Result<(), BuildError> {
    write_file(&disk::with_suffix(prefix, ARCHIVE_SUFFIX), archive)?;
    write_envelope(prefix, envelope)
}

/// Writes `PREFIX.dsse.json`, whole or not at all: after a signature was added.
///
/// # Errors
///
/// When the file cannot be written.
pub fn write_envelope(prefix: &Path, envelope: &Envelope) -> Result<(), BuildError> {
    write_file(&disk::with_suffix(prefix, ENVELOPE_SUFFIX), &envelope.to_bytes())
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    disk::replace(path, bytes, Readers::Everybody).map_err(|problem| BuildError::Write { path: path.to_owned(), problem })
}

fn statement(entries: &Entries, archive: &[u8], build: Build) -> Statement {
    let entries = describe(entries);
    let subject = |name: String, sha256| Subject { name, digest: DigestSet { sha256 } };
    Statement {
        statement_type: STATEMENT_TYPE.to_owned(),
        subject: [subject(archive_name(&build.name), Digest::of(archive)), subject(CONTENT_SUBJECT.to_owned(), content_digest(&entries))],
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: Predicate {
            name: build.name,
            audience: build.audience,
            revision: build.revision,
            previous: build.previous,
            issued: utc_seconds::whole(build.issued),
            expires: utc_seconds::whole(build.expires),
            size: archive.len() as u64,
            entries,
            source: build.source,
            tool: Tool::this(),
            semantics: SEMANTICS.to_owned(),
            checks: build.checks,
            critical: build.critical,
        },
    }
}

fn check(archive: &[u8], statement: &Statement) -> Result<(), Refusal> {
    let limits = Limits::default();
    let text = serde_json::to_vec(statement).map_err(|error| Refusal::StatementMalformed { problem: error.to_string() })?;
    Statement::parse(&text)?;
    if archive.len() as u64 > limits.archive_bytes {
        return Err(Refusal::ArchiveTooLarge { declared: archive.len() as u64, limit: limits.archive_bytes });
    }
    archive::read(archive, &statement.predicate.entries, &limits).map(drop)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bundle::key::SigningKey;

    pub(in crate::bundle) fn sample_entries() -> Entries {
        let entries = [(".manifest", "{}"), ("lawbook/policies.json", r#"{"policies":[]}"#)];
        entries.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into()
    }

    pub(in crate::bundle) fn sample_build() -> Build {
        Build {
            name: "authz".to_owned(),
            audience: "production".to_owned(),
            revision: 7,
            previous: None,
            issued: "2026-01-01T00:00:00Z".parse().unwrap(),
            expires: "2026-04-01T00:00:00Z".parse().unwrap(),
            source: Provenance::default(),
            checks: Checks::default(),
            critical: Vec::new(),
        }
    }

    #[test]
    fn the_same_call_gives_the_same_bytes() {
        let first = assemble(&sample_entries(), sample_build()).unwrap();
        assert_eq!(first, assemble(&sample_entries(), sample_build()).unwrap());
        let text = serde_json::to_string_pretty(&first.1.predicate).unwrap();
        insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r#"
        {
          "name": "authz",
          "audience": "production",
          "revision": 7,
          "issued": "2026-01-01T00:00:00Z",
          "expires": "2026-04-01T00:00:00Z",
          "size": 139,
          "entries": [
            {
              "name": ".manifest",
              "size": 2,
              "sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
            },
            {
              "name": "lawbook/policies.json",
              "size": 15,
              "sha256": "cd59036f92de48974d69907bc470ba06f9a27cbf83dea3582fc895678fca4164"
            }
          ],
          "source": {
            "dirty": false
          },
          "tool": {
            "name": "lawbook",
            "version": "VERSION"
          },
          "semantics": "deny-overrides/2v-1",
          "checks": {
            "errors": 0,
            "warnings": 0,
            "testsPassed": 0,
            "testsFailed": 0
          }
        }
        "#);
    }

    /// The sample with one thing changed, and the reason for which the build fails.
    #[track_caller]
    fn check(change: impl FnOnce(&mut Build), reason: &str) {
        let mut build = sample_build();
        change(&mut build);
        match assemble(&sample_entries(), build) {
            Err(BuildError::Refused { refusal, .. }) => assert_eq!(refusal.reason(), reason),
            outcome => panic!("{outcome:?}"),
        }
    }

    #[test]
    fn what_everybody_would_refuse_is_not_built() {
        check(|build| build.name = "a/b".to_owned(), "statement-malformed");
        check(|build| build.audience = String::new(), "statement-malformed");
        check(|build| build.expires = build.issued, "statement-malformed");
        check(|build| build.critical = vec!["magic".to_owned()], "unknown-critical");
        let zeros = Entries::from([("a".to_owned(), vec![0; 64 << 20])]);
        let Err(BuildError::Refused { refusal, .. }) = assemble(&zeros, sample_build()) else { panic!("a bomb was built") };
        assert_eq!(refusal.reason(), "decompression-bomb");
        let unsafe_name = Entries::from([("../a".to_owned(), Vec::new())]);
        assert!(matches!(assemble(&unsafe_name, sample_build()), Err(BuildError::Archive(_))));
    }

    #[test]
    fn the_two_files_stand_beside_each_other() {
        let directory = tempfile::tempdir().unwrap();
        let prefix = directory.path().join("authz-1.2");
        let (archive, statement) = assemble(&sample_entries(), sample_build()).unwrap();
        let mut envelope = Envelope::new(&statement).unwrap();
        envelope.sign(&SigningKey::generate("").unwrap()).unwrap();
        write_outputs(&prefix, &archive, &envelope).unwrap();
        assert_eq!(std::fs::read(directory.path().join("authz-1.2.tar.gz")).unwrap(), archive);
        assert_eq!(std::fs::read(directory.path().join("authz-1.2.dsse.json")).unwrap(), envelope.to_bytes());
        envelope.sign(&SigningKey::generate("").unwrap()).unwrap();
        write_envelope(&prefix, &envelope).unwrap();
        assert_eq!(std::fs::read(directory.path().join("authz-1.2.dsse.json")).unwrap(), envelope.to_bytes());
        let missing = directory.path().join("none").join("authz");
        assert!(matches!(write_outputs(&missing, &archive, &envelope), Err(BuildError::Write { .. })));
    }
}
