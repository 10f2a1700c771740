//! Statements made ready for questions: each part of them as a formula, and the numbers of what they read.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::Arc;

use super::formula::Formula;
use super::index;
use super::people::EVERYONE;
use super::people::Header;
use super::people::MemberId;
use super::people::People;
use super::special;
use super::values::ValueSet;
use super::vocabulary::Attribute;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;
use crate::condition::Condition;
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
#[derive(Debug, Default)]
pub struct Preparation {
    /// What the formulas speak of.
    pub vocabulary: Vocabulary,
    /// Whom they name.
    pub people: People,
    /// The conditions by a hash of what they say, each with what is to be known of it.
    conditions: HashMap<u64, Vec<(Effect, Arc<Condition>, Ready)>>,
    ready: usize,
    /// The formulas of actions, and of services and sources, which many statements share.
    actions: HashMap<Actions, Formula>,
    names: HashMap<(AttributeId, Selector), Formula>,
}

/// What is to be known of a condition.
#[derive(Debug, Clone)]
struct Ready {
    id: usize,
    formula: Formula,
    fits: Formula,
    reads_me: bool,
}

impl Default for Ready {
    fn default() -> Self {
        Self { id: 0, formula: Formula::always(), fits: Formula::always(), reads_me: false }
    }
}

impl Preparation {
    /// Makes one statement ready.
    pub fn prepare(&mut self, statement: &Statement) -> Prepared {
        for member in &statement.except {
            if let Member::Group(name) = member {
                self.vocabulary.id(&Attribute::Group(name.clone()));
            }
        }
        let actions = self.actions.entry(statement.actions.clone()).or_insert_with_key(|actions| match actions {
            Actions::Any => Formula::always(),
            Actions::Only(names) => Formula::values(AttributeId::ACTION, ValueSet::words(names.iter().map(|name| &**name))),
        });
        let actions = actions.clone();
        let mut named = |attribute, selector: &Selector| {
            let formula =
                self.names.entry((attribute, selector.clone())).or_insert_with_key(|(attribute, selector)| named(*attribute, selector));
            formula.clone()
        };
        let (service, source) = (named(AttributeId::SERVICE, &statement.service), named(AttributeId::SOURCE, &statement.source));
        let Ready { id, formula, fits, reads_me } = self.condition(statement);
        Prepared {
            rest: Formula::all([actions.clone(), service.clone(), source.clone(), formula.clone()], &self.vocabulary),
            actions,
            service,
            source,
            asks: index::asked_set(&formula, &self.vocabulary),
            condition: formula,
            fits,
            condition_id: id,
            reads_me,
            header: self.people.header(statement),
            members: self.people.ids(&statement.members),
            except: self.people.ids(&statement.except),
            statement: statement.clone(),
        }
    }

    fn condition(&mut self, statement: &Statement) -> Ready {
        let Some(condition) = &statement.condition else { return Ready::default() };
        let mut hasher = DefaultHasher::new();
        (statement.effect, condition.expr()).hash(&mut hasher);
        let alike = self.conditions.entry(hasher.finish()).or_default();
        if let Some((_, _, known)) = alike.iter().find(|(effect, known, _)| *effect == statement.effect && known == condition) {
            return known.clone();
        }
        self.ready += 1;
        let formula = Formula::of_statement(condition, statement.effect, &mut self.vocabulary);
        let reads_me = condition.terms().any(special::is_who);
        let fits = Formula::fits(condition, &mut self.vocabulary);
        let ready = Ready { id: self.ready, formula, fits, reads_me };
        alike.push((statement.effect, condition.clone(), ready.clone()));
        ready
    }
}

fn named(attribute: AttributeId, selector: &Selector) -> Formula {
    match selector {
        Selector::Any => Formula::always(),
        Selector::Named(name) => Formula::values(attribute, ValueSet::words([&**name])),
    }
}
