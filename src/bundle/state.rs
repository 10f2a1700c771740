//! What a verifier remembers: the last revision that it accepted, and a copy of that bundle.
//!
//! The copy is two files named by their digests, and `state.json` names them; it is replaced last and in one step, so after a
//! crash the state is the old one or the new one. One process at a time holds the directory, by a lock that the system
//! takes back when the process ends. A state that cannot be read is a refusal: forgetting would permit a rollback.

use std::fs;
use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use serde::Deserialize;
use serde::Serialize;

use crate::bundle::build::ARCHIVE_SUFFIX;
use crate::bundle::build::ENVELOPE_SUFFIX;
use crate::bundle::digest::Digest;
use crate::bundle::disk;
use crate::bundle::disk::Readers;
use crate::bundle::json;
use crate::bundle::refusal::Refusal;
use crate::bundle::refusal::VerifyError;
use crate::bundle::refusal::printable;
use crate::bundle::statement::Statement;

/// The only version of `state.json` that is known.
const VERSION: u64 = 1;

const STATE_FILE: &str = "state.json";
const LOCK_FILE: &str = "lock";

/// How long a lock that is held is waited for.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// The largest `state.json` that is read, in bytes.
const MAX_STATE_BYTES: u64 = 64 * 1024;

/// What is remembered of the last bundle that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    version: u64,
    /// Its name; a state directory serves one bundle.
    pub name: String,
    /// Its audience.
    pub audience: String,
    /// Its revision.
    pub revision: u64,
    /// The digest of its content.
    pub content: Digest,
    /// The digest of its archive.
    pub archive: Digest,
    /// The digest of its envelope.
    pub envelope: Digest,
}

/// A state directory, held by this process.
#[derive(Debug)]
pub struct State {
    directory: PathBuf,
    remembered: Option<Remembered>,
    // The lock lasts as long as the file is open.
    _lock: File,
}

impl State {
    /// Takes a state directory, and makes it if it does not exist.
    ///
    /// # Errors
    ///
    /// When another process holds it, or what it remembers cannot be read.
    pub fn open(directory: &Path) -> Result<Self, VerifyError> {
        let refuse = |refusal| VerifyError { address: directory.display().to_string(), revision: None, refusal: Box::new(refusal) };
        let lock = lock(directory).map_err(refuse)?;
        let remembered = load(&directory.join(STATE_FILE)).map_err(refuse)?;
        Ok(Self { directory: directory.to_owned(), remembered, _lock: lock })
    }

