//! Members and the other names of statements, by number, so that questions compare numbers.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::BuildHasher;
use std::hash::BuildHasherDefault;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use crate::decision::Request;
use crate::policy::Actions;
use crate::policy::Member;
use crate::policy::Name;
use crate::policy::Selector;
use crate::policy::Statement;

/// The number of a member.
pub type MemberId = u32;

/// The numbers of a few members.
pub type MemberIds = SmallVec<[MemberId; 4]>;

/// The number of everyone.
pub const EVERYONE: MemberId = 0;

/// Stands for whoever a statement is for, in the index: every statement is listed under it.
pub const ANYBODY: MemberId = MemberId::MAX;

/// Actions beyond this many share the last bit.
const BITS: usize = 63;

/// Everybody and everything that statements name.
#[derive(Debug, Clone)]
pub struct People {
    /// By a hash of the member, so that the hashes can be made on all cores, or by the next number that no other member has.
    ids: HashMap<u64, MemberId, Hashed>,
    members: Vec<Member>,
    actions: HashMap<Name, u64>,
    names: HashMap<Name, u32>,
}

/// A hash of part of a statement. It differs from run to run, so that nobody can write statements with equal ones.
pub fn hash(part: &impl Hash) -> u64 {
    static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);
    SEED.hash_one(part)
}

/// Where a member with this hash may be listed.
fn places(hash: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(hash), |place| Some(place.wrapping_add(1)))
}

/// What takes a hash for what it is.
#[derive(Debug, Clone, Default)]
pub struct Same(u64);

/// Makes tables of what has been hashed before.
pub type Hashed = BuildHasherDefault<Same>;

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// The part of a statement that can be compared at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// One bit for each action.
    actions: u64,
    /// The service; 0 is any.
    pub service: u32,
    source: u32,
}

impl Default for People {
    fn default() -> Self {
        let ids = HashMap::from_iter([(hash(&Member::Everyone), EVERYONE)]);
        Self { ids, members: vec![Member::Everyone], actions: HashMap::new(), names: HashMap::new() }
    }
}

impl People {
    /// The numbers of some members, which may be new, ascending; each given with its [hash].
    pub fn ids<'a>(&mut self, members: impl Iterator<Item = (&'a Member, u64)>) -> MemberIds {
        let mut ids: MemberIds = members.map(|(member, hash)| self.id(member, hash)).collect();
        ids.sort_unstable();
        ids
    }

    fn id(&mut self, member: &Member, hash: u64) -> MemberId {
        for place in places(hash) {
            match self.ids.entry(place) {
                Entry::Occupied(known) if self.members.get(*known.get() as usize) == Some(member) => return *known.get(),
                Entry::Occupied(_) => {}
                Entry::Vacant(free) => {
                    let id = MemberId::try_from(self.members.len()).unwrap_or(MemberId::MAX);
                    self.members.push(member.clone());
                    return *free.insert(id);
                }
            }
        }
        MemberId::MAX
    }

    /// The number of a member, if a statement names it.
    pub fn known(&self, member: &Member) -> Option<MemberId> {
        let mut known = places(hash(member)).map_while(|place| self.ids.get(&place).copied());
        known.find(|id| self.member(*id) == Some(member))
    }

    /// The member with a number.
    pub fn member(&self, id: MemberId) -> Option<&Member> {
        self.members.get(id as usize)
    }

    /// The header of a statement.
    pub fn header(&mut self, statement: &Statement) -> Header {
        let actions = match &statement.actions {
            Actions::Any => u64::MAX,
            Actions::Only(names) => names.iter().fold(0, |bits, name| bits | self.action(name)),
        };
        Header { actions, service: self.name(&statement.service), source: self.name(&statement.source) }
    }

    /// The header of what a request is about, which overlaps that of every statement that applies to the request.
    pub fn asked(&self, request: &Request) -> Header {
        let name = |name: &str| self.names.get(name).copied().unwrap_or(u32::MAX);
        let actions = self.actions.get(&*request.action.name).copied().unwrap_or(1 << BITS);
        Header { actions, service: name(&request.service), source: name(&request.source) }
    }

    fn action(&mut self, name: &Name) -> u64 {
        let next = 1 << self.actions.len().min(BITS);
        *self.actions.entry(name.clone()).or_insert(next)
    }

    fn name(&mut self, selector: &Selector) -> u32 {
        let Selector::Named(name) = selector else { return 0 };
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX).saturating_add(1);
        *self.names.entry(name.clone()).or_insert(next)
    }
}

impl Header {
    /// Actions that share a bit may be different ones, so that bit says nothing.
    const SHARED: u64 = 1 << BITS;

    /// What both are about; `None` if that is nothing, or not plain to see.
    pub fn meet(self, other: Self) -> Option<Self> {
        let name = |one: u32, two: u32| if one == 0 { two } else { one };
        let meets = self.overlaps(other)?;
        meets.then(|| Self {
            actions: self.actions & other.actions,
            service: name(self.service, other.service),
            source: name(self.source, other.source),
        })
    }

    /// Whether the other is about nothing else; `None` if that takes a closer look at the actions.
    pub fn covers(self, other: Self) -> Option<bool> {
        if !self.covers_place(other) {
            return Some(false);
        }
        let shared = (self.actions | other.actions) & Self::SHARED != 0;
        (!shared).then_some(other.actions & !self.actions == 0)
    }

    /// Whether the services and sources of the other are among its own.
    fn covers_place(self, other: Self) -> bool {
        let covers = |one: u32, two: u32| one == 0 || one == two;
        covers(self.service, other.service) && covers(self.source, other.source)
    }

    /// Whether some action, together with some service and source, is left of this header by others: no other covers all of them for that
    /// action. Then a request that only this one matches needs no look at any condition.
    pub fn is_left_by(self, others: impl Iterator<Item = Self>) -> bool {
        let mut left = self.left();
        others.for_each(|other| left.take(other));
        left.is_some()
    }

    /// What is left of it before anything is taken away.
    pub fn left(self) -> Left {
        Left(Self { actions: self.actions & !Self::SHARED, ..self })
    }

    /// Whether two headers have something in common; `None` if that takes a closer look at the actions.
    pub fn overlaps(self, other: Self) -> Option<bool> {
        let same = |one: u32, two: u32| one == 0 || two == 0 || one == two;
        let common = self.actions & other.actions;
        if common == 0 || !same(self.service, other.service) || !same(self.source, other.source) {
            return Some(false);
        }
        (common != Self::SHARED).then_some(true)
    }
}

/// What is left of a header: some of its actions, in all its places.
#[derive(Debug, Clone, Copy)]
pub struct Left(Header);

impl Left {
    /// The service; 0 is any.
    pub fn service(self) -> u32 {
        self.0.service
    }

    /// Whether a header takes some of it away.
    pub fn loses_to(self, other: Header) -> bool {
        self.0.actions & other.actions != 0 && other.covers_place(self.0)
    }

    /// Takes away what a header covers.
    pub fn take(&mut self, other: Header) {
        if other.covers_place(self.0) {
            self.0.actions &= !other.actions;
        }
    }

    /// Whether anything is left.
    pub fn is_some(self) -> bool {
        self.0.actions != 0
    }
}
