//! Parts of a condition that change nothing.
//!
//! An operand matters only where the value of the whole hangs on it: where the other operands of every `and` around it hold
//! and those of every `or` fail. If it cannot be false there as an operand of `and`, or true as one of `or`, it can go.
//!
//! Taking away some parts lets the condition hold more often, taking away others less often. Each kind is judged with the earlier ones
//! of its kind gone and all of the other kind in place. Then whatever subset of all is taken away lies between two conditions that
//! are both equal to the whole, and is equal to it too, so that fixes can be applied in any selection.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Range;

use super::dead::minimal;
use super::formula::Formula;
use super::search::Budget;
use super::search::Goal;
use super::tree::Kind;
use super::tree::Tree;
use crate::condition::Atom;
use crate::condition::CompareOp;
use crate::condition::Expr;
use crate::condition::Literal;
use crate::condition::Operand;
use crate::condition::Part;
use crate::condition::Term;
use crate::condition::removal;

/// What all questions about the parts of one condition may cost together.
const TOTAL: Budget = Budget { branches: 100_000, states: 1_000_000 };

/// An operand of `and` or `or` that changes nothing where the values fit. Ranges are bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedundantPart {
    /// Where it stands.
    pub range: Range<usize>,
    /// What to delete to take it out, with its connective.
    pub removal: Option<Range<usize>>,
    /// Whether it is an operand of `and`; otherwise of `or`.
    pub conjunct: bool,
    /// The fewest other parts that make it redundant. None if an operand of `and` always holds, or one of `or` never.
    pub beside: Vec<Range<usize>>,
    /// Why it always or never holds, if it does: like [`Examined::always`](super::Examined::always) or [`never`](super::Examined::never).
    pub clashes: Vec<Vec<Range<usize>>>,
    /// Terms that nothing but redundant parts read. A value of one that does not fit makes a difference as long as the part stands.
    pub only_here: Vec<Term>,
}

/// The redundant parts of a condition that can hold and can fail, in the order of their places.
pub(super) fn find(tree: &Tree<'_>, text: &str) -> Vec<RedundantPart> {
    let questions = u32::try_from(tree.nodes.len()).unwrap_or(u32::MAX).max(1);
    let usual = Budget::default();
    let budget = Budget { branches: usual.branches.min(TOTAL.branches / questions), states: usual.states.min(TOTAL.states / questions) };
    let mut search = Search { tree, budget, gone: [BTreeMap::new(), BTreeMap::new()], safe: BTreeMap::new(), found: Vec::new() };
    search.group(Tree::ROOT);
    let places: BTreeSet<(usize, usize)> = search.found.iter().map(|(group, at, _)| (*group, *at)).collect();
    let mut found: Vec<RedundantPart> = search
        .found
        .into_iter()
        .map(|(group, at, redundant)| {
            let leading = (0..at).all(|before| places.contains(&(group, before)));
            let removal = tree.get(group).and_then(|node| taken_out(node.part, at, leading, text));
            RedundantPart { removal, ..redundant }
        })
        .collect();
    found.sort_by_key(|redundant| redundant.range.start);
    found
}

/// What to delete to take an operand out. If all before it may go as well, the connective behind it goes with each of them, so that
/// the places do not overlap.
fn taken_out(group: &Part, at: usize, leading: bool, text: &str) -> Option<Range<usize>> {
    let alone = removal(group, at, text);
    if !leading || at == 0 {
        return alone;
    }
    let rest = Part { operands: group.operands.get(at..)?.to_vec(), ..group.clone() };
    let plain = |range: &Range<usize>| {
        rest.operands.first().is_some_and(|own| {
            own.range.start == range.start && text.get(own.range.end..range.end).is_some_and(|gap| !gap.contains(['(', ')']))
        })
    };
    removal(&rest, 0, text).filter(plain).or(alone)
}

struct Search<'t, 'p> {
    tree: &'t Tree<'p>,
    budget: Budget,
    /// The parts taken away so far, with the truth that stands for their absence: those that narrow, and those that widen.
    gone: [BTreeMap<usize, bool>; 2],
    /// Those of either kind without which every term is still read.
    safe: BTreeMap<usize, bool>,
    /// With the group and the position in it.
    found: Vec<(usize, usize, RedundantPart)>,
}

impl Search<'_, '_> {
    /// Looks into a node that stays. Of two parts that say the same the later one goes.
    fn group(&mut self, node: usize) {
        let Some(found) = self.tree.get(node) else { return };
        for (at, &operand) in found.operands.iter().enumerate().rev() {
            if matches!(found.kind, Kind::And | Kind::Or) && self.take(node, at, operand) {
                continue;
            }
            self.group(operand);
        }
    }

