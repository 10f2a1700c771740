//! Which law book a command reads, and of which revision.

use std::path::Path;
use std::path::PathBuf;

use clap::Args;

use super::Failure;
use super::shell;
use crate::config;
use crate::config::Config;
use crate::finding::Finding;
use crate::report::Look;
use crate::report::Report;
use crate::workspace::Origin;
use crate::workspace::Workspace;
use crate::workspace::find_root;

/// The folder and the revision of a law book.
#[derive(Debug, Args)]
pub(super) struct LawBook {
    /// The folder of the law book [default: the nearest one from the current folder upwards]
    pub dir: Option<PathBuf>,

    /// Read this revision (a commit, branch or tag) instead of the files on disk
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,
}

/// A law book that was read.
pub(super) struct Loaded {
    /// What was read.
    pub workspace: Workspace,
    /// What was read, in words, when it is not the worktree.
    pub revision: Option<String>,
}

impl LawBook {
    /// Reads the revision that was asked for, or the files on disk.
    pub fn load(&self) -> miette::Result<Loaded> {
        match &self.rev {
            Some(revision) => load(self.dir.as_deref(), Origin::Revision(revision.clone())),
            None => load(self.dir.as_deref(), Origin::Worktree),
        }
    }
}

/// Reads a law book.
///
/// # Errors
/// It cannot be loaded, or there is none: a check of the wrong folder must not look like a law book without findings.
pub(super) fn load(dir: Option<&Path>, origin: Origin) -> miette::Result<Loaded> {
    let workspace = Workspace::open(&find_root(dir)?, &origin)?;
    if !exists(&workspace) {
        return Err(absent(&workspace.root, &origin).into());
    }
    let revision = match origin {
        Origin::Worktree => None,
        Origin::Index => Some("index".to_owned()),
        Origin::Revision(_) => workspace.revision.as_ref().map(|revision| revision.commit.clone()),
    };
    Ok(Loaded { workspace, revision })
}

/// Whether there is anything that makes a law book: its configuration or a policy file.
pub(super) fn exists(workspace: &Workspace) -> bool {
    let book = &workspace.book;
    book.config_source.is_some() || !book.files.is_empty() || !book.unreadable.is_empty()
}

/// There is no law book in a folder, and where one may be.
pub(super) fn absent(root: &Path, origin: &Origin) -> Failure {
    let place = match origin {
        Origin::Worktree => String::new(),
        Origin::Index => " in the index".to_owned(),
        Origin::Revision(name) => format!(" at revision `{name}`"),
    };
    let message = nothing_in(root, &place);
    let help = match above(root) {
        Some(near) => format!("name its folder; the nearest law book above is `{}`", near.display()),
        None if *origin == Origin::Index => "add its files with `git add`".to_owned(),
        None => format!("name its folder, or make a law book with `lawbook init {}`", shell::argument(root)),
    };
    Failure::new(message).help(help)
}

/// That there is no law book in a folder; `place` says more of where, or of when.
pub(super) fn nothing_in(root: &Path, place: &str) -> String {
    let files = Config::default().files.join("`, `");
    format!("there is no law book in `{}`{place}: neither {} nor a file that matches `{files}`", root.display(), config::FILE_NAME)
}

/// The nearest folder above that holds the configuration of a law book.
pub(super) fn above(folder: &Path) -> Option<&Path> {
    folder.ancestors().skip(1).find(|above| above.join(config::FILE_NAME).is_file())
}

impl Loaded {
    /// The findings as a report.
    pub fn report<'a>(&'a self, findings: &'a [Finding], look: Look) -> Report<'a> {
        let book = &self.workspace.book;
        Report {
            findings,
            sources: &book.sources,
            files: book.files.len() + book.unreadable.len(),
            policies: book.set.policies().len(),
            callers: book.callers().map(|callers| callers.len()),
            revision: self.revision.as_deref(),
            look,
        }
    }
}

/// The day on which suppressions are judged: the same in every time zone.
pub(super) fn today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}
