//! The tokens that are in force, and their reloading.
//!
//! A token file that becomes unreadable or broken never opens a door and never locks everybody out: the last good one
//! stays in force, and the status says why.

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
    stamp: Mutex<Stamp>,
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
        Ok(Self { table: ArcSwap::from_pointee(table), path: Some(path.to_owned()), stamp: Mutex::new(stamp), trouble: Mutex::default() })
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

    /// Reads the file again if it looks different. Says whether other tokens are in force now.
    pub fn refresh(&self) -> bool {
        let Some(path) = &self.path else { return false };
        let now = stamp(path);
        {
            let mut last = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
            if *last == now {
                return false;
            }
            *last = now;
        }
        let outcome = read(path);
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(table) => {
                self.table.store(Arc::new(table));
                *trouble = None;
                tracing::info!(file = %path.display(), "token file reloaded");
                true
            }
            Err(error) => {
                tracing::error!(file = %path.display(), "{}; the last good token file stays in force", error.message);
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
    Stamp { length: metadata.len(), modified: metadata.modified().ok(), target: std::fs::canonicalize(path).ok() }
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
}
