//! What a value can be, kind by kind: the closed part of the theory, with exact union, intersection and complement.

use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::Arc;

use smallvec::SmallVec;

use super::interval::Intervals;
use super::interval::Point;
use super::interval::Rank;
use crate::condition::CompareOp;
use crate::condition::LikeElement;
use crate::condition::LikePattern;
use crate::condition::Literal;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Single {
    /// A string.
    Text(Arc<str>),
    /// A number.
    Number(Rank),
    /// A boolean.
    Bool(bool),
}

impl Single {
    /// A number that hardly two values have in common.
    pub fn key(&self) -> u64 {
        match self {
            Self::Text(text) => key(&One::Text(text)),
            Self::Number(number) => key(&One::Number(*number)),
            Self::Bool(value) => key(&One::Bool(*value)),
        }
    }
}

/// The [keys](Single::key) of a few values.
pub type Keys = SmallVec<[u64; 2]>;

/// One value of a set.
#[derive(Hash)]
enum One<'a> {
    Text(&'a str),
    Number(Rank),
    Bool(bool),
}

fn key(value: &One<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A set of values of any kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueSet {
    /// Whether absent, which is the same as null, is in it.
    pub absent: bool,
    /// Whether `false` and `true` are in it.
    pub bools: [bool; 2],
    /// The numbers in it.
    pub numbers: Intervals<Rank>,
    /// The strings in it.
    pub texts: Intervals<Arc<str>>,
    /// Whether values that do not fit are in it.
    pub other: bool,
}

impl ValueSet {
    /// Nothing.
    pub fn none() -> Self {
        Self { absent: false, bools: [false; 2], numbers: Intervals::none(), texts: Intervals::none(), other: false }
    }

    /// Everything.
    pub fn all() -> Self {
        Self { absent: true, bools: [true; 2], numbers: Intervals::all(), texts: Intervals::all(), other: true }
    }

    /// Everything that is present and fits.
    pub fn present() -> Self {
        Self { absent: false, other: false, ..Self::all() }
    }

    /// Just absent.
    pub fn absent() -> Self {
        Self { absent: true, ..Self::none() }
    }

    /// Just what does not fit.
    pub fn other() -> Self {
        Self { other: true, ..Self::none() }
    }

    /// Some strings.
    pub fn texts(texts: Intervals<Arc<str>>) -> Self {
        Self { texts, ..Self::none() }
    }

    /// Some strings, each given.
    pub fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self::texts(Intervals::these(words.into_iter().map(Arc::from).collect()))
    }

    /// One string.
    pub fn word(word: &str) -> Self {
        Self::texts(Intervals::one(&word.into()))
    }

    /// One boolean.
    pub fn bool(value: bool) -> Self {
        Self { bools: [!value, value], ..Self::none() }
    }

    /// The values that stand in a relation to a constant. `!=` counts as `=`.
    pub fn compared(op: CompareOp, literal: &Literal) -> Self {
        match literal {
            Literal::Null => Self::none(),
            Literal::Bool(value) if matches!(op, CompareOp::Eq | CompareOp::Ne) => Self::bool(*value),
            Literal::Bool(_) => Self::none(),
            Literal::Number(number) => Self { numbers: side(op, &Rank::of(number.get())), ..Self::none() },
            Literal::String(text) => Self::texts(side(op, &text.as_str().into())),
        }
    }

    /// The values of a list.
    pub fn listed(values: &[Literal]) -> Self {
        let mut set = Self::none();
        let (mut numbers, mut texts) = (Vec::new(), Vec::new());
        for value in values {
            match value {
                Literal::Null => {}
                Literal::Bool(false) => set.bools[0] = true,
                Literal::Bool(true) => set.bools[1] = true,
                Literal::Number(number) => numbers.push(Rank::of(number.get())),
                Literal::String(text) => texts.push(text.as_str().into()),
            }
        }
        Self { numbers: Intervals::these(numbers), texts: Intervals::these(texts), ..set }
    }

    /// The strings that match a pattern, where that is a range: a constant, a prefix, or everything.
    pub fn like(pattern: &LikePattern) -> Option<Self> {
        let (open, chars) = match pattern.elements().split_last() {
            Some((LikeElement::Run, rest)) => (true, rest),
            _ => (false, pattern.elements()),
        };
        let prefix: Option<String> =
            chars.iter().map(|element| if let LikeElement::Char(char) = element { Some(*char) } else { None }).collect();
        let prefix: Arc<str> = prefix?.into();
        Some(Self::texts(if open { Intervals::range(&prefix, after_prefix(&prefix).as_ref()) } else { Intervals::one(&prefix) }))
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        !self.absent && !self.other && self.bools == [false; 2] && self.numbers.is_empty() && self.texts.is_empty()
    }

    /// Whether everything is in it.
    pub fn is_all(&self) -> bool {
        self.absent && self.other && self.bools == [true; 2] && self.numbers.is_all() && self.texts.is_all()
    }

    /// What is not in it.
    pub fn complement(mut self) -> Self {
        self.turn();
        self
    }

    /// Becomes the complement.
    pub fn turn(&mut self) {
        self.absent = !self.absent;
        self.bools = self.bools.map(|value| !value);
        self.numbers.turn();
        self.texts.turn();
        self.other = !self.other;
    }

    /// What is in both.
    pub fn intersect(&self, with: &Self) -> Self {
        let [no, yes] = self.bools;
        let [with_no, with_yes] = with.bools;
        Self {
            absent: self.absent && with.absent,
            bools: [no && with_no, yes && with_yes],
            numbers: self.numbers.intersect(&with.numbers),
            texts: self.texts.intersect(&with.texts),
            other: self.other && with.other,
        }
    }

    /// What is in either.
    pub fn union(&self, with: &Self) -> Self {
        let [no, yes] = self.bools;
        let [with_no, with_yes] = with.bools;
        Self {
            absent: self.absent || with.absent,
            bools: [no || with_no, yes || with_yes],
            numbers: self.numbers.union(&with.numbers),
            texts: self.texts.union(&with.texts),
            other: self.other || with.other,
        }
    }

    /// What is in any of them. Takes time in proportion to their size, but for the sorting.
    pub fn union_all<'a>(sets: impl Iterator<Item = &'a Self> + Clone) -> Self {
        Self {
            absent: sets.clone().any(|set| set.absent),
            bools: [0, 1].map(|at| sets.clone().any(|set| set.bools.get(at) == Some(&true))),
            numbers: Intervals::union_all(sets.clone().map(|set| &set.numbers)),
            texts: Intervals::union_all(sets.clone().map(|set| &set.texts)),
            other: sets.clone().any(|set| set.other),
        }
    }

    /// What is in all of them.
    pub fn intersect_all<'a>(sets: impl Iterator<Item = &'a Self> + Clone) -> Self {
        Self {
            absent: sets.clone().all(|set| set.absent),
            bools: [0, 1].map(|at| sets.clone().all(|set| set.bools.get(at) == Some(&true))),
            numbers: Intervals::intersect_all(sets.clone().map(|set| &set.numbers)),
            texts: Intervals::intersect_all(sets.clone().map(|set| &set.texts)),
            other: sets.clone().all(|set| set.other),
        }
    }

    /// Whether the two have nothing in common.
    pub fn is_disjoint(&self, with: &Self) -> bool {
        let [no, yes] = self.bools;
        let [with_no, with_yes] = with.bools;
        !(self.absent && with.absent || self.other && with.other || no && with_no || yes && with_yes)
            && self.numbers.is_disjoint(&with.numbers)
            && self.texts.is_disjoint(&with.texts)
    }

    /// Whether all of it is in the other.
    pub fn is_subset(&self, of: &Self) -> bool {
        let [no, yes] = self.bools;
        let [of_no, of_yes] = of.bools;
        (!self.absent || of.absent)
            && (!self.other || of.other)
            && (!no || of_no)
            && (!yes || of_yes)
            && self.numbers.is_subset(&of.numbers)
            && self.texts.is_subset(&of.texts)
    }

    /// The [keys](Single::key) of the values, if they are single ones and not too many, leaving absent and what does not fit aside.
    pub fn keys(&self, most: usize) -> Option<Keys> {
        if self.texts.len() + self.numbers.len() > most {
            return None;
        }
        let texts = self.texts.singles().map(|text| Some(One::Text(text?)));
        let numbers = self.numbers.singles().map(|number| Some(One::Number(*number?)));
        let bools = [false, true].into_iter().zip(self.bools).filter(|(_, holds)| *holds).map(|(value, _)| Some(One::Bool(value)));
        texts.chain(numbers).chain(bools).map(|value| value.as_ref().map(key)).collect()
    }

    /// Whether there are scalars in it, all of them single ones and not too many.
    pub fn has_singles(&self, most: usize) -> bool {
        self.may_be_present()
            && self.texts.len() + self.numbers.len() <= most
            && self.texts.singles().all(|text| text.is_some())
            && self.numbers.singles().all(|number| number.is_some())
    }

    /// Whether some scalar is in it.
    pub fn may_be_present(&self) -> bool {
        self.bools != [false; 2] || !self.numbers.is_empty() || !self.texts.is_empty()
    }

    /// Whether nothing but strings is in it.
    pub fn is_text(&self) -> bool {
        !self.absent && !self.other && self.bools == [false; 2] && self.numbers.is_empty()
    }
}

