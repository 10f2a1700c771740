//! Formulas over attributes, and how conditions become formulas.
//!
//! A literal says that the value of an attribute is in a set. Sets that the [closed theory](super::values) can describe are
//! joined as soon as two literals of one attribute meet in a conjunction or a disjunction, so that `x != 'a' or x != 'b'`
//! is found to be true while it is built. Of a list, a literal says that some element is in the set, and such literals
//! are joined in disjunctions only.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::sync::Arc;

use super::interval::Intervals;
use super::special;
use super::values::ValueSet;
use super::vocabulary::Attribute;
use super::vocabulary::AttributeId;
use super::vocabulary::Vocabulary;
use crate::condition::Atom;
use crate::condition::CompareOp;
use crate::condition::Condition;
use crate::condition::Expr;
use crate::condition::LikePattern;
use crate::condition::Literal as Constant;
use crate::condition::Network;
use crate::condition::Operand;
use crate::condition::RegexPattern;
use crate::condition::Term;
use crate::policy::Effect;

/// What a literal says of a value, or of some element of a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Test {
    /// It is in the set. Of an attribute that is no list this can say everything, also that it is absent; of an element
    /// of a list only what is present.
    Values(ValueSet),
    /// It is a string that matches the pattern, which is neither a constant nor a prefix.
    Like(LikePattern),
    /// It is an address in the ranges.
    Addresses(Intervals<u128>),
    /// It is a string that the regular expression fits.
    Matches(RegexPattern),
    /// It is the id of the caller.
    Me,
    /// It does not fit; of a list, the whole.
    Unfit,
}

/// A test of an attribute, or its complement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Literal {
    /// The attribute.
    pub attribute: AttributeId,
    /// The test.
    pub test: Arc<Test>,
    /// Whether the test holds.
    pub positive: bool,
}

/// A formula.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Formula {
    /// A literal.
    Literal(Literal),
    /// All hold.
    All(Arc<[Formula]>),
    /// Some holds.
    Any(Arc<[Formula]>),
    /// It does not hold.
    Not(Arc<Formula>),
}

/// What the condition of a statement comes to.
#[derive(Debug)]
pub struct Parts {
    /// What the condition says, whatever of a value that does not fit.
    pub holds: Formula,
    /// When it lets the statement apply.
    pub applies: Formula,
    /// That everything fits which it reads.
    pub fits: Formula,
}

impl Formula {
    /// What always holds.
    pub fn always() -> Self {
        Self::All(Arc::new([]))
    }

    /// What never holds.
    pub fn never() -> Self {
        Self::Any(Arc::new([]))
    }

    /// Whether it is the formula that always holds. A formula of another form may always hold too.
    pub fn is_always(&self) -> bool {
        matches!(self, Self::All(parts) if parts.is_empty())
    }

    /// Whether it is the formula that never holds.
    pub fn is_never(&self) -> bool {
        matches!(self, Self::Any(parts) if parts.is_empty())
    }

    /// That an attribute which is no list has a value of a set.
    pub fn values(attribute: AttributeId, set: ValueSet) -> Self {
        if set.is_empty() {
            return Self::never();
        }
        if set.is_all() {
            return Self::always();
        }
        Self::Literal(Literal { attribute, test: Arc::new(Test::Values(set)), positive: true })
    }

    /// That the value of an attribute does not fit.
    pub fn unfit(attribute: AttributeId, vocabulary: &Vocabulary) -> Self {
        match vocabulary.is_list(attribute) {
            true => Self::Literal(Literal { attribute, test: Arc::new(Test::Unfit), positive: true }),
            false => Self::values(attribute, ValueSet::other()),
        }
    }

    /// The complement.
    pub fn negate(self, vocabulary: &Vocabulary) -> Self {
        match self {
            Self::Literal(Literal { attribute, test, positive }) => match &*test {
                Test::Values(set) if positive && !vocabulary.is_list(attribute) => Self::values(attribute, set.complement()),
                _ => Self::Literal(Literal { attribute, test, positive: !positive }),
            },
            Self::Not(inner) => (*inner).clone(),
            always if always.is_always() => Self::never(),
            never if never.is_never() => Self::always(),
            other => Self::Not(Arc::new(other)),
        }
    }

    /// The conjunction.
    pub fn all(parts: impl IntoIterator<Item = Self>, vocabulary: &Vocabulary) -> Self {
        Joined::new(vocabulary, true).join(parts)
    }

