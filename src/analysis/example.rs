//! Values of what a condition reads, for the condition to come out in a certain way, and the requests that are made of them.

use serde_json::Value as Json;

use super::formula::Test;
use super::formula::negated;
use super::independent::are_apart;
use super::independent::are_independent;
use super::independent::is_free;
use super::independent::own_term;
use super::missing::reads;
use super::model::Model;
use super::model::Value;
use super::model::some_value;
use super::request::Asked;
use super::values::ValueSet;
use super::vocabulary::Attribute;
use super::vocabulary::Vocabulary;
use crate::condition::Atom;
use crate::condition::CompareOp;
use crate::condition::Condition;
use crate::condition::Expr;
use crate::condition::Lists;
use crate::condition::Literal;
use crate::condition::Operand;
use crate::condition::Term;

/// What a condition needs of the facts of a request, whoever asks and whatever about.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Example {
    /// Facts with their values; all others are absent.
    facts: Vec<(Term, Value)>,
    /// Facts that are the id of whoever asks, and whether each is a list of it.
    own: Vec<(Term, bool)>,
    /// Whether other facts would have done as well.
    pub has_alternatives: bool,
}

impl Example {
    /// The values of a model of a condition; `None` if the condition reads what a request is about, or who asks.
    pub fn of_model(condition: &Condition, vocabulary: &Vocabulary, model: Model) -> Option<Self> {
        let fact = |(id, value)| match vocabulary.get(id) {
            Some(Attribute::Fact { term, .. }) => Some((term.clone(), value)),
            _ => None,
        };
        condition.terms().all(is_free).then(|| Self { facts: model.into_iter().filter_map(fact).collect(), ..Self::default() })
    }

    /// Values for which the value of a condition hangs on the one test of an absent term. The tests are
    /// [independent](super::independent::are_independent).
    pub fn hanging_on(term: &Term, expr: &Expr, lists: &Lists) -> Option<Self> {
        let mut example = Self::default();
        example.lead_to(term, expr, lists)?;
        Some(example)
    }

    /// Values for which a condition holds and hangs on the one test of a term that is there. The tests are independent.
    pub fn held_by(term: &Term, expr: &Expr, lists: &Lists) -> Option<Self> {
        let mut example = Self::hanging_on(term, expr, lists)?;
        let mut test = None;
        expr.each_atom(&mut |atom| test = test.or(reads(atom, term).then_some(atom)));
        example.pass(test?, lists)?;
        Some(example)
    }

    /// Values for which a condition holds, where that is plain to see.
    pub fn of_holding(expr: &Expr, lists: &Lists) -> Option<Self> {
        let mut example = Self::default();
        are_independent(expr, lists).then(|| example.make(expr, true, lists))??;
        Some(example)
    }

    /// Lets the operands hold, or fail, that stand beside the way to a term.
    fn lead_to(&mut self, term: &Term, expr: &Expr, lists: &Lists) -> Option<()> {
        let mut inner = expr;
        loop {
            inner = match inner {
                Expr::Atom(_) => return Some(()),
                Expr::Not(operand) => operand,
                Expr::And(operands) | Expr::Or(operands) => {
                    let way = operands.iter().position(|operand| has_test_of(operand, term))?;
                    for (_, beside) in operands.iter().enumerate().filter(|(at, _)| *at != way) {
                        self.make(beside, matches!(inner, Expr::And(_)), lists)?;
                    }
                    operands.get(way)?
                }
            };
        }
    }

    /// Lets an expression hold, or fail.
    fn make(&mut self, expr: &Expr, holds: bool, lists: &Lists) -> Option<()> {
        match (expr, holds) {
            (Expr::Not(operand), _) => self.make(operand, !holds, lists),
            (Expr::And(operands), true) | (Expr::Or(operands), false) => {
                operands.iter().try_for_each(|operand| self.make(operand, holds, lists))
            }
            (Expr::And(operands), false) | (Expr::Or(operands), true) => {
                self.has_alternatives |= operands.len() > 1;
                self.make(operands.iter().min_by_key(|operand| needs(operand, holds))?, holds, lists)
            }
            (Expr::Atom(atom), _) if negated(atom) == holds => Some(()),
            (Expr::Atom(atom), _) => self.pass(atom, lists),
        }
    }

