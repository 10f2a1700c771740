//! Requests that are tried on conditions before anything is searched for.
//!
//! Of a hundred thousand statements almost all are needed, and one request that nothing else is about shows it. So every condition is
//! asked once for a request that meets it, and other conditions are tried on that: this takes a hundredth of a search. What comes out
//! is proven; if nothing does, the search has the word.
//!
//! A point says of every *plain* attribute what it holds: those are facts that can be anything, whatever else is known. Of what reads
//! anything else, such as who the caller is, a point says nothing.

use std::sync::Arc;

use super::formula::Formula;
use super::formula::Literal;
use super::formula::Test;
use super::interval::Rank;
use super::model::Model;
use super::model::Value;
use super::search::Answer;
use super::search::Budget;
use super::search::Goal;
use super::search::satisfiable;
use super::values::Single;
use super::values::ValueSet;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;
use crate::condition::address_number;
use crate::condition::parse_address;

/// Values of plain attributes; all others are absent.
#[derive(Debug, Clone, Default)]
pub struct Point(Vec<(AttributeId, Single, u64)>);

impl Point {
    /// A point at which formulas hold and others do not; `None` if none is found.
    pub fn of(goals: &[Goal<'_>], vocabulary: &Vocabulary, budget: Budget) -> Option<Self> {
        let Answer::Satisfiable { model, .. } = satisfiable(vocabulary, goals, budget) else { return None };
        let point = Self::of_model(&model, vocabulary)?;
        point.meets(goals, vocabulary).then_some(point)
    }

    /// Whether every request with these values meets goals, as far as that is plain to see.
    pub fn meets(&self, goals: &[Goal<'_>], vocabulary: &Vocabulary) -> bool {
        goals.iter().all(|goal| self.holds(goal.formula, vocabulary) == Some(goal.holds))
    }

    /// The same, with the values of another point where this one has none.
    pub fn with(&self, other: &Self) -> Self {
        let further = other.0.iter().filter(|(attribute, ..)| self.get(*attribute).is_none());
        Self(self.0.iter().chain(further).cloned().collect())
    }

    fn of_model(model: &Model, vocabulary: &Vocabulary) -> Option<Self> {
        let mut values = Vec::new();
        for (&attribute, value) in model.iter().filter(|(attribute, _)| vocabulary.is_plain(**attribute)) {
            let single = match value {
                Value::Absent => continue,
                Value::Bool(value) => Single::Bool(*value),
                Value::Number(number) => Single::Number(Rank::of(*number)),
                Value::Text(text) => Single::Text(text.as_str().into()),
                Value::Unfit | Value::List(_) => return None,
            };
            let key = single.key();
            values.push((attribute, single, key));
        }
        Some(Self(values))
    }

    fn get(&self, attribute: AttributeId) -> Option<&Single> {
        self.0.iter().find(|(known, ..)| *known == attribute).map(|(_, single, _)| single)
    }

    /// The [key](Single::key) of the value of a plain attribute; `None` if it is absent.
    pub fn key(&self, attribute: AttributeId) -> Option<u64> {
        self.0.iter().find(|(known, ..)| *known == attribute).map(|(.., key)| *key)
    }

    /// Whether a formula holds for every request with these values, or for none; `None` if that is not plain to see.
    pub fn holds(&self, formula: &Formula, vocabulary: &Vocabulary) -> Option<bool> {
        match formula {
            Formula::Literal(literal) => self.passes(literal, vocabulary),
            Formula::Not(inner) => self.holds(inner, vocabulary).map(|holds| !holds),
            Formula::All(parts) => self.settled(parts, false, vocabulary),
            Formula::Any(parts) => self.settled(parts, true, vocabulary),
        }
    }

    /// What parts come to of which one settles the whole if it comes out as `by`.
    fn settled(&self, parts: &Arc<[Formula]>, by: bool, vocabulary: &Vocabulary) -> Option<bool> {
        let mut whole = Some(!by);
        for part in parts.iter() {
            match self.holds(part, vocabulary) {
                Some(holds) if holds == by => return Some(by),
                Some(_) => {}
                None => whole = None,
            }
        }
        whole
    }

    fn passes(&self, literal: &Literal, vocabulary: &Vocabulary) -> Option<bool> {
        if !vocabulary.is_plain(literal.attribute) {
            return None;
        }
        let value = self.get(literal.attribute);
        let passes = match (&*literal.test, value) {
            (Test::Values(set), None) => set.absent,
            (Test::Values(set), Some(value)) => set.has(value),
            (Test::Me, _) => return None,
            (Test::Like(pattern), Some(Single::Text(text))) => pattern.is_match(text),
            (Test::Matches(pattern), Some(Single::Text(text))) => pattern.is_match(text),
            (Test::Addresses(ranges), Some(Single::Text(text))) => {
                parse_address(text).is_some_and(|address| ranges.contains(&address_number(address)))
            }
            (Test::Unfit | Test::Like(_) | Test::Matches(_) | Test::Addresses(_), _) => false,
        };
        Some(passes == literal.positive)
    }
}

impl ValueSet {
    /// Whether a value is in the set.
    fn has(&self, value: &Single) -> bool {
        let [no, yes] = self.bools;
        match value {
            Single::Text(text) => self.texts.contains(text),
            Single::Number(number) => self.numbers.contains(number),
            Single::Bool(value) => {
                if *value {
                    yes
                } else {
                    no
                }
            }
        }
    }
}
