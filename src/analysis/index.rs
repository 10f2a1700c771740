//! Which statements can have something in common with a question, found without looking at all of them.
//!
//! A statement is listed under each of its members, by effect and service. Where its condition asks for one of a few values of
//! some attribute, it is listed under these values too, so that a hundred thousand conditions `x = 'c…'` are not compared in pairs.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::formula::Formula;
use super::formula::Literal;
use super::formula::Test;
use super::interval::Rank;
use super::people::ANYBODY;
use super::people::Header;
use super::people::MemberId;
use super::prepared::Prepared;
use super::values::ValueSet;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;
use crate::policy::Effect;

/// A statement is listed under at most this many values.
const LISTED: usize = 8;
/// So many values are looked up one by one.
const MATCHED: usize = 1024;
/// So many statements are listed in parts.
const WORTH_PARTS: usize = 256;
/// How many parts there are: more than cores, because the part with everybody takes longest.
const PARTS: usize = 16;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Single {
    Text(Arc<str>),
    Number(Rank),
    Bool(bool),
}

/// Statements by an attribute and the value that they ask for.
type Lists = Vec<(AttributeId, HashMap<Single, Vec<u32>>)>;

/// The statements of one member and service.
#[derive(Debug, Clone, Default)]
struct Row {
    /// Those that no value tells apart.
    rest: Vec<u32>,
    /// Those that ask for one of a few values of an attribute.
    by_value: Lists,
}

/// The rows of one effect and member, by service.
type Rows = Vec<(u32, Row)>;

/// The rows of one effect, by member. They are made in parts, on all cores: a member belongs to the part that its number says.
type Parts = Vec<HashMap<MemberId, Rows>>;

/// The statements of one law book, for looking up.
#[derive(Debug, Clone, Default)]
pub struct Index {
    grants: Parts,
    denials: Parts,
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

impl Index {
    /// Lists statements by their positions.
    pub fn new(statements: &[Prepared]) -> Self {
        let told: Vec<Option<Asked>> = statements.par_iter().with_min_len(WORTH_PARTS).map(asked).collect();
        let parts = if statements.len() < WORTH_PARTS { 1 } else { PARTS };
        let listed = |effect| (0..parts).into_par_iter().with_max_len(1).map(|part| rows(statements, &told, effect, part, parts)).collect();
        let (grants, denials) = rayon::join(|| listed(Effect::Allow), || listed(Effect::Deny));
        Self { grants, denials, headers: statements.iter().map(|prepared| prepared.header).collect() }
    }

    /// Adds the positions of the statements with a member whose headers overlap another, some of them perhaps twice.
    pub fn about(&self, header: Header, member: MemberId, found: &mut Vec<u32>) {
        let rows = [&self.grants, &self.denials].into_iter().filter_map(|parts| parts.get(part_of(member, parts.len()))?.get(&member));
        let concerned = |service: u32| header.service == 0 || service == 0 || service == header.service;
        for (_, row) in rows.flatten().filter(|(service, _)| concerned(*service)) {
            let lists = row.by_value.iter().flat_map(|(_, lists)| lists.values()).chain([&row.rest]);
            let overlaps = |at: &u32| self.headers.get(*at as usize).is_some_and(|other| header.overlaps(*other) != Some(false));
            found.extend(lists.flatten().copied().filter(overlaps));
        }
    }

