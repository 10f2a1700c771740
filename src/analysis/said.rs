//! What conditions come to, once for all statements that share one.
//!
//! Law books say the same of many things: a hundred thousand policies may have five thousand conditions. Whatever can be worked out of
//! a condition alone is worked out once, and what only some questions need, when one of them asks.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::OnceLock;

use rayon::prelude::*;
use smallvec::SmallVec;

use super::formula;
use super::formula::Formula;
use super::formula::Literal;
use super::formula::Parts;
use super::formula::Test;
use super::index::Asked;
use super::people::Hashed;
use super::point::Point;
use super::search::Budget;
use super::search::Goal;
use super::special;
use super::values::Keys;
use super::values::ValueSet;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;
use crate::condition::Condition;
use crate::policy::Effect;
use crate::policy::Member;
use crate::policy::Statement;

/// A statement is listed under at most this many values.
const LISTED: usize = 8;
/// So many values are looked up one by one.
const MATCHED: usize = 1024;
/// So many conditions are not worth the trouble of sharing them out.
const FEW: usize = 64;

/// What the condition of statements of one effect comes to.
#[derive(Debug, Clone)]
pub struct Said {
    /// Equal for statements of one effect with equal conditions; 0 without one.
    pub id: usize,
    /// When it lets a statement apply, with values that do not fit.
    pub applies: Formula,
    /// When it holds, whatever of values that do not fit.
    pub holds: Formula,
    /// That everything fits which it reads.
    pub fits: Formula,
    /// Whether it reads who the caller is: `{me}`, or `{me.groups}`.
    pub reads_me: bool,
    /// What statements with it are listed under.
    pub asked: SmallVec<[Asked; 1]>,
    asks: Option<Literal>,
    asks_fitting: Option<Literal>,
    /// The attributes of which only single values will do, with these.
    restricts: SmallVec<[Restriction; 1]>,
    /// What it asks for where everything fits, if it asks for nothing otherwise.
    restricts_fitting: Option<Restriction>,
    /// Where it holds, once somebody has asked.
    point: OnceLock<Option<Point>>,
}

/// An attribute of which only a few values will do.
#[derive(Debug, Clone)]
struct Restriction {
    attribute: AttributeId,
    /// Whether a value that does not fit will do as well.
    other: bool,
    /// Their [keys](Single::key).
    keys: Keys,
}

impl Default for Said {
    fn default() -> Self {
        Self {
            id: 0,
            applies: Formula::always(),
            holds: Formula::always(),
            fits: Formula::always(),
            reads_me: false,
            asked: std::iter::once(None).collect(),
            asks: None,
            asks_fitting: None,
            restricts: SmallVec::new(),
            restricts_fitting: None,
            point: OnceLock::new(),
        }
    }
}

impl Said {
    fn new(id: usize, condition: &Condition, effect: Effect, vocabulary: &mut Vocabulary) -> Self {
        let Parts { holds, applies, fits } = Formula::parts_of_statement(condition, effect, vocabulary);
        let restricts: SmallVec<[Restriction; 1]> = needed(&applies).filter_map(Restriction::of).collect();
        let asks = asking(&applies, vocabulary).cloned();
        let asks_fitting = if asks.is_none() { asking(&holds, vocabulary).cloned() } else { None };
        let asked = |asks: &Literal| {
            let keys = &restricts.iter().find(|restriction| restriction.attribute == asks.attribute)?.keys;
            Some(keys.iter().map(|key| Some((asks.attribute, *key))).collect())
        };
        Self {
            id,
            asked: asks.as_ref().and_then(asked).unwrap_or_else(|| std::iter::once(None).collect()),
            restricts_fitting: asks_fitting.as_ref().and_then(Restriction::of),
            restricts,
            applies,
            holds,
            fits,
            asks,
            asks_fitting,
            reads_me: condition.terms().any(special::is_who),
            point: OnceLock::new(),
        }
    }

    /// An attribute that has to have one of a few values for a statement to apply, and these.
    pub fn asks(&self) -> Option<(AttributeId, &ValueSet)> {
        self.asks.as_ref().and_then(asked_for)
    }

    /// Of one that asks for none because it also applies to what does not fit: what it asks for where everything fits that it reads.
    pub fn asks_fitting(&self) -> Option<(AttributeId, &ValueSet)> {
        self.asks_fitting.as_ref().and_then(asked_for)
    }

    /// The keys of the values that an attribute may have, if they are few and nothing else will do: beside what does not fit where that
    /// does not count, and as far as all values fit if only that counts.
    pub fn restricted(&self, attribute: AttributeId, but_unfit: bool, fitting: bool) -> Option<&[u64]> {
        let about = |restriction: &&Restriction| restriction.attribute == attribute;
        let plainly = self.restricts.iter().filter(about).find(|restriction| but_unfit || !restriction.other);
        plainly.or_else(|| self.restricts_fitting.iter().filter(|_| fitting).find(about)).map(|restriction| restriction.keys.as_slice())
    }

