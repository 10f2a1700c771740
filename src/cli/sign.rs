//! `lawbook sign`: adds a signature to a bundle.

use std::path::PathBuf;

use clap::Args;

use super::Console;
use super::Outcome;
use super::Status;
use super::prefix;
use super::statement::lines;
use crate::bundle::Candidate;
use crate::bundle::Limits;
use crate::bundle::inspect;
use crate::bundle::load_private;
use crate::bundle::write_envelope;

/// Add a signature to a bundle
///
/// The archive is checked against what is being signed. Look at a bundle with `lawbook bundle inspect` before signing it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  lawbook sign dist/lawbook --key second.key")]
pub(super) struct Sign {
    /// What the names of the two files of the bundle begin with
    #[arg(value_name = "PREFIX", value_parser = prefix::parse)]
    prefix: PathBuf,

    /// The private key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

impl Sign {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let key = load_private(&self.key)?;
        let mut found = match inspect(Candidate::from_prefix(prefix::existing(&self.prefix)?), &Limits::default()) {
            Ok(found) => found,
            Err(refused) => {
                console.fail(&refused);
                return Ok(Status::No);
            }
        };
        found.envelope.sign(&key)?;
        write_envelope(&self.prefix, &found.envelope)?;
        for line in lines(&found.statement) {
            console.say(line)?;
        }
        console.say(format!("{:9} {}", "signed by", key.id()))?;
        Ok(Status::Fine)
    }
}
