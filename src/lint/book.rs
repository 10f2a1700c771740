//! What the rules look at: everything that was read of one revision, also what could not be.

use std::sync::Arc;
use std::sync::OnceLock;

use crate::analysis::Analysis;
use crate::analysis::Conditions;
use crate::analysis::Examined;
use crate::analysis::Meaning;
use crate::condition::Lists;
use crate::condition::Pool;
use crate::config::Config;
use crate::config::ConfigProblem;
use crate::decision::Subject;
use crate::directory::Directory;
use crate::directory::DirectoryProblem;
use crate::policy;
use crate::policy::Misfit;
use crate::policy::Policy;
use crate::policy::PolicyDocument;
use crate::policy::PolicyFile;
use crate::policy::PolicySet;
use crate::policy::Statement;
use crate::source::SourceFile;
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

/// A landing commit that had to be signed, and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// The place that requires it.
    pub span: Span,
    /// Which one, and what is wrong with it: lower case, no full stop.
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
    /// Every file, also the configuration, the directory and those that could not be read.
    pub sources: SourceMap,
    /// The configuration; the default one where it could not be read.
    pub config: Config,
    /// The configuration file, if there is one.
    pub config_source: Option<SourceId>,
    /// What is wrong with the configuration.
    pub config_problems: Vec<ConfigProblem>,
    /// Who there is; `None` when no file says so, and when the one that does is not understood.
    pub directory: Option<Directory>,
    /// The file of the directory, if there is one.
    pub directory_source: Option<SourceId>,
    /// What is wrong with the directory.
    pub directory_problems: Vec<DirectoryProblem>,
    /// The file of allowed signers, if there is one.
    pub signers_source: Option<SourceId>,
    /// Its lines that cannot be read, and what is wrong with them.
    pub signers_problems: Vec<(Span, String)>,
    /// Landing commits that had to be signed, as far as somebody has looked at the history.
    pub unsigned: Vec<Unsigned>,
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
    /// What there is to say of the law book as a whole, once a rule has asked for it.
    pub meaning: OnceLock<Meaning>,
    /// What is known of the single conditions, once a rule has asked for it.
    pub conditions: OnceLock<Conditions>,
}

impl Book {
    /// The files that what is served depends on, in order: all but the directory and the allowed signers.
    pub fn served(&self) -> impl Iterator<Item = &SourceFile> {
        let others = [self.directory_source, self.signers_source];
        self.sources.iter().filter(move |(id, _)| !others.contains(&Some(*id))).map(|(_, file)| file)
    }

    /// The statements of the law book and the scopes of the assertions, in their order, ready for questions. Made once, when the
    /// first rule asks.
    pub fn analysis(&self) -> &Analysis {
        self.analysis.get_or_init(|| {
            let lists = policy::lists(&self.config).unwrap_or_default();
            // INVARIANT: a configuration with an assertion that has no scope is not taken, so each has its place.
            let scopes = self.config.assertions.iter().filter_map(|assertion| policy::scope(&assertion.claim, &lists));
            let scopes: Vec<Arc<Statement>> = scopes.map(Arc::new).collect();
            let analysis = Analysis::with_scopes(&[self.set.statements()], &scopes);
            match self.callers() {
                Some(callers) => analysis.in_world(&callers),
                None => analysis,
            }
        })
    }

    /// The callers that there are, if a directory says so.
    pub fn callers(&self) -> Option<Vec<&Subject>> {
        self.directory.as_ref().map(|directory| directory.users.iter().map(|user| &user.subject).collect())
    }

    /// What there is to say of the law book as a whole. Found out once, when the first rule asks.
    pub fn meaning(&self) -> &Meaning {
        self.meaning.get_or_init(|| self.analysis().meaning())
    }

    /// The statement at a position, with the document of its policy.
    pub fn stated(&self, position: usize) -> Option<(&Statement, &PolicyDocument)> {
        let statement = self.set.statement(position)?;
        self.document_of(statement.policy.as_str()).map(|document| (statement, document))
    }

    /// The attributes that are declared as lists; none where the declarations cannot be read.
    pub fn lists(&self) -> Lists {
        policy::lists(&self.config).unwrap_or_default()
    }

    /// What the policy at a position of the set lowers to once it is enabled; `None` if there is nothing to enforce, or it does not fit
    /// the declared lists.
    pub fn in_force(&self, policy: usize, lists: &Lists) -> Option<Arc<Statement>> {
        if let Some(statement) = self.set.stated(policy).and_then(|position| self.set.statements().get(position)) {
            return Some(statement.clone());
        }
        let mut policy = (**self.set.policies().get(policy)?).clone();
        match &mut policy {
            Policy::Access(access) => access.enabled = true,
            Policy::Control(control) => control.enabled = true,
        }
        policy::lower(&policy, &Pool::new(lists.clone())).ok()?
    }

    /// Every policy whose condition can be read, with its document and what is known of the condition, in order. All conditions are
    /// looked at when the first rule asks.
    pub fn conditions(&self) -> impl Iterator<Item = (&Policy, &PolicyDocument, &Examined)> {
        self.placed_conditions().map(|(_, policy, document, condition)| (policy, document, condition))
    }

    /// The same with the position of each policy in the set.
    pub fn placed_conditions(&self) -> impl Iterator<Item = (usize, &Policy, &PolicyDocument, &Examined)> {
        let conditions = self.conditions.get_or_init(|| Conditions::new(self.set.policies(), &self.lists()));
        let policies = self.set.policies().iter().zip(&self.places).enumerate();
        policies.filter_map(|(at, (policy, &place))| Some((at, &**policy, self.document(place)?, conditions.of(at)?)))
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
