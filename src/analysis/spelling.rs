//! Strings that spell an address out of some ranges, and match patterns besides: whether there is one.
//!
//! One address has many spellings: leading zeros, letters of either case, `::` in place of any run of zero groups, a dotted
//! end. They are written here digit by digit, from the left, as the standard library would read them. What has been written is
//! kept only as far as it matters for what may follow, so that the states are few and the search is exact.

use std::collections::HashSet;
use std::sync::Arc;

use super::automaton::Spent;
use super::automaton::States;
use super::interval::Intervals;
use crate::condition::LikeElement;
use crate::condition::LikePattern;

/// How many digits of four bits an address has.
const DIGITS: u8 = 32;

/// How many of them the last four octets are.
const QUAD: u8 = 8;

/// A string that spells one of some addresses, is in one of some ranges, and matches every positive and no negative pattern.
///
/// # Errors
///
/// If there were too few states to know.
pub fn spelling(
    addresses: &Intervals<u128>,
    ranges: &[(Arc<str>, Option<Arc<str>>)],
    like: &[(LikePattern, bool)],
    states: &mut States,
) -> Result<Option<String>, Spent> {
    for (first, end) in addresses.ranges() {
        let last = end.map_or(u128::MAX, |end| end.saturating_sub(1));
        for (low, high) in ranges {
            let low: Vec<char> = low.chars().collect();
            let high = high.as_ref().map(|high| high.chars().collect::<Vec<char>>());
            let search = Search { first, last, low: &low, high: high.as_deref(), like };
            if let Some(found) = search.run(states)? {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

/// One range of addresses and one of strings.
struct Search<'a> {
    first: u128,
    last: u128,
    low: &'a [char],
    high: Option<&'a [char]>,
    like: &'a [(LikePattern, bool)],
}

/// Where the writing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Start,
    /// In a group that so many digits are still to be written of.
    Group(u8),
    AfterGroup,
    AfterGap,
    /// Before one of the four octets, counted from zero.
    Octet(u8),
}

/// What has been written, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    place: Place,
    /// How many digits of the address are settled.
    settled: u8,
    /// Whether there has been a `::`.
    gap: bool,
    /// Whether the digits so far are those of the first address.
    at_first: bool,
    /// Whether the digits so far are those of the last address.
    at_last: bool,
    /// How far the text is the beginning of the lower end; `None` when it is above.
    low: Option<usize>,
    /// How far the text is the beginning of the upper end; `None` when it is below.
    high: Option<usize>,
    /// For each pattern, the elements that may come next.
    like: Vec<u128>,
}

impl Search<'_> {
    fn run(&self, states: &mut States) -> Result<Option<String>, Spent> {
        let like = self.like.iter().map(|(pattern, _)| reach(pattern, 1)).collect();
        let high = self.high.map(|_| 0);
        let start = State { place: Place::Start, settled: 0, gap: false, at_first: true, at_last: true, low: Some(0), high, like };
        let mut seen = HashSet::from([start.clone()]);
        let mut open = vec![(start, String::new())];
        while let Some((state, text)) = open.pop() {
            if self.accepts(&state) {
                return Ok(Some(text));
            }
            // What comes first among the ways on is the most usual, and is tried first.
            for (next, written) in self.ways_on(&state).into_iter().rev() {
                if seen.insert(next.clone()) {
                    states.0 = states.0.checked_sub(1).ok_or(Spent)?;
                    open.push((next, format!("{text}{written}")));
                }
            }
        }
        Ok(None)
    }

    fn accepts(&self, state: &State) -> bool {
        state.settled == DIGITS
            && matches!(state.place, Place::AfterGroup | Place::AfterGap)
            && state.low.is_none_or(|read| read == self.low.len())
            && state.high.is_none_or(|read| self.high.is_some_and(|high| read < high.len()))
            && self.like.iter().zip(&state.like).all(|((pattern, positive), at)| (at >> pattern.elements().len() & 1 == 1) == *positive)
    }

    fn ways_on(&self, state: &State) -> Vec<(State, String)> {
        match state.place {
            Place::Group(left) => {
                let place = if left == 1 { Place::AfterGroup } else { Place::Group(left - 1) };
                let digits = ('0'..='9').chain('a'..='f').chain('A'..='F');
                let ways = digits.filter_map(|char| {
                    let digit = u8::try_from(char.to_digit(16)?).ok()?;
                    let next = self.write(self.settle(state.clone(), digit)?, char)?;
                    Some((State { place, ..next }, char.to_string()))
                });
                ways.collect()
            }
            Place::Octet(octet) => {
                let (place, end) = if octet == 3 { (Place::AfterGroup, "") } else { (Place::Octet(octet + 1), ".") };
                let ways = (0..=u8::MAX).filter_map(|value| {
                    let settled = self.settle(self.settle(state.clone(), value >> 4)?, value & 15)?;
                    let written = format!("{value}{end}");
                    Some((State { place, ..self.write_all(settled, &written)? }, written))
                });
                ways.collect()
            }
            Place::Start | Place::AfterGroup | Place::AfterGap => self.next_parts(state),
        }
    }

    /// The ways on between groups.
    fn next_parts(&self, state: &State) -> Vec<(State, String)> {
        let mut ways = Vec::new();
        if state.settled == DIGITS {
            return ways;
        }
        let separator = if state.place == Place::AfterGroup { ":" } else { "" };
        let mut go = |state: Option<State>, place: Place, written: &str| {
            let next = state.and_then(|state| self.write_all(state, written));
            ways.extend(next.map(|next| (State { place, ..next }, written.to_owned())));
        };
        if state.place == Place::Start {
            // An IPv4 address stands where its mapped form does.
            let mapped = [0_u8; 20].into_iter().chain([15; 4]).try_fold(state.clone(), |state, digit| self.settle(state, digit));
            go(mapped, Place::Octet(0), "");
        }
        if state.settled == DIGITS - QUAD {
            go(Some(state.clone()), Place::Octet(0), separator);
        }
        if !state.gap {
            let mut zeros = Some(State { gap: true, ..state.clone() });
            for _ in (state.settled..DIGITS).step_by(4) {
                zeros = zeros.and_then(|zeros| self.zeros(zeros, 4));
                go(zeros.clone(), Place::AfterGap, "::");
            }
        }
        for digits in 1..=4 {
            go(self.zeros(state.clone(), 4 - digits), Place::Group(digits), separator);
        }
        ways
    }

    fn zeros(&self, state: State, count: u8) -> Option<State> {
        (0..count).try_fold(state, |state, _| self.settle(state, 0))
    }

    /// Settles the next digit of the address; `None` if no address of the range goes on so.
    fn settle(&self, mut state: State, digit: u8) -> Option<State> {
        let shift = u32::from(DIGITS.checked_sub(state.settled + 1)?) * 4;
        let (first, last) = (self.first >> shift & 15, self.last >> shift & 15);
        let digit = u128::from(digit);
        if state.at_first && digit < first || state.at_last && digit > last {
            return None;
        }
        state.at_first &= digit == first;
        state.at_last &= digit == last;
        state.settled += 1;
        Some(state)
    }

    fn write_all(&self, state: State, text: &str) -> Option<State> {
        text.chars().try_fold(state, |state, char| self.write(state, char))
    }

    /// Writes one character; `None` if no string goes on so.
    fn write(&self, mut state: State, char: char) -> Option<State> {
        if let Some(read) = state.low {
            state.low = match self.low.get(read) {
                Some(next) if char < *next => return None,
                Some(next) if char == *next => Some(read + 1),
                _ => None,
            };
        }
        if let (Some(read), Some(high)) = (state.high, self.high) {
            state.high = match high.get(read) {
                Some(next) if char < *next => None,
                Some(next) if char == *next => Some(read + 1),
                _ => return None,
            };
        }
        for ((pattern, positive), at) in self.like.iter().zip(&mut state.like) {
            *at = step(pattern, *at, char);
            if *positive && *at == 0 {
                return None;
            }
        }
        Some(state)
    }
}

