//! Comparing the trees of two commits, as far as they can hold policies.
//!
//! A history of many commits is mostly trees that hardly differ. They are compared as the bytes that git stores: equal ids are
//! equal folders and are not opened, and of two folders that differ only the names that differ are looked at.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use git2::Oid;

use super::HistoryError;
use super::Repository;
use super::RepositoryError;
use super::generations::Generations;
use super::objects::Objects;
use crate::config::Selection;

/// The most names that one comparison looks at.
const MAX_NAMES: usize = 4_000_000;

/// How many bytes of trees are kept between comparisons. Commits beside the law book compare nothing, and there may be many.
const KEPT_BYTES: usize = 64 * 1024 * 1024;

/// What stands at the path of a policy file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Content {
    /// A file.
    Blob(Oid),
    /// Something that is not read: a link, or another repository.
    Refused,
}

impl Content {
    /// What an entry of this mode is.
    pub(super) fn new(mode: u32, id: Oid) -> Self {
        const TYPE: u32 = 0o170_000;
        const FILE: u32 = 0o100_000;
        if mode & TYPE == FILE { Self::Blob(id) } else { Self::Refused }
    }
}

/// The policy files that differ: what stands there now, `None` when nothing does any more.
pub(super) type Differences = BTreeMap<Arc<str>, Option<Content>>;

/// Which files are looked at.
pub(super) trait Wanted {
    /// Whether a file is, by its path relative to the root of the law book.
    fn selects(&self, path: &str) -> bool;
    /// Whether there may be one in a folder.
    fn may_hold(&self, folder: &str) -> bool;
    /// Whether it counts that a folder itself differs, or is one.
    fn notes(&self, _folder: &str) -> bool {
        false
    }
}

impl Wanted for Selection {
    fn selects(&self, path: &str) -> bool {
        self.selects(path)
    }

    fn may_hold(&self, folder: &str) -> bool {
        self.may_hold(folder)
    }
}

/// The trees of a repository, with the last ones kept.
pub(super) struct Trees<'r> {
    repository: &'r Repository,
    objects: Objects,
    read: Generations<Oid, Rc<[u8]>>,
}

impl<'r> Trees<'r> {
    pub(super) fn new(repository: &'r Repository) -> Result<Self, HistoryError> {
        Ok(Self { repository, objects: Objects::of(repository), read: Generations::new(KEPT_BYTES) })
    }

