//! `lawbook log`: what happened to one policy.

use std::path::PathBuf;

use clap::Args;

use super::Console;
use super::Outcome;
use super::past::Past;
use super::unified;
use crate::history::Event;
use crate::history::People;
use crate::history::Repository;
use crate::history::RepositoryError;
use crate::policy;
use crate::report::versions::LogReport;
use crate::report::versions::Versions;
use crate::report::versions::VersionsFormat;

/// Show what happened to one policy, newest first, and what each change was, field by field
///
/// The policy is followed through files and renames, and a deleted one is told too. Each event names its commit, which
/// `lawbook show` and `lawbook restore` take as a revision. A clone without its whole history gives the exit status 1.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lawbook log ReadReports\n  lawbook log ReadReports --patch       with the difference of the text\n  lawbook log ReadReports --format json"
)]
pub(super) struct Log {
    /// The id of the policy, also one that it had earlier
    policy: String,

    /// The folder of the law book [default: the nearest one from the current folder upwards]
    dir: Option<PathBuf>,

    /// The branch, tag or commit at which the trail ends
    #[arg(long = "ref", value_name = "REF", default_value = "HEAD")]
    reference: String,

    /// The format: human or json
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = format)]
    format: VersionsFormat,

    /// Show the difference of the text as well
    #[arg(long, short)]
    patch: bool,

    /// Exit with 0 even when the history is incomplete
    #[arg(long)]
    allow_partial: bool,
}

/// The format with this name.
pub(super) fn format(name: &str) -> Result<VersionsFormat, String> {
    VersionsFormat::named(name).ok_or_else(|| format!("use one of {}", VersionsFormat::ALL.map(VersionsFormat::as_str).join(", ")))
}

impl Log {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let past = Past::read(self.dir.as_deref(), &self.reference, console)?;
        let lifeline = past.lifeline(&self.policy)?;
        let tip = past.trail.tip();
        let people = People::at(&past.repository, &tip)?;
        let of = Versions { lifeline: &lifeline, tip: &tip, partial: past.trail.partial(), people: &people, look: console.look() };
        let patches = if self.patch {
            let patches: Result<Vec<String>, RepositoryError> =
                lifeline.events.iter().map(|event| patch(&past.repository, event)).collect();
            Some(patches?)
        } else {
            None
        };
        Past::tell_renamed(&lifeline, &self.policy, console);
        let report = LogReport { of, patches: patches.as_deref() };
        console.show(|out| self.format.write_log(&report, out))?;
        past.conclude(self.allow_partial, console)
    }
}

/// What an event changed in the text of the policy; nothing where that only moved.
fn patch(repository: &Repository, event: &Event) -> Result<String, RepositoryError> {
    let document = |commit: Option<&String>, path: &str, id: &str| -> Result<String, RepositoryError> {
        let Some(commit) = commit else { return Ok(String::new()) };
        let file = repository.text_at(commit, path)?.unwrap_or_default();
        Ok(policy::piece(&file, id).and_then(|piece| file.get(piece)).unwrap_or_default().to_owned())
    };
    let landing = &event.landing;
    let from = event.from.as_deref().unwrap_or(&event.path);
    let old_id = event.renamed.as_ref().unwrap_or(&event.policy).as_str();
    let before = document(landing.parents.first(), from, old_id)?;
    let after = document(Some(&landing.commit), &event.path, event.policy.as_str())?;
    Ok(unified::diff(&event.path, &before, &after))
}
