//! Attributes without which a condition comes out as it does because they are absent.
//!
//! A test that is denied (`x != 'a'`) holds where there is no `x`, and one that is not denied (`x > 5`) does not. Of both it is
//! asked whether the value of the condition hangs on it where `x` is absent.

use std::collections::BTreeMap;
use std::ops::Range;

use super::admitted::Showing;
use super::condition::Uses;
use super::example::Example;
use super::formula::negated;
use super::independent::own_term;
use super::search::Budget;
use super::search::Goal;
use super::tree::Kind;
use super::tree::MOST_PARTS;
use super::tree::Node;
use super::tree::Tree;
use crate::condition::Atom;
use crate::condition::CompareOp;
use crate::condition::Expr;
use crate::condition::Lists;
use crate::condition::Literal;
use crate::condition::Operand;
use crate::condition::Part;
use crate::condition::Term;
use crate::condition::parts;

/// An attribute whose absence makes a difference, with the tests that it comes through.
#[derive(Debug, Clone)]
pub struct Lacking {
    /// The attribute or fact.
    pub term: Term,
    /// The tests, in the order of their places.
    pub tests: Vec<Place>,
    /// What shows it, where the condition holds because of it.
    pub(super) showing: Option<Showing>,
    /// Values for which the condition holds because the tests come out as they measure, where it does not hold without the attribute.
    pub(super) held: Option<Example>,
}

/// A test in a condition, with the `not` in front of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Where it stands, in bytes of the text.
    pub range: Range<usize>,
    /// What stands there.
    pub expr: Expr,
    /// Whether an even number of `not` stands further out.
    pub positive: bool,
}

/// What is found of the attributes that a condition reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Missing {
    /// Attributes without which the condition holds, and would not if what it denies of them were so.
    pub admits: Vec<Lacking>,
    /// Attributes without which it does not hold, and would if a test of a limit, a network, or another fact held.
    ///
    /// Other tests of a document are left out: they say which documents are meant, and one without the attribute is none of them.
    pub misses: Vec<Lacking>,
}

impl Missing {
    /// What is found of a condition, as far as it is of use, in the tests that a filter keeps.
    pub fn of_tree(tree: &Tree<'_>, uses: Uses, keep: impl Fn(&Place) -> bool) -> Self {
        let kept = |lacking: Lacking| {
            let tests: Vec<Place> = lacking.tests.into_iter().filter(&keep).collect();
            (!tests.is_empty()).then_some(Lacking { tests, ..lacking })
        };
        let find = |is_of_use: bool, kind: fn(&Atom, bool) -> bool, look: fn(&Tree<'_>, &Term, &[usize]) -> Option<Lacking>| {
            let tests = if is_of_use { tests(tree, kind) } else { BTreeMap::new() };
            let mut found: Vec<Lacking> = tests.into_iter().filter_map(|(term, nodes)| look(tree, term, &nodes)).collect();
            found.sort_by_key(|lacking| lacking.tests.first().map(|test| test.range.start));
            found.into_iter().filter_map(kept).collect()
        };
        Self { admits: find(uses.grants, may_admit, admits), misses: find(uses.denials, may_miss, misses) }
    }

    /// The same of a condition whose tests are [independent](super::independent::are_independent): its value hangs on each of them.
    pub fn of_independent(text: &str, expr: &Expr, uses: Uses, lists: &Lists) -> Self {
        let mut found = Self::default();
        let (mut count, mut any) = (0, false);
        look_through(expr, true, &mut |part, positive| {
            count += 1;
            any |= matches!(part, Expr::Atom(atom) if uses.grants && may_admit(atom, positive) || uses.denials && may_miss(atom, positive));
        });
        if !any || count > MOST_PARTS {
            return found;
        }
        let Ok(whole) = parts(text) else { return found };
        each_test(&whole, true, None, &mut |atom, positive, place| {
            let Some(term) = own_term(atom) else { return };
            let test = || vec![Place { range: place.0.range.clone(), expr: place.0.expr.clone(), positive: place.1 }];
            if uses.grants && may_admit(atom, positive) {
                let turned = replaced(expr, &|atom| (own_term(atom) == Some(term)).then(|| !negated(atom)));
                let showing = Showing::new(term, turned, Example::hanging_on(term, expr, lists), lists);
                found.admits.push(Lacking { term: term.clone(), tests: test(), showing, held: None });
            }
            if uses.denials && may_miss(atom, positive) {
                let held = Example::held_by(term, expr, lists);
                found.misses.push(Lacking { term: term.clone(), tests: test(), showing: None, held });
            }
        });
        found
    }
}

