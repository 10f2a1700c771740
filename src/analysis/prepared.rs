//! Statements made ready for questions: each part of them as a formula, and the numbers of what they read.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::OnceLock;

use rayon::prelude::*;
use smallvec::SmallVec;

use super::formula::Formula;
use super::index::in_both;
use super::people::EVERYONE;
use super::people::Hashed;
use super::people::Header;
use super::people::MemberId;
use super::people::MemberIds;
use super::people::People;
use super::people::hash;
use super::said::Conditions;
use super::said::Said;
use super::special;
use super::values::ValueSet;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;
use crate::policy::Actions;
use crate::policy::Member;
use crate::policy::Name;
use crate::policy::Selector;
use crate::policy::Statement;

/// A statement as formulas.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The statement.
    pub statement: Arc<Statement>,
    /// What its condition says, which it shares with other statements.
    pub said: Arc<Said>,
    /// What it is about, once somebody has asked, which it shares with other statements.
    about: Arc<OnceLock<About>>,
    /// All of it but the members, once somebody has asked.
    rest: OnceLock<Formula>,
    /// Its header, for comparing at a glance.
    pub header: Header,
    /// The numbers of its members, ascending.
    pub members: MemberIds,
    /// The numbers of its exceptions, ascending.
    pub except: MemberIds,
}

/// What a statement is about, members and condition left aside.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct About {
    /// Its actions.
    pub actions: Formula,
    /// Its service.
    pub service: Formula,
    /// Its source.
    pub source: Formula,
}

/// Who asks, as far as a question says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    /// Groups that the caller is in.
    pub groups: BTreeSet<Name>,
    /// Who the caller is.
    pub identity: Identity,
    /// Whether the caller is in no other group, and nobody that a statement names.
    pub exact: bool,
    /// The numbers of the members that the caller is known to have.
    pub members: Vec<MemberId>,
    /// What else is known of the caller, if anything is.
    pub facts: Option<Formula>,
}

/// Who a caller is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Identity {
    /// Nobody that any statement names.
    #[default]
    Nobody,
    /// Anybody.
    Any,
    /// A type and an id.
    Known {
        /// The type.
        kind: Name,
        /// The id.
        id: Name,
    },
}

impl Caller {
    /// The caller that has these members and nothing else; `None` if nobody can have them all.
    pub fn with(members: &[MemberId], people: &People, unnamed: Identity) -> Option<Self> {
        let mut caller = Self { identity: unnamed, members: members.to_vec(), ..Self::default() };
        for member in members.iter().filter_map(|&member| people.member(member)) {
            let known = match member {
                Member::Everyone => continue,
                Member::Group(name) => {
                    caller.groups.insert(name.clone());
                    continue;
                }
                Member::Email(id) => Identity::Known { kind: "user".into(), id: id.clone() },
                Member::Typed { kind, id } => Identity::Known { kind: kind.clone(), id: id.clone() },
            };
            if matches!(caller.identity, Identity::Known { .. }) && caller.identity != known {
                return None;
            }
            caller.identity = known;
        }
        Some(caller)
    }

    /// Whether the caller is known to be in one group, or to be one person, at most: no two members had to be the same caller.
    pub fn is_simple(&self) -> bool {
        self.exact || self.groups.len() + usize::from(matches!(self.identity, Identity::Known { .. })) <= 1
    }

    /// What a question has to add for the caller to be who they are.
    pub fn facts(&self, vocabulary: &Vocabulary) -> Formula {
        let identity = match &self.identity {
            Identity::Known { id, .. } => Formula::values(AttributeId::ME, ValueSet::words([&**id])),
            Identity::Nobody | Identity::Any => Formula::always(),
        };
        Formula::all(self.facts.iter().cloned().chain([identity, special::groups(self, vocabulary)]), vocabulary)
    }
}

impl Prepared {
    /// When a caller is one of the members and none of the exceptions.
    pub fn among(&self, caller: &Caller, vocabulary: &Vocabulary) -> Formula {
        let certain =
            |ids: &[MemberId]| ids.first() == Some(&EVERYONE) || caller.members.iter().any(|member| ids.binary_search(member).is_ok());
        let member = if certain(&self.members) { Formula::always() } else { meets(&self.statement.members, caller, vocabulary) };
        if self.except.is_empty() {
            return member;
        }
        let except = meets(&self.statement.except, caller, vocabulary);
        Formula::all([member, except.negate(vocabulary)], vocabulary)
    }

