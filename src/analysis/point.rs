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
use super::guess::guess;
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
pub struct Point(Vec<(AttributeId, Held)>);

/// What is there.
#[derive(Debug, Clone)]
pub enum Held {
    /// A value that fits, with its [key](Single::key).
    Fits(Single, u64),
    /// One that does not.
    Unfit,
}

impl Held {
    fn of(single: Single) -> Self {
        let key = single.key();
        Self::Fits(single, key)
    }
}

impl Point {
    /// A point at which formulas hold and others do not; `None` if none is found.
    pub fn of(goals: &[Goal<'_>], vocabulary: &Vocabulary, budget: Budget) -> Option<Self> {
        let guess = guess(goals, vocabulary)
            .map(|values| Self(values.into_iter().map(|(attribute, single)| (attribute, Held::of(single))).collect()));
        let guess = guess.filter(|guess| guess.meets(goals, vocabulary));
        guess.or_else(|| Self::found(goals, vocabulary, budget))
    }

    /// The same by a search.
    fn found(goals: &[Goal<'_>], vocabulary: &Vocabulary, budget: Budget) -> Option<Self> {
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
        let further = other.0.iter().filter(|(attribute, _)| self.held(*attribute).is_none());
        Self(self.0.iter().chain(further).cloned().collect())
    }

    /// The same, with a value that does not fit where this one has none.
    pub fn with_unfit(&self, attribute: AttributeId) -> Self {
        self.with(&Self(vec![(attribute, Held::Unfit)]))
    }

    fn of_model(model: &Model, vocabulary: &Vocabulary) -> Option<Self> {
        let mut values = Vec::new();
        for (&attribute, value) in model.iter().filter(|(attribute, _)| vocabulary.is_plain(**attribute)) {
            let held = match value {
                Value::Absent => continue,
                Value::Bool(value) => Held::of(Single::Bool(*value)),
                Value::Number(number) => Held::of(Single::Number(Rank::of(*number))),
                Value::Text(text) => Held::of(Single::Text(text.as_str().into())),
                Value::Unfit => Held::Unfit,
                Value::List(_) => return None,
            };
            values.push((attribute, held));
        }
        Some(Self(values))
    }

    /// The same with something else in a plain attribute, or with nothing; `None` for any other attribute.
    pub fn moved(&self, attribute: AttributeId, held: Option<Held>, vocabulary: &Vocabulary) -> Option<Self> {
        let others = self.0.iter().filter(|(known, _)| *known != attribute).cloned();
        vocabulary.is_plain(attribute).then(|| Self(others.chain(held.map(|held| (attribute, held))).collect()))
    }

    /// What a plain attribute holds; `None` if it is absent.
    pub fn held(&self, attribute: AttributeId) -> Option<&Held> {
        self.0.iter().find(|(known, _)| *known == attribute).map(|(_, held)| held)
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
        let held = self.held(literal.attribute);
        let passes = match (&*literal.test, held) {
            (Test::Values(set), None) => set.absent,
            (Test::Values(set), Some(Held::Fits(value, _))) => set.has(value),
            (Test::Values(set), Some(Held::Unfit)) => set.other,
            (Test::Unfit, held) => matches!(held, Some(Held::Unfit)),
            (Test::Me, _) => return None,
            (Test::Like(pattern), Some(Held::Fits(Single::Text(text), _))) => pattern.is_match(text),
            (Test::Matches(pattern), Some(Held::Fits(Single::Text(text), _))) => pattern.is_match(text),
            (Test::Addresses(ranges), Some(Held::Fits(Single::Text(text), _))) => {
                parse_address(text).is_some_and(|address| ranges.contains(&address_number(address)))
            }
            (Test::Like(_) | Test::Matches(_) | Test::Addresses(_), _) => false,
        };
        Some(passes == literal.positive)
    }
}

impl ValueSet {
    /// What an attribute may hold to be in the set: a value or two of every kind; `None` is nothing.
    pub fn some_held(&self) -> Vec<Option<Held>> {
        let texts = self.texts.ranges().into_iter().take(2).map(|(first, _)| Single::Text(first));
        let numbers = self.numbers.ranges().into_iter().take(2).map(|(first, _)| Single::Number(first));
        let bools = [false, true].into_iter().zip(self.bools).filter(|(_, holds)| *holds).map(|(value, _)| Single::Bool(value));
        let fitting = texts.chain(numbers).chain(bools).map(|single| Some(Held::of(single)));
        let others = [(self.absent, None), (self.other, Some(Held::Unfit))].into_iter().filter(|(holds, _)| *holds).map(|(_, held)| held);
        others.chain(fitting).collect()
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
            let value = |id| match self.held(id) {
                None => ValueSet::absent(),
                Some(Held::Unfit) => ValueSet::other(),
                Some(Held::Fits(Single::Text(text), _)) => ValueSet::words([&**text]),
                Some(Held::Fits(Single::Number(number), _)) => {
                    ValueSet { numbers: crate::analysis::interval::Intervals::one(number), ..ValueSet::none() }
                }
                Some(Held::Fits(Single::Bool(value), _)) => ValueSet::bool(*value),
            };
            let plain = vocabulary.iter().map(|(id, _)| id).filter(|id| vocabulary.is_plain(*id));
            Formula::all(plain.map(|id| Formula::values(id, value(id))), vocabulary)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        /// What a point says of a condition, also with one value more that does not fit, the search does not deny. It may not know, where
        /// something opaque is in the way.
        #[test]
        fn nothing_contradicts_a_point(one in arbitrary::expr(), two in arbitrary::expr(), deny in any::<bool>()) {
            let mut vocabulary = Vocabulary::default();
            let text = format!("{one} and {two}");
            let effect = if deny { Effect::Deny } else { Effect::Allow };
            let [applies, fits] = said(one, Effect::Allow, &mut vocabulary);
            let [other, _] = said(two, effect, &mut vocabulary);
            vocabulary.relate();
            let goals = [Goal::yes(&applies), Goal::yes(&fits)];
            let Some(point) = Point::of(&goals, &vocabulary, Budget::default()) else { return Ok(()) };
            let plain = vocabulary.iter().map(|(id, _)| id).filter(|id| vocabulary.is_plain(*id));
            for point in plain.map(|id| point.with_unfit(id)) {
                let here = point.formula(&vocabulary);
                let ask = |formula, holds| is_satisfiable(&vocabulary, &[Goal::yes(&here), Goal { formula, holds }], Budget::default());
                if let Some(holds) = point.holds(&other, &vocabulary) {
                    prop_assert_ne!(ask(&other, !holds), Some(true), "{}", text);
                }
            }
            let here = point.formula(&vocabulary);
            let ask = |formula, holds| is_satisfiable(&vocabulary, &[Goal::yes(&here), Goal { formula, holds }], Budget::default());
            prop_assert_eq!(ask(&applies, false), Some(false), "{}", text);
            prop_assert_eq!(ask(&fits, true), Some(true), "{}", text);
            if let Some(holds) = point.holds(&other, &vocabulary) {
                prop_assert_ne!(ask(&other, !holds), Some(true), "{}", text);
            }
        }
    }
}
