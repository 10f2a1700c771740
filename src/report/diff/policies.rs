//! What happened to each policy and to the files, and where it stands.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::analysis::Class;
use crate::analysis::Difference;
use crate::lint::Book;
use crate::policy::Policy;
use crate::policy::PolicyDocument;
use crate::policy::PolicyId;
use crate::policy::to_value;

/// What happened to a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Happened {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It was switched on; other fields may have changed too.
    Enabled,
    /// It was switched off; other fields may have changed too.
    Disabled,
    /// Fields have other values.
    Changed,
    /// Nothing in it changed, but the lists that the configuration declares did, and it is read differently.
    Reread,
    /// It is in another file, and nothing else.
    Moved,
}

impl Happened {
    /// The name in the formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Changed => "changed",
            Self::Reread => "reread",
            Self::Moved => "moved",
        }
    }
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The path, relative to the root of the law book.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
}

/// A policy that something happened to, or that has a part in a change of access.
#[derive(Debug, Clone)]
pub struct PolicyChange {
    /// Its id.
    pub id: PolicyId,
    /// Whether it is a control; on the side after, if it is there.
    pub control: bool,
    /// What happened to it; `None` if nothing did.
    pub happened: Option<Happened>,
    /// The fields that differ, by their names in the file.
    pub fields: Vec<String>,
    /// Where it is before: the first field that differs, or the id.
    pub before: Option<Place>,
    /// Where it is after: the first field that differs, or the id.
    pub after: Option<Place>,
    /// What its change amounts to; `None` if it is not known.
    pub class: Option<Class>,
}

impl PolicyChange {
    /// Where it is after, or else where it was.
    pub fn place(&self) -> Option<&Place> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// Whether its change has a meaning, or may have one.
    pub fn matters(&self) -> bool {
        self.class != Some(Class::NoChange)
    }
}

/// What happened to the files of a law book.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileChanges {
    /// Files whose text differs, and files that came; by their path.
    pub changed: BTreeSet<String>,
    /// Files that went.
    pub removed: BTreeSet<String>,
    /// Files that are elsewhere now: from where to where.
    pub moved: BTreeMap<String, String>,
}

impl FileChanges {
    /// How many files something happened to.
    pub fn count(&self) -> usize {
        self.changed.len() + self.removed.len() + self.moved.len()
    }

    /// How many files something happened to beside those with some paths.
    pub fn beside(&self, paths: &BTreeSet<&str>) -> usize {
        let plain = self.changed.iter().chain(&self.removed).filter(|path| !paths.contains(path.as_str())).count();
        plain + self.moved.iter().filter(|(from, to)| !paths.contains(from.as_str()) && !paths.contains(to.as_str())).count()
    }
}

/// A policy with its document and its file.
#[derive(Clone, Copy)]
struct Placed<'a> {
    policy: &'a Policy,
    document: &'a PolicyDocument,
    book: &'a Book,
    path: &'a str,
}

impl<'a> Placed<'a> {
    fn find(book: &'a Book, id: &PolicyId) -> Option<Self> {
        let at = book.set.position(id.as_str())?;
        let place = book.places.get(at)?;
        let file = book.files.get(place.file)?;
        let document = file.documents.get(place.document)?;
        Some(Self { policy: book.set.policies().get(at)?, document, book, path: book.sources.path(file.source) })
    }

    /// Where one of some fields stands, or else the id.
    fn at(self, fields: &[String]) -> Place {
        let field = fields.iter().find_map(|field| self.document.node.get(field)).map(|node| node.span);
        let span = field.unwrap_or_else(|| self.document.head_span());
        Place { path: self.path.to_owned(), line: self.book.sources.line_column(span).line }
    }
}

