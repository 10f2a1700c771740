//! The tokens that are in force, and their reloading.
//!
//! A token file that becomes unreadable or broken never opens a door and never locks everybody out: the last good one
//! stays in force, and the status says why.

use std::fs::Metadata;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use jiff::Timestamp;

use super::Caller;
use super::TokenDigest;
use super::TokenFileError;
use super::file;

/// The largest token file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

type Table = Vec<(TokenDigest, Arc<Caller>)>;

/// What a file looked like when it was last read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    /// Where the path led, which changes when a symbolic link is swapped.
    target: Option<PathBuf>,
    /// The inode, and the time of its last change, which nobody can set: length and time of the content can be kept.
    identity: Option<(u64, i64, i64)>,
}

/// Since when the file has been broken, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The moment of the first failing read.
    pub since: Timestamp,
    /// What is wrong, naming the file.
    pub message: String,
}

/// The tokens in force.
#[derive(Debug)]
pub struct Tokens {
    table: ArcSwap<Table>,
    path: Option<PathBuf>,
    /// Absent when the last read failed, so that it is tried again although nothing about the file may have changed.
    stamp: Mutex<Option<Stamp>>,
    trouble: Mutex<Option<Trouble>>,
}

impl Tokens {
    /// Just these, for ever.
    pub fn fixed(tokens: impl IntoIterator<Item = (TokenDigest, Caller)>) -> Self {
        Self { table: ArcSwap::from_pointee(shared(tokens)), path: None, stamp: Mutex::default(), trouble: Mutex::default() }
    }

    /// The tokens of a file.
    ///
    /// # Errors
    /// The file cannot be read, or is refused.
    pub fn from_file(path: &Path) -> Result<Self, TokenFileError> {
        let stamp = stamp(path);
        let table = read(path)?;
        Ok(Self {
            table: ArcSwap::from_pointee(table),
            path: Some(path.to_owned()),
            stamp: Mutex::new(Some(stamp)),
            trouble: Mutex::default(),
        })
    }

    /// The directory to watch for changes of the file.
    pub fn directory(&self) -> Option<&Path> {
        let path = self.path.as_deref()?;
        Some(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
    }

    /// What keeps the file from being read again, if anything does.
    pub fn trouble(&self) -> Option<Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The holder of a token. Every digest is compared, whatever the outcome.
    pub fn holder(&self, token: &str) -> Option<Arc<Caller>> {
        let digest = TokenDigest::of(token);
        let table = self.table.load();
        let mut found = None;
        for (own, caller) in table.iter() {
            if own.same(&digest) {
                found = Some(caller);
            }
        }
        found.cloned()
    }

    /// Reads the file again if it looks different, or could not be read the last time. Says whether other tokens are in
    /// force now.
    pub fn refresh(&self) -> bool {
        self.refresh_with(read)
    }

    fn refresh_with(&self, read: impl FnOnce(&Path) -> Result<Table, TokenFileError>) -> bool {
        let Some(path) = &self.path else { return false };
        let now = Some(stamp(path));
        let mut last = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == now {
            return false;
        }
        let outcome = read(path);
        *last = now.filter(|_| outcome.is_ok());
        drop(last);
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(table) => {
                self.table.store(Arc::new(table));
                *trouble = None;
                tracing::info!(file = %path.display(), "token file reloaded");
                true
            }
            Err(error) => {
                // It is tried again and again, and told once.
                if trouble.as_ref().is_none_or(|known| known.message != error.message) {
                    tracing::error!(file = %path.display(), "{}; the last good token file stays in force", error.message);
                }
                let since = trouble.as_ref().map_or_else(Timestamp::now, |trouble| trouble.since);
                *trouble = Some(Trouble { since, message: error.message });
                false
            }
        }
    }
}

fn shared(tokens: impl IntoIterator<Item = (TokenDigest, Caller)>) -> Table {
    tokens.into_iter().map(|(digest, caller)| (digest, Arc::new(caller))).collect()
}

