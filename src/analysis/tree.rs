//! The parts of one condition, as formulas that questions are asked of.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Range;

use super::dead::minimal;
use super::formula::Formula;
use super::model::Model;
use super::question::Verdict;
use super::search::Budget;
use super::search::Goal;
use super::search::is_satisfiable;
use super::search::satisfiable;
use super::vocabulary::Vocabulary;
use crate::condition::Condition;
use crate::condition::Expr;
use crate::condition::Lists;
use crate::condition::Part;

/// A condition with more parts than this is looked at as a whole only.
pub(super) const MOST_PARTS: usize = 256;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// All operands hold.
    And,
    /// Some operand holds.
    Or,
    /// The operand does not hold.
    Not,
    /// A test.
    Atom,
}

/// A part, with its formula and its neighbours by their positions.
#[derive(Debug)]
pub(super) struct Node<'p> {
    pub part: &'p Part,
    pub kind: Kind,
    pub parent: Option<usize>,
    pub operands: Vec<usize>,
    /// Whether an even number of `not` stands around it.
    pub positive: bool,
    pub formula: Formula,
}

/// The parts of a condition as formulas. Every node stands before its operands.
#[derive(Debug)]
pub(super) struct Tree<'p> {
    pub nodes: Vec<Node<'p>>,
    pub condition: Condition,
    pub lists: &'p Lists,
    pub vocabulary: Vocabulary,
    /// That everything fits.
    pub fits: Formula,
}

impl<'p> Tree<'p> {
    /// The position of the whole.
    pub const ROOT: usize = 0;

    /// The parts of a condition; `None` if it does not fit the declared lists.
    pub fn new(whole: &'p Part, lists: &'p Lists) -> Option<Self> {
        let condition = Condition::new(whole.expr.clone(), lists).ok()?;
        let mut vocabulary = Vocabulary::default();
        let mut nodes = Vec::new();
        add(whole, None, true, &condition, &mut vocabulary, &mut nodes);
        let fits = Formula::fits(&condition, &mut vocabulary);
        vocabulary.relate();
        Some(Self { nodes, condition, lists, vocabulary, fits })
    }

