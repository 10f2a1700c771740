//! How a change through an interface is made: as a commit, or not at all where nothing can be committed.

use super::place::Kind;
use super::place::Place;
use super::snapshot::Snapshot;

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

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// There is no such control.
    NotFound,
    /// The change does not fit the state of the repository, or is not possible here.
    Conflict(String),
    /// The repository cannot be written.
    Failed(String),
}

/// How changes are made.
#[derive(Debug)]
pub enum Writes {
    /// Not here, and this is where.
    Elsewhere(String),
}

impl Writes {
    /// How changes are made to a law book that is served from this place.
    pub fn new(place: &Place) -> Self {
        match place.kind() {
            Kind::Bundle(address) => Self::Elsewhere(format!("this server serves the bundle `{address}`; change the policy in the repository that it is built from, and publish a new bundle")),
            Kind::Folder(dir) => Self::Elsewhere(format!("`{}` is not a git repository; edit the file there, or run `git init` first", dir.display())),
            Kind::Worktree(_) | Kind::Ref { .. } => Self::Elsewhere(String::new()),
        }
    }

    /// Toggles a control, as one commit.
    ///
    /// # Errors
    /// Nothing was changed, and why.
    pub fn toggle(&self, _snapshot: &Snapshot, _id: &str, _author: &Author) -> Result<Toggled, WriteError> {
        match self {
            Self::Elsewhere(where_to) => Err(WriteError::Conflict(where_to.clone())),
        }
    }
}
