//! The trail of a repository, kept from one snapshot to the next.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use super::Task;
use crate::history::HistoryError;
use crate::history::Repository;
use crate::history::Trail;
use crate::policy::Policy;
use crate::server::annals::Annals;
use crate::server::annals::AuditEntry;
use crate::server::snapshot::Snapshot;
use crate::server::versions::versions;

/// The history of a law book, read as far as the last snapshot needed.
#[derive(Debug)]
pub struct History {
    dir: PathBuf,
    trail: Arc<Mutex<Option<Trail>>>,
}

impl History {
    /// The history of the law book in a folder, with nothing read yet.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, trail: Arc::default() }
    }

    /// Derives the annals of a snapshot of this commit; without a commit there are none.
    pub fn task(&self, commit: Option<String>, snapshot: &Snapshot) -> Task<Result<Annals, String>> {
        let Some(commit) = commit else { return Box::new(|| Ok(Annals::default())) };
        let (dir, trail) = (self.dir.clone(), Arc::clone(&self.trail));
        let undated = |policy: &&Arc<Policy>| matches!(&***policy, Policy::Control(control) if control.created_at.is_none());
        let undated: Vec<String> = snapshot.set().policies().iter().filter(undated).map(|policy| policy.id().as_str().to_owned()).collect();
        let has_controls = snapshot.set().policies().iter().any(|policy| matches!(&**policy, Policy::Control(_)));
        Box::new(move || {
            let repository = Repository::open(&dir).map_err(|error| error.to_string())?;
            let mut kept = trail.lock().unwrap_or_else(PoisonError::into_inner);
            let trail = up_to(&mut kept, &repository, &commit).map_err(|error| error.to_string())?;
            let created = undated.into_iter().filter_map(|id| trail.created(&id).map(|time| (id, time.at))).collect();
            let root = if has_controls { None } else { repository.root(&commit).ok().map(|root| root.time.at) };
            let entries = trail.events().iter().rev().filter_map(AuditEntry::new).collect();
            let versions = Some(Arc::new(versions(trail)));
            Ok(Annals { entries: Arc::new(entries), created: Arc::new(created), root, versions })
        })
    }
}

fn up_to<'a>(kept: &'a mut Option<Trail>, repository: &Repository, commit: &str) -> Result<&'a Trail, HistoryError> {
    let trail = match kept.take() {
        Some(mut trail) => {
            trail.extend(repository, commit, &|_, _| ())?;
            trail
        }
        None => Trail::cached(repository, commit, &|_, _| ())?,
    };
    Ok(kept.insert(trail))
}
