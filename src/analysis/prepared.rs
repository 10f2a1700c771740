//! Statements made ready for questions: each part of them as a formula, and the numbers of what they read.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use super::formula::Formula;
use super::formula::Test;
use super::values::ValueSet;
use super::vocabulary::Attribute;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;
use crate::condition::Expr;
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
    /// Whether its condition reads `{me}`.
    pub reads_me: bool,
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
    pub fn with<'a>(members: impl IntoIterator<Item = &'a Member>, unnamed: Identity) -> Option<Self> {
        let mut caller = Self { groups: BTreeSet::new(), identity: unnamed, exact: false };
        for member in members {
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
        self.groups.len() + usize::from(matches!(self.identity, Identity::Known { .. })) <= 1
    }

    /// What a question has to add for the caller to be who they are.
    pub fn facts(&self) -> Formula {
        match &self.identity {
            Identity::Known { id, .. } => Formula::values(AttributeId::ME, ValueSet::words([&**id])),
            Identity::Nobody | Identity::Any => Formula::always(),
        }
    }
}

impl Prepared {
    /// When a caller is one of the members and none of the exceptions.
    pub fn members(&self, caller: &Caller, vocabulary: &Vocabulary) -> Formula {
        let member = meets(&self.statement.members, caller, vocabulary);
        let except = meets(&self.statement.except, caller, vocabulary);
        Formula::all([member, except.negate(vocabulary)], vocabulary)
    }

    /// When the statement applies to a request of a caller.
    pub fn applies(&self, caller: &Caller, vocabulary: &Vocabulary) -> Formula {
        let members = self.members(caller, vocabulary);
        let parts = [members, self.actions.clone(), self.service.clone(), self.source.clone(), self.condition.clone()];
        Formula::all(parts, vocabulary)
    }

    /// Whether an exception or the condition may keep it from applying to one of its members and not to another.
    pub fn may_spare_members(&self) -> bool {
        self.reads_me || !self.statement.except.is_empty()
    }

    /// Whether the headers, members left aside, have something in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (one, two) = (&self.statement, &other.statement);
        one.actions.overlaps(&two.actions) && one.service.overlaps(&two.service) && one.source.overlaps(&two.source)
    }
}

/// When a caller is one of some members.
fn meets(members: &[Member], caller: &Caller, vocabulary: &Vocabulary) -> Formula {
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

/// Makes statements ready, with one vocabulary.
#[derive(Debug, Default)]
pub struct Preparation {
    /// What the formulas speak of.
    pub vocabulary: Vocabulary,
    conditions: HashMap<(Effect, Arc<Expr>, Vec<bool>), (usize, Formula, bool)>,
}

impl Preparation {
    /// Makes one statement ready.
    pub fn prepare(&mut self, statement: &Statement) -> Prepared {
        for member in &statement.except {
            if let Member::Group(name) = member {
                self.vocabulary.id(&Attribute::Group(name.clone()));
            }
        }
        let actions = match &statement.actions {
            Actions::Any => Formula::always(),
            Actions::Only(names) => Formula::values(AttributeId::ACTION, ValueSet::words(names.iter().map(|name| &**name))),
        };
        let (condition_id, condition, reads_me) = self.condition(statement);
        Prepared {
            statement: statement.clone(),
            actions,
            service: named(AttributeId::SERVICE, &statement.service),
            source: named(AttributeId::SOURCE, &statement.source),
            condition,
            condition_id,
            reads_me,
        }
    }

    fn condition(&mut self, statement: &Statement) -> (usize, Formula, bool) {
        let Some(condition) = &statement.condition else { return (0, Formula::always(), false) };
        let lists: Vec<bool> = condition.terms().map(|term| condition.is_list(term)).collect();
        let next = self.conditions.len() + 1;
        let key = (statement.effect, Arc::new(condition.expr().clone()), lists);
        if let Some(known) = self.conditions.get(&key) {
            return known.clone();
        }
        let formula = Formula::of_statement(condition, statement.effect, &mut self.vocabulary);
        let mut reads_me = false;
        formula.each_literal(&mut |literal| reads_me |= literal.attribute == AttributeId::ME || *literal.test == Test::Me);
        reads_me |= condition.terms().any(|term| *term == crate::condition::Term::Me);
        self.conditions.insert(key, (next, formula.clone(), reads_me));
        (next, formula, reads_me)
    }
}

fn named(attribute: AttributeId, selector: &Selector) -> Formula {
    match selector {
        Selector::Any => Formula::always(),
        Selector::Named(name) => Formula::values(attribute, ValueSet::words([&**name])),
    }
}
