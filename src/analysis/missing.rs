//! Requests that lack an attribute, where a condition lets them pass because of that.
//!
//! A test that is denied (`x != 'a'`) holds where there is no `x`, and one that is not denied (`x > 5`) does not. Of both it is
//! asked whether the value of the condition hangs on it where `x` is absent. What is told of a law book is told with a request that
//! has been decided.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value as Json;

use super::condition::Kind;
use super::condition::Node;
use super::condition::Tree;
use super::model::Value;
use super::question::Analysis;
use super::question::Found;
use super::search::Budget;
use super::search::Goal;
use super::values::ValueSet;
use crate::condition::Atom;
use crate::condition::CompareOp;
use crate::condition::Condition;
use crate::condition::Expr;
use crate::condition::Lists;
use crate::condition::Literal;
use crate::condition::Operand;
use crate::condition::Term;
use crate::decision::Request;
use crate::decision::applies;
use crate::decision::decide;
use crate::policy::Actions;
use crate::policy::Effect;
use crate::policy::Member;
use crate::policy::Selector;
use crate::policy::Statement;

/// So many grants are tried for a denial to be escaped from.
const GRANTS: usize = 16;

/// So often other denials that catch a request are added to the question.
const ROUNDS: usize = 8;

/// So many kinds of callers are tried.
const CALLERS: usize = 8;

