//! Questions about single conditions: whether one can hold at all, whether it can fail, and which of its parts say so.
//!
//! A condition is looked at by itself, with a vocabulary of its own, and once however many policies share it. What it means
//! for a policy that a condition cannot hold, or cannot fail, depends on the effect; whether that is so does not: grants,
//! denials and controls agree wherever the values fit.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::dead::minimal;
use super::formula::Formula;
use super::meaning::is_opaque;
use super::missing;
use super::missing::Lacking;
use super::missing::Place;
use super::question::Verdict;
use super::redundant;
use super::redundant::RedundantPart;
use super::search::Budget;
use super::search::Goal;
use super::search::is_satisfiable;
use super::special::Special;
use super::vocabulary::Vocabulary;
use crate::condition::Atom;
use crate::condition::Condition;
use crate::condition::Expr;
use crate::condition::Lists;
use crate::condition::Part;
use crate::condition::parts;
use crate::policy::Policy;

/// A condition with more parts than this is looked at as a whole only.
pub(super) const MOST_PARTS: usize = 256;

/// A condition, and what is known of it. Ranges are bytes of its text.
#[derive(Debug, Clone)]
pub struct Examined {
    /// The text, as written.
    pub text: Arc<str>,
    /// The parts, with their places.
    pub whole: Part,
    /// That it never holds where the values fit. Each group is a smallest set of parts that cannot hold together; where
    /// none of several alternatives can hold, there is a group for each of them.
    pub never: Verdict<Vec<Vec<Range<usize>>>>,
    /// That it always holds where the values fit, and reads nothing that never fits where it is there. Each group is a smallest set of parts of which one always holds; where
    /// several parts always hold, there is a group for each of them.
    pub always: Verdict<Vec<Vec<Range<usize>>>>,
    /// What is not reasoned about, if one of the two is not known; without any, the condition is too large.
    pub opaque: Vec<Atom>,
    /// Operands that change nothing where the values fit. All of them can be gone at once. None when the whole never or always holds.
    pub redundant: Vec<RedundantPart>,
    /// Attributes without which it holds only because it denies something of them.
    pub admits: Vec<Lacking>,
    /// Attributes without which it does not hold, and would if a comparison with a limit or with another fact came out true.
    pub misses: Vec<Lacking>,
}

impl Examined {
    /// Looks at a condition; `None` if it cannot be read, or does not fit the declared lists.
    pub fn new(text: &Arc<str>, lists: &Lists) -> Option<Self> {
        let whole = parts(text).ok()?;
        let tree = Tree::new(&whole, lists)?;
        let never = tree.never(Tree::ROOT, true);
        // A condition that reads what never fits where it is there says at least that it is not there.
        let narrows = tree.condition.terms().any(|term| Special::of(term, tree.condition.is_list(term)).is_some_and(Special::never_fits));
        let always = if narrows { Verdict::No } else { tree.never(Tree::ROOT, false) };
        let constant = matches!(never, Verdict::Yes(_)) || matches!(always, Verdict::Yes(_));
        let whole_only = constant || tree.nodes.len() > MOST_PARTS;
        let redundant = if whole_only { Vec::new() } else { redundant::find(&tree, text) };
        let effective =
            |test: &Place| redundant.iter().all(|part| test.range.start >= part.range.end || test.range.end <= part.range.start);
        let lacking = |question: fn(&Tree<'_>) -> Vec<Lacking>| {
            let found = if whole_only { Vec::new() } else { question(&tree) };
            found.into_iter().filter_map(|lacking| lacking.only(effective)).collect()
        };
        let (admits, misses) = (lacking(missing::admits), lacking(missing::misses));
        let mut opaque = Vec::new();
        if never == Verdict::Undecided || always == Verdict::Undecided {
            whole.expr.each_atom(&mut |atom| {
                if is_opaque(atom) && !opaque.contains(atom) {
                    opaque.push(atom.clone());
                }
            });
        }
        Some(Self { text: text.clone(), never, always, opaque, redundant, admits, misses, whole })
    }
}

/// The conditions of a law book.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    distinct: Vec<Option<Examined>>,
    /// For every policy with a condition, the position in `distinct`.
    of: Vec<Option<usize>>,
}

impl Conditions {
    /// Looks at the condition of every policy, also of the disabled, on all cores; equal texts once.
    pub fn new(policies: &[Arc<Policy>], lists: &Lists) -> Self {
        let mut positions: HashMap<&str, usize> = HashMap::new();
        let mut texts: Vec<&Arc<str>> = Vec::new();
        let mut of = Vec::with_capacity(policies.len());
        for policy in policies {
            of.push(policy.condition().map(|condition| {
                *positions.entry(&condition.text).or_insert_with(|| {
                    texts.push(&condition.text);
                    texts.len() - 1
                })
            }));
        }
        Self { distinct: texts.par_iter().map(|text| Examined::new(text, lists)).collect(), of }
    }

