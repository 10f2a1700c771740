//! Which statements can have something in common with a question, found without looking at all of them.
//!
//! A statement is listed under each of its members, by effect and service. Where its condition asks for one of a few values of
//! some attribute, it is listed under these values, so that a hundred thousand conditions `x = 'c…'` are not compared in pairs. The
//! lists stand one behind the other in one table, because most of them are short, and a table costs nothing for each.

use std::ops::ControlFlow;

use rayon::prelude::*;

use super::people::ANYBODY;
use super::people::Header;
use super::people::MemberId;
use super::point::Held;
use super::point::Point;
use super::prepared::Prepared;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;
use crate::policy::Effect;

/// So many statements are worth sharing out.
const WORTH_SHARING: usize = 256;

/// What a statement asks for: the attribute and the [key](super::values::Single::key) of a value; `None` if no value tells it apart.
pub type Asked = Option<(AttributeId, u64)>;

/// One statement under one member and one value, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    member: MemberId,
    service: u32,
    asked: Asked,
    position: u32,
}

/// The entries of one effect.
#[derive(Debug, Clone, Default)]
struct Table {
    entries: Vec<Entry>,
    /// Where the entries of each member start, and at last where they end.
    starts: Vec<usize>,
    /// Every statement once more, whoever it is for.
    anybody: Vec<Entry>,
}

/// The statements of one law book, for looking up.
#[derive(Debug, Clone, Default)]
pub struct Index {
    grants: Table,
    denials: Table,
    /// The headers of the statements, close together.
    headers: Vec<Header>,
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Statements with this effect.
    pub effect: Effect,
    /// Only for requests whose values fit.
    pub fitting: bool,
}

/// Which services are looked at.
#[derive(Debug, Clone, Copy)]
pub enum Services {
    /// Those that a statement about this one can meet; 0 is any.
    Meeting(u32),
    /// Those that take in all of this one; 0 is any.
    Covering(u32),
}

impl Index {
    /// Lists statements by their positions.
    pub fn new(statements: &[Prepared]) -> Self {
        let listed = |effect| move || Table::new(statements, effect);
        let (grants, denials) = in_both(statements.len() < WORTH_SHARING, listed(Effect::Allow), listed(Effect::Deny));
        Self { grants, denials, headers: statements.iter().map(|prepared| prepared.header).collect() }
    }

    fn table(&self, effect: Effect) -> &Table {
        match effect {
            Effect::Allow => &self.grants,
            Effect::Deny => &self.denials,
        }
    }

    /// The header of the statement at a position.
    pub fn header(&self, position: u32) -> Option<Header> {
        self.headers.get(position as usize).copied()
    }

    /// Adds the positions of the statements with a member whose headers overlap another, some of them perhaps twice.
    pub fn about(&self, header: Header, member: MemberId, found: &mut Vec<u32>) {
        let services = Services::Meeting(header.service);
        for table in [&self.grants, &self.denials] {
            for row in rows(table.of(member), services) {
                let overlaps = |at: &u32| self.header(*at).is_some_and(|other| header.overlaps(other) != Some(false));
                found.extend(row.iter().map(|entry| entry.position).filter(overlaps));
            }
        }
    }

    /// Adds the positions of the statements with an effect and a member that can have something in common with all of `roots`, some of
    /// them perhaps twice. `fitting` says that only requests count whose values fit where the roots read them.
    pub fn collect(&self, statements: &[Prepared], look: Look, member: MemberId, roots: &[&Prepared], found: &mut Vec<u32>) {
        let service = roots.iter().map(|root| root.header.service).find(|service| *service != 0).unwrap_or_default();
        let services = Services::Meeting(service);
        let fits = |position: &u32| {
            let overlap = |root: &&Prepared| {
                let at_a_glance = root.header.overlaps(self.header(*position)?);
                at_a_glance.or_else(|| Some(root.overlaps(statements.get(*position as usize)?)))
            };
            roots.iter().all(|root| overlap(root).unwrap_or_default())
        };
        // A grant does not apply to a value that does not fit in any case.
        let only_fitting = look.fitting || look.effect == Effect::Allow;
        for row in rows(self.table(look.effect).of(member), services) {
            let mut add = |list: &[Entry]| found.extend(list.iter().map(|entry| entry.position).filter(fits));
            for list in runs(row, Entry::attribute) {
                let Some(attribute) = list.first().and_then(Entry::attribute) else {
                    add(list);
                    continue;
                };
                match roots.iter().find_map(|root| root.said.restricted(attribute, only_fitting, look.fitting)) {
                    Some(keys) if has_more_values(list, keys.len()) => keys.iter().for_each(|key| add(with_key(list, *key))),
                    _ => add(list),
                }
            }
        }
    }

    /// Shows the statements with an effect and a member that may apply at a point, some of them perhaps twice, and others, until told to
    /// stop. Without a point, shows all.
    pub fn each_at(
        &self,
        (effect, member, services): (Effect, MemberId, Services),
        point: Option<&Point>,
        vocabulary: &Vocabulary,
        mut show: impl FnMut(u32) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for row in rows(self.table(effect).of(member), services) {
            for list in runs(row, Entry::attribute) {
                let shown = match (list.first().and_then(Entry::attribute), point) {
                    (Some(attribute), Some(point)) if vocabulary.is_plain(attribute) => match point.held(attribute) {
                        None => &[],
                        Some(Held::Fits(_, key)) => with_key(list, *key),
                        Some(Held::Unfit) => list,
                    },
                    _ => list,
                };
                shown.iter().try_for_each(|entry| show(entry.position))?;
            }
        }
        ControlFlow::Continue(())
    }
}