    /// The node at a position.
    pub fn get(&self, node: usize) -> Option<&Node<'p>> {
        self.nodes.get(node)
    }

    /// What an expression over the same terms says.
    pub fn formula(&self, expr: &Expr) -> Formula {
        // The terms are all known, so the copy stays as it is.
        Formula::of_part(expr, &self.condition, &mut self.vocabulary.clone())
    }

    /// Whether some request with values that fit makes formulas hold or fail; `None` if it is not known.
    pub fn possible<'f>(&'f self, goals: impl IntoIterator<Item = Goal<'f>>, budget: Budget) -> Option<bool> {
        let goals: Vec<Goal<'_>> = std::iter::once(Goal::yes(&self.fits)).chain(goals).collect();
        is_satisfiable(&self.vocabulary, &goals, budget)
    }

    /// A request with values that fit which makes formulas hold or fail, if one is found.
    pub fn model<'f>(&'f self, goals: impl IntoIterator<Item = Goal<'f>>, budget: Budget) -> Option<Model> {
        let goals: Vec<Goal<'_>> = std::iter::once(Goal::yes(&self.fits)).chain(goals).collect();
        Verdict::from(satisfiable(&self.vocabulary, &goals, budget)).yes()
    }

    /// That a node holds, or fails.
    pub fn goal(&self, node: usize, holds: bool) -> Option<Goal<'_>> {
        self.get(node).map(|node| Goal { formula: &node.formula, holds })
    }

    /// That a node never holds, or never fails.
    pub fn never(&self, node: usize, holds: bool) -> Verdict<Vec<Vec<Range<usize>>>> {
        match self.possible(self.goal(node, holds), Budget::default()) {
            Some(true) => Verdict::No,
            Some(false) => Verdict::Yes(self.clashes(node, holds)),
            None => Verdict::Undecided,
        }
    }

    /// Why a node cannot hold, or fail, which is known: the fewest parts that cannot do so together.
    pub fn clashes(&self, node: usize, holds: bool) -> Vec<Vec<Range<usize>>> {
        let Some(found) = self.get(node) else { return Vec::new() };
        let (joined, split) = if holds { (Kind::And, Kind::Or) } else { (Kind::Or, Kind::And) };
        if found.kind == split {
            return found.operands.iter().flat_map(|&operand| self.clashes(operand, holds)).collect();
        }
        if found.kind != joined {
            return vec![vec![found.part.range.clone()]];
        }
        let parts = |kept: &BTreeSet<u32>| -> Vec<Goal<'_>> {
            kept.iter().filter_map(|&at| self.goal(*found.operands.get(at as usize)?, holds)).collect()
        };
        // What a part reads has to fit on account of that part only, so that `a = 1 and a.b = 2` takes both.
        let fits: Vec<Formula> = found.operands.iter().take(MOST_PARTS).map(|&operand| self.fits(operand)).collect();
        let alone = |kept: &BTreeSet<u32>| {
            let fits = kept.iter().filter_map(|&at| fits.get(at as usize)).map(Goal::yes);
            let goals: Vec<Goal<'_>> = parts(kept).into_iter().chain(fits).collect();
            is_satisfiable(&self.vocabulary, &goals, Budget::default()) == Some(false)
        };
        let all: BTreeSet<u32> = (0..).zip(&found.operands).map(|(at, _)| at).collect();
        let kept = match alone(&all) {
            true => minimal(all, alone),
            false => minimal(all, |kept| self.possible(parts(kept), Budget::default()) == Some(false)),
        };
        let kept: Vec<usize> = kept.into_iter().filter_map(|at| found.operands.get(at as usize).copied()).collect();
        match kept.as_slice() {
            [one] => self.clashes(*one, holds),
            several => vec![several.iter().filter_map(|&part| self.get(part)).map(|node| node.part.range.clone()).collect()],
        }
    }

    /// That everything fits that a node reads.
    fn fits(&self, node: usize) -> Formula {
        let condition = self.get(node).and_then(|node| Condition::new(node.part.expr.clone(), self.lists).ok());
        // The terms are all known, so the copy stays as it is.
        condition.map_or_else(Formula::always, |condition| Formula::fits(&condition, &mut self.vocabulary.clone()))
    }

    /// The expression of a node, with the truth of some nodes settled. An operand of `and` that is true, or of `or` that is
    /// false, is as good as gone.
    pub fn settled(&self, node: usize, truths: &BTreeMap<usize, bool>) -> Expr {
        match truths.get(&node) {
            Some(true) => return Expr::And(Vec::new()),
            Some(false) => return Expr::Or(Vec::new()),
            None => {}
        }
        let Some(found) = self.get(node) else { return Expr::And(Vec::new()) };
        let mut operands = found.operands.iter().map(|&operand| self.settled(operand, truths));
        match found.kind {
            Kind::And => Expr::all(operands.collect()),
            Kind::Or => Expr::any(operands.collect()),
            Kind::Not => operands.next().map_or_else(|| found.part.expr.clone(), |operand| Expr::Not(Box::new(operand))),
            Kind::Atom => found.part.expr.clone(),
        }
    }
}

/// Adds a part and its operands; gives its position.
fn add<'p>(
    part: &'p Part,
    parent: Option<usize>,
    positive: bool,
    condition: &Condition,
    vocabulary: &mut Vocabulary,
    nodes: &mut Vec<Node<'p>>,
) -> usize {
    let kind = match part.expr {
        Expr::And(_) => Kind::And,
        Expr::Or(_) => Kind::Or,
        Expr::Not(_) => Kind::Not,
        Expr::Atom(_) => Kind::Atom,
    };
    let own = nodes.len();
    nodes.push(Node { part, kind, parent, operands: Vec::new(), positive, formula: Formula::always() });
    let inner = positive == (kind != Kind::Not);
    let operands: Vec<usize> = part.operands.iter().map(|operand| add(operand, Some(own), inner, condition, vocabulary, nodes)).collect();
    let parts = operands.iter().filter_map(|&operand| nodes.get(operand)).map(|node| node.formula.clone());
    let formula = match kind {
        Kind::And => Formula::all(parts.collect::<Vec<_>>(), vocabulary),
        Kind::Or => Formula::any(parts.collect::<Vec<_>>(), vocabulary),
        Kind::Not | Kind::Atom => Formula::of_part(&part.expr, condition, vocabulary),
    };
    if let Some(node) = nodes.get_mut(own) {
        (node.operands, node.formula) = (operands, formula);
    }
    own
}