/// The elements of a pattern that may come next after one more character, as bits. At most 63 are characters and as many are runs.
fn step(pattern: &LikePattern, at: u128, char: char) -> u128 {
    let mut next = 0;
    for (index, element) in pattern.elements().iter().enumerate().filter(|(index, _)| at >> index & 1 == 1) {
        next |= match element {
            LikeElement::Run => 1 << index,
            LikeElement::Char(other) if *other != char => 0,
            LikeElement::Char(_) | LikeElement::One => 2 << index,
        };
    }
    reach(pattern, next)
}

/// With what comes after a run that is left empty.
fn reach(pattern: &LikePattern, mut at: u128) -> u128 {
    for (index, element) in pattern.elements().iter().enumerate() {
        if *element == LikeElement::Run && at >> index & 1 == 1 {
            at |= 2 << index;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::address_number;
    use crate::condition::parse_address;

    /// Looks for a spelling of an address between two that matches all patterns and, with `!` before, does not.
    #[track_caller]
    fn check(first: &str, last: &str, patterns: &[&str], expected: bool) {
        let number = |text: &str| address_number(parse_address(text).expect("an address"));
        let addresses = Intervals::range(&number(first), number(last).checked_add(1).as_ref());
        let like = patterns.iter().map(|text| {
            let (text, positive) = text.strip_prefix('!').map_or((*text, true), |rest| (rest, false));
            (LikePattern::new(text).expect("a pattern"), positive)
        });
        let like: Vec<_> = like.collect();
        let found = spelling(&addresses, &Intervals::all().ranges(), &like, &mut States(100_000)).expect("enough states");
        if let Some(found) = &found {
            assert!(addresses.contains(&number(found)), "{found}");
            assert!(like.iter().all(|(pattern, positive)| pattern.is_match(found) == *positive), "{found}");
        }
        assert_eq!(found.is_some(), expected, "{first} {last} {patterns:?}");
    }

    #[test]
    fn every_spelling_is_found() {
        check("10.0.0.0", "10.255.255.255", &[], true);
        check("10.0.0.0", "10.255.255.255", &["%7"], true);
        check("10.0.0.0", "10.255.255.255", &["%a%"], true);
        check("10.0.0.0", "10.255.255.255", &["a%"], false);
        check("10.0.0.0", "10.255.255.255", &["%256"], true);
        check("10.0.0.0", "10.255.255.255", &["%.256"], false);
        check("10.0.0.0", "10.255.255.255", &["1_.2__._.%9"], true);
        check("10.1.2.3", "10.1.2.3", &["!%.%", "!::%"], true);
        check("10.1.2.3", "10.1.2.3", &["%:%.%", "!%::%"], true);
        check("10.1.2.3", "10.1.2.3", &["0_:%F%", "!%::%"], true);
        check("10.1.2.3", "10.1.2.4", &["!%3", "!%4"], false);
        check("::", "::", &["__%", "!%0%"], true);
        check("::", "::1", &["_"], false);
        check("fd00::", "fdff::", &["%ba"], true);
        check("fd00::", "fdff::", &["%x%"], false);
        check("fd00::", "fdff::", &["F%:%:%:%:%:%:%:_"], true);
        check("fd00::", "fdff::", &["%:%:%:%:%:%:%:%:%:%"], false);
        check("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &["%.%.%.%.%"], false);
    }

    #[test]
    fn ends_of_strings_count() {
        let addresses = Intervals::one(&address_number(parse_address("10.1.2.3").expect("an address")));
        let find = |low: &str, high: Option<&str>| {
            let ranges = Intervals::<Arc<str>>::range(&low.into(), high.map(Into::into).as_ref());
            let found = spelling(&addresses, &ranges.ranges(), &[], &mut States(100_000)).expect("enough states");
            found.inspect(|found| assert!(ranges.contains(&found.as_str().into()), "{found}")).is_some()
        };
        assert!(find("10.1.2.3", Some("10.1.2.3\0")) && find("", Some("10.1.2.3")) && find("10.1.2.3\0", None));
        assert!(find("::ffff:10.1.2.3\0", None) && !find("a", None) && !find("", Some("0")) && !find("1:", Some("::")));
    }
}