    /// Whether two conditions cannot hold together where all values fit, as is plain to see from what they ask for.
    pub fn is_apart(&self, other: &Self) -> bool {
        let [one, two] = [self, other].map(|said| said.asks().or_else(|| said.asks_fitting()));
        one.zip(two).is_some_and(|((one, first), (two, second))| one == two && first.is_disjoint(second))
    }

    /// A request that the condition holds for, if it reads nothing but what can be tried.
    pub fn point(&self, vocabulary: &Vocabulary, budget: Budget) -> Option<&Point> {
        self.point.get_or_init(|| Point::of(&[Goal::yes(&self.applies), Goal::yes(&self.fits)], vocabulary, budget)).as_ref()
    }
}

impl Restriction {
    fn of(literal: &Literal) -> Option<Self> {
        let (attribute, set) = asked_for(literal)?;
        Some(Self { attribute, other: set.other, keys: set.keys(MATCHED)? })
    }
}

/// The literals that a formula needs in any case; no two of an attribute that is no list.
fn needed(formula: &Formula) -> impl Iterator<Item = &Literal> {
    formula.conjuncts().iter().filter_map(|part| if let Formula::Literal(literal) = part { Some(literal) } else { None })
}

/// The values that a literal asks for, if it asks for some.
fn asked_for(literal: &Literal) -> Option<(AttributeId, &ValueSet)> {
    match &*literal.test {
        Test::Values(set) if literal.positive && !set.absent => Some((literal.attribute, set)),
        _ => None,
    }
}

/// The first literal that leaves an attribute only a few values. One element of a list says nothing of the others.
fn asking<'a>(formula: &'a Formula, vocabulary: &Vocabulary) -> Option<&'a Literal> {
    let asks = |literal: &&Literal| {
        let few = |(attribute, set): (_, &ValueSet)| !vocabulary.is_list(attribute) && set.has_singles(LISTED);
        asked_for(literal).is_some_and(few)
    };
    needed(formula).find(asks)
}

/// The conditions of statements, of which many can be the same.
#[derive(Debug, Default)]
pub struct Conditions {
    none: Arc<Said>,
    distinct: Vec<Known>,
    /// Positions by the keys of the conditions; one position, or two where both effects have it.
    by_key: HashMap<u64, SmallVec<[usize; 2]>, Hashed>,
}

/// A condition, with what is to be known of it once that has been worked out.
#[derive(Debug)]
struct Known {
    effect: Effect,
    condition: Arc<Condition>,
    said: Option<Arc<Said>>,
}

impl Conditions {
    /// The position of the condition of a statement, after everything that it and the exceptions speak of has its number.
    pub fn number(&mut self, statement: &Statement, vocabulary: &mut Vocabulary) -> Option<usize> {
        for member in &statement.except {
            if let Member::Group(name) = member {
                vocabulary.in_group(name);
            }
        }
        let condition = statement.condition.as_ref()?;
        let alike = self.by_key.entry(condition.key()).or_default();
        let same = |at: &usize| self.distinct.get(*at).is_some_and(|one| one.effect == statement.effect && one.condition == *condition);
        if let Some(known) = alike.iter().copied().find(same) {
            return Some(known);
        }
        formula::number(condition, vocabulary);
        let at = self.distinct.len();
        alike.push(at);
        self.distinct.push(Known { effect: statement.effect, condition: condition.clone(), said: None });
        Some(at)
    }

    /// Works out what is not known yet.
    pub fn read(&mut self, vocabulary: &mut Vocabulary) {
        let mut left: Vec<(usize, &mut Known)> = (1..).zip(&mut self.distinct).filter(|(_, known)| known.said.is_none()).collect();
        let read = |vocabulary: &mut Vocabulary, (id, known): &mut (usize, &mut Known)| {
            known.said = Some(Arc::new(Said::new(*id, &known.condition, known.effect, vocabulary)));
        };
        if left.len() <= FEW {
            return left.iter_mut().for_each(|known| read(vocabulary, known));
        }
        // Everything has its number, so the copies stay as they are.
        left.par_chunks_mut(FEW).for_each_init(|| vocabulary.clone(), |copy, chunk| chunk.iter_mut().for_each(|known| read(copy, known)));
    }

    /// What the condition at a position says.
    pub fn said(&self, number: Option<usize>) -> Arc<Said> {
        let known = number.and_then(|number| self.distinct.get(number)).and_then(|known| known.said.clone());
        known.unwrap_or_else(|| self.none.clone())
    }
}
