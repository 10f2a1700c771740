//! A condition tried on one request: the outcome of every part, and what was read, for whoever wants to know why.
//!
//! Each part is evaluated as a [`Condition`] of its own, so that there is no second evaluator that could disagree.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Condition;
use super::ConditionError;
use super::Expr;
use super::Facts;
use super::Lists;
use super::Outcome;
use super::Part;
use super::Term;
use super::eval::View;
use super::eval::raw;

/// What a condition says about a request, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial<'a> {
    /// What it read, by term.
    pub readings: BTreeMap<&'a Term, Reading<'a>>,
    /// The whole condition.
    pub whole: Tried<'a>,
}

/// What a part of a condition says about a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried<'a> {
    /// The part.
    pub part: &'a Part,
    /// What [`Condition::evaluate`] says about it.
    pub outcome: Outcome,
    /// The same of its operands.
    pub operands: Vec<Tried<'a>>,
}

/// What a request says about a term.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading<'a> {
    /// Nothing.
    Absent,
    /// `null`, or a list without values, which is the same.
    Empty(&'a Value),
    /// The caller's id.
    Me(&'a str),
    /// A boolean, a number, a string, or a declared list of these.
    Value(&'a Value),
    /// Something that the language has no value for.
    Unfit(Unfitness),
}

/// Why a term does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfitness {
    /// It is a list, and is not declared as one.
    UndeclaredList,
    /// It is a declared list that holds a list, an object, or a number beyond the doubles.
    Element,
    /// It is an object.
    Object,
    /// It is a number beyond the doubles.
    Number,
    /// A value that is no object stands where its path goes on.
    Obstructed,
}

impl Unfitness {
    /// In words that follow the name of the term and "does not fit".
    pub fn reason(self) -> &'static str {
        match self {
            Self::UndeclaredList => "it is a list, and is not declared as one (under `[attributes]`, or here by `--list`)",
            Self::Element => "an element of the list is a list, an object, or a number beyond the doubles",
            Self::Object => "it is an object",
            Self::Number => "it is a number beyond the doubles",
            Self::Obstructed => "what stands on the way to it is no object",
        }
    }
}

/// Tries a condition and all its parts on a request.
///
/// # Errors
///
/// One error per comparison of two declared lists, with its place.
pub fn trial<'a>(whole: &'a Part, lists: &Lists, facts: &Facts<'a>) -> Result<Trial<'a>, Vec<ConditionError>> {
    let mut readings = BTreeMap::new();
    let mut errors = Vec::new();
    read(whole, lists, facts, &mut readings, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Trial { readings, whole: tried(whole, lists, facts)? })
}

fn tried<'a>(part: &'a Part, lists: &Lists, facts: &Facts<'a>) -> Result<Tried<'a>, Vec<ConditionError>> {
    let outcome = Condition::new(part.expr.clone(), lists)?.evaluate(facts);
    let operands = part.operands.iter().map(|operand| tried(operand, lists, facts)).collect::<Result<_, _>>()?;
    Ok(Tried { part, outcome, operands })
}

/// Notes what the atoms of a part read, and those that compare two lists.
fn read<'a>(
    part: &'a Part,
    lists: &Lists,
    facts: &Facts<'a>,
    readings: &mut BTreeMap<&'a Term, Reading<'a>>,
    errors: &mut Vec<ConditionError>,
) {
    part.operands.iter().for_each(|operand| read(operand, lists, facts, readings, errors));
    let Expr::Atom(atom) = &part.expr else { return };
    for term in std::iter::once(atom.term()).chain(atom.other_term()) {
        readings.entry(term).or_insert_with(|| reading(term, lists.contains(term), facts));
    }
    if let Err(found) = Condition::new(part.expr.clone(), lists) {
        errors.extend(found.into_iter().map(|error| ConditionError { range: part.range.clone(), ..error }));
    }
}