/// The values on one side of a constant, or the constant.
fn side<T: Point>(op: CompareOp, value: &T) -> Intervals<T> {
    match op {
        CompareOp::Eq | CompareOp::Ne => Intervals::one(value),
        CompareOp::Lt => value.before().map_or_else(Intervals::none, Intervals::before),
        CompareOp::Le => value.after().map_or_else(Intervals::all, Intervals::before),
        CompareOp::Gt => side(CompareOp::Le, value).complement(),
        CompareOp::Ge => side(CompareOp::Lt, value).complement(),
    }
}

/// The first string after all those with a prefix; `None` if there is none.
fn after_prefix(prefix: &str) -> Option<Arc<str>> {
    let mut rest = prefix.to_owned();
    while let Some(last) = rest.pop() {
        // The range steps over the surrogates, which are no characters.
        if let Some(next) = (last..=char::MAX).nth(1) {
            rest.push(next);
            return Some(rest.into());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Number;

    fn text(text: &str) -> Literal {
        Literal::String(text.to_owned())
    }

    #[track_caller]
    fn prefix(pattern: &str, expected: Option<(&str, Option<&str>)>) {
        let set = ValueSet::like(&LikePattern::new(pattern).unwrap());
        let expected = expected.map(|(first, end)| ValueSet::texts(Intervals::range(&first.into(), end.map(Into::into).as_ref())));
        assert_eq!(set, expected, "{pattern}");
    }

    #[test]
    fn simple_patterns_are_ranges() {
        prefix("abc", Some(("abc", Some("abc\0"))));
        prefix("ab%", Some(("ab", Some("ac"))));
        prefix("%", Some(("", None)));
        prefix("", Some(("", Some("\0"))));
        prefix("\u{d7ff}%", Some(("\u{d7ff}", Some("\u{e000}"))));
        prefix("a\u{10ffff}%", Some(("a\u{10ffff}", Some("b"))));
        prefix("\u{10ffff}%", Some(("\u{10ffff}", None)));
        prefix("a_", None);
        prefix("%a", None);
        prefix("a%b%", None);
    }

    #[test]
    fn comparisons_are_sets_of_one_kind() {
        let ten = Literal::Number(Number::new(10.0).unwrap());
        let below = ValueSet::compared(CompareOp::Lt, &ten);
        let from = ValueSet::compared(CompareOp::Ge, &ten);
        assert!(below.is_disjoint(&from) && below.union(&from).numbers.is_all());
        assert!(ValueSet::compared(CompareOp::Eq, &text("a")).is_subset(&ValueSet::compared(CompareOp::Le, &text("a"))));
        assert!(ValueSet::compared(CompareOp::Gt, &text("a")).texts.contains(&"a\0".into()));
        assert!(ValueSet::compared(CompareOp::Lt, &Literal::Bool(true)).is_empty());
        let list = ValueSet::listed(&[ten, text("a"), Literal::Bool(true), text("a")]);
        let rest = list.clone().complement();
        assert!(!list.is_all() && list.union(&rest).is_all() && list.is_disjoint(&rest));
    }
}
