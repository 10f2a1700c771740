//! Questions about single conditions: whether one can hold at all, whether it can fail, and which of its parts say so.
//!
//! A condition is looked at by itself, with a vocabulary of its own, and once however many policies share it. What it means
//! for a policy that a condition cannot hold, or cannot fail, depends on the effect; whether that is so does not: grants,
//! denials and controls agree wherever the values fit.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::independent::are_independent;
use super::meaning::is_opaque;
use super::missing::Lacking;
use super::missing::Missing;
use super::missing::Place;
use super::question::Verdict;
use super::redundant;
use super::redundant::RedundantPart;
use super::special::Special;
use super::tree::MOST_PARTS;
use super::tree::Tree;
use crate::condition::Atom;
use crate::condition::Expr;
use crate::condition::Lists;
use crate::condition::Part;
use crate::condition::parse;
use crate::condition::parts;
use crate::policy::ConditionText;
use crate::policy::Policy;

/// A condition, and what is known of it. Ranges are bytes of its text.
#[derive(Debug, Clone)]
pub struct Examined {
    /// The text, as written.
    pub text: Arc<str>,
    /// The parts, with their places. `None` where nothing is said of them but what an attribute is lacking from.
    pub whole: Option<Part>,
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
    /// Attributes without which it holds only because it denies something of them; none if no grant or control has it.
    pub admits: Vec<Lacking>,
    /// Attributes without which it does not hold, and would if a comparison with a limit or with another fact came out true; none if no
    /// denial has it.
    pub misses: Vec<Lacking>,
}

/// What kinds of policies have a condition.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Uses {
    /// Whether a grant has it, or a control that requires it.
    pub grants: bool,
    /// Whether a denial has it.
    pub denials: bool,
}

impl Examined {
    /// Looks at a condition; `None` if it cannot be read, or does not fit the declared lists.
    pub fn new(text: &Arc<str>, lists: &Lists) -> Option<Self> {
        let expr = parse(text).ok()?.expr;
        Self::of(text, &expr, Uses { grants: true, denials: true }, lists)
    }

    fn of(text: &Arc<str>, expr: &Expr, uses: Uses, lists: &Lists) -> Option<Self> {
        if !are_independent(expr, lists) {
            return Self::of_parts(text, uses, lists);
        }
        let Missing { admits, misses } = Missing::of_independent(text, expr, uses, lists);
        let (never, always) = (Verdict::No, Verdict::No);
        Some(Self { text: text.clone(), whole: None, never, always, opaque: Vec::new(), redundant: Vec::new(), admits, misses })
    }

    /// What is found by a search, of any condition.
    fn of_parts(text: &Arc<str>, uses: Uses, lists: &Lists) -> Option<Self> {
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
        let missing = if whole_only { Missing::default() } else { Missing::of_tree(&tree, uses, effective) };
        let mut opaque = Vec::new();
        if never == Verdict::Undecided || always == Verdict::Undecided {
            whole.expr.each_atom(&mut |atom| {
                if is_opaque(atom) && !opaque.contains(atom) {
                    opaque.push(atom.clone());
                }
            });
        }
        let Missing { admits, misses } = missing;
        Some(Self { text: text.clone(), never, always, opaque, redundant, admits, misses, whole: Some(whole) })
    }
}

/// The conditions of a law book.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    distinct: Vec<Option<Examined>>,
    /// For every policy with a condition, the position in `distinct`.
    of: Vec<Option<usize>>,
}

/// So few conditions are not worth the trouble of sharing them out.
const FEW: usize = 32;

impl Conditions {
    /// Looks at the condition of every policy, also of the disabled, on all cores; equal texts once.
    pub fn new(policies: &[Arc<Policy>], lists: &Lists) -> Self {
        let mut positions: HashMap<&str, usize> = HashMap::new();
        let mut written: Vec<(&ConditionText, Uses)> = Vec::new();
        let mut of = Vec::with_capacity(policies.len());
        for policy in policies {
            of.push(policy.condition().map(|condition| {
                let at = *positions.entry(&condition.text).or_insert_with(|| {
                    written.push((condition, Uses::default()));
                    written.len() - 1
                });
                if let Some((_, uses)) = written.get_mut(at) {
                    let denies = matches!(&**policy, Policy::Access(access) if access.deny);
                    *(if denies { &mut uses.denials } else { &mut uses.grants }) = true;
                }
                at
            }));
        }
        let examined = |(condition, uses): &(&ConditionText, Uses)| Examined::of(&condition.text, &condition.expr, *uses, lists);
        Self { distinct: written.par_iter().with_min_len(FEW).map(examined).collect(), of }
    }

