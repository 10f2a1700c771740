//! `lawbook diff`: permissions gained and lost between two revisions of a law book.

use std::fs::File;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use super::law_book::absent;
use super::law_book::exists;
use super::revisions::Chosen;
use super::revisions::Revisions;
use super::revisions::choose;
use super::shell;
use crate::analysis::Analysis;
use crate::analysis::Management;
use crate::history::Repository;
use crate::history::RepositoryError;
use crate::report::Look;
use crate::report::count;
use crate::report::diff::Compared;
use crate::report::diff::DiffFormat;
use crate::report::diff::DiffReport;
use crate::report::diff::Gate;
use crate::source::SourceMap;
use crate::source::Span;
use crate::workspace::LoadError;
use crate::workspace::Workspace;
use crate::workspace::find_root;

/// The trailer that gives leave for a gain.
const ALLOW: &str = "Lawbook-Allow";

/// Show the permissions gained and lost between two revisions, with an example of each
///
/// Compares what the policies mean, not how they are written: a file that was renamed, reformatted or split changes nothing.
/// A gain can be accepted by its fingerprint, with a trailer `Lawbook-Allow: FINGERPRINT` in a commit message of B.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lawbook diff                          what the files on disk change, against HEAD\n  lawbook diff --staged                 what the next commit would change\n  lawbook diff v1..v2                   two revisions\n  lawbook diff main...HEAD              what this branch changes\n  lawbook diff main...HEAD --deny-new-access\n  lawbook diff main...HEAD --format markdown > comment.md"
)]
pub(super) struct Diff {
    /// `A` (against the files on disk), `A..B`, or `A...B` (what B changed since it left A)
    #[arg(value_name = "A[..B]", default_value = "HEAD")]
    revisions: String,

    /// The folder of the law book [default: the nearest one from the current folder upwards]
    dir: Option<PathBuf>,

    /// Compare with what is staged for the next commit instead of the files on disk
    #[arg(long)]
    staged: bool,

    /// Exit with 1 if there is a gain that is not waived, or anything undecided
    #[arg(long)]
    deny_new_access: bool,

    /// Accept the gain with this fingerprint; may be repeated
    #[arg(long, value_name = "FINGERPRINT")]
    allow: Vec<String>,

    /// The format on standard output: human, json or markdown
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = format)]
    format: DiffFormat,

    /// Write the report to a file as well, in any format; may be repeated
    #[arg(long, value_name = "FORMAT=PATH", value_parser = output)]
    output: Vec<Output>,
}

#[derive(Debug, Clone)]
struct Output {
    format: DiffFormat,
    path: PathBuf,
}

fn format(name: &str) -> Result<DiffFormat, String> {
    DiffFormat::named(name).ok_or_else(|| format!("use one of {}", DiffFormat::ALL.map(DiffFormat::as_str).join(", ")))
}

fn output(text: &str) -> Result<Output, String> {
    match text.split_once('=') {
        Some((name, path)) if !path.is_empty() => Ok(Output { format: format(name)?, path: PathBuf::from(path) }),
        _ => Err("write a format and a file, such as `markdown=comment.md`".to_owned()),
    }
}

impl Diff {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let revisions = Revisions::parse(&self.revisions);
        if self.staged && !matches!(revisions, Revisions::One(_)) {
            let message = format!("`--staged` compares one revision with the index, and `{}` names two", self.revisions);
            return Err(Failure::new(message).help("leave out `--staged`, or name one revision").into());
        }
        let root = find_root(self.dir.as_deref())?;
        let repository = Repository::open(&root)?;
        let open = if self.staged { Chosen::Index } else { Chosen::Worktree };
        let (before, after) = choose(&repository, &revisions, open).map_err(|error| self.folder_first(error))?;
        let (old, new) = rayon::join(|| Workspace::open(&root, &before.origin()), || Workspace::open(&root, &after.origin()));
        let (old, new) = (old.map_err(bare)?, new.map_err(bare)?);
        if !exists(&old) && !exists(&new) {
            return Err(absent(&root, &after.origin()).into());
        }
        for (chosen, workspace) in [(&before, &old), (&after, &new)] {
            compiles(chosen, workspace, self.dir.as_deref())?;
            if !exists(workspace) {
                console.remark(format!("there is no law book in {}: it is compared as an empty one", chosen.words()));
            }
        }
        if let Some(problem) = new.book.directory_problems.first() {
            let place = place(&new.book.sources, problem.span);
            console.remark(format!("{place}: {}: every caller counts that there could be\n  help: {}", problem.message, problem.help));
        }
        let analysis = between(&old, &new);
        let difference = analysis.difference();
        let waivers = self.waivers(&repository, &before, &after)?;
        let sides = (Compared { what: before.side(), book: &old.book }, Compared { what: after.side(), book: &new.book });
        let mut report = DiffReport::new(&difference, sides.0, sides.1, &waivers, console.look()).locked_out(locks_out(&analysis));
        if self.deny_new_access {
            report = report.gated();
        }
        for output in &self.output {
            write_file(output, &report)?;
        }
        console.show(|out| self.format.write(&report, out))?;
        let Some(gate) = report.gate.filter(|gate| !gate.passes()) else { return Ok(Status::Fine) };
        console.remark(refusal(gate));
        Ok(Status::No)
    }

    /// A folder in the place of the revision: `lawbook diff laws`.
    fn folder_first(&self, error: RepositoryError) -> miette::Report {
        match error {
            RepositoryError::UnknownRevision { .. } if self.dir.is_none() && Path::new(&self.revisions).is_dir() => {
                let folder = &self.revisions;
                let help = format!("name the folder second: `lawbook diff HEAD {folder}`");
                Failure::new(format!("`{folder}` is a folder, not a revision")).help(help).into()
            }
            error => error.into(),
        }
    }

    /// Fingerprints that somebody gave leave for: on the command line, and in the commits that only the side after has.
    fn waivers(&self, repository: &Repository, before: &Chosen, after: &Chosen) -> Result<Vec<(String, Option<String>)>, RepositoryError> {
        let mut waivers: Vec<(String, Option<String>)> =
            self.allow.iter().map(|fingerprint| (fingerprint.trim().to_owned(), None)).collect();
        if let (Chosen::Revision { commit: from, .. }, Chosen::Revision { commit: to, .. }) = (before, after) {
            for trailer in repository.trailers_between(from, to, ALLOW)? {
                // One trailer may name several, and say why behind the first word of each.
                let fingerprint = trailer.value.split_whitespace().next().unwrap_or_default().to_owned();
                waivers.push((fingerprint, Some(trailer.commit)));
            }
        }
        Ok(waivers)
    }
}

