//! `lawbook audit`: who changed which policy, when, from the history of git.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufWriter;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;
use globset::GlobBuilder;
use globset::GlobMatcher;
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
use super::effects::effects;
use super::law_book::load;
use crate::finding::nearest;
use crate::history::Action;
use crate::history::Beside;
use crate::history::Filter;
use crate::history::HistoryError;
use crate::history::Lines;
use crate::history::Memory;
use crate::history::People;
use crate::history::Person;
use crate::history::Repository;
use crate::history::SignatureStatus;
use crate::history::Trail;
use crate::history::remedy;
use crate::history::take_objects_as_stored;
use crate::report::Look;
use crate::report::audit::AuditFormat;
use crate::report::audit::AuditReport;
use crate::report::audit::Scope;
use crate::workspace::Origin;
use crate::workspace::find_root;

/// Show who changed which policy, and when, from the history of git
///
/// The trail follows first parents: what landed, when it landed. Policies are followed by id, wherever their file moves.
/// Of several filters of one kind any one is enough, and those of different kinds must all be met.
/// A clone without its whole history gives a partial trail and the exit status 1.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(
    after_help = "Examples:\n  lawbook audit\n  lawbook audit --policy pol-mfa-required --action disable --action delete\n  lawbook audit --since 2026-01-01 --until 2026-03-31 --effect --format markdown > evidence.md\n  lawbook audit --author ada@example.com --format jsonl\n  lawbook audit --signature none --signature bad\n  lawbook audit --limit 20 --output csv=trail.csv\n  lawbook audit --format neosc      the audit log of the NeoSC interface"
)]
pub(super) struct Audit {
    #[command(subcommand)]
    command: Option<Command>,

    /// The folder of the law book [default: the nearest one from the current folder upwards]
    dir: Option<PathBuf>,

    /// The branch, tag or commit at which the trail ends
    #[arg(long = "ref", value_name = "REF", default_value = "HEAD")]
    reference: String,

    /// Tell every commit against its first parent, and not only what landed
    #[arg(long)]
    all_parents: bool,

    /// Only what was committed on this day or later (UTC), or from this time on
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,

    /// Only what was committed on this day or earlier (UTC), or up to this time
    #[arg(long, value_name = "TIME", value_parser = until)]
    until: Option<Timestamp>,

    /// Only this policy, under every id that it has had; may be repeated
    #[arg(long, value_name = "ID")]
    policy: Vec<String>,

    /// Only the work of people whose name or address holds this text, as written or by `.mailmap`; may be repeated
    #[arg(long, value_name = "TEXT")]
    author: Vec<String>,

    /// Only this action: create, update, delete, enable, disable, move, reformat, rename, restore, break or repair; may be repeated
    #[arg(long, value_name = "ACTION", value_parser = action)]
    action: Vec<Action>,

    /// Only commits whose signature is good, untrusted, bad, unverified or none; may be repeated
    #[arg(long, value_name = "STATUS", value_parser = status)]
    signature: Vec<SignatureStatus>,

    /// Only policies in this file or folder, or in files that match this pattern; may be repeated
    #[arg(long, value_name = "GLOB")]
    path: Vec<String>,

    /// Only so many of the newest events
    #[arg(long, value_name = "N", value_parser = limit)]
    limit: Option<NonZeroUsize>,

    /// Say what each shown event gave and took, as `lawbook diff` does
    #[arg(long)]
    effect: bool,

    /// The format: table, json, jsonl, csv, markdown, neosc, odsl or ocsf
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = format)]
    format: AuditFormat,

    /// Write the trail to a file as well, in any format; may be repeated
    #[arg(long, value_name = "FORMAT=PATH", value_parser = output)]
    output: Vec<Output>,

    /// Exit with 0 even when the history is incomplete
    #[arg(long)]
    allow_partial: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Checkpoint(AuditCheckpoint),
    Verify(AuditVerify),
}

#[derive(Debug, Clone)]
struct Output {
    format: AuditFormat,
    path: PathBuf,
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

fn limit(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "write how many, from 1 on".to_owned())
}

fn action(name: &str) -> Result<Action, String> {
    Action::parse(name).ok_or_else(|| one_of(name, &Action::ALL.map(Action::as_str)))
}

fn status(name: &str) -> Result<SignatureStatus, String> {
    let found = SignatureStatus::ALL.into_iter().find(|status| status.as_str() == name);
    found.ok_or_else(|| one_of(name, &SignatureStatus::ALL.map(SignatureStatus::as_str)))
}

fn format(name: &str) -> Result<AuditFormat, String> {
    AuditFormat::named(name).ok_or_else(|| one_of(name, &AuditFormat::ALL.map(AuditFormat::as_str)))
}

