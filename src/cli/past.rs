//! The history of one policy, for the commands that tell it: read, looked up by id, and said to be partial where it is.

use std::path::Path;
use std::path::PathBuf;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use super::law_book::load;
use crate::finding::nearest;
use crate::history::Lifeline;
use crate::history::Memory;
use crate::history::Repository;
use crate::history::Trail;
use crate::history::remedy;
use crate::report::printable::one_line;
use crate::report::versions::short;
use crate::workspace::Origin;
use crate::workspace::find_root;

/// The trail of a law book.
pub(super) struct Past {
    pub(super) repository: Repository,
    pub(super) trail: Trail,
    root: PathBuf,
    reference: String,
}

impl Past {
    /// Reads what landed up to a revision.
    ///
    /// # Errors
    /// There is no such folder, repository or revision, or its history cannot be read.
    pub(super) fn read(dir: Option<&Path>, reference: &str, console: &Console) -> miette::Result<Self> {
        let root = find_root(dir)?;
        let repository = Repository::open(&root)?;
        let bar = console.progress("reading history", "commit");
        let mut trail = Trail::cached(&repository, reference, &|done, all| bar.show(done, all))?;
        bar.clear();
        trail.hold_to_requirement(&repository, Memory::Counts)?;
        Ok(Self { repository, trail, root, reference: reference.to_owned() })
    }

    /// The policy that has this id, or had it last.
    ///
    /// # Errors
    /// There has never been one, or no law book at all.
    pub(super) fn lifeline(&self, id: &str) -> miette::Result<Lifeline<'_>> {
        if let Some(lifeline) = self.trail.lifeline(id) {
            return Ok(lifeline);
        }
        let ids = self.trail.ids();
        if ids.is_empty() && self.trail.partial().is_none() {
            load(Some(&self.root), Origin::Revision(self.reference.clone()))?;
        }
        let help = match (nearest(id, ids), self.trail.partial()) {
            (Some(near), _) => format!("did you mean `{}`?", one_line(near)),
            (None, Some(why)) => format!("the history is incomplete ({why}): {}", remedy(why)),
            (None, None) => "`lawbook audit` shows every policy that there ever was".to_owned(),
        };
        let until = if self.reference == "HEAD" { String::new() } else { format!(" in the history of `{}`", one_line(&self.reference)) };
        Err(Failure::new(format!("there has never been a policy `{}`{until}", one_line(id))).help(help).into())
    }

    /// Says what a policy is called now, when that is not what it was asked for by.
    pub(super) fn tell_renamed(lifeline: &Lifeline<'_>, asked: &str, console: &mut Console) {
        if lifeline.id.as_str() == asked {
            return;
        }
        let (asked_for, now) = (one_line(asked), one_line(lifeline.id.as_str()));
        console.remark(match lifeline.renamed_from(asked) {
            Some(event) => format!("`{asked_for}` was renamed in {}, and is `{now}` now", short(&event.landing.commit)),
            None => format!("`{asked_for}` is `{now}` now"),
        });
    }

    /// The answer of a command that has told all that there is: no, when that is not the whole history.
    pub(super) fn conclude(&self, allow_partial: bool, console: &mut Console) -> Outcome {
        let Some(why) = self.trail.partial() else { return Ok(Status::Fine) };
        console.remark(format!("the trail is partial: {why}\n  help: {}, or accept this with `--allow-partial`", remedy(why)));
        Ok(if allow_partial { Status::Fine } else { Status::No })
    }
}
