//! The commits that landed, oldest first, each with the policy files in which it differs from its first parent.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use git2::ErrorCode;
use git2::Oid;

use super::HistoryError;
use super::Repository;
use super::objects::Objects;
use super::objects::Unreadable;
use super::tree::Content;
use super::tree::Differences;
use super::tree::Trees;
use super::watched::Watched;
use crate::config;
use crate::config::Config;
use crate::schema::Schema;
use crate::source::MAX_FILE_BYTES;

/// A commit and its tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    pub(super) commit: Oid,
    pub(super) tree: Oid,
    /// The commit that it is compared with; `None` when there is none, or none that is there.
    pub(super) parent: Option<Oid>,
    /// Whether it has a parent that is not there, so that nobody knows what it changed.
    pub(super) cut: bool,
    /// Whether it lies on the line of first parents.
    pub(super) landed: bool,
    /// Whether it has several parents.
    pub(super) merge: bool,
    /// Where its line left that of first parents, counted from the oldest one: what landed after that is not in its past.
    pub(super) left: usize,
}

impl Stop {
    pub(super) fn new(commit: &git2::Commit<'_>, parent: Option<Oid>, landed: bool) -> Self {
        Self::of(&Header::new(commit), parent, landed)
    }

    fn of(header: &Header, parent: Option<Oid>, landed: bool) -> Self {
        let &Header { id, tree, parents, written, .. } = header;
        Self { commit: id, tree, parent, cut: parent.is_none() && written > 0, landed, merge: parents > 1, left: usize::MAX }
    }
}

/// What a commit says of where it stands.
struct Header {
    id: Oid,
    tree: Oid,
    /// The first parent, and how many there are.
    parent: Option<Oid>,
    parents: usize,
    /// How many parents it names itself: a shallow clone hides those that are not there.
    written: usize,
}

impl Header {
    /// As git shows it.
    fn new(commit: &git2::Commit<'_>) -> Self {
        let (id, tree, parent) = (commit.id(), commit.tree_id(), commit.parent_id(0).ok());
        Self { id, tree, parent, parents: commit.parent_count(), written: written_parents(commit) }
    }

    /// As it is written: the lines `tree` and `parent` come first.
    fn read(id: Oid, bytes: &[u8]) -> Option<Self> {
        const DIGITS: usize = 40;
        let value = |line: &[u8]| Oid::from_str(std::str::from_utf8(line).ok().filter(|digits| digits.len() == DIGITS)?).ok();
        let mut lines = bytes.split(|&byte| byte == b'\n');
        let tree = value(lines.next()?.strip_prefix(b"tree ")?)?;
        let (mut parent, mut parents) = (None, 0);
        // What is neither a parent nor the author makes the commit damaged: a history must not end where somebody wrote nonsense.
        loop {
            let line = lines.next()?;
            match line.strip_prefix(b"parent ") {
                Some(digits) => {
                    let named = value(digits)?;
                    parent.get_or_insert(named);
                }
                None if line.starts_with(b"author ") => break,
                None => return None,
            }
            parents += 1;
        }
        Some(Self { id, tree, parent, parents, written: parents })
    }
}

/// The commits of a repository.
struct Commits<'r> {
    repository: &'r Repository,
    objects: Objects,
    /// Whether they count as git shows them, because it hides parents.
    are_shown: bool,
}

impl Commits<'_> {
    /// A commit, if it is there.
    fn find(&mut self, id: Oid) -> Result<Option<Header>, HistoryError> {
        if self.are_shown {
            return Ok(find(self.repository, id)?.as_ref().map(Header::new));
        }
        let failed = |error: Unreadable| error.during(&format!("read commit `{id}`"), self.repository.dir());
        match self.objects.commit(id) {
            // Of one that is not well formed git says what is wrong.
            Ok(bytes) => match Header::read(id, bytes) {
                Some(header) => Ok(Some(header)),
                None => Ok(find(self.repository, id)?.as_ref().map(Header::new)),
            },
            Err(Unreadable::Missing) => Ok(None),
            Err(error) => Err(failed(error).into()),
        }
    }
}