    /// Where the trees are.
    pub(super) fn repository(&self) -> &'r Repository {
        self.repository
    }

    /// The objects that the trees are among.
    pub(super) fn objects(&mut self) -> &mut Objects {
        &mut self.objects
    }

    /// The folder of the law book below the tree of a commit.
    pub(super) fn law_book(&mut self, tree: Oid) -> Result<Option<Oid>, HistoryError> {
        let prefix = self.repository.prefix();
        let mut at = tree;
        for part in prefix.split('/').filter(|part| !part.is_empty()) {
            let data = self.read(at)?;
            match Names::new(&data).flatten().find(|name| name.name == part.as_bytes()) {
                Some(name) if name.is_folder => at = name.id,
                _ => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    /// The file with this name directly in a folder.
    pub(super) fn file(&mut self, folder: Oid, file: &str) -> Result<Option<Content>, HistoryError> {
        let data = self.read(folder)?;
        let found = Names::new(&data).flatten().find(|name| name.name == file.as_bytes() && !name.is_folder);
        Ok(found.map(|name| name.content()))
    }

    /// What stands at a path below a folder: its mode and its id.
    pub(super) fn entry(&mut self, folder: Option<Oid>, path: &str) -> Result<Option<(u32, Oid)>, HistoryError> {
        let mut at = folder.map(|folder| (0o040_000, folder));
        for part in path.split('/') {
            let Some((0o040_000, folder)) = at else { return Ok(None) };
            let data = self.read(folder)?;
            at = Names::new(&data).flatten().find(|name| name.name == part.as_bytes()).map(|name| (name.mode, name.id));
        }
        Ok(at)
    }

    /// The wanted files that differ between two folders.
    pub(super) fn compare(&mut self, old: Option<Oid>, new: Option<Oid>, wanted: &impl Wanted) -> Result<Differences, HistoryError> {
        self.compare_noting(old, new, wanted, &mut BTreeSet::new())
    }

    /// The same, with those of the differing folders that are to be noted.
    pub(super) fn compare_noting(
        &mut self,
        old: Option<Oid>,
        new: Option<Oid>,
        wanted: &impl Wanted,
        noted: &mut BTreeSet<Arc<str>>,
    ) -> Result<Differences, HistoryError> {
        // What was read for the last comparison is the old side of this one; what is older is not needed again.
        self.read.next();
        let mut differences = Differences::new();
        let mut looked_at = 0;
        let mut pending = vec![(String::new(), old, new)];
        while let Some((folder, old, new)) = pending.pop() {
            if old == new {
                continue;
            }
            let (old, new) = (self.read_some(old)?, self.read_some(new)?);
            for difference in Merge::new(&old, &new) {
                let (old, new) = difference.map_err(|()| self.damaged(&folder))?;
                looked_at += 1;
                if looked_at > MAX_NAMES {
                    return Err(HistoryError::TooLarge { dir: self.repository.dir().to_owned() });
                }
                let Some(name) = new.or(old) else { continue };
                // A law book with such a name is refused. It is also no key: what replaces its bytes may replace others.
                let Some(path) = join(&folder, name.name) else { continue };
                if name.is_folder {
                    if wanted.notes(&path) {
                        noted.insert(path.as_str().into());
                    }
                    if wanted.may_hold(&path) {
                        pending.push((path, old.map(|name| name.id), new.map(|name| name.id)));
                    }
                } else if wanted.selects(&path) {
                    let content = new.map(|name| name.content());
                    let known = differences.entry(path.into()).or_default();
                    *known = content.or(*known);
                }
            }
        }
        Ok(differences)
    }

    fn read_some(&mut self, id: Option<Oid>) -> Result<Rc<[u8]>, HistoryError> {
        id.map_or_else(|| Ok(Rc::default()), |id| self.read(id))
    }

    fn read(&mut self, id: Oid) -> Result<Rc<[u8]>, HistoryError> {
        if let Some(data) = self.read.get(id) {
            return Ok(Rc::clone(data));
        }
        let dir = self.repository.dir();
        let data: Rc<[u8]> = Rc::from(self.objects.tree(id).map_err(|error| error.during(&format!("read the tree `{id}`"), dir))?);
        self.read.keep(id, Rc::clone(&data), data.len());
        Ok(data)
    }

    fn damaged(&self, what: &str) -> HistoryError {
        let (what, dir, why) = ("read a tree".to_owned(), self.repository.dir().to_owned(), format!("`{what}` is damaged"));
        RepositoryError::Git { what, dir, why }.into()
    }
}

/// The path of a name in a folder; `None` when it is not UTF-8.
fn join(folder: &str, name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?;
    Some(if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") })
}

/// An entry of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Name<'a> {
    name: &'a [u8],
    mode: u32,
    is_folder: bool,
    id: Oid,
}

impl Name<'_> {
    fn content(&self) -> Content {
        Content::new(self.mode, self.id)
    }

    /// The order of git: a folder sorts as if its name ended in `/`.
    fn order(&self, other: &Self) -> Ordering {
        let end = |name: &Self| name.is_folder.then_some(b'/');
        let common = self.name.len().min(other.name.len());
        let (left, right) = (self.name.split_at(common), other.name.split_at(common));
        let next = |rest: &[u8], name: &Self| rest.first().copied().or_else(|| end(name));
        // Past the common part only the next byte decides; two equal names differ when one is a folder.
        left.0.cmp(right.0).then_with(|| next(left.1, self).cmp(&next(right.1, other))).then_with(|| left.1.len().cmp(&right.1.len()))
    }
}

/// The entries of a tree, from the bytes that git stores: `<mode in octal> <name>\0<20 bytes of id>`.
#[derive(Clone, Copy)]
struct Names<'a> {
    rest: &'a [u8],
}

/// The bytes of an id.
const ID: usize = 20;

impl<'a> Names<'a> {
    fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    fn parse(&mut self) -> Option<Name<'a>> {
        let space = self.rest.iter().take(8).position(|&byte| byte == b' ')?;
        let (mode, rest) = (self.rest.get(..space)?, self.rest.get(space + 1..)?);
        let end = rest.iter().position(|&byte| byte == 0)?;
        let id = Oid::from_bytes(rest.get(end + 1..end + 1 + ID)?).ok()?;
        let mode = u32::from_str_radix(std::str::from_utf8(mode).ok()?, 8).ok()?;
        let name = rest.get(..end)?;
        self.rest = rest.get(end + 1 + ID..)?;
        Some(Name { name, mode, is_folder: mode == 0o040_000, id })
    }
}