fn stamp(path: &Path) -> Stamp {
    let Ok(metadata) = std::fs::metadata(path) else { return Stamp::default() };
    Stamp {
        length: metadata.len(),
        modified: metadata.modified().ok(),
        target: std::fs::canonicalize(path).ok(),
        identity: identity(&metadata),
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there is none")]
fn identity(metadata: &Metadata) -> Option<(u64, i64, i64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.ino(), metadata.ctime(), metadata.ctime_nsec()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, i64, i64)> {
    None
}

fn read(path: &Path) -> Result<Table, TokenFileError> {
    let shown = path.display();
    let unreadable = |why: String| TokenFileError {
        message: format!("the token file `{shown}` cannot be read: {why}"),
        help: "name a readable file, such as `lawbook token new` prints entries for".to_owned(),
    };
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if !metadata.is_file() || metadata.len() > MAX_FILE_BYTES {
        return Err(unreadable("it is not a regular file of at most 4 MiB".to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    let tokens = file::parse(&text)
        .map_err(|error| TokenFileError { message: format!("the token file `{shown}` is refused: {}", error.message), help: error.help })?;
    Ok(shared(tokens))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(email: &str, token: &str) -> String {
        format!("[[token]]\nname = \"x\"\nemail = \"{email}\"\nrole = \"viewer\"\nsha256 = \"{}\"\n", TokenDigest::of(token).to_hex())
    }

    #[test]
    fn a_broken_file_keeps_the_last_good_one_and_says_so() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("tokens.toml");
        std::fs::write(&path, entry("a@example.com", "one")).expect("written");
        let tokens = Tokens::from_file(&path).expect("valid");
        assert!(tokens.holder("one").is_some() && tokens.holder("two").is_none());

        std::fs::write(&path, "[[token]]\nbroken").expect("written");
        assert!(!tokens.refresh());
        assert!(tokens.holder("one").is_some());
        assert!(tokens.trouble().is_some_and(|trouble| trouble.message.contains("tokens.toml")));

        std::fs::write(&path, entry("a@example.com", "one") + &entry("b@example.com", "two")).expect("written");
        assert!(tokens.refresh());
        assert_eq!(tokens.holder("two").map(|caller| caller.email.clone()).as_deref(), Some("b@example.com"));
        assert_eq!(tokens.trouble(), None);
        assert!(!tokens.refresh(), "an unchanged file is not read again");
    }

    /// A read that failed once, as with too many files open, kept a revoked token valid until the file was edited again.
    #[test]
    fn a_read_that_failed_is_tried_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("tokens.toml");
        std::fs::write(&path, entry("a@example.com", "revoked")).expect("written");
        let tokens = Tokens::from_file(&path).expect("valid");
        std::fs::write(&path, entry("a@example.com", "renewed")).expect("written");
        let failing = |_: &Path| Err(TokenFileError { message: "too many open files".to_owned(), help: String::new() });
        assert!(!tokens.refresh_with(failing));
        assert!(tokens.holder("revoked").is_some() && tokens.trouble().is_some());
        assert!(tokens.refresh(), "the file has not changed since");
        assert!(tokens.holder("revoked").is_none() && tokens.holder("renewed").is_some());
        assert_eq!(tokens.trouble(), None);
    }

    /// A file that was put in place with the length and the times of the old one was taken for it.
    #[cfg(unix)]
    #[test]
    fn another_file_of_the_same_length_and_time_is_seen() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("tokens.toml");
        std::fs::write(&path, entry("a@example.com", "one")).expect("written");
        let tokens = Tokens::from_file(&path).expect("valid");
        let modified = std::fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("a time");
        let next = directory.path().join("next");
        std::fs::write(&next, entry("a@example.com", "two")).expect("written");
        std::fs::File::options().write(true).open(&next).and_then(|file| file.set_modified(modified)).expect("set");
        std::fs::rename(&next, &path).expect("renamed");
        assert!(tokens.refresh());
        assert!(tokens.holder("one").is_none() && tokens.holder("two").is_some());
    }
}
