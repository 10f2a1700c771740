//! A policy as it was at a revision, for the commands that go back to it.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use super::Console;
use super::Failure;
use super::past::Past;
use super::shell;
use crate::history::Event;
use crate::history::Lifeline;
use crate::history::Repository;
use crate::policy::Policy;
use crate::policy::PolicyId;
use crate::report::printable::one_line;
use crate::report::versions::minute;
use crate::report::versions::short;
use crate::workspace::Origin;
use crate::workspace::Workspace;
use crate::workspace::find_root;

/// A policy as it was.
pub(super) struct AsOf {
    /// The folder of the law book.
    pub(super) root: PathBuf,
    /// The commit, in hexadecimal.
    pub(super) commit: String,
    /// Its file, relative to the root of the law book.
    pub(super) path: String,
    /// What it was called.
    pub(super) id: String,
    /// The text of its document, comments included; of one in which not even the id is left, the file.
    pub(super) text: String,
    /// What it meant, or why that is not known.
    pub(super) policy: Result<Arc<Policy>, String>,
}

/// The policy as it was at a revision. The id may also be one that it had earlier or got later.
///
/// # Errors
/// There is no such revision, or no such policy in it; then the error says when there was.
pub(super) fn as_of(id: &str, revision: &str, dir: Option<&Path>, console: &Console) -> miette::Result<AsOf> {
    if revision.contains("@{") || revision.starts_with('{') {
        let message = format!("`{revision}` is a place in the log of one clone, or a date, and neither names a commit for everybody");
        return Err(Failure::new(message).help("name a commit, a branch or a tag; `lawbook log` shows the commits").into());
    }
    let root = find_root(dir)?;
    let repository = Repository::open(&root)?;
    let commit = repository.revision(revision)?.commit;
    let workspace = Workspace::open(&root, &Origin::Revision(commit.clone()))?;
    let found = |id: &str| {
        let standing = workspace.standing(id)?;
        Some(AsOf {
            root: root.clone(),
            commit: commit.clone(),
            path: standing.path.to_owned(),
            id: id.to_owned(),
            text: standing.text().to_owned(),
            policy: standing.policy.clone().map(Arc::clone),
        })
    };
    if let Some(found) = found(id) {
        return Ok(found);
    }
    // A commit that is not of the line of HEAD has a history of its own.
    let of_head = repository.is_ancestor(&commit, "HEAD").unwrap_or(false);
    let past = Past::read(Some(&root), if of_head { "HEAD" } else { &commit }, console)?;
    let lifeline = past.lifeline(id)?;
    if let Some(found) = lifeline.ids().into_iter().map(PolicyId::as_str).find_map(found) {
        return Ok(found);
    }
    let landed = |event: &&Event| past.repository.is_ancestor(&event.landing.commit, &commit).unwrap_or(false);
    let last = lifeline.events.iter().rev().copied().find(landed);
    if let Some(event) = last.filter(|event| event.after.is_some())
        && let Some(text) = past.repository.text_at(&commit, &event.path)?
    {
        let (path, policy) = (event.path.to_string(), Err("its file is not understood, and does not name it".to_owned()));
        return Ok(AsOf { root, commit, path, id: event.policy.to_string(), text, policy });
    }
    let message = format!("there is no policy `{}` in revision `{}`", one_line(id), one_line(revision));
    Err(Failure::new(message).help(when(&lifeline, last)).into())
}

/// When there was a policy, and where it can be seen; `last` is what had happened to it until then.
fn when(lifeline: &Lifeline<'_>, last: Option<&Event>) -> String {
    let told = |event: &Event| format!("{} ({})", short(&event.landing.commit), minute(&event.landing));
    let seen =
        |commit: &str, id: &PolicyId| format!("`lawbook show {}` shows it", shell::word(&one_line(&format!("{id}@{}", short(commit)))));
    match (last, lifeline.events.first()) {
        (Some(event), _) if event.after.is_none() => {
            let parent = event.landing.parents.first().map_or("", String::as_str);
            format!("it was deleted in {}; {}", told(event), seen(parent, &event.policy))
        }
        (None, Some(first)) => format!("it was created in {}; {}", told(first), seen(&first.landing.commit, &first.policy)),
        _ => format!("`lawbook log {}` shows what happened to it", shell::word(&one_line(lifeline.id.as_str()))),
    }
}
