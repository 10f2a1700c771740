//! How a change through an interface is made: as a commit, or not at all where nothing can be committed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::defaults::DEFAULTS;
use super::defaults::Default;
use super::place::Kind;
use super::place::Place;
use crate::bundle::SigningKey;
use crate::config::Selection;
use crate::history::CommitTime;
use crate::history::Person;
use crate::policy::Control;
use crate::policy::Policy;
use crate::policy::PolicyId;
use crate::policy::PolicySet;
use crate::workspace::Workspace;
use crate::write;
use crate::write::Authorship;
use crate::write::Change;
use crate::write::FileChange;

/// Who makes a change, and in which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The id of the request.
    pub request: String,
    /// The address that the request came from.
    pub address: Option<String>,
}

/// A control that was toggled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toggled {
    /// The commit that did it.
    pub commit: String,
    /// Whether the control is in force now.
    pub enabled: bool,
}

/// What somebody has read, and does not want to change once it is something else.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The policies.
    pub set: Arc<PolicySet>,
    /// The control it is about; absent for all of them.
    pub only: Option<String>,
}

impl Seen {
    /// Whether a reader of the controls would be told the same.
    fn is_in(&self, set: &PolicySet) -> bool {
        let told = |set: &PolicySet| -> BTreeMap<PolicyId, Control> {
            let controls = set.policies().iter().filter_map(|policy| match &**policy {
                Policy::Control(control) => Some(control),
                Policy::Access(_) => None,
            });
            let wanted = controls.filter(|control| self.only.as_deref().is_none_or(|only| control.id.as_str() == only));
            wanted.map(|control| (control.id.clone(), plain(control))).collect()
        };
        told(&self.set) == told(set)
    }
}

/// A control without what is not told of it.
fn plain(control: &Control) -> Control {
    Control { require: None, service: None, source: None, actions: None, members: None, except: None, metadata: None, ..control.clone() }
}

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// There is no such control.
    NotFound,
    /// It is not what the caller has read any more.
    Changed,
    /// The change does not fit the state of the repository, or is not possible here.
    Conflict(String),
    /// The repository cannot be written.
    Failed(String),
}

/// How changes are made.
#[derive(Debug)]
pub enum Writes {
    /// As commits on a branch.
    Commits {
        /// The folder of the law book.
        dir: PathBuf,
        /// The branch; absent for the one that is checked out.
        branch: Option<String>,
        /// The key that signs them; absent where they are not signed.
        key: Option<Arc<SigningKey>>,
    },
    /// Not here, and this is where.
    Elsewhere(String),
}

impl Writes {
    /// How changes are made to a law book that is served from this place.
    pub fn new(place: &Place) -> Self {
        match place.kind() {
            Kind::Worktree(dir) => Self::Commits { dir: dir.clone(), branch: None, key: None },
            Kind::Ref { dir, name } => Self::Commits { dir: dir.clone(), branch: Some(name.clone()), key: None },
            Kind::Folder(dir) => {
                Self::Elsewhere(format!("`{}` is not in a git repository; edit the file there, or run `git init` first", dir.display()))
            }
            Kind::Bundle(address) => Self::Elsewhere(format!(
                "this server serves the bundle `{address}`; change the policy in the repository that it is built from, and publish a new bundle"
            )),
        }
    }

    /// The same, with a key that signs the commits.
    pub fn signing(mut self, signer: Option<Arc<SigningKey>>) -> Self {
        if let Self::Commits { key, .. } = &mut self {
            *key = signer;
        }
        self
    }

    /// Why no commit could be made now, as far as signatures go; `None` when one could.
    pub fn hindrance(&self) -> Option<String> {
        let Self::Commits { dir, branch, key } = self else { return None };
        let hindrance = write::may_write(dir, branch.as_deref(), key.as_deref()).err()?;
        matches!(hindrance, write::WriteError::NoKey | write::WriteError::NotASigner { .. }).then(|| told(&hindrance))
    }

