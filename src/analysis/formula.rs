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

impl Test {
    /// The test of a constant that an atom makes, taken without its negation; `None` of a bare attribute, and of two terms.
    pub fn of(atom: &Atom) -> Option<Self> {
        Some(match atom {
            Atom::Bare(_) | Atom::Compare { operand: Operand::Term(_), .. } => return None,
            Atom::Exists(_) | Atom::Compare { operand: Operand::Literal(Constant::Null), .. } => Self::Values(ValueSet::present()),
            Atom::Compare { op, operand: Operand::Literal(literal), .. } => Self::Values(ValueSet::compared(*op, literal)),
            Atom::In { values, .. } => Self::Values(ValueSet::listed(values)),
            Atom::InCidr { networks, .. } => Self::Addresses(addresses(networks)),
            Atom::Like { pattern, .. } => ValueSet::like(pattern).map_or_else(|| Self::Like(pattern.clone()), Self::Values),
            Atom::Matches { pattern, .. } => Self::Matches(pattern.clone()),
        })
    }
}

/// Whether a test holds where its attribute is absent.
pub(super) fn negated(atom: &Atom) -> bool {
    match atom {
        Atom::Bare(_) | Atom::Exists(_) => false,
        Atom::Compare { op, operand: Operand::Literal(Constant::Null), .. } => *op == CompareOp::Eq,
        Atom::Compare { op, .. } => *op == CompareOp::Ne,
        Atom::In { negated, .. } | Atom::InCidr { negated, .. } | Atom::Like { negated, .. } | Atom::Matches { negated, .. } => *negated,
    }
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
        Reader::new(condition, vocabulary).expr(part, true)
    }

    /// That everything a condition reads has a value that fits.
    pub fn fits(condition: &Condition, vocabulary: &mut Vocabulary) -> Self {
        Reader::new(condition, vocabulary).fits()
    }

    /// When the condition of a statement lets it apply: a grant whose condition reads a value that does not fit does not
    /// apply, a denial does.
    pub fn of_statement(condition: &Condition, effect: Effect, vocabulary: &mut Vocabulary) -> Self {
        Self::parts_of_statement(condition, effect, vocabulary).applies
    }

    /// The same, with what it is made of.
    pub fn parts_of_statement(condition: &Condition, effect: Effect, vocabulary: &mut Vocabulary) -> Parts {
        let mut reader = Reader::new(condition, vocabulary);
        let holds = reader.expr(condition.expr(), true);
        let fits = reader.fits();
        let applies = match effect {
            Effect::Allow => holds.with_fitting(&fits, reader.vocabulary),
            Effect::Deny => {
                let unfit = reader.each_unfit();
                Self::any(std::iter::once(holds.clone()).chain(unfit), reader.vocabulary)
            }
        };
        Parts { holds, applies, fits }
    }

    /// The conjunction with what says that values fit.
    fn with_fitting(&self, fits: &Self, vocabulary: &Vocabulary) -> Self {
        // A value that is one of some that fit does fit.
        let says = |attribute: AttributeId| {
            let fitting = |literal: &Literal| literal.positive && matches!(&*literal.test, Test::Values(set) if !set.other);
            self.conjuncts().iter().any(|part| matches!(part, Self::Literal(own) if own.attribute == attribute && fitting(own)))
        };
        let is_said = |part: &&Self| matches!(part, Self::Literal(fit) if !vocabulary.is_list(fit.attribute) && says(fit.attribute));
        let mut left = fits.conjuncts().iter().filter(|part| !is_said(part)).cloned().peekable();
        if left.peek().is_none() { self.clone() } else { Self::all(std::iter::once(self.clone()).chain(left), vocabulary) }
    }

    /// What all has to hold for the formula to hold.
    pub fn conjuncts(&self) -> &[Self] {
        match self {
            Self::All(parts) => parts,
            other => std::slice::from_ref(other),
        }
    }
}

/// Reads a condition.
struct Reader<'a> {
    condition: &'a Condition,
    vocabulary: &'a mut Vocabulary,
    /// The first few terms that have been met.
    met: SmallVec<[Read; 4]>,
}