/// Calls `visit` with every part, and whether an even number of `not` stands around it.
fn look_through<'e>(expr: &'e Expr, positive: bool, visit: &mut impl FnMut(&'e Expr, bool)) {
    visit(expr, positive);
    match expr {
        Expr::And(operands) | Expr::Or(operands) => operands.iter().for_each(|operand| look_through(operand, positive, visit)),
        Expr::Not(operand) => look_through(operand, !positive, visit),
        Expr::Atom(_) => {}
    }
}

/// Calls `visit` with every test from left to right, whether an even number of `not` stands around it, and the part that it is together
/// with the `not` in front of it.
fn each_test<'p>(
    part: &'p Part,
    positive: bool,
    outer: Option<(&'p Part, bool)>,
    visit: &mut impl FnMut(&'p Atom, bool, (&'p Part, bool)),
) {
    let own = outer.unwrap_or((part, positive));
    match &part.expr {
        Expr::And(_) | Expr::Or(_) => part.operands.iter().for_each(|operand| each_test(operand, positive, None, visit)),
        Expr::Not(_) => part.operands.iter().for_each(|operand| each_test(operand, !positive, Some(own), visit)),
        Expr::Atom(atom) => visit(atom, positive, own),
    }
}

/// That the condition holds for some request without an attribute, and would not if the tests came out the other way.
fn admits(tree: &Tree<'_>, term: &Term, nodes: &[usize]) -> Option<Lacking> {
    let turned = turned(tree, nodes);
    let [without, absent] = [&turned, &absent(term)].map(|expr| tree.formula(expr));
    let goals = [Goal::no(&without), Goal::yes(&absent)];
    let model = tree.model(goals.into_iter().chain(tree.goal(Tree::ROOT, true)), Budget::default())?;
    let example = Example::of_model(&tree.condition, &tree.vocabulary, model);
    let showing = Showing::new(term, turned, example, tree.lists);
    Some(Lacking { term: term.clone(), tests: places(tree, nodes), showing, held: None })
}

/// That the condition does not hold for some request without an attribute, and would if the tests came out the other way.
fn misses(tree: &Tree<'_>, term: &Term, nodes: &[usize]) -> Option<Lacking> {
    let [turned, absent] = [turned(tree, nodes), absent(term)].map(|expr| tree.formula(&expr));
    let goals = [Goal::yes(&turned), Goal::yes(&absent)];
    let possible = tree.possible(goals.into_iter().chain(tree.goal(Tree::ROOT, false)), Budget::default()) == Some(true);
    possible.then(|| Lacking { term: term.clone(), tests: places(tree, nodes), showing: None, held: None })
}

/// The tests of each attribute that a filter takes, which also sees whether an even number of `not` stands around a test.
fn tests<'t>(tree: &'t Tree<'_>, takes: impl Fn(&Atom, bool) -> bool) -> BTreeMap<&'t Term, Vec<usize>> {
    let mut by_term: BTreeMap<&Term, Vec<usize>> = BTreeMap::new();
    for (at, node) in tree.nodes.iter().enumerate() {
        let Expr::Atom(atom) = &node.part.expr else { continue };
        if takes(atom, node.positive) {
            for term in std::iter::once(atom.term()).chain(atom.other_term()).filter(|term| **term != Term::Me) {
                by_term.entry(term).or_default().push(at);
            }
        }
    }
    by_term
}

/// The condition if some tests came out the other way than they do without their attribute.
fn turned(tree: &Tree<'_>, nodes: &[usize]) -> Expr {
    let other_way = |node: &usize| match &tree.get(*node)?.part.expr {
        Expr::Atom(atom) => Some((*node, !negated(atom))),
        _ => None,
    };
    tree.settled(Tree::ROOT, &nodes.iter().filter_map(other_way).collect())
}

fn places(tree: &Tree<'_>, nodes: &[usize]) -> Vec<Place> {
    nodes.iter().filter_map(|&node| place(tree, node)).collect()
}

fn place(tree: &Tree<'_>, node: usize) -> Option<Place> {
    let mut node: &Node<'_> = tree.get(node)?;
    while let Some(outer) = node.parent.and_then(|parent| tree.get(parent)).filter(|outer| outer.kind == Kind::Not) {
        node = outer;
    }
    Some(Place { range: node.part.range.clone(), expr: node.part.expr.clone(), positive: node.positive })
}

/// Whether a condition may hold because of what a test, with so many `not` around it, denies of an attribute.
fn may_admit(atom: &Atom, positive: bool) -> bool {
    negated(atom) == positive && !speaks_of_absence(atom)
}

