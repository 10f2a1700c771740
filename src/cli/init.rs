//! `lawbook init`: a first law book, in an existing repository or a new one.

use std::collections::BTreeMap;
use std::fs;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;

use super::Console;
use super::Failure;
use super::Outcome;
use super::Status;
use super::law_book::load;
use super::law_book::today;
use super::shell;
use crate::config;
use crate::finding::Severity;
use crate::history::Repository;
use crate::lint::Book;
use crate::lint::DocumentRef;
use crate::policy::PolicyDocument;
use crate::report::Format;
use crate::report::printable::one_line;
use crate::schema::POLICY_SCHEMA;
use crate::workspace::Origin;
use crate::workspace::Workspace;
use crate::write::init_repository;

/// The files of a first law book, from the example law book of this repository. The configuration comes last: where it
/// stands, everything else does.
const FILES: [(&str, &str); 6] = [
    ("schema/policy.schema.json", POLICY_SCHEMA),
    ("policies/controls/pol-mfa-required.yaml", include_str!("../../policies/controls/pol-mfa-required.yaml")),
    ("policies/controls/pol-network-zero-trust.yaml", include_str!("../../policies/controls/pol-network-zero-trust.yaml")),
    ("policies/controls/pol-session-recording.yaml", include_str!("../../policies/controls/pol-session-recording.yaml")),
    ("policies/report/ReadExampleReports.yaml", include_str!("../../policies/report/ReadExampleReports.yaml")),
    (config::FILE_NAME, include_str!("init/lawbook.toml")),
];

/// Start a law book: lawbook.toml, the three default controls and an example policy
///
/// A folder that is in no git repository becomes one. Nothing that exists is overwritten.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lawbook init\n  lawbook init my-policies")]
pub(super) struct Init {
    /// The folder; it is made if it does not exist
    #[arg(default_value = ".")]
    dir: PathBuf,
}

impl Init {
    pub(super) fn run(self, console: &mut Console) -> Outcome {
        let dir = &self.dir;
        self.refuse()?;
        fs::create_dir_all(dir).map_err(|error| Failure::unwritable(dir, &error))?;
        if init_repository(dir)? {
            console.say(format!("made a git repository in `{}`", dir.display()))?;
        }
        let known = known(&Workspace::open(dir, &Origin::Worktree)?.book);
        for (path, text) in FILES {
            console.say(write(dir, path, text, &known)?)?;
        }
        let loaded = load(Some(dir), Origin::Worktree)?;
        let findings = loaded.workspace.check(today());
        if findings.is_empty() {
            console.say(format!("\nCheck it with `lawbook check{}`, and commit it with git.", self.argument()))?;
            return Ok(Status::Fine);
        }
        console.say("")?;
        let report = loaded.report(&findings, console.look());
        console.show(|out| Format::Human.write(&report, out))?;
        let wrong = findings.iter().any(|finding| finding.severity == Severity::Error);
        Ok(if wrong { Status::No } else { Status::Fine })
    }

    /// Refuses a place where no law book can begin.
    fn refuse(&self) -> miette::Result<()> {
        let dir = &self.dir;
        Failure::unless_folder(dir, "the folder of the law book")?;
        if dir.join(config::FILE_NAME).exists() {
            let message = format!("`{}` exists: this is a law book already", dir.join(config::FILE_NAME).display());
            return Err(Failure::new(message).help(format!("check it with `lawbook check{}`", self.argument())).into());
        }
        if let Some(outer) = outer(dir) {
            let message = format!("`{}` lies in the law book `{}`", dir.display(), outer.display());
            return Err(Failure::new(message).help("add policies to that one, or start another in a repository of its own").into());
        }
        Ok(())
    }

    /// The folder as an argument of the next command.
    fn argument(&self) -> String {
        if self.dir == Path::new(".") { String::new() } else { format!(" {}", shell::argument(&self.dir)) }
    }
}

/// The law book in the same repository that a folder, which need not exist yet, would lie in.
fn outer(dir: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(dir).ok()?;
    let standing = absolute.ancestors().find(|folder| folder.is_dir())?.canonicalize().ok()?;
    let top = Repository::open(&standing).ok()?.worktree()?.canonicalize().ok()?;
    // A folder that stands has been looked at itself.
    let first = usize::from(absolute.is_dir());
    let mut above = standing.ancestors().skip(first).take_while(|folder| folder.starts_with(&top));
    above.find(|folder| folder.join(config::FILE_NAME).is_file()).map(Path::to_owned)
}

/// The policies that are there already: where each id stands.
pub(super) fn known(book: &Book) -> BTreeMap<String, String> {
    let place = |(at, document): (DocumentRef, &PolicyDocument)| {
        let file = book.files.get(at.file)?;
        Some((document.id()?.0.to_owned(), book.sources.path(file.source).to_owned()))
    };
    book.documents().filter_map(place).collect()
}

/// Writes one file of a first law book, unless it or its policy is there already, and says what it did.
fn write(dir: &Path, path: &str, text: &str, known: &BTreeMap<String, String>) -> Result<String, Failure> {
    // Each policy of a first law book stands in the file that bears its id.
    let id = path.rsplit('/').next().and_then(|name| name.strip_suffix(".yaml"));
    match id.and_then(|id| known.get_key_value(id)) {
        Some((id, place)) if place != path => Ok(format!("`{id}` exists already in {}; not written", one_line(place))),
        _ if write_new(&dir.join(path), text)? => Ok(format!("wrote {path}")),
        _ => Ok(format!("kept  {path}, which exists")),
    }
}

/// Writes a file that does not exist; says whether it did.
pub(super) fn write_new(path: &Path, text: &str) -> Result<bool, Failure> {
    let unwritable = |error: std::io::Error| Failure::unwritable(path, &error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(unwritable)?;
    }
    let mut file = match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(unwritable(error)),
    };
    file.write_all(text.as_bytes()).map_err(unwritable)?;
    Ok(true)
}
