//! `lawbook check`: validates and lints a law book, and repairs what it can.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufWriter;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use super::fix;
use super::law_book::LawBook;
use super::law_book::Loaded;
use super::law_book::load;
use super::law_book::today;
use super::replace::replace;
use super::unified;
use crate::finding::Finding;
use crate::finding::Safety;
use crate::finding::Severity;
use crate::history::Demand;
use crate::report::Format;
use crate::report::Look;
use crate::report::count;
use crate::workspace::Origin;

/// How often fixes are applied and the law book is read again, before what is left is only told.
const ROUNDS: usize = 10;

/// Validate and lint the policies of a law book
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lawbook check\n  lawbook check --staged            what the next commit would hold, for a git hook\n  lawbook check --rev main --format json\n  lawbook check --output json=findings.json\n  lawbook check --fix --diff        what --fix would change"
)]
pub(super) struct Check {
    #[command(flatten)]
    book: LawBook,

    /// Read what is staged for the next commit instead of the files on disk
    #[arg(long, conflicts_with_all = ["rev", "fix", "unsafe_fixes", "diff"])]
    staged: bool,

    /// Fail also where the law book does not require signed commits; so that no commit can take that back
    #[arg(long)]
    require_signed: bool,

    /// The format on standard output: human, concise or json
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = format)]
    format: Format,

    /// Write the report to a file as well, in any format; may be repeated
    #[arg(long, value_name = "FORMAT=PATH", value_parser = output)]
    output: Vec<Output>,

    /// Apply the fixes that keep the meaning of a file
    #[arg(long, conflicts_with = "rev")]
    fix: bool,

    /// Apply every fix, also those that may change what a policy means
    #[arg(long, conflicts_with = "rev")]
    unsafe_fixes: bool,

    /// Show what the fixes would change, and change nothing; exit with 1 if they would
    #[arg(long, conflicts_with = "rev")]
    diff: bool,
}

#[derive(Debug, Clone)]
struct Output {
    format: Format,
    path: PathBuf,
}

fn format(name: &str) -> Result<Format, String> {
    Format::named(name).ok_or_else(|| format!("use one of {}", Format::ALL.map(Format::as_str).join(", ")))
}

fn output(text: &str) -> Result<Output, String> {
    match text.split_once('=') {
        Some((name, path)) if !path.is_empty() => Ok(Output { format: format(name)?, path: PathBuf::from(path) }),
        _ => Err("write a format and a file, such as `json=findings.json`".to_owned()),
    }
}

impl Check {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let mut loaded = self.load()?;
        let mut findings = loaded.workspace.check(today());
        let allowed = if self.unsafe_fixes { Safety::Unsafe } else { Safety::Safe };
        if self.diff {
            return show_diff(&loaded, &findings, allowed, console);
        }
        if self.fix || self.unsafe_fixes {
            (loaded, findings) = self.repair(loaded, findings, allowed, console)?;
        }
        for output in &self.output {
            write_file(output, &loaded, &findings)?;
        }
        let report = loaded.report(&findings, console.look());
        console.show(|out| self.format.write(&report, out))?;
        if report.files == 0 {
            let hint = "`files` in lawbook.toml says where policies are, and `lawbook init` writes first ones";
            console.remark(format!("no policy file was found in `{}`; {hint}", loaded.workspace.root.display()));
        }
        // The process ends here; taking a large law book apart piece by piece would only make it end later.
        std::mem::forget(loaded);
        let status = status(&findings);
        std::mem::forget(findings);
        Ok(status)
    }

    fn load(&self) -> miette::Result<Loaded> {
        let mut loaded = if self.staged { load(self.book.dir.as_deref(), Origin::Index)? } else { self.book.load()? };
        // A hook that looks at what is staged must not stop the very commit that signs again, or pins, what is not in order.
        if self.require_signed {
            loaded.workspace.hold(Demand::Always)?;
        } else if !self.staged {
            loaded.workspace.hold(Demand::Written)?;
        }
        Ok(loaded)
    }

    /// Applies fixes and reads again, until nothing is left to fix.
    fn repair(
        &self,
        mut loaded: Loaded,
        mut findings: Vec<Finding>,
        allowed: Safety,
        console: &mut Console,
    ) -> miette::Result<(Loaded, Vec<Finding>)> {
        let mut changed = BTreeSet::new();
        for _ in 0..ROUNDS {
            let sources = &loaded.workspace.book.sources;
            let texts = fix::texts(&findings, sources, allowed);
            if texts.is_empty() {
                break;
            }
            for (source, text) in &texts {
                let Some(file) = sources.get(*source) else { continue };
                replace(&loaded.workspace.root.join(file.path()), file.text(), text)?;
                changed.insert(file.path().to_owned());
            }
            loaded = self.load()?;
            findings = loaded.workspace.check(today());
        }
        if !changed.is_empty() {
            console.remark(format!("repaired {}", count(changed.len(), "file")));
        }
        Ok((loaded, findings))
    }
}

fn status(findings: &[Finding]) -> Status {
    if findings.iter().any(|finding| finding.severity == Severity::Error) { Status::No } else { Status::Fine }
}

fn show_diff(loaded: &Loaded, findings: &[Finding], allowed: Safety, console: &mut Console) -> Outcome {
    let sources = &loaded.workspace.book.sources;
    let texts = fix::texts(findings, sources, allowed);
    // As with `fmt --diff`, the answer is no when there is something to change.
    let status = if texts.is_empty() { status(findings) } else { Status::No };
    for (source, text) in texts {
        let Some(file) = sources.get(source) else { continue };
        let diff = unified::diff(file.path(), file.text(), &text);
        console.show(|out| out.write_all(diff.as_bytes()))?;
    }
    Ok(status)
}

fn write_file(output: &Output, loaded: &Loaded, findings: &[Finding]) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| Failure::unwritable(&output.path, &error);
    let mut file = BufWriter::new(File::create(&output.path).map_err(unwritable)?);
    output.format.write(&loaded.report(findings, Look::PLAIN), &mut file).map_err(unwritable)?;
    file.flush().map_err(unwritable)
}