/// Whether a condition may fail because a test, with so many `not` around it, measures an attribute.
fn may_miss(atom: &Atom, positive: bool) -> bool {
    negated(atom) != positive && sets_a_limit(atom)
}

/// Whether a test says by itself what becomes of an absent attribute. A bare attribute is defined as present and not false.
fn speaks_of_absence(atom: &Atom) -> bool {
    matches!(atom, Atom::Bare(_) | Atom::Exists(_) | Atom::Compare { operand: Operand::Literal(Literal::Null), .. })
}

/// Whether a test measures something, and does not only say which documents are meant.
fn sets_a_limit(atom: &Atom) -> bool {
    let ordered = matches!(atom, Atom::Compare { op: CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge, .. });
    let of_request = !matches!(atom.term(), Term::Document(_));
    !speaks_of_absence(atom) && (ordered || of_request || atom.other_term().is_some() || matches!(atom, Atom::InCidr { .. }))
}

/// That a term is absent.
pub(super) fn absent(term: &Term) -> Expr {
    Expr::Atom(Atom::Compare { term: term.clone(), op: CompareOp::Eq, operand: Operand::Literal(Literal::Null) })
}

impl Place {
    /// The test as it has to come out for the condition to hold rather.
    pub(super) fn satisfied(&self) -> Expr {
        if self.positive { self.expr.clone() } else { Expr::Not(Box::new(self.expr.clone())) }
    }
}

/// An expression with some tests settled.
pub(super) fn replaced(expr: &Expr, outcome: &impl Fn(&Atom) -> Option<bool>) -> Expr {
    match expr {
        Expr::And(operands) => Expr::all(operands.iter().map(|operand| replaced(operand, outcome)).collect()),
        Expr::Or(operands) => Expr::any(operands.iter().map(|operand| replaced(operand, outcome)).collect()),
        Expr::Not(operand) => Expr::Not(Box::new(replaced(operand, outcome))),
        Expr::Atom(atom) => match outcome(atom) {
            Some(true) => Expr::And(Vec::new()),
            Some(false) => Expr::Or(Vec::new()),
            None => expr.clone(),
        },
    }
}

/// Whether an atom reads a term.
pub(super) fn reads(atom: &Atom, term: &Term) -> bool {
    atom.term() == term || atom.other_term() == Some(term)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::analysis::Examined;

    fn examined(text: &str) -> Examined {
        Examined::new(&Arc::from(text), &Lists::default()).expect("a condition")
    }

    #[track_caller]
    fn check(found: &[Lacking], text: &str, expected: &[(&str, &[&str])]) {
        let found: Vec<(String, Vec<&str>)> = found
            .iter()
            .map(|lacking| (lacking.term.to_string(), lacking.tests.iter().map(|test| &text[test.range.clone()]).collect()))
            .collect();
        let expected: Vec<(String, Vec<&str>)> = expected.iter().map(|(term, tests)| ((*term).to_owned(), tests.to_vec())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_is_denied_lets_absence_in() {
        let admits = |text: &str, expected: &[(&str, &[&str])]| check(&examined(text).admits, text, expected);
        admits("a != 1", &[("a", &["a != 1"])]);
        admits("not a = 1", &[("a", &["not a = 1"])]);
        admits("not not a != 1", &[("a", &["not not a != 1"])]);
        admits("a != 1 and a != 2 and b = 1", &[("a", &["a != 1", "a != 2"])]);
        admits("a != 1 and exists a", &[]);
        admits("a != 1 or a = null", &[]);
        admits("(a != 1 or c) and (a > 2 or not c)", &[("a", &["a != 1"])]);
        admits("not (a = 1 or b < 2)", &[("a", &["a = 1"]), ("b", &["b < 2"])]);
        admits("a not in (1) or a != 2", &[]);
        admits("not a", &[]);
        admits("not (a = null) and not exists b", &[]);
    }

    #[test]
    fn what_measures_lets_absence_out() {
        let misses = |text: &str, expected: &[(&str, &[&str])]| check(&examined(text).misses, text, expected);
        misses("a > 1", &[("a", &["a > 1"])]);
        misses("not (not (a > 1))", &[("a", &["not (not (a > 1))"])]);
        misses("not (a <= 1)", &[]);
        misses("a = 1", &[]);
        misses("a like 'x%' or a in (1, 2) or exists a", &[]);
        misses("{context.a} = 1", &[("{context.a}", &["{context.a} = 1"])]);
        misses("a = {me}", &[("a", &["a = {me}"])]);
        misses("a > 1 or a = null", &[]);
        misses("exists {me.a}", &[]);
    }
}