    /// Takes an operand away if it is redundant.
    fn take(&mut self, node: usize, at: usize, operand: usize) -> bool {
        let (Some(group), Some(part)) = (self.tree.get(node), self.tree.get(operand)) else { return false };
        let conjunct = group.kind == Kind::And;
        // `x = null or x != 'a'` says openly that absence is meant.
        if conjunct != group.positive && of_absence(&part.part.expr) == Some(group.positive) {
            return false;
        }
        let kind = usize::from(conjunct == group.positive);
        let Some(gone) = self.gone.get(kind) else { return false };
        let context = self.context(operand, gone);
        let own = self.formula(operand, gone);
        let own = Goal { formula: &own, holds: !conjunct };
        let enough = |kept: &BTreeSet<u32>| {
            let beside = kept.iter().filter_map(|&at| context.get(at as usize)).map(|(_, formula, holds)| Goal { formula, holds: *holds });
            self.tree.possible(beside.chain([own]), self.budget) == Some(false)
        };
        let all: BTreeSet<u32> = (0..).zip(&context).map(|(at, _)| at).collect();
        if !enough(&all) {
            return false;
        }
        let mut beside: Vec<Range<usize>> = minimal(all, enough)
            .into_iter()
            .filter_map(|at| self.tree.get(context.get(at as usize)?.0))
            .map(|node| node.part.range.clone())
            .collect();
        beside.sort_by_key(|range| range.start);
        let clashes = if beside.is_empty() { self.tree.clashes(operand, !conjunct) } else { Vec::new() };
        let only_here = self.only_here(operand, conjunct);
        let redundant = RedundantPart { range: part.part.range.clone(), removal: None, conjunct, beside, clashes, only_here };
        if redundant.only_here.is_empty() {
            self.safe.insert(operand, conjunct);
        }
        if let Some(gone) = self.gone.get_mut(kind) {
            gone.insert(operand, conjunct);
        }
        self.found.push((node, at, redundant));
        true
    }

    /// What has to be so for the value of the whole to hang on a node: parts that hold and parts that fail.
    fn context(&self, node: usize, gone: &BTreeMap<usize, bool>) -> Vec<(usize, Formula, bool)> {
        let mut context = Vec::new();
        let mut inner = node;
        while let Some((parent, group)) = self.tree.get(inner).and_then(|node| node.parent).and_then(|at| Some((at, self.tree.get(at)?))) {
            if matches!(group.kind, Kind::And | Kind::Or) {
                let others = group.operands.iter().filter(|operand| **operand != inner && !gone.contains_key(operand));
                context.extend(others.map(|&operand| (operand, self.formula(operand, gone), group.kind == Kind::And)));
            }
            inner = parent;
        }
        context
    }

    /// What a node says without what is gone.
    fn formula(&self, node: usize, gone: &BTreeMap<usize, bool>) -> Formula {
        match self.tree.get(node) {
            Some(found) if gone.is_empty() => found.formula.clone(),
            _ => self.tree.formula(&self.tree.settled(node, gone)),
        }
    }

    /// The terms that a part reads and nothing would read without it, as far as a value of theirs may not fit.
    fn only_here(&self, operand: usize, conjunct: bool) -> Vec<Term> {
        let without: BTreeMap<usize, bool> = self.safe.iter().map(|(&node, &truth)| (node, truth)).chain([(operand, conjunct)]).collect();
        let rest = self.tree.settled(Tree::ROOT, &without);
        let kept = terms(&rest);
        self.tree
            .get(operand)
            .map_or_else(Vec::new, |node| terms(&node.part.expr).difference(&kept).map(|&term| term.clone()).collect())
            .into_iter()
            .filter(|term| self.may_be_unfit(term))
            .collect()
    }

    fn may_be_unfit(&self, term: &Term) -> bool {
        let list = self.tree.condition.is_list(term);
        let vocabulary = &self.tree.vocabulary;
        *term != Term::Me && (list || vocabulary.fact(term, list).is_none_or(|id| vocabulary.base(id).other))
    }
}

/// Whether an expression says no more than that a term is absent, or present.
fn of_absence(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Not(inner) => of_absence(inner).map(|absent| !absent),
        Expr::Atom(Atom::Exists(_)) => Some(false),
        Expr::Atom(Atom::Compare { op, operand: Operand::Literal(Literal::Null), .. }) => Some(*op == CompareOp::Eq),
        _ => None,
    }
}

