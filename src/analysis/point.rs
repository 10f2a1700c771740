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

    /// The values of a model; `None` if not all of them can be said.
    pub fn of_model(model: &Model, vocabulary: &Vocabulary) -> Option<Self> {
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

    /// The same with another value of a plain attribute, or without it; `None` for any other attribute.
    pub fn moved(&self, attribute: AttributeId, value: Option<Single>, vocabulary: &Vocabulary) -> Option<Self> {
        if !vocabulary.is_plain(attribute) {
            return None;
        }
        let others = self.0.iter().filter(|(known, ..)| *known != attribute).cloned();
        let moved = value.map(|value| {
            let key = value.key();
            (attribute, value, key)
        });
        Some(Self(others.chain(moved).collect()))
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

    /// The same of a literal.
    pub fn passes(&self, literal: &Literal, vocabulary: &Vocabulary) -> Option<bool> {
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
    /// A value or two of every kind that is in the set; absent is `None`. What does not fit is left aside.
    pub fn some_values(&self) -> Vec<Option<Single>> {
        let texts = self.texts.ranges().into_iter().take(2).map(|(first, _)| Some(Single::Text(first)));
        let numbers = self.numbers.ranges().into_iter().take(2).map(|(first, _)| Some(Single::Number(first)));
        let bools = [false, true].into_iter().zip(self.bools).filter(|(_, holds)| *holds).map(|(value, _)| Some(Single::Bool(value)));
        self.absent.then_some(None).into_iter().chain(texts).chain(numbers).chain(bools).collect()
    }

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::search::is_satisfiable;
    use crate::condition::Condition;
    use crate::condition::Expr;
    use crate::condition::Lists;
    use crate::condition::arbitrary;
    use crate::condition::parse;
    use crate::policy::Effect;

    fn said(expr: Expr, effect: Effect, vocabulary: &mut Vocabulary) -> [Formula; 2] {
        let condition = Condition::new(expr, &Lists::default()).expect("fits");
        [Formula::of_statement(&condition, effect, vocabulary), Formula::fits(&condition, vocabulary)]
    }

    /// A point of one condition, and what it says of another.
    #[track_caller]
    fn check(one: &str, other: &str, expected: Option<Option<bool>>) {
        let mut vocabulary = Vocabulary::default();
        let mut read = |text: &str| said(parse(text).expect("a condition").expr, Effect::Allow, &mut vocabulary);
        let ([applies, fits], [other, _]) = (read(one), read(other));
        vocabulary.relate();
        let point = Point::of(&[Goal::yes(&applies), Goal::yes(&fits)], &vocabulary, Budget::default());
        assert_eq!(point.map(|point| point.holds(&other, &vocabulary)), expected, "{one}");
    }

    #[test]
    fn a_point_says_what_it_can_of_other_conditions() {
        check("a = 1", "a < 2", Some(Some(true)));
        check("a = 1", "b = 1", Some(Some(false)));
        check("a = 1", "b != 1", Some(Some(true)));
        check("a = 1", "b = {me}", Some(None));
        check("a = 1", "b = 2 and c = {me}", Some(Some(false)));
        check("a = 1", "{context.source} = 'private'", Some(None));
        check("a = 1", "b.c = 1 or b = 2", Some(None));
        check("a like '%x%y'", "a matches 'y$'", Some(Some(true)));
        check("a in cidr ('10.0.0.0/8')", "a in cidr ('10.0.0.0/7')", Some(Some(true)));
        check("a = 1 and a = 2", "b = 1", None);
        check("a < b", "a = 1", None);
    }

    impl Point {
        /// All that it says.
        fn formula(&self, vocabulary: &Vocabulary) -> Formula {
            let value = |id| match self.get(id) {
                None => ValueSet::absent(),
                Some(Single::Text(text)) => ValueSet::words([&**text]),
                Some(Single::Number(number)) => ValueSet { numbers: crate::analysis::interval::Intervals::one(number), ..ValueSet::none() },
                Some(Single::Bool(value)) => ValueSet::bool(*value),
            };
            let plain = vocabulary.iter().map(|(id, _)| id).filter(|id| vocabulary.is_plain(*id));
            Formula::all(plain.map(|id| Formula::values(id, value(id))), vocabulary)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        /// What a point says of a condition, the search says too.
        #[test]
        fn nothing_contradicts_a_point(one in arbitrary::expr(), two in arbitrary::expr(), deny in any::<bool>()) {
            let mut vocabulary = Vocabulary::default();
            let text = format!("{one} and {two}");
            let effect = if deny { Effect::Deny } else { Effect::Allow };
            let [applies, fits] = said(one, Effect::Allow, &mut vocabulary);
            let [other, _] = said(two, effect, &mut vocabulary);
            vocabulary.relate();
            let Some(point) = Point::of(&[Goal::yes(&applies), Goal::yes(&fits)], &vocabulary, Budget::default()) else { return Ok(()) };
            let here = point.formula(&vocabulary);
            let ask = |formula, holds| is_satisfiable(&vocabulary, &[Goal::yes(&here), Goal { formula, holds }], Budget::default());
            prop_assert_eq!(ask(&applies, false), Some(false), "{}", text);
            prop_assert_eq!(ask(&fits, true), Some(true), "{}", text);
            if let Some(holds) = point.holds(&other, &vocabulary) {
                prop_assert_eq!(ask(&other, !holds), Some(false), "{}", text);
            }
        }
    }
}
