//! What the two origins in a repository share.

use std::path::Path;
use std::path::PathBuf;

use super::OriginError;
use super::Task;
use super::summary;
use crate::finding::Finding;
use crate::history::Demand;
use crate::history::Repository;
use crate::server::snapshot::Findings;
use crate::server::snapshot::Revision;
use crate::server::snapshot::Told;
use crate::workspace::Workspace;

/// The most directories of refs that are watched.
const MAX_WATCHED: usize = 1024;

/// Numbers revisions without walking the whole history again for every commit.
#[derive(Debug, Default)]
pub struct Counter {
    last: Option<(String, u64)>,
}

impl Counter {
    /// How many commits landed up to this one; `None` when the history does not tell.
    pub fn number(&mut self, dir: &Path, commit: &str) -> Option<u64> {
        let known = self.last.as_ref().map(|(commit, number)| (commit.as_str(), *number));
        let number = Repository::open(dir).and_then(|repository| repository.first_parent_count_from(commit, known)).ok()?;
        self.last = Some((commit.to_owned(), number));
        Some(number)
    }
}

/// Holds the commits up to the loaded one to the requirement of signatures, also to the one of what is served.
pub fn hold(workspace: &mut Workspace, served: Option<&Revision>) -> Result<(), OriginError> {
    let demand = served.and_then(|served| served.commit.as_deref()).map_or(Demand::Written, Demand::After);
    workspace.hold(demand).map_err(|error| OriginError::Unreachable {
        message: match miette::Diagnostic::help(&error) {
            Some(help) => format!("{error}; {help}"),
            None => error.to_string(),
        },
    })
}

/// The error for a law book with blocking findings.
pub fn broken(place: &str, workspace: &Workspace, commit: Option<String>, findings: &[Finding]) -> OriginError {
    let findings = Told::all(findings, &workspace.book.sources);
    OriginError::Broken { message: summary(place, &findings), commit, findings }
}

/// Finds everything that is wrong with a law book, and lets go of it.
pub fn check(workspace: Workspace) -> Task<Findings> {
    Box::new(move || {
        // One day everywhere: what `lawbook check` finds is what the server finds.
        let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        Some(Told::all(&workspace.check(today), &workspace.book.sources))
    })
}

/// The directories in which a change of a ref shows: those of `HEAD` and `packed-refs`, of loose refs, and of reftables.
pub fn git_directories(repository: &Repository) -> Vec<PathBuf> {
    let mut found = vec![repository.git_dir().to_owned()];
    let common = repository.common_dir();
    if common != repository.git_dir() {
        found.push(common.to_owned());
    }
    let mut pending = vec![common.join("refs"), common.join("reftable")];
    while let Some(directory) = pending.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        if found.len() >= MAX_WATCHED {
            break;
        }
        found.push(directory);
        pending.extend(
            entries.filter_map(Result::ok).filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()),
        );
    }
    found
}

/// Whether an event at a path in a git directory can mean that a ref moved; `None` for a path elsewhere.
pub fn git_path_matters(path: &Path, own: &Path, shared: &Path) -> Option<bool> {
    let inside = path.strip_prefix(own).or_else(|_| path.strip_prefix(shared)).ok()?;
    if inside.extension().is_some_and(|extension| extension == "lock") {
        return Some(false);
    }
    let first = inside.iter().next()?;
    Some(["HEAD", "packed-refs", "refs", "reftable"].iter().any(|name| first == *name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Option<bool>) {
        assert_eq!(git_path_matters(Path::new(path), Path::new("/r/.git/"), Path::new("/r/.git/")), expected, "{path}");
    }

    #[test]
    fn only_refs_matter_in_a_git_directory() {
        check("/r/.git/HEAD", Some(true));
        check("/r/.git/refs/heads/main", Some(true));
        check("/r/.git/packed-refs", Some(true));
        check("/r/.git/reftable/tables.list", Some(true));
        check("/r/.git/refs/heads/main.lock", Some(false));
        check("/r/.git/index", Some(false));
        check("/r/policies/a.yaml", None);
    }
}
