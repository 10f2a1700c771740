//! The commits that landed, oldest first, each with the policy files in which it differs from its first parent.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;

use git2::ErrorCode;
use git2::Oid;

use super::HistoryError;
use super::Repository;
use super::reading;
use super::tree::Content;
use super::tree::Differences;
use super::tree::Trees;
use crate::config;
use crate::config::Config;
use crate::config::Selection;
use crate::schema::Schema;

/// A commit and its tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    pub(super) commit: Oid,
    pub(super) tree: Oid,
}

/// The line of first parents.
pub(super) struct Line {
    /// Its commits, oldest first, without the one it started after.
    pub(super) stops: Vec<Stop>,
    /// Whether it goes on from the commit that it should start after.
    pub(super) continues: bool,
    /// Why the oldest commit is not the beginning of history, if so.
    pub(super) partial: Option<String>,
}

/// The line of first parents up to `tip`; `after` is where to stop, if it is met.
pub(super) fn line(repository: &Repository, tip: &str, after: Option<Oid>) -> Result<Line, HistoryError> {
    let mut commit = repository.commit(tip)?;
    let mut stops = Vec::new();
    let mut partial = repository.incomplete();
    let continues = loop {
        if Some(commit.id()) == after {
            break true;
        }
        stops.push(Stop { commit: commit.id(), tree: commit.tree_id() });
        let Ok(parent) = commit.parent_id(0) else { break false };
        commit = match repository.git().find_commit(parent) {
            Ok(commit) => commit,
            Err(error) if error.code() == ErrorCode::NotFound => {
                partial.get_or_insert_with(|| format!("commit `{parent}` is missing"));
                break false;
            }
            Err(error) => return Err(repository.error(&format!("read commit `{parent}`"), &error).into()),
        };
    };
    stops.reverse();
    Ok(Line { stops, continues, partial })
}

/// What a commit changed: files under the schema of its time.
pub(super) struct Step {
    pub(super) commit: Oid,
    pub(super) schema: usize,
    pub(super) files: Differences,
}

/// What is known of the commit that the walk is at.
#[derive(Debug)]
pub(super) struct Position {
    law_book: Option<Oid>,
    config: Option<Content>,
    actions: Vec<String>,
    selection: Selection,
    schema: usize,
    files: BTreeMap<Arc<str>, Content>,
    schemas: Vec<Schema>,
    schema_of: HashMap<Vec<String>, usize>,
}

impl Position {
    /// Before the first commit.
    pub(super) fn start() -> Result<Self, HistoryError> {
        let config = Config::default();
        let schema = Schema::new(&config.actions)?;
        Ok(Self {
            law_book: None,
            config: None,
            selection: Selection::new(&config),
            schema: 0,
            files: BTreeMap::new(),
            schemas: vec![schema],
            schema_of: HashMap::from([(config.actions.clone(), 0)]),
            actions: config.actions,
        })
    }

    pub(super) fn schemas(&self) -> &[Schema] {
        &self.schemas
    }

    /// Goes to the next commit; `None` when it changed nothing here.
    pub(super) fn advance(&mut self, trees: &mut Trees<'_>, repository: &Repository, stop: Stop) -> Result<Option<Step>, HistoryError> {
        let law_book = trees.law_book(stop.tree)?;
        if law_book == self.law_book {
            return Ok(None);
        }
        let config = law_book.map(|folder| trees.file(folder, config::FILE_NAME)).transpose()?.flatten();
        let files = if config == self.config || !self.reconfigure(repository, config)? {
            trees.compare(self.law_book, law_book, &self.selection)?
        } else {
            self.differences_from(trees.compare(None, law_book, &self.selection)?)
        };
        self.law_book = law_book;
        self.config = config;
        for (path, content) in &files {
            match content {
                Some(content) => self.files.insert(Arc::clone(path), *content),
                None => self.files.remove(path),
            };
        }
        Ok((!files.is_empty()).then_some(Step { commit: stop.commit, schema: self.schema, files }))
    }

    /// Takes over a configuration, and tells whether every file has to be looked at again. One that is broken changes nothing.
    fn reconfigure(&mut self, repository: &Repository, content: Option<Content>) -> Result<bool, HistoryError> {
        let Some(config) = read_config(repository, content)? else { return Ok(false) };
        self.selection = Selection::new(&config);
        if self.actions != config.actions {
            self.schema = match self.schema_of.get(&config.actions) {
                Some(&known) => known,
                None => {
                    self.schemas.push(Schema::new(&config.actions)?);
                    self.schema_of.insert(config.actions.clone(), self.schemas.len() - 1);
                    self.schemas.len() - 1
                }
            };
            self.actions = config.actions;
            // Other actions may make a file readable or not: none of them is known any more.
            self.files.values_mut().for_each(|content| *content = Content::Refused);
        }
        Ok(true)
    }

    /// All files that there are, reduced to what differs from the ones that were known.
    fn differences_from(&self, mut all: Differences) -> Differences {
        let gone: Vec<Arc<str>> = self.files.keys().filter(|&path| !all.contains_key(path)).cloned().collect();
        all.retain(|path, content| *content != self.files.get(path).copied());
        all.extend(gone.into_iter().map(|path| (path, None)));
        all
    }
}

/// The configuration of a commit: the default one without a file, `None` when it is broken.
fn read_config(repository: &Repository, content: Option<Content>) -> Result<Option<Config>, HistoryError> {
    let id = match content {
        None => return Ok(Some(Config::default())),
        Some(Content::Refused) => return Ok(None),
        Some(Content::Blob(id)) => id,
    };
    let odb = repository.git().odb().map_err(|error| repository.error("open its objects", &error))?;
    let bytes = reading::bytes(&odb, id).ok().flatten();
    Ok(bytes.and_then(|bytes| Config::parse(std::str::from_utf8(&bytes).ok()?).ok()))
}
