//! `lawbook fmt`: writes policy files in their canonical form.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use rayon::prelude::*;

use super::Console;
use super::Outcome;
use super::Status;
use super::law_book::Loaded;
use super::law_book::load;
use super::replace::replace;
use super::unified;
use crate::finding::Finding;
use crate::policy::FormatError;
use crate::policy::format;
use crate::report::count;
use crate::source::SourceFile;
use crate::source::SourceId;
use crate::workspace::Origin;

/// Write policy files in canonical form: the order of keys, the spellings of conditions
///
/// Comments, quotes and blank lines stay, and travel with the key that they belong to. JSON and flow style (`{…}`) keep
/// their order. A file that is not valid is left alone, and so is one that would come to mean something else; both are
/// named, and the exit status is 2 then.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  lawbook fmt\n  lawbook fmt --check    exit with 1 if a file is not in canonical form\n  lawbook fmt --diff     show what would change"
)]
pub(super) struct Fmt {
    /// The folder of the law book [default: the nearest one from the current folder upwards]
    dir: Option<PathBuf>,

    /// Change nothing; name the files that are not in canonical form
    #[arg(long)]
    check: bool,

    /// Change nothing; show what would change
    #[arg(long)]
    diff: bool,
}

/// What became of one file.
enum Formatted<'a> {
    Canonical,
    Changed(&'a SourceFile, String),
    Refused(&'a SourceFile, FormatError),
    Invalid(&'a SourceFile, &'a Finding),
}

impl Fmt {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let loaded = load(self.dir.as_deref(), Origin::Worktree)?;
        let mut changed = 0;
        let mut refused = 0;
        let blocking = loaded.workspace.compile().err().unwrap_or_default();
        for one in formatted(&loaded, &blocking) {
            match one {
                Formatted::Canonical => {}
                Formatted::Changed(file, text) => {
                    changed += 1;
                    self.tell(file, &text, &loaded, console)?;
                }
                Formatted::Refused(file, error) => {
                    refused += 1;
                    console.remark(format!("{}: {error}", file.path()));
                }
                Formatted::Invalid(file, finding) => {
                    refused += 1;
                    console.remark(format!("{}: it is not valid: {}", file.path(), finding.message));
                }
            }
        }
        refused += loaded.workspace.book.unreadable.len();
        for problem in &loaded.workspace.book.unreadable {
            console.remark(format!("{}: {}", loaded.workspace.book.sources.path(problem.span.source), problem.message));
        }
        self.conclude(changed, refused, &loaded, console)
    }

    fn tell(&self, file: &SourceFile, text: &str, loaded: &Loaded, console: &mut Console) -> miette::Result<()> {
        if self.diff {
            let diff = unified::diff(file.path(), file.text(), text);
            return Ok(console.show(|out| out.write_all(diff.as_bytes()))?);
        }
        if !self.check {
            replace(&loaded.workspace.root.join(file.path()), file.text(), text)?;
        }
        Ok(console.say(file.path())?)
    }

    fn conclude(&self, changed: usize, refused: usize, loaded: &Loaded, console: &mut Console) -> Outcome {
        let files = count(loaded.workspace.book.files.len(), "file");
        let verb = if self.check || self.diff { "would be rewritten" } else { "rewritten" };
        let left = if refused > 0 { format!(", {refused} left alone (see `lawbook check`)") } else { String::new() };
        console.remark(format!("{changed} of {files} {verb}{left}"));
        Ok(match (refused, changed) {
            (1.., _) => Status::Incomplete,
            (0, 1..) if self.check || self.diff => Status::No,
            _ => Status::Fine,
        })
    }
}

/// Every policy file in canonical form, in order. One whose meaning is unknown has none.
fn formatted<'a>(loaded: &'a Loaded, blocking: &'a [Finding]) -> Vec<Formatted<'a>> {
    let sources = &loaded.workspace.book.sources;
    let mut invalid = BTreeMap::new();
    for finding in blocking {
        invalid.entry(finding.primary.span.source).or_insert(finding);
    }
    let one = |source: SourceId| {
        let file = sources.get(source)?;
        Some(match (invalid.get(&source), format(file.text())) {
            (Some(finding), _) => Formatted::Invalid(file, finding),
            (None, Ok(text)) if text == file.text() => Formatted::Canonical,
            (None, Ok(text)) => Formatted::Changed(file, text),
            (None, Err(error)) => Formatted::Refused(file, error),
        })
    };
    loaded.workspace.book.files.par_iter().map(|file| file.source).filter_map(one).collect()
}