    /// The disjunction.
    pub fn any(parts: impl IntoIterator<Item = Self>, vocabulary: &Vocabulary) -> Self {
        Joined::new(vocabulary, false).join(parts)
    }

    /// Calls `visit` with every literal.
    pub fn each_literal<'a>(&'a self, visit: &mut impl FnMut(&'a Literal)) {
        match self {
            Self::Literal(literal) => visit(literal),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.each_literal(visit)),
            Self::Not(part) => part.each_literal(visit),
        }
    }

    /// What a condition says, whatever of a value that does not fit.
    pub fn of_condition(condition: &Condition, vocabulary: &mut Vocabulary) -> Self {
        Self::of_part(condition.expr(), condition, vocabulary)
    }

    /// What a part of a condition says. It reads nothing that the condition does not read.
    pub fn of_part(part: &Expr, condition: &Condition, vocabulary: &mut Vocabulary) -> Self {
        Reader { condition, vocabulary }.expr(part, true)
    }

    /// That everything a condition reads has a value that fits.
    pub fn fits(condition: &Condition, vocabulary: &mut Vocabulary) -> Self {
        let unfit = Self::each_unfit(condition, vocabulary);
        Self::none(unfit.into_iter(), vocabulary)
    }

    /// When the condition of a statement lets it apply: a grant whose condition reads a value that does not fit does not
    /// apply, a denial does.
    pub fn of_statement(condition: &Condition, effect: Effect, vocabulary: &mut Vocabulary) -> Self {
        Self::parts_of_statement(condition, effect, vocabulary).applies
    }

    /// The same, with what it is made of.
    pub fn parts_of_statement(condition: &Condition, effect: Effect, vocabulary: &mut Vocabulary) -> Parts {
        let holds = Self::of_condition(condition, vocabulary);
        let unfit = Self::each_unfit(condition, vocabulary);
        let fits = Self::none(unfit.iter().cloned(), vocabulary);
        let applies = match effect {
            Effect::Allow => Self::all([holds.clone(), fits.clone()], vocabulary),
            Effect::Deny => Self::any(std::iter::once(holds.clone()).chain(unfit), vocabulary),
        };
        Parts { holds, applies, fits }
    }

    /// That none of some formulas holds.
    fn none(formulas: impl Iterator<Item = Self>, vocabulary: &Vocabulary) -> Self {
        Self::all(formulas.map(|formula| formula.negate(vocabulary)), vocabulary)
    }

    /// For everything that a condition reads, that its value does not fit.
    fn each_unfit(condition: &Condition, vocabulary: &mut Vocabulary) -> Vec<Self> {
        let terms = condition.terms().filter(|term| **term != Term::Me);
        terms.map(|term| special::passes(term, condition.is_list(term), Test::Unfit, vocabulary)).collect()
    }
}

/// The parts of a conjunction or disjunction, with literals of one attribute joined. Sets are joined all at once, so that a
/// thousand constants do not make a thousand unions.
struct Joined<'a> {
    vocabulary: &'a Vocabulary,
    conjunction: bool,
    parts: Vec<Part>,
    seen: Seen,
    /// Where among the parts the sets of an attribute are.
    places: BTreeMap<AttributeId, usize>,
}

/// The formulas that have been met. A few are compared one by one, which is several times as fast as to hash them.
#[derive(Default)]
struct Seen {
    few: Vec<Formula>,
    many: HashSet<Formula>,
}

impl Seen {
    const FEW: usize = 16;

    fn contains(&self, formula: &Formula) -> bool {
        self.few.contains(formula) || self.many.contains(formula)
    }

    /// Whether the formula had not been met.
    fn insert(&mut self, formula: &Formula) -> bool {
        let new = !self.contains(formula);
        if new && self.few.len() < Self::FEW {
            self.few.push(formula.clone());
        } else if new {
            self.many.insert(formula.clone());
        }
        new
    }
}

/// A part of the whole.
enum Part {
    Formula(Formula),
    /// Tests of one attribute for sets, which make one.
    Sets(AttributeId, Vec<Arc<Test>>),
}

/// The whole is settled: a conjunction never holds, or a disjunction always does.
struct Settled;

impl<'a> Joined<'a> {
    fn new(vocabulary: &'a Vocabulary, conjunction: bool) -> Self {
        Self { vocabulary, conjunction, parts: Vec::new(), seen: Seen::default(), places: BTreeMap::new() }
    }

