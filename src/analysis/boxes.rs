//! Regions that can be read off a formula, where nothing has to be searched for.
//!
//! Most conditions ask one thing of each of some attributes, some of it as alternatives: `project = 'x' and (price < 3 or name like '%y')`.
//! Beside what is asked of an attribute in any case, such as that its value fits, each attribute is then tested once. So a formula of
//! this kind grows with what its tests say, and each test can come out either way whatever the others do. Its largest boxes are
//! those of its ways to hold: one alternative for each choice. None of them is covered by the others, because where just its own tests hold
//! no other box is met, and no two differ in one attribute alone, so that none are made one. These are the boxes that a
//! [search](super::region) comes to.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::formula::Formula;
use super::formula::Literal;
use super::formula::Test;
use super::prepared::Caller;
use super::question::Analysis;
use super::region::BOXES;
use super::region::Region;
use super::region::Requirements;
use super::search::Goal;
use super::values::ValueSet;
use super::vocabulary::AttributeId;
use crate::condition::LikeElement;

/// What is asked of attributes in any case, by sets of values.
type Fixed<'a> = BTreeMap<AttributeId, (&'a Literal, &'a ValueSet)>;

/// Tests of which all have to hold.
type Way<'a> = Vec<&'a Literal>;

impl Analysis {
    /// The regions of a formula that tests each of some attributes once, beside what it asks of them in any case, if these do not hang
    /// together; `None` of any other.
    pub(super) fn apparent_regions(&self, caller: &Caller, whole: &Formula) -> Option<Vec<Region>> {
        let facts = caller.facts(&self.vocabulary);
        let is_me = matches!(&facts, Formula::Literal(literal) if literal.attribute == AttributeId::ME);
        let is_somebody = || self.meets(&[Goal::yes(&facts)]).yes().is_some();
        // What is known of the caller must not touch what is asked.
        if !(facts.is_always() || is_me && is_somebody()) {
            return None;
        }
        let parts = whole.conjuncts();
        let mut fixed = Fixed::new();
        for literal in parts.iter().filter_map(literal) {
            if let Test::Values(set) = &*literal.test
                && (!self.is_free(literal, set) || fixed.insert(literal.attribute, (literal, set)).is_some())
            {
                return None;
            }
        }
        let rest = parts.iter().filter(|part| !literal(part).is_some_and(|literal| matches!(&*literal.test, Test::Values(_))));
        let ways = self.every(rest, &fixed, &mut BTreeSet::new())?;
        let mut regions: Vec<Region> = ways.iter().map(|way| self.region(&requirements(way, &fixed))).collect();
        regions.sort();
        Some(regions)
    }

    /// Whether a literal says something of an attribute that can be anything else besides, and leaves something.
    fn is_free(&self, literal: &Literal, set: &ValueSet) -> bool {
        let base = self.vocabulary.base(literal.attribute);
        let is_header = [AttributeId::ACTION, AttributeId::SERVICE, AttributeId::SOURCE].contains(&literal.attribute) && set.is_text();
        let is_free = literal.positive && (is_header || self.vocabulary.is_plain(literal.attribute));
        is_free && !base.is_disjoint(set) && !base.is_subset(set)
    }

    /// The ways in which a formula holds whose attributes have not been met yet; `None` if it is another kind of formula.
    fn ways<'a>(&self, formula: &'a Formula, fixed: &Fixed<'_>, met: &mut BTreeSet<AttributeId>) -> Option<Vec<Way<'a>>> {
        match formula {
            Formula::Literal(literal) => {
                let is_new = met.insert(literal.attribute) && self.vocabulary.is_plain(literal.attribute);
                (is_new && can_differ(literal, fixed)).then(|| vec![vec![literal]])
            }
            Formula::All(parts) => self.every(parts.iter(), fixed, met),
            Formula::Any(parts) => {
                let mut ways = Vec::new();
                for part in parts.iter() {
                    ways.extend(self.ways(part, fixed, met)?);
                }
                (ways.len() <= BOXES).then_some(ways)
            }
            Formula::Not(_) => None,
        }
    }

    /// The ways in which all of some formulas hold.
    fn every<'a>(
        &self,
        parts: impl Iterator<Item = &'a Formula>,
        fixed: &Fixed<'_>,
        met: &mut BTreeSet<AttributeId>,
    ) -> Option<Vec<Way<'a>>> {
        let mut ways: Vec<Way<'a>> = vec![Vec::new()];
        for part in parts {
            let more = self.ways(part, fixed, met)?;
            if ways.len() * more.len() > BOXES {
                return None;
            }
            ways = ways.iter().flat_map(|way| more.iter().map(move |more| [way.as_slice(), more].concat())).collect();
        }
        Some(ways)
    }
}

fn literal(formula: &Formula) -> Option<&Literal> {
    if let Formula::Literal(literal) = formula { Some(literal) } else { None }
}

/// Whether a test can come out either way for what is asked of its attribute in any case.
fn can_differ(literal: &Literal, fixed: &Fixed<'_>) -> bool {
    let fixed = fixed.get(&literal.attribute).map(|(_, set)| *set);
    match &*literal.test {
        Test::Values(set) if literal.positive => match fixed {
            Some(fixed) => !fixed.is_disjoint(set) && !fixed.is_subset(set),
            None => !set.is_empty() && !set.is_all(),
        },
        // Some string matches every pattern, and one that takes a character does not match the empty string.
        Test::Like(pattern) => {
            fixed.is_none_or(|fixed| fixed.texts.is_all()) && pattern.elements().iter().any(|element| *element != LikeElement::Run)
        }
        _ => false,
    }
}

