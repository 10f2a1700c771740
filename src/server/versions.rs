//! What every control has said, commit by commit, as the trail tells it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::history::Action;
use crate::history::Event;
use crate::history::Trail;
use crate::history::Version;
use crate::policy::Control;
use crate::policy::Policy;
use crate::schema::Kind;

/// One change of what a control says.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlVersion {
    /// The commit, in hexadecimal.
    pub commit: String,
    /// What happened.
    pub action: &'static str,
    /// The e-mail address of the author.
    pub author: String,
    /// When it was committed.
    pub at: Timestamp,
    /// The first line of the commit message.
    pub message: String,
    /// The file that it was in after the commit, or before it was deleted.
    pub path: Arc<str>,
    /// When the control was introduced, as far as this version is concerned.
    pub introduced: Timestamp,
    /// What the control says since; absent when it is gone.
    said: Option<Arc<Version>>,
}

impl ControlVersion {
    /// Whether there is a control since.
    pub fn is_there(&self) -> bool {
        self.said.is_some()
    }

    /// The control; `None` when it is gone, and when this version of the program does not take it any more.
    pub fn control(&self) -> Option<Control> {
        match &*self.said.as_ref()?.policy()? {
            Policy::Control(control) => Some(control.clone()),
            Policy::Access(_) => None,
        }
    }
}

/// The versions of all controls by id, each oldest first.
pub type Versions = BTreeMap<String, Vec<ControlVersion>>;

/// The versions that a trail tells of. What only moved or is only written differently says nothing new.
pub fn versions(trail: &Trail) -> Versions {
    let mut versions = Versions::new();
    for event in trail.events().iter().filter(|event| !matches!(event.action, Action::Move | Action::Reformat)) {
        let control = |version: &Option<Arc<Version>>| version.clone().filter(|version| version.kind == Kind::Control);
        let mut introduced = None;
        if let Some(old) = &event.renamed
            && control(&event.before).is_some()
        {
            introduced = versions.get(old.as_str()).and_then(|all| all.last()).map(|last| last.introduced);
            add(&mut versions, old.as_str(), event, None, None);
        }
        let after = control(&event.after);
        if after.is_some() || control(&event.before).is_some() && event.renamed.is_none() {
            add(&mut versions, event.policy.as_str(), event, after, introduced);
        }
    }
    versions
}

/// `introduced`: when it was under another name.
fn add(versions: &mut Versions, id: &str, event: &Event, said: Option<Arc<Version>>, introduced: Option<Timestamp>) {
    let (landing, at) = (&event.landing, event.landing.committed.at);
    let all = versions.entry(id.to_owned()).or_default();
    let introduced = introduced.or_else(|| all.last().filter(|last| last.is_there()).map(|last| last.introduced)).unwrap_or(at);
    all.push(ControlVersion {
        commit: landing.commit.clone(),
        action: event.action.as_str(),
        author: landing.author.email.clone(),
        at,
        message: landing.subject.clone(),
        path: Arc::clone(&event.path),
        introduced,
        said,
    });
}
