//! Sets of strings given by ranges and `like` patterns: whether such a set is empty, and if not, a short word of it.
//!
//! The answer decides whether a denial leaves anything of a grant, so it is exact or it is not given. It is found by a
//! breadth-first search over the product of one automaton for each pattern and one for all ranges together, made
//! deterministic only as far as the search goes:
//!
//! - A pattern is a set of positions in 64 bits. A `%` is a loop on the position after it, so that a step is a shift and a
//!   mask. What can be matched before the last loop reached can be matched from it as well, so smaller positions are dropped.
//! - For the ranges, what matters of the prefix read so far is which of their ends still begin with it. The ends are sorted,
//!   so that these are a slice, and a word lies inside if and only if the number of ends that are not above it is odd.
//! - Of the characters that no pattern looks for at its positions, one is enough that settles that the word lies inside:
//!   whatever can follow another one can follow it as well. Only where there is none are those of the ends tried one by one.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::iter;
use std::rc::Rc;
use std::sync::Arc;

use crate::condition::LikeElement;
use crate::condition::LikePattern;

/// A set of strings: in some range, matching every positive and no negative pattern.
pub(super) struct Words<'a> {
    /// Ascending, disjoint, half-open and non-empty ranges by code point order; `None` is no upper end.
    pub ranges: &'a [(Arc<str>, Option<Arc<str>>)],
    /// Patterns and whether they must match.
    pub like: &'a [(LikePattern, bool)],
    /// Whether only ids of callers are meant: not empty, and without upper-case ASCII letters if there is an `@` anywhere.
    pub caller: bool,
}

/// How many states may still be visited. A state of more than [`States::STEPS`] patterns, and one that has more than so many
/// steps to try, costs in proportion, so that what is left bounds time and memory for hostile patterns as well.
pub(super) struct States(pub u32);

/// The search ran out of [`States`] before there was an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spent;

/// A short word of the set, `None` if there is none.
///
/// With patterns it is a shortest one, where the empty word counts as one of three characters, because it is hard to see in a
/// message. Of equally short ones, a constant comes first (a range of one word), then what is made of small letters, digits and
/// other characters, in this order. Without patterns it is the first lower end that people can read, such as the date of a
/// comparison, or else one letter or digit, and only where there is neither a shortest one.
///
/// # Errors
///
/// If there were too few states to find any word, or to know that there is none. Where only a shorter word than a known one
/// could not be ruled out, the known one is the answer.
pub(super) fn shortest(words: &Words<'_>, states: &mut States) -> Result<Option<String>, Spent> {
    if words.like.is_empty()
        && let Some(word) = words.readable()
    {
        return Ok(Some(word));
    }
    states.take(words.ranges.len().saturating_mul(words.like.len()))?;
    // Ranges of one word are looked at one by one. As paths of the automaton, a long list of constants would cost far more.
    let (constants, ranges): (Vec<_>, Vec<_>) = words.ranges.iter().partition(|(low, high)| is_constant(low, high.as_deref()));
    let constants = constants.into_iter().map(|(low, _)| &**low);
    let empty = Some("").filter(|word| words.are_around(word));
    let known = empty.into_iter().chain(constants).filter(|word| words.fit(word)).min_by_key(|word| length(word));
    match Search::new(words, &ranges).shorter_than(known.map_or(usize::MAX, length), states) {
        Ok(Some(word)) => Ok(Some(word)),
        Err(Spent) if known.is_none() => Err(Spent),
        Ok(None) | Err(Spent) => Ok(known.map(str::to_owned)),
    }
}

impl States {
    /// How many steps of one pattern cost as much as one state.
    const STEPS: usize = 64;

    fn take(&mut self, steps: usize) -> Result<(), Spent> {
        let cost = u32::try_from(steps / Self::STEPS).unwrap_or(u32::MAX);
        let left = self.0.checked_sub(cost);
        self.0 = left.unwrap_or(0);
        left.map(|_| ()).ok_or(Spent)
    }
}

impl Words<'_> {
    /// Whether a word is in the set if it is in one of the ranges.
    fn fit(&self, word: &str) -> bool {
        self.admit(word) && self.like.iter().all(|(pattern, positive)| pattern.is_match(word) == *positive)
    }

    fn are_around(&self, word: &str) -> bool {
        let begun = self.ranges.partition_point(|(low, _)| &**low <= word);
        let last = begun.checked_sub(1).and_then(|last| self.ranges.get(last));
        last.is_some_and(|(_, high)| high.as_deref().is_none_or(|high| word < high))
    }

    fn admit(&self, word: &str) -> bool {
        let mixed = word.contains('@') && word.contains(|char: char| char.is_ascii_uppercase());
        !self.caller || !(word.is_empty() || mixed)
    }

    /// Of a set without patterns, a word that people can read.
    fn readable(&self) -> Option<String> {
        let lows = self.ranges.iter().map(|(low, _)| &**low);
        let mut readable = lows.filter(|low| !low.is_empty() && !low.contains(char::is_control) && self.admit(low));
        let letter = || plain().map(String::from).find(|word| self.are_around(word));
        readable.next().map(str::to_owned).or_else(letter)
    }
}

