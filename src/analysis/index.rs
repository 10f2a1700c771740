//! Which statements can have something in common with a question, found without looking at all of them.
//!
//! A statement is listed under each of its members, by effect and service. Where its condition asks for one of a few strings of
//! some attribute, it is listed under these strings too, so that a hundred thousand conditions `x = 'c…'` are not compared in pairs.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use super::formula::Formula;
use super::formula::Literal;
use super::formula::Test;
use super::prepared::Prepared;
use super::values::ValueSet;
use super::vocabulary::AttributeId;
use crate::policy::Effect;
use crate::policy::Member;
use crate::policy::Selector;

/// A statement is listed under at most this many strings.
const LISTED: usize = 8;

/// The statements of one member and service.
#[derive(Debug, Clone, Default)]
struct Row {
    /// Those that no string tells apart.
    rest: Vec<u32>,
    /// Those that ask for one of a few strings of an attribute.
    by_text: BTreeMap<AttributeId, HashMap<Arc<str>, Vec<u32>>>,
}

/// The statements of one law book, for looking up.
#[derive(Debug, Clone, Default)]
pub struct Index {
    rows: HashMap<(Effect, Member), HashMap<Selector, Row>>,
}

impl Index {
    /// Lists statements by their positions.
    pub fn new(statements: &[Prepared]) -> Self {
        let mut index = Self::default();
        for (position, prepared) in (0..).zip(statements) {
            let told = asked(&prepared.condition);
            for member in &prepared.statement.members {
                let services = index.rows.entry((prepared.statement.effect, member.clone())).or_default();
                let row = services.entry(prepared.statement.service.clone()).or_default();
                match &told {
                    None => row.rest.push(position),
                    Some((attribute, texts)) => {
                        let lists = row.by_text.entry(*attribute).or_default();
                        texts.iter().for_each(|text| lists.entry(text.clone()).or_default().push(position));
                    }
                }
            }
        }
        index
    }

    /// Adds the positions of the statements with an effect and a member that can have something in common with all of `roots`.
    pub fn collect(&self, statements: &[Prepared], effect: Effect, member: &Member, roots: &[&Prepared], found: &mut BTreeSet<u32>) {
        let Some(services) = self.rows.get(&(effect, member.clone())) else { return };
        let service = roots.iter().map(|root| &root.statement.service).find(|service| **service != Selector::Any);
        let rows: Vec<&Row> = match service {
            Some(service) => [&Selector::Any, service].into_iter().filter_map(|service| services.get(service)).collect(),
            None => services.values().collect(),
        };
        for row in rows {
            let mut add = |positions: &[u32]| {
                let fits = |position: &&u32| {
                    let statement = statements.get(**position as usize);
                    statement.is_some_and(|statement| roots.iter().all(|root| root.overlaps(statement)))
                };
                found.extend(positions.iter().filter(fits));
            };
            add(&row.rest);
            for (attribute, lists) in &row.by_text {
                match roots.iter().find_map(|root| restricted(&root.condition, *attribute)) {
                    Some(texts) if texts.len() < lists.len() => texts.iter().filter_map(|text| lists.get(text)).for_each(|list| add(list)),
                    _ => lists.values().for_each(|list| add(list)),
                }
            }
        }
    }
}

/// The literals that a formula needs in any case.
fn needed(formula: &Formula) -> impl Iterator<Item = &Literal> {
    let parts = match formula {
        Formula::All(parts) => parts.as_ref(),
        other => std::slice::from_ref(other),
    };
    parts.iter().filter_map(|part| if let Formula::Literal(literal) = part { Some(literal) } else { None })
}

fn only_texts(literal: &Literal) -> Option<&ValueSet> {
    match &*literal.test {
        Test::Values(set) if literal.positive && !set.absent && set.bools == [false; 2] && set.numbers.is_empty() => Some(set),
        _ => None,
    }
}

/// An attribute and the few strings that it may have, beside what does not fit.
fn asked(formula: &Formula) -> Option<(AttributeId, Vec<Arc<str>>)> {
    needed(formula).find_map(|literal| {
        let set = only_texts(literal)?;
        let few = set.texts.ranges().len() <= LISTED && !set.texts.is_empty();
        let texts = few.then(|| set.texts.singles()).flatten()?;
        Some((literal.attribute, texts.into_iter().cloned().collect()))
    })
}

/// The strings that an attribute may have, if they are few and nothing else will do.
fn restricted(formula: &Formula, attribute: AttributeId) -> Option<Vec<Arc<str>>> {
    needed(formula).filter(|literal| literal.attribute == attribute).find_map(|literal| {
        let set = only_texts(literal).filter(|set| !set.other)?;
        Some(set.texts.singles()?.into_iter().cloned().collect())
    })
}
