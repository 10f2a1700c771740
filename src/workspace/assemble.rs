//! From bytes to a [`Book`]: pure, and the same wherever the bytes come from.

use std::sync::Arc;

use rayon::prelude::*;

use crate::condition::Pool;
use crate::config::Config;
use crate::config::ConfigProblem;
use crate::directory::Directory;
use crate::directory::DirectoryProblem;
use crate::history::AllowedSigners;
use crate::history::SignersProblem;
use crate::lint;
use crate::lint::Book;
use crate::lint::DocumentRef;
use crate::lint::Unreadable;
use crate::policy;
use crate::policy::Lowered;
use crate::policy::Policy;
use crate::policy::PolicyDocument;
use crate::policy::PolicyFile;
use crate::policy::PolicySet;
use crate::policy::lower;
use crate::policy::read_file;
use crate::schema::Schema;
use crate::source::SourceFile;
use crate::source::SourceId;
use crate::source::SourceMap;
use crate::source::Span;
use crate::syntax;

/// Why a file could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do next.
    pub help: String,
}

/// A file as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawFile {
    /// The path, relative to the root of the law book, with `/` between its parts.
    pub path: String,
    /// Its bytes, or why there are none.
    pub content: Result<Vec<u8>, Refusal>,
}

/// The files of one revision of a law book.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Raw {
    /// `lawbook.toml`, if there is one.
    pub config: Option<RawFile>,
    /// The configuration, when the loader has read it already to know which files to load.
    pub parsed: Option<Result<Config, Vec<ConfigProblem>>>,
    /// The directory, if there is one.
    pub directory: Option<RawFile>,
    /// The allowed signers, if there are any.
    pub signers: Option<RawFile>,
    /// The policy files, in byte order of their paths.
    pub files: Vec<RawFile>,
}

/// Reads the configuration of a revision: the default one when there is none.
///
/// # Errors
/// What is wrong with it.
pub fn read_config(file: Option<&RawFile>) -> Result<Config, Vec<ConfigProblem>> {
    let Some(file) = file else { return Ok(Config::default()) };
    let problem = |message: String, help: String| vec![ConfigProblem::new(0..0, message, help)];
    let bytes = file.content.as_ref().map_err(|refusal| problem(refusal.message.clone(), refusal.help.clone()))?;
    let text = std::str::from_utf8(bytes)
        .map_err(|error| problem(format!("the file is not UTF-8 at byte {}", error.valid_up_to()), "save it as UTF-8".to_owned()))?;
    let config = Config::parse(text)?;
    let mut problems = lint::level_problems(&config.levels);
    match policy::lists(&config) {
        Ok(lists) => problems.extend(policy::assertion_problems(&config, &lists)),
        Err(found) => problems.extend(found),
    }
    if problems.is_empty() { Ok(config) } else { Err(problems) }
}

/// Reads every file and resolves the law book.
pub fn assemble(mut raw: Raw) -> Book {
    let files = std::mem::take(&mut raw.files);
    let (book, reader) = begin(raw);
    let read = files.into_par_iter().enumerate().map(|(at, file)| reader.read(at, file)).collect();
    finish(book, read)
}

/// The law book without its policy files, and what it takes to read these.
pub(super) fn begin(raw: Raw) -> (Book, Reader) {
    let (config, mut config_problems) = match raw.parsed.unwrap_or_else(|| read_config(raw.config.as_ref())) {
        Ok(config) => (config, Vec::new()),
        Err(problems) => (Config::default(), problems),
    };
    let schema = match Schema::new(&config.actions) {
        Ok(schema) => Some(schema),
        Err(error) => {
            config_problems.push(ConfigProblem::new(0..0, error.to_string(), "report this as a defect of lawbook"));
            None
        }
    };
    let mut sources = SourceMap::default();
    let config_source = raw.config.map(|file| sources.push(source_file(&file.path, file.content.as_deref().unwrap_or(&[]))));
    let (directory_source, directory) = match raw.directory {
        Some(file) => {
            let id = sources.push(source_file(&file.path, file.content.as_deref().unwrap_or(&[])));
            (Some(id), read_directory(id, file).map(Some))
        }
        None => (None, absent_directory(&config, config_source).map_or(Ok(None), |problem| Err(vec![problem]))),
    };
    let (directory, directory_problems) = directory.map_or_else(|problems| (None, problems), |directory| (directory, Vec::new()));
    let signers_source = raw.signers.as_ref().map(|file| sources.push(source_file(&file.path, file.content.as_deref().unwrap_or(&[]))));
    let signers_problems = signers_source.zip(raw.signers).map(|(id, file)| signers_problems(id, &file, &sources)).unwrap_or_default();
    let lists = policy::lists(&config).unwrap_or_default();
    let reader = Reader { first: sources.len(), schema, conditions: Pool::new(lists) };
    let book = Book {
        sources,
        config,
        config_source,
        config_problems,
        directory,
        directory_source,
        directory_problems,
        signers_source,
        signers_problems,
        ..Book::default()
    };
    (book, reader)
}

