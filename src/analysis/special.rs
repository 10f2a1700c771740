//! Terms that other parts of the request settle.
//!
//! `{context.source}` is the source, and can be left out only where the source is the usual one. `{context.after}` is taken out of
//! an `update` before any condition is read. `{me.groups}` is the list of the caller's groups. What a condition says of the first
//! two is said of the source and of the action instead, so that nothing has to be kept up later; what it says of the groups
//! depends on who asks, and is added to the question. Conditions without such terms cost nothing.

use super::formula::Formula;
use super::formula::Literal;
use super::formula::Test;
use super::prepared::Caller;
use super::values::ValueSet;
use super::vocabulary::Attribute;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;
use crate::condition::Path;
use crate::condition::Term;
use crate::decision::DEFAULT_SOURCE;

/// A term that something else settles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// `{context.source}`, which is a string or absent.
    Source,
    /// What lies inside it: nothing, and where there is a source it is in the way.
    InsideSource,
    /// `{context.after}`, or what lies inside it.
    After,
    /// `{me.groups}`, where it is not declared to be a list.
    Groups,
}

impl Special {
    /// Whether a value that is there never fits.
    pub fn never_fits(self) -> bool {
        matches!(self, Self::Groups | Self::InsideSource)
    }

    /// What a term is, if it is special.
    pub fn of(term: &Term, list: bool) -> Option<Self> {
        match term {
            Term::Context(path) => match path.names() {
                [source] if source == "source" => Some(Self::Source),
                [source, ..] if source == "source" => Some(Self::InsideSource),
                [after, ..] if after == "after" => Some(Self::After),
                _ => None,
            },
            Term::Caller(path) if !list && path.names() == ["groups"] => Some(Self::Groups),
            Term::Me | Term::Document(_) | Term::Caller(_) | Term::Action(_) => None,
        }
    }
}

/// Whether a term says who the caller is, or which groups the caller is in.
pub fn is_who(term: &Term) -> bool {
    match term {
        Term::Me => true,
        Term::Caller(path) => path.names().first().is_some_and(|name| name == "groups"),
        Term::Document(_) | Term::Action(_) | Term::Context(_) => false,
    }
}

/// Gives a number to what is said instead of a term.
pub fn number(term: &Term, list: bool, vocabulary: &mut Vocabulary) {
    match Special::of(term, list) {
        None | Some(Special::Groups | Special::After) => vocabulary.term(term, list),
        Some(Special::Source | Special::InsideSource) => vocabulary.term(&Term::Context(Path::single("source")), false),
    };
}

/// That the value of a term, or some element of it, passes a test.
pub fn passes(term: &Term, list: bool, test: Test, vocabulary: &mut Vocabulary) -> Formula {
    match Special::of(term, list) {
        None | Some(Special::Groups) => plain(vocabulary.term(term, list), test, vocabulary),
        Some(Special::Source) => {
            let (left_out, given) = source(vocabulary);
            let (absent, passes) = match test {
                Test::Values(ValueSet { absent, texts, .. }) => (absent, Formula::values(AttributeId::SOURCE, ValueSet::texts(texts))),
                Test::Unfit => return Formula::never(),
                other => (false, plain(AttributeId::SOURCE, other, vocabulary)),
            };
            let absent = if absent { left_out } else { Formula::never() };
            Formula::any([absent, Formula::all([given, passes], vocabulary)], vocabulary)
        }
        Some(Special::InsideSource) => {
            let (left_out, given) = source(vocabulary);
            let (absent, unfit) = match test {
                Test::Values(set) => (set.absent, set.other),
                other => (false, other == Test::Unfit),
            };
            let parts = [(absent, left_out), (unfit, given)];
            Formula::any(parts.into_iter().filter(|(may, _)| *may).map(|(_, formula)| formula), vocabulary)
        }
        Some(Special::After) => {
            let absent = matches!(&test, Test::Values(set) if set.absent);
            let kept = Formula::all([not_taken_out(vocabulary), plain(vocabulary.term(term, list), test, vocabulary)], vocabulary);
            let taken_out = if absent { not_taken_out(vocabulary).negate(vocabulary) } else { Formula::never() };
            Formula::any([taken_out, kept], vocabulary)
        }
    }
}

