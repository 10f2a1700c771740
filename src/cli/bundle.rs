//! `lawbook bundle inspect`: what a signer is about to sign.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use super::prefix;
use super::statement::entry_lines;
use super::statement::lines;
use crate::bundle::Candidate;
use crate::bundle::Inspected;
use crate::bundle::Limits;

/// Look into bundles
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  lawbook bundle inspect dist/lawbook")]
pub(super) struct Bundle {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Inspect(Inspect),
}

/// Show what a bundle says about itself; nothing of it is trusted
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lawbook bundle inspect dist/lawbook\n  lawbook bundle inspect dist/lawbook --json")]
struct Inspect {
    /// What the names of the two files of the bundle begin with
    #[arg(value_name = "PREFIX", value_parser = prefix::parse)]
    prefix: PathBuf,

    /// Print the in-toto statement instead, as JSON
    #[arg(long)]
    json: bool,
}

impl Bundle {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let Command::Inspect(inspect) = self.command;
        let candidate = Candidate::from_prefix(prefix::existing(&inspect.prefix)?);
        let found = match crate::bundle::inspect(candidate, &Limits::default()) {
            Ok(found) => found,
            Err(refused) => {
                console.fail(&refused);
                return Ok(Status::No);
            }
        };
        if inspect.json {
            let text = serde_json::to_string_pretty(&found.statement)
                .map_err(|error| Failure::new(format!("the statement cannot be shown: {error}")))?;
            console.say(text)?;
        } else {
            show(&found, console)?;
        }
        Ok(Status::Fine)
    }
}

fn show(found: &Inspected, console: &mut Console) -> Result<(), Failure> {
    for line in lines(&found.statement) {
        console.say(line)?;
    }
    for key in found.envelope.claimed_signers() {
        console.say(format!("{:9} {key} (claimed, not verified)", "signed by"))?;
    }
    console.say("entries")?;
    entry_lines(&found.statement.predicate.entries).iter().try_for_each(|line| console.say(line))
}