/// An attribute whose absence makes a difference, with the tests that it comes through.
#[derive(Debug, Clone, PartialEq)]
pub struct Lacking {
    /// The attribute or fact.
    pub term: Term,
    /// The tests, in the order of their places.
    pub tests: Vec<Place>,
    /// The condition if the tests came out the other way.
    turned: Expr,
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

impl Lacking {
    /// The same with some of the tests; `None` if none is left.
    pub(super) fn only(mut self, keep: impl Fn(&Place) -> bool) -> Option<Self> {
        self.tests.retain(keep);
        (!self.tests.is_empty()).then_some(self)
    }
}

/// Attributes without which a condition holds, and would not if what it denies of them were so.
pub(super) fn admits(tree: &Tree<'_>) -> Vec<Lacking> {
    tests(tree, |atom, denied| denied && !speaks_of_absence(atom)).into_iter().filter(|lacking| hangs(tree, lacking, true)).collect()
}

/// Attributes without which a condition does not hold, and would if a test of a limit, a network, or another fact held.
///
/// Other tests of a document are left out: they say which documents are meant, and one without the attribute is none of them.
pub(super) fn misses(tree: &Tree<'_>) -> Vec<Lacking> {
    tests(tree, |atom, denied| !denied && sets_a_limit(atom)).into_iter().filter(|lacking| hangs(tree, lacking, false)).collect()
}

/// Whether the condition holds (or fails) for some request without the attribute, and would not if the tests came out the other way.
fn hangs(tree: &Tree<'_>, lacking: &Lacking, holds: bool) -> bool {
    let (turned, absent) = (tree.formula(&lacking.turned), tree.formula(&absent(&lacking.term)));
    let goals = [Goal { formula: &turned, holds: !holds }, Goal::yes(&absent)];
    tree.possible(goals.into_iter().chain(tree.goal(Tree::ROOT, holds)), Budget::default()) == Some(true)
}

/// The tests of each attribute that a filter takes, which also sees whether the condition holds rather when the test fails.
fn tests(tree: &Tree<'_>, takes: impl Fn(&Atom, bool) -> bool) -> Vec<Lacking> {
    let mut by_term: BTreeMap<&Term, Vec<usize>> = BTreeMap::new();
    for (at, node) in tree.nodes.iter().enumerate() {
        let Expr::Atom(atom) = &node.part.expr else { continue };
        if !takes(atom, negated(atom) == node.positive) {
            continue;
        }
        for term in std::iter::once(atom.term()).chain(atom.other_term()).filter(|term| **term != Term::Me) {
            by_term.entry(term).or_default().push(at);
        }
    }
    let mut lacking: Vec<Lacking> = by_term.into_iter().map(|(term, nodes)| turn(tree, term, &nodes)).collect();
    lacking.sort_by_key(|lacking| lacking.tests.first().map(|test| test.range.start));
    lacking
}

fn turn(tree: &Tree<'_>, term: &Term, nodes: &[usize]) -> Lacking {
    // Without the attribute a test comes out as its negation says.
    let other_way = |node: &usize| match &tree.get(*node)?.part.expr {
        Expr::Atom(atom) => Some((*node, !negated(atom))),
        _ => None,
    };
    let truths: BTreeMap<usize, bool> = nodes.iter().filter_map(other_way).collect();
    let tests = nodes.iter().filter_map(|&node| place(tree, node)).collect();
    Lacking { term: term.clone(), tests, turned: tree.settled(Tree::ROOT, &truths) }
}

fn place(tree: &Tree<'_>, node: usize) -> Option<Place> {
    let mut node: &Node<'_> = tree.get(node)?;
    while let Some(outer) = node.parent.and_then(|parent| tree.get(parent)).filter(|outer| outer.kind == Kind::Not) {
        node = outer;
    }
    Some(Place { range: node.part.range.clone(), expr: node.part.expr.clone(), positive: node.positive })
}

/// Whether a test holds where its attribute is absent.
fn negated(atom: &Atom) -> bool {
    match atom {
        Atom::Bare(_) | Atom::Exists(_) => false,
        Atom::Compare { op, operand: Operand::Literal(Literal::Null), .. } => *op == CompareOp::Eq,
        Atom::Compare { op, .. } => *op == CompareOp::Ne,
        Atom::In { negated, .. } | Atom::InCidr { negated, .. } | Atom::Like { negated, .. } | Atom::Matches { negated, .. } => *negated,
    }
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

fn absent(term: &Term) -> Expr {
    Expr::Atom(Atom::Compare { term: term.clone(), op: CompareOp::Eq, operand: Operand::Literal(Literal::Null) })
}

/// An AuthZEN evaluation request without an attribute to which a grant applies only because of what it denies of the attribute;
/// of a control, one that it lets pass only because of that. The statement has been run on it.
pub fn admitted(statement: &Statement, lacking: &Lacking, lists: &Lists) -> Option<Json> {
    let whom = Statement { condition: None, effect: Effect::Allow, ..statement.clone() };
    let turned = match statement.effect {
        Effect::Allow => lacking.turned.clone(),
        // What the statement says is that the requirement is not met.
        Effect::Deny => Expr::Not(Box::new(lacking.turned.clone())),
    };
    let turned = with_condition(statement, turned, statement.effect, lists)?;
    let absent = anywhere(statement, absent(&lacking.term), lists)?;
    let (holds, fails) = match statement.effect {
        Effect::Allow => (statement, &turned),
        Effect::Deny => (&turned, statement),
    };
    let proves =
        |request: &Request| applies(&whom, request) && applies(&absent, request) && applies(holds, request) && !applies(fails, request);
    let hold = [whom.clone(), absent.clone(), holds.clone()];
    let question = Question::new(&hold, std::slice::from_ref(fails));
    question.found().into_iter().find_map(|found| question.analysis.witness(&found, proves))
}

/// The statements of a law book by what they are about, so that not each of them needs a look for each denial.
#[derive(Debug)]
pub struct Headers<'a> {
    statements: &'a [Statement],
    positions: HashMap<(&'a Selector, &'a Selector), HashMap<&'a Actions, Vec<usize>>>,
}

impl<'a> Headers<'a> {
    /// Sorts the statements of a law book.
    pub fn new(statements: &'a [Statement]) -> Self {
        let mut positions: HashMap<_, HashMap<_, Vec<usize>>> = HashMap::new();
        for (position, Statement { service, source, actions, .. }) in statements.iter().enumerate() {
            positions.entry((service, source)).or_default().entry(actions).or_default().push(position);
        }
        Self { statements, positions }
    }

