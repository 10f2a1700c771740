//! Conjunctions and disjunctions, with the literals of one attribute joined while they are made.

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use smallvec::SmallVec;

use super::formula::Formula;
use super::formula::Literal;
use super::formula::Test;
use super::values::ValueSet;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;

/// The parts of a conjunction or disjunction, with literals of one attribute joined. Sets are joined all at once, so that a
/// thousand constants do not make a thousand unions.
pub struct Joined<'a> {
    vocabulary: &'a Vocabulary,
    conjunction: bool,
    parts: SmallVec<[Part; 4]>,
    /// How many formulas the parts are made of.
    met: usize,
    many: Option<Box<Many>>,
}

/// What many formulas are looked up in. A few are looked through, which is several times as fast as to hash them.
#[derive(Default)]
struct Many {
    met: HashSet<Formula>,
    /// Where among the parts the sets of an attribute are.
    places: HashMap<AttributeId, usize>,
}

/// A part of the whole.
enum Part {
    Formula(Formula),
    /// Tests of one attribute for sets, which make one.
    Sets(AttributeId, SmallVec<[Arc<Test>; 2]>),
}

/// The whole is settled: a conjunction never holds, or a disjunction always does.
struct Settled;

impl<'a> Joined<'a> {
    const FEW: usize = 16;

    /// A conjunction, or a disjunction, without parts.
    pub fn new(vocabulary: &'a Vocabulary, conjunction: bool) -> Self {
        Self { vocabulary, conjunction, parts: SmallVec::new(), met: 0, many: None }
    }

    /// The whole, with these parts.
    pub fn join(mut self, parts: impl IntoIterator<Item = Formula>) -> Formula {
        let settled = if self.conjunction { Formula::never } else { Formula::always };
        if parts.into_iter().try_for_each(|part| self.add(part)).is_err() {
            return settled();
        }
        let mut joined: SmallVec<[Formula; 4]> = SmallVec::with_capacity(self.parts.len());
        for part in std::mem::take(&mut self.parts) {
            let part = match part {
                Part::Formula(part) => part,
                Part::Sets(attribute, sets) => self.one_set(attribute, sets),
            };
            match (part.is_always(), part.is_never()) {
                (false, false) => joined.push(part),
                (_, never) if never == self.conjunction => return part,
                _ => {}
            }
        }
        match joined.len() {
            1 => joined.remove(0),
            _ if self.conjunction => Formula::All(joined.into_iter().collect()),
            _ => Formula::Any(joined.into_iter().collect()),
        }
    }

    fn add(&mut self, part: Formula) -> Result<(), Settled> {
        match part {
            Formula::All(inner) if self.conjunction => inner.iter().try_for_each(|part| self.add(part.clone())),
            Formula::Any(inner) if !self.conjunction => inner.iter().try_for_each(|part| self.add(part.clone())),
            Formula::All(inner) | Formula::Any(inner) if inner.is_empty() => Err(Settled),
            Formula::Literal(literal) => self.add_literal(literal),
            other => {
                let known = match &self.many {
                    Some(many) => many.met.contains(&other),
                    None => self.parts.iter().any(|part| matches!(part, Part::Formula(known) if *known == other)),
                };
                if !known {
                    self.note(&other);
                    self.parts.push(Part::Formula(other));
                }
                Ok(())
            }
        }
    }

    fn add_literal(&mut self, literal: Literal) -> Result<(), Settled> {
        if self.has_met(&literal, !literal.positive) {
            return Err(Settled);
        }
        if self.has_met(&literal, literal.positive) {
            return Ok(());
        }
        let formula = Formula::Literal(literal);
        self.note(&formula);
        match formula {
            Formula::Literal(Literal { attribute, test, positive })
                if positive == self.joins(attribute) && matches!(*test, Test::Values(_)) =>
            {
                let place = match &mut self.many {
                    Some(many) => *many.places.entry(attribute).or_insert(self.parts.len()),
                    None => self.parts.iter().position(|part| part.is_of(attribute)).unwrap_or(self.parts.len()),
                };
                match self.parts.get_mut(place) {
                    Some(Part::Sets(_, sets)) => sets.push(test),
                    _ => self.parts.push(Part::Sets(attribute, std::iter::once(test).collect())),
                }
            }
            other => self.parts.push(Part::Formula(other)),
        }
        Ok(())
    }

    /// Whether it is the positive tests of an attribute for sets that are joined, or the negative ones. Of a list, a conjunction of
    /// positive tests is about several elements; negative ones are about all of them.
    fn joins(&self, attribute: AttributeId) -> bool {
        !self.conjunction || !self.vocabulary.is_list(attribute)
    }

    /// Whether a literal has been met, or its complement.
    fn has_met(&self, literal: &Literal, positive: bool) -> bool {
        if let Some(many) = &self.many {
            return many.met.contains(&Formula::Literal(Literal { positive, ..literal.clone() }));
        }
        self.parts.iter().any(|part| match part {
            Part::Formula(Formula::Literal(known)) => {
                known.attribute == literal.attribute && known.positive == positive && known.test == literal.test
            }
            Part::Formula(_) => false,
            Part::Sets(known, sets) => {
                *known == literal.attribute && positive == self.joins(literal.attribute) && sets.contains(&literal.test)
            }
        })
    }

    /// Takes down what has been met.
    fn note(&mut self, formula: &Formula) {
        self.met += 1;
        if self.met <= Self::FEW {
            return;
        }
        let mut many = self.many.take().unwrap_or_else(|| Box::new(self.all_met()));
        many.met.insert(formula.clone());
        self.many = Some(many);
    }

    fn all_met(&self) -> Many {
        let mut many = Many::default();
        for (place, part) in self.parts.iter().enumerate() {
            match part {
                Part::Formula(formula) => drop(many.met.insert(formula.clone())),
                Part::Sets(attribute, sets) => {
                    let positive = self.joins(*attribute);
                    let literal = |test: &Arc<Test>| Formula::Literal(Literal { attribute: *attribute, test: test.clone(), positive });
                    many.met.extend(sets.iter().map(literal));
                    many.places.insert(*attribute, place);
                }
            }
        }
        many
    }

    /// What several tests of one attribute come to.
    fn one_set(&self, attribute: AttributeId, mut tests: SmallVec<[Arc<Test>; 2]>) -> Formula {
        let positive = self.joins(attribute);
        if tests.len() == 1 {
            return Formula::Literal(Literal { attribute, test: tests.remove(0), positive });
        }
        let sets = tests.iter().filter_map(|test| if let Test::Values(set) = &**test { Some(set) } else { None });
        if self.vocabulary.is_list(attribute) {
            // The negative tests of a list in a conjunction exclude each of the sets.
            return Formula::Literal(Literal { attribute, test: Arc::new(Test::Values(ValueSet::union_all(sets))), positive });
        }
        // What takes in, or is within, all others is at hand. So it is where one of two says only that the value fits.
        let decisive = |set: &ValueSet| {
            let settles = |other: &ValueSet| if self.conjunction { set.is_subset(other) } else { other.is_subset(set) };
            tests.len() == 2 && sets.clone().all(settles)
        };
        if let Some(at) = sets.clone().position(decisive) {
            return Formula::of_set(attribute, tests.remove(at));
        }
        Formula::values(attribute, if self.conjunction { ValueSet::intersect_all(sets) } else { ValueSet::union_all(sets) })
    }
}

impl Part {
    fn is_of(&self, attribute: AttributeId) -> bool {
        matches!(self, Self::Sets(known, _) if *known == attribute)
    }
}