fn reading<'a>(term: &Term, is_list: bool, facts: &Facts<'a>) -> Reading<'a> {
    let view = View::of(term, is_list, facts);
    let found = match raw(term, facts) {
        None if view.exists() => return Reading::Me(facts.me),
        None | Some(Ok(None)) => return Reading::Absent,
        Some(Err(_)) => return Reading::Unfit(Unfitness::Obstructed),
        Some(Ok(Some(found))) => found,
    };
    match (view, found) {
        (View::Other, Value::Array(_)) if is_list => Reading::Unfit(Unfitness::Element),
        (View::Other, Value::Array(_)) => Reading::Unfit(Unfitness::UndeclaredList),
        (View::Other, Value::Number(_)) => Reading::Unfit(Unfitness::Number),
        (View::Other, _) => Reading::Unfit(Unfitness::Object),
        _ if view.exists() => Reading::Value(found),
        _ => Reading::Empty(found),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::condition::parts;

    fn lists() -> Lists {
        [Term::parse("tags").unwrap(), Term::parse("more").unwrap(), Term::parse("odd").unwrap()].into_iter().collect()
    }

    /// The outcomes of the parts, outermost first, and why nothing could be tried.
    fn outcomes(text: &str, me: &str, document: &Value) -> Result<Vec<Outcome>, Vec<ConditionError>> {
        fn collect(tried: &Tried<'_>, into: &mut Vec<Outcome>) {
            into.push(tried.outcome);
            tried.operands.iter().for_each(|operand| collect(operand, into));
        }
        let (none, part) = (serde_json::Map::new(), parts(text).unwrap());
        let facts = Facts { me, caller: &none, action: &none, context: &none, document: document.as_object().unwrap() };
        let mut found = Vec::new();
        collect(&trial(&part, &lists(), &facts)?.whole, &mut found);
        Ok(found)
    }

    #[test]
    fn every_part_has_its_outcome() {
        use Outcome::False;
        use Outcome::True;
        use Outcome::Unfit;
        let document = json!({"a": 1, "o": {}, "tags": ["x"]});
        assert_eq!(outcomes("a = 1 and not a = 2", "", &document), Ok(vec![True, True, True, False]));
        assert_eq!(outcomes("a = 2 or tags = 'x'", "", &document), Ok(vec![True, False, True]));
        assert_eq!(outcomes("a = 1 or o = 1", "", &document), Ok(vec![Unfit, True, Unfit]));
    }

    #[test]
    fn two_lists_are_refused_at_their_place() {
        let errors = outcomes("a = 1 and tags = more", "", &json!({})).unwrap_err();
        assert_eq!(errors.iter().map(|error| (error.range.start, error.range.end)).collect::<Vec<_>>(), [(10, 21)]);
    }

    #[track_caller]
    fn check(term: &str, expected: Reading<'_>) {
        let document =
            json!({"null": null, "a": 1, "s": "x", "tags": ["x", null], "more": [null], "list": [1], "odd": ["x", {}], "o": {"in": 2}});
        let (none, own, term) = (serde_json::Map::new(), parts(term).unwrap(), Term::parse(term).unwrap());
        let facts = Facts { me: "ann", caller: &none, action: &none, context: &none, document: document.as_object().unwrap() };
        assert_eq!(trial(&own, &lists(), &facts).unwrap().readings, BTreeMap::from([(&term, expected)]));
    }

    #[test]
    fn what_was_read_is_told_apart() {
        check("b", Reading::Absent);
        check("o.b", Reading::Absent);
        check("`null`", Reading::Empty(&Value::Null));
        check("`null`.b", Reading::Absent);
        check("more", Reading::Empty(&json!([null])));
        check("{me}", Reading::Me("ann"));
        check("{me.a}", Reading::Absent);
        check("a", Reading::Value(&json!(1)));
        check("o.in", Reading::Value(&json!(2)));
        check("tags", Reading::Value(&json!(["x", null])));
        check("list", Reading::Unfit(Unfitness::UndeclaredList));
        check("odd", Reading::Unfit(Unfitness::Element));
        check("o", Reading::Unfit(Unfitness::Object));
        check("s.t", Reading::Unfit(Unfitness::Obstructed));
    }
}