/// The terms that an expression reads.
fn terms(expr: &Expr) -> BTreeSet<&Term> {
    let mut terms = BTreeSet::new();
    expr.each_atom(&mut |atom| terms.extend(std::iter::once(atom.term()).chain(atom.other_term())));
    terms
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde_json::Value;
    use serde_json::json;

    use crate::analysis::Examined;
    use crate::analysis::RedundantPart;
    use crate::condition::Condition;
    use crate::condition::Facts;
    use crate::condition::Lists;
    use crate::condition::Outcome;
    use crate::condition::arbitrary;
    use crate::condition::parse;
    use crate::decision::holds_for;
    use crate::finding::Edit;
    use crate::finding::Fix;
    use crate::finding::Safety;
    use crate::finding::apply;
    use crate::finding::compatible;
    use crate::policy::Effect;
    use crate::source::SourceId;
    use crate::source::Span;

    fn examined(text: &str) -> Examined {
        Examined::new(&Arc::from(text), &Lists::default()).expect("a condition")
    }

    /// The text with some of the redundant parts taken out, as fixes of one check are.
    fn without<'a>(text: &str, parts: impl Iterator<Item = &'a RedundantPart>) -> String {
        let source = SourceId::new(0);
        let edit =
            |part: &RedundantPart| Edit { span: Span::new(source, part.removal.clone().expect("a place")), replacement: String::new() };
        let fixes: Vec<Fix> = parts.map(|part| Fix { title: String::new(), safety: Safety::Safe, edits: vec![edit(part)] }).collect();
        apply(source, text, compatible(&fixes)).expect("edits that fit")
    }

    #[track_caller]
    fn check(text: &str, parts: &[&str], left: &str) {
        let found = examined(text).redundant;
        assert_eq!(found.iter().map(|part| &text[part.range.clone()]).collect::<Vec<_>>(), parts, "{text}");
        assert_eq!(without(text, found.iter()), left, "{text}");
    }

    #[test]
    fn whatever_changes_nothing_goes_and_the_rest_stays() {
        check("a = 1 and b = 2", &[], "a = 1 and b = 2");
        check("a = 1 and a = 1 and a = 1", &["a = 1", "a = 1"], "a = 1");
        check("exists a and a > 1 and a > 2 and b", &["exists a", "a > 1"], "a > 2 and b");
        check("(exists a) and (a > 1) and (a > 2)", &["exists a", "a > 1"], "(a > 1) and (a > 2)");
        check("a = 1 or (a = 1 and b = 2) or c", &["a = 1 and b = 2"], "a = 1 or c");
        check("a = 1 and (b = 2 or (a = 1 and c = 3))", &["a = 1"], "a = 1 and (b = 2 or (c = 3))");
        check("not (a = 1 or a in (1, 2))", &["a = 1"], "not (a in (1, 2))");
        check("a = 1 and a = 2 and a = 3", &[], "a = 1 and a = 2 and a = 3");
        check("(a < b and c) or (a < b and c and d)", &["a < b and c and d"], "(a < b and c)");
    }

    #[test]
    fn parts_that_make_each_other_redundant_do_not_both_go() {
        check("(a = 1 or b = 1) and (b = 1 or a = 1)", &["b = 1 or a = 1"], "(a = 1 or b = 1)");
        check("a = 1 or a in (1)", &["a in (1)"], "a = 1");
    }

    fn attributes() -> impl Strategy<Value = Value> {
        let scalar = prop::sample::select(vec![
            Value::Null,
            json!(true),
            json!(false),
            json!(-1),
            json!(0),
            json!(1),
            json!(2),
            json!(""),
            json!("a"),
            json!("ab"),
            json!("10.0.0.1"),
            json!({}),
            json!([]),
        ]);
        let inner = prop_oneof![5 => scalar.clone(), 1 => (scalar.clone(), scalar).prop_map(|(a, b)| json!({"a": a, "b": b}))];
        prop::collection::btree_map(prop::sample::select(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]), inner, 0..4)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    }

    fn outcome(condition: &Condition, [caller, action, context, document]: &[Value; 4]) -> Outcome {
        let map = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let (caller, action, context, document) = (map(caller), map(action), map(context), map(document));
        condition.evaluate(&Facts { me: "a", caller: &caller, action: &action, context: &context, document: &document })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        /// Any selection of the safe removals leaves every statement as it is, and any selection of all of them wherever the values fit.
        #[test]
        fn removals_keep_the_meaning(
            expr in arbitrary::expr(),
            chosen in prop::collection::vec(any::<bool>(), 24),
            requests in prop::collection::vec([attributes(), attributes(), attributes(), attributes()], 24),
        ) {
            let text = expr.to_string();
            let examined = examined(&text);
            let found = &examined.redundant;
            let read = |text: &str| Condition::new(parse(text).expect("a condition").expr, &Lists::default()).expect("fits");
            let whole = read(&text);
            let selected = || found.iter().zip(chosen.iter().cycle()).filter(|(_, chosen)| **chosen).map(|(part, _)| part);
            let safe = |part: &&RedundantPart| part.only_here.is_empty();
            let exact = [without(&text, found.iter().filter(safe)), without(&text, selected().filter(safe))];
            let fitting = [without(&text, found.iter()), without(&text, selected())];
            for request in &requests {
                let before = outcome(&whole, request);
                prop_assert!(before != Outcome::True || examined.never.clone().yes().is_none(), "{}", text);
                prop_assert!(before != Outcome::False || examined.always.clone().yes().is_none(), "{}", text);
                for left in &exact {
                    let after = outcome(&read(left), request);
                    for effect in [Effect::Allow, Effect::Deny] {
                        prop_assert_eq!(holds_for(effect, before), holds_for(effect, after), "{} and {}", text, left);
                    }
                }
                for left in fitting.iter().filter(|_| before != Outcome::Unfit) {
                    prop_assert_eq!(before, outcome(&read(left), request), "{} and {}", text, left);
                }
            }
        }
    }
}