fn read_directory(id: SourceId, file: RawFile) -> Result<Directory, Vec<DirectoryProblem>> {
    let bytes = file.content.map_err(|refusal| {
        let message = format!("the directory cannot be read: {}", refusal.message);
        let help = "put a file here that can be read, or name another one with `directory` in lawbook.toml";
        vec![DirectoryProblem::new(Span::new(id, 0..0), message, help)]
    })?;
    let text = syntax::decode(&bytes).map_err(|error| vec![DirectoryProblem::from(error.at(id))])?;
    Directory::read(id, text)
}

/// What cannot be read of the allowed signers, with its lines.
fn signers_problems(id: SourceId, file: &RawFile, sources: &SourceMap) -> Vec<(Span, String)> {
    let bytes = match &file.content {
        Ok(bytes) => bytes,
        Err(refusal) => return vec![(Span::new(id, 0..0), format!("the allowed signers cannot be read: {}", refusal.message))],
    };
    let text = sources.get(id).map_or("", SourceFile::text);
    let mut lines = vec![0];
    lines.extend(text.match_indices('\n').map(|(at, _)| at + 1));
    let place = |line: usize| {
        let start = lines.get(line - 1).copied().unwrap_or(text.len());
        let length = text.get(start..).and_then(|rest| rest.lines().next()).map_or(0, str::len);
        Span::new(id, start..start + length)
    };
    let told = |problem: &SignersProblem| (place(problem.line), problem.message.clone());
    AllowedSigners::parse(bytes).problems().iter().map(told).collect()
}

/// A directory that the configuration names and that is not there. Passing over it would answer for callers that there are not.
fn absent_directory(config: &Config, config_source: Option<SourceId>) -> Option<DirectoryProblem> {
    let (named, source) = config.directory.as_ref().zip(config_source)?;
    let message = format!("there is no file `{}`, which is to be the directory", named.value);
    let help = "add the file, to git as well, or take `directory` out of lawbook.toml";
    Some(DirectoryProblem::new(Span::new(source, named.range.clone()), message, help))
}

/// A file with its policies.
pub(super) struct Read {
    source: SourceFile,
    outcome: Result<(PolicyFile, Vec<Meaning>), Unreadable>,
}

/// A policy of a file.
struct Meaning {
    /// The position of its document.
    document: usize,
    policy: Arc<Policy>,
    lowered: Lowered,
}

/// What is known before the first policy file is read.
pub(super) struct Reader {
    /// How many sources come before the policy files.
    first: usize,
    schema: Option<Schema>,
    conditions: Pool,
}

impl Reader {
    /// Reads the policy file at a position. Its text is kept as far as it is text, so that a finding can show the place.
    pub(super) fn read(&self, at: usize, file: RawFile) -> Read {
        let id = SourceId::new(self.first + at);
        let refuse = |source: SourceFile, at: usize, refusal: Refusal| Read {
            source,
            outcome: Err(Unreadable { span: Span::new(id, at..at), message: refusal.message, help: refusal.help }),
        };
        let bytes = match file.content {
            Ok(bytes) => bytes,
            Err(refusal) => return refuse(SourceFile::new(file.path, ""), 0, refusal),
        };
        match syntax::decode(&bytes) {
            Ok(text) => {
                let content = match &self.schema {
                    Some(schema) => read_file(id, text, schema),
                    None => PolicyFile { source: id, errors: Vec::new(), comments: Vec::new(), documents: Vec::new() },
                };
                let meaning = |(document, content): (usize, &PolicyDocument)| {
                    let policy = Arc::clone(content.policy()?);
                    Some(Meaning { document, lowered: lower(&policy, &self.conditions), policy })
                };
                let meanings = content.documents.iter().enumerate().filter_map(meaning).collect();
                Read { source: SourceFile::new(file.path, text), outcome: Ok((content, meanings)) }
            }
            Err(error) => {
                let help = error.help.unwrap_or_else(|| "save the file as UTF-8 text".to_owned());
                refuse(source_file(&file.path, &bytes), error.offset, Refusal { message: error.message, help })
            }
        }
    }
}

/// The text of a file as far as it is text, and no further than a reader could use.
fn source_file(path: &str, bytes: &[u8]) -> SourceFile {
    const SHOWN: usize = 64 * 1024;
    let bytes = bytes.get(..SHOWN).filter(|_| bytes.len() > crate::source::MAX_FILE_BYTES).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).unwrap_or_else(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        std::str::from_utf8(valid).unwrap_or_default()
    });
    SourceFile::new(path, text)
}

/// Puts the files into the law book, in order, and takes the policies out of them.
pub(super) fn finish(mut book: Book, read: Vec<Read>) -> Book {
    book.sources.reserve(read.len());
    book.files.reserve(read.len());
    book.places.reserve(read.len());
    let (mut policies, mut lowered) = (Vec::with_capacity(read.len()), Vec::with_capacity(read.len()));
    for one in read {
        book.sources.push(one.source);
        match one.outcome {
            Ok((content, meanings)) => {
                let file = book.files.len();
                for meaning in meanings {
                    book.places.push(DocumentRef { file, document: meaning.document });
                    policies.push(meaning.policy);
                    lowered.push(meaning.lowered);
                }
                book.files.push(content);
            }
            Err(problem) => book.unreadable.push(problem),
        }
    }
    (book.set, book.misfits) = PolicySet::of_lowered(policies, lowered);
    book
}
