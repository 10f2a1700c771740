//! A second reading of the semantics, written from the specification with nothing shared: a term is the set of its present
//! scalars, or nothing at all when it does not fit, and every atom is a question about that set.

use std::net::IpAddr;

use regex::Regex;
use serde_json::Value;

use crate::condition::Atom;
use crate::condition::CompareOp;
use crate::condition::Expr;
use crate::condition::LikeElement;
use crate::condition::Lists;
use crate::condition::Literal;
use crate::condition::Operand;
use crate::condition::Outcome;
use crate::condition::Term;

/// Evaluates a tree on a request of the form `{"me": …, "caller": …, "action": …, "context": …, "document": …}`.
pub fn evaluate(expr: &Expr, lists: &Lists, request: &Value) -> Outcome {
    let mut fits = true;
    expr.each_atom(&mut |atom| {
        for term in std::iter::once(atom.term()).chain(atom.other_term()) {
            fits &= elements(term, lists, request).is_some();
        }
    });
    match fits {
        false => Outcome::Unfit,
        true if holds(expr, lists, request) => Outcome::True,
        true => Outcome::False,
    }
}

fn holds(expr: &Expr, lists: &Lists, request: &Value) -> bool {
    match expr {
        Expr::And(operands) => !operands.iter().any(|operand| !holds(operand, lists, request)),
        Expr::Or(operands) => operands.iter().any(|operand| holds(operand, lists, request)),
        Expr::Not(operand) => !holds(operand, lists, request),
        Expr::Atom(atom) => atom_holds(atom, lists, request),
    }
}

/// The present scalars of a term; `None` if its value is of kind *other*.
fn elements(term: &Term, lists: &Lists, request: &Value) -> Option<Vec<Value>> {
    let root = match term {
        Term::Me => {
            let me = request["me"].as_str().unwrap();
            return Some(if me.is_empty() { vec![] } else { vec![me.into()] });
        }
        Term::Document(_) => &request["document"],
        Term::Caller(_) => &request["caller"],
        Term::Action(_) => &request["action"],
        Term::Context(_) => &request["context"],
    };
    let mut value = root.clone();
    for name in term.path().unwrap().names() {
        value = match value {
            Value::Null => Value::Null,
            Value::Object(object) => object.get(name).cloned().unwrap_or(Value::Null),
            _ => return None,
        };
    }
    let values = match value {
        Value::Array(values) if lists.contains(term) => values,
        other => vec![other],
    };
    if values.iter().any(|value| value.is_array() || value.is_object()) {
        return None;
    }
    Some(values.into_iter().filter(|value| !value.is_null()).collect())
}

fn atom_holds(atom: &Atom, lists: &Lists, request: &Value) -> bool {
    let elements = |term| elements(term, lists, request).unwrap();
    let present = elements(atom.term());
    match atom {
        Atom::Exists(_) => !present.is_empty(),
        Atom::Bare(_) => !present.is_empty() && !present.contains(&Value::Bool(false)),
        Atom::Compare { op: CompareOp::Eq, operand: Operand::Literal(Literal::Null), .. } => present.is_empty(),
        Atom::Compare { op: CompareOp::Ne, operand: Operand::Literal(Literal::Null), .. } => !present.is_empty(),
        Atom::Compare { op, operand, .. } => {
            let right = match operand {
                Operand::Literal(literal) => vec![json(literal)],
                Operand::Term(term) => elements(term),
            };
            let some = |op| present.iter().any(|left| right.iter().any(|right| related(left, op, right)));
            if *op == CompareOp::Ne { !some(CompareOp::Eq) } else { some(*op) }
        }
        Atom::In { values, negated, .. } => {
            let found = present.iter().any(|left| values.iter().any(|right| related(left, CompareOp::Eq, &json(right))));
            found != *negated
        }
        Atom::InCidr { networks, negated, .. } => {
            let addresses = present.iter().filter_map(|value| value.as_str()?.parse::<IpAddr>().ok());
            let found = addresses
                .map(|address| address.to_canonical())
                .any(|address| networks.iter().any(|network| network.get().contains(&address)));
            found != *negated
        }
        Atom::Like { pattern, negated, .. } => {
            let regex = like_as_regex(pattern.elements());
            present.iter().filter_map(Value::as_str).any(|text| regex.is_match(text)) != *negated
        }
        Atom::Matches { pattern, negated, .. } => {
            let regex = Regex::new(pattern.as_str()).unwrap();
            present.iter().filter_map(Value::as_str).any(|text| regex.is_match(text)) != *negated
        }
    }
}

fn json(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => (*value).into(),
        Literal::Number(value) => value.get().into(),
        Literal::String(value) => value.as_str().into(),
    }
}

fn related(left: &Value, op: CompareOp, right: &Value) -> bool {
    fn relate<T: PartialOrd>(left: T, op: CompareOp, right: T) -> bool {
        match op {
            CompareOp::Eq => left == right,
            CompareOp::Ne => left != right,
            CompareOp::Lt => left < right,
            CompareOp::Le => left <= right,
            CompareOp::Gt => left > right,
            CompareOp::Ge => left >= right,
        }
    }
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => op == CompareOp::Eq && left == right,
        (Value::Number(left), Value::Number(right)) => relate(left.as_f64().unwrap(), op, right.as_f64().unwrap()),
        (Value::String(left), Value::String(right)) => relate(left.chars().collect::<Vec<_>>(), op, right.chars().collect()),
        _ => false,
    }
}

fn like_as_regex(elements: &[LikeElement]) -> Regex {
    let body: String = elements
        .iter()
        .map(|element| match element {
            LikeElement::Run => ".*".to_owned(),
            LikeElement::One => ".".to_owned(),
            LikeElement::Char(char) => regex::escape(&char.to_string()),
        })
        .collect();
    Regex::new(&format!("(?s)^{body}$")).unwrap()
}