impl<'a> Iterator for Names<'a> {
    type Item = Result<Name<'a>, ()>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let name = self.parse();
        if name.is_none() {
            self.rest = &[];
        }
        Some(name.ok_or(()))
    }
}

/// The entries that are not the same on both sides: what is on the left, and what is on the right.
struct Merge<'a> {
    old: Names<'a>,
    new: Names<'a>,
}

impl<'a> Merge<'a> {
    fn new(old: &'a [u8], new: &'a [u8]) -> Self {
        Self { old: Names::new(old), new: Names::new(new) }
    }

    /// Passes over entries that both sides have, which are nearly all, without looking into them.
    fn pass_equal(&mut self) {
        let (mut old, mut new) = (self.old.rest, self.new.rest);
        while let Some(end) = memchr::memchr(0, old) {
            match (old.split_at_checked(end + 1 + ID), new.split_at_checked(end + 1 + ID)) {
                (Some((entry, old_rest)), Some((same, new_rest))) if entry == same => (old, new) = (old_rest, new_rest),
                _ => break,
            }
        }
        *self = Self::new(old, new);
    }
}

impl<'a> Iterator for Merge<'a> {
    type Item = Result<(Option<Name<'a>>, Option<Name<'a>>), ()>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.pass_equal();
            let (mut after_old, mut after_new) = (self.old, self.new);
            let (old, new) = match (after_old.next().transpose(), after_new.next().transpose()) {
                (Ok(old), Ok(new)) => (old, new),
                _ => {
                    *self = Self::new(&[], &[]);
                    return Some(Err(()));
                }
            };
            let order = match (&old, &new) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => old.order(new),
            };
            if order.is_le() {
                self.old = after_old;
            }
            if order.is_ge() {
                self.new = after_new;
            }
            let (old, new) = (old.filter(|_| order.is_le()), new.filter(|_| order.is_ge()));
            if old != new {
                return Some(Ok((old, new)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &str, u8)]) -> Vec<u8> {
        let entry = |&(mode, name, id): &(&str, &str, u8)| [format!("{mode} {name}\0").as_bytes(), &[id; 20]].concat();
        entries.iter().flat_map(entry).collect()
    }

    #[track_caller]
    fn check(old: &[(&str, &str, u8)], new: &[(&str, &str, u8)], expected: &[&str]) {
        let (old, new) = (tree(old), tree(new));
        let shown: Vec<String> = Merge::new(&old, &new)
            .map(|difference| {
                let (old, new) = difference.expect("well formed");
                let show = |sign: char, name: Option<Name<'_>>| {
                    name.map_or_else(String::new, |name| {
                        format!("{sign}{}{}", String::from_utf8_lossy(name.name), if name.is_folder { "/" } else { "" })
                    })
                };
                show('-', old) + &show('+', new)
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn only_what_differs_is_given() {
        let same = [("100644", "a", 1), ("40000", "b", 2)];
        check(&same, &same, &[]);
        check(&[], &same, &["+a", "+b/"]);
        check(&same, &[], &["-a", "-b/"]);
        check(&same, &[("100644", "a", 3), ("40000", "b", 2)], &["-a+a"]);
        check(&same, &[("100755", "a", 1), ("40000", "b", 2)], &["-a+a"]);
        check(&same, &[("100644", "a", 1), ("100644", "aa", 1), ("40000", "b", 2)], &["+aa"]);
    }

    #[test]
    fn folders_sort_as_git_sorts_them() {
        // `a.x` comes before the folder `a`, and after the file `a`.
        let files = [("100644", "a", 1), ("100644", "a.x", 1)];
        let folder = [("100644", "a.x", 1), ("40000", "a", 2)];
        check(&files, &folder, &["-a", "+a/"]);
        check(&folder, &files, &["+a", "-a/"]);
        check(&[("40000", "a", 2), ("100644", "a0", 1)], &[("40000", "a", 2), ("100644", "a0", 1)], &[]);
    }

    #[test]
    fn a_damaged_tree_is_told() {
        for bytes in [&b"100644 a\0short"[..], b"100644", b"9 a\0aaaaaaaaaaaaaaaaaaaa", b"1006440000000 a\0aaaaaaaaaaaaaaaaaaaa"] {
            assert_eq!(Merge::new(bytes, &[]).collect::<Vec<_>>(), [Err(())], "{bytes:?}");
        }
    }
}
