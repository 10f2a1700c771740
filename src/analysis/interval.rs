//! Sets of ordered values, as the places where they begin and end.
//!
//! Numbers, strings and addresses all have a next value (the next double, the string with U+0000 appended, the next
//! address), so that every set which comparisons can describe is a list of places between neighbouring values, and has exactly one
//! form here. Union, intersection and complement are exact; the complement has the same places. A set is empty if and only if it has no
//! place and does not hold the least value.

use std::cmp::Ordering;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::OnceLock;

use smallvec::SmallVec;

/// A kind of value with a least one.
pub trait Point: Ord + Clone {
    /// A place between two values that are next to each other.
    type Place: Debug + Clone + Ord + Hash;
    /// The least value.
    fn least() -> Self;
    /// The value right after this one; `None` after the last.
    fn next(&self) -> Option<Self>;
    /// The place right before this value; `None` if it is the least.
    fn before(&self) -> Option<Self::Place>;
    /// The place right after this value; `None` if it is the last.
    fn after(&self) -> Option<Self::Place>;
    /// The value right after a place.
    fn at(place: &Self::Place) -> Self;
    /// Whether this value lies after a place.
    fn lies_after(&self, place: &Self::Place) -> bool;
    /// The only value between two places, if there is but one; `None` stands for where all values begin and for where they end.
    fn only<'a>(start: Option<&'a Self::Place>, end: Option<&'a Self::Place>) -> Option<&'a Self>;
}

/// A double by its rank among the finite doubles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank(i64);

impl Rank {
    /// The rank of a finite double.
    pub const fn of(number: f64) -> Self {
        // Adding zero makes the negative zero positive. Bits of negative numbers grow as the numbers fall.
        let bits = (number + 0.0).to_bits().cast_signed();
        Self(if bits < 0 { i64::MIN - bits } else { bits })
    }

    /// The double of this rank.
    pub fn number(self) -> f64 {
        let bits = if self.0 < 0 { i64::MIN - self.0 } else { self.0 };
        f64::from_bits(bits.cast_unsigned())
    }
}

/// A kind of value of which the place before each is that value.
pub trait Counted: Debug + Copy + Ord + Hash + 'static {
    /// The least value.
    const LEAST: &'static Self;
    /// The value right after this one; `None` after the last.
    fn successor(self) -> Option<Self>;
}

impl Counted for Rank {
    const LEAST: &'static Self = &Self::of(f64::MIN);

    fn successor(self) -> Option<Self> {
        (self < Self::of(f64::MAX)).then_some(Self(self.0 + 1))
    }
}

impl Counted for u128 {
    const LEAST: &'static Self = &0;

    fn successor(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl<T: Counted> Point for T {
    type Place = Self;

    fn least() -> Self {
        *Self::LEAST
    }

    fn next(&self) -> Option<Self> {
        self.successor()
    }

    fn before(&self) -> Option<Self> {
        (self != Self::LEAST).then_some(*self)
    }

    fn after(&self) -> Option<Self> {
        self.successor()
    }

    fn at(place: &Self) -> Self {
        *place
    }

    fn lies_after(&self, place: &Self) -> bool {
        self >= place
    }

    fn only<'a>(start: Option<&'a Self>, end: Option<&'a Self>) -> Option<&'a Self> {
        let first = start.unwrap_or(Self::LEAST);
        (first.successor().as_ref() == end).then_some(first)
    }
}

/// A place among strings: right after a string, or right before one that does not end in U+0000. So both ends of a single string share
/// its text, and each place has one form only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextPlace {
    text: Arc<str>,
    after: bool,
}

impl Point for Arc<str> {
    type Place = TextPlace;

    fn least() -> Self {
        static EMPTY: OnceLock<Arc<str>> = OnceLock::new();
        EMPTY.get_or_init(|| "".into()).clone()
    }

    fn next(&self) -> Option<Self> {
        let mut text = String::with_capacity(self.len() + 1);
        text.push_str(self);
        text.push('\0');
        Some(text.into())
    }

    fn before(&self) -> Option<TextPlace> {
        match self.strip_suffix('\0') {
            Some(last) => Some(TextPlace { text: last.into(), after: true }),
            None => (!self.is_empty()).then(|| TextPlace { text: self.clone(), after: false }),
        }
    }

    fn after(&self) -> Option<TextPlace> {
        Some(TextPlace { text: self.clone(), after: true })
    }

    fn at(place: &TextPlace) -> Self {
        if place.after { place.text.next().unwrap_or_else(|| place.text.clone()) } else { place.text.clone() }
    }

