//! Which two sides a comparison is of, as git users write it.

use crate::history::Repository;
use crate::history::RepositoryError;
use crate::report::diff::Side;
use crate::workspace::Origin;

/// Two sides, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Revisions {
    /// `A`: this revision, against the files on disk or the index.
    One(String),
    /// `A..B`: these two.
    Two(String, String),
    /// `A...B`: what `B` changed since it parted from `A`.
    SinceParting(String, String),
}

impl Revisions {
    /// Reads `A`, `A..B` or `A...B`; what is left out is `HEAD`.
    pub(super) fn parse(text: &str) -> Self {
        let named = |name: &str| if name.is_empty() { "HEAD".to_owned() } else { name.to_owned() };
        if let Some((from, to)) = text.split_once("...") {
            return Self::SinceParting(named(from), named(to));
        }
        match text.split_once("..") {
            Some((from, to)) => Self::Two(named(from), named(to)),
            None => Self::One(named(text)),
        }
    }
}

/// One side: what it is, and where it is loaded from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chosen {
    /// The files on disk.
    Worktree,
    /// What the next commit would hold.
    Index,
    /// A commit.
    Revision {
        /// What it was called.
        name: String,
        /// Its id, in hexadecimal.
        commit: String,
    },
}

impl Chosen {
    fn revision(repository: &Repository, name: &str) -> Result<Self, RepositoryError> {
        Ok(Self::Revision { name: name.to_owned(), commit: repository.revision(name)?.commit })
    }

    /// Where it is loaded from. A name is not resolved twice, so that a branch may move meanwhile.
    pub(super) fn origin(&self) -> Origin {
        match self {
            Self::Worktree => Origin::Worktree,
            Self::Index => Origin::Index,
            Self::Revision { commit, .. } => Origin::Revision(commit.clone()),
        }
    }

    /// What it is, for a report.
    pub(super) fn side(&self) -> Side<'_> {
        match self {
            Self::Worktree => Side::Worktree,
            Self::Index => Side::Index,
            Self::Revision { name, commit } => Side::Revision { name, commit },
        }
    }

    /// What it is, in words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Worktree => "the worktree".to_owned(),
            Self::Index => "the index".to_owned(),
            Self::Revision { name, .. } => format!("revision `{name}`"),
        }
    }

    /// What `lawbook check` has to be told to read it.
    pub(super) fn check_flag(&self) -> String {
        match self {
            Self::Worktree => String::new(),
            Self::Index => " --staged".to_owned(),
            Self::Revision { commit, .. } => format!(" --rev {}", commit.get(..10).unwrap_or(commit)),
        }
    }
}

/// The two sides that are meant.
///
/// # Errors
/// There is no such revision, or two of them have no commit in common.
pub(super) fn choose(repository: &Repository, revisions: &Revisions, open: Chosen) -> Result<(Chosen, Chosen), RepositoryError> {
    let named = |name: &str| Chosen::revision(repository, name);
    Ok(match revisions {
        Revisions::One(from) => (named(from)?, open),
        Revisions::Two(from, to) => (named(from)?, named(to)?),
        Revisions::SinceParting(from, to) => {
            let (one, two) = (named(from)?, named(to)?);
            let base = repository.merge_base(from, to)?.commit;
            let same = matches!(&one, Chosen::Revision { commit, .. } if *commit == base);
            let before = if same { one } else { Chosen::Revision { name: format!("merge base of {from} and {to}"), commit: base } };
            (before, two)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_the_head() {
        let two = |from: &str, to: &str| Revisions::Two(from.to_owned(), to.to_owned());
        let check = |text: &str, expected: Revisions| assert_eq!(Revisions::parse(text), expected, "{text}");
        check("main", Revisions::One("main".to_owned()));
        check("", Revisions::One("HEAD".to_owned()));
        check("main..", two("main", "HEAD"));
        check("..v1.2", two("HEAD", "v1.2"));
        check("HEAD~3..feature/x", two("HEAD~3", "feature/x"));
        check("main...", Revisions::SinceParting("main".to_owned(), "HEAD".to_owned()));
        check("main...next", Revisions::SinceParting("main".to_owned(), "next".to_owned()));
    }
}