    /// Toggles a control, as one commit. `created_at` is when the default controls came to be, in a law book that has no
    /// control yet: its first write makes the files of all three.
    ///
    /// What was `seen` is compared with the very commit that is built on, so that no update is lost.
    ///
    /// # Errors
    /// Nothing was changed, and why.
    pub fn toggle(&self, id: &str, created_at: Option<&str>, seen: Option<&Seen>, author: &Author) -> Result<Toggled, WriteError> {
        let (dir, branch, key) = match self {
            Self::Commits { dir, branch, key } => (dir, branch.as_deref(), key.as_deref()),
            Self::Elsewhere(place) => return Err(WriteError::Conflict(place.clone())),
        };
        let find = |workspace: &Workspace| defaults(workspace, id, created_at.unwrap_or_default());
        let subject = format!("Disable {id}");
        let change = match created_at {
            None => Change::Toggle(id.to_owned()),
            Some(_) => Change::Other(&subject, &find),
        };
        let same = |workspace: &Workspace| seen.is_none_or(|seen| seen.is_in(&workspace.book.set));
        let change = Change::Expecting(&change, &same);
        let authorship = authorship(author);
        let written = match key {
            Some(key) => write::write_signed(dir, branch, &change, &authorship, key),
            None => write::write(dir, branch, &change, &authorship),
        };
        let written = written.map_err(|error| refusal(&error, branch))?;
        // The default controls are in force until somebody toggles one.
        Ok(Toggled { commit: written.commit, enabled: written.enabled.unwrap_or(false) })
    }
}

fn authorship(author: &Author) -> Authorship {
    Authorship {
        author: Person { name: author.name.clone(), email: author.email.clone() },
        committer: Person { name: "lawbook".to_owned(), email: "lawbook@localhost".to_owned() },
        at: CommitTime { at: Timestamp::now(), offset_minutes: 0 },
        request_id: Some(author.request.clone()).filter(|id| !id.is_empty()),
        client_ip: author.address.clone(),
        reason: None,
    }
}

/// The files of the default controls, one of them out of force, for a law book that has no control.
fn defaults(workspace: &Workspace, id: &str, created_at: &str) -> Result<Vec<FileChange>, write::WriteError> {
    let conflict = |why: &str| write::WriteError::Conflict {
        path: workspace.root.display().to_string(),
        why: why.to_owned(),
        help: "read the policies again, and try again".to_owned(),
    };
    if workspace.book.set.policies().iter().any(|policy| matches!(&**policy, Policy::Control(_))) {
        return Err(conflict("has got its first controls in the meantime"));
    }
    let selection = Selection::new(&workspace.book.config);
    let file = |default: &Default| {
        let path = workspace.book.config.server.new_file.replace("{id}", default.id);
        if selection.selects(&path) {
            Ok(FileChange { path, old: None, new: Some(default.file(created_at, default.id != id)) })
        } else {
            let commit = workspace.revision.as_ref().map_or_else(String::new, |revision| revision.commit.clone());
            Err(write::WriteError::NotSelected { path, commit })
        }
    };
    DEFAULTS.iter().map(file).collect()
}

/// An error with what to do next.
fn told(error: &write::WriteError) -> String {
    match miette::Diagnostic::help(error) {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    }
}

fn refusal(error: &write::WriteError, branch: Option<&str>) -> WriteError {
    let message = told(error);
    match error {
        // It was found among the files on disk a moment ago.
        write::WriteError::UnknownPolicy { id, .. } if branch.is_none() => {
            WriteError::Conflict(format!("the control `{id}` is not committed yet; commit it first"))
        }
        write::WriteError::UnknownPolicy { .. } => WriteError::NotFound,
        write::WriteError::Changed { .. } => WriteError::Changed,
        _ if error.is_conflict() => WriteError::Conflict(message),
        _ => WriteError::Failed(message),
    }
}
