//! Requests that a denial misses because they lack what it measures.
//!
//! Whether one is allowed hangs on the whole law book: a grant has to apply to it, and no other denial. What is told is told with a
//! request that has been decided.

use std::borrow::Borrow;
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::collections::BinaryHeap;
use std::collections::HashMap;

use serde_json::Value as Json;

use super::example::Example;
use super::formula::negated;
use super::missing::Lacking;
use super::missing::Place;
use super::missing::reads;
use super::missing::replaced;
use super::people::EVERYONE;
use super::people::MemberId;
use super::pose::Question;
use super::pose::anywhere;
use super::pose::with_condition;
use super::question::Analysis;
use super::request::Asked;
use super::side::Side;
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
use crate::decision::concerns;
use crate::policy::Actions;
use crate::policy::Effect;
use crate::policy::Member;
use crate::policy::Selector;
use crate::policy::Statement;

/// So many grants are tried for a denial to be escaped from.
const GRANTS: usize = 16;

/// So often other denials that catch a request are added to the question.
const ROUNDS: usize = 8;

/// The grants of a law book by what they are about, so that not each of them needs a look for each denial.
#[derive(Debug)]
pub struct Grants<'a> {
    statements: Vec<&'a Statement>,
    positions: HashMap<(&'a Selector, &'a Selector), HashMap<&'a Actions, Vec<usize>>>,
}

impl<'a> Grants<'a> {
    /// Sorts the grants of a law book.
    pub fn new<S: Borrow<Statement>>(statements: &'a [S]) -> Self {
        let statements: Vec<&Statement> = statements.iter().map(Borrow::borrow).collect();
        let mut positions: HashMap<_, HashMap<_, Vec<usize>>> = HashMap::new();
        for (position, Statement { service, source, actions, effect, .. }) in statements.iter().copied().enumerate() {
            if *effect == Effect::Allow {
                positions.entry((service, source)).or_default().entry(actions).or_default().push(position);
            }
        }
        Self { statements, positions }
    }

    /// The grants whose headers, members left aside, have something in common with that of a statement, in the order of the law book.
    /// Only those that are asked for are looked up.
    fn beside<'s>(&'s self, one: &Statement) -> impl Iterator<Item = &'a Statement> {
        let places = self.positions.iter().filter(|((service, source), _)| one.service.overlaps(service) && one.source.overlaps(source));
        let there = places.flat_map(|(_, there)| there).filter(|(actions, _)| one.actions.overlaps(actions));
        let next = |list: &'s [usize]| list.split_first().map(|(first, rest)| Reverse((*first, rest)));
        let mut lists: BinaryHeap<Reverse<(usize, &[usize])>> = there.filter_map(|(_, list)| next(list)).collect();
        std::iter::from_fn(move || {
            let Reverse((position, rest)) = lists.pop()?;
            lists.extend(next(rest));
            self.statements.get(position).copied()
        })
    }
}

impl Analysis {
    /// An AuthZEN evaluation request without an attribute that the first law book allows, though a denial would apply to it if the
    /// attribute had some value; both have been run on it. The denial stands at a position of the law book, if it is not disabled.
    pub fn escaped(
        &self,
        denial: &Statement,
        position: Option<usize>,
        lacking: &Lacking,
        grants: &Grants<'_>,
        lists: &Lists,
    ) -> Option<Json> {
        let side = self.side(0)?;
        let shares = |grant: &&Statement| shares_a_member(grant, denial);
        let near: Vec<&Statement> = match position.and_then(|position| side.statements.get(position)) {
            Some(own) if own.members.first() != Some(&EVERYONE) => {
                let named: Vec<MemberId> = std::iter::once(EVERYONE).chain(own.members.iter().copied()).collect();
                let found = side.candidates(Effect::Allow, &named, &[own]);
                found.iter().filter_map(|&at| side.get(at)).take(GRANTS).map(|grant| &*grant.statement).collect()
            }
            _ => grants.beside(denial).filter(shares).take(GRANTS).collect(),
        };
        let far = grants.beside(denial).filter(|grant| !shares(grant));
        near.into_iter().chain(far).take(GRANTS).find_map(|grant| escaped_with(denial, grant, lacking, side, lists))
    }
}

