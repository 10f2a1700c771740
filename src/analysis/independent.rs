//! Conditions whose tests have nothing to do with each other, which are most of them.
//!
//! Where every value is read once, none lies inside another, nothing else of a request settles one, and each test can come out both ways,
//! some request makes the tests come out in any way one likes. By induction each part of such a condition can then hold and can
//! fail, whatever becomes of the rest; and the whole hangs on a part where the operands beside the way to it hold in every `and` and fail
//! in every `or`, which can be so. Hence the condition can hold, can fail, no operand of it is redundant, and it hangs on each of
//! its tests where the value is absent: all that without a formula, and without a search. Of `{me}` one caller is enough for all
//! tests: a value is made equal to it, or is absent.

use crate::condition::Atom;
use crate::condition::CompareOp;
use crate::condition::Expr;
use crate::condition::Lists;
use crate::condition::Literal;
use crate::condition::Operand;
use crate::condition::Path;
use crate::condition::Term;

/// Whether the tests of a condition can come out in any way, together. It may be so where this does not say it.
pub(super) fn are_independent(expr: &Expr, lists: &Lists) -> bool {
    let mut terms = Vec::new();
    collect(expr, lists, &mut terms) && are_apart(&mut terms)
}

/// Whether terms are all different, and none lies inside another.
pub(super) fn are_apart(terms: &mut [&Term]) -> bool {
    // In this order, whatever comes between a term and one that lies inside it lies inside it too.
    terms.sort_unstable();
    terms.windows(2).all(|pair| matches!(pair, [one, two] if one != two && !one.contains(two)))
}

/// Adds the terms whose values the tests are about; false if a test may come out one way only, or not by its value alone.
fn collect<'e>(expr: &'e Expr, lists: &Lists, terms: &mut Vec<&'e Term>) -> bool {
    match expr {
        Expr::And(operands) | Expr::Or(operands) => !operands.is_empty() && operands.iter().all(|operand| collect(operand, lists, terms)),
        Expr::Not(operand) => collect(operand, lists, terms),
        Expr::Atom(atom) => {
            let own = own_term(atom).filter(|term| is_free(term) && may_hold(atom));
            terms.extend(own);
            // Of a list of ids it would matter which of them are compared with it.
            own.is_some() && (atom.other_term().is_none() || !lists.contains(&Term::Me))
        }
    }
}

/// The term whose value a test is about; `None` if it is about more than that, or than that and the id of the caller.
pub(super) fn own_term(atom: &Atom) -> Option<&Term> {
    match atom {
        Atom::Compare { term, op: CompareOp::Eq | CompareOp::Ne, operand: Operand::Term(Term::Me) } => Some(term),
        Atom::Compare { term: Term::Me, op: CompareOp::Eq | CompareOp::Ne, operand: Operand::Term(other) } => Some(other),
        Atom::Compare { operand: Operand::Term(_), .. } => None,
        _ => Some(atom.term()),
    }
}

/// Whether nothing else of a request says anything of a value.
pub(super) fn is_free(term: &Term) -> bool {
    let is_none_of = |path: &Path, names: &[&str]| path.names().first().is_some_and(|name| !names.contains(&name.as_str()));
    match term {
        Term::Me => false,
        Term::Document(path) => is_none_of(path, &["_id"]),
        Term::Caller(path) => is_none_of(path, &["groups"]),
        Term::Action(_) => true,
        Term::Context(path) => is_none_of(path, &["source", "after"]),
    }
}

/// Whether some value that is there makes the test, taken without its negation, come out true. Where none is there it comes out false.
fn may_hold(atom: &Atom) -> bool {
    match atom {
        Atom::Bare(_) | Atom::Exists(_) | Atom::Like { .. } | Atom::Compare { operand: Operand::Term(_), .. } => true,
        Atom::Compare { op, operand: Operand::Literal(literal), .. } => match (op, literal) {
            (CompareOp::Eq | CompareOp::Ne, _) => true,
            (_, Literal::Null | Literal::Bool(_)) => false,
            (CompareOp::Lt, Literal::Number(number)) => number.get() > f64::MIN,
            (CompareOp::Gt, Literal::Number(number)) => number.get() < f64::MAX,
            (CompareOp::Lt, Literal::String(text)) => !text.is_empty(),
            (CompareOp::Le | CompareOp::Gt | CompareOp::Ge, _) => true,
        },
        Atom::In { values, .. } => values.iter().any(|value| *value != Literal::Null),
        Atom::InCidr { networks, .. } => !networks.is_empty(),
        // It is not known what strings there are that a regular expression fits.
        Atom::Matches { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::condition::parse;

    fn lists() -> Lists {
        ["tags", "{me.roles}"].iter().map(|term| Term::parse(term).expect("a term")).collect()
    }

    #[track_caller]
    fn check(text: &str, expected: bool) {
        assert_eq!(are_independent(&parse(text).expect("a condition").expr, &lists()), expected, "{text}");
    }

    #[test]
    fn tests_of_values_that_are_read_once_are_independent() {
        check("a = 1", true);
        check("a = 1 and (b or not exists c.d) and not (c.e < 5 or tags in ('x', 'y') or {context.ip} in cidr ('::/0'))", true);
        check("a = null or b != null or ab like '%'", true);
        check("owner = {me} or {me} != author or tags = {me}", true);
        check("{me.roles} = 'r' and {me.a} = 1 and {action.a} = 1 and {context.a} = 1", true);
    }

    #[test]
    fn whatever_is_read_twice_or_tied_to_something_else_is_not() {
        check("a = 1 or a = 2", false);
        check("a = 1 and b = 2 and a.b = 2", false);
        check("a.b.c and a", false);
        check("a = b", false);
        check("a < {me}", false);
        check("{me} = {me}", false);
        check("{me} = 'x'", false);
        check("_id = 'x'", false);
        check("_id.x = 'x'", false);
        check("{me.groups} = 'x'", false);
        check("{context.source} = 'public'", false);
        check("{context.source.x} = 'public'", false);
        check("{context.after.x} = 1", false);
        check("a matches 'x'", false);
    }

    #[test]
    fn tests_that_come_out_one_way_only_are_not() {
        check("a < ''", false);
        check("a <= '' or b > ''", true);
        check(&format!("a < {}", f64::MIN), false);
        check(&format!("a > {}", f64::MAX), false);
        check(&format!("a <= {} and b >= {}", f64::MIN, f64::MAX), true);
        let atom = |values| Expr::Atom(Atom::In { term: Term::parse("a").expect("a term"), values, negated: false });
        assert!(!are_independent(&atom(vec![]), &lists()) && !are_independent(&atom(vec![Literal::Null]), &lists()));
        assert!(!are_independent(&Expr::And(vec![]), &lists()) && !are_independent(&Expr::Or(vec![]), &lists()));
    }

    proptest! {
        /// In the order of terms, those that lie inside one come right behind it.
        #[test]
        fn what_lies_inside_another_is_seen(terms in prop::collection::vec("[abc](\\.[abc]){0,2}", 1..6)) {
            let text = terms.iter().map(|term| format!("exists {term}")).collect::<Vec<_>>().join(" and ");
            let terms: Vec<Term> = terms.iter().map(|term| Term::parse(term).expect("a term")).collect();
            let meet = |(at, one): (usize, &Term)| terms.iter().skip(at + 1).any(|two| one == two || one.contains(two) || two.contains(one));
            prop_assert_eq!(are_independent(&parse(&text).expect("a condition").expr, &lists()), !terms.iter().enumerate().any(meet));
        }
    }
}