/// Whether a commit has parents that this clone hides.
pub(super) fn is_cut(commit: &git2::Commit<'_>) -> bool {
    written_parents(commit) > commit.parent_count()
}

/// How many parents a commit itself names. A shallow clone hides those that are not there.
fn written_parents(commit: &git2::Commit<'_>) -> usize {
    commit.raw_header_bytes().split(|&byte| byte == b'\n').filter(|line| line.starts_with(b"parent ")).count()
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
    let mut commit = Header::new(&repository.commit(tip)?);
    let mut stops = Vec::new();
    let mut partial = repository.incomplete();
    let mut commits = Commits { repository, objects: Objects::of(repository), are_shown: partial.is_some() };
    let continues = loop {
        if Some(commit.id) == after {
            break true;
        }
        let above = commit.parent.map(|parent| commits.find(parent)).transpose()?.flatten();
        stops.push(Stop::of(&commit, above.as_ref().map(|above| above.id), true));
        match (commit.parent, above) {
            (_, Some(above)) => commit = above,
            (Some(parent), None) => {
                partial.get_or_insert_with(|| format!("commit `{parent}` is missing"));
                break false;
            }
            (None, None) => break false,
        }
    };
    stops.reverse();
    Ok(Line { stops, continues, partial })
}

/// Every commit that `tip` holds, each after its parents; those on the line of first parents are marked.
pub(super) fn everything(repository: &Repository, tip: &str) -> Result<Line, HistoryError> {
    let Line { stops, mut partial, .. } = line(repository, tip, None)?;
    let landed: HashMap<Oid, usize> = stops.iter().enumerate().map(|(at, stop)| (stop.commit, at + 1)).collect();
    let mut left = landed.clone();
    let mut seen = HashSet::new();
    let Found { commits, missing } = parents_first(repository, [repository.commit(tip)?.id()], |commit| seen.insert(commit))?;
    if let Some(missing) = missing {
        partial.get_or_insert_with(|| format!("commit `{missing}` is missing"));
    }
    let mut all = Vec::with_capacity(commits.len());
    for id in commits {
        let Some(commit) = find(repository, id)? else { continue };
        let parent = commit.parent_id(0).ok().map(|parent| find(repository, parent)).transpose()?.flatten();
        let parent = parent.as_ref().map(git2::Commit::id);
        let mut stop = Stop::new(&commit, parent, landed.contains_key(&id));
        if !stop.landed {
            stop.left = parent.and_then(|parent| left.get(&parent)).copied().unwrap_or(0);
            left.insert(id, stop.left);
        }
        all.push(stop);
    }
    Ok(Line { stops: all, continues: false, partial })
}

/// Commits, each after its parents, and one that is not there.
pub(super) struct Found {
    pub(super) commits: Vec<Oid>,
    pub(super) missing: Option<Oid>,
}

/// All commits that are reached through wanted ones; `is_wanted` is asked once for each way to a commit. The line of first
/// parents of each comes before what it merged.
pub(super) fn parents_first(
    repository: &Repository,
    from: impl IntoIterator<Item = Oid>,
    mut is_wanted: impl FnMut(Oid) -> bool,
) -> Result<Found, HistoryError> {
    let mut found = Found { commits: Vec::new(), missing: None };
    // The last parent is taken first from each list.
    let mut roots: Vec<Oid> = from.into_iter().collect();
    roots.reverse();
    let mut pending = vec![(None, roots)];
    while let Some((commit, parents)) = pending.last_mut() {
        let Some(parent) = parents.pop() else {
            found.commits.extend(*commit);
            pending.pop();
            continue;
        };
        if !is_wanted(parent) {
            continue;
        }
        match find(repository, parent)? {
            Some(next) => {
                let mut above: Vec<Oid> = next.parent_ids().collect();
                above.reverse();
                pending.push((Some(parent), above));
            }
            None => found.missing = Some(parent),
        }
    }
    Ok(found)
}