/// Whether a range holds nothing but its lower end.
fn is_constant(low: &str, high: Option<&str>) -> bool {
    high.and_then(|high| high.strip_prefix(low)) == Some("\0")
}

/// The length of a word in characters, where the empty word counts as one of three.
fn length(word: &str) -> usize {
    if word.is_empty() { 3 } else { word.chars().count() }
}

/// Characters anybody can read, the best first.
fn plain() -> impl Iterator<Item = char> {
    ('a'..='z').chain('0'..='9').chain('A'..='Z')
}

/// Orders characters by how well they read.
fn rank(char: char) -> (u8, char) {
    let class = match char {
        'a'..='z' => 0,
        '0'..='9' => 1,
        'A'..='Z' => 2,
        _ if char.is_ascii_graphic() || char.is_alphanumeric() => 3,
        _ if is_visible(&char) => 4,
        _ => 5,
    };
    (class, char)
}

fn is_visible(char: &char) -> bool {
    !char.is_control() && !char.is_whitespace()
}

/// What a word or a character is to the rule about ids of callers: an `@` and an upper-case letter do not go together.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Case {
    Any,
    Upper,
    At,
}

impl Case {
    /// `None` if no id of a caller is both.
    fn join(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Any, case) | (case, Self::Any) => Some(case),
            (left, right) => (left == right).then_some(left),
        }
    }
}

/// Where the word read so far is among the ends of the ranges: those from `from` up to `to` begin with it, and it is `read`
/// bytes long. If none does, it is settled on which side every longer word is; only [`Place::INSIDE`] is kept of these.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    from: usize,
    to: usize,
    read: usize,
}

impl Place {
    const INSIDE: Self = Self { from: 1, to: 1, read: 0 };

    /// The place of a word that `below` ends are not above, and that is a proper prefix of none. `None` if it is outside.
    fn settled(below: usize) -> Option<Self> {
        (below % 2 == 1).then_some(Self::INSIDE)
    }
}

/// How a word can go on: the characters that come next in the ends at its place, and those between them.
struct Fork {
    /// Ascending, each with the slice of the ends that go on with it.
    branches: Vec<(char, usize, usize)>,
    place: Place,
}

/// A state of the product. A word that leads to it is inside or may still become so.
#[derive(PartialEq, Eq, Hash)]
struct State {
    /// For each pattern, the positions it may be at.
    positions: Vec<u64>,
    place: Place,
    case: Case,
}

/// A state with the way to it.
struct Visit {
    state: Rc<State>,
    from: Option<usize>,
    char: char,
    length: usize,
}

/// A pattern as bits, one for each position.
#[derive(Default)]
struct Automaton {
    /// Positions that any character leads on from.
    ones: u64,
    /// Positions that any character leads back to.
    loops: u64,
    /// The last position.
    end: u64,
    positive: bool,
}

impl Automaton {
    /// Drops the positions that make no difference, and says `None` if no longer word can be in the set.
    fn settle(&self, positions: u64) -> Option<u64> {
        let last_loop = (positions & self.loops).checked_ilog2().unwrap_or(0);
        let positions = positions & (u64::MAX << last_loop);
        let hopeless = if self.positive { positions == 0 } else { positions & self.loops & self.end != 0 };
        (!hopeless).then_some(positions)
    }
}

/// The positions of one pattern that a character leads on from.
struct Mention {
    pattern: usize,
    positions: u64,
}

/// A character with the patterns that name it.
type Mentioned<'a> = (char, &'a [Mention]);

struct Search<'a> {
    patterns: Vec<Automaton>,
    /// The characters of the patterns, by [`rank`].
    mentioned: Vec<(char, Vec<Mention>)>,
    /// Lower and upper ends by turns, ascending.
    ends: Vec<&'a str>,
    caller: bool,
}

