//! `lawbook trust`: whose signatures count.

use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;
use clap::ValueEnum;
use jiff::SignedDuration;
use jiff::Timestamp;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use super::span_of_time;
use crate::bundle::KeyId;
use crate::bundle::Role;
use crate::bundle::Trust as TrustRoot;
use crate::bundle::load_public;
use crate::report::count;
use crate::report::printable::one_line;

/// Say whose signatures count, and how many are needed
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lawbook trust init trust.json --key release.key.pub\n  lawbook trust show trust.json")]
pub(super) struct Trust {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(Init),
    Add(Change),
    Remove(Remove),
    Show(Show),
}

/// Write a new trust file
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lawbook trust init trust.json --key release.key.pub\n  lawbook trust init trust.json --key a.pub --key b.pub --key c.pub --threshold 2"
)]
struct Init {
    /// The trust file; never overwritten
    file: PathBuf,

    /// A public key in OpenSSH format; may be repeated
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,

    /// How many of the keys have to sign
    #[arg(long, value_name = "N", default_value_t = 1)]
    threshold: usize,

    /// After how long nothing is trusted any more, such as `365d` [default: never]
    #[arg(long, value_name = "TIME", value_parser = span_of_time::parse)]
    expires_in: Option<SignedDuration>,
}

/// Trust one more key
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  lawbook trust add trust.json --key second.key.pub --threshold 2")]
struct Change {
    /// The trust file
    file: PathBuf,

    /// The public key in OpenSSH format
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// What the key may sign
    #[arg(long, value_enum, default_value_t = RoleWord::Bundle)]
    role: RoleWord,

    /// How many keys of the role have to sign from now on [default: as before]
    #[arg(long, value_name = "N")]
    threshold: Option<usize>,
}

/// Trust a key no longer
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lawbook trust remove trust.json --key second.key.pub\n  lawbook trust remove trust.json --key SHA256:…    as `lawbook trust show` names it"
)]
struct Remove {
    /// The trust file
    file: PathBuf,

    /// The public key in OpenSSH format, or its name
    #[arg(long, value_name = "FILE|KEY")]
    key: String,

    /// What the key may no longer sign
    #[arg(long, value_enum, default_value_t = RoleWord::Bundle)]
    role: RoleWord,
}

/// Show the keys, their roles and how many have to sign
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  lawbook trust show trust.json")]
struct Show {
    /// The trust file
    file: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleWord {
    /// Bundles
    Bundle,
    /// The next trust file
    Root,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Bundle => Self::Bundle,
            RoleWord::Root => Self::Root,
        }
    }
}

impl Trust {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let (file, trust) = match self.command {
            Command::Init(init) => init.run()?,
            Command::Add(change) => change.run()?,
            Command::Remove(remove) => remove.run()?,
            Command::Show(show) => (None, TrustRoot::load(&show.file)?),
        };
        if let Some(file) = file {
            trust.save(&file)?;
            console.say(format!("wrote {}", file.display()))?;
        }
        show(&trust, console)?;
        Ok(Status::Fine)
    }
}

type Changed = miette::Result<(Option<PathBuf>, TrustRoot)>;

impl Init {
    fn run(self) -> Changed {
        if self.file.symlink_metadata().is_ok() {
            let message = format!("`{}` exists already", self.file.display());
            return Err(Failure::new(message).help("add a key with `lawbook trust add`, or choose another name").into());
        }
        let keys = self.key.iter().map(|path| load_public(path)).collect::<Result<Vec<_>, _>>()?;
        let mut trust = TrustRoot::init(keys, self.threshold)?;
        let expires = self.expires_in.map(|span| Timestamp::now().checked_add(span)).transpose();
        trust.set_expires(expires.map_err(|_| Failure::new("no calendar holds that time").help("expire earlier"))?);
        Ok((Some(self.file), trust))
    }
}

impl Change {
    fn run(self) -> Changed {
        let mut trust = TrustRoot::load(&self.file)?;
        trust.add(&load_public(&self.key)?, self.role.into())?;
        if let Some(threshold) = self.threshold {
            trust.set_threshold(self.role.into(), threshold)?;
        }
        Ok((Some(self.file), trust))
    }
}

impl Remove {
    fn run(self) -> Changed {
        let mut trust = TrustRoot::load(&self.file)?;
        let id = match self.key.parse::<KeyId>() {
            Ok(id) => id,
            Err(_) => load_public(Path::new(&self.key))?.id(),
        };
        trust.remove(&id, self.role.into())?;
        Ok((Some(self.file), trust))
    }
}

fn show(trust: &TrustRoot, console: &mut Console) -> Result<(), Failure> {
    for role in Role::ALL {
        let keys: Vec<&KeyId> = trust.keys().map(|(id, _)| id).filter(|id| trust.may(id, role)).collect();
        console.say(format!("{}: {} of {} must sign", role.as_str(), trust.threshold(role), count(keys.len(), "key")))?;
        for id in keys {
            let name = trust.key(id).map_or("", |key| key.comment());
            console.say(format!("  {id}  {}", one_line(name)).trim_end())?;
        }
    }
    match trust.expires() {
        Some(expires) => console.say(format!("expires {expires}")),
        None => console.say("does not expire"),
    }
}
