//! A [point](super::point) by guessing: what formulas ask for, with the first alternative of several.
//!
//! Almost every condition holds there, and to see that takes less than a tenth of a search. A guess proves nothing by itself: it is tried
//! on the formulas before it counts.

use std::borrow::Cow;

use super::formula::Formula;
use super::formula::Test;
use super::interval::Rank;
use super::model::best_number;
use super::search::Goal;
use super::values::Single;
use super::values::ValueSet;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;
use crate::condition::LikeElement;
use crate::condition::LikePattern;

/// What is asked of an attribute.
struct Wish<'a> {
    attribute: AttributeId,
    set: Cow<'a, ValueSet>,
    /// A pattern that it is to match.
    like: Option<&'a LikePattern>,
}

/// Values with which goals may hold, for the attributes that have to be there; `None` if something is asked that is not guessed at.
pub fn guess(goals: &[Goal<'_>], vocabulary: &Vocabulary) -> Option<Vec<(AttributeId, Single)>> {
    let mut wishes = Vec::new();
    let mut choices = Vec::new();
    goals.iter().try_for_each(|goal| ask(goal.formula, goal.holds, vocabulary, &mut wishes, &mut choices))?;
    while let Some((alternatives, holds)) = choices.pop() {
        let open = |part: &&Formula| is_open(part, holds, &wishes);
        let chosen = alternatives.iter().find(open)?;
        ask(chosen, holds, vocabulary, &mut wishes, &mut choices)?;
    }
    let values = wishes.iter().filter(|wish| !wish.set.absent || wish.like.is_some());
    values.map(|wish| Some((wish.attribute, wish.value()?))).collect()
}

/// Notes what a formula asks for, and the alternatives that it leaves.
fn ask<'a>(
    formula: &'a Formula,
    holds: bool,
    vocabulary: &Vocabulary,
    wishes: &mut Vec<Wish<'a>>,
    choices: &mut Vec<(&'a [Formula], bool)>,
) -> Option<()> {
    match (formula, holds) {
        (Formula::Not(inner), _) => ask(inner, !holds, vocabulary, wishes, choices),
        (Formula::All(parts), true) | (Formula::Any(parts), false) => {
            parts.iter().try_for_each(|part| ask(part, holds, vocabulary, wishes, choices))
        }
        (Formula::Any(parts), true) | (Formula::All(parts), false) => {
            choices.push((parts, holds));
            Some(())
        }
        (Formula::Literal(literal), _) => {
            if !vocabulary.is_plain(literal.attribute) {
                return None;
            }
            let at = wishes.iter().position(|wish| wish.attribute == literal.attribute);
            let known = at.and_then(|at| wishes.get_mut(at));
            let (set, like) = match (&*literal.test, literal.positive == holds) {
                (Test::Values(set), true) => (Cow::Borrowed(set), None),
                (Test::Values(set), false) => (Cow::Owned(set.clone().complement()), None),
                (Test::Like(pattern), true) => (Cow::Owned(ValueSet::present()), Some(pattern)),
                // Mostly something else is asked for too, or absent will do.
                (Test::Like(_), false) => return Some(()),
                _ => return None,
            };
            match known {
                Some(known) => {
                    known.set = Cow::Owned(known.set.intersect(&set));
                    known.like = known.like.or(like);
                }
                None => wishes.push(Wish { attribute: literal.attribute, set, like }),
            }
            Some(())
        }
    }
}

/// Whether a formula may hold beside what is asked for already.
fn is_open(formula: &Formula, holds: bool, wishes: &[Wish<'_>]) -> bool {
    let Formula::Literal(literal) = formula else { return true };
    let (Test::Values(set), Some(known)) = (&*literal.test, wishes.iter().find(|wish| wish.attribute == literal.attribute)) else {
        return true;
    };
    match literal.positive == holds {
        true => !known.set.is_disjoint(set),
        false => !known.set.is_subset(set),
    }
}

impl Wish<'_> {
    /// A value that meets it, if it is easily made.
    fn value(&self) -> Option<Single> {
        if let Some(pattern) = self.like {
            return Some(Single::Text(sample(pattern).into()));
        }
        let [no, yes] = self.set.bools;
        let text = self.set.texts.ranges().first().map(|(text, _)| Single::Text(text.clone()));
        let number = || best_number(&self.set.numbers).map(|number| Single::Number(Rank::of(number)));
        text.or_else(number).or_else(|| (yes || no).then_some(Single::Bool(yes)))
    }
}

/// A string that matches a pattern: with nothing for each run, and the same letter for each single character.
fn sample(pattern: &LikePattern) -> String {
    let char = |element: &LikeElement| match element {
        LikeElement::Run => None,
        LikeElement::One => Some('a'),
        LikeElement::Char(char) => Some(*char),
    };
    pattern.elements().iter().filter_map(char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Condition;
    use crate::condition::Lists;
    use crate::condition::parse;

    #[track_caller]
    fn check(text: &str, expected: Option<&[Single]>) {
        let mut vocabulary = Vocabulary::default();
        let condition = Condition::new(parse(text).expect("a condition").expr, &Lists::default()).expect("fits");
        let formulas = [Formula::of_condition(&condition, &mut vocabulary), Formula::fits(&condition, &mut vocabulary)];
        vocabulary.relate();
        let found = guess(&formulas.each_ref().map(Goal::yes), &vocabulary);
        let values = found.map(|found| found.into_iter().map(|(_, single)| single).collect::<Vec<_>>());
        assert_eq!(values.as_deref(), expected, "{text}");
    }

    #[test]
    fn the_first_alternative_is_taken_that_is_open() {
        let number = |number| Single::Number(Rank::of(number));
        let text = |text: &str| Single::Text(text.into());
        check("a = 1 and (b = 'x' or c = 3)", Some(&[number(1.0), text("x")]));
        check("a = 1 and (a = 2 or c = 3)", Some(&[number(1.0), number(3.0)]));
        check("a like 'x%y_' and not (b = 1)", Some(&[text("xya")]));
        check("exists a and a not in ('', 'x') and b = true", Some(&[text("\0"), Single::Bool(true)]));
        check("a > 5", Some(&[number(6.0)]));
        check("a = 1 and a = 2", None);
        check("a = {me}", None);
        check("a matches 'x'", None);
    }
}