impl<'a> Search<'a> {
    fn new(words: &Words<'_>, ranges: &[&'a (Arc<str>, Option<Arc<str>>)]) -> Self {
        let mut mentioned: BTreeMap<(u8, char), Vec<Mention>> = BTreeMap::new();
        let mut patterns = Vec::new();
        for (pattern, (like, positive)) in words.like.iter().enumerate() {
            let mut automaton = Automaton { end: 1, positive: *positive, ..Automaton::default() };
            for element in like.elements() {
                let position = automaton.end;
                match *element {
                    LikeElement::Run => automaton.loops |= position,
                    LikeElement::One => automaton.ones |= position,
                    LikeElement::Char(char) => {
                        let mentions = mentioned.entry(rank(char)).or_default();
                        match mentions.last_mut().filter(|last| last.pattern == pattern) {
                            Some(last) => last.positions |= position,
                            None => mentions.push(Mention { pattern, positions: position }),
                        }
                    }
                }
                automaton.end <<= u32::from(*element != LikeElement::Run);
            }
            patterns.push(automaton);
        }
        let mentioned = mentioned.into_iter().map(|((_, char), mentions)| (char, mentions)).collect();
        let ends = ranges.iter().flat_map(|(low, high)| iter::once(&**low).chain(high.as_deref())).collect();
        Self { patterns, mentioned, ends, caller: words.caller }
    }

    /// A shortest word of at least one character and less than `limit`.
    fn shorter_than(&self, limit: usize, states: &mut States) -> Result<Option<String>, Spent> {
        let start =
            State { positions: vec![1; self.patterns.len()], place: Place { from: 0, to: self.ends.len(), read: 0 }, case: Case::Any };
        let start = Rc::new(start);
        let mut seen = HashSet::from([Rc::clone(&start)]);
        let mut visits = vec![Visit { state: start, from: None, char: '\0', length: 0 }];
        let mut at = 0;
        while let Some(Visit { state, length, .. }) = visits.get(at) {
            let (state, length) = (Rc::clone(state), length + 1);
            if length >= limit {
                break;
            }
            for (char, next) in self.successors(&state, states)? {
                if seen.contains(&next) {
                    continue;
                }
                states.take(States::STEPS.saturating_add(self.patterns.len()))?;
                let next = Rc::new(next);
                seen.insert(Rc::clone(&next));
                let found = self.accepts(&next);
                visits.push(Visit { state: next, from: Some(at), char, length });
                if found {
                    return Ok(Some(word(&visits)));
                }
            }
            at += 1;
        }
        Ok(None)
    }

    fn accepts(&self, state: &State) -> bool {
        let Place { from, to, read } = state.place;
        let equal = self.ends.get(from..to).unwrap_or_default().partition_point(|end| end.len() == read);
        let matched = |(pattern, positions): (&Automaton, &u64)| (positions & pattern.end != 0) == pattern.positive;
        (from + equal) % 2 == 1 && self.patterns.iter().zip(&state.positions).all(matched)
    }

    /// The states that a further character leads to, with the character, those that read best first.
    fn successors(&self, state: &State, states: &mut States) -> Result<Vec<(char, State)>, Spent> {
        let fork = self.fork(state.place);
        let touches = |(_, mentions): &Mentioned<'_>| {
            mentions.iter().any(|mention| state.positions.get(mention.pattern).is_some_and(|at| at & mention.positions != 0))
        };
        let touched = self.mentioned.iter().map(|(char, mentions)| (*char, mentions.as_slice()));
        let mut candidates: Vec<Mentioned<'_>> = touched.filter(touches).collect();
        let others = match self.fresh(&fork, &candidates, Case::Any) {
            Some(char) => vec![char],
            None => {
                let cases = if self.caller { [Case::Upper, Case::At].as_slice() } else { &[] };
                let fresh = cases.iter().filter_map(|case| self.fresh(&fork, &candidates, *case));
                let next = fork.branches.iter().map(|(char, ..)| *char).filter(|char| !is_touched(&candidates, *char));
                fresh.chain(next).collect()
            }
        };
        candidates.extend(others.into_iter().map(|char| (char, [].as_slice())));
        candidates.sort_unstable_by_key(|(char, _)| rank(*char));
        let tried = self.mentioned.len() + fork.branches.len() + candidates.len().saturating_mul(self.patterns.len());
        states.take(tried)?;
        let advance = |(at, pattern): (&u64, &Automaton)| (at & pattern.ones) << 1 | at & pattern.loops;
        let rest: Vec<u64> = state.positions.iter().zip(&self.patterns).map(advance).collect();
        let next = candidates.into_iter().filter_map(|(char, mentions)| {
            let place = self.place(&fork, char)?;
            let case = state.case.join(self.case(char))?;
            let mut positions = rest.clone();
            for mention in mentions {
                if let (Some(next), Some(at)) = (positions.get_mut(mention.pattern), state.positions.get(mention.pattern)) {
                    *next |= (at & mention.positions) << 1;
                }
            }
            for (pattern, positions) in self.patterns.iter().zip(&mut positions) {
                *positions = pattern.settle(*positions)?;
            }
            Some((char, State { positions, place, case }))
        });
        Ok(next.collect())
    }

    fn fork(&self, place: Place) -> Fork {
        let slice = self.ends.get(place.from..place.to).unwrap_or_default();
        let next = |end: &&str| end.get(place.read..).and_then(|rest| rest.chars().next());
        let mut branches = Vec::new();
        // The ends that are the word itself sort before the longer ones, and have no next character.
        let mut from = slice.partition_point(|end| next(end).is_none());
        while let Some(char) = slice.get(from).and_then(next) {
            let to = from + slice.get(from..).unwrap_or_default().partition_point(|end| next(end) <= Some(char));
            branches.push((char, place.from + from, place.from + to));
            from = to;
        }
        Fork { branches, place }
    }

    /// The place after one more character, `None` if it is settled that every such word is outside.
    fn place(&self, fork: &Fork, char: char) -> Option<Place> {
        match fork.branches.binary_search_by_key(&char, |(next, ..)| *next) {
            Err(gap) => Place::settled(fork.ends_below(gap)),
            Ok(branch) => {
                let (_, from, to) = *fork.branches.get(branch)?;
                let read = fork.place.read + char.len_utf8();
                let goes_on = self.ends.get(to.checked_sub(1)?).is_some_and(|last| last.len() > read);
                if goes_on { Some(Place { from, to, read }) } else { Place::settled(to) }
            }
        }
    }

    /// The character that reads best of those that are not touched, that settle that the word is inside, and that are of this
    /// case.
    fn fresh(&self, fork: &Fork, touched: &[Mentioned<'_>], case: Case) -> Option<char> {
        let is_fresh = |char: &char| {
            let is_next = fork.branches.binary_search_by_key(char, |(next, ..)| *next).is_ok();
            !is_next && self.case(*char) == case && !is_touched(touched, *char)
        };
        let inside = |gap: &usize| Place::settled(fork.ends_below(*gap)).is_some();
        let gaps: Vec<usize> = (0..=fork.branches.len()).filter(inside).collect();
        let in_gap = |char: &char| fork.branches.binary_search_by_key(char, |(next, ..)| *next).is_err_and(|gap| inside(&gap));
        if gaps.is_empty() {
            return None;
        }
        let letter = plain().find(|char| in_gap(char) && is_fresh(char));
        match case {
            Case::At => return Some('@').filter(|char| in_gap(char) && is_fresh(char)),
            Case::Upper => return letter,
            Case::Any if letter.is_some() => return letter,
            Case::Any => {}
        }
        let chars = || gaps.iter().flat_map(|gap| fork.gap(*gap)).filter(is_fresh);
        let wishes: [fn(&char) -> bool; 3] = [is_visible, |char| !char.is_control(), |_| true];
        wishes.into_iter().find_map(|wish| chars().find(wish))
    }

    fn case(&self, char: char) -> Case {
        match char {
            '@' if self.caller => Case::At,
            'A'..='Z' if self.caller => Case::Upper,
            _ => Case::Any,
        }
    }
}

