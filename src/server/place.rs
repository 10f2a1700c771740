//! Where a law book is served from, as answers speak of it.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use super::snapshot::Revision;
use crate::history::Repository;

/// The kind of place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A folder without a repository.
    Folder(PathBuf),
    /// The worktree of a repository.
    Worktree(PathBuf),
    /// A ref of a repository.
    Ref {
        /// The folder of the law book, or the bare repository.
        dir: PathBuf,
        /// The ref, as it was named.
        name: String,
    },
    /// A bundle, by its file prefix or address.
    Bundle(String),
}

/// A revision that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A commit, by at least seven digits of its id.
    Commit(String),
    /// A number.
    Number(u64),
}

/// Where a law book is served from.
#[derive(Debug)]
pub struct Place {
    kind: Kind,
    /// Which commit is an ancestor of which; asking git again for every request would be slow.
    ancestors: Mutex<HashMap<(String, String), bool>>,
}

impl Place {
    /// A place of this kind.
    pub fn new(kind: Kind) -> Self {
        Self { kind, ancestors: Mutex::default() }
    }

    /// Its kind.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Reads a revision that a request asks for; `None` when it cannot be one of this place.
    pub fn wanted(&self, text: &str) -> Option<Wanted> {
        match self.kind {
            Kind::Bundle(_) => text.parse().ok().map(Wanted::Number),
            _ => {
                let is_id = (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                is_id.then(|| Wanted::Commit(text.to_ascii_lowercase()))
            }
        }
    }

    /// Whether what is served has everything of the wanted revision. It may ask git, and takes as long as that does.
    pub fn contains(&self, served: &Revision, wanted: &Wanted) -> bool {
        match wanted {
            Wanted::Number(wanted) => served.number.is_some_and(|number| number >= *wanted),
            Wanted::Commit(wanted) => match &served.commit {
                Some(commit) if commit.starts_with(wanted.as_str()) => true,
                Some(commit) => self.descends(commit, wanted),
                None => false,
            },
        }
    }

    fn descends(&self, commit: &str, ancestor: &str) -> bool {
        const KEPT: usize = 4096;
        let Some(dir) = self.repository() else { return false };
        let key = (commit.to_owned(), ancestor.to_owned());
        if let Some(&known) = self.ancestors.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return known;
        }
        // A commit that is not there yet may come, so that only an answer is remembered.
        let Ok(answer) = Repository::open(dir).and_then(|repository| repository.is_ancestor(ancestor, commit)) else { return false };
        let mut known = self.ancestors.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(key, answer);
        answer
    }

    fn repository(&self) -> Option<&Path> {
        match &self.kind {
            Kind::Worktree(dir) | Kind::Ref { dir, .. } => Some(dir),
            Kind::Folder(_) | Kind::Bundle(_) => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Folder(dir) => write!(f, "folder `{}`", dir.display()),
            Kind::Worktree(dir) => write!(f, "worktree `{}`", dir.display()),
            Kind::Ref { dir, name } => write!(f, "ref `{name}` of `{}`", dir.display()),
            Kind::Bundle(address) => write!(f, "bundle `{address}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_a_commit_or_with_a_bundle_a_number() {
        let tree = Place::new(Kind::Folder(PathBuf::from("/law")));
        let bundle = Place::new(Kind::Bundle("law".to_owned()));
        assert_eq!(tree.wanted("ABCDEF0"), Some(Wanted::Commit("abcdef0".to_owned())));
        assert_eq!(tree.wanted("42"), None);
        assert_eq!(tree.wanted("main~1xx"), None);
        assert_eq!(bundle.wanted("42"), Some(Wanted::Number(42)));
        assert_eq!(bundle.wanted("abcdef0"), None);
        let served = Revision { number: Some(42), commit: Some("abcdef0123".to_owned()), content: String::new() };
        assert!(bundle.contains(&served, &Wanted::Number(41)) && !bundle.contains(&served, &Wanted::Number(43)));
        assert!(tree.contains(&served, &Wanted::Commit("abcdef0".to_owned())));
        assert!(!tree.contains(&served, &Wanted::Commit("abcdef1".to_owned())));
    }
}
