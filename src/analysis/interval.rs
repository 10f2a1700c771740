//! Sets of ordered values as ascending, disjoint, half-open ranges.
//!
//! Numbers, strings and addresses all have a next value (the next double, the string with U+0000 appended, the next
//! address), so that one value is a range too, and every set that comparisons can describe has exactly one form here.
//! Union, intersection and complement are exact, and a set is empty if and only if it has no range.

use std::sync::Arc;
use std::sync::OnceLock;

/// A kind of value with a least one.
pub trait Point: Ord + Clone {
    /// The least value.
    fn least() -> Self;
    /// The value right after this one; `None` after the last.
    fn next(&self) -> Option<Self>;
    /// Whether this is the least value.
    fn is_least(&self) -> bool;
    /// Whether this is the value right after another.
    fn follows(&self, before: &Self) -> bool;
}

/// A double by its rank among the finite doubles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank(i64);

impl Rank {
    /// The rank of a finite double.
    pub fn of(number: f64) -> Self {
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

impl Point for Rank {
    fn least() -> Self {
        Self::of(f64::MIN)
    }

    fn next(&self) -> Option<Self> {
        (*self < Self::of(f64::MAX)).then_some(Self(self.0 + 1))
    }

    fn is_least(&self) -> bool {
        *self == Self::least()
    }

    fn follows(&self, before: &Self) -> bool {
        before.next() == Some(*self)
    }
}

impl Point for Arc<str> {
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

    fn is_least(&self) -> bool {
        self.is_empty()
    }

    fn follows(&self, before: &Self) -> bool {
        self.strip_suffix('\0').is_some_and(|rest| *rest == **before)
    }
}

impl Point for u128 {
    fn least() -> Self {
        0
    }

    fn next(&self) -> Option<Self> {
        self.checked_add(1)
    }

    fn is_least(&self) -> bool {
        *self == 0
    }

    fn follows(&self, before: &Self) -> bool {
        before.checked_add(1) == Some(*self)
    }
}

/// A set of values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Intervals<T>(Vec<(T, Option<T>)>);

impl<T: Point> Intervals<T> {
    /// No value.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// Every value.
    pub fn all() -> Self {
        Self(vec![(T::least(), None)])
    }

    /// One value.
    pub fn one(value: T) -> Self {
        let next = value.next();
        Self(vec![(value, next)])
    }

    /// The values from `first` on, up to and without `end`; `None` is no upper end.
    pub fn range(first: T, end: Option<T>) -> Self {
        match &end {
            Some(end) if *end <= first => Self::none(),
            _ => Self(vec![(first, end)]),
        }
    }

    /// The union of ranges in any order.
    pub fn from_ranges(mut ranges: Vec<(T, Option<T>)>) -> Self {
        ranges.retain(|(first, end)| end.as_ref().is_none_or(|end| first < end));
        ranges.sort_unstable();
        let mut merged: Vec<(T, Option<T>)> = Vec::with_capacity(ranges.len());
        for (first, end) in ranges {
            match merged.last_mut() {
                Some((_, None)) => break,
                Some((_, Some(last))) if first <= *last => {
                    if end.as_ref().is_none_or(|end| end > last) {
                        let Some((_, known)) = merged.last_mut() else { break };
                        *known = end;
                    }
                }
                _ => merged.push((first, end)),
            }
        }
        Self(merged)
    }

    /// The ranges, ascending and disjoint, without neighbours that touch.
    pub fn ranges(&self) -> &[(T, Option<T>)] {
        &self.0
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every value is in the set.
    pub fn is_all(&self) -> bool {
        matches!(self.0.as_slice(), [(first, None)] if first.is_least())
    }

    /// Whether a value is in the set.
    pub fn contains(&self, value: &T) -> bool {
        let after = self.0.partition_point(|(first, _)| first <= value);
        let range = after.checked_sub(1).and_then(|at| self.0.get(at));
        range.is_some_and(|(_, end)| end.as_ref().is_none_or(|end| value < end))
    }

    /// The values that are not in the set.
    pub fn complement(&self) -> Self {
        let mut ranges = Vec::with_capacity(self.0.len() + 1);
        let mut from = Some(T::least());
        for (first, end) in &self.0 {
            if let Some(from) = from.take()
                && from < *first
            {
                ranges.push((from, Some(first.clone())));
            }
            from.clone_from(end);
        }
        ranges.extend(from.map(|from| (from, None)));
        Self(ranges)
    }

    /// The values in both sets.
    pub fn intersect(&self, other: &Self) -> Self {
        let mut ranges = Vec::new();
        let (mut ones, mut twos) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(&(one, one_end)), Some(&(two, two_end))) = (ones.peek(), twos.peek()) {
            let first = one.max(two);
            let end = earlier(one_end.as_ref(), two_end.as_ref());
            if end.is_none_or(|end| first < end) {
                ranges.push((first.clone(), end.cloned()));
            }
            match ends_first(one_end.as_ref(), two_end.as_ref()) {
                true => ones.next(),
                false => twos.next(),
            };
        }
        Self(ranges)
    }

    /// The values in either set.
    pub fn union(&self, other: &Self) -> Self {
        if self.is_empty() {
            return other.clone();
        }
        if other.is_empty() {
            return self.clone();
        }
        Self::from_ranges(self.0.iter().chain(&other.0).cloned().collect())
    }

    /// Whether the sets have nothing in common.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        let (mut ones, mut twos) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(&(one, one_end)), Some(&(two, two_end))) = (ones.peek(), twos.peek()) {
            if earlier(one_end.as_ref(), two_end.as_ref()).is_none_or(|end| one.max(two) < end) {
                return false;
            }
            match ends_first(one_end.as_ref(), two_end.as_ref()) {
                true => ones.next(),
                false => twos.next(),
            };
        }
        true
    }