    /// What is known of the condition of the policy at a position; `None` if it has none that can be read.
    pub fn of(&self, policy: usize) -> Option<&Examined> {
        let position = self.of.get(policy).copied().flatten()?;
        self.distinct.get(position)?.as_ref()
    }
}

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

    fn new(whole: &'p Part, lists: &'p Lists) -> Option<Self> {
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

    /// That a node holds, or fails.
    pub fn goal(&self, node: usize, holds: bool) -> Option<Goal<'_>> {
        self.get(node).map(|node| Goal { formula: &node.formula, holds })
    }

    /// That a node never holds, or never fails.
    fn never(&self, node: usize, holds: bool) -> Verdict<Vec<Vec<Range<usize>>>> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Term;

    fn examined(text: &str) -> Examined {
        let lists = ["tags", "{me.roles}"].iter().map(|term| Term::parse(term).expect("a term")).collect();
        Examined::new(&Arc::from(text), &lists).expect("a condition")
    }

    #[track_caller]
    fn check(verdict: &Verdict<Vec<Vec<Range<usize>>>>, text: &str, expected: Option<&[&[&str]]>) {
        let words = |groups: &Vec<Vec<Range<usize>>>| -> Vec<Vec<&str>> {
            groups.iter().map(|group| group.iter().map(|range| &text[range.clone()]).collect()).collect()
        };
        let found = match verdict {
            Verdict::Yes(groups) => Some(words(groups)),
            Verdict::No | Verdict::Undecided => None,
        };
        assert_eq!(found, expected.map(|groups| groups.iter().map(|group| group.to_vec()).collect()), "{text}");
    }

    #[track_caller]
    fn check_never(text: &str, expected: Option<&[&[&str]]>) {
        check(&examined(text).never, text, expected);
    }

    #[track_caller]
    fn check_always(text: &str, expected: Option<&[&[&str]]>) {
        check(&examined(text).always, text, expected);
    }

    #[test]
    fn the_fewest_parts_that_contradict_each_other_are_named() {
        check_never("a = 1 and b = 2", None);
        check_never("a = 1 and b = 2 and a = 2", Some(&[&["a = 1", "a = 2"]]));
        check_never("(a = 1 or a = 2) and b and a > 2", Some(&[&["a = 1 or a = 2", "a > 2"]]));
        check_never("(a = 1 and a = 2) or (b and not b)", Some(&[&["a = 1", "a = 2"], &["b", "not b"]]));
        check_never("c and ((a = 1 and a = 2) or (b and not b))", Some(&[&["a = 1", "a = 2"], &["b", "not b"]]));
        check_never("a > 1 and a < 'x'", Some(&[&["a > 1", "a < 'x'"]]));
        check_never("a = true and a = 1", Some(&[&["a = true", "a = 1"]]));
        check_never("a < ''", Some(&[&["a < ''"]]));
        check_never("tags = 'a' and tags = 'b'", None);
        check_never("tags = 'a' and not exists tags", Some(&[&["tags = 'a'", "not exists tags"]]));
        check_never("{me} = null", Some(&[&["{me} = null"]]));
        check_never("a = 1 and a.b = 2", Some(&[&["a = 1", "a.b = 2"]]));
    }

    #[test]
    fn the_fewest_parts_that_leave_nothing_out_are_named() {
        check_always("a = 1 or b = 2", None);
        check_always("a != 1 or b or a != 2", Some(&[&["a != 1", "a != 2"]]));
        check_always("(a or not a) and exists _id", Some(&[&["a", "not a"], &["exists _id"]]));
        check_always("tags != 'a' or tags != 'b'", None);
        check_always("not (a = 1 and a = 2)", Some(&[&["not (a = 1 and a = 2)"]]));
        check_always("a < 1 or a >= 1", None);
        check_always(
            "{context.source} = null or {context.source} like '%'",
            Some(&[&["{context.source} = null", "{context.source} like '%'"]]),
        );
    }

    /// Where it is there, `{me.groups}` is a list, and then the condition does not let a grant apply.
    #[test]
    fn a_condition_that_values_which_never_fit_keep_from_holding_does_narrow() {
        check_always("{me.groups} = null", None);
        check_always("{context.source.x} = null", None);
    }

    #[test]
    fn what_is_not_known_is_not_claimed() {
        for opaque in ["a matches '^x' and a matches '^y'", "a matches '^x' and a < 'x'"] {
            assert_eq!(examined(opaque).never, Verdict::Undecided, "{opaque}");
            assert_eq!(examined(&format!("not ({opaque})")).always, Verdict::Undecided, "{opaque}");
        }
        // An example is enough to know.
        for innocent in ["a matches 'x' and a matches 'y'", "a matches '^x' and a matches 'y$'", "a matches 'x' and a like 'b%'"] {
            assert_eq!(examined(innocent).never, Verdict::No, "{innocent}");
        }
        check_never("a < b and b < c and c < a", None);
        check_never("a matches 'x' and not a matches 'x'", Some(&[&["a matches 'x'", "not a matches 'x'"]]));
    }

    /// The largest conditions that there can be are looked at without delay.
    #[test]
    fn large_conditions_are_looked_at_as_a_whole() {
        let atoms = |test: fn(usize) -> String, by: &str| (0..4000).map(test).collect::<Vec<_>>().join(by);
        let distinct = atoms(|at| format!("a{at} != 1"), " and ");
        let found = examined(&distinct);
        assert_eq!((found.never, found.always, found.admits.len()), (Verdict::No, Verdict::No, 0));
        let clash = examined(&format!("{distinct} and a17 = 1"));
        assert_eq!(clash.never.yes().map(|groups| groups[0].len()), Some(2));
        let wide = examined(&atoms(|at| format!("a > {at}"), " or "));
        assert_eq!((wide.never, wide.always), (Verdict::No, Verdict::No));
    }

    #[test]
    fn equal_texts_are_looked_at_once_and_unreadable_ones_not_at_all() {
        assert!(Examined::new(&Arc::from("a = "), &Lists::default()).is_none());
        let lists: Lists = ["a", "b"].iter().map(|term| Term::parse(term).expect("a term")).collect();
        assert!(Examined::new(&Arc::from("a = b"), &lists).is_none());
        assert!(Conditions::new(&[], &lists).of(0).is_none());
    }
}
