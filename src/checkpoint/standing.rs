//! Where a signed commit stands in the history that there is now, and, when it does not, the first commit that is another one.
//!
//! Whoever drops or changes a commit changes the ids of all that follow, so only the first difference says anything. The
//! old commits may still be in the repository, where no branch leads to them: then the two are compared, and when the new
//! one is a later one of the old line, commits were dropped before it. Without them, the first four bytes of the id of the
//! old commit are known, and nothing else.

use super::Checkpoint;
use crate::history::CommitId;
use crate::history::CommitText;
use crate::history::CommitTime;
use crate::history::Person;
use crate::history::Repository;
use crate::history::RepositoryError;

/// Where a signed commit stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// On the line of first parents, so everything before it is as it was.
    Holds,
    /// The line ends before it, and is as it was as far as it goes.
    Behind,
    /// In the history, but not on the line of first parents any more: this commit merged it into another line.
    Aside {
        /// The position of the merge on the line, from 1 at the oldest.
        position: usize,
        /// The merge.
        merge: Box<CommitText>,
    },
    /// Nowhere: history was rewritten.
    Rewritten(Box<Rewrite>),
}

/// The first commit that is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// Its position on the line, from 1 at the oldest.
    pub position: usize,
    /// The commit that stands there now; `None` only when the repository loses it while it is read.
    pub now: Option<CommitText>,
    /// The beginning of the id of the one that stood there, 8 hexadecimal digits.
    pub was: String,
    /// The one that stood there, if it is still in the repository.
    pub before: Option<CommitText>,
    /// What was done to it.
    pub how: How,
}

/// What was done to the first commit that is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// The old commit is not in the repository.
    Unknown,
    /// All prefixes are equal, so somebody made them so; the place is unknown, and the last commit is named.
    Hidden,
    /// As many commits were dropped before the one that stands there now.
    Dropped(usize),
    /// As many commits were put before the one that stood there.
    Inserted(usize),
    /// It is another one, in this.
    Replaced(Vec<Difference>),
}

/// In what two commits differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Their files.
    Content,
    /// Their message.
    Message,
    /// Their author.
    Author,
    /// The date of the author.
    AuthorDate,
    /// Their committer.
    Committer,
    /// The date of the committer.
    CommitterDate,
    /// Their parents.
    Parents,
    /// Their signature.
    Signature,
    /// Something else that a commit may hold.
    Headers,
}

impl Difference {
    /// The words for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Message => "message",
            Self::Author => "author",
            Self::AuthorDate => "author date",
            Self::Committer => "committer",
            Self::CommitterDate => "committer date",
            Self::Parents => "parents",
            Self::Signature => "signature",
            Self::Headers => "other headers",
        }
    }
}

/// Where the commit of a checkpoint stands on a line of first parents, oldest first.
///
/// # Errors
/// The history cannot be read.
pub(super) fn standing(repository: &Repository, line: &[CommitId], signed: &Checkpoint) -> Result<Standing, RepositoryError> {
    let prefixes = signed.line.prefixes();
    if signed.commits().checked_sub(1).and_then(|last| line.get(last)) == Some(&signed.commit) {
        return Ok(Standing::Holds);
    }
    let same = line.iter().zip(prefixes).take_while(|(now, was)| now.prefix() == **was).count();
    if same == line.len() && same < prefixes.len() {
        return Ok(Standing::Behind);
    }
    if let Some(aside) = aside(repository, line, signed)? {
        return Ok(aside);
    }
    // All prefixes of an honest line that is equal so far lead to the same commit.
    let (at, hidden) = if same == prefixes.len() { (same.saturating_sub(1), true) } else { (same, false) };
    let now = line.get(at).and_then(|&id| repository.commit_text(id));
    let was = prefixes.get(at).copied().unwrap_or_default();
    let (before, old) = before(repository, line, signed, at, was);
    let how = match (&now, &before) {
        _ if hidden => How::Hidden,
        (Some(now), Some(before)) => how(repository, line, &old, at, now, before),
        _ => How::Unknown,
    };
    let was = was.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Standing::Rewritten(Box::new(Rewrite { position: at + 1, now, was, before, how })))
}

