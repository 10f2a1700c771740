//! What the rules look at: everything that was read of one revision, also what could not be.

use std::sync::OnceLock;

use crate::analysis::Analysis;
use crate::config::Config;
use crate::config::ConfigProblem;
use crate::policy::Misfit;
use crate::policy::Policy;
use crate::policy::PolicyDocument;
use crate::policy::PolicyFile;
use crate::policy::PolicySet;
use crate::source::SourceId;
use crate::source::SourceMap;
use crate::source::Span;

/// A policy file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Where: the file, and how far it could be read.
    pub span: Span,
    /// Why: lower case, no full stop.
    pub message: String,
    /// What to do next.
    pub help: String,
}

/// A document by its place in a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentRef {
    /// The position of the file in [`Book::files`].
    pub file: usize,
    /// The position of the document in the file.
    pub document: usize,
}

/// One revision of a law book as it was read.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// Every file, also the configuration and those that could not be read.
    pub sources: SourceMap,
    /// The configuration; the default one where it could not be read.
    pub config: Config,
    /// The configuration file, if there is one.
    pub config_source: Option<SourceId>,
    /// What is wrong with the configuration.
    pub config_problems: Vec<ConfigProblem>,
    /// Policy files that could not be read.
    pub unreadable: Vec<Unreadable>,
    /// Policy files, in byte order of their paths.
    pub files: Vec<PolicyFile>,
    /// The policies that could be read.
    pub set: PolicySet,
    /// Where each policy of the set stands.
    pub places: Vec<DocumentRef>,
    /// Policies of the set whose condition does not fit the declared lists.
    pub misfits: Vec<Misfit>,
    /// The statements made ready for questions, once a rule has asked for them.
    pub analysis: OnceLock<Analysis>,
}

impl Book {
    /// The statements of the law book, ready for questions. Made once, when the first rule asks.
    pub fn analysis(&self) -> &Analysis {
        self.analysis.get_or_init(|| Analysis::new(&[self.set.statements()]))
    }

    /// The document at a place.
    pub fn document(&self, place: DocumentRef) -> Option<&PolicyDocument> {
        self.files.get(place.file).and_then(|file| file.documents.get(place.document))
    }

    /// Every document with its place, in order.
    pub fn documents(&self) -> impl Iterator<Item = (DocumentRef, &PolicyDocument)> {
        self.files.iter().enumerate().flat_map(|(file, read)| {
            let documents = read.documents.iter().enumerate();
            documents.map(move |(document, content)| (DocumentRef { file, document }, content))
        })
    }

    /// Every policy with its document, in order.
    pub fn policies(&self) -> impl Iterator<Item = (&Policy, &PolicyDocument)> {
        let policies = self.set.policies().iter().zip(&self.places);
        policies.filter_map(|(policy, &place)| self.document(place).map(|document| (&**policy, document)))
    }

    /// The document of the policy with this id.
    pub fn document_of(&self, id: &str) -> Option<&PolicyDocument> {
        let place = self.set.position(id).and_then(|position| self.places.get(position))?;
        self.document(*place)
    }
}