impl Fork {
    /// How many ends are below the words that go on with a character of a gap. The gap of a number is before that branch.
    fn ends_below(&self, gap: usize) -> usize {
        self.branches.get(gap).map_or(self.place.to, |(_, from, _)| *from)
    }

    /// The characters of a gap, and the branches beside it.
    fn gap(&self, gap: usize) -> impl Iterator<Item = char> + use<> {
        let low = gap.checked_sub(1).and_then(|before| self.branches.get(before)).map_or('\0', |(char, ..)| *char);
        let high = self.branches.get(gap).map_or(char::MAX, |(char, ..)| *char);
        low..=high
    }
}

/// Whether a character is one of these, which are in the order of [`rank`].
fn is_touched(touched: &[Mentioned<'_>], char: char) -> bool {
    touched.binary_search_by_key(&rank(char), |(char, _)| rank(*char)).is_ok()
}

/// The word that leads to the last state visited.
fn word(visits: &[Visit]) -> String {
    let way = iter::successors(visits.last(), |visit| visits.get(visit.from?));
    // The first state is where no character has been read.
    let mut chars: Vec<char> = way.filter(|visit| visit.from.is_some()).map(|visit| visit.char).collect();
    chars.reverse();
    chars.into_iter().collect()
}

#[cfg(test)]
#[path = "automaton_tests.rs"]
mod tests;
