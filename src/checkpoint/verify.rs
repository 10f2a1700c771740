//! What has been proven: checkpoints, the repository and an export, each compared with the others.
//!
//! INVARIANT: everything that is compared is computed here and now from the objects of the repository; nothing that was
//! remembered by an earlier run counts, because whoever rewrites a history can rewrite that too.

use std::collections::HashMap;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;

use super::Checkpoint;
use super::CheckpointError;
use super::Exported;
use super::Flaw;
use super::Refused;
use super::Signed;
use super::Standing;
use super::export;
use super::export::Expected;
use super::standing::standing;
use crate::history::CommitId;
use crate::history::Event;
use crate::history::HistoryError;
use crate::history::Lines;
use crate::history::Memory;
use crate::history::Progress;
use crate::history::Repository;
use crate::history::RepositoryError;
use crate::history::Sha256Hash;
use crate::history::Trail;

/// The history that there is now.
#[derive(Debug)]
pub struct Against<'a> {
    repository: &'a Repository,
    /// What it is called.
    pub reference: String,
    line: Vec<CommitId>,
    trail: Trail,
    landed: HashMap<String, usize>,
}

impl<'a> Against<'a> {
    /// Reads the whole history of a revision.
    ///
    /// # Errors
    /// There is no such revision, it cannot be read, or it is incomplete: then nothing can be proven.
    pub fn read(repository: &'a Repository, reference: &str, progress: Progress<'_>) -> Result<Self, HistoryError> {
        let tip = repository.revision(reference)?.commit;
        let line = repository.lineage(&tip)?;
        let mut trail = Trail::read(repository, &tip, Lines::Landed, progress)?;
        trail.hold_to_requirement(repository, Memory::CountsNot)?;
        if let Some(why) = trail.partial() {
            return Err(RepositoryError::Partial { dir: repository.dir().to_owned(), why: why.to_owned() }.into());
        }
        let landed = line.iter().enumerate().map(|(at, id)| (id.to_string(), at)).collect();
        Ok(Self { repository, reference: reference.to_owned(), line, trail, landed })
    }

    /// How many commits are on the line of first parents.
    pub fn commits(&self) -> usize {
        self.line.len()
    }

    /// How many events there are.
    pub fn events(&self) -> usize {
        self.trail.events().len()
    }

    /// The last commit, in hexadecimal.
    pub fn tip(&self) -> String {
        self.trail.tip()
    }

    /// How many events there are up to a number of commits.
    fn events_within(&self, commits: usize) -> usize {
        let within = |event: &Event| self.landed.get(&event.landing.commit).is_some_and(|&at| at < commits);
        self.trail.events().partition_point(within)
    }

    fn verdict(&self, signed: &Checkpoint) -> Result<Verdict, RepositoryError> {
        let standing = standing(self.repository, &self.line, signed)?;
        if standing != Standing::Holds {
            return Ok(Verdict::Gone(standing));
        }
        let commits_since = self.commits() - signed.commits();
        if !signed.chain_is_known() {
            return Ok(Verdict::ChainUnknown { commits_since });
        }
        let seq = self.events_within(signed.commits());
        let head = self.trail.head_at(seq as u64).unwrap_or(Sha256Hash::ZERO);
        if (seq as u64, head) != (signed.seq, signed.head) {
            return Ok(Verdict::OtherEvents { seq: seq as u64, head });
        }
        Ok(Verdict::Proven(Proof { commits_since, events_since: self.events() - seq }))
    }
}

/// What happened since a checkpoint that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// How many commits were added.
    pub commits_since: usize,
    /// How many events they made.
    pub events_since: usize,
}

/// What a checkpoint says of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything up to it is what was signed.
    Proven(Proof),
    /// The commits are what was signed; the events are chained in a way that this version does not know.
    ChainUnknown {
        /// How many commits were added since.
        commits_since: usize,
    },
    /// The commit is not where it was.
    Gone(Standing),
    /// The commits are what was signed, but the events that are told of them here are others.
    OtherEvents {
        /// How many events there are up to the commit.
        seq: u64,
        /// The hash of the last of them.
        head: Sha256Hash,
    },
    /// There is no repository.
    NotCompared,
}

/// A checkpoint, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The file.
    pub path: PathBuf,
    /// What was signed, and what it says of the repository; or why it is not to be believed.
    pub outcome: Result<(Signed, Verdict), Refused>,
}