/// A commit that is in the history, but that a merge has put aside; the first such merge.
fn aside(repository: &Repository, line: &[CommitId], signed: &Checkpoint) -> Result<Option<Standing>, RepositoryError> {
    let commit = signed.commit.to_string();
    if repository.commit_text(signed.commit).is_none() {
        return Ok(None);
    }
    let holds = |id: &CommitId| repository.is_ancestor(&commit, &id.to_string());
    if !line.last().map(holds).transpose()?.unwrap_or_default() {
        return Ok(None);
    }
    // From the merge on, every commit of the line holds it.
    let (mut without, mut with) = (0, line.len());
    while without < with {
        let middle = without + (with - without) / 2;
        match line.get(middle).map(holds).transpose()? {
            Some(true) => with = middle,
            _ => without = middle + 1,
        }
    }
    let merge = line.get(with).and_then(|&id| repository.commit_text(id));
    Ok(merge.map(|merge| Standing::Aside { position: with + 1, merge: Box::new(merge) }))
}

/// The commit that stood at a place, and the old line, as far as they are in the repository.
fn before(repository: &Repository, line: &[CommitId], signed: &Checkpoint, at: usize, was: [u8; 4]) -> (Option<CommitText>, Vec<CommitId>) {
    let old = repository.commit_text(signed.commit).and_then(|_| repository.lineage(&signed.commit.to_string()).ok());
    let old = old.filter(|old| super::PrefixLine::of(old) == signed.line).unwrap_or_default();
    if let Some(commit) = old.get(at).and_then(|&id| repository.commit_text(id)) {
        return (Some(commit), old);
    }
    // Another object may begin with the same digits; the one that stood there follows the last common commit.
    let parent = at.checked_sub(1).and_then(|above| line.get(above)).copied();
    let found = repository.commit_by_prefix(was).and_then(|id| repository.commit_text(id));
    (found.filter(|commit| commit.parents.first().copied() == parent), old)
}

/// Who wrote something, when, and what they said: what a commit keeps when it is moved to another parent.
type Origin = (Person, CommitTime, String);

fn origin(commit: &CommitText) -> Origin {
    (commit.author.clone(), commit.authored, commit.message.clone())
}

fn how(repository: &Repository, line: &[CommitId], old: &[CommitId], at: usize, now: &CommitText, before: &CommitText) -> How {
    let steps_to = |commits: &[CommitId], wanted: &CommitText| {
        let wanted = origin(wanted);
        let mut after = commits.iter().skip(at + 1).map(|&id| repository.commit_text(id));
        after.position(|commit| commit.is_some_and(|commit| origin(&commit) == wanted)).map(|steps| steps + 1)
    };
    if origin(now) == origin(before) {
        return How::Replaced(differences(now, before));
    }
    if let Some(dropped) = steps_to(old, now) {
        return How::Dropped(dropped);
    }
    if let Some(inserted) = steps_to(line, before) {
        return How::Inserted(inserted);
    }
    How::Replaced(differences(now, before))
}

/// In what two commits differ, in the order of [`Difference`].
fn differences(one: &CommitText, two: &CommitText) -> Vec<Difference> {
    let all = [
        (one.tree != two.tree, Difference::Content),
        (one.message != two.message, Difference::Message),
        (one.author != two.author, Difference::Author),
        (one.authored != two.authored, Difference::AuthorDate),
        (one.committer != two.committer, Difference::Committer),
        (one.committed != two.committed, Difference::CommitterDate),
        (one.parents != two.parents, Difference::Parents),
        (one.signature != two.signature, Difference::Signature),
    ];
    let found: Vec<Difference> = all.into_iter().filter_map(|(differs, what)| differs.then_some(what)).collect();
    if found.is_empty() { vec![Difference::Headers] } else { found }
}