    /// Whether every value of this set is in the other.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().all(|(first, end)| {
            let after = other.0.partition_point(|(start, _)| start <= first);
            let around = after.checked_sub(1).and_then(|at| other.0.get(at));
            around.is_some_and(|(_, last)| match (end, last) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(end), Some(last)) => end <= last,
            })
        })
    }

    /// The values, if the set is a list of single ones.
    pub fn singles(&self) -> Option<Vec<&T>> {
        self.0.iter().map(|(first, end)| is_single(first, end.as_ref()).then_some(first)).collect()
    }

    /// The only value.
    pub fn single(&self) -> Option<&T> {
        match self.0.as_slice() {
            [(first, end)] if is_single(first, end.as_ref()) => Some(first),
            _ => None,
        }
    }
}

/// Whether a range holds its first value only.
fn is_single<T: Point>(first: &T, end: Option<&T>) -> bool {
    end.map_or_else(|| first.next().is_none(), |end| end.follows(first))
}

fn earlier<'a, T: Ord>(one: Option<&'a T>, two: Option<&'a T>) -> Option<&'a T> {
    match (one, two) {
        (Some(one), Some(two)) => Some(one.min(two)),
        (one, two) => one.or(two),
    }
}

/// Whether the first range ends no later than the second.
fn ends_first<T: Ord>(one: Option<&T>, two: Option<&T>) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => one <= two,
        (one, _) => one.is_some(),
    }
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

    /// Every set over a few small numbers against sets of numbers.
    #[test]
    fn the_algebra_is_that_of_sets() {
        let values = 0..8_u128;
        let set = |bits: u32| Intervals::from_ranges(values.clone().filter(|at| bits >> at & 1 == 1).map(|at| (at, at.next())).collect());
        let bits = |set: &Intervals<u128>| values.clone().filter(|at| set.contains(at)).fold(0, |bits, at| bits | 1_u32 << at);
        for one in 0..256 {
            let a = set(one);
            assert_eq!(bits(&a), one);
            assert_eq!(bits(&a.complement()), !one & 255);
            assert_eq!(a.complement().complement(), a);
            assert_eq!(a.singles().is_some(), one & (one << 1) == 0, "{one:b}");
            for two in 0..256 {
                let b = set(two);
                assert_eq!(bits(&a.intersect(&b)), one & two);
                assert_eq!(a.union(&b), set(one | two));
                assert_eq!(a.is_disjoint(&b), one & two == 0);
                assert_eq!(a.is_subset(&b), one & !two == 0);
            }
        }
        assert!(Intervals::<u128>::all().is_all() && Intervals::<u128>::none().complement().is_all());
        assert_eq!(Intervals::<u128>::all().intersect(&set(5)), set(5));
    }

    #[test]
    fn one_string_is_a_range() {
        let one = Intervals::one(Arc::<str>::from("a"));
        assert_eq!(one.single().map(|text| &**text), Some("a"));
        assert!(one.contains(&"a".into()) && !one.contains(&"a\0".into()) && !one.contains(&"".into()));
    }
}
