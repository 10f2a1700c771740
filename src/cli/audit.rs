//! `lawbook audit`: who changed which policy, when, from the history of git.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;
use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use super::audit_checkpoint::AuditCheckpoint;
use super::audit_verify::AuditVerify;
use super::law_book::load;
use crate::finding::nearest;
use crate::history::Action;
use crate::history::Filter;
use crate::history::Lines;
use crate::history::Repository;
use crate::history::Trail;
use crate::report::audit::AuditFormat;
use crate::report::audit::AuditReport;
use crate::workspace::Origin;
use crate::workspace::find_root;

/// Show who changed which policy, and when, from the history of git
///
/// The trail follows first parents: what landed, when it landed. Policies are followed by id, wherever their file moves.
/// A clone without its whole history gives a partial trail and the exit status 1.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(
    after_help = "Examples:\n  lawbook audit\n  lawbook audit --policy pol-mfa-required --action disable\n  lawbook audit --since 2026-01-01 --author ada@example.com --format jsonl\n  lawbook audit --format neosc      the audit log of the NeoSC interface"
)]
pub(super) struct Audit {
    #[command(subcommand)]
    command: Option<Command>,

    /// The folder of the law book [default: the nearest one from the current folder upwards]
    dir: Option<PathBuf>,

    /// The branch, tag or commit at which the trail ends
    #[arg(long = "ref", value_name = "REF", default_value = "HEAD")]
    reference: String,

    /// Only what was committed on this day or later (UTC), or from this time on
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,

    /// Only what was committed on this day or earlier (UTC), or up to this time
    #[arg(long, value_name = "TIME", value_parser = until)]
    until: Option<Timestamp>,

    /// Only this policy
    #[arg(long, value_name = "ID")]
    policy: Option<String>,

    /// Only authors whose name or address holds this text
    #[arg(long, value_name = "TEXT")]
    author: Option<String>,

    /// Only this action: create, update, delete, enable, disable or move
    #[arg(long, value_name = "ACTION", value_parser = action)]
    action: Option<Action>,

    /// The format: table, json, jsonl or neosc
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = format)]
    format: AuditFormat,

    /// Exit with 0 even when the history is incomplete
    #[arg(long)]
    allow_partial: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Checkpoint(AuditCheckpoint),
    Verify(AuditVerify),
}

fn since(text: &str) -> Result<Timestamp, String> {
    time(text, SignedDuration::ZERO)
}

fn until(text: &str) -> Result<Timestamp, String> {
    time(text, SignedDuration::from_hours(24) - SignedDuration::from_nanos(1))
}

/// A time, or a day with an offset into it.
fn time(text: &str, into_the_day: SignedDuration) -> Result<Timestamp, String> {
    let refused = || "write a day such as `2026-03-01`, or a time such as `2026-03-01T10:00:00Z`".to_owned();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let start = text.parse::<Date>().ok().and_then(|day| day.to_zoned(TimeZone::UTC).ok()).ok_or_else(refused)?;
    start.timestamp().checked_add(into_the_day).map_err(|_| refused())
}

fn action(name: &str) -> Result<Action, String> {
    Action::parse(name).ok_or_else(|| format!("use one of {}", Action::ALL.map(Action::as_str).join(", ")))
}

fn format(name: &str) -> Result<AuditFormat, String> {
    AuditFormat::named(name).ok_or_else(|| format!("use one of {}", AuditFormat::ALL.map(AuditFormat::as_str).join(", ")))
}

impl Audit {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        match self.command {
            Some(Command::Checkpoint(command)) => return command.run(console),
            Some(Command::Verify(command)) => return command.run(console),
            None => {}
        }
        if let (Some(since), Some(until)) = (self.since, self.until)
            && since > until
        {
            let message = format!("`--since` ({since}) is later than `--until` ({until})");
            return Err(Failure::new(message).help("give the earlier time with `--since`").into());
        }
        let root = find_root(self.dir.as_deref())?;
        let repository = Repository::open(&root)?;
        let bar = console.progress("reading history", "commit");
        let trail = Trail::read(&repository, &self.reference, Lines::Landed, &|done, all| bar.show(done, all))?;
        bar.clear();
        if trail.events().is_empty() && trail.partial().is_none() {
            load(Some(&root), Origin::Revision(self.reference.clone()))?;
        }
        if let Some(id) = &self.policy {
            known(id, &trail)?;
        }
        let filter = Filter { since: self.since, until: self.until, policy: self.policy, author: self.author, action: self.action };
        let tip = trail.tip();
        let report = AuditReport { events: trail.filtered(&filter).collect(), tip: &tip, partial: trail.partial(), look: console.look() };
        console.show(|out| self.format.write(&report, out))?;
        let Some(why) = report.partial else { return Ok(Status::Fine) };
        console.remark(format!(
            "the trail is partial: {why}\n  help: get the whole history with `git fetch --unshallow`, or accept this with `--allow-partial`"
        ));
        Ok(if self.allow_partial { Status::Fine } else { Status::No })
    }
}

/// Refuses an id that no policy ever had.
fn known(id: &str, trail: &Trail) -> Result<(), Failure> {
    let ids = || trail.events().iter().map(|event| event.policy.as_str());
    if ids().any(|known| known == id) {
        return Ok(());
    }
    let help = match nearest(id, ids()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`lawbook audit` shows every policy that there ever was".to_owned(),
    };
    Err(Failure::new(format!("there has never been a policy `{id}`")).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_and_ends_in_utc() {
        assert_eq!(since("2026-03-01").map(|time| time.to_string()), Ok("2026-03-01T00:00:00Z".to_owned()));
        assert_eq!(until("2026-03-01").map(|time| time.to_string()), Ok("2026-03-01T23:59:59.999999999Z".to_owned()));
        assert_eq!(until("2026-03-01T12:00:00+02:00").map(|time| time.to_string()), Ok("2026-03-01T10:00:00Z".to_owned()));
        assert!(since("yesterday").is_err_and(|error| error.starts_with("write a day")));
    }
}
