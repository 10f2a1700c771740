//! What one value can still be: a set of the closed theory, and what its strings must match beyond that.
//!
//! While the strings are finitely many, every test is applied to each of them at once and nothing needs to be kept. Otherwise
//! patterns are kept and decided together by an automaton, and addresses as ranges, with an automaton of their spellings. Regular
//! expressions are opaque: a string that is found is tried on them, and if none of a few fits the answer is that it is not known.

use std::sync::Arc;

use super::automaton;
use super::automaton::States;
use super::automaton::Words;
use super::formula::Test;
use super::interval::Intervals;
use super::spelling::spelling;
use super::values::ValueSet;
use crate::condition::LikeElement;
use crate::condition::LikePattern;
use crate::condition::RegexPattern;
use crate::condition::address_number;
use crate::condition::address_spellings;
use crate::condition::parse_address;

/// How many strings are tried on what is opaque.
const TRIED: usize = 32;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The budget is spent.
    Spent,
    /// Something opaque is in the way.
    Opaque,
}

impl From<automaton::Spent> for Unknown {
    fn from(_: automaton::Spent) -> Self {
        Self::Spent
    }
}

/// What one value can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The values, before the strings among them are filtered.
    pub values: ValueSet,
    filters: Option<Box<Filters>>,
}

/// What the strings must match; all of it. The patterns are in order, so that equal filters are known to be equal.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Filters {
    like: Vec<(LikePattern, bool)>,
    matches: Vec<(RegexPattern, bool)>,
    /// The addresses that a string may spell.
    addresses: Intervals<u128>,
    /// Whether a string may be no address.
    plain: bool,
    /// Whether it is the id of a caller.
    caller: bool,
}

impl Filters {
    fn none() -> Self {
        Self { like: Vec::new(), matches: Vec::new(), addresses: Intervals::all(), plain: true, caller: false }
    }

    fn let_pass(&self, text: &str) -> bool {
        (!self.caller || is_caller(text))
            && self.like.iter().all(|(pattern, positive)| pattern.is_match(text) == *positive)
            && self.matches.iter().all(|(pattern, positive)| pattern.is_match(text) == *positive)
            && match parse_address(text) {
                _ if self.plain && self.addresses.is_all() => true,
                Some(address) => self.addresses.contains(&address_number(address)),
                None => self.plain,
            }
    }

    /// Whether they are one pattern that some string surely passes: every pattern matches some string, and one that takes a character does
    /// not match the empty string.
    fn surely_let_some_pass(&self) -> bool {
        let [(pattern, positive)] = self.like.as_slice() else { return false };
        let is_alone = self.matches.is_empty() && self.plain && self.addresses.is_all() && !self.caller;
        is_alone && (*positive || pattern.elements().iter().any(|element| *element != LikeElement::Run))
    }

    fn join(&mut self, with: &Self) {
        with.like.iter().for_each(|like| insert(&mut self.like, like.clone()));
        with.matches.iter().for_each(|matches| insert(&mut self.matches, matches.clone()));
        self.addresses = self.addresses.intersect(&with.addresses);
        self.plain &= with.plain;
        self.caller |= with.caller;
    }
}

/// Whether a text is the id of some caller as it is compared.
fn is_caller(text: &str) -> bool {
    !(text.is_empty() || text.contains('@') && text.contains(|char: char| char.is_ascii_uppercase()))
}

impl Scalar {
    /// Any of some values.
    pub fn new(values: ValueSet) -> Self {
        Self { values, filters: None }
    }

    /// Any id of a caller out of some values.
    pub fn caller(values: ValueSet) -> Self {
        let mut scalar = Self { values, filters: Some(Box::new(Filters { caller: true, ..Filters::none() })) };
        scalar.settle();
        scalar
    }