    fn lies_after(&self, place: &TextPlace) -> bool {
        if place.after { **self > *place.text } else { **self >= *place.text }
    }

    fn only<'a>(start: Option<&'a TextPlace>, end: Option<&'a TextPlace>) -> Option<&'a Self> {
        let TextPlace { text, after: true } = end? else { return None };
        let starts_there = match start {
            None => text.is_empty(),
            Some(TextPlace { text: first, after: false }) => first == text,
            Some(TextPlace { text: last, after: true }) => text.strip_suffix('\0') == Some(last),
        };
        starts_there.then_some(text)
    }
}

/// A set of values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Intervals<T: Point> {
    /// Whether the least value is in it.
    least: bool,
    /// Where it begins and ends by turns, ascending; mostly at one value.
    places: SmallVec<[T::Place; 2]>,
}

/// A part of a set without gaps; `None` stands for where all values begin and for where they end.
type Piece<'a, T> = (Option<&'a <T as Point>::Place>, Option<&'a <T as Point>::Place>);

/// By first values, those with an end after those without.
impl<T: Point> Ord for Intervals<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.pieces().cmp(other.pieces())
    }
}

impl<T: Point> PartialOrd for Intervals<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Point> Intervals<T> {
    /// No value.
    pub fn none() -> Self {
        Self { least: false, places: SmallVec::new() }
    }

    /// Every value.
    pub fn all() -> Self {
        Self { least: true, places: SmallVec::new() }
    }

    /// One value.
    pub fn one(value: &T) -> Self {
        Self::between(value.before(), value.after())
    }

    /// The values from `first` on, up to and without `end`; `None` is no upper end.
    pub fn range(first: &T, end: Option<&T>) -> Self {
        match end {
            Some(end) if end <= first => Self::none(),
            // INVARIANT: a value above another is not the least.
            _ => Self::between(first.before(), end.and_then(T::before)),
        }
    }

    /// The values before a place.
    pub fn before(place: T::Place) -> Self {
        Self { least: true, places: std::iter::once(place).collect() }
    }

    /// What lies between two places, of which the first comes first.
    fn between(start: Option<T::Place>, end: Option<T::Place>) -> Self {
        Self { least: start.is_none(), places: start.into_iter().chain(end).collect() }
    }

    /// Some values, in any order and with repetitions.
    pub fn these(mut values: Vec<T>) -> Self {
        values.sort_unstable();
        values.dedup();
        let mut set = Self { least: false, places: SmallVec::with_capacity(2 * values.len()) };
        for value in &values {
            match value.before() {
                None => set.least = true,
                // It follows the one before.
                Some(start) if set.places.last() == Some(&start) => drop(set.places.pop()),
                Some(start) => set.places.push(start),
            }
            set.places.extend(value.after());
        }
        set
    }

    /// The union of ranges in any order.
    pub fn from_ranges(ranges: impl IntoIterator<Item = (T, Option<T>)>) -> Self {
        let ranges: Vec<Self> = ranges.into_iter().map(|(first, end)| Self::range(&first, end.as_ref())).collect();
        Self::union_all(ranges.iter())
    }