    /// The statements whose headers, members left aside, have something in common with that of one, in the order of the law book.
    pub fn reach(&self, one: &Statement) -> Vec<&'a Statement> {
        let places = self.positions.iter().filter(|((service, source), _)| one.service.overlaps(service) && one.source.overlaps(source));
        let there = places.flat_map(|(_, there)| there).filter(|(actions, _)| one.actions.overlaps(actions));
        let mut reach: Vec<usize> = there.flat_map(|(_, at)| at).copied().collect();
        reach.sort_unstable();
        reach.into_iter().filter_map(|position| self.statements.get(position)).collect()
    }
}

/// An AuthZEN evaluation request without an attribute that the law book allows, though the denial would apply to it if the attribute had
/// some value; both have been run on it. `reach` is all of the law book that has anything in common with the denial. It need not hold the
/// denial, which may be disabled.
pub fn escaped(denial: &Statement, lacking: &Lacking, reach: &[&Statement], lists: &Lists) -> Option<Json> {
    let grants = || reach.iter().copied().filter(|statement| statement.effect == Effect::Allow);
    let (near, far) = (grants().filter(|grant| shares_a_member(grant, denial)), grants().filter(|grant| !shares_a_member(grant, denial)));
    near.chain(far).take(GRANTS).find_map(|grant| escaped_with(denial, grant, lacking, reach, lists))
}

/// The same with one grant.
fn escaped_with(denial: &Statement, grant: &Statement, lacking: &Lacking, reach: &[&Statement], lists: &Lists) -> Option<Json> {
    let term = &lacking.term;
    if !may_be_one(grant, denial) || ask_for_different_values(grant, denial, term) {
        return None;
    }
    let caught = with_condition(denial, denial.condition.as_ref()?.expr().clone(), Effect::Allow, lists)?;
    let some_test = anywhere(denial, Expr::any(lacking.tests.iter().map(Place::satisfied).collect()), lists)?;
    let whom = Statement { condition: None, ..denial.clone() };
    let hold = [without(grant, term, lists)?, caught, some_test];
    let mut others: BTreeSet<usize> = BTreeSet::new();
    for _ in 0..ROUNDS {
        let in_the_way = others.iter().filter_map(|&at| reach.get(at).copied());
        let fail: Vec<Statement> = std::iter::once(denial).chain(in_the_way).filter_map(|one| without(one, term, lists)).collect();
        let question = Question::new(&hold, &fail);
        let known = others.len();
        for found in question.found() {
            if question.analysis.witness(&found, |request| applies(denial, request)).is_none() {
                continue;
            }
            let denials = RefCell::new(BTreeSet::new());
            let allowed = |request: &Request| {
                let applying = |effect| (0..).zip(reach).filter(move |(_, one)| one.effect == effect && applies(one, request));
                let denying: Vec<usize> = applying(Effect::Deny).map(|(at, _)| at).collect();
                let is_denied = !denying.is_empty();
                denials.borrow_mut().extend(denying);
                // Where a denial applies, no grant needs a look. Without `{context.source}` a request may be about another source.
                !is_denied
                    && applies(&whom, request)
                    && !applies(denial, request)
                    && decide(applying(Effect::Allow).map(|(_, one)| *one), request).allowed
            };
            let witness = question.analysis.witness(&question.lacking(found, term, lists), allowed);
            if witness.is_some() {
                return witness;
            }
            others.append(&mut denials.into_inner());
        }
        if others.len() == known {
            return None;
        }
    }
    None
}

/// Statements made ready, of which some are to apply and the others not.
struct Question {
    analysis: Analysis,
    hold: usize,
}

