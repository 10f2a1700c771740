//! How a change through an interface is made: as a commit, or not at all where nothing can be committed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::defaults::DEFAULTS;
use super::draft;
use super::draft::Fields;
use super::place::Kind;
use super::place::Place;
use crate::bundle::SigningKey;
use crate::config::Config;
use crate::finding::Finding;
use crate::history::CommitTime;
use crate::history::Person;
use crate::policy::Control;
use crate::policy::Policy;
use crate::policy::PolicyId;
use crate::policy::PolicySet;
use crate::schema::Schema;
use crate::workspace::Workspace;
use crate::write;
use crate::write::Authorship;
use crate::write::Change;
use crate::write::FileChange;
use crate::write::NewFile;

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
    /// Why, in the author's words.
    pub reason: Option<String>,
}

/// What is to become of a control.
#[derive(Debug, Clone)]
pub enum Edit {
    /// It is put out of force, or in force again.
    Toggle,
    /// There is to be this one, with the text of its file if that is known; its id must be new.
    Create(Box<Control>, Option<String>),
    /// It gets these fields; what they do not name and the wire does not show stays.
    Replace(Fields),
    /// There is to be none.
    Delete,
    /// It is to be this one again, in this file if it is gone and the file is free.
    Restore {
        /// The control.
        control: Box<Control>,
        /// The file that it was last in.
        path: String,
        /// The commit in which it was like this.
        version: String,
    },
}

impl Edit {
    /// The subject of the commit.
    fn subject(&self, id: &str) -> String {
        match self {
            // The default controls are in force until somebody toggles one.
            Self::Toggle => format!("Disable {id}"),
            Self::Create(..) => format!("Create {id}"),
            Self::Replace(_) => format!("Update {id}"),
            Self::Delete => format!("Delete {id}"),
            Self::Restore { version, .. } => format!("Restore {id} as of {}", version.get(..10).unwrap_or(version)),
        }
    }
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Done {
    /// The commit that did it; the one that was there when there was nothing to do.
    pub commit: String,
    /// Whether there was something to do.
    pub is_new: bool,
    /// Whether the control is in force now.
    pub enabled: bool,
    /// The control as it is in that commit; absent when it is gone, and when it was only toggled.
    pub control: Option<Control>,
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
    /// Whether the controls are the same.
    fn is_in(&self, set: &PolicySet) -> bool {
        let told = |set: &PolicySet| -> BTreeMap<PolicyId, Control> {
            let controls = set.policies().iter().filter_map(|policy| match &**policy {
                Policy::Control(control) => Some(control),
                Policy::Access(_) => None,
            });
            let wanted = controls.filter(|control| self.only.as_deref().is_none_or(|only| control.id.as_str() == only));
            wanted.map(|control| (control.id.clone(), control.clone())).collect()
        };
        told(&self.set) == told(set)
    }
}

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// There is no such control.
    NotFound,
    /// It is not what the caller has read any more.
    Changed,
    /// The id belongs to another policy.
    Taken(String),
    /// The law book would not compile with it: what is wrong with the control, by rule.
    Blocked(Vec<(&'static str, String)>),
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

    /// Where to make a change instead, if it cannot be made here.
    pub fn elsewhere(&self) -> Option<&str> {
        match self {
            Self::Commits { .. } => None,
            Self::Elsewhere(place) => Some(place),
        }
    }

    /// Changes one control, as one commit. `created_at` is when the default controls came to be, in a law book that has no
    /// control yet: its first write makes the files of all three.
    ///
    /// What was `seen` is compared with the very commit that is built on, so that no update is lost.
    ///
    /// # Errors
    /// Nothing was changed, and why.
    pub fn edit(&self, id: &str, edit: &Edit, created_at: Option<&str>, seen: Option<&Seen>, author: &Author) -> Result<Done, WriteError> {
        let (dir, branch, key) = match self {
            Self::Commits { dir, branch, key } => (dir, branch.as_deref(), key.as_deref()),
            Self::Elsewhere(place) => return Err(WriteError::Conflict(place.clone())),
        };
        let made = RefCell::new(None);
        let find = |workspace: &Workspace| {
            let (files, control) = files(workspace, id, edit, created_at)?;
            made.replace(control);
            Ok(files)
        };
        let subject = edit.subject(id);
        let same = |workspace: &Workspace| seen.is_none_or(|seen| seen.is_in(&workspace.book.set));
        let change = match (edit, created_at) {
            (Edit::Toggle, None) => Change::Toggle(id.to_owned()),
            _ => Change::Other(&subject, &find),
        };
        let change = Change::Expecting(&change, &same);
        let authorship = authorship(author);
        let written = match key {
            Some(key) => write::write_signed(dir, branch, &change, &authorship, key),
            None => write::write(dir, branch, &change, &authorship),
        };
        let written = written.map_err(|error| refusal(&error, id, branch))?;
        let is_new = written.commit != written.parent;
        let control = made.into_inner();
        let enabled = written.enabled.or(control.as_ref().map(|control| control.enabled)).unwrap_or(false);
        Ok(Done { commit: written.commit, is_new, enabled, control })
    }
}

fn authorship(author: &Author) -> Authorship {
    Authorship {
        author: Person { name: author.name.clone(), email: author.email.clone() },
        committer: Person { name: "lawbook".to_owned(), email: "lawbook@localhost".to_owned() },
        at: CommitTime { at: Timestamp::now(), offset_minutes: 0 },
        request_id: Some(author.request.clone()).filter(|id| !id.is_empty()),
        client_ip: author.address.clone(),
        reason: author.reason.clone(),
    }
}

/// The files that an edit changes, and the control that comes of it. A law book without controls gets the files of the default
/// controls with it, which were created at `created_at`.
fn files(
    workspace: &Workspace,
    id: &str,
    edit: &Edit,
    created_at: Option<&str>,
) -> Result<(Vec<FileChange>, Option<Control>), write::WriteError> {
    let commit = || workspace.revision.as_ref().map_or_else(String::new, |revision| revision.commit.clone());
    let unknown = || write::WriteError::UnknownPolicy { id: id.to_owned(), commit: commit() };
    let mut files = Vec::new();
    let mut now = control_in(&workspace.book.set, id).cloned();
    if let Some(created_at) = created_at {
        if workspace.book.set.policies().iter().any(|policy| matches!(&**policy, Policy::Control(_))) {
            return Err(write::WriteError::Changed { commit: commit() });
        }
        for control in DEFAULTS.iter().filter_map(|default| default.control(created_at)) {
            if control.id.as_str() == id {
                now = Some(control);
            } else {
                files.push(write::put(workspace, &Policy::Control(control), NewFile::default())?);
            }
        }
    }
    let (control, file) = match edit {
        Edit::Toggle => {
            let now = now.ok_or_else(unknown)?;
            (Control { enabled: !now.enabled, ..now }, NewFile::default())
        }
        Edit::Create(..) if now.is_some() => return Err(write::WriteError::Taken { id: id.to_owned(), commit: commit() }),
        Edit::Create(control, text) => ((**control).clone(), NewFile { path: None, text: text.as_deref() }),
        Edit::Replace(fields) => {
            let replaced = draft::replace(&schema(&workspace.book.config)?, &now.ok_or_else(unknown)?, fields);
            // What it was held against a moment ago was another one.
            (replaced.map_err(|_| write::WriteError::Changed { commit: commit() })?, NewFile::default())
        }
        Edit::Delete => {
            let is_written = control_in(&workspace.book.set, id).is_some();
            now.ok_or_else(unknown)?;
            if is_written {
                files.push(write::delete(workspace, id)?);
            }
            return Ok((files, None));
        }
        Edit::Restore { control, path, .. } => ((**control).clone(), NewFile { path: Some(path), text: None }),
    };
    files.push(write::put(workspace, &Policy::Control(control.clone()), file)?);
    Ok((files, Some(control)))
}

fn control_in<'s>(set: &'s PolicySet, id: &str) -> Option<&'s Control> {
    match set.get(id).map(|policy| &**policy) {
        Some(Policy::Control(control)) => Some(control),
        _ => None,
    }
}