/// What could have been meant by a name that there is not.
fn one_of(name: &str, names: &[&str]) -> String {
    match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? There are {}", names.join(", ")),
        None => format!("use one of {}", names.join(", ")),
    }
}

fn output(text: &str) -> Result<Output, String> {
    match text.split_once('=') {
        Some((name, path)) if !path.is_empty() => Ok(Output { format: format(name)?, path: PathBuf::from(path) }),
        _ => Err("write a format and a file, such as `csv=trail.csv`".to_owned()),
    }
}

impl Audit {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        match self.command {
            Some(Command::Checkpoint(command)) => return command.run(console),
            Some(Command::Verify(command)) => return command.run(console),
            None => {}
        }
        self.consistent()?;
        let root = find_root(self.dir.as_deref())?;
        take_objects_as_stored();
        let repository = Repository::open(&root)?;
        let lines = if self.all_parents { Lines::All } else { Lines::Landed };
        let bar = console.progress("reading history", "commit");
        let show = |done, all| bar.show(done, all);
        let mut trail = match lines {
            Lines::Landed => Trail::cached(&repository, &self.reference, &show)?,
            Lines::All => Trail::read(&repository, &self.reference, lines, &show)?,
        };
        bar.clear();
        trail.hold_to_requirement(&repository, Memory::Counts)?;
        if trail.events().is_empty() && trail.partial().is_none() {
            load(Some(&root), Origin::Revision(self.reference.clone()))?;
            console.remark(
                "no commit holds a policy that can be read\n  help: `lawbook check` says what is wrong with the files that `files` selects",
            );
        }
        let people = People::at(&repository, &trail.tip())?;
        let filter = self.filter(&trail, &people)?;
        let mut report =
            AuditReport { scope: self.scope(&root, &repository, lines), look: console.look(), ..AuditReport::whole(&trail, &people) };
        if !filter.is_empty() {
            report.events = trail.filtered(&filter, &people).collect();
        }
        if let Some(limit) = self.limit
            && let Some(older) = report.events.len().checked_sub(limit.get()).filter(|older| *older > 0)
        {
            report.scope.newest_of = Some(report.events.len());
            report.events.drain(..older);
        }
        let beside = self.beside(&trail, &repository)?;
        report.beside = &beside;
        let effects = self.effect.then(|| {
            let bar = console.progress("comparing law books", "commit");
            effects(&root, &report.events, &beside, trail.events(), &bar)
        });
        report.effects = effects.as_ref();
        for output in &self.output {
            write_file(output, &report)?;
        }
        console.show(|out| self.format.write(&report, out))?;
        let partial = trail.partial().map(str::to_owned);
        // The process ends here. To take a long trail apart first would only take time.
        std::mem::forget(trail);
        let Some(why) = partial else { return Ok(Status::Fine) };
        console.remark(format!("the trail is partial: {why}\n  help: {}, or accept this with `--allow-partial`", remedy(&why)));
        Ok(if self.allow_partial { Status::Fine } else { Status::No })
    }

    /// Refuses what cannot be meant, before anything is read.
    fn consistent(&self) -> Result<(), Failure> {
        if let (Some(since), Some(until)) = (self.since, self.until)
            && since > until
        {
            let told = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ");
            let message = format!("`--since` ({}) is later than `--until` ({})", told(since), told(until));
            return Err(Failure::new(message).help("give the earlier time with `--since`"));
        }
        let formats = || std::iter::once(self.format).chain(self.output.iter().map(|output| output.format));
        if self.effect && !formats().any(AuditFormat::tells_effects) {
            let message = format!("the format `{}` has no place for what a change gave and took", self.format.as_str());
            return Err(Failure::new(message).help("leave out `--effect`, or choose another format"));
        }
        Ok(())
    }

    /// Which events are wanted. A name that never meant anything is a mistake, and no empty trail: that would be false evidence.
    fn filter(&self, trail: &Trail, people: &People) -> Result<Filter, Failure> {
        let alone = |filter: &Filter| trail.filtered(filter, people).next().is_some();
        for policy in &self.policy {
            if !alone(&Filter { policies: vec![policy.clone()], ..Filter::default() }) {
                return Err(no_policy(policy, trail));
            }
        }
        for author in &self.author {
            if !alone(&Filter { authors: vec![author.clone()], ..Filter::default() }) {
                return Err(nobody(author, trail, people));
            }
        }
        let mut paths = Vec::new();
        for path in &self.path {
            let found = matchers(path)?;
            if !alone(&Filter { paths: found.clone(), ..Filter::default() }) {
                return Err(no_file(path, trail));
            }
            paths.extend(found);
        }
        Ok(Filter {
            since: self.since,
            until: self.until,
            policies: self.policy.clone(),
            authors: self.author.clone(),
            actions: self.action.clone(),
            signatures: self.signature.clone(),
            paths,
        })
    }

    /// What landed beside the policies in the period. Whoever asks for some events only has not asked for it.
    fn beside(&self, trail: &Trail, repository: &Repository) -> Result<Vec<Beside>, HistoryError> {
        let some = !(self.policy.is_empty() && self.author.is_empty() && self.action.is_empty() && self.path.is_empty());
        let told = std::iter::once(self.format).chain(self.output.iter().map(|output| output.format)).any(AuditFormat::tells_beside);
        if some || !self.signature.is_empty() || self.limit.is_some() || !told {
            return Ok(Vec::new());
        }
        let mut beside = trail.beside(repository)?;
        beside.retain(|Beside { landing, .. }| {
            let at = landing.committed.at;
            self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at <= until)
        });
        Ok(beside)
    }

    fn scope(&self, root: &Path, repository: &Repository, lines: Lines) -> Scope {
        let texts = |name: &'static str, values: &[String]| values.iter().map(|value| (name, value.clone())).collect::<Vec<_>>();
        let mut only = texts("policy", &self.policy);
        only.extend(texts("author", &self.author));
        only.extend(self.action.iter().map(|action| ("action", action.to_string())));
        only.extend(self.signature.iter().map(|status| ("signature", status.as_str().to_owned())));
        only.extend(texts("path", &self.path));
        Scope {
            name: root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned(),
            // What is checked out today is another branch tomorrow, and evidence is read then.
            reference: match repository.branch().filter(|_| self.reference == "HEAD") {
                Some(branch) => branch.strip_prefix("refs/heads/").unwrap_or(&branch).to_owned(),
                None => self.reference.clone(),
            },
            lines,
            since: self.since,
            until: self.until,
            only,
            newest_of: None,
        }
    }
}

