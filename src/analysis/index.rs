//! Which statements can have something in common with a question, found without looking at all of them.
//!
//! A statement is listed under each of its members, by effect and service. Where its condition asks for one of a few strings of
//! some attribute, it is listed under these strings too, so that a hundred thousand conditions `x = 'c…'` are not compared in pairs.

use std::collections::HashMap;
use std::sync::Arc;

use super::formula::Formula;
use super::formula::Literal;
use super::formula::Test;
use super::people::ANYBODY;
use super::people::MemberId;
use super::prepared::Prepared;
use super::values::ValueSet;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;
use crate::policy::Effect;

/// A statement is listed under at most this many strings.
const LISTED: usize = 8;

/// The statements of one member and service.
#[derive(Debug, Clone, Default)]
struct Row {
    /// Those that no string tells apart.
    rest: Vec<u32>,
    /// Those that ask for one of a few strings of an attribute.
    by_text: Vec<(AttributeId, HashMap<Arc<str>, Vec<u32>>)>,
}

/// The rows of one effect and member, by service.
type Rows = Vec<(u32, Row)>;

/// The statements of one law book, for looking up.
#[derive(Debug, Clone, Default)]
pub struct Index {
    grants: HashMap<MemberId, Rows>,
    denials: HashMap<MemberId, Rows>,
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Statements with this effect.
    pub effect: Effect,
    /// Only for requests whose values fit.
    pub fitting: bool,
}

impl Index {
    /// Lists statements by their positions.
    pub fn new(statements: &[Prepared], vocabulary: &Vocabulary) -> Self {
        let mut index = Self::default();
        for (position, prepared) in (0..).zip(statements) {
            let told = asked(&prepared.condition, vocabulary);
            let rows = match prepared.statement.effect {
                Effect::Allow => &mut index.grants,
                Effect::Deny => &mut index.denials,
            };
            for member in prepared.members.iter().chain([&ANYBODY]) {
                let row = row(rows.entry(*member).or_default(), prepared.header.service);
                match &told {
                    None => row.rest.push(position),
                    Some((attribute, texts)) => {
                        let lists = lists(&mut row.by_text, *attribute);
                        texts.iter().for_each(|text| lists.entry(text.clone()).or_default().push(position));
                    }
                }
            }
        }
        index
    }

    /// Adds the positions of the statements with an effect and a member that can have something in common with all of `roots`, some of
    /// them perhaps twice. `fitting` says that only requests count whose values fit where the roots read them.
    pub fn collect(&self, statements: &[Prepared], look: Look, member: MemberId, roots: &[&Prepared], found: &mut Vec<u32>) {
        let Look { effect, fitting } = look;
        let rows = match effect {
            Effect::Allow => self.grants.get(&member),
            Effect::Deny => self.denials.get(&member),
        };
        let Some(rows) = rows else { return };
        let service = roots.iter().map(|root| root.header.service).find(|service| *service != 0);
        for (of, row) in rows {
            if service.is_some_and(|service| *of != 0 && *of != service) {
                continue;
            }
            let mut add = |positions: &[u32]| {
                let fits = |position: &&u32| {
                    let statement = statements.get(**position as usize);
                    statement.is_some_and(|statement| roots.iter().all(|root| root.overlaps(statement)))
                };
                found.extend(positions.iter().filter(fits));
            };
            add(&row.rest);
            for (attribute, lists) in &row.by_text {
                // A grant does not apply to a value that does not fit in any case.
                let fitting = fitting || effect == Effect::Allow;
                match roots.iter().find_map(|root| restricted(&root.condition, *attribute, fitting)) {
                    Some(texts) if texts.len() < lists.len() => texts.iter().filter_map(|text| lists.get(*text)).for_each(|list| add(list)),
                    _ => lists.values().for_each(|list| add(list)),
                }
            }
        }
    }
}

fn row(rows: &mut Rows, service: u32) -> &mut Row {
    let at = match rows.binary_search_by_key(&service, |(of, _)| *of) {
        Ok(at) => at,
        Err(at) => {
            rows.insert(at, (service, Row::default()));
            at
        }
    };
    #[expect(clippy::indexing_slicing, reason = "the position has just been found or made")]
    let (_, row) = &mut rows[at];
    row
}

fn lists(by_text: &mut Vec<(AttributeId, HashMap<Arc<str>, Vec<u32>>)>, attribute: AttributeId) -> &mut HashMap<Arc<str>, Vec<u32>> {
    let at = match by_text.iter().position(|(known, _)| *known == attribute) {
        Some(at) => at,
        None => {
            by_text.push((attribute, HashMap::new()));
            by_text.len() - 1
        }
    };
    #[expect(clippy::indexing_slicing, reason = "the position has just been found or made")]
    let (_, lists) = &mut by_text[at];
    lists
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
fn asked(formula: &Formula, vocabulary: &Vocabulary) -> Option<(AttributeId, Vec<Arc<str>>)> {
    // One element of a list says nothing of the others.
    needed(formula).filter(|literal| !vocabulary.is_list(literal.attribute)).find_map(|literal| {
        let set = only_texts(literal)?;
        let few = set.texts.ranges().len() <= LISTED && !set.texts.is_empty();
        let texts = few.then(|| set.texts.singles()).flatten()?;
        Some((literal.attribute, texts.into_iter().cloned().collect()))
    })
}

/// The strings that an attribute may have, if they are few and nothing else will do, beside what does not fit where that does not count.
fn restricted(formula: &Formula, attribute: AttributeId, fitting: bool) -> Option<Vec<&Arc<str>>> {
    needed(formula).filter(|literal| literal.attribute == attribute).find_map(|literal| {
        let set = only_texts(literal).filter(|set| fitting || !set.other)?;
        set.texts.singles()
    })
}