    /// Keeps the values for which the test comes out as given.
    pub fn meet(&mut self, test: &Test, positive: bool) {
        match test {
            Test::Values(set) => {
                self.values = if positive { self.values.intersect(set) } else { self.values.intersect(&set.clone().complement()) };
            }
            Test::Unfit => self.values.other &= positive,
            _ => {
                if positive {
                    self.only_text();
                }
                let mut filters = self.filters.take().map_or_else(Filters::none, |filters| *filters);
                match test {
                    Test::Like(pattern) => insert(&mut filters.like, (pattern.clone(), positive)),
                    Test::Matches(pattern) => insert(&mut filters.matches, (pattern.clone(), positive)),
                    Test::Addresses(ranges) if positive => {
                        filters.addresses = filters.addresses.intersect(ranges);
                        filters.plain = false;
                    }
                    Test::Addresses(ranges) => filters.addresses = filters.addresses.intersect(&ranges.clone().complement()),
                    Test::Values(_) | Test::Unfit | Test::Me => {}
                }
                self.filters = Some(Box::new(filters));
            }
        }
        self.settle();
    }

    /// Whether it is plain to see that there is something that it can be.
    pub fn is_plain(&self) -> bool {
        match &self.filters {
            None => !self.values.is_empty(),
            Some(filters) => self.values.texts.is_all() && filters.surely_let_some_pass(),
        }
    }

    /// Whether it can be anything.
    pub fn is_free(&self) -> bool {
        self.filters.is_none() && self.values.is_all()
    }

    /// Keeps only strings.
    pub fn only_text(&mut self) {
        self.values = ValueSet::texts(std::mem::replace(&mut self.values.texts, Intervals::none()));
    }

    /// Keeps what the other can be too.
    pub fn join(&mut self, with: &Self) {
        self.values = self.values.intersect(&with.values);
        if let Some(theirs) = &with.filters {
            let mut filters = self.filters.take().map_or_else(Filters::none, |filters| *filters);
            filters.join(theirs);
            self.filters = Some(Box::new(filters));
        }
        self.settle();
    }

    /// Leaves one string out.
    pub fn exclude(&mut self, text: &Arc<str>) {
        self.values.texts = self.values.texts.intersect(&Intervals::one(text).complement());
        self.settle();
    }

    /// Applies the filters to strings that are finitely many, and forgets them.
    fn settle(&mut self) {
        let Some(filters) = &self.filters else { return };
        if filters.addresses.is_empty() && !filters.plain || self.values.texts.is_empty() {
            self.values.texts = Intervals::none();
            self.filters = None;
            return;
        }
        let texts: Option<Vec<&Arc<str>>> = self.values.texts.singles().collect();
        let Some(texts) = texts else { return };
        let passing = texts.into_iter().filter(|text| filters.let_pass(text));
        self.values.texts = Intervals::these(passing.cloned().collect());
        self.filters = None;
    }

    /// Whether nothing is left; exact.
    pub fn is_empty(&self, states: &mut States) -> Result<bool, Unknown> {
        if self.values.is_empty() {
            return Ok(true);
        }
        if self.filters.is_none() || !self.values.is_text() || self.is_plain() {
            return Ok(false);
        }
        Ok(self.text(states)?.is_none())
    }

    /// The string that is left, if it is the only value.
    pub fn single(&self) -> Option<&Arc<str>> {
        if self.filters.is_none() && self.values.is_text() { self.values.texts.single() } else { None }
    }

    /// Whether the test comes out the same for everything that is left; `None` if it does not, or if that is not plain to see.
    pub fn status(&self, test: &Test) -> Option<bool> {
        if let Test::Values(set) = test {
            return if self.values.is_disjoint(set) {
                Some(false)
            } else if self.values.is_subset(set) {
                Some(true)
            } else {
                None
            };
        }
        if *test == Test::Unfit {
            return if !self.values.other { Some(false) } else { (self.values == ValueSet::other()).then_some(true) };
        }
        if self.values.texts.is_empty() {
            return Some(false);
        }
        match &self.filters {
            None => {
                let mut outcomes = self.values.texts.singles().map(|text| text_holds(test, text?));
                let first = outcomes.next()??;
                let same = outcomes.all(|outcome| outcome == Some(first)) && (!first || self.values.is_text());
                same.then_some(first)
            }
            Some(filters) => {
                let known = match test {
                    Test::Like(pattern) => filters.like.iter().find(|(known, _)| known == pattern).map(|(_, positive)| *positive),
                    Test::Matches(pattern) => filters.matches.iter().find(|(known, _)| known == pattern).map(|(_, positive)| *positive),
                    Test::Addresses(ranges) if filters.addresses.is_disjoint(ranges) => Some(false),
                    Test::Addresses(ranges) if !filters.plain && filters.addresses.is_subset(ranges) => Some(true),
                    _ => None,
                };
                known.filter(|holds| !holds || self.values.is_text())
            }
        }
    }

