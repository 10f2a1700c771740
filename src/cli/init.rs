//! `lawbook init`: a first law book, in an existing repository or a new one.

use std::fs;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use crate::config;
use crate::schema::POLICY_SCHEMA;
use crate::write::init_repository;

/// The files of a first law book, from the example law book of this repository. The configuration comes last: where it
/// stands, everything else does.
const FILES: [(&str, &str); 6] = [
    ("schema/policy.schema.json", POLICY_SCHEMA),
    ("policies/controls/pol-mfa-required.yaml", include_str!("../../policies/controls/pol-mfa-required.yaml")),
    ("policies/controls/pol-network-zero-trust.yaml", include_str!("../../policies/controls/pol-network-zero-trust.yaml")),
    ("policies/controls/pol-session-recording.yaml", include_str!("../../policies/controls/pol-session-recording.yaml")),
    ("policies/report/ReadExampleReports.yaml", include_str!("../../policies/report/ReadExampleReports.yaml")),
    (config::FILE_NAME, include_str!("init/lawbook.toml")),
];

/// Start a law book: lawbook.toml, the three default controls and an example policy
///
/// A folder that is in no git repository becomes one. Nothing that exists is overwritten.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lawbook init\n  lawbook init my-policies")]
pub(super) struct Init {
    /// The folder; it is made if it does not exist
    #[arg(default_value = ".")]
    dir: PathBuf,
}

impl Init {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let dir = &self.dir;
        if dir.join(config::FILE_NAME).exists() {
            let message = format!("`{}` exists: this is a law book already", dir.join(config::FILE_NAME).display());
            return Err(Failure::new(message).help(format!("check it with `lawbook check{}`", self.argument())).into());
        }
        fs::create_dir_all(dir).map_err(|error| Failure::unwritable(dir, &error))?;
        if init_repository(dir)? {
            console.say(format!("made a git repository in `{}`", dir.display()))?;
        }
        for (path, text) in FILES {
            let word = if write_new(&dir.join(path), text)? { "wrote" } else { "kept " };
            let note = if word == "wrote" { "" } else { ", which exists" };
            console.say(format!("{word} {path}{note}"))?;
        }
        console.say(format!("\nCheck it with `lawbook check{}`, and commit it with git.", self.argument()))?;
        Ok(Status::Fine)
    }

    /// The folder as an argument of the next command.
    fn argument(&self) -> String {
        if self.dir == Path::new(".") { String::new() } else { format!(" {}", self.dir.display()) }
    }
}

/// Writes a file that does not exist; says whether it did.
fn write_new(path: &Path, text: &str) -> Result<bool, Failure> {
    let unwritable = |error: std::io::Error| Failure::unwritable(path, &error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(unwritable)?;
    }
    let mut file = match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(unwritable(error)),
    };
    file.write_all(text.as_bytes()).map_err(unwritable)?;
    Ok(true)
}