impl Question {
    fn new(hold: &[Statement], fail: &[Statement]) -> Self {
        Self { analysis: Analysis::new(&[&[hold, fail].concat()]), hold: hold.len() }
    }

    /// A request of every kind of caller that can make one.
    fn found(&self) -> Vec<Found> {
        let Some(side) = self.analysis.side(0) else { return Vec::new() };
        let Some((hold, fail)) = side.statements.split_at_checked(self.hold) else { return Vec::new() };
        let roots: Vec<_> = hold.iter().collect();
        let cases = side.cases(&roots).unwrap_or_default();
        let ask = |caller| self.analysis.ask(caller, &self.analysis.applying(hold, caller), &self.analysis.applying(fail, caller)).yes();
        cases.iter().take(CALLERS).filter_map(|case| ask(&case.caller)).collect()
    }

    /// The same request without an attribute.
    fn lacking(&self, mut found: Found, term: &Term, lists: &Lists) -> Found {
        if let Some(id) = self.analysis.vocabulary.fact(term, lists.contains(term)) {
            found.model.insert(id, Value::Absent);
        }
        found
    }
}

impl Place {
    /// The test as it has to come out for the condition to hold rather.
    fn satisfied(&self) -> Expr {
        if self.positive { self.expr.clone() } else { Expr::Not(Box::new(self.expr.clone())) }
    }
}

/// The statement with another condition and effect.
fn with_condition(statement: &Statement, condition: Expr, effect: Effect, lists: &Lists) -> Option<Statement> {
    let condition = Condition::new(condition, lists).ok()?;
    Some(Statement { condition: Some(Arc::new(condition)), effect, ..statement.clone() })
}

/// A statement that applies to every request for which an expression holds.
fn anywhere(like: &Statement, condition: Expr, lists: &Lists) -> Option<Statement> {
    let all = Statement {
        actions: Actions::Any,
        service: Selector::Any,
        source: Selector::Any,
        members: vec![Member::Everyone],
        except: Vec::new(),
        ..like.clone()
    };
    with_condition(&all, condition, Effect::Allow, lists)
}

/// The statement as it is where an attribute is absent.
fn without(statement: &Statement, term: &Term, lists: &Lists) -> Option<Statement> {
    match &statement.condition {
        None => Some(statement.clone()),
        Some(condition) => with_condition(statement, settled(condition.expr(), term), statement.effect, lists),
    }
}

fn settled(expr: &Expr, term: &Term) -> Expr {
    match expr {
        Expr::And(operands) => Expr::all(operands.iter().map(|operand| settled(operand, term)).collect()),
        Expr::Or(operands) => Expr::any(operands.iter().map(|operand| settled(operand, term)).collect()),
        Expr::Not(operand) => Expr::Not(Box::new(settled(operand, term))),
        Expr::Atom(atom) if atom.term() != term && atom.other_term() != Some(term) => expr.clone(),
        Expr::Atom(atom) if negated(atom) => Expr::And(Vec::new()),
        Expr::Atom(_) => Expr::Or(Vec::new()),
    }
}

/// Whether both of two conditions ask for a value of the same attribute, but not for the same. The one that is to be absent is left aside.
fn ask_for_different_values(one: &Statement, two: &Statement, aside: &Term) -> bool {
    let (Some(one), Some(two)) = (&one.condition, &two.condition) else { return false };
    asked(one).filter(|(term, _)| *term != aside && !one.is_list(term)).any(|(term, operand)| {
        let set = || ValueSet::compared(CompareOp::Eq, operand);
        asked(two).any(|(other, its)| other == term && its != operand && set().is_disjoint(&ValueSet::compared(CompareOp::Eq, its)))
    })
}