/// A term that a condition reads.
#[derive(Clone)]
struct Read {
    term: Term,
    list: bool,
    /// The number of the attribute; `None` where something else settles the term.
    attribute: Option<AttributeId>,
}

impl<'a> Reader<'a> {
    /// So many terms are kept at hand.
    const MET: usize = 8;

    fn new(condition: &'a Condition, vocabulary: &'a mut Vocabulary) -> Self {
        Self { condition, vocabulary, met: SmallVec::new() }
    }

    /// What a term is, and whether it is declared to be a list.
    fn read(&mut self, term: &Term) -> (bool, Option<AttributeId>) {
        if let Some(Read { list, attribute, .. }) = self.met.iter().find(|read| read.term == *term) {
            return (*list, *attribute);
        }
        let list = self.condition.is_list(term);
        let attribute = Special::of(term, list).is_none().then(|| self.vocabulary.term(term, list));
        if self.met.len() < Self::MET {
            self.met.push(Read { term: term.clone(), list, attribute });
        }
        (list, attribute)
    }

    /// That everything which the condition reads has a value that fits.
    fn fits(&mut self) -> Formula {
        // All scalars share one set.
        let mut fitting: Option<Arc<Test>> = None;
        let (mut parts, mut is_plain) = (SmallVec::<[Formula; 4]>::new(), true);
        for term in self.condition.terms().filter(|term| **term != Term::Me) {
            parts.push(match self.read(term) {
                (false, Some(attribute)) => {
                    let test = fitting.get_or_insert_with(|| Arc::new(Test::Values(ValueSet::other().complement()))).clone();
                    Formula::Literal(Literal { attribute, test, positive: true })
                }
                (list, _) => {
                    is_plain = false;
                    special::passes(term, list, Test::Unfit, self.vocabulary).negate(self.vocabulary)
                }
            });
        }
        // Of each attribute there is one literal, so there is nothing to join.
        match parts.len() {
            1 => parts.remove(0),
            _ if is_plain => Formula::All(parts.into_iter().collect()),
            _ => Formula::all(parts, self.vocabulary),
        }
    }

    /// For everything that the condition reads, that its value does not fit.
    fn each_unfit(&mut self) -> SmallVec<[Formula; 4]> {
        let mut unfit: Option<Arc<Test>> = None;
        let terms = self.condition.terms().filter(|term| **term != Term::Me);
        let parts = terms.map(|term| match self.read(term) {
            (false, Some(attribute)) => {
                let test = unfit.get_or_insert_with(|| Arc::new(Test::Values(ValueSet::other()))).clone();
                Formula::Literal(Literal { attribute, test, positive: true })
            }
            (list, _) => special::passes(term, list, Test::Unfit, self.vocabulary),
        });
        parts.collect()
    }

    fn expr(&mut self, expr: &Expr, positive: bool) -> Formula {
        match (expr, positive) {
            (Expr::Not(inner), _) => self.expr(inner, !positive),
            (Expr::And(parts), true) | (Expr::Or(parts), false) => {
                let parts: SmallVec<[Formula; 4]> = parts.iter().map(|part| self.expr(part, positive)).collect();
                Formula::all(parts, self.vocabulary)
            }
            (Expr::And(parts), false) | (Expr::Or(parts), true) => {
                let parts: SmallVec<[Formula; 4]> = parts.iter().map(|part| self.expr(part, positive)).collect();
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
        let holds = match (Test::of(atom), atom) {
            (Some(Test::Values(set)), _) => self.set(term, set),
            (Some(test), _) => self.is(term, test),
            (None, Atom::Compare { op, operand: Operand::Term(other), .. }) => self.compared(term, *op, other),
            // A bare attribute makes two tests.
            (None, _) => {
                let exists = self.set(term, ValueSet::present());
                let not_false = self.set(term, ValueSet::bool(false)).negate(self.vocabulary);
                return Formula::all([exists, not_false], self.vocabulary);
            }
        };
        if negated(atom) { holds.negate(self.vocabulary) } else { holds }
    }

    fn is(&mut self, term: &Term, test: Test) -> Formula {
        match self.read(term) {
            (_, Some(attribute)) => special::plain(attribute, test, self.vocabulary),
            (list, None) => special::passes(term, list, test, self.vocabulary),
        }
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
