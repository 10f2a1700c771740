//! The line of first parents as a list of commits, and what one commit says: for whoever compares it with how it was.
//!
//! A rewritten history is told by its first difference, and the commit that stood there before may still be in the
//! repository, where no branch leads to it any more. So commits are found here by id, and by the beginning of one.

use std::fmt;

use git2::ObjectType;
use git2::Oid;

use super::CommitTime;
use super::Person;
use super::Repository;
use super::RepositoryError;
use super::landing::person;

/// The id of a commit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommitId([u8; 20]);

impl CommitId {
    /// The id that 40 hexadecimal digits in lower case are.
    pub fn parse(text: &str) -> Option<Self> {
        let id = Oid::from_str(text).ok().map(Self::of)?;
        (id.to_string() == text).then_some(id)
    }

    /// Its first four bytes.
    pub fn prefix(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = self.0;
        [a, b, c, d]
    }

    fn of(id: Oid) -> Self {
        let mut bytes = [0; 20];
        for (byte, of) in bytes.iter_mut().zip(id.as_bytes()) {
            *byte = *of;
        }
        Self(bytes)
    }

    fn git(&self) -> Oid {
        Oid::from_bytes(&self.0).unwrap_or(Oid::ZERO_SHA1)
    }
}

/// 40 hexadecimal digits in lower case.
impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a commit says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitText {
    /// Its id.
    pub id: CommitId,
    /// The id of its tree, in hexadecimal: its content.
    pub tree: String,
    /// Its parents, in order.
    pub parents: Vec<CommitId>,
    /// Who wrote the change.
    pub author: Person,
    /// When it was written.
    pub authored: CommitTime,
    /// Who made the commit.
    pub committer: Person,
    /// When it was made.
    pub committed: CommitTime,
    /// The message; what is not UTF-8 is replaced.
    pub message: String,
    /// Its signature, as it stands in the commit.
    pub signature: Option<Vec<u8>>,
}

impl CommitText {
    /// The first line of the message.
    pub fn subject(&self) -> &str {
        self.message.trim_start().lines().next().unwrap_or_default().trim_end()
    }
}

impl Repository {
    /// The commits on the line of first parents up to this one, oldest first.
    ///
    /// # Errors
    /// There is no such revision, or the history is incomplete.
    pub fn lineage(&self, tip: &str) -> Result<Vec<CommitId>, RepositoryError> {
        let partial = |why: String| RepositoryError::Partial { dir: self.dir().to_owned(), why };
        if let Some(why) = self.incomplete() {
            return Err(partial(why));
        }
        let mut commit = self.commit(tip)?;
        let mut line = vec![CommitId::of(commit.id())];
        while let Ok(parent) = commit.parent_id(0) {
            commit = self.git().find_commit(parent).map_err(|_| partial(format!("commit `{parent}` is missing")))?;
            line.push(CommitId::of(parent));
        }
        line.reverse();
        Ok(line)
    }

    /// What a commit says; `None` when it is not in the repository.
    pub fn commit_text(&self, id: CommitId) -> Option<CommitText> {
        let commit = self.git().find_commit(id.git()).ok()?;
        let (author, committer) = (commit.author(), commit.committer());
        let time = |time: git2::Time| CommitTime::new(time.seconds(), time.offset_minutes());
        Some(CommitText {
            id,
            tree: commit.tree_id().to_string(),
            parents: commit.parent_ids().map(CommitId::of).collect(),
            authored: time(author.when()),
            author: person(&author),
            committed: time(committer.when()),
            committer: person(&committer),
            message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
            signature: commit.header_field_bytes("gpgsig").ok().map(|found| found.to_vec()),
        })
    }

    /// The commit whose id begins with these bytes; `None` when there is none, or more than one object.
    pub fn commit_by_prefix(&self, prefix: [u8; 4]) -> Option<CommitId> {
        let digits: String = prefix.iter().map(|byte| format!("{byte:02x}")).collect();
        let found = self.git().find_object_by_prefix(&digits, Some(ObjectType::Commit)).ok()?;
        Some(CommitId::of(found.id()))
    }

    /// The full name of a branch, a tag, or a branch of a remote; it holds tomorrow what is called like this, where an id or an
    /// expression such as `HEAD~3` would stay behind.
    ///
    /// # Errors
    /// There is none of this name, or HEAD is detached.
    pub fn lasting_name(&self, name: &str) -> Result<String, RepositoryError> {
        let unnamed = || RepositoryError::NoReference { name: name.to_owned(), dir: self.dir().to_owned() };
        if name == "HEAD" {
            return self.branch().ok_or_else(unnamed);
        }
        let remote = format!("refs/remotes/{name}");
        match self.full_name(name) {
            Err(RepositoryError::UnknownRevision { .. }) if self.tip(&remote).is_ok() => Ok(remote),
            // An id or an expression is a revision as well, and then a hint at similar names would mislead.
            Err(RepositoryError::UnknownRevision { .. }) if self.revision(name).is_ok() => Err(unnamed()),
            found => found,
        }
    }

    /// What the repository is called: the last part of the address of its remote `origin`, or else of its folder.
    pub fn called(&self) -> Option<String> {
        let address = self.git().find_remote("origin").ok().and_then(|remote| remote.url().ok().map(str::to_owned));
        let last = |path: &str| {
            let plain = path.split(['?', '#']).next().unwrap_or_default();
            let name = plain.trim_end_matches(['/', '\\']).rsplit(['/', '\\', ':']).next().unwrap_or_default();
            Some(name.trim_end_matches(".git").to_owned()).filter(|name| !name.is_empty() && !name.contains('@'))
        };
        let folder = || self.worktree().unwrap_or(self.common_dir()).to_str().and_then(last);
        address.as_deref().and_then(last).or_else(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_40_digits_in_lower_case() {
        let text = "0123456789abcdef0123456789abcdef01234567";
        let id = CommitId::parse(text).expect("an id");
        assert_eq!((id.to_string().as_str(), id.prefix()), (text, [0x01, 0x23, 0x45, 0x67]));
        for wrong in ["", "0123", &text.to_uppercase(), &format!("{text}0"), &"x".repeat(40)] {
            assert_eq!(CommitId::parse(wrong), None, "{wrong}");
        }
    }
}