    /// What it is about.
    pub fn about(&self) -> &About {
        self.about.get_or_init(|| About::new(&self.statement))
    }

    /// When the statement applies to a request, whoever asks.
    pub fn rest(&self, vocabulary: &Vocabulary) -> &Formula {
        self.rest.get_or_init(|| {
            let About { actions, service, source } = self.about();
            Formula::all([actions, service, source, &self.said.applies].map(Clone::clone), vocabulary)
        })
    }

    /// When the statement applies to a request of a caller.
    pub fn applies(&self, caller: &Caller, vocabulary: &Vocabulary) -> Formula {
        let members = self.among(caller, vocabulary);
        let rest = self.rest(vocabulary).clone();
        if members.is_always() { rest } else { Formula::all([members, rest], vocabulary) }
    }

    /// Whether an exception or the condition may keep it from applying to one of its members and not to another.
    pub fn may_spare_members(&self) -> bool {
        self.said.reads_me || !self.statement.except.is_empty()
    }

    /// Whether the headers, members left aside, have something in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.header.overlaps(other.header).unwrap_or_else(|| self.statement.actions.overlaps(&other.statement.actions))
    }
}

/// When a caller is one of some members.
fn meets(members: &[Member], caller: &Caller, vocabulary: &Vocabulary) -> Formula {
    if caller.identity == Identity::Nobody && !vocabulary.has_groups() {
        return if caller_has(members, caller) { Formula::always() } else { Formula::never() };
    }
    let mut parts = Vec::new();
    let mut ids: HashMap<&str, Vec<&str>> = HashMap::new();
    for member in members {
        match member {
            Member::Everyone => return Formula::always(),
            Member::Group(name) if caller.groups.contains(name) => return Formula::always(),
            Member::Group(_) if caller.exact => {}
            // Only a group that some exception names can make a difference by being one more.
            Member::Group(name) => parts.extend(vocabulary.group(name).map(|group| Formula::values(group, ValueSet::bool(true)))),
            Member::Email(id) => ids.entry("user").or_default().push(id),
            Member::Typed { kind, id } => ids.entry(kind).or_default().push(id),
        }
    }
    match &caller.identity {
        Identity::Nobody => {}
        Identity::Any if caller.exact => {}
        Identity::Known { kind, id } => {
            if ids.get(&**kind).is_some_and(|known| known.contains(&&**id)) {
                return Formula::always();
            }
        }
        Identity::Any => {
            let mut kinds: Vec<_> = ids.into_iter().collect();
            kinds.sort_unstable();
            parts.extend(kinds.into_iter().map(|(kind, ids)| {
                let is = Formula::values(AttributeId::ME, ValueSet::words(ids));
                Formula::all([is, Formula::values(AttributeId::CALLER_TYPE, ValueSet::words([kind]))], vocabulary)
            }));
        }
    }
    Formula::any(parts, vocabulary)
}

/// Whether a caller that nothing names is one of some members.
fn caller_has(members: &[Member], caller: &Caller) -> bool {
    members.iter().any(|member| match member {
        Member::Everyone => true,
        Member::Group(name) => caller.groups.contains(name),
        Member::Email(_) | Member::Typed { .. } => false,
    })
}

/// Makes statements ready, with one vocabulary.
///
/// What gives numbers goes from statement to statement, because the numbers are to follow the order of the law book; the formulas are
/// then made on all cores.
#[derive(Debug, Default)]
pub struct Preparation {
    /// What the formulas speak of.
    pub vocabulary: Vocabulary,
    /// Whom they name.
    pub people: People,
    conditions: Conditions,
    headers: Headers,
}

/// So many statements, or conditions, are not worth the trouble of sharing them out.
const FEW: usize = 64;

/// A statement, or one that is shared already.
pub trait Stated: Borrow<Statement> + Into<Arc<Statement>> + Clone + Sync {}