    /// Lets a test, taken without its negation, come out true.
    fn pass(&mut self, atom: &Atom, lists: &Lists) -> Option<()> {
        let term = own_term(atom)?;
        let list = lists.contains(term);
        if atom.other_term().is_some() {
            self.own.push((term.clone(), list));
        } else {
            self.facts.push((term.clone(), in_list(passing(atom)?, list)));
        }
        Some(())
    }

    /// The same with what another needs; `None` if both need the same fact, or one inside that of the other, and not the same value.
    pub fn with(&self, other: &Self) -> Option<Self> {
        let mut both = self.clone();
        for (term, value) in &other.facts {
            match both.facts.iter().find(|(known, _)| known == term) {
                Some((_, known)) if known == value => {}
                Some(_) => return None,
                None => both.facts.push((term.clone(), value.clone())),
            }
        }
        both.has_alternatives |= other.has_alternatives;
        both.own.extend(other.own.iter().filter(|own| !self.own.contains(own)).cloned());
        let mut terms: Vec<&Term> = both.facts.iter().map(|(term, _)| term).chain(both.own.iter().map(|(term, _)| term)).collect();
        are_apart(&mut terms).then_some(both)
    }

    /// Whether it gives a term a value.
    pub fn gives(&self, term: &Term) -> bool {
        self.facts.iter().any(|(known, _)| known == term) || self.own.iter().any(|(known, _)| known == term)
    }

    /// The same without a term.
    pub fn without(mut self, term: &Term) -> Self {
        self.facts.retain(|(known, _)| known != term);
        self.own.retain(|(known, _)| known != term);
        self
    }

    /// A request with these facts.
    pub fn asked(&self, asked: Asked<'_>) -> Json {
        let me = asked.id;
        let own: Vec<(&Term, Value)> = self.own.iter().map(|(term, list)| (term, in_list(Value::Text(me.to_owned()), *list))).collect();
        let facts = self.facts.iter().map(|(term, value)| (term, value)).chain(own.iter().map(|(term, value)| (*term, value)));
        asked.about(facts.collect())
    }
}

/// Whether an expression reads a term.
fn has_test_of(expr: &Expr, term: &Term) -> bool {
    let mut found = false;
    expr.each_atom(&mut |atom| found |= reads(atom, term));
    found
}

/// How many values it takes for an expression to hold, or to fail.
fn needs(expr: &Expr, holds: bool) -> usize {
    match (expr, holds) {
        (Expr::Not(operand), _) => needs(operand, !holds),
        (Expr::And(operands), true) | (Expr::Or(operands), false) => operands.iter().map(|operand| needs(operand, holds)).sum(),
        (Expr::And(operands), false) | (Expr::Or(operands), true) => {
            operands.iter().map(|operand| needs(operand, holds)).min().unwrap_or_default()
        }
        (Expr::Atom(atom), _) => usize::from(negated(atom) != holds),
    }
}

/// A value for which a test of a constant, taken without its negation, comes out true.
fn passing(atom: &Atom) -> Option<Value> {
    match atom {
        // It needs no search for a value.
        Atom::Compare { op: CompareOp::Eq | CompareOp::Ne, operand: Operand::Literal(Literal::Bool(value)), .. } => {
            Some(Value::Bool(*value))
        }
        Atom::Compare { op: CompareOp::Eq | CompareOp::Ne, operand: Operand::Literal(Literal::Number(number)), .. } => {
            Some(Value::Number(number.get()))
        }
        Atom::Compare { op: CompareOp::Eq | CompareOp::Ne, operand: Operand::Literal(Literal::String(text)), .. } => {
            Some(Value::Text(text.clone()))
        }
        Atom::Bare(_) => some_value(&Test::Values(ValueSet::present())),
        Atom::Matches { .. } => None,
        _ => some_value(&Test::of(atom)?),
    }
}

fn in_list(value: Value, list: bool) -> Value {
    if list { Value::List(vec![value]) } else { value }
}