/// That a comparison of terms, which is true as the formula says, is not false because one of them is absent.
pub fn compared(terms: [&Term; 2], holds: Formula, vocabulary: &mut Vocabulary) -> Formula {
    let mut parts = vec![holds];
    for term in terms {
        match Special::of(term, false) {
            None | Some(Special::Groups) => {}
            Some(Special::Source) => parts.push(source(vocabulary).1),
            Some(Special::InsideSource) => return Formula::never(),
            Some(Special::After) => parts.push(not_taken_out(vocabulary)),
        }
    }
    Formula::all(parts, vocabulary)
}

/// What the groups of a caller say of `{me.groups}`.
pub fn groups(caller: &Caller, vocabulary: &Vocabulary) -> Formula {
    let term = Term::Caller(Path::single("groups"));
    // Of a caller that is known, all facts are.
    if caller.facts.is_some() {
        return Formula::always();
    }
    let open = || {
        vocabulary.iter().filter(|_| !caller.exact && vocabulary.has_groups()).filter_map(|(id, attribute)| match attribute {
            Attribute::Group(name) if !caller.groups.contains(name) => Some((id, name)),
            _ => None,
        })
    };
    let is_in = |group| Formula::values(group, ValueSet::bool(true));
    let mut parts = Vec::new();
    if let Some(id) = vocabulary.fact(&term, false) {
        let there = Formula::values(id, ValueSet::other());
        match caller.groups.is_empty() {
            true => parts.extend(open().map(|(group, _)| Formula::any([is_in(group).negate(vocabulary), there.clone()], vocabulary))),
            false => parts.push(there),
        }
    }
    if let Some(id) = vocabulary.fact(&term, true) {
        let some = |set, positive| Formula::Literal(Literal { attribute: id, test: Test::Values(set).into(), positive });
        let others = |set: &ValueSet| ValueSet::present().intersect(&set.clone().complement());
        let own = ValueSet::words(caller.groups.iter().map(|group| &**group));
        let any_text = ValueSet::texts(super::interval::Intervals::all());
        parts.push(Formula::unfit(id, vocabulary).negate(vocabulary));
        parts.push(some(others(if caller.exact { &own } else { &any_text }), false));
        parts.extend(caller.groups.iter().map(|group| some(ValueSet::words([&**group]), true)));
        for (group, name) in open() {
            let (named, is_in) = (some(ValueSet::words([&**name]), true), is_in(group));
            let both = Formula::all([named.clone(), is_in.clone()], vocabulary);
            let neither = Formula::all([named.negate(vocabulary), is_in.negate(vocabulary)], vocabulary);
            parts.push(Formula::any([both, neither], vocabulary));
        }
    }
    Formula::all(parts, vocabulary)
}

/// That an attribute passes a test, whatever else is known.
pub fn plain(attribute: AttributeId, test: Test, vocabulary: &Vocabulary) -> Formula {
    match test {
        Test::Values(set) if set.is_empty() => Formula::never(),
        Test::Values(set) if !vocabulary.is_list(attribute) => Formula::values(attribute, set),
        Test::Unfit => Formula::unfit(attribute, vocabulary),
        test => Formula::Literal(Literal { attribute, test: test.into(), positive: true }),
    }
}

/// That the request leaves the source out, and that it gives it. The attribute of the term says only whether it would be left out.
fn source(vocabulary: &mut Vocabulary) -> (Formula, Formula) {
    let silent = Formula::values(vocabulary.term(&Term::Context(Path::single("source")), false), ValueSet::absent());
    let usual = Formula::values(AttributeId::SOURCE, ValueSet::words([DEFAULT_SOURCE]));
    let given = Formula::any([silent.clone().negate(vocabulary), usual.clone().negate(vocabulary)], vocabulary);
    (Formula::all([silent, usual], vocabulary), given)
}

/// That the action is none of which the document after the change is taken out of the context.
fn not_taken_out(vocabulary: &Vocabulary) -> Formula {
    Formula::values(AttributeId::ACTION, ValueSet::words(["update"])).negate(vocabulary)
}