/// A commit, if it is there.
fn find(repository: &Repository, id: Oid) -> Result<Option<git2::Commit<'_>>, HistoryError> {
    match repository.git().find_commit(id) {
        Ok(commit) => Ok(Some(commit)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(repository.error(&format!("read commit `{id}`"), &error).into()),
    }
}

/// What a commit changed: files under the schema of its time.
pub(super) struct Step {
    pub(super) schema: usize,
    pub(super) files: Differences,
    /// The files that it changed beside the policies, in byte order.
    pub(super) beside: Vec<Arc<str>>,
    /// Whether the configuration, or the one before, is not in this clone, so that nobody knows which files were policies.
    pub(super) unknown: bool,
}

/// The schemas that a history needs: one for each set of actions that a configuration ever named.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    schemas: Vec<Schema>,
    known: HashMap<Vec<String>, usize>,
}

impl Schemas {
    /// All of them so far; to have one again costs nothing.
    pub(super) fn all(&self) -> Vec<Schema> {
        self.schemas.clone()
    }

    /// The position of the schema for some actions.
    fn of(&mut self, actions: &[String]) -> Result<usize, HistoryError> {
        if let Some(&known) = self.known.get(actions) {
            return Ok(known);
        }
        self.schemas.push(Schema::new(actions)?);
        self.known.insert(actions.to_owned(), self.schemas.len() - 1);
        Ok(self.schemas.len() - 1)
    }
}

/// What is known of the commit that the walk is at.
#[derive(Debug, Clone)]
pub(super) struct Position {
    law_book: Option<Oid>,
    config: Option<Content>,
    /// The last configuration that could be read; `None` for the default one.
    followed: Option<Oid>,
    /// Whether the configuration is not in this clone.
    missing: bool,
    actions: Vec<String>,
    watched: Watched,
    schema: usize,
    files: HashMap<Arc<str>, Content>,
}

/// What a position is made of, to be kept.
pub(super) struct Marks {
    pub(super) law_book: Option<Oid>,
    pub(super) config: Option<Content>,
    pub(super) followed: Option<Oid>,
    pub(super) files: HashMap<Arc<str>, Content>,
}

impl Position {
    /// Before the first commit.
    pub(super) fn start(schemas: &mut Schemas) -> Result<Self, HistoryError> {
        let config = Config::default();
        Ok(Self {
            law_book: None,
            config: None,
            followed: None,
            missing: false,
            watched: Watched::new(&config),
            schema: schemas.of(&config.actions)?,
            files: HashMap::new(),
            actions: config.actions,
        })
    }

    /// Goes to the next commit; `None` when it changed nothing here.
    pub(super) fn advance(&mut self, trees: &mut Trees<'_>, schemas: &mut Schemas, stop: Stop) -> Result<Option<Step>, HistoryError> {
        let law_book = trees.law_book(stop.tree)?;
        if law_book == self.law_book {
            return Ok(None);
        }
        let config = law_book.map(|folder| trees.file(folder, config::FILE_NAME)).transpose()?.flatten();
        let was_missing = self.missing;
        let (files, beside) = if config == self.config || !self.reconfigure(schemas, trees, config)? {
            let mut folders = BTreeSet::new();
            let all = trees.compare_noting(self.law_book, law_book, &self.watched, &mut folders)?;
            self.divide(all, folders)
        } else {
            let beside = self.beside(trees, law_book)?;
            (self.differences_from(trees.compare(None, law_book, &self.watched.policies)?), beside)
        };
        self.law_book = law_book;
        self.config = config;
        for (path, content) in &files {
            match content {
                Some(content) => self.files.insert(Arc::clone(path), *content),
                None => self.files.remove(path),
            };
        }
        let unknown = self.missing || was_missing;
        let is_new = unknown || !files.is_empty() || !beside.is_empty();
        Ok(is_new.then_some(Step { schema: self.schema, files, beside, unknown }))
    }

    /// What it is made of.
    pub(super) fn marks(&self) -> Marks {
        let Self { law_book, config, followed, ref files, .. } = *self;
        Marks { law_book, config, followed, files: files.clone() }
    }