    /// Adds the positions of the statements with an effect and a member that can have something in common with all of `roots`, some of
    /// them perhaps twice. `fitting` says that only requests count whose values fit where the roots read them.
    pub fn collect(&self, statements: &[Prepared], look: Look, member: MemberId, roots: &[&Prepared], found: &mut Vec<u32>) {
        let Look { effect, fitting } = look;
        let parts = match effect {
            Effect::Allow => &self.grants,
            Effect::Deny => &self.denials,
        };
        let Some(rows) = parts.get(part_of(member, parts.len())).and_then(|part| part.get(&member)) else { return };
        let service = roots.iter().map(|root| root.header.service).find(|service| *service != 0);
        for (of, row) in rows {
            if service.is_some_and(|service| *of != 0 && *of != service) {
                continue;
            }
            let mut add = |positions: &[u32]| {
                let fits = |position: &&u32| {
                    let at = **position as usize;
                    let overlap = |root: &&Prepared| {
                        let at_a_glance = root.header.overlaps(*self.headers.get(at)?);
                        at_a_glance.or_else(|| Some(root.overlaps(statements.get(at)?)))
                    };
                    roots.iter().all(|root| overlap(root).unwrap_or_default())
                };
                found.extend(positions.iter().filter(fits));
            };
            add(&row.rest);
            for (attribute, lists) in &row.by_value {
                // A grant does not apply to a value that does not fit in any case.
                let plain = |root: &&Prepared| restricted(&root.condition, *attribute, fitting || effect == Effect::Allow);
                let asked = |root: &&Prepared| {
                    let (asked, set) = root.asks_fitting.as_ref().filter(|_| fitting)?;
                    singles(set, MATCHED).filter(|_| asked == attribute)
                };
                match roots.iter().find_map(|root| plain(root).or_else(|| asked(root))) {
                    Some(values) if values.len() < lists.len() => {
                        values.iter().filter_map(|value| lists.get(value)).for_each(|list| add(list))
                    }
                    _ => lists.values().for_each(|list| add(list)),
                }
            }
        }
    }
}

/// The part of some parts that a member belongs to.
fn part_of(member: MemberId, parts: usize) -> usize {
    (member as usize).checked_rem(parts).unwrap_or_default()
}

/// The rows of the members of one part.
fn rows(statements: &[Prepared], told: &[Option<Asked>], effect: Effect, part: usize, parts: usize) -> HashMap<MemberId, Rows> {
    let mut rows: HashMap<MemberId, Rows> = HashMap::new();
    for ((position, prepared), told) in (0..).zip(statements).zip(told).filter(|((_, prepared), _)| prepared.statement.effect == effect) {
        for member in prepared.members.iter().chain([&ANYBODY]).filter(|member| part_of(**member, parts) == part) {
            let row = row(rows.entry(*member).or_default(), prepared.header.service);
            match told {
                None => row.rest.push(position),
                Some((attribute, values)) => {
                    let lists = lists(&mut row.by_value, *attribute);
                    values.iter().for_each(|value| lists.entry(value.clone()).or_default().push(position));
                }
            }
        }
    }
    rows
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

fn lists(by_value: &mut Lists, attribute: AttributeId) -> &mut HashMap<Single, Vec<u32>> {
    let at = match by_value.iter().position(|(known, _)| *known == attribute) {
        Some(at) => at,
        None => {
            by_value.push((attribute, HashMap::new()));
            by_value.len() - 1
        }
    };
    #[expect(clippy::indexing_slicing, reason = "the position has just been found or made")]
    let (_, lists) = &mut by_value[at];
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

/// The values that a literal asks for, if it asks for some.
fn asked_for(literal: &Literal) -> Option<&ValueSet> {
    match &*literal.test {
        Test::Values(set) if literal.positive && !set.absent => Some(set),
        _ => None,
    }
}

/// The values of a set, if they are single ones and not too many.
fn singles(set: &ValueSet, most: usize) -> Option<Vec<Single>> {
    if set.texts.ranges().len() + set.numbers.ranges().len() > most {
        return None;
    }
    let texts = set.texts.singles()?.into_iter().map(|text| Single::Text(text.clone()));
    let numbers = set.numbers.singles()?.into_iter().map(|number| Single::Number(*number));
    let bools = [false, true].into_iter().zip(set.bools).filter(|(_, holds)| *holds).map(|(value, _)| Single::Bool(value));
    Some(texts.chain(numbers).chain(bools).collect())
}

/// An attribute and the set of the few values that it may have.
pub fn asked_set(formula: &Formula, vocabulary: &Vocabulary) -> Option<(AttributeId, ValueSet)> {
    let told = |literal: &&Literal| !vocabulary.is_list(literal.attribute);
    needed(formula).filter(told).find_map(|literal| {
        let set = asked_for(literal)?;
        singles(set, LISTED).filter(|values| !values.is_empty())?;
        Some((literal.attribute, set.clone()))
    })
}

/// An attribute and the few values that it may have, beside what does not fit.
type Asked = (AttributeId, Vec<Single>);

fn asked(prepared: &Prepared) -> Option<Asked> {
    // One element of a list says nothing of the others.
    let (attribute, set) = prepared.asks.as_ref()?;
    Some((*attribute, singles(set, LISTED)?))
}

/// The values that an attribute may have, if they are few and nothing else will do, beside what does not fit where that does not count.
fn restricted(formula: &Formula, attribute: AttributeId, fitting: bool) -> Option<Vec<Single>> {
    needed(formula).filter(|literal| literal.attribute == attribute).find_map(|literal| {
        let set = asked_for(literal).filter(|set| fitting || !set.other)?;
        singles(set, MATCHED)
    })
}