impl<S: Borrow<Statement> + Into<Arc<Statement>> + Clone + Sync> Stated for S {}

impl Preparation {
    /// Makes statements ready, in their order.
    pub fn prepare<S: Stated>(&mut self, statements: &[S]) -> Vec<Prepared> {
        let few = statements.len() < FEW;
        let hashed = |statement: &S| (statement.clone().into(), Hashes::of(statement.borrow()));
        let hashed: Vec<(Arc<Statement>, Hashes)> = match few {
            true => statements.iter().map(hashed).collect(),
            false => statements.par_iter().with_min_len(FEW).map(hashed).collect(),
        };
        let Self { vocabulary, people, conditions, headers } = self;
        let number = |(statement, _): &(Arc<Statement>, Hashes)| conditions.number(statement, vocabulary);
        let name = |(statement, hashes): &(Arc<Statement>, Hashes)| headers.named(statement, hashes, people);
        let (numbers, named): (Vec<Option<usize>>, Vec<Named>) =
            in_both(few, || hashed.iter().map(number).collect(), || hashed.iter().map(name).collect());
        self.conditions.read(&mut self.vocabulary);
        let prepared = |(((statement, _), number), named)| self.prepared(statement, number, named);
        match few {
            true => hashed.into_iter().zip(numbers).zip(named).map(prepared).collect(),
            false => hashed.into_par_iter().zip(numbers).zip(named).with_min_len(FEW).map(prepared).collect(),
        }
    }

    fn prepared(&self, statement: Arc<Statement>, number: Option<usize>, named: Named) -> Prepared {
        let Named { about, header, members, except } = named;
        Prepared { about, said: self.conditions.said(number), rest: OnceLock::new(), header, members, except, statement }
    }
}

/// Hashes of the parts of a statement that it may share with others.
#[derive(Debug)]
struct Hashes {
    header: u64,
    /// Of its members, and then of its exceptions.
    members: SmallVec<[u64; 4]>,
}

impl Hashes {
    fn of(statement: &Statement) -> Self {
        let Statement { actions, service, source, members, except, .. } = statement;
        Self { header: hash(&(actions, service, source)), members: members.iter().chain(except).map(hash).collect() }
    }
}

/// What statements are about, which many of them share, by a hash of it.
#[derive(Debug, Default)]
struct Headers(HashMap<u64, SmallVec<[Known; 1]>, Hashed>);

/// The first statement with a header, and what that comes to.
type Known = (Arc<Statement>, Arc<OnceLock<About>>, Header);

/// What the header of a statement comes to.
#[derive(Debug)]
struct Named {
    about: Arc<OnceLock<About>>,
    header: Header,
    members: MemberIds,
    except: MemberIds,
}

impl Headers {
    fn named(&mut self, statement: &Arc<Statement>, hashes: &Hashes, people: &mut People) -> Named {
        let Statement { actions, service, source, members, except, .. } = &**statement;
        let alike = self.0.entry(hashes.header).or_default();
        let same = |(known, ..): &&Known| known.actions == *actions && known.service == *service && known.source == *source;
        let (about, header) = match alike.iter().find(same) {
            Some((_, about, header)) => (about.clone(), *header),
            None => {
                let (about, header) = (Arc::default(), people.header(statement));
                alike.push((statement.clone(), Arc::clone(&about), header));
                (about, header)
            }
        };
        let mut hashes = hashes.members.iter().copied();
        let members = people.ids(members.iter().zip(&mut hashes));
        Named { about, header, members, except: people.ids(except.iter().zip(&mut hashes)) }
    }
}

impl About {
    fn new(statement: &Statement) -> Self {
        let name = |attribute, selector: &Selector| match selector {
            Selector::Any => Formula::always(),
            Selector::Named(name) => Formula::values(attribute, ValueSet::words([&**name])),
        };
        let actions = match &statement.actions {
            Actions::Any => Formula::always(),
            Actions::Only(names) => Formula::values(AttributeId::ACTION, ValueSet::words(names.iter().map(|name| &**name))),
        };
        Self { actions, service: name(AttributeId::SERVICE, &statement.service), source: name(AttributeId::SOURCE, &statement.source) }
    }
}