/// The constants that a condition needs attributes to be equal to.
fn asked(condition: &Condition) -> impl Iterator<Item = (&Term, &Literal)> {
    let parts = match condition.expr() {
        Expr::And(parts) => parts.as_slice(),
        other => std::slice::from_ref(other),
    };
    parts.iter().filter_map(|part| match part {
        Expr::Atom(Atom::Compare { term, op: CompareOp::Eq, operand: Operand::Literal(literal) }) if *literal != Literal::Null => {
            Some((term, literal))
        }
        _ => None,
    })
}

/// Whether some caller may be a member of both: nobody has two addresses.
fn may_be_one(one: &Statement, two: &Statement) -> bool {
    let address = |member: &Member| matches!(member, Member::Email(_));
    !one.members.iter().chain(&two.members).all(address) || shares_a_member(one, two)
}

/// Whether a caller who is a member of one need be nothing more to be a member of the other.
fn shares_a_member(one: &Statement, two: &Statement) -> bool {
    let everyone = |statement: &Statement| statement.members.contains(&Member::Everyone);
    everyone(one) || everyone(two) || one.members.iter().any(|member| two.members.contains(member))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::Examined;
    use crate::analysis::sample::statement;
    use crate::condition::arbitrary;

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

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever request is shown, it has been run; and for the generated conditions there nearly always is one.
        #[test]
        fn every_request_that_is_shown_proves_what_is_said(expr in arbitrary::expr()) {
            let lists = Lists::default();
            let text = expr.to_string();
            let mut grant = statement("G", Effect::Allow, "read | r | s | g except h");
            grant.condition = Some(Arc::new(Condition::new(expr.clone(), &lists).expect("fits")));
            for lacking in examined(&text).admits {
                let Some(shown) = admitted(&grant, &lacking, &lists) else { continue };
                let request = Request::from_authzen(&shown).expect("a request");
                prop_assert!(applies(&grant, &request), "{} {}", text, shown);
                let absent = Condition::new(absent(&lacking.term), &lists).expect("fits");
                prop_assert_eq!(absent.evaluate(&request.facts()), crate::condition::Outcome::True, "{} {}", text, shown);
            }
        }

        #[test]
        fn whatever_escapes_is_allowed_and_would_be_denied(one in arbitrary::expr(), two in arbitrary::expr()) {
            let lists = Lists::default();
            let text = one.to_string();
            let with = |effect, header: &str, expr: Expr| {
                let mut statement = statement("P", effect, header);
                statement.condition = Some(Arc::new(Condition::new(expr, &lists).expect("fits")));
                statement
            };
            let denial = with(Effect::Deny, "read | r | * | g", one);
            let book = [statement("G", Effect::Allow, "read | * | s | h"), with(Effect::Deny, "read | r | s | *", two), denial.clone()];
            for lacking in examined(&text).misses {
                let Some(shown) = escaped(&denial, &lacking, &Headers::new(&book).reach(&denial), &lists) else { continue };
                let request = Request::from_authzen(&shown).expect("a request");
                prop_assert!(decide(&book, &request).allowed, "{} {}", text, shown);
            }
        }
    }

    #[test]
    fn other_denials_are_seen_to() {
        let escapes = |others: &[&str]| {
            let denial = statement("D", Effect::Deny, "read | r | s | h | a > 1");
            let lacking = examined("a > 1").misses.remove(0);
            let others = others.iter().map(|text| statement("O", Effect::Deny, text));
            let grant = statement("G", Effect::Allow, "read | r | s | g");
            let book: Vec<Statement> = [grant, denial.clone()].into_iter().chain(others).collect();
            escaped(&denial, &lacking, &Headers::new(&book).reach(&denial), &Lists::default()).is_some()
        };
        assert!(escapes(&[]));
        assert!(escapes(&[
            "read | r | s | i",
            "read | q | s | *",
            "read | r | s | * | b = 1",
            "read | r | s | g | not exists b and c = null"
        ]));
        assert!(!escapes(&["read | r | s | g | b = 1", "read | r | s | * | b != 1"]));
        assert!(!escapes(&["read | r | s | * | a = null"]));
    }
}