    /// What is known of the condition of the policy at a position; `None` if it has none that can be read.
    pub fn of(&self, policy: usize) -> Option<&Examined> {
        let position = self.of.get(policy).copied().flatten()?;
        self.distinct.get(position)?.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::condition::Operand;
    use crate::condition::Term;
    use crate::condition::arbitrary;

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

    /// The same condition with a term of its own in every test.
    fn with_terms(expr: &Expr, terms: &mut impl Iterator<Item = Term>) -> Expr {
        match expr {
            Expr::And(operands) => Expr::And(operands.iter().map(|operand| with_terms(operand, terms)).collect()),
            Expr::Or(operands) => Expr::Or(operands.iter().map(|operand| with_terms(operand, terms)).collect()),
            Expr::Not(operand) => Expr::Not(Box::new(with_terms(operand, terms))),
            Expr::Atom(atom) => Expr::Atom(with_term(atom.clone(), terms.next().expect("a term for every test"))),
        }
    }

    fn with_term(atom: Atom, term: Term) -> Atom {
        match atom {
            Atom::Bare(_) => Atom::Bare(term),
            Atom::Exists(_) => Atom::Exists(term),
            Atom::Compare { op, operand: Operand::Term(_), .. } => Atom::Compare { term, op, operand: Operand::Term(Term::Me) },
            Atom::Compare { op, operand, .. } => Atom::Compare { term, op, operand },
            Atom::In { values, negated, .. } => Atom::In { term, values, negated },
            Atom::InCidr { networks, negated, .. } => Atom::InCidr { term, networks, negated },
            Atom::Like { pattern, negated, .. } => Atom::Like { term, pattern, negated },
            Atom::Matches { pattern, negated, .. } => Atom::Matches { term, pattern, negated },
        }
    }

    /// What is said at a glance is what the search says.
    fn agrees_with_the_search(text: &str, lists: &Lists) -> Result<bool, TestCaseError> {
        let text: Arc<str> = Arc::from(text);
        let uses = Uses { grants: true, denials: true };
        let expr = parse(&text).expect("a condition").expr;
        if !are_independent(&expr, lists) {
            return Ok(false);
        }
        let told = Examined::of(&text, &expr, uses, lists).expect("a condition");
        let found = Examined::of_parts(&text, uses, lists).expect("a condition");
        prop_assert_eq!((&told.never, &told.always, &told.redundant), (&found.never, &found.always, &found.redundant), "{}", text);
        for (told, found) in [(&told.admits, &found.admits), (&told.misses, &found.misses)] {
            let places = |all: &[Lacking]| all.iter().map(|lacking| (lacking.term.clone(), lacking.tests.clone())).collect::<Vec<_>>();
            prop_assert_eq!(places(told), places(found), "{}", text);
        }
        Ok(true)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2048, max_global_rejects: 32_768, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn conditions_of_independent_tests_are_known_without_a_search(expr in arbitrary::expr(), from in 0_usize..7) {
            let terms = ["a.b", "a.c", "{me.a}", "tags", "{context.a.b}", "{me.roles}", "{action.a}"];
            let lists = ["tags", "{me.roles}"].iter().map(|term| Term::parse(term).expect("a term")).collect();
            agrees_with_the_search(&expr.to_string(), &lists)?;
            let own = terms.iter().cycle().skip(from).take(terms.len()).map(|term| (*term).to_owned());
            let mut own = own.chain((0..).map(|at| format!("x{at}"))).map(|term| Term::parse(&term).expect("a term"));
            let is_independent = agrees_with_the_search(&with_terms(&expr, &mut own).to_string(), &lists)?;
            prop_assume!(is_independent);
        }
    }
}
