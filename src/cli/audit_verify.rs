//! `lawbook audit verify`: whether the history is what was signed, and an export what the history is.

use std::path::PathBuf;

use clap::ArgGroup;
use clap::Args;
use jiff::Timestamp;
use serde_json::Value;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use crate::bundle::Trust;
use crate::bundle::load_public;
use crate::checkpoint::Against;
use crate::checkpoint::Checkpoint;
use crate::checkpoint::Refused;
use crate::checkpoint::Signed;
use crate::checkpoint::Verifier;
use crate::history::Event;
use crate::history::People;
use crate::history::Repository;
use crate::history::RepositoryError;
use crate::report::audit::json;
use crate::report::verification::VerificationFormat;
use crate::report::verification::VerificationReport;
use crate::workspace::find_root;

/// Verify that the history is what was signed, and that an export is what the history says
///
/// Everything is computed again from the repository. Outside of a repository, an export is compared with itself and with the
/// checkpoints. The exit status is 1 when something is not as it was, and 2 when it could not be compared.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("evidence").args(["checkpoint", "export"]).multiple(true).required(true))]
#[command(group = ArgGroup::new("trusted").args(["trust", "public_key"]))]
#[command(
    after_help = "Examples:\n  lawbook audit verify --checkpoint 2026-11.checkpoint --trust trust.json\n  lawbook audit verify --checkpoint 2026-11.checkpoint --public-key release.key.pub --export audit.jsonl\n  lawbook audit verify --export audit.jsonl    what the file alone proves, outside of a repository"
)]
pub(super) struct AuditVerify {
    /// The folder of the law book [default: the nearest one from the current folder upwards]
    dir: Option<PathBuf>,

    /// A file that `lawbook audit checkpoint` wrote; may be repeated
    #[arg(long, value_name = "FILE", requires = "trusted")]
    checkpoint: Vec<PathBuf>,

    /// The trust file: whose signatures count, and how many are needed
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,

    /// Trust this key alone, in place of a trust file
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,

    /// The branch, tag or commit that is verified [default: the branch of the checkpoint, or else HEAD]
    #[arg(long = "ref", value_name = "REF")]
    reference: Option<String>,

    /// A file that `lawbook audit --format json` or `--format jsonl` wrote
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,

    /// The format: human or json
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = format)]
    format: VerificationFormat,
}

fn format(name: &str) -> Result<VerificationFormat, String> {
    VerificationFormat::named(name)
        .ok_or_else(|| format!("use one of {}", VerificationFormat::ALL.map(VerificationFormat::as_str).join(", ")))
}

type Opened = (PathBuf, Result<Signed, Refused>);

impl AuditVerify {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let trust = self.trusted()?;
        let now = Timestamp::now();
        let mut opened: Vec<Opened> = Vec::new();
        for path in &self.checkpoint {
            let Some(trust) = &trust else { continue };
            opened.push((path.clone(), Signed::open(path, trust, now)?));
        }
        let believed = opened.iter().any(|(_, outcome)| outcome.is_ok());
        let repository = if believed || self.export.is_some() { self.repository()? } else { None };
        let against = repository.as_ref().map(|repository| self.against(repository, &opened, console)).transpose()?;
        let verification = Verifier { against, checkpoints: opened, wire: &wire }.verify(self.export.as_deref())?;
        let report = VerificationReport { verification: &verification, trust: trust.as_ref() };
        console.show(|out| self.format.write(&report, out))?;
        Ok(match (verification.holds(), verification.complete()) {
            (false, _) => Status::No,
            (true, false) => Status::Incomplete,
            (true, true) => Status::Fine,
        })
    }

    fn trusted(&self) -> miette::Result<Option<Trust>> {
        Ok(match (&self.trust, &self.public_key) {
            (Some(file), _) => Some(Trust::load(file)?),
            (None, Some(key)) => Some(Trust::init([load_public(key)?], 1)?),
            (None, None) => None,
        })
    }

    /// The repository; `None` when nobody named one, there is none here, and an export can be verified without.
    fn repository(&self) -> miette::Result<Option<Repository>> {
        match Repository::open(&find_root(self.dir.as_deref())?) {
            Err(RepositoryError::None { .. }) if self.dir.is_none() && self.export.is_some() => Ok(None),
            opened => Ok(Some(opened?)),
        }
    }

    fn against<'a>(&self, repository: &'a Repository, opened: &[Opened], console: &Console) -> miette::Result<Against<'a>> {
        let signed: Vec<(&PathBuf, &Checkpoint)> =
            opened.iter().filter_map(|(path, outcome)| Some((path, &outcome.as_ref().ok()?.checkpoint))).collect();
        for (path, checkpoint) in &signed {
            if checkpoint.folder != repository.prefix() {
                return Err(other_folder(path, checkpoint, repository).into());
            }
        }
        let reference = self.reference(&signed, repository)?;
        let bar = console.progress("reading history", "commit");
        let against = Against::read(repository, &reference, &|done, all| bar.show(done, all))?;
        bar.clear();
        Ok(against)
    }

    /// What is verified: what was asked for, or what the checkpoints name. A checkpoint says of which branch it is, and what is
    /// checked out here says nothing about that.
    fn reference(&self, signed: &[(&PathBuf, &Checkpoint)], repository: &Repository) -> miette::Result<String> {
        if let Some(reference) = &self.reference {
            return Ok(reference.clone());
        }
        let Some((path, first)) = signed.first() else { return Ok("HEAD".to_owned()) };
        if let Some((other, checkpoint)) = signed.iter().find(|(_, checkpoint)| checkpoint.reference != first.reference) {
            let (one, two) = (path.display(), other.display());
            let message =
                format!("`{one}` is of `{}` and `{two}` is of `{}`", first.reference.escape_debug(), checkpoint.reference.escape_debug());
            return Err(Failure::new(message).help("verify them one by one, or name the branch with `--ref`").into());
        }
        if repository.tip(&first.reference).is_err() {
            let message = format!(
                "`{}` is of `{}`, which is not in `{}`",
                path.display(),
                first.reference.escape_debug(),
                repository.dir().display()
            );
            let short = first.reference.trim_start_matches("refs/heads/").escape_debug();
            return Err(Failure::new(message).help(format!("name the branch with `--ref`, such as `--ref origin/{short}`")).into());
        }
        Ok(first.reference.clone())
    }
}

pub(super) fn other_folder(path: &std::path::Path, checkpoint: &Checkpoint, repository: &Repository) -> Failure {
    let place = |folder: &str| if folder.is_empty() { "at the root".to_owned() } else { format!("in `{}`", folder.escape_debug()) };
    let message = format!(
        "`{}` is of the law book {} of its repository, not {}",
        path.display(),
        place(&checkpoint.folder),
        place(repository.prefix())
    );
    Failure::new(message).help("name the folder of the law book that was signed")
}

/// An event as `lawbook audit` exports it, with the names that commits say: whom `.mailmap` takes somebody for may change.
pub(super) fn wire(event: &Event) -> Value {
    Value::Object(json::event(event, &People::as_written()))
}