    /// What is in any of some sets. Takes time in proportion to their size, but for the sorting.
    pub fn union_all<'a>(sets: impl Iterator<Item = &'a Self>) -> Self
    where
        T: 'a,
    {
        Self::union_of(sets.flat_map(Self::pieces).collect())
    }

    /// What is in all of some sets.
    pub fn intersect_all<'a>(sets: impl Iterator<Item = &'a Self>) -> Self
    where
        T: 'a,
    {
        Self::union_of(sets.flat_map(|set| pieces::<T>(!set.least, &set.places)).collect()).complement()
    }

    fn union_of(mut pieces: Vec<Piece<'_, T>>) -> Self {
        pieces.sort_unstable();
        let mut set = Self::none();
        let mut open: Option<Piece<'_, T>> = None;
        for (start, end) in pieces {
            match &mut open {
                // Those without an end reach over all that follow.
                Some((_, last)) if last.is_none_or(|last| start <= Some(last)) => {
                    *last = last.zip(end).map(|(one, two)| one.max(two));
                }
                _ => set.push(open.replace((start, end))),
            }
        }
        set.push(open);
        set
    }

    /// Adds a piece behind the others.
    fn push(&mut self, piece: Option<Piece<'_, T>>) {
        let Some((start, end)) = piece else { return };
        self.least |= start.is_none();
        self.places.extend(start.into_iter().chain(end).cloned());
    }

    fn pieces(&self) -> impl Iterator<Item = Piece<'_, T>> + Clone {
        pieces::<T>(self.least, &self.places)
    }

    /// How many ranges it is made of.
    pub fn len(&self) -> usize {
        (usize::from(self.least) + self.places.len()).div_ceil(2)
    }

    /// The ranges, ascending and disjoint, without neighbours that touch: the first value, and the first one after. `None` is no
    /// upper end.
    pub fn ranges(&self) -> Vec<(T, Option<T>)> {
        self.pieces().map(|(start, end)| (start.map_or_else(T::least, T::at), end.map(T::at))).collect()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        !self.least && self.places.is_empty()
    }

    /// Whether every value is in the set.
    pub fn is_all(&self) -> bool {
        self.least && self.places.is_empty()
    }

    /// Whether a value is in the set.
    pub fn contains(&self, value: &T) -> bool {
        self.contains_after(self.places.partition_point(|place| value.lies_after(place)))
    }

    /// Whether the values after so many places are in the set.
    fn contains_after(&self, places: usize) -> bool {
        self.least != (places % 2 == 1)
    }

    /// The values that are not in the set.
    pub fn complement(mut self) -> Self {
        self.turn();
        self
    }

    /// Becomes the complement.
    pub fn turn(&mut self) {
        self.least = !self.least;
    }

    /// The values in both sets.
    pub fn intersect(&self, other: &Self) -> Self {
        let (few, many) = if self.places.len() <= other.places.len() { (self, other) } else { (other, self) };
        let mut both = Self { least: few.least && many.least, places: SmallVec::new() };
        for (start, end) in few.pieces() {
            let (mut reached, inner) = many.within((start, end));
            both.places.extend(start.filter(|_| many.contains_after(reached)).cloned());
            reached += inner.len();
            both.places.extend(inner.iter().chain(end.filter(|_| many.contains_after(reached))).cloned());
        }
        both
    }

    /// How many places are not after the start of a piece, and the places inside it.
    fn within(&self, (start, end): Piece<'_, T>) -> (usize, &[T::Place]) {
        let reached = start.map_or(0, |start| self.places.partition_point(|place| place <= start));
        let behind = self.places.get(reached..).unwrap_or_default();
        let inner = end.map_or(behind.len(), |end| behind.partition_point(|place| place < end));
        (reached, behind.get(..inner).unwrap_or_default())
    }

    /// The values in either set.
    pub fn union(&self, other: &Self) -> Self {
        if self.is_empty() || other.is_all() {
            return other.clone();
        }
        if other.is_empty() || self.is_all() {
            return self.clone();
        }
        Self::union_all([self, other].into_iter())
    }

    /// Whether the sets have nothing in common.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        let (few, many) = if self.places.len() <= other.places.len() { (self, other) } else { (other, self) };
        few.pieces().all(|piece| many.is_throughout(piece, false))
    }

    /// Whether every value of this set is in the other.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.pieces().all(|piece| other.is_throughout(piece, true))
    }

    /// Whether all values of a piece are in the set, or all are not.
    fn is_throughout(&self, piece: Piece<'_, T>, inside: bool) -> bool {
        let (reached, inner) = self.within(piece);
        inner.is_empty() && self.contains_after(reached) == inside
    }

    /// The single values, with `None` for every range of more than one.
    pub fn singles(&self) -> impl Iterator<Item = Option<&T>> + Clone {
        self.pieces().map(|(start, end)| T::only(start, end))
    }

    /// The only value.
    pub fn single(&self) -> Option<&T> {
        if self.len() == 1 { self.singles().next()? } else { None }
    }
}

