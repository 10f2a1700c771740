//! `lawbook verify`: every check that a server makes before it serves a bundle.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use super::build::DEFAULT_AUDIENCE;
use super::build::DEFAULT_NAME;
use super::prefix;
use super::statement::lines;
use crate::bundle::Candidate;
use crate::bundle::Entries;
use crate::bundle::State;
use crate::bundle::Statement;
use crate::bundle::Trust;
use crate::bundle::Verified;
use crate::bundle::Verifier;
use crate::bundle::VerifyError;
use crate::bundle::contents;
use crate::bundle::contents::Contents;
use crate::decision::Index;

/// Verify a bundle: signatures, addressee, age, content, and the decisions that it promises
///
/// The checks are made in a fixed order and end at the first that fails; then the exit status is 1.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lawbook verify dist/lawbook --trust trust.json\n  lawbook verify dist/lawbook --trust trust.json --state state    refuses an older revision than the last one"
)]
pub(super) struct Verify {
    /// What the names of the two files of the bundle begin with
    #[arg(value_name = "PREFIX", value_parser = prefix::parse)]
    prefix: PathBuf,

    /// The trust file: whose signatures count, and how many are needed
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,

    /// A folder that remembers the last revision that was accepted, so that no older one is
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,

    /// The name that the bundle must have
    #[arg(long, value_name = "NAME", default_value = DEFAULT_NAME)]
    name: String,

    /// The audience that the bundle must be for
    #[arg(long, value_name = "AUDIENCE", default_value = DEFAULT_AUDIENCE)]
    audience: String,
}

impl Verify {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let trust = Trust::load(&self.trust)?;
        prefix::existing(&self.prefix)?;
        if let Some(state) = &self.state {
            Failure::unless_folder(state, "the folder that remembers the last revision")?;
        }
        let verified = match self.verify(trust) {
            Ok(verified) => verified,
            Err(refused) => {
                console.fail(&refused);
                return Ok(Status::No);
            }
        };
        console.say("verified")?;
        for line in lines(&verified.statement) {
            console.say(line)?;
        }
        for key in &verified.signers {
            console.say(format!("{:9} {key}", "signed by"))?;
        }
        let (contents, _) = &verified.law_book;
        console.say(format!("{:9} {}", "policies", contents.policies.len()))?;
        Ok(Status::Fine)
    }

    fn verify(&self, trust: Trust) -> Result<Verified<(Contents, Index)>, VerifyError> {
        let mut state = self.state.as_deref().map(State::open).transpose()?;
        let mut verifier = Verifier::new(trust, Timestamp::now());
        verifier.name = Some(self.name.clone());
        verifier.audience = Some(self.audience.clone());
        verifier.verify(Candidate::from_prefix(&self.prefix), state.as_mut(), rebuild, self_test)
    }
}

fn rebuild(_: &Statement, entries: &Entries) -> Result<(Contents, Index), String> {
    Contents::from_entries(entries).map_err(|error| error.to_string())
}

fn self_test((_, index): &(Contents, Index), entries: &Entries) -> Result<(), String> {
    contents::self_test(entries, index).map_err(|error| error.to_string())
}
