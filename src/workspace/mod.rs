//! The one path from bytes to findings, and from bytes to a compiled law book.
//!
//! A law book is loaded from the worktree, the git index or any commit through one loader ([`load`]), and becomes a
//! [`Book`] through one function ([`assemble`]). The command line, hooks, CI, the server's reload and the tests all call
//! [`Workspace::check`] and [`Workspace::compile`]; nothing else reads policies.

mod assemble;
mod load;
mod standing;

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::bundle::contents::Contents;
use crate::bundle::contents::PlacedPolicy;
use crate::config;
use crate::finding::Finding;
use crate::history::Breach;
use crate::history::Demand;
use crate::history::HistoryError;
use crate::history::Repository;
use crate::history::RepositoryError;
use crate::history::Revision;
use crate::history::breaches;
use crate::lint;
use crate::lint::Book;
use crate::lint::Unsigned;
use crate::policy::Control;
use crate::policy::Policy;
use crate::policy::PolicyId;
use crate::policy::PolicySet;
use crate::source::SourceFile;
use crate::source::Span;

pub use assemble::Raw;
pub use assemble::RawFile;
pub use assemble::Refusal;
pub use assemble::assemble;
pub use assemble::read_config;
pub use load::LoadError;
pub use load::Loaded;
pub use load::Origin;
pub use load::find_root;
pub use load::load;
pub use standing::Standing;

/// A law book of one revision, read.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    /// Everything that was read.
    pub book: Book,
    /// The root of the law book; empty when it was not loaded from anywhere.
    pub root: PathBuf,
    /// Whether the root lies in a repository.
    pub repository: bool,
    /// The commit; of a worktree and an index, the one that HEAD is at, if there is one.
    pub revision: Option<Revision>,
}

impl Workspace {
    /// Reads what was loaded.
    pub fn new(raw: Raw) -> Self {
        Self { book: assemble(raw), ..Self::default() }
    }

    /// Loads and reads the law book whose root is `dir`.
    ///
    /// # Errors
    /// It cannot be loaded at all. What is wrong with its files are findings.
    pub fn open(dir: &Path, origin: &Origin) -> Result<Self, LoadError> {
        let (Loaded { raw, root, repository, revision }, files) = load::locate(dir, origin)?;
        let (book, reader) = assemble::begin(raw);
        let read: Option<Vec<_>> = files.read(|at, file| reader.read(at, file))?.into_iter().collect();
        let book = match read {
            Some(read) => assemble::finish(book, read),
            // A file went away while the others were read, so that none stands at its position any more.
            None => assemble(load(dir, origin)?.raw),
        };
        Ok(Self { book, root, repository, revision })
    }

    /// Holds the landing commits up to the revision of the law book to its requirement of signatures. What is not in order are
    /// findings from then on. Without a repository, or a commit in it, there is nothing to hold.
    ///
    /// # Errors
    /// The history cannot be read, or is not all there; or it is demanded always, and there is none.
    pub fn hold(&mut self, demand: Demand<'_>) -> Result<(), HistoryError> {
        let Some(revision) = self.revision.as_ref().filter(|_| self.repository) else {
            return match demand {
                Demand::Always if self.repository => Err(RepositoryError::NoCommits { dir: self.root.clone() }.into()),
                Demand::Always => Err(RepositoryError::None { dir: self.root.clone() }.into()),
                Demand::Written | Demand::After(_) => Ok(()),
            };
        };
        let found = breaches(&Repository::open(&self.root)?, &revision.commit, demand)?;
        if found.is_empty() {
            return Ok(());
        }
        let book = &mut self.book;
        // The revision may have no configuration any more, which is then what is wrong.
        let source = book.config_source.unwrap_or_else(|| book.sources.push(SourceFile::new(config::FILE_NAME, "")));
        let span = Span::new(source, book.config.history.require_signed.range.clone());
        book.unsigned = found.into_iter().map(|Breach { message, help, .. }| Unsigned { span, message, help }).collect();
        Ok(())
    }

    /// Every finding, in order. `today` decides which suppressions have expired.
    pub fn check(&self, today: jiff::civil::Date) -> Vec<Finding> {
        lint::run(&self.book, today)
    }

    /// The law book, ready to decide.
    ///
    /// # Errors
    /// The blocking findings: those that leave the meaning of a file unknown. No other finding keeps a law book from compiling.
    pub fn compile(&self) -> Result<Arc<PolicySet>, Vec<Finding>> {
        let blocking = lint::blocking(&self.book);
        if blocking.is_empty() { Ok(Arc::new(self.book.set.clone())) } else { Err(blocking) }
    }

    /// What a bundle says about the law book. `created` gives the time at which a policy was introduced, for controls that do not say.
    pub fn contents(&self, created: impl Fn(&PolicyId) -> Option<String>) -> Contents {
        let placed = |(policy, document): (&Arc<Policy>, &lint::DocumentRef)| {
            let file = self.book.files.get(document.file);
            let path = file.map_or("", |file| self.book.sources.path(file.source)).to_owned();
            PlacedPolicy { path, policy: dated(policy, &created) }
        };
        let config = &self.book.config;
        Contents {
            actions: config.actions.clone(),
            lists: config.attributes.keys().cloned().collect(),
            critical: config.critical.iter().map(|id| id.value.clone()).collect(),
            max_staleness: config.server.max_staleness.clone(),
            policies: self.book.set.policies().iter().zip(&self.book.places).map(placed).collect(),
        }
    }
}

/// The policy; a control that does not say when it was created gets the time from its history.
fn dated(policy: &Arc<Policy>, created: impl Fn(&PolicyId) -> Option<String>) -> Arc<Policy> {
    match &**policy {
        Policy::Control(control) if control.created_at.is_none() => {
            Arc::new(Policy::Control(Control { created_at: created(&control.id), ..control.clone() }))
        }
        _ => Arc::clone(policy),
    }
}
