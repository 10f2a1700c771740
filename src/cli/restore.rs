//! `lawbook restore`: a policy as it was, as a new commit.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use super::as_of::AsOf;
use super::as_of::as_of;
use super::law_book::Loaded;
use super::past::Past;
use super::shell;
use super::unified;
use crate::history::CommitTime;
use crate::history::Repository;
use crate::policy::Policy;
use crate::report::human;
use crate::report::printable::one_line;
use crate::report::versions::short;
use crate::workspace;
use crate::workspace::Origin;
use crate::workspace::RawFile;
use crate::workspace::Workspace;
use crate::write;
use crate::write::Authorship;
use crate::write::Change;
use crate::write::FileChange;
use crate::write::Former;

/// Make a policy what it was at a revision, as a new commit
///
/// The text of then takes the place of what the policy is now, and no other byte of its file changes. One that was deleted gets its
/// last file if that is free, else the file that new policies get. Nothing is written if the law book would not compile, or if
/// the file has changes that are not committed.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lawbook restore ReadReports 4f0c2d91aa --dry-run\n  lawbook restore ReadReports 4f0c2d91aa --reason 'The change was a mistake'"
)]
pub(super) struct Restore {
    /// The id of the policy, also one that it had earlier
    policy: String,

    /// The commit, branch or tag at which it was as it is to be; `lawbook log` shows the commits
    #[arg(value_name = "REV")]
    revision: String,

    /// The folder of the law book [default: the nearest one from the current folder upwards]
    dir: Option<PathBuf>,

    /// Why, as a trailer of the commit
    #[arg(long, short = 'm', visible_alias = "message", value_name = "TEXT")]
    reason: Option<String>,

    /// Print what would change, and make no commit
    #[arg(long, visible_alias = "no-commit")]
    dry_run: bool,
}

impl Restore {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let then = as_of(&self.policy, &self.revision, self.dir.as_deref(), console)?;
        let policy = self.readable(&then)?;
        let repository = Repository::open(&then.root)?;
        let tip = repository.revision("HEAD")?.commit;
        let now = Workspace::open(&then.root, &Origin::Revision(tip.clone()))?;
        let (called, path) = self.place(&then, &now, console)?;
        let former = Former { policy, text: &then.text, now: &called, path: &path };
        let Some(change) = former.change(&now)? else {
            return Ok(nothing_to_do(&then, console));
        };
        if !compiles(&then, &now, &tip, &change, console)? {
            return Ok(Status::No);
        }
        if self.dry_run {
            let diff = unified::diff(&change.path, change.old.as_deref().unwrap_or_default(), change.new.as_deref().unwrap_or_default());
            console.show(|out| out.write_all(diff.as_bytes()))?;
            return Ok(Status::Fine);
        }
        let person = repository.person()?;
        let authorship = Authorship {
            author: person.clone(),
            committer: person,
            at: CommitTime { at: Timestamp::now(), offset_minutes: 0 },
            request_id: None,
            client_ip: None,
            reason: self.reason,
        };
        let subject = format!("Restore {} as of {}", then.id, short(&then.commit));
        let find = |workspace: &Workspace| Ok(former.change(workspace)?.into_iter().collect());
        let written = write::write(&then.root, None, &Change::Other(&subject, &find), &authorship)?;
        if written.commit == written.parent {
            return Ok(nothing_to_do(&then, console));
        }
        let (id, path, commit) = (one_line(&then.id), one_line(&change.path), short(&written.commit));
        console.say(format!("restored `{id}` in {path} as of {}: commit {commit}", short(&then.commit)))?;
        Ok(Status::Fine)
    }

    /// What it meant; what nobody could read is not brought back.
    fn readable<'a>(&self, then: &'a AsOf) -> Result<&'a Policy, Failure> {
        then.policy.as_deref().map_err(|why| {
            let (id, commit) = (one_line(&then.id), short(&then.commit));
            let message = format!("`{id}` could not be read at {commit}: {}", one_line(why));
            let dir = self.dir.as_deref().map(|dir| format!(" {}", shell::argument(dir))).unwrap_or_default();
            Failure::new(message).help(format!("choose another revision; `lawbook log {}{dir}` shows them", shell::word(&self.policy)))
        })
    }

    /// What the policy is called now, or was last, and its last file.
    fn place(&self, then: &AsOf, now: &Workspace, console: &Console) -> miette::Result<(String, String)> {
        let same = || (then.id.clone(), then.path.clone());
        if then.id == self.policy && now.standing(&then.id).is_some() {
            return Ok(same());
        }
        // Its earlier ids may be those of other policies now. A policy of another branch has no past here.
        let past = Past::read(Some(&then.root), "HEAD", console)?;
        let lifeline = past.trail.lifeline(&self.policy);
        Ok(lifeline.map_or_else(same, |lifeline| (lifeline.id.to_string(), lifeline.path.to_string())))
    }
}

fn nothing_to_do(then: &AsOf, console: &mut Console) -> Status {
    console.remark(format!("`{}` already means what it meant at {}", one_line(&then.id), short(&then.commit)));
    Status::Fine
}

/// Whether the law book still compiles with a change; what would be wrong is shown.
fn compiles(then: &AsOf, now: &Workspace, tip: &str, change: &FileChange, console: &mut Console) -> miette::Result<bool> {
    let mut loaded = workspace::load(&then.root, &Origin::Revision(tip.to_owned()))?;
    loaded.raw.files.retain(|file| file.path != change.path);
    let content = change.new.clone().unwrap_or_default().into_bytes();
    loaded.raw.files.push(RawFile { path: change.path.clone(), content: Ok(content) });
    loaded.raw.files.sort_by(|one, other| one.path.cmp(&other.path));
    let loaded = Loaded { workspace: Workspace::new(loaded.raw), revision: None };
    let Err(findings) = loaded.workspace.compile() else { return Ok(true) };
    let look = console.look();
    console.show(|out| human::write(&loaded.report(&findings, look), out))?;
    console.remark(if now.compile().is_ok() {
        "the text of then does not fit the law book of today: nothing is written"
    } else {
        "the law book of today does not compile as it is, and would not with the text of then: nothing is written"
    });
    Ok(false)
}
