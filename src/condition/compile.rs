//! A condition made ready to be evaluated many times: terms numbered, lists sorted, patterns compiled.

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::LazyLock;

use foldhash::fast::RandomState;

use super::Atom;
use super::CompareOp;
use super::ConditionError;
use super::Expr;
use super::Facts;
use super::LikePattern;
use super::Literal;
use super::Network;
use super::Number;
use super::Operand;
use super::Outcome;
use super::RegexPattern;
use super::Term;
use super::cidr;
use super::eval::View;

/// The terms that are declared to hold lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists(BTreeSet<Term>);

impl Lists {
    /// Whether a term is declared to hold a list.
    pub fn contains(&self, term: &Term) -> bool {
        self.0.contains(term)
    }

    /// Declares a term; false if it already was.
    pub fn insert(&mut self, term: Term) -> bool {
        self.0.insert(term)
    }

    /// The declared terms, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Term> {
        self.0.iter()
    }
}

impl FromIterator<Term> for Lists {
    fn from_iter<I: IntoIterator<Item = Term>>(terms: I) -> Self {
        Self(terms.into_iter().collect())
    }
}

/// A condition and what it takes to evaluate it.
#[derive(Debug, Clone)]
pub struct Condition {
    expr: Arc<Expr>,
    hash: u64,
    /// The distinct terms, in order, and whether each is declared to hold a list. Nodes name them by position.
    terms: Vec<(Term, bool)>,
    root: Node,
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        // The nodes are made from these two and nothing else.
        self.hash == other.hash && self.expr == other.expr && self.terms == other.terms
    }
}

impl Eq for Condition {}

/// How many looked-up values are kept on the stack; a condition that reads more terms looks the others up again.
const KEPT: usize = 16;

impl Condition {
    /// Makes a condition ready.
    ///
    /// # Errors
    ///
    /// One error per comparison of two declared lists, with the range `0..0`, because the tree has no places.
    pub fn new(expr: impl Into<Arc<Expr>>, lists: &Lists) -> Result<Self, Vec<ConditionError>> {
        let expr = expr.into();
        let mut terms: Vec<&Term> = Vec::new();
        let mut errors = Vec::new();
        expr.each_atom(&mut |atom| {
            terms.extend(std::iter::once(atom.term()).chain(atom.other_term()));
            if let Some(other) = atom.other_term()
                && lists.contains(atom.term())
                && lists.contains(other)
            {
                let message = format!("`{atom}` compares two lists");
                errors
                    .push(ConditionError::syntax(0..0, message).help("compare a list with constants, or with a term that holds one value"));
            }
        });
        if !errors.is_empty() {
            return Err(errors);
        }
        terms.sort_unstable();
        terms.dedup();
        let root = Node::new(&expr, &terms);
        let terms = terms.into_iter().map(|term| (term.clone(), lists.contains(term))).collect();
        Ok(Self { hash: Self::hash(&expr), expr, terms, root })
    }

    /// The tree.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// A number that equal conditions have in common. It differs from run to run, so that nobody can write different ones with one number.
    pub fn key(&self) -> u64 {
        self.hash
    }

    pub(super) fn hash(expr: &Expr) -> u64 {
        static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);
        SEED.hash_one(expr)
    }

    /// The distinct terms that the condition reads, in order.
    pub fn terms(&self) -> impl ExactSizeIterator<Item = &Term> {
        self.terms.iter().map(|(term, _)| term)
    }

    /// Whether the condition reads a term as a declared list.
    pub fn is_list(&self, term: &Term) -> bool {
        self.terms.binary_search_by(|(read, _)| read.cmp(term)).is_ok_and(|slot| self.terms.get(slot).is_some_and(|(_, is_list)| *is_list))
    }

    /// The complement: `not (C)`. It reads the same terms, so it is unfit for the same requests.
    ///
    /// Of a condition at the limit of depth it is one level too deep to be parsed again from its print.
    pub fn negate(&self) -> Self {
        let expr: Arc<Expr> = Expr::Not(Box::new((*self.expr).clone())).into();
        Self { hash: Self::hash(&expr), expr, terms: self.terms.clone(), root: Node::Not(Box::new(self.root.clone())) }
    }

    /// Whether the condition holds for a request. Copies and allocates nothing; the regular expressions keep their own scratch space.
    pub fn evaluate(&self, facts: &Facts<'_>) -> Outcome {
        let mut kept = [View::Absent; KEPT];
        let mut places = kept.iter_mut();
        for (term, is_list) in &self.terms {
            let view = View::of(term, *is_list, facts);
            if matches!(view, View::Other) {
                return Outcome::Unfit;
            }
            if let Some(place) = places.next() {
                *place = view;
            }
        }
        let values = Values { terms: &self.terms, kept: &kept, facts };
        if self.root.holds(&values) { Outcome::True } else { Outcome::False }
    }
}

/// The values of the terms for one request.
struct Values<'a, 'f> {
    terms: &'a [(Term, bool)],
    kept: &'a [View<'f>; KEPT],
    facts: &'a Facts<'f>,
}

impl<'f> Values<'_, 'f> {
    fn get(&self, slot: usize) -> View<'f> {
        match self.kept.get(slot) {
            Some(view) => *view,
            None => self.terms.get(slot).map_or(View::Absent, |(term, is_list)| View::of(term, *is_list, self.facts)),
        }
    }
}

/// A tree with terms by position.
#[derive(Debug, Clone)]
enum Node {
    All(Box<[Node]>),
    Any(Box<[Node]>),
    Not(Box<Node>),
    Test(usize, Test),
}