/// The same with one grant.
fn escaped_with(denial: &Statement, grant: &Statement, lacking: &Lacking, side: &Side, lists: &Lists) -> Option<Json> {
    let term = &lacking.term;
    if !may_be_one(grant, denial) || ask_for_different_values(grant, denial, term) {
        return None;
    }
    if let Some(witness) = plainly_escaped_with(denial, grant, lacking, side, lists) {
        return Some(witness);
    }
    let caught = with_condition(denial, denial.condition.as_ref()?.expr().clone(), Effect::Allow, lists)?;
    let some_test = anywhere(denial, Expr::any(lacking.tests.iter().map(Place::satisfied).collect()), lists)?;
    let hold = [without(grant, term, lists)?, caught, some_test];
    let mut others: BTreeSet<u32> = BTreeSet::new();
    for _ in 0..ROUNDS {
        let in_the_way = others.iter().filter_map(|&at| side.get(at)).map(|one| &*one.statement);
        let fail: Vec<Statement> = std::iter::once(denial).chain(in_the_way).filter_map(|one| without(one, term, lists)).collect();
        let question = Question::new(&hold, &fail);
        let known = others.len();
        for found in question.found() {
            if question.analysis.witness(&found, |request| applies(denial, request)).is_none() {
                continue;
            }
            let denials = RefCell::new(BTreeSet::new());
            let allowed = |request: &Request| lets_pass(side, denial, request, &mut denials.borrow_mut());
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

/// The same at a glance: with what the denial and the grant need, where the tests of each are independent.
fn plainly_escaped_with(denial: &Statement, grant: &Statement, lacking: &Lacking, side: &Side, lists: &Lists) -> Option<Json> {
    let held = lacking.held.as_ref()?;
    let both = match &grant.condition {
        None => held.clone(),
        Some(condition) => {
            let granted = Example::of_holding(condition.expr(), lists)?;
            held.with(&granted).filter(|_| !granted.gives(&lacking.term))?
        }
    };
    // Of alternatives, the search takes one that no denial is in the way of.
    if both.has_alternatives {
        return None;
    }
    let read = |json: &Json| Request::from_authzen(json).ok();
    let asked = Asked::of_both(grant, denial)?;
    let caught = read(&both.asked(asked.clone()))?;
    let witness = both.without(&lacking.term).asked(asked);
    let proven = applies(denial, &caught) && lets_pass(side, denial, &read(&witness)?, &mut BTreeSet::new());
    proven.then_some(witness)
}

/// Whether a law book allows a request of those, and about what, a denial is about, to which the denial does not apply. If not,
/// adds the positions of the denials that do.
fn lets_pass(side: &Side, denial: &Statement, request: &Request, denials: &mut BTreeSet<u32>) -> bool {
    // Without `{context.source}` a request may be about another source.
    if concerns(denial, request) && !applies(denial, request) && side.decide(request).allowed {
        return true;
    }
    let is_denial = |&at: &u32| side.get(at).is_some_and(|one| one.statement.effect == Effect::Deny);
    denials.extend(side.applying(request).into_iter().filter(is_denial));
    false
}

/// The statement as it is where an attribute is absent.
fn without(statement: &Statement, term: &Term, lists: &Lists) -> Option<Statement> {
    match &statement.condition {
        None => Some(statement.clone()),
        Some(condition) => with_condition(statement, without_term(condition.expr(), term), statement.effect, lists),
    }
}

/// An expression as it is where a term is absent.
fn without_term(expr: &Expr, term: &Term) -> Expr {
    replaced(expr, &|atom| reads(atom, term).then(|| negated(atom)))
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
pub(super) fn shares_a_member(one: &Statement, two: &Statement) -> bool {
    let everyone = |statement: &Statement| statement.members.contains(&Member::Everyone);
    everyone(one) || everyone(two) || one.members.iter().any(|member| two.members.contains(member))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::analysis::Examined;
    use crate::analysis::sample::statement;
    use crate::condition::arbitrary;
    use crate::decision::decide;

    fn examined(text: &str) -> Examined {
        Examined::new(&Arc::from(text), &Lists::default()).expect("a condition")
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

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
            let analysis = Analysis::new(&[&book]);
            for lacking in examined(&text).misses {
                let Some(shown) = analysis.escaped(&denial, Some(2), &lacking, &Grants::new(&book), &lists) else { continue };
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
            let analysis = Analysis::new(&[&book]);
            let [known, disabled] =
                [Some(1), None].map(|at| analysis.escaped(&denial, at, &lacking, &Grants::new(&book), &Lists::default()));
            assert_eq!(known, disabled);
            known.is_some()
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