    fn join(mut self, parts: impl IntoIterator<Item = Formula>) -> Formula {
        let settled = if self.conjunction { Formula::never() } else { Formula::always() };
        if parts.into_iter().try_for_each(|part| self.add(part)).is_err() {
            return settled;
        }
        let mut joined = Vec::with_capacity(self.parts.len());
        for part in std::mem::take(&mut self.parts) {
            let part = match part {
                Part::Formula(part) => part,
                Part::Sets(attribute, sets) => self.one_set(attribute, &sets),
            };
            if part == settled {
                return settled;
            }
            if !part.is_always() && !part.is_never() {
                joined.push(part);
            }
        }
        one(joined).unwrap_or_else(|parts| if self.conjunction { Formula::All(parts.into()) } else { Formula::Any(parts.into()) })
    }

    fn add(&mut self, part: Formula) -> Result<(), Settled> {
        match part {
            Formula::All(inner) if self.conjunction => inner.iter().try_for_each(|part| self.add(part.clone())),
            Formula::Any(inner) if !self.conjunction => inner.iter().try_for_each(|part| self.add(part.clone())),
            Formula::All(inner) | Formula::Any(inner) if inner.is_empty() => Err(Settled),
            Formula::Literal(literal) => self.add_literal(literal),
            other => {
                if self.seen.insert(&other) {
                    self.parts.push(Part::Formula(other));
                }
                Ok(())
            }
        }
    }

    fn add_literal(&mut self, literal: Literal) -> Result<(), Settled> {
        let complement = Literal { positive: !literal.positive, ..literal.clone() };
        if self.seen.contains(&Formula::Literal(complement)) {
            return Err(Settled);
        }
        if !self.seen.insert(&Formula::Literal(literal.clone())) {
            return Ok(());
        }
        // Of a list, a conjunction of positive tests is about several elements. Negative ones are about all of them.
        let joinable = if self.vocabulary.is_list(literal.attribute) { literal.positive != self.conjunction } else { literal.positive };
        if !joinable || !matches!(*literal.test, Test::Values(_)) {
            self.parts.push(Part::Formula(Formula::Literal(literal)));
            return Ok(());
        }
        let place = *self.places.entry(literal.attribute).or_insert(self.parts.len());
        match self.parts.get_mut(place) {
            Some(Part::Sets(_, sets)) => sets.push(literal.test),
            _ => self.parts.push(Part::Sets(literal.attribute, vec![literal.test])),
        }
        Ok(())
    }

    /// What several tests of one attribute come to.
    fn one_set(&self, attribute: AttributeId, sets: &[Arc<Test>]) -> Formula {
        let values = |test: &Arc<Test>| if let Test::Values(set) = &**test { Some(set.clone()) } else { None };
        let list = self.vocabulary.is_list(attribute);
        if let [only] = sets {
            return Formula::Literal(Literal { attribute, test: only.clone(), positive: !(list && self.conjunction) });
        }
        let sets = sets.iter().filter_map(values);
        match (list, self.conjunction) {
            // The negative tests of a list in a conjunction exclude each of the sets.
            (true, _) => {
                let test = Arc::new(Test::Values(ValueSet::union_all(sets)));
                Formula::Literal(Literal { attribute, test, positive: !self.conjunction })
            }
            (false, false) => Formula::values(attribute, ValueSet::union_all(sets)),
            (false, true) => Formula::values(attribute, ValueSet::union_all(sets.map(|set| set.complement())).complement()),
        }
    }
}

fn one(mut parts: Vec<Formula>) -> Result<Formula, Vec<Formula>> {
    match parts.pop() {
        Some(last) if parts.is_empty() => Ok(last),
        Some(last) => {
            parts.push(last);
            Err(parts)
        }
        None => Err(parts),
    }
}

/// Reads a condition.
struct Reader<'a> {
    condition: &'a Condition,
    vocabulary: &'a mut Vocabulary,
}

