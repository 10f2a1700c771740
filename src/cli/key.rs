//! `lawbook key`: keys that sign bundles, checkpoints, and the commits of the server.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;

use super::Console;
use super::Outcome;
use super::Status;
use crate::bundle::SigningKey;

/// Make keys that sign bundles, checkpoints, and the commits that the server makes
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  lawbook key new --out release.key --comment 'release 2026'")]
pub(super) struct Key {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(New),
}

/// Make an Ed25519 key in OpenSSH format: FILE, which only its owner can read, and FILE.pub
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  lawbook key new --out release.key --comment 'release 2026'\n\nKeys of `ssh-keygen -t ed25519` without a passphrase sign as well."
)]
struct New {
    /// The file of the private key; never overwritten
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// The name of the key in trust files
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
}

impl Key {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let Command::New(new) = self.command;
        let key = SigningKey::generate(&new.comment)?;
        key.write_new(&new.out)?;
        let file = new.out.display();
        console.say(format!("wrote {file} and {file}.pub\nkey   {}", key.id()))?;
        Ok(Status::Fine)
    }
}
