//! What is wanted, as changes of files of one revision.

use super::WriteError;
use super::put::NewFile;
use super::put::delete;
use super::put::put;
use crate::config::Selection;
use crate::policy::Policy;
use crate::source::SourceFile;
use crate::syntax::set_entry;
use crate::workspace::Workspace;

/// A file before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The path, relative to the root of the law book, with `/` between its parts.
    pub path: String,
    /// The text that it must have; `None` when there must be no such file.
    pub old: Option<String>,
    /// The text that it gets; `None` when it goes.
    pub new: Option<String>,
}

/// Finds the files to change in a revision; called again on a newer one when the branch has moved.
pub type Find<'a> = &'a dyn Fn(&Workspace) -> Result<Vec<FileChange>, WriteError>;

/// Whether a revision is what somebody took it for; asked again of a newer one when the branch has moved.
pub type Holds<'a> = &'a dyn Fn(&Workspace) -> bool;

/// What is wanted.
#[derive(Clone)]
pub enum Change<'a> {
    /// The policy of this id is put out of force, or in force again. Only the bytes of the value change.
    Toggle(String),
    /// This policy takes the place of the one with its id, or is new. Only the bytes of what differs change.
    Put(Box<Policy>),
    /// The policy of this id goes, and its file when it holds no other.
    Delete(String),
    /// New policy files, by path and text; all or none.
    Create(Vec<(String, String)>),
    /// Anything else, by a subject for the commit.
    Other(&'a str, Find<'a>),
    /// A change of nothing but a revision that is what somebody took it for.
    Expecting(&'a Change<'a>, Holds<'a>),
}

impl std::fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Toggle(id) => f.debug_tuple("Toggle").field(id).finish(),
            Self::Put(policy) => f.debug_tuple("Put").field(policy).finish(),
            Self::Delete(id) => f.debug_tuple("Delete").field(id).finish(),
            Self::Create(files) => f.debug_tuple("Create").field(files).finish(),
            Self::Other(subject, _) => f.debug_tuple("Other").field(subject).finish_non_exhaustive(),
            Self::Expecting(change, _) => f.debug_tuple("Expecting").field(change).finish_non_exhaustive(),
        }
    }
}

/// A change against one revision.
pub(super) struct Plan {
    pub(super) subject: String,
    pub(super) files: Vec<FileChange>,
    pub(super) enabled: Option<bool>,
}

/// What a change means for a law book.
pub(super) fn plan(change: &Change<'_>, workspace: &Workspace, commit: &str) -> Result<Plan, WriteError> {
    let plan = match change {
        Change::Toggle(id) => toggle(id, workspace, commit)?,
        Change::Put(policy) => {
            let file = put(workspace, policy, NewFile::default())?;
            let verb = if workspace.book.set.get(policy.id().as_str()).is_some() { "Update" } else { "Create" };
            Plan { subject: format!("{verb} {}", policy.id()), files: vec![file], enabled: Some(policy.enabled()) }
        }
        Change::Delete(id) => Plan { subject: format!("Delete {id}"), files: vec![delete(workspace, id)?], enabled: None },
        Change::Create(files) => create(files, workspace, commit)?,
        Change::Other(subject, find) => Plan { subject: (*subject).to_owned(), files: find(workspace)?, enabled: None },
        Change::Expecting(change, holds) if holds(workspace) => self::plan(change, workspace, commit)?,
        Change::Expecting(..) => return Err(WriteError::Changed { commit: commit.to_owned() }),
    };
    match plan.files.iter().find(|file| !is_file_path(&file.path)) {
        Some(file) => Err(WriteError::BadPath { path: file.path.clone() }),
        None => Ok(plan),
    }
}

fn toggle(id: &str, workspace: &Workspace, commit: &str) -> Result<Plan, WriteError> {
    let unknown = || WriteError::UnknownPolicy { id: id.to_owned(), commit: commit.to_owned() };
    let book = &workspace.book;
    let enabled = !book.set.get(id).ok_or_else(unknown)?.enabled();
    let document = book.document_of(id).ok_or_else(unknown)?;
    let file: &SourceFile = book.sources.get(document.node.span.source).ok_or_else(unknown)?;
    let new = set_entry(file.text(), &document.node, "enabled", if enabled { "true" } else { "false" });
    let new = new.map_err(|why| WriteError::Edit { path: file.path().to_owned(), commit: commit.to_owned(), why })?;
    let change = FileChange { path: file.path().to_owned(), old: Some(file.text().to_owned()), new: Some(new) };
    let subject = format!("{} {id}", if enabled { "Enable" } else { "Disable" });
    Ok(Plan { subject, files: vec![change], enabled: Some(enabled) })
}

fn create(files: &[(String, String)], workspace: &Workspace, commit: &str) -> Result<Plan, WriteError> {
    let selection = Selection::new(&workspace.book.config);
    if let Some((path, _)) = files.iter().find(|(path, _)| !selection.selects(path)) {
        return Err(WriteError::NotSelected { path: path.clone(), commit: commit.to_owned() });
    }
    let new = files.iter().map(|(path, text)| FileChange { path: path.clone(), old: None, new: Some(text.clone()) });
    let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    Ok(Plan { subject: format!("Create {}", paths.join(", ")), files: new.collect(), enabled: None })
}

/// Whether a path can only lead to a file below the folder that it starts from.
fn is_file_path(path: &str) -> bool {
    let part = |part: &str| {
        let plain = !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':']) && !part.chars().any(char::is_control);
        // What some file systems take for `.git` as well.
        let folded = part.trim_end_matches(['.', ' ']).to_lowercase();
        // No file system that matters has longer names.
        plain && folded != ".git" && folded != "git~1" && part.len() <= 255
    };
    path.len() <= 4096 && path.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: bool) {
        assert_eq!(is_file_path(path), expected, "{path:?}");
    }

    #[test]
    fn a_path_stays_in_the_law_book() {
        check("policies/a.yaml", true);
        check("policies/%2e%2e.yaml", true);
        check(".hidden/a.yaml", true);
        for path in
            ["", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", ".git/config", "a/.GIT/b", "a/.git./b", "GIT~1/x", "a\nb", "a\\b", "C:a"]
        {
            check(path, false);
        }
        check(&format!("a{}", "/a".repeat(3000)), false);
        check(&"a".repeat(256), false);
    }
}