impl Entry {
    /// Those of one statement under a member.
    fn of(position: usize, prepared: &Prepared, member: MemberId) -> impl Iterator<Item = Self> {
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        let service = prepared.header.service;
        prepared.said.asked.iter().map(move |&asked| Self { member, service, asked, position })
    }

    fn attribute(&self) -> Option<AttributeId> {
        self.asked.map(|(attribute, _)| attribute)
    }
}

impl Table {
    fn new(statements: &[Prepared], effect: Effect) -> Self {
        let of_effect = || statements.iter().enumerate().filter(|(_, prepared)| prepared.statement.effect == effect);
        let few = statements.len() < WORTH_SHARING;
        let anybody = || {
            let mut anybody: Vec<Entry> = of_effect().flat_map(|(at, prepared)| Entry::of(at, prepared, ANYBODY)).collect();
            if few {
                anybody.sort_unstable()
            } else {
                anybody.par_sort_unstable()
            }
            anybody
        };
        let ((entries, starts), anybody) = in_both(few, || by_member(of_effect, few), anybody);
        Self { entries, starts, anybody }
    }

    /// The entries of a member.
    fn of(&self, member: MemberId) -> &[Entry] {
        if member == ANYBODY {
            return &self.anybody;
        }
        let at = member as usize;
        let range = self.starts.get(at).zip(self.starts.get(at + 1));
        range.and_then(|(start, end)| self.entries.get(*start..*end)).unwrap_or_default()
    }
}

/// The entries of some statements in the order of the table, and where those of each member start. There are about as many members as
/// statements, so each entry is put among those of its member at once, and the short lists are then sorted.
fn by_member<'a, I: Iterator<Item = (usize, &'a Prepared)>>(statements: impl Fn() -> I, few: bool) -> (Vec<Entry>, Vec<usize>) {
    let mut starts = vec![0];
    for (_, prepared) in statements() {
        for &member in &prepared.members {
            let after = member as usize + 1;
            if starts.len() <= after {
                starts.resize(after + 1, 0);
            }
            starts.get_mut(after).into_iter().for_each(|count| *count += prepared.said.asked.len());
        }
    }
    let mut total = 0;
    for start in &mut starts {
        total += *start;
        *start = total;
    }
    let mut free = starts.clone();
    let mut entries = vec![Entry { member: 0, service: 0, asked: None, position: 0 }; total];
    for (at, prepared) in statements() {
        for &member in &prepared.members {
            let Some(next) = free.get_mut(member as usize) else { continue };
            for (place, entry) in entries.iter_mut().skip(*next).zip(Entry::of(at, prepared, member)) {
                *place = entry;
                *next += 1;
            }
        }
    }
    let mut lists: Vec<&mut [Entry]> = entries.chunk_by_mut(|one, two| one.member == two.member).collect();
    match few {
        true => lists.iter_mut().for_each(|list| list.sort_unstable()),
        false => lists.par_iter_mut().with_min_len(WORTH_SHARING).for_each(|list| list.par_sort_unstable()),
    }
    (entries, starts)
}

/// Does two things, on one core if they are small.
pub fn in_both<A: Send, B: Send>(small: bool, one: impl FnOnce() -> A + Send, two: impl FnOnce() -> B + Send) -> (A, B) {
    if small { (one(), two()) } else { rayon::join(one, two) }
}

/// The entries of one member by service, as far as they count.
fn rows(entries: &[Entry], services: Services) -> impl Iterator<Item = &[Entry]> {
    let none: &[Entry] = &[];
    // Those of any service stand first.
    let behind_any = || entries.split_at(length(entries, |entry| entry.service == 0));
    let (all, any, own) = match services {
        Services::Meeting(0) => (entries, none, none),
        Services::Covering(0) => (none, behind_any().0, none),
        Services::Meeting(own) | Services::Covering(own) => {
            let (any, rest) = behind_any();
            (none, any, with_service(rest, own))
        }
    };
    runs(all, |entry| entry.service).chain([any, own].into_iter().filter(|row| !row.is_empty()))
}

/// The entries that name a service.
fn with_service(entries: &[Entry], service: u32) -> &[Entry] {
    let behind = entries.get(entries.partition_point(|entry| entry.service < service)..).unwrap_or_default();
    behind.split_at(length(behind, |entry| entry.service == service)).0
}

/// Entries by something that those have in common which stand together.
fn runs<T: PartialEq>(entries: &[Entry], of: impl Fn(&Entry) -> T) -> impl Iterator<Item = &[Entry]> {
    let mut rest = entries;
    std::iter::from_fn(move || {
        let first = of(rest.first()?);
        let (run, behind) = rest.split_at(length(rest, |entry| of(entry) == first));
        rest = behind;
        Some(run)
    })
}

/// How many entries at the start are alike; like ones stand together.
fn length(entries: &[Entry], alike: impl Fn(&Entry) -> bool) -> usize {
    // Most runs are short.
    match entries.iter().take(8).position(|entry| !alike(entry)) {
        Some(end) => end,
        None => entries.partition_point(alike),
    }
}

/// The entries of one attribute that ask for a value.
fn with_key(list: &[Entry], key: u64) -> &[Entry] {
    let of = |entry: &Entry| entry.asked.map(|(_, key)| key);
    let behind = list.get(list.partition_point(|entry| of(entry) < Some(key))..).unwrap_or_default();
    behind.split_at(length(behind, |entry| of(entry) == Some(key))).0
}

/// Whether the entries of one attribute ask for more values than so many.
fn has_more_values(list: &[Entry], most: usize) -> bool {
    list.len() > most && runs(list, |entry| entry.asked).nth(most).is_some()
}
