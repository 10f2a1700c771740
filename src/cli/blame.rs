//! `lawbook blame`: who last changed the meaning of each part of a policy.

use std::path::PathBuf;

use clap::Args;

use super::Console;
use super::Outcome;
use super::log::format;
use super::past::Past;
use crate::history::People;
use crate::history::blame;
use crate::report::versions::BlameReport;
use crate::report::versions::Versions;
use crate::report::versions::VersionsFormat;
use crate::report::versions::short;

/// Show which commit last changed the meaning of each part of a policy, and who made it
///
/// The parts are the fields, the keys within `metadata`, and each element of a list. Moving and reformatting change no part, and
/// renaming only the id. A clone without its whole history gives the exit status 1.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lawbook blame ReadReports\n  lawbook blame ReadReports --ref v1.2\n  lawbook blame ReadReports --format json"
)]
pub(super) struct Blame {
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

    /// Exit with 0 even when the history is incomplete
    #[arg(long)]
    allow_partial: bool,
}

impl Blame {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let past = Past::read(self.dir.as_deref(), &self.reference, console)?;
        let lifeline = past.lifeline(&self.policy)?;
        let tip = past.trail.tip();
        let people = People::at(&past.repository, &tip)?;
        let of = Versions { lifeline: &lifeline, tip: &tip, partial: past.trail.partial(), people: &people, look: console.look() };
        let parts = blame(&lifeline);
        Past::tell_renamed(&lifeline, &self.policy, console);
        if let Some(event) = lifeline.deleted() {
            console.remark(format!("it was deleted in {}; this is what it last said", short(&event.landing.commit)));
        }
        console.show(|out| self.format.write_blame(&BlameReport { of, parts: &parts }, out))?;
        past.conclude(self.allow_partial, console)
    }
}
