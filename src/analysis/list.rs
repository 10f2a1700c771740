//! What a declared list can still be.
//!
//! A positive test says that some element passes. Different tests may be passed by different elements, so each is kept for
//! itself; a negative test is about every element. A list exists if each positive test has an element that the negative ones leave.

use std::sync::Arc;

use super::automaton::States;
use super::formula::Test;
use super::scalar::Scalar;
use super::scalar::Unknown;
use super::values::ValueSet;

/// How many of the elements that there must be are asked whether they pass one more test.
const LOOKED_AT: usize = 64;

/// What a list can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Whether it can be a list, a scalar or absent.
    pub fits: bool,
    /// Whether it can be something that does not fit.
    pub unfit: bool,
    /// Whether, without elements, it can be missing or null. Only what lies inside it tells that from an empty list.
    pub missing: bool,
    /// Whether, without elements, it can be a list.
    pub blank: bool,
    /// What every element can be.
    pub elements: Scalar,
    /// Elements that there must be.
    pub required: Vec<Required>,
    /// The tests that they are there for, in order.
    passed: Vec<Test>,
    /// Whether no element is the id of the caller.
    pub not_me: bool,
}

/// An element that there must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Required {
    /// What it can be.
    pub value: Scalar,
    /// Whether it is the id of the caller.
    pub me: bool,
}

impl List {
    /// Any list, or what does not fit.
    pub fn new() -> Self {
        let elements = Scalar::new(ValueSet::present());
        Self { fits: true, unfit: true, missing: true, blank: true, elements, required: Vec::new(), passed: Vec::new(), not_me: false }
    }

    /// Keeps the lists for which the test comes out as given.
    pub fn meet(&mut self, test: &Test, positive: bool) {
        match (test, positive) {
            (Test::Unfit, true) => self.fits = false,
            (Test::Unfit, false) => {
                self.unfit = false;
                self.settle();
            }
            (Test::Me, false) => self.not_me = true,
            (_, true) => {
                self.unfit = false;
                let me = *test == Test::Me;
                if !me && self.has(test) {
                    return;
                }
                let mut value = self.elements.clone();
                if me {
                    value.only_text();
                } else {
                    value.meet(test, true);
                }
                self.required.push(Required { value, me });
                if let Err(at) = self.passed.binary_search(test) {
                    self.passed.insert(at, test.clone());
                }
            }
            (_, false) => {
                self.elements.meet(test, false);
                for required in &mut self.required {
                    required.value.meet(test, false);
                }
            }
        }
    }

    /// Whether an element that there must be passes for certain. Beyond the tests that are known to be passed, only so many
    /// elements are asked: one more does no harm.
    fn has(&self, test: &Test) -> bool {
        self.passed.binary_search(test).is_ok()
            || self.required.iter().take(LOOKED_AT).any(|required| required.value.status(test) == Some(true))
    }

    /// Leaves one string out of the elements.
    pub fn exclude(&mut self, text: &Arc<str>) {
        self.elements.exclude(text);
        for required in &mut self.required {
            required.value.exclude(text);
        }
    }

    /// Requires an element where nothing else is left.
    pub fn settle(&mut self) {
        if self.fits && !self.unfit && !self.missing && !self.blank && self.required.is_empty() {
            self.required.push(Required { value: self.elements.clone(), me: false });
        }
    }

    /// Makes it empty: absent, or a list without elements.
    pub fn keep_absent(&mut self) {
        self.elements = Scalar::new(ValueSet::none());
        for required in &mut self.required {
            required.value = Scalar::new(ValueSet::none());
        }
    }

    /// Whether it can be missing or null.
    pub fn may_be_missing(&self) -> bool {
        self.fits && self.required.is_empty() && self.missing
    }

    /// Whether it can be a list without elements.
    pub fn may_be_blank(&self) -> bool {
        self.fits && self.required.is_empty() && self.blank
    }

    /// Whether it can have elements.
    pub fn may_be_present(&self) -> bool {
        self.fits && self.elements.values.may_be_present()
    }

    /// Whether nothing is left; exact.
    pub fn is_empty(&self, states: &mut States) -> Result<bool, Unknown> {
        if self.unfit {
            return Ok(false);
        }
        if !self.fits {
            return Ok(true);
        }
        for required in &self.required {
            if required.me && self.not_me || required.value.is_empty(states)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the test comes out the same for everything that is left; `None` if it does not, or if that is not plain to see.
    pub fn status(&self, test: &Test) -> Option<bool> {
        match test {
            Test::Unfit => match (self.fits, self.unfit) {
                (true, true) => None,
                (_, unfit) => Some(unfit),
            },
            _ if !self.fits => Some(false),
            Test::Me if self.not_me => Some(false),
            Test::Me => self.required.iter().any(|required| required.me).then_some(true),
            _ if self.has(test) => Some(true),
            _ if self.elements.status(test) == Some(false) => Some(false),
            _ => None,
        }
    }
}
