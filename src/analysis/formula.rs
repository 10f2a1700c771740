//! Formulas over attributes, and how conditions become formulas.
//!
//! A literal says that the value of an attribute is in a set. Sets that the [closed theory](super::values) can describe are
//! joined as soon as two literals of one attribute meet in a conjunction or a disjunction, so that `x != 'a' or x != 'b'`
//! is found to be true while it is built. Of a list, a literal says that some element is in the set, and such literals
//! are joined in disjunctions only.

use std::sync::Arc;

use smallvec::SmallVec;

use super::interval::Intervals;
use super::join::Joined;
use super::special;
use super::special::Special;
use super::values::ValueSet;
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
            Self::Literal(Literal { attribute, mut test, positive }) => {
                if positive && !vocabulary.is_list(attribute) && matches!(*test, Test::Values(_)) {
                    if let Test::Values(set) = Arc::make_mut(&mut test) {
                        set.turn();
                    }
                    return Self::of_set(attribute, test);
                }
                Self::Literal(Literal { attribute, test, positive: !positive })
            }
            Self::Not(inner) => (*inner).clone(),
            always if always.is_always() => Self::never(),
            never if never.is_never() => Self::always(),
            other => Self::Not(Arc::new(other)),
        }
    }

    /// That an attribute which is no list is in the set of a test.
    pub(super) fn of_set(attribute: AttributeId, test: Arc<Test>) -> Self {
        match &*test {
            Test::Values(set) if set.is_empty() => Self::never(),
            Test::Values(set) if set.is_all() => Self::always(),
            _ => Self::Literal(Literal { attribute, test, positive: true }),
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

    /// What a condition says, whatever of a value that does not fit. Everything that it speaks of gets its number.
    pub fn of_condition(condition: &Condition, vocabulary: &mut Vocabulary) -> Self {
        Self::of_part(condition.expr(), condition, vocabulary)
    }

    /// What a part of a condition says. It reads nothing that the condition does not read.
    pub fn of_part(part: &Expr, condition: &Condition, vocabulary: &mut Vocabulary) -> Self {
        Reader { condition, vocabulary }.expr(part, true)
    }

    /// That everything a condition reads has a value that fits.
    pub fn fits(condition: &Condition, vocabulary: &mut Vocabulary) -> Self {
        // All scalars share one set.
        let mut fitting: Option<Arc<Test>> = None;
        let terms = condition.terms().filter(|term| **term != Term::Me).map(|term| {
            let list = condition.is_list(term);
            if list || Special::of(term, list).is_some() {
                return special::passes(term, list, Test::Unfit, vocabulary).negate(vocabulary);
            }
            let test = fitting.get_or_insert_with(|| Arc::new(Test::Values(ValueSet::other().complement()))).clone();
            Self::Literal(Literal { attribute: vocabulary.term(term, list), test, positive: true })
        });
        let terms: SmallVec<[Self; 4]> = terms.collect();
        Self::all(terms, vocabulary)
    }

    /// When the condition of a statement lets it apply: a grant whose condition reads a value that does not fit does not
    /// apply, a denial does.
    pub fn of_statement(condition: &Condition, effect: Effect, vocabulary: &mut Vocabulary) -> Self {
        Self::parts_of_statement(condition, effect, vocabulary).applies
    }

    /// The same, with what it is made of.
    pub fn parts_of_statement(condition: &Condition, effect: Effect, vocabulary: &mut Vocabulary) -> Parts {
        let holds = Self::of_condition(condition, vocabulary);
        let fits = Self::fits(condition, vocabulary);
        let applies = match effect {
            Effect::Allow => Self::all([holds.clone(), fits.clone()], vocabulary),
            Effect::Deny => {
                let unfit = Self::each_unfit(condition, vocabulary);
                Self::any(std::iter::once(holds.clone()).chain(unfit), vocabulary)
            }
        };
        Parts { holds, applies, fits }
    }

    /// For everything that a condition reads, that its value does not fit.
    fn each_unfit(condition: &Condition, vocabulary: &mut Vocabulary) -> Vec<Self> {
        let terms = condition.terms().filter(|term| **term != Term::Me);
        terms.map(|term| special::passes(term, condition.is_list(term), Test::Unfit, vocabulary)).collect()
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

    fn is(&mut self, term: &Term, test: Test) -> Formula {
        special::passes(term, self.condition.is_list(term), test, self.vocabulary)
    }

    fn set(&mut self, term: &Term, set: ValueSet) -> Formula {
        self.is(term, Test::Values(set))
    }

    /// A comparison of two terms, read as positive.
    fn compared(&mut self, term: &Term, op: CompareOp, other: &Term) -> Formula {
        match Relation::of(term, op, other) {
            Relation::Settled(true) => Formula::always(),
            Relation::Settled(false) => Formula::never(),
            Relation::Me(fact) => self.is(fact, Test::Me),
            Relation::Itself => self.set(term, itself(op)),
            Relation::Opaque { comparison, terms } => {
                let attribute = self.vocabulary.comparison(&comparison);
                special::compared(terms, Formula::values(attribute, ValueSet::bool(true)), self.vocabulary)
            }
        }
    }
}

/// What a comparison of two terms, read as positive, comes to.
enum Relation<'a> {
    /// It always holds, or never.
    Settled(bool),
    /// Whether this fact is the id of the caller.
    Me(&'a Term),
    /// Whether a value stands in the relation to itself.
    Itself,
    /// Nothing that sets can say. What means the same is the same comparison.
    Opaque { comparison: Atom, terms: [&'a Term; 2] },
}

impl<'a> Relation<'a> {
    fn of(term: &'a Term, op: CompareOp, other: &'a Term) -> Self {
        match (term, other) {
            (Term::Me, Term::Me) => Self::Settled(!matches!(op, CompareOp::Lt | CompareOp::Gt)),
            (Term::Me, fact) | (fact, Term::Me) if matches!(op, CompareOp::Eq | CompareOp::Ne) => Self::Me(fact),
            _ if term == other => Self::Itself,
            _ => {
                let (left, op, right) = match op {
                    CompareOp::Gt => (other, CompareOp::Lt, term),
                    CompareOp::Ge => (other, CompareOp::Le, term),
                    CompareOp::Eq | CompareOp::Ne => (term.min(other), CompareOp::Eq, term.max(other)),
                    CompareOp::Lt | CompareOp::Le => (term, op, other),
                };
                let comparison = Atom::Compare { term: left.clone(), op, operand: Operand::Term(right.clone()) };
                Self::Opaque { comparison, terms: [left, right] }
            }
        }
    }
}

/// Gives a number to everything that the formulas of a condition speak of, in the order in which it is written.
pub fn number(condition: &Condition, vocabulary: &mut Vocabulary) {
    condition.expr().each_atom(&mut |atom| {
        let terms = [Some(atom.term()), atom.other_term()].into_iter().flatten();
        if let Atom::Compare { term, op, operand: Operand::Term(other) } = atom
            && let Relation::Opaque { comparison, .. } = Relation::of(term, *op, other)
        {
            // The values of the terms are needed to make the truth of the comparison come about.
            for term in terms.clone() {
                vocabulary.term(term, condition.is_list(term));
            }
            vocabulary.comparison(&comparison);
        }
        terms.for_each(|term| special::number(term, condition.is_list(term), vocabulary));
    });
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
    Intervals::from_ranges(ranges)
}