    /// Whether a string is still possible.
    pub fn allows(&self, text: &str) -> bool {
        self.values.texts.contains(&text.into()) && self.filters.as_ref().is_none_or(|filters| filters.let_pass(text))
    }

    /// Some string that is still possible, short and readable.
    pub fn text(&self, states: &mut States) -> Result<Option<String>, Unknown> {
        let Some(filters) = &self.filters else {
            let words = Words { ranges: &self.values.texts.ranges(), like: &[], caller: false };
            return Ok(automaton::shortest(&words, states)?);
        };
        let addresses = !filters.plain || !filters.addresses.is_all();
        if !filters.plain {
            return self.address(filters, states);
        }
        if let Some(found) = self.sample(filters, states)? {
            return Ok(Some(found));
        }
        // What is opaque is tried on one word after the other.
        let mut texts = self.values.texts.clone();
        for _ in 0..TRIED {
            let words = Words { ranges: &texts.ranges(), like: &filters.like, caller: filters.caller };
            let Some(word) = automaton::shortest(&words, states)? else {
                // Words were left out only because something opaque refused each of them.
                return Ok(None);
            };
            if filters.let_pass(&word) {
                return Ok(Some(word));
            }
            if !addresses && filters.matches.is_empty() {
                return Ok(None);
            }
            texts = texts.intersect(&Intervals::one(&word.into()).complement());
        }
        self.address(filters, states)?.map(Some).ok_or(Unknown::Opaque)
    }

    /// A string made of what each regular expression asks for, and of what is possible without them.
    fn sample(&self, filters: &Filters, states: &mut States) -> Result<Option<String>, Unknown> {
        let fitting = filters.matches.iter().filter(|(_, positive)| *positive).flat_map(|(pattern, _)| pattern.samples());
        let mut samples: Vec<String> = fitting.take(TRIED).collect();
        if samples.is_empty() {
            return Ok(None);
        }
        if let Some(found) = samples.iter().find(|text| self.allows(text)) {
            return Ok(Some(found.clone()));
        }
        let words = Words { ranges: &self.values.texts.ranges(), like: &filters.like, caller: filters.caller };
        samples.extend(automaton::shortest(&words, states)?);
        let pairs = samples.iter().flat_map(|one| samples.iter().map(move |two| [one.as_str(), two].concat()));
        Ok(pairs.into_iter().find(|text| self.allows(text)))
    }

    /// A spelling of an address that may be: a usual one where that will do.
    fn address(&self, filters: &Filters, states: &mut States) -> Result<Option<String>, Unknown> {
        let numbers = filters.addresses.ranges().into_iter().take(TRIED).flat_map(|(first, end)| {
            let last = end.map_or(u128::MAX, |end| end.saturating_sub(1));
            [first.saturating_add(1).min(last), first, last]
        });
        if let Some(found) = numbers.flat_map(address_spellings).find(|text| self.allows(text)) {
            return Ok(Some(found));
        }
        match spelling(&filters.addresses, &self.values.texts.ranges(), &filters.like, states)? {
            Some(found) if !filters.let_pass(&found) => Err(Unknown::Opaque),
            found => Ok(found),
        }
    }
}

fn insert<T: Ord>(list: &mut Vec<T>, item: T) {
    if let Err(at) = list.binary_search(&item) {
        list.insert(at, item);
    }
}

/// Whether a string passes a test of strings.
fn text_holds(test: &Test, text: &str) -> Option<bool> {
    Some(match test {
        Test::Values(set) => set.texts.contains(&text.into()),
        Test::Like(pattern) => pattern.is_match(text),
        Test::Matches(pattern) => pattern.is_match(text),
        Test::Addresses(ranges) => parse_address(text).is_some_and(|address| ranges.contains(&address_number(address))),
        Test::Me | Test::Unfit => return None,
    })
}
