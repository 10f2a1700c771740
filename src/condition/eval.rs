//! What a request says, and how a term is looked up in it.
//!
//! A looked-up value borrows from the request and has one of the kinds of the language, so that nothing is cloned to decide.

use std::cmp::Ordering;

use serde_json::Map;
use serde_json::Value;

use super::CompareOp;
use super::Literal;
use super::Path;
use super::Term;

/// What is known about a request.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The caller's id. Empty means that there is none, and `{me}` is absent.
    pub me: &'a str,
    /// The properties of the caller.
    pub caller: &'a Map<String, Value>,
    /// The properties of the action.
    pub action: &'a Map<String, Value>,
    /// The context.
    pub context: &'a Map<String, Value>,
    /// The attributes of the document.
    pub document: &'a Map<String, Value>,
}

/// What a condition says about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It reads a value of kind *other*, wherever in the condition that is: the truth of the rest does not matter, and the
    /// statement fails closed according to its effect.
    Unfit,
}

/// The value of a term.
#[derive(Debug, Clone, Copy)]
pub(super) enum View<'a> {
    Absent,
    Bool(bool),
    Number(f64),
    String(&'a str),
    /// A declared list, without lists and objects inside.
    List(&'a [Value]),
    Other,
}

impl<'a> View<'a> {
    /// Looks a term up. `is_list` says whether the term is declared to hold a list.
    pub(super) fn of(term: &Term, is_list: bool, facts: &Facts<'a>) -> Self {
        let Some(found) = raw(term, facts) else {
            return if facts.me.is_empty() { Self::Absent } else { Self::String(facts.me) };
        };
        match found {
            Ok(None) => Self::Absent,
            Ok(Some(Value::Array(elements))) if is_list => {
                let fits = elements.iter().all(|element| !matches!(Self::scalar(element), Self::Other));
                if fits { Self::List(elements) } else { Self::Other }
            }
            Ok(Some(value)) => Self::scalar(value),
            Err(Obstructed) => Self::Other,
        }
    }

    fn scalar(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Absent,
            Value::Bool(value) => Self::Bool(*value),
            // A number beyond the doubles has no place in the language, so it fails closed with the rest.
            Value::Number(value) => value.as_f64().filter(|number| number.is_finite()).map_or(Self::Other, Self::Number),
            Value::String(value) => Self::String(value),
            Value::Array(_) | Value::Object(_) => Self::Other,
        }
    }

    /// Whether any element that is present satisfies `test`. A scalar is a list of one.
    pub(super) fn any(self, mut test: impl FnMut(Self) -> bool) -> bool {
        match self {
            Self::Absent | Self::Other => false,
            Self::List(elements) => elements.iter().map(Self::scalar).any(|element| !matches!(element, Self::Absent) && test(element)),
            scalar => test(scalar),
        }
    }

    /// Whether something is present.
    pub(super) fn exists(self) -> bool {
        self.any(|_| true)
    }

    /// How a scalar relates to a constant; `None` if they are of different kinds.
    pub(super) fn cmp_literal(self, literal: &Literal) -> Option<Ordering> {
        self.cmp_scalar(match literal {
            Literal::Null => return None,
            Literal::Bool(value) => View::Bool(*value),
            Literal::Number(value) => View::Number(value.get()),
            Literal::String(value) => View::String(value),
        })
    }

    /// How two scalars relate; `None` if they are of different kinds. Bytes of UTF-8 are in the order of code points.
    pub(super) fn cmp_scalar(self, other: View<'_>) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(left), View::Bool(right)) => Some(left.cmp(&right)),
            (Self::Number(left), View::Number(right)) => left.partial_cmp(&right),
            (Self::String(left), View::String(right)) => Some(left.cmp(right)),
            _ => None,
        }
    }

    /// Whether a scalar stands in a relation that has just been worked out. Booleans have no order, only equality.
    pub(super) fn satisfies(self, op: CompareOp, ordering: Option<Ordering>) -> bool {
        let ordered = !matches!(self, Self::Bool(_));
        match (op, ordering) {
            (_, None) => false,
            (CompareOp::Eq | CompareOp::Ne, Some(ordering)) => ordering.is_eq(),
            (CompareOp::Lt, Some(ordering)) => ordered && ordering.is_lt(),
            (CompareOp::Le, Some(ordering)) => ordered && ordering.is_le(),
            (CompareOp::Gt, Some(ordering)) => ordered && ordering.is_gt(),
            (CompareOp::Ge, Some(ordering)) => ordered && ordering.is_ge(),
        }
    }
}

/// A list or a scalar stands where a path goes on.
pub(super) struct Obstructed;

/// What stands at the path of a term, whatever it is. `{me}` has no path, and so nothing.
pub(super) fn raw<'a>(term: &Term, facts: &Facts<'a>) -> Option<Result<Option<&'a Value>, Obstructed>> {
    let (root, path) = match term {
        Term::Me => return None,
        Term::Document(path) => (facts.document, path),
        Term::Caller(path) => (facts.caller, path),
        Term::Action(path) => (facts.action, path),
        Term::Context(path) => (facts.context, path),
    };
    Some(walk(root, path))
}

/// The value at the end of a path; `None` where an object on the way lacks the name, or something on the way is null.
fn walk<'a>(root: &'a Map<String, Value>, path: &Path) -> Result<Option<&'a Value>, Obstructed> {
    let Some((last, way)) = path.names().split_last() else { return Ok(None) };
    let mut object = root;
    for name in way {
        match object.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Object(inner)) => object = inner,
            Some(_) => return Err(Obstructed),
        }
    }
    Ok(object.get(last))
}