/// A positive test of one value; what is negated in the text is a `Not` around it.
#[derive(Debug, Clone)]
enum Test {
    Exists,
    Constant(CompareOp, Literal),
    Term(CompareOp, usize),
    Set(Set),
    Addresses(Box<[(u128, u128)]>),
    Like(LikePattern),
    Matches(RegexPattern),
}

/// The values of a list, by kind, sorted.
#[derive(Debug, Clone, Default)]
struct Set {
    bools: Vec<bool>,
    numbers: Vec<Number>,
    strings: Vec<String>,
}

impl Node {
    fn new(expr: &Expr, slots: &[&Term]) -> Self {
        match expr {
            Expr::And(operands) => Self::All(operands.iter().map(|operand| Self::new(operand, slots)).collect()),
            Expr::Or(operands) => Self::Any(operands.iter().map(|operand| Self::new(operand, slots)).collect()),
            Expr::Not(operand) => Self::Not(Box::new(Self::new(operand, slots))),
            Expr::Atom(atom) => Self::atom(atom, slots),
        }
    }

    fn atom(atom: &Atom, slots: &[&Term]) -> Self {
        // Every term of the tree has a position; without one it would read as absent.
        let slot = |term: &Term| slots.binary_search(&term).unwrap_or(usize::MAX);
        let at = slot(atom.term());
        let (test, negated) = match atom {
            Atom::Bare(_) => {
                let is_false = Test::Constant(CompareOp::Eq, Literal::Bool(false));
                return Self::All(Box::new([Self::Test(at, Test::Exists), Self::Test(at, is_false).negated(true)]));
            }
            Atom::Exists(_) => (Test::Exists, false),
            Atom::Compare { op, operand: Operand::Literal(Literal::Null), .. } => (Test::Exists, *op == CompareOp::Eq),
            Atom::Compare { op, operand: Operand::Literal(literal), .. } => (Test::Constant(*op, literal.clone()), *op == CompareOp::Ne),
            Atom::Compare { op, operand: Operand::Term(term), .. } => (Test::Term(*op, slot(term)), *op == CompareOp::Ne),
            Atom::In { values, negated, .. } => (Test::Set(Set::new(values)), *negated),
            Atom::InCidr { networks, negated, .. } => (Test::Addresses(merged(networks)), *negated),
            Atom::Like { pattern, negated, .. } => (Test::Like(pattern.clone()), *negated),
            Atom::Matches { pattern, negated, .. } => (Test::Matches(pattern.clone()), *negated),
        };
        Self::Test(at, test).negated(negated)
    }

    fn negated(self, negated: bool) -> Self {
        if negated { Self::Not(Box::new(self)) } else { self }
    }

    fn holds(&self, values: &Values<'_, '_>) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.holds(values)),
            Self::Any(nodes) => nodes.iter().any(|node| node.holds(values)),
            Self::Not(node) => !node.holds(values),
            Self::Test(slot, test) => test.holds(values.get(*slot), values),
        }
    }
}

impl Test {
    fn holds(&self, value: View<'_>, values: &Values<'_, '_>) -> bool {
        match self {
            Self::Exists => value.exists(),
            Self::Constant(op, literal) => value.any(|element| element.satisfies(*op, element.cmp_literal(literal))),
            Self::Term(op, other) => {
                let other = values.get(*other);
                value.any(|left| other.any(|right| left.satisfies(*op, left.cmp_scalar(right))))
            }
            Self::Set(set) => value.any(|element| set.contains(element)),
            Self::Addresses(ranges) => value.any(|element| text(element).is_some_and(|text| in_ranges(ranges, text))),
            Self::Like(pattern) => value.any(|element| text(element).is_some_and(|text| pattern.is_match(text))),
            Self::Matches(pattern) => value.any(|element| text(element).is_some_and(|text| pattern.is_match(text))),
        }
    }
}

fn text(value: View<'_>) -> Option<&str> {
    match value {
        View::String(text) => Some(text),
        _ => None,
    }
}

impl Set {
    fn new(values: &[Literal]) -> Self {
        let mut set = Self::default();
        for value in values {
            match value {
                Literal::Null => {}
                Literal::Bool(value) => set.bools.push(*value),
                Literal::Number(value) => set.numbers.push(*value),
                Literal::String(value) => set.strings.push(value.clone()),
            }
        }
        set.numbers.sort_unstable();
        set.strings.sort_unstable();
        set
    }

    fn contains(&self, value: View<'_>) -> bool {
        match value {
            View::Bool(value) => self.bools.contains(&value),
            View::Number(value) => Number::new(value).is_some_and(|number| self.numbers.binary_search(&number).is_ok()),
            View::String(value) => self.strings.binary_search_by(|known| known.as_str().cmp(value)).is_ok(),
            View::Absent | View::List(_) | View::Other => false,
        }
    }
}

/// The addresses of some networks as ascending, disjoint ranges, both ends included.
fn merged(networks: &[Network]) -> Box<[(u128, u128)]> {
    let mut ranges: Vec<_> = networks.iter().flat_map(Network::ranges).map(|range| (*range.start(), *range.end())).collect();
    ranges.sort_unstable();
    let mut merged: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some((_, end)) if first <= *end => *end = last.max(*end),
            _ => merged.push((first, last)),
        }
    }
    merged.into_boxed_slice()
}

fn in_ranges(ranges: &[(u128, u128)], address: &str) -> bool {
    let Some(address) = cidr::parse_address(address).map(cidr::address_number) else { return false };
    let after = ranges.partition_point(|(first, _)| *first <= address);
    after.checked_sub(1).and_then(|index| ranges.get(index)).is_some_and(|(_, last)| address <= *last)
}