    /// What was accepted last; nothing in a new directory.
    pub fn remembered(&self) -> Option<&Remembered> {
        self.remembered.as_ref()
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The copy of the envelope that was accepted last.
    pub(super) fn envelope_path(&self, remembered: &Remembered) -> PathBuf {
        self.path(&remembered.envelope, ENVELOPE_SUFFIX)
    }

    /// The copy of the archive that was accepted last.
    pub(super) fn archive_path(&self, remembered: &Remembered) -> PathBuf {
        self.path(&remembered.archive, ARCHIVE_SUFFIX)
    }

    /// Remembers a bundle that has passed every check.
    pub(super) fn accept(&mut self, statement: &Statement, archive: &[u8], envelope: &[u8]) -> Result<(), Refusal> {
        let next = Remembered {
            version: VERSION,
            name: statement.predicate.name.clone(),
            audience: statement.predicate.audience.clone(),
            revision: statement.predicate.revision,
            content: statement.content_digest(),
            archive: statement.archive_digest(),
            envelope: Digest::of(envelope),
        };
        if self.remembered.as_ref() == Some(&next) && self.holds(&next, archive, envelope) {
            return Ok(());
        }
        self.persist(&next, archive, envelope).map_err(|problem| Refusal::StateUnwritable { problem: problem.to_string() })?;
        self.forget_others(&next);
        self.remembered = Some(next);
        Ok(())
    }

    /// Whether the copies are there as they should be. Writing them again would be a change for whoever watches the directory.
    fn holds(&self, next: &Remembered, archive: &[u8], envelope: &[u8]) -> bool {
        let is = |path: PathBuf, bytes: &[u8]| fs::read(path).is_ok_and(|found| found == bytes);
        is(self.envelope_path(next), envelope) && is(self.archive_path(next), archive)
    }

    fn persist(&self, next: &Remembered, archive: &[u8], envelope: &[u8]) -> io::Result<()> {
        disk::replace(&self.archive_path(next), archive, Readers::Everybody)?;
        disk::replace(&self.envelope_path(next), envelope, Readers::Everybody)?;
        let text = serde_json::to_string_pretty(next).map_err(io::Error::other)?;
        disk::replace(&self.directory.join(STATE_FILE), format!("{text}\n").as_bytes(), Readers::Everybody)
    }

    /// Removes earlier copies and what a crash left. A file that stays does no harm, so a failure is not one of the bundle.
    fn forget_others(&self, current: &Remembered) {
        let kept = [self.archive_path(current), self.envelope_path(current)];
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            if is_ours(&entry.file_name().to_string_lossy()) && !kept.contains(&entry.path()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn path(&self, digest: &Digest, suffix: &str) -> PathBuf {
        self.directory.join(format!("{}{suffix}", digest.hex()))
    }
}

/// Whether a name is one that a copy has, or a file on the way to becoming one.
fn is_ours(name: &str) -> bool {
    let copy = name.strip_suffix(ARCHIVE_SUFFIX).or_else(|| name.strip_suffix(ENVELOPE_SUFFIX));
    copy.is_some_and(|stem| Digest::from_hex(stem).is_ok()) || name.starts_with(disk::TEMPORARY_PREFIX)
}

/// Locks the directory. A lock that has just been given up can linger for a moment: a process that is being started holds a
/// copy of every open file until it becomes its own program. So a lock that is held is tried again, for a bounded time.
fn lock(directory: &Path) -> Result<File, Refusal> {
    let unreadable = |problem: io::Error| Refusal::StateUnreadable { problem: problem.to_string() };
    fs::create_dir_all(directory).map_err(unreadable)?;
    let file = File::options().create(true).truncate(false).read(true).write(true).open(directory.join(LOCK_FILE)).map_err(unreadable)?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if started.elapsed() < LOCK_PATIENCE => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => return Err(Refusal::StateLocked),
            Err(TryLockError::Error(problem)) => return Err(unreadable(problem)),
        }
    }
}

fn load(path: &Path) -> Result<Option<Remembered>, Refusal> {
    let unreadable = |problem: String| Refusal::StateUnreadable { problem: format!("`{STATE_FILE}`: {}", printable(&problem)) };
    let bytes = match File::open(path).and_then(|file| disk::read_bounded(file, MAX_STATE_BYTES)) {
        Ok(bytes) => bytes,
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(problem) => return Err(unreadable(problem.to_string())),
    };
    let value = json::parse(&bytes).map_err(unreadable)?;
    let remembered: Remembered = serde_json::from_value(value).map_err(|error| unreadable(error.to_string()))?;
    if remembered.version != VERSION {
        return Err(unreadable(format!("its version is {}, but only {VERSION} is known", remembered.version)));
    }
    Ok(Some(remembered))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::build::assemble;
    use crate::bundle::build::tests::sample_build;
    use crate::bundle::build::tests::sample_entries;

    fn accepted(directory: &Path) -> State {
        let (archive, statement) = assemble(&sample_entries(), sample_build()).unwrap();
        let mut state = State::open(directory).unwrap();
        state.accept(&statement, &archive, b"envelope").unwrap();
        state
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_accepted_is_remembered_and_the_rest_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let state = accepted(directory.path());
        let remembered = state.remembered().unwrap().clone();
        drop(state);
        fs::write(directory.path().join(".lawbook-left"), "").unwrap();
        fs::write(directory.path().join("notes.txt"), "").unwrap();
        let mut state = State::open(directory.path()).unwrap();
        assert_eq!(state.remembered(), Some(&remembered));
        assert_eq!(fs::read(state.envelope_path(&remembered)).unwrap(), b"envelope");
        let (archive, statement) = assemble(&sample_entries(), crate::bundle::Build { revision: 8, ..sample_build() }).unwrap();
        state.accept(&statement, &archive, b"another envelope").unwrap();
        let envelope = format!("{}.dsse.json", Digest::of(b"another envelope").hex());
        let archive = format!("{}.tar.gz", Digest::of(&archive).hex());
        let mut expected = vec![archive, envelope, "lock".to_owned(), "notes.txt".to_owned(), "state.json".to_owned()];
        expected.sort();
        assert_eq!(names(directory.path()), expected);
        assert_eq!(state.remembered().map(|remembered| remembered.revision), Some(8));
    }

    /// With the state directory among the watched ones, the same bundle was loaded and written again for ever.
    #[test]
    fn what_is_remembered_already_is_written_again_only_when_a_copy_is_not_as_it_should_be() {
        let directory = tempfile::tempdir().unwrap();
        let mut state = accepted(directory.path());
        let (archive, statement) = assemble(&sample_entries(), sample_build()).unwrap();
        let copy = state.envelope_path(state.remembered().unwrap());
        for damage in [None, Some("other"), Some("")] {
            let left = directory.path().join(".lawbook-left");
            fs::write(&left, "").unwrap();
            match damage {
                Some("") => fs::remove_file(&copy).unwrap(),
                Some(text) => fs::write(&copy, text).unwrap(),
                None => {}
            }
            state.accept(&statement, &archive, b"envelope").unwrap();
            assert_eq!(left.exists(), damage.is_none(), "{damage:?}");
            assert_eq!(fs::read(&copy).unwrap(), b"envelope");
        }
    }

    #[test]
    fn one_process_at_a_time_holds_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::open(directory.path()).unwrap();
        assert_eq!(State::open(directory.path()).unwrap_err().reason(), "state-locked");
        drop(state);
        assert!(State::open(directory.path()).is_ok());
    }

    /// A good state with its text changed.
    #[track_caller]
    fn check(change: impl FnOnce(&str) -> String) {
        let directory = tempfile::tempdir().unwrap();
        drop(accepted(directory.path()));
        let path = directory.path().join(STATE_FILE);
        let text = fs::read_to_string(&path).unwrap();
        let changed = change(&text);
        assert_ne!(text, changed);
        fs::write(&path, &changed).unwrap();
        let error = State::open(directory.path()).unwrap_err();
        assert_eq!(error.reason(), "state-unreadable", "{changed}");
        assert!(error.to_string().contains("state.json"), "{error}");
    }

    #[test]
    fn a_damaged_state_is_a_refusal_and_not_a_new_start() {
        check(|_| String::new());
        check(|_| "null".to_owned());
        check(|text| text[..text.len() / 2].to_owned());
        check(|text| text.replace("\"version\": 1", "\"version\": 2"));
        check(|text| text.replace("\"version\": 1", "\"version\": 1, \"version\": 1"));
        check(|text| text.replace("\"version\": 1", "\"version\": 1, \"more\": 1"));
        check(|text| text.replace("\"revision\": 7", "\"revision\": -7"));
        check(|text| text.replace("sha256:", "sha1:"));
        check(|text| format!("{text}{}", " ".repeat(70_000)));
    }

    #[test]
    fn a_state_that_cannot_be_a_directory_is_a_refusal() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(State::open(file.path()).unwrap_err().reason(), "state-unreadable");
    }
}