/// What happened to each policy, and those that have a part in a difference, in the order of the files.
pub fn changes(difference: &Difference, before: &Book, after: &Book) -> Vec<PolicyChange> {
    let classes = difference.by_policy();
    let access = difference.gained.iter().chain(&difference.lost);
    let parties: BTreeSet<&PolicyId> = access.flat_map(|change| std::iter::once(&change.grant).chain(&change.denial)).collect();
    let ids: BTreeSet<&PolicyId> = before.set.policies().iter().chain(after.set.policies()).map(|policy| policy.id()).collect();
    let mut found: Vec<PolicyChange> = Vec::new();
    for id in ids {
        let (old, new) = (Placed::find(before, id), Placed::find(after, id));
        let fields = match (old, new) {
            (Some(old), Some(new)) => differing(old.policy, new.policy),
            _ => Vec::new(),
        };
        let undecided = difference.undecided.contains(id);
        let happened = happened(old, new, &fields, classes.contains_key(id));
        if happened.is_none() && !undecided && !parties.contains(id) {
            continue;
        }
        let class = match classes.get(id) {
            Some(class) => *class,
            None => (!undecided).then_some(Class::NoChange),
        };
        found.push(PolicyChange {
            id: id.clone(),
            control: new.or(old).is_some_and(|placed| matches!(placed.policy, Policy::Control(_))),
            happened,
            before: old.map(|placed| placed.at(&fields)),
            after: new.map(|placed| placed.at(&fields)),
            fields,
            class,
        });
    }
    found.sort_by(|one, two| (one.place(), &one.id).cmp(&(two.place(), &two.id)));
    found
}

fn happened(old: Option<Placed<'_>>, new: Option<Placed<'_>>, fields: &[String], means_more: bool) -> Option<Happened> {
    let (Some(old), Some(new)) = (old, new) else {
        return Some(if new.is_some() { Happened::Added } else { Happened::Removed });
    };
    match (old.policy.enabled(), new.policy.enabled()) {
        (false, true) => Some(Happened::Enabled),
        (true, false) => Some(Happened::Disabled),
        _ if !fields.is_empty() => Some(Happened::Changed),
        _ if means_more => Some(Happened::Reread),
        _ => (old.path != new.path).then_some(Happened::Moved),
    }
}

/// The fields that differ, those that the decision reads first.
fn differing(old: &Policy, new: &Policy) -> Vec<String> {
    const DECIDING: [&str; 9] = ["enabled", "deny", "condition", "require", "actions", "service", "source", "members", "except"];
    let (Value::Object(old), Value::Object(new)) = (to_value(old), to_value(new)) else { return Vec::new() };
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).filter(|key| old.get(*key) != new.get(*key)).collect();
    let mut keys: Vec<String> = keys.into_iter().cloned().collect();
    keys.sort_by_key(|key| DECIDING.iter().position(|name| name == key).unwrap_or(DECIDING.len()));
    keys
}

/// What happened to the files. A file that is elsewhere now has the same text there, or a policy of it moved along.
pub fn files(before: &Book, after: &Book, policies: &[PolicyChange]) -> FileChanges {
    let texts = |book: &'_ Book| -> BTreeMap<String, String> {
        book.sources.iter().map(|(_, file)| (file.path().to_owned(), file.text().to_owned())).collect()
    };
    let (old, new) = (texts(before), texts(after));
    let mut changes = FileChanges::default();
    for (path, text) in &new {
        if old.get(path) != Some(text) {
            changes.changed.insert(path.clone());
        }
    }
    changes.removed = old.keys().filter(|path| !new.contains_key(*path)).cloned().collect();
    let mut by_text: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for path in changes.changed.iter().filter(|path| !old.contains_key(*path)) {
        by_text.entry(new.get(path).map_or("", String::as_str)).or_default().push(path);
    }
    let same = |from: &String| by_text.get(old.get(from)?.as_str())?.first().map(|to| (*to).clone());
    let mut along: BTreeMap<&str, &str> = BTreeMap::new();
    for policy in policies {
        if let (Some(from), Some(to)) = (&policy.before, &policy.after) {
            along.entry(&from.path).or_insert(&to.path);
        }
    }
    let moved: Vec<(String, String)> = changes
        .removed
        .iter()
        .filter_map(|from| Some((from.clone(), same(from).or_else(|| along.get(from.as_str()).map(|to| (*to).to_owned()))?)))
        .filter(|(_, to)| !old.contains_key(to))
        .collect();
    for (from, to) in moved {
        // Of several files that went into one, the first one is that file.
        if changes.changed.remove(&to) {
            changes.removed.remove(&from);
            changes.moved.insert(from, to);
        }
    }
    changes
}