/// What a box asks for that is one way to hold. What is asked in any case is left out where the test asks for no more than a part of it.
fn requirements(way: &Way<'_>, fixed: &Fixed<'_>) -> Requirements {
    let mut requirements: Requirements = fixed.iter().map(|(&attribute, (literal, _))| (attribute, vec![(*literal).clone()])).collect();
    for &literal in way {
        let asked = requirements.entry(literal.attribute).or_default();
        match (&*literal.test, fixed.get(&literal.attribute)) {
            (Test::Values(set), Some((_, fixed))) => {
                *asked = vec![Literal { test: Test::Values(fixed.intersect(set)).into(), ..literal.clone() }];
            }
            (Test::Like(_), Some(_)) if !literal.positive => asked.push(literal.clone()),
            _ => *asked = vec![literal.clone()],
        }
    }
    requirements
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::sample::statement;
    use crate::policy::Effect;

    /// The regions of two conditions together, read off and searched for.
    fn regions(one: &str, two: &str) -> (Option<Vec<Region>>, Vec<Region>) {
        let statements = [
            statement("G", Effect::Allow, &format!("read, run | r | s | g | {one}")),
            statement("D", Effect::Deny, &format!("read, run | r | s | g | {two}")),
        ];
        let analysis = Analysis::new(&[&statements]);
        let [grant, denial] = analysis.sides[0].statements.as_slice() else { panic!("two statements") };
        let caller = Caller::default();
        let rest = |holds: &Formula, fits: &Formula| {
            let about = grant.about();
            let header = [&about.actions, &about.service, &about.source];
            let parts = header.into_iter().chain([&grant.said.applies, holds, fits]).cloned();
            Formula::all(parts, &analysis.vocabulary)
        };
        let found = analysis.regions(&caller, &rest(&denial.said.applies, &denial.said.fits)).0;
        let read_off = analysis.apparent_regions(&caller, &rest(&denial.said.holds, &denial.said.fits));
        (read_off, found.into_iter().map(|(region, _)| region).collect())
    }

    #[track_caller]
    fn check(one: &str, two: &str, expected: Option<usize>) {
        let (read_off, found) = regions(one, two);
        assert_eq!(read_off.as_ref().map(Vec::len), expected, "{one} / {two}");
        assert_eq!(read_off.unwrap_or_else(|| found.clone()), found, "{one} / {two}");
    }

    #[test]
    fn what_tests_each_attribute_once_is_read_off() {
        check("a = 1", "b = 2", Some(1));
        check("a = 1", "b < 2 or c like '%x'", Some(2));
        check("a = 1 or b = 2", "c < 2 or not (d like '%x' and e != 'y')", Some(6));
        check("a like '_x%'", "b = 1 and (c like '%x' or (d = true and e = null))", Some(2));
        check("a = 1 or (b = 2 and (c = 3 or d = 4))", "e in cidr ('10.0.0.0/8')", None);
        check("a = 1 or (b = 2 and (c = 3 or d = 4))", "not (e = 'x' or f > 3)", Some(3));
        check("a = 1", "a = 1 or b = 2", None);
        check("a < 5", "a > 3 or b = 2", Some(2));
        check("a like '%x'", "a = 'yx' or b = 1", None);
        check("a = {me}", "b = 1", None);
        check("a.b = 1", "a = 1 or b = 1", None);
    }

    const TESTS: &[&str] = &[
        "X = 1",
        "X != 'y'",
        "X in (1, 'b')",
        "X not in (true, 'b')",
        "X like '%x'",
        "X like 'x%'",
        "not (X like '_y%')",
        "X > 3",
        "not (X <= 'm')",
        "exists X",
        "X = null",
    ];

    /// Conditions that mostly test each attribute once.
    fn condition(names: &'static [&'static str]) -> impl Strategy<Value = String> {
        let test = (0..TESTS.len(), 0..20_usize);
        let joined = |(test, twice): (usize, usize), at: usize| TESTS[test].replace('X', names[if twice == 0 { 0 } else { at }]);
        let parts = prop::collection::vec((test, any::<bool>(), any::<bool>(), 0..5_usize), 1..=names.len());
        parts.prop_map(move |parts| {
            let mut texts: Vec<String> = parts.iter().enumerate().map(|(at, (test, ..))| joined(*test, at)).collect();
            for (_, all, not, at) in &parts {
                let at = at % texts.len();
                if at + 1 < texts.len() {
                    let two = texts.remove(at + 1);
                    let (not, word) = (if *not { "not " } else { "" }, if *all { "and" } else { "or" });
                    texts[at] = format!("{not}({} {word} {two})", texts[at]);
                }
            }
            texts.join(" and ")
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        /// What is read off is what a search comes to.
        #[test]
        fn a_search_comes_to_the_same(one in condition(&["a", "b", "c", "d"]), two in condition(&["e", "f", "g", "a"])) {
            let (read_off, found) = regions(&one, &two);
            if let Some(read_off) = read_off {
                prop_assert_eq!(read_off, found, "{} / {}", one, two);
            }
        }
    }
}
