//! `lawbook audit checkpoint`: signs what the history is.

use std::path::Path;
use std::path::PathBuf;

use clap::Args;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use super::audit_verify::other_folder;
use super::audit_verify::wire;
use super::build::now;
use super::law_book::load;
use crate::bundle::SigningKey;
use crate::bundle::load_private;
use crate::checkpoint;
use crate::checkpoint::Against;
use crate::checkpoint::Checkpoint;
use crate::checkpoint::Unsigned;
use crate::checkpoint::Verifier;
use crate::history::Lines;
use crate::history::Repository;
use crate::history::Trail;
use crate::report::count;
use crate::report::printable::one_line;
use crate::report::verification::VerificationFormat;
use crate::report::verification::VerificationReport;
use crate::workspace::Origin;
use crate::workspace::find_root;

/// Sign what the history is, so that nobody can rewrite it unseen
///
/// Keep the file where whoever can push to the repository cannot write. The time of signing is SOURCE_DATE_EPOCH, or else
/// the clock.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lawbook audit checkpoint --key release.key --output 2026-11.checkpoint\n  lawbook audit checkpoint --ref origin/main --key release.key > 2026-11.checkpoint\n  lawbook audit checkpoint --cosign 2026-11.checkpoint --key second.key"
)]
pub(super) struct AuditCheckpoint {
    /// The folder of the law book [default: the nearest one from the current folder upwards]
    dir: Option<PathBuf>,

    /// The private key that signs; may be repeated
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,

    /// The branch or tag whose history is signed [default: HEAD, or with --cosign what the checkpoint names]
    #[arg(long = "ref", value_name = "REF")]
    reference: Option<String>,

    /// What the repository is called [default: the last part of the address of `origin`, or the folder]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,

    /// The file; never overwritten [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Add a signature to this checkpoint of somebody else, if the history here is what it says
    #[arg(long, value_name = "FILE", conflicts_with_all = ["output", "repository"])]
    cosign: Option<PathBuf>,
}

impl AuditCheckpoint {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let keys = self.key.iter().map(|path| load_private(path)).collect::<Result<Vec<_>, _>>()?;
        if let Some(path) = &self.cosign {
            return self.cosign(path, &keys, console);
        }
        if let Some(taken) = self.output.as_deref().filter(|path| path.symlink_metadata().is_ok()) {
            return Err(checkpoint::CheckpointError::Exists { path: taken.to_owned() }.into());
        }
        let root = find_root(self.dir.as_deref())?;
        let repository = Repository::open(&root)?;
        let reference = repository.lasting_name(self.reference.as_deref().unwrap_or("HEAD"))?;
        let trail = read(&repository, &reference, &root, console)?;
        let name = self.repository.or_else(|| repository.called()).unwrap_or_else(|| "unnamed".to_owned());
        let taken = Checkpoint::take(&repository, &trail, &reference, &name, now()?)?;
        let bytes = taken.seal(&keys)?;
        let mut said = lines(&taken);
        said.extend(keys.iter().map(|key| format!("{:10} {}", "by", key.id())));
        match self.output {
            Some(path) => {
                checkpoint::write(&path, &bytes)?;
                said.push(format!("{:10} {}; keep it where nobody who can push may write", "wrote", path.display()));
                said.into_iter().try_for_each(|line| console.say(line))?;
            }
            None => {
                console.show(|out| out.write_all(&bytes))?;
                said.into_iter().for_each(|line| console.remark(line));
            }
        }
        Ok(Status::Fine)
    }
}

impl AuditCheckpoint {
    /// Whoever adds a signature says the same as the first signer, so the same has to be found here.
    fn cosign(&self, path: &Path, keys: &[SigningKey], console: &mut Console) -> Outcome {
        let unsigned = match Unsigned::open(path)? {
            Ok(unsigned) => unsigned,
            Err(refused) => {
                console.say(one_line(&refused.to_string()))?;
                console.say(format!("  help: {}", refused.help()))?;
                return Ok(Status::No);
            }
        };
        let repository = Repository::open(&find_root(self.dir.as_deref())?)?;
        if unsigned.checkpoint.folder != repository.prefix() {
            return Err(other_folder(path, &unsigned.checkpoint, &repository).into());
        }
        let reference = self.reference.as_deref().unwrap_or(&unsigned.checkpoint.reference);
        let bar = console.progress("reading history", "commit");
        let against = Against::read(&repository, reference, &|done, all| bar.show(done, all))?;
        bar.clear();
        let checkpoints = vec![(path.to_owned(), Ok(unsigned.claim()))];
        let verification = Verifier { against: Some(against), checkpoints, wire: &wire }.verify(None)?;
        let report = VerificationReport { verification: &verification, trust: None };
        if !verification.holds() || !verification.complete() {
            console.show(|out| VerificationFormat::Human.write(&report, out))?;
            return Ok(Status::No);
        }
        lines(&unsigned.checkpoint).into_iter().try_for_each(|line| console.say(line))?;
        unsigned.sign(keys)?;
        for key in keys {
            console.say(format!("{:10} {}, who found the same here", "by", key.id()))?;
        }
        Ok(Status::Fine)
    }
}

/// What is signed, as lines of a name and a value.
fn lines(of: &Checkpoint) -> Vec<String> {
    vec![
        format!("{:10} {}, {} of `{}`", "commit", of.commit, one_line(&of.reference), one_line(&of.repository)),
        format!("{:10} {}, in {}", "events", of.seq, count(of.commits(), "commit")),
        format!("{:10} {}", "head", of.head),
        format!("{:10} {}", "signed", of.time),
    ]
}

/// The trail; without any event there must at least be a law book, so that the wrong folder is not signed.
fn read(repository: &Repository, reference: &str, root: &Path, console: &Console) -> miette::Result<Trail> {
    if let Some(why) = repository.incomplete() {
        let message = format!("the history of `{}` is incomplete: {why}", repository.dir().display());
        return Err(Failure::new(message)
            .help("get the whole history with `git fetch --unshallow`; what is not there cannot be signed")
            .into());
    }
    let bar = console.progress("reading history", "commit");
    let tip = repository.revision(reference)?.commit;
    let trail = Trail::read(repository, &tip, Lines::Landed, &|done, all| bar.show(done, all))?;
    bar.clear();
    if trail.events().is_empty() {
        load(Some(root), Origin::Revision(tip))?;
    }
    Ok(trail)
}