/// The analysis of what two law books differ in. Who there is afterwards is who can gain something.
pub(super) fn between(old: &Workspace, new: &Workspace) -> Analysis {
    let analysis = Analysis::new(&[old.book.set.statements(), new.book.set.statements()]);
    match new.book.callers() {
        Some(callers) => analysis.in_world(&callers),
        None => analysis,
    }
}

/// Refuses a side whose meaning is not known: half a law book must not be compared.
fn compiles(chosen: &Chosen, workspace: &Workspace, dir: Option<&Path>) -> Result<(), Failure> {
    let Err(findings) = workspace.compile() else { return Ok(()) };
    let Some(first) = findings.first() else { return Ok(()) };
    let place = place(&workspace.book.sources, first.primary.span);
    let more = match findings.len() - 1 {
        0 => String::new(),
        more => format!(", and {}", count(more, "more finding")),
    };
    let message = format!("the law book in {} does not compile: {place}: {}{more}", chosen.words(), first.message);
    let dir = dir.map(|dir| format!(" {}", shell::argument(dir))).unwrap_or_default();
    let verb = match chosen {
        Chosen::Revision { .. } => "compare with a revision that compiles",
        Chosen::Worktree | Chosen::Index => "repair it",
    };
    Err(Failure::new(message).help(format!("{verb}; `lawbook check{dir}{}` shows what is wrong", chosen.check_flag())))
}

/// A place as `path:line:column`.
fn place(sources: &SourceMap, span: Span) -> String {
    let at = sources.line_column(span);
    format!("{}:{}:{}", sources.path(span.source), at.line, at.column)
}

/// A bare repository, of which two revisions can be compared.
fn bare(error: LoadError) -> miette::Report {
    match error {
        LoadError::Bare { .. } => Failure::new(error.to_string()).help("compare two revisions: write `A..B`").into(),
        error => error.into(),
    }
}

/// Whether somebody could change policies before, and nobody can after; `None` if it is not known.
fn locks_out(analysis: &Analysis) -> Option<bool> {
    let possible = |side| match analysis.management(side) {
        Management::Possible => Some(true),
        Management::NotGranted | Management::LockedOut(_) => Some(false),
        Management::Undecided(_) => None,
    };
    match (possible(0), possible(1)) {
        (_, Some(true)) | (Some(false), _) => Some(false),
        (Some(true), Some(false)) => Some(true),
        (None, _) | (_, None) => None,
    }
}

fn refusal(gate: Gate) -> String {
    let mut reasons = Vec::new();
    if gate.unwaived > 0 {
        reasons.push(format!("{} not waived", are(gate.unwaived, "gain")));
    }
    if gate.undescribed > 0 {
        reasons.push(format!("at least {} not even described", are(gate.undescribed, "more gain")));
    }
    if gate.undecided > 0 {
        reasons.push(format!("{} undecided", are(gate.undecided, "policy")));
    }
    let mut text = format!("new access is denied: {}", reasons.join(", "));
    if gate.incomplete > 0 {
        let what = are(gate.incomplete, "gain");
        let split = "split the change into policies with shorter conditions";
        text.push_str(&format!("\n  help: {what} described only in part, and no leave can be given for that: {split}"));
    }
    if gate.unwaived > gate.incomplete {
        text.push_str(&format!(
            "\n  help: accept a gain with the trailer `{ALLOW}: FINGERPRINT` in a commit message, or with `--allow FINGERPRINT`"
        ));
    }
    text
}

fn are(number: usize, noun: &str) -> String {
    format!("{} {}", count(number, noun), if number == 1 { "is" } else { "are" })
}

fn write_file(output: &Output, report: &DiffReport<'_>) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| Failure::unwritable(&output.path, &error);
    let mut file = BufWriter::new(File::create(&output.path).map_err(unwritable)?);
    let plain = DiffReport { look: Look::PLAIN, ..report.clone() };
    output.format.write(&plain, &mut file).map_err(unwritable)?;
    file.flush().map_err(unwritable)
}