/// The schema of the controls of a law book.
///
/// # Errors
/// A defect of the program.
fn schema(config: &Config) -> Result<Schema, write::WriteError> {
    Schema::new(&config.actions).map_err(|error| write::WriteError::Conflict {
        path: "lawbook.toml".to_owned(),
        why: error.to_string(),
        help: "report this as a defect of lawbook".to_owned(),
    })
}

/// An error with what to do next.
fn told(error: &write::WriteError) -> String {
    match miette::Diagnostic::help(error) {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    }
}

fn refusal(error: &write::WriteError, policy: &str, branch: Option<&str>) -> WriteError {
    let message = told(error);
    match error {
        // It was found among the files on disk a moment ago.
        write::WriteError::UnknownPolicy { id, .. } if branch.is_none() => {
            WriteError::Conflict(format!("the control `{id}` is not committed yet; commit it first"))
        }
        write::WriteError::UnknownPolicy { .. } => WriteError::NotFound,
        write::WriteError::Changed { .. } => WriteError::Changed,
        write::WriteError::Taken { id, .. } => WriteError::Taken(id.clone()),
        write::WriteError::Blocked { findings } if findings.iter().any(|finding| finding.policy.as_deref() == Some(policy)) => {
            let told = |finding: &Finding| {
                let help = finding.help.as_deref().map(|help| format!("; {help}")).unwrap_or_default();
                (finding.rule, format!("{}{help}", finding.message))
            };
            WriteError::Blocked(findings.iter().map(told).collect())
        }
        _ if error.is_conflict() => WriteError::Conflict(message),
        _ => WriteError::Failed(message),
    }
}
