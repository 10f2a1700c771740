//! Statements made ready for questions: each part of them as a formula, and the numbers of what they read.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::Arc;

use rayon::prelude::*;

use super::formula::Formula;
use super::formula::Parts;
use super::index;
use super::meaning::is_opaque;
use super::people::EVERYONE;
use super::people::Header;
use super::people::MemberId;
use super::people::People;
use super::special;
use super::special::Special;
use super::values::ValueSet;
use super::vocabulary::Attribute;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;
use crate::condition::Condition;
use crate::condition::Term;
use crate::policy::Actions;
use crate::policy::Effect;
use crate::policy::Member;
use crate::policy::Name;
use crate::policy::Selector;
use crate::policy::Statement;

/// A statement as formulas.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The statement.
    pub statement: Statement,
    /// Its actions.
    pub actions: Formula,
    /// Its service.
    pub service: Formula,
    /// Its source.
    pub source: Formula,
    /// When its condition lets it apply, with values that do not fit.
    pub condition: Formula,
    /// Equal for statements of one effect with equal conditions.
    pub condition_id: usize,
    /// Whether its condition reads who the caller is: `{me}`, or `{me.groups}`.
    pub reads_me: bool,
    /// All of it but the members.
    pub rest: Formula,
    /// That everything which its condition reads fits.
    pub fits: Formula,
    /// An attribute that has to have one of a few values for it to apply, and these.
    pub asks: Option<(AttributeId, ValueSet)>,
    /// Of one that asks for none because it also applies to what does not fit: what it asks for where everything fits that it reads.
    pub asks_fitting: Option<(AttributeId, ValueSet)>,
    /// Its header, for comparing at a glance.
    pub header: Header,
    /// The numbers of its members, ascending.
    pub members: Vec<MemberId>,
    /// The numbers of its exceptions, ascending.
    pub except: Vec<MemberId>,
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

    /// When the statement applies to a request of a caller.
    pub fn applies(&self, caller: &Caller, vocabulary: &Vocabulary) -> Formula {
        let members = self.among(caller, vocabulary);
        if members.is_always() { self.rest.clone() } else { Formula::all([members, self.rest.clone()], vocabulary) }
    }

    /// Whether an exception or the condition may keep it from applying to one of its members and not to another.
    pub fn may_spare_members(&self) -> bool {
        self.reads_me || !self.statement.except.is_empty()
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

impl Preparation {
    /// Makes statements ready, in their order.
    pub fn prepare(&mut self, statements: &[Statement]) -> Vec<Prepared> {
        let hashes: Vec<u64> = statements.par_iter().with_min_len(FEW).map(hash).collect();
        let Self { vocabulary, people, conditions, headers } = self;
        let number = |(statement, hash)| conditions.number(statement, hash, vocabulary);
        let (numbers, named): (Vec<Option<usize>>, Vec<Named>) = rayon::join(
            || statements.iter().zip(hashes).map(number).collect(),
            || statements.iter().map(|statement| headers.named(statement, people)).collect(),
        );
        self.conditions.read(&mut self.vocabulary);
        let parts = statements.par_iter().zip(numbers).zip(named).with_min_len(FEW);
        parts.map(|((statement, number), named)| self.prepared(statement, number, named)).collect()
    }

    fn prepared(&self, statement: &Statement, number: Option<usize>, named: Named) -> Prepared {
        let known = number.and_then(|number| self.conditions.distinct.get(number)).and_then(|known| known.ready.as_ref());
        let Ready { formula, fits, asks, asks_fitting, reads_me } = known.cloned().unwrap_or_default();
        let Named { actions, service, source, header, members, except } = named;
        Prepared {
            rest: Formula::all([actions.clone(), service.clone(), source.clone(), formula.clone()], &self.vocabulary),
            actions,
            service,
            source,
            asks,
            asks_fitting,
            condition: formula,
            fits,
            condition_id: number.map_or(0, |number| number + 1),
            reads_me,
            header,
            members,
            except,
            statement: statement.clone(),
        }
    }
}

/// A hash of what the condition of a statement says.
fn hash(statement: &Statement) -> u64 {
    let mut hasher = DefaultHasher::new();
    (statement.effect, statement.condition.as_ref().map(|condition| condition.expr())).hash(&mut hasher);
    hasher.finish()
}

/// The conditions of statements, of which many can be the same.
#[derive(Debug, Default)]
struct Conditions {
    distinct: Vec<Known>,
    /// Positions by a hash of what the conditions say.
    by_hash: HashMap<u64, Vec<usize>>,
}

/// A condition, with what is to be known of it once that has been worked out.
#[derive(Debug)]
struct Known {
    effect: Effect,
    condition: Arc<Condition>,
    ready: Option<Ready>,
}

/// What is to be known of a condition.
#[derive(Debug, Clone)]
struct Ready {
    formula: Formula,
    fits: Formula,
    asks: Option<(AttributeId, ValueSet)>,
    asks_fitting: Option<(AttributeId, ValueSet)>,
    reads_me: bool,
}

impl Default for Ready {
    fn default() -> Self {
        Self { formula: Formula::always(), fits: Formula::always(), asks: None, asks_fitting: None, reads_me: false }
    }
}

impl Ready {
    fn new(condition: &Condition, effect: Effect, vocabulary: &mut Vocabulary) -> Self {
        let Parts { holds, applies, fits } = Formula::parts_of_statement(condition, effect, vocabulary);
        let asks = index::asked_set(&applies, vocabulary);
        let asks_fitting = if asks.is_none() { index::asked_set(&holds, vocabulary) } else { None };
        Self { formula: applies, fits, asks, asks_fitting, reads_me: condition.terms().any(special::is_who) }
    }
}

impl Conditions {
    /// The position of the condition of a statement, after everything that it and the exceptions speak of has its number.
    fn number(&mut self, statement: &Statement, hash: u64, vocabulary: &mut Vocabulary) -> Option<usize> {
        for member in &statement.except {
            if let Member::Group(name) = member {
                vocabulary.id(&Attribute::Group(name.clone()));
            }
        }
        let condition = statement.condition.as_ref()?;
        let alike = self.by_hash.entry(hash).or_default();
        let same = |at: &usize| self.distinct.get(*at).is_some_and(|one| one.effect == statement.effect && one.condition == *condition);
        if let Some(known) = alike.iter().copied().find(same) {
            return Some(known);
        }
        let ready = (!has_numbers(condition, vocabulary)).then(|| Ready::new(condition, statement.effect, vocabulary));
        alike.push(self.distinct.len());
        self.distinct.push(Known { effect: statement.effect, condition: condition.clone(), ready });
        Some(self.distinct.len() - 1)
    }

    /// Works out what is not known yet.
    fn read(&mut self, vocabulary: &mut Vocabulary) {
        let mut left: Vec<&mut Known> = self.distinct.iter_mut().filter(|known| known.ready.is_none()).collect();
        let read = |vocabulary: &mut Vocabulary, known: &mut Known| {
            known.ready = Some(Ready::new(&known.condition, known.effect, vocabulary));
        };
        if left.len() <= FEW {
            return left.into_iter().for_each(|known| read(vocabulary, known));
        }
        // Everything has its number, so the copies stay as they are.
        left.par_chunks_mut(FEW).for_each_init(|| vocabulary.clone(), |copy, chunk| chunk.iter_mut().for_each(|known| read(copy, known)));
    }
}

/// Whether everything that a condition speaks of has its number, as is plain to see: what is special, or compares two terms, may speak of
/// more than its terms.
fn has_numbers(condition: &Condition, vocabulary: &Vocabulary) -> bool {
    let mut plain = true;
    condition.expr().each_atom(&mut |atom| plain &= atom.other_term().is_none_or(|_| !is_opaque(atom)));
    let known = |term: &Term| {
        let list = condition.is_list(term);
        *term == Term::Me || Special::of(term, list).is_none() && vocabulary.fact(term, list).is_some()
    };
    plain && condition.terms().all(known)
}

/// The formulas of actions, and of services and sources, which many statements share.
#[derive(Debug, Default)]
struct Headers {
    actions: HashMap<Actions, Formula>,
    names: HashMap<(AttributeId, Selector), Formula>,
}

/// What the header of a statement comes to.
#[derive(Debug)]
struct Named {
    actions: Formula,
    service: Formula,
    source: Formula,
    header: Header,
    members: Vec<MemberId>,
    except: Vec<MemberId>,
}

impl Headers {
    fn named(&mut self, statement: &Statement, people: &mut People) -> Named {
        Named {
            actions: self.actions(&statement.actions),
            service: self.name(AttributeId::SERVICE, &statement.service),
            source: self.name(AttributeId::SOURCE, &statement.source),
            header: people.header(statement),
            members: people.ids(&statement.members),
            except: people.ids(&statement.except),
        }
    }

    fn actions(&mut self, actions: &Actions) -> Formula {
        if let Some(known) = self.actions.get(actions) {
            return known.clone();
        }
        let formula = match actions {
            Actions::Any => Formula::always(),
            Actions::Only(names) => Formula::values(AttributeId::ACTION, ValueSet::words(names.iter().map(|name| &**name))),
        };
        self.actions.insert(actions.clone(), formula.clone());
        formula
    }

    fn name(&mut self, attribute: AttributeId, selector: &Selector) -> Formula {
        let formula = self.names.entry((attribute, selector.clone())).or_insert_with(|| match selector {
            Selector::Any => Formula::always(),
            Selector::Named(name) => Formula::values(attribute, ValueSet::words([&**name])),
        });
        formula.clone()
    }
}