    /// The position that was made of this; `None` when its configuration is not there or cannot be read any more.
    pub(super) fn again(marks: Marks, schemas: &mut Schemas, repository: &Repository) -> Result<Option<Self>, HistoryError> {
        let mut objects = Objects::of(repository);
        let Configured::Read(config) = read_config(repository, &mut objects, marks.followed.map(Content::Blob))? else { return Ok(None) };
        let Marks { law_book, config: content, followed, files } = marks;
        let (watched, schema) = (Watched::new(&config), schemas.of(&config.actions)?);
        Ok(Some(Self { law_book, config: content, followed, missing: false, actions: config.actions, watched, schema, files }))
    }

    /// Takes over a configuration, and tells whether every file has to be looked at again. One that is broken changes nothing.
    fn reconfigure(&mut self, schemas: &mut Schemas, trees: &mut Trees<'_>, content: Option<Content>) -> Result<bool, HistoryError> {
        let found = read_config(trees.repository(), trees.objects(), content)?;
        self.missing = matches!(found, Configured::Missing);
        let Configured::Read(config) = found else { return Ok(false) };
        self.watched = Watched::new(&config);
        self.followed = match content {
            Some(Content::Blob(id)) => Some(id),
            _ => None,
        };
        if self.actions != config.actions {
            self.schema = schemas.of(&config.actions)?;
            self.actions = config.actions;
            // Other actions may make a file readable or not: none of them is known any more.
            self.files.values_mut().for_each(|content| *content = Content::Refused);
        }
        Ok(true)
    }

    /// What differs among the policies, and beside them.
    fn divide(&self, mut all: Differences, folders: BTreeSet<Arc<str>>) -> (Differences, Vec<Arc<str>>) {
        let files = all.keys().filter(|path| self.watched.beside.contains(&***path)).cloned();
        let beside = files.chain(folders).collect::<BTreeSet<_>>().into_iter().collect();
        all.retain(|path, _| self.watched.policies.selects(path));
        (all, beside)
    }

    /// What differs beside the policies between the folder of the last commit and that of the next one.
    fn beside(&self, trees: &mut Trees<'_>, law_book: Option<Oid>) -> Result<Vec<Arc<str>>, HistoryError> {
        let mut beside = Vec::new();
        for path in &self.watched.beside {
            if trees.entry(self.law_book, path)? != trees.entry(law_book, path)? {
                beside.push(path.as_str().into());
            }
        }
        Ok(beside)
    }

    /// All files that there are, reduced to what differs from the ones that were known.
    fn differences_from(&self, mut all: Differences) -> Differences {
        let gone: Vec<Arc<str>> = self.files.keys().filter(|&path| !all.contains_key(path)).cloned().collect();
        all.retain(|path, content| *content != self.files.get(path).copied());
        all.extend(gone.into_iter().map(|path| (path, None)));
        all
    }
}

/// What became of a configuration.
enum Configured {
    /// It was read.
    Read(Box<Config>),
    /// It says nothing.
    Broken,
    /// It is not in this clone.
    Missing,
}

/// The configuration of a commit; the default one without a file.
fn read_config(repository: &Repository, objects: &mut Objects, content: Option<Content>) -> Result<Configured, HistoryError> {
    let id = match content {
        None => return Ok(Configured::Read(Box::default())),
        Some(Content::Refused) => return Ok(Configured::Broken),
        Some(Content::Blob(id)) => id,
    };
    let bytes = match objects.file(id, MAX_FILE_BYTES) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(Configured::Broken),
        Err(Unreadable::Missing) => return Ok(Configured::Missing),
        Err(error) => return Err(error.during(&format!("read `{}`", config::FILE_NAME), repository.dir()).into()),
    };
    let config = std::str::from_utf8(bytes).ok().and_then(|text| Config::parse(text).ok());
    Ok(config.map_or(Configured::Broken, |config| Configured::Read(Box::new(config))))
}