/// What matches a file, a folder or a pattern.
fn matchers(path: &str) -> Result<Vec<GlobMatcher>, Failure> {
    let plain = path.strip_prefix("./").unwrap_or(path).trim_end_matches('/');
    let patterns = [plain.to_owned(), format!("{plain}/**")];
    let compiled = patterns.iter().map(|pattern| Ok(GlobBuilder::new(pattern).literal_separator(true).build()?.compile_matcher()));
    compiled.collect::<Result<_, globset::Error>>().map_err(|error| {
        Failure::new(format!("`{path}` is no pattern: {}", error.kind()))
            .help("write a file, a folder, or a pattern such as `policies/**/*.yaml`")
    })
}

fn no_policy(id: &str, trail: &Trail) -> Failure {
    let ids = trail.events().iter().flat_map(|event| std::iter::once(&event.policy).chain(&event.renamed));
    let help = match nearest(id, ids.map(|id| id.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`lawbook audit` shows every policy that there ever was".to_owned(),
    };
    Failure::new(format!("there has never been a policy `{id}`")).help(help)
}

fn nobody(text: &str, trail: &Trail, people: &People) -> Failure {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for event in trail.events() {
        let known = |person: &Person| [person.clone(), people.known(person).into_owned()];
        for Person { name, email } in event.people().iter().flat_map(known) {
            // The text may have been meant as a part of a name or of an address, as it may be.
            names.extend(name.split_whitespace().chain(email.split('@')).map(str::to_owned));
            names.extend([name, email]);
        }
    }
    let help = match nearest(text, names.iter().map(String::as_str).filter(|name| !name.is_empty())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`lawbook audit` shows who did".to_owned(),
    };
    Failure::new(format!("nobody whose name or address holds `{text}` ever changed a policy")).help(help)
}

fn no_file(path: &str, trail: &Trail) -> Failure {
    let files = trail.events().iter().flat_map(|event| std::iter::once(&event.path).chain(&event.from));
    let help = match nearest(path, files.map(|path| &**path)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "paths are relative to the folder of the law book".to_owned(),
    };
    Failure::new(format!("no policy was ever in a file that matches `{path}`")).help(help)
}

fn write_file(output: &Output, report: &AuditReport<'_>) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| Failure::unwritable(&output.path, &error);
    let mut file = BufWriter::new(File::create(&output.path).map_err(unwritable)?);
    let plain = AuditReport { look: Look::PLAIN, ..report.clone() };
    output.format.write(&plain, &mut file).map_err(unwritable)?;
    file.flush().map_err(unwritable)
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
