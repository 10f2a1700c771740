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

use super::condition::Kind;
use super::condition::Tree;
use super::dead::minimal;
use super::formula::Formula;
use super::search::Budget;
use super::search::Goal;
use crate::condition::Expr;
use crate::condition::Term;
use crate::condition::removal;

/// A condition with more parts than this is not looked into.
const MOST_PARTS: usize = 256;

/// What all questions about the parts of one condition may cost together.
const TOTAL: Budget = Budget { branches: 100_000, states: 1_000_000 };

/// An operand of `and` or `or` that changes nothing where the values fit. Ranges are bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redundant {
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
pub(super) fn find(tree: &Tree<'_>, text: &str) -> Vec<Redundant> {
    if tree.nodes.len() > MOST_PARTS {
        return Vec::new();
    }
    let questions = u32::try_from(tree.nodes.len()).unwrap_or(u32::MAX).max(1);
    let usual = Budget::default();
    let budget = Budget { branches: usual.branches.min(TOTAL.branches / questions), states: usual.states.min(TOTAL.states / questions) };
    let mut search = Search { tree, text, budget, gone: [BTreeMap::new(), BTreeMap::new()], safe: BTreeMap::new(), found: Vec::new() };
    search.group(Tree::ROOT);
    let mut found = search.found;
    found.sort_by_key(|redundant| redundant.range.start);
    found
}

struct Search<'t, 'p> {
    tree: &'t Tree<'p>,
    text: &'t str,
    budget: Budget,
    /// The parts taken away so far, with the truth that stands for their absence: those that narrow, and those that widen.
    gone: [BTreeMap<usize, bool>; 2],
    /// Those of either kind without which every term is still read.
    safe: BTreeMap<usize, bool>,
    found: Vec<Redundant>,
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
        let kind = usize::from(conjunct == group.positive);
        let Some(gone) = self.gone.get(kind) else { return false };
        let context = self.context(operand, gone);
        let own = self.tree.formula(&self.tree.settled(operand, gone));
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
        let redundant =
            Redundant { range: part.part.range.clone(), removal: removal(group.part, at, self.text), conjunct, beside, clashes, only_here };
        if redundant.only_here.is_empty() {
            self.safe.insert(operand, conjunct);
        }
        if let Some(gone) = self.gone.get_mut(kind) {
            gone.insert(operand, conjunct);
        }
        self.found.push(redundant);
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

/// The terms that an expression reads.
fn terms(expr: &Expr) -> BTreeSet<&Term> {
    let mut terms = BTreeSet::new();
    expr.each_atom(&mut |atom| terms.extend(std::iter::once(atom.term()).chain(atom.other_term())));
    terms
}