impl Reader<'_> {
    fn expr(&mut self, expr: &Expr, positive: bool) -> Formula {
        match (expr, positive) {
            (Expr::Not(inner), _) => self.expr(inner, !positive),
            (Expr::And(parts), true) | (Expr::Or(parts), false) => {
                let parts: Vec<Formula> = parts.iter().map(|part| self.expr(part, positive)).collect();
                Formula::all(parts, self.vocabulary)
            }
            (Expr::And(parts), false) | (Expr::Or(parts), true) => {
                let parts: Vec<Formula> = parts.iter().map(|part| self.expr(part, positive)).collect();
                Formula::any(parts, self.vocabulary)
            }
            (Expr::Atom(atom), _) => {
                let formula = self.atom(atom);
                if positive { formula } else { formula.negate(self.vocabulary) }
            }
        }
    }

    /// The formula of an atom.
    fn atom(&mut self, atom: &Atom) -> Formula {
        let term = atom.term();
        let (holds, negated) = match atom {
            Atom::Bare(_) => {
                let exists = self.set(term, ValueSet::present());
                let not_false = self.set(term, ValueSet::bool(false)).negate(self.vocabulary);
                return Formula::all([exists, not_false], self.vocabulary);
            }
            Atom::Exists(_) => (self.set(term, ValueSet::present()), false),
            Atom::Compare { op, operand: Operand::Literal(Constant::Null), .. } => {
                (self.set(term, ValueSet::present()), *op == CompareOp::Eq)
            }
            Atom::Compare { op, operand: Operand::Literal(literal), .. } => {
                (self.set(term, ValueSet::compared(*op, literal)), *op == CompareOp::Ne)
            }
            Atom::Compare { op, operand: Operand::Term(other), .. } => (self.compared(term, *op, other), *op == CompareOp::Ne),
            Atom::In { values, negated, .. } => (self.set(term, ValueSet::listed(values)), *negated),
            Atom::InCidr { networks, negated, .. } => (self.is(term, Test::Addresses(addresses(networks))), *negated),
            Atom::Like { pattern, negated, .. } => {
                let holds = match ValueSet::like(pattern) {
                    Some(set) => self.set(term, set),
                    None => self.is(term, Test::Like(pattern.clone())),
                };
                (holds, *negated)
            }
            Atom::Matches { pattern, negated, .. } => (self.is(term, Test::Matches(pattern.clone())), *negated),
        };
        if negated { holds.negate(self.vocabulary) } else { holds }
    }

    fn attribute(&mut self, term: &Term) -> AttributeId {
        self.vocabulary.term(term, self.condition.is_list(term))
    }

    fn is(&mut self, term: &Term, test: Test) -> Formula {
        special::passes(term, self.condition.is_list(term), test, self.vocabulary)
    }

    fn set(&mut self, term: &Term, set: ValueSet) -> Formula {
        self.is(term, Test::Values(set))
    }

    /// A comparison of two terms, read as positive.
    fn compared(&mut self, term: &Term, op: CompareOp, other: &Term) -> Formula {
        let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
        match (term, other) {
            (Term::Me, Term::Me) if matches!(op, CompareOp::Lt | CompareOp::Gt) => Formula::never(),
            (Term::Me, Term::Me) => Formula::always(),
            (Term::Me, fact) | (fact, Term::Me) if equality => self.is(fact, Test::Me),
            _ if term == other => self.set(term, itself(op)),
            _ => {
                // The values of the terms are needed to make the truth of the comparison come about.
                self.attribute(term);
                self.attribute(other);
                // What means the same is to be the same.
                let (left, op, right) = match op {
                    CompareOp::Gt => (other, CompareOp::Lt, term),
                    CompareOp::Ge => (other, CompareOp::Le, term),
                    CompareOp::Eq | CompareOp::Ne => (term.min(other), CompareOp::Eq, term.max(other)),
                    CompareOp::Lt | CompareOp::Le => (term, op, other),
                };
                let comparison = Atom::Compare { term: left.clone(), op, operand: Operand::Term(right.clone()) };
                let attribute = self.vocabulary.id(&Attribute::Opaque(comparison));
                special::compared([left, right], Formula::values(attribute, ValueSet::bool(true)), self.vocabulary)
            }
        }
    }
}

/// The values that stand in a relation to themselves.
fn itself(op: CompareOp) -> ValueSet {
    match op {
        CompareOp::Eq | CompareOp::Ne => ValueSet::present(),
        CompareOp::Le | CompareOp::Ge => ValueSet { bools: [false; 2], ..ValueSet::present() },
        CompareOp::Lt | CompareOp::Gt => ValueSet::none(),
    }
}

/// The addresses of some networks.
pub(super) fn addresses(networks: &[Network]) -> Intervals<u128> {
    let ranges = networks.iter().flat_map(Network::ranges).map(|range| (*range.start(), range.end().checked_add(1)));
    Intervals::from_ranges(ranges.collect())
}