/// What has been compared, and what came of it.
#[derive(Debug)]
pub struct Verification<'a> {
    /// The history that there is now; `None` without a repository.
    pub against: Option<Against<'a>>,
    /// The checkpoints, in the order in which they were given.
    pub checkpoints: Vec<Checked>,
    /// The export, if there is one.
    pub export: Option<Exported>,
}

impl Verification<'_> {
    /// Whether nothing is wrong; what could not be compared is not wrong.
    pub fn holds(&self) -> bool {
        let fine = |checked: &Checked| match &checked.outcome {
            Ok((_, verdict)) => !matches!(verdict, Verdict::Gone(_) | Verdict::OtherEvents { .. }),
            Err(_) => false,
        };
        self.checkpoints.iter().all(fine) && self.export.as_ref().is_none_or(|export| export.flaw.is_none())
    }

    /// Whether everything could be compared.
    pub fn complete(&self) -> bool {
        let unknown = |checked: &Checked| matches!(checked.outcome, Ok((_, Verdict::ChainUnknown { .. })));
        !self.checkpoints.iter().any(unknown)
    }
}

/// What is to be compared.
pub struct Verifier<'a> {
    /// The history that there is now; `None` without a repository.
    pub against: Option<Against<'a>>,
    /// Checkpoints, each with its file.
    pub checkpoints: Vec<(PathBuf, Result<Signed, Refused>)>,
    /// An event as `lawbook audit` exports it.
    pub wire: &'a dyn Fn(&Event) -> Value,
}

impl std::fmt::Debug for Verifier<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("against", &self.against).field("checkpoints", &self.checkpoints).finish_non_exhaustive()
    }
}

impl<'a> Verifier<'a> {
    /// Compares everything; the export, if one is named, with the repository, if there is one, and with the checkpoints.
    ///
    /// # Errors
    /// The history or the export cannot be read.
    pub fn verify(self, export: Option<&Path>) -> Result<Verification<'a>, CheckpointError> {
        let export = export.map(|path| self.export(path)).transpose()?;
        let Self { against, checkpoints, .. } = self;
        let check = |(path, opened): (PathBuf, Result<Signed, Refused>)| {
            let outcome = match (opened, &against) {
                (Err(refused), _) => Err(refused),
                (Ok(signed), None) => Ok((signed, Verdict::NotCompared)),
                (Ok(signed), Some(against)) => {
                    let verdict = against.verdict(&signed.checkpoint)?;
                    Ok((signed, verdict))
                }
            };
            Ok(Checked { path, outcome })
        };
        let checkpoints = checkpoints.into_iter().map(check).collect::<Result<Vec<_>, CheckpointError>>()?;
        Ok(Verification { against, checkpoints, export })
    }

    fn export(&self, path: &Path) -> Result<Exported, CheckpointError> {
        let believed: Vec<(&PathBuf, &Checkpoint)> = self
            .checkpoints
            .iter()
            .filter_map(|(path, opened)| Some((path, &opened.as_ref().ok()?.checkpoint)))
            .filter(|(_, checkpoint)| checkpoint.chain_is_known() && checkpoint.seq > 0)
            .collect();
        let (events, line) = match &self.against {
            Some(against) => (Some(against.trail.events()), against.line.as_slice()),
            None => (None, [].as_slice()),
        };
        let wanted = believed.iter().map(|(_, checkpoint)| checkpoint.seq).collect();
        let head_at = |seq: u64| self.against.as_ref().and_then(|against| against.trail.head_at(seq));
        let compared = export::compare(path, &Expected { events, line, head_at: &head_at, wire: self.wire, wanted });
        let mut found = compared.map_err(|problem| CheckpointError::Export { path: path.to_owned(), problem })?;
        for (path, checkpoint) in believed {
            match self.signed(&found, path, checkpoint) {
                Ok(signed) => found.signed = found.signed.max(signed),
                Err(flaw) => drop(found.flaw.get_or_insert(flaw)),
            }
        }
        Ok(found)
    }

    /// Up to which event the export is what a checkpoint says. Without a repository every event up to that has to be chained
    /// to it; with one, each event is compared with it as well, and a filtered export may leave out the one that was signed.
    fn signed(&self, found: &Exported, path: &Path, checkpoint: &Checkpoint) -> Result<Option<u64>, Flaw> {
        let (path, seq) = (path.to_owned(), checkpoint.seq);
        match found.heads.get(&seq) {
            Some(head) if head.hash != checkpoint.head => Err(Flaw::Head { checkpoint: path, seq }),
            Some(head) if head.from == found.first => Ok(Some(seq)),
            _ if self.against.is_none() => Err(Flaw::Loose { checkpoint: path, seq }),
            _ => Ok(None),
        }
    }
}