/// The pieces between places, the first of which begins with the least value or at the first place.
fn pieces<T: Point>(least: bool, places: &[T::Place]) -> impl Iterator<Item = Piece<'_, T>> + Clone {
    let (first, rest) = places.split_at(usize::from(least).min(places.len()));
    let first = least.then(|| (None, first.first()));
    first.into_iter().chain(rest.chunks(2).filter_map(|ends| Some((Some(ends.first()?), ends.get(1)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_in_the_order_of_the_numbers() {
        let numbers = [f64::MIN, -1.5, -1.0, -f64::MIN_POSITIVE, -5e-324, 0.0, 5e-324, 0.1, 1.0, f64::MAX];
        let ranks: Vec<Rank> = numbers.into_iter().map(Rank::of).collect();
        assert!(ranks.is_sorted());
        assert_eq!(ranks.iter().map(|rank| rank.number()).collect::<Vec<_>>(), numbers);
        assert_eq!(Rank::of(-0.0), Rank::of(0.0));
        assert_eq!(Rank::of(-5e-324).next(), Some(Rank::of(0.0)));
        assert_eq!(Rank::of(1.0).next(), Some(Rank::of(1.0_f64.next_up())));
        assert_eq!(Rank::of(f64::MAX).next(), None);
    }

    /// Every set over a few values, with what lies between and behind them, against sets of numbers.
    #[track_caller]
    fn check<T: Point + Debug + Hash>(values: &[T]) {
        let count = u32::try_from(values.len()).expect("a few values");
        let every = (1 << count) - 1;
        let set = |bits: u32| {
            let members = values.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1);
            Intervals::from_ranges(members.map(|(at, value)| (value.clone(), values.get(at + 1).cloned())))
        };
        let bits =
            |set: &Intervals<T>| values.iter().enumerate().filter(|(_, value)| set.contains(value)).fold(0, |bits, (at, _)| bits | 1 << at);
        let all: Vec<Intervals<T>> = (0..=every).map(set).collect();
        for (one, a) in (0..).zip(&all) {
            assert_eq!(bits(a), one);
            assert_eq!(a.clone().complement().complement(), *a);
            assert_eq!((a.is_empty(), a.ranges().len()), (one == 0, a.len()));
            assert_eq!(Intervals::from_ranges(a.ranges()), *a);
            let single = |at: usize| values.get(at).is_some_and(|value| value.next() == values.get(at + 1).cloned());
            let singles: Option<Vec<&T>> = a.singles().collect();
            let alone = |at: usize| one >> at & 1 == 1 && (at == 0 || one >> (at - 1) & 1 == 0) && one >> (at + 1) & 1 == 0;
            let members: Vec<usize> = (0..values.len()).filter(|at| one >> at & 1 == 1).collect();
            let expected = members.iter().all(|&at| single(at) && alone(at)).then(|| members.iter().map(|&at| &values[at]).collect());
            assert_eq!(singles, expected, "{a:?}");
            assert_eq!(a.single(), expected.filter(|values: &Vec<&T>| values.len() == 1).map(|values| values[0]));
            for (two, b) in (0..).zip(&all) {
                assert_eq!(bits(&a.intersect(b)), one & two);
                assert_eq!(a.intersect(b), all[(one & two) as usize]);
                assert_eq!(a.union(b), all[(one | two) as usize]);
                assert_eq!(Intervals::intersect_all([a, b, a].into_iter()), all[(one & two) as usize]);
                assert_eq!(a.is_disjoint(b), one & two == 0);
                assert_eq!(a.is_subset(b), one & !two == 0);
                assert_eq!(a.cmp(b), a.ranges().cmp(&b.ranges()), "{a:?} {b:?}");
            }
        }
        if values.first() == Some(&T::least()) {
            assert!(all[every as usize].is_all() && all[0].clone().complement().is_all());
        }
    }

    #[test]
    fn the_algebra_is_that_of_sets() {
        check::<u128>(&[0, 1, 2, 3, 5, u128::MAX - 1, u128::MAX]);
        check(&[f64::MIN, f64::MIN.next_up(), -0.0, 5e-324, 1.0, f64::MAX.next_down(), f64::MAX].map(Rank::of));
        check::<Arc<str>>(&["", "\0", "\0\0", "a", "a\0", "a\0\0", "a\0b", "b"].map(Arc::from));
        check::<Arc<str>>(&["a", "a\0", "a\0\0\0", "ab", "b\0", "b\0\0"].map(Arc::from));
    }

    #[test]
    fn values_make_the_set_that_their_ranges_make() {
        let numbers = [7, 3, 4, 0, 3, u128::MAX];
        let ranges = numbers.map(|number| (number, number.next()));
        assert_eq!(Intervals::these(numbers.to_vec()), Intervals::from_ranges(ranges));
        assert_eq!(Intervals::these(vec![5_u128]), Intervals::one(&5));
        assert_eq!(Intervals::<u128>::these(Vec::new()), Intervals::none());
        let texts: Vec<Arc<str>> = ["b", "a\0", "a", "", "b"].map(Arc::from).to_vec();
        let ranges: Vec<_> = texts.iter().map(|text| (text.clone(), text.next())).collect();
        assert_eq!(Intervals::these(texts), Intervals::from_ranges(ranges));
    }

    #[test]
    fn one_string_is_a_range() {
        let one = Intervals::one(&Arc::<str>::from("a"));
        assert_eq!(one.single().map(|text| &**text), Some("a"));
        assert!(one.contains(&"a".into()) && !one.contains(&"a\0".into()) && !one.contains(&"".into()));
    }
}
