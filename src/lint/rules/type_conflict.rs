//! One attribute that is compared as values of two kinds.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use crate::condition::Atom;
use crate::condition::CompareOp;
use crate::condition::Expr;
use crate::condition::Lists;
use crate::condition::Literal;
use crate::condition::Operand;
use crate::condition::Term;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::atoms::Places;
use crate::lint::atoms::atoms;
use crate::policy::Policy;
use crate::policy::PolicyDocument;
use crate::policy::lists;
use crate::source::Span;

pub(super) static RULE: Rule = Rule {
    name: "type-conflict",
    summary: "an attribute is compared with values of two kinds, such as `5` and `'5'`",
    default: Level::Error,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/type-conflict.md"),
};

/// A set of kinds of values, one bit each.
type Kinds = u8;

const BOOLEAN: Kinds = 1;
const NUMBER: Kinds = 2;
const STRING: Kinds = 4;

/// The words for a set of kinds.
fn words(kinds: Kinds) -> String {
    let names = [(BOOLEAN, "a boolean"), (NUMBER, "a number"), (STRING, "a string")];
    let words: Vec<&str> = names.into_iter().filter(|(kind, _)| kinds & kind != 0).map(|(_, word)| word).collect();
    words.join(" or ")
}

fn kind(literal: &Literal) -> Kinds {
    match literal {
        Literal::Null => 0,
        Literal::Bool(_) => BOOLEAN,
        Literal::Number(_) => NUMBER,
        Literal::String(_) => STRING,
    }
}

/// The kinds that an atom compares its term with, each with the position of its first value. A bare attribute, a test of
/// presence and a comparison with another term say nothing about the kind.
fn kinds(atom: &Atom) -> Vec<(Kinds, usize)> {
    let mut found: Vec<(Kinds, usize)> = match atom {
        Atom::Compare { operand: Operand::Literal(literal), .. } => vec![(kind(literal), 0)],
        Atom::In { values, .. } => values.iter().enumerate().map(|(position, value)| (kind(value), position)).collect(),
        Atom::Like { .. } | Atom::Matches { .. } | Atom::InCidr { .. } => vec![(STRING, 0)],
        Atom::Compare { operand: Operand::Term(_), .. } | Atom::Bare(_) | Atom::Exists(_) => vec![],
    };
    found.retain(|(kind, _)| *kind != 0);
    found.sort_unstable();
    found.dedup_by_key(|(kind, _)| *kind);
    found
}

/// All of them.
fn all(atom: &Atom) -> Kinds {
    match atom {
        Atom::Compare { operand: Operand::Literal(literal), .. } => kind(literal),
        Atom::In { values, .. } => values.iter().fold(0, |kinds, value| kinds | kind(value)),
        Atom::Like { .. } | Atom::Matches { .. } | Atom::InCidr { .. } => STRING,
        Atom::Compare { operand: Operand::Term(_), .. } | Atom::Bare(_) | Atom::Exists(_) => 0,
    }
}

fn is_mixed(kinds: Kinds) -> bool {
    kinds.count_ones() > 1
}

/// One comparison of a term with values of one kind.
#[derive(Clone, Copy)]
struct Use<'a> {
    policy: &'a Policy,
    document: &'a PolicyDocument,
    /// The position of the policy in the law book.
    position: usize,
    /// Its position in the condition.
    atom: usize,
    /// The value of that kind.
    value: usize,
    kind: Kinds,
    /// How many uses it stands for.
    weight: usize,
}

/// How many findings one condition has; more say nothing new.
const FINDINGS_PER_CONDITION: usize = 20;

/// What was reported.
#[derive(Default)]
struct Told {
    /// The policies of one term, with the kinds that they compare it with.
    of_term: BTreeSet<(usize, Kinds)>,
    /// How many findings each policy has.
    findings: HashMap<usize, usize>,
}

impl Told {
    /// Notes a finding, and says whether it is to be reported.
    fn is_new(&mut self, position: usize, kinds: Kinds) -> bool {
        let count = self.findings.entry(position).or_default();
        let new = *count < FINDINGS_PER_CONDITION && self.of_term.insert((position, kinds));
        *count += usize::from(new);
        new
    }
}

fn check(book: &Book, sink: &mut Sink) {
    let lists = lists(&book.config).unwrap_or_default();
    let mut compared: HashMap<&Term, Kinds> = HashMap::new();
    for condition in book.set.policies().iter().filter_map(|policy| policy.condition()) {
        condition.expr.each_atom(&mut |atom| *compared.entry(atom.term()).or_default() |= all(atom));
    }
    let mut uses: HashMap<&Term, Vec<Use<'_>>> =
        compared.into_iter().filter(|(_, kinds)| is_mixed(*kinds)).map(|(term, _)| (term, Vec::new())).collect();
    if uses.is_empty() {
        return;
    }
    for (position, (policy, document)) in book.policies().enumerate() {
        for (at, atom) in atoms(policy).into_iter().enumerate() {
            let Some(uses) = uses.get_mut(atom.term()) else { continue };
            uses.extend(kinds(atom).into_iter().map(|(kind, value)| Use { policy, document, position, atom: at, value, kind, weight: 1 }));
        }
    }
    let declared = declared(book, &uses, &lists);
    let mut by_term: Vec<(&Term, Vec<Use<'_>>)> = uses.into_iter().collect();
    by_term.sort_unstable_by_key(|(_, uses)| uses.first().map(|first| (first.position, first.atom)));
    let mut told = Told::default();
    for (term, uses) in &by_term {
        let together = declared.get(term).copied().unwrap_or_default();
        told.of_term.clear();
        for pool in pools(term, uses) {
            conflicts(book, term, &pool, together, &mut told, sink);
        }
    }
}

/// The kinds that each of these terms may have side by side, because a condition allows for both, or because elements of a list may differ.
fn declared<'a>(book: &'a Book, terms: &HashMap<&'a Term, Vec<Use<'a>>>, lists: &Lists) -> HashMap<&'a Term, Kinds> {
    let mut declared: HashMap<&Term, Kinds> = HashMap::new();
    if terms.is_empty() {
        return declared;
    }
    for term in terms.keys().filter(|term| lists.contains(term)) {
        declared.insert(term, BOOLEAN | NUMBER | STRING);
    }
    for (policy, _) in book.policies() {
        if let Some(condition) = policy.condition() {
            alternatives(&condition.expr, &mut |term, kinds| {
                if terms.contains_key(term) {
                    *declared.entry(term).or_default() |= kinds;
                }
            });
        }
    }
    declared
}

/// Calls `visit` with every term that one list, or the alternatives of one `or`, compare with several kinds. What `and` excludes side by
/// side, as in `x != 1 and x != '1'`, is the same list the other way round.
fn alternatives<'a>(expr: &'a Expr, visit: &mut impl FnMut(&'a Term, Kinds)) {
    match expr {
        Expr::Atom(atom) => {
            let kinds = all(atom);
            if is_mixed(kinds) {
                visit(atom.term(), kinds);
            }
        }
        Expr::Not(operand) => alternatives(operand, visit),
        Expr::And(operands) | Expr::Or(operands) => {
            let excluded = matches!(expr, Expr::And(_));
            let mut side_by_side: BTreeMap<&Term, Kinds> = BTreeMap::new();
            for operand in operands {
                alternatives(operand, visit);
                let (atom, negated) = match operand {
                    Expr::Atom(atom) => (atom, is_negative(atom)),
                    Expr::Not(inner) => match &**inner {
                        Expr::Atom(atom) => (atom, !is_negative(atom)),
                        _ => continue,
                    },
                    _ => continue,
                };
                if negated == excluded {
                    *side_by_side.entry(atom.term()).or_default() |= all(atom);
                }
            }
            side_by_side.into_iter().filter(|(_, kinds)| is_mixed(*kinds)).for_each(|(term, kinds)| visit(term, kinds));
        }
    }
}

fn is_negative(atom: &Atom) -> bool {
    match atom {
        Atom::Compare { op, .. } => *op == CompareOp::Ne,
        Atom::In { negated, .. } | Atom::InCidr { negated, .. } | Atom::Like { negated, .. } | Atom::Matches { negated, .. } => *negated,
        Atom::Bare(_) | Atom::Exists(_) => false,
    }
}

/// The uses that can meet one value. Documents of different services are different things, whose attributes may share a name; the facts
/// of a request are the same everywhere.
fn pools<'a>(term: &Term, uses: &[Use<'a>]) -> Vec<Vec<Use<'a>>> {
    if !matches!(term, Term::Document(_)) {
        return vec![uses.to_vec()];
    }
    let mut everywhere = Vec::new();
    let mut services: BTreeMap<&str, Vec<Use<'a>>> = BTreeMap::new();
    for one in uses {
        match one.policy.service().filter(|service| *service != "*") {
            Some(service) => services.entry(service).or_default().push(*one),
            None => everywhere.push(*one),
        }
    }
    if services.is_empty() {
        return vec![everywhere];
    }
    // Of what is said of every service, the first use of each kind stands for the others, so that many services cost no more than their uses.
    let mut first: BTreeMap<Kinds, Use<'a>> = BTreeMap::new();
    for one in &everywhere {
        first.entry(one.kind).and_modify(|first| first.weight += 1).or_insert(*one);
    }
    let joined = services.into_values().map(|mut own| {
        own.extend(first.values());
        own.sort_by_key(|one| (one.position, one.atom));
        own
    });
    joined.collect()
}

/// Reports every policy that compares with another kind than most do, and that was not told before.
fn conflicts(book: &Book, term: &Term, uses: &[Use<'_>], together: Kinds, told: &mut Told, sink: &mut Sink) {
    let class = |kind: Kinds| if together & kind == 0 { kind } else { together };
    let mut classes: BTreeMap<Kinds, usize> = BTreeMap::new();
    for one in uses {
        *classes.entry(class(one.kind)).or_default() += one.weight;
    }
    // Of two equally frequent kinds the one that was used first is taken for the meant one.
    let most = classes.values().copied().max().unwrap_or_default();
    let Some(usual) = uses.iter().find(|one| classes.get(&class(one.kind)) == Some(&most)).filter(|_| classes.len() > 1) else { return };
    let usual_kinds = class(usual.kind);
    let usual_span = LazyCell::new(|| span(book, usual));
    for one in uses.iter().filter(|one| class(one.kind) != usual_kinds) {
        let kinds = class(one.kind);
        if !told.is_new(one.position, kinds) {
            continue;
        }
        let fewer = classes.get(&kinds).copied().unwrap_or_default();
        let draft = Draft::new(span(book, one), message(term, (kinds, fewer), (usual_kinds, most))).label(words(one.kind));
        let elsewhere = format!("compared with {} in `{}`", words(usual.kind), usual.policy.id());
        sink.report(draft.related(*usual_span, elsewhere).policy(one.policy.id().as_str()).help(help(term, one, usual_kinds)));
    }
}

fn span(book: &Book, one: &Use<'_>) -> Span {
    Places::of(book, one.document).value(one.atom, one.value)
}

fn message(term: &Term, fewer: (Kinds, usize), more: (Kinds, usize)) -> String {
    let here = match fewer.1 {
        0 | 1 => "only here".to_owned(),
        2 => "here and in one more place".to_owned(),
        count => format!("here and in {} more places", count - 1),
    };
    let there = match more.1 {
        0 | 1 => "in one other place".to_owned(),
        count => format!("in {count} places"),
    };
    let (one, other) = (words(fewer.0), words(more.0));
    format!("`{term}` is compared with {one} {here}, and with {other} {there}; a value has one kind, so one of the two never matches")
}

fn help(term: &Term, one: &Use<'_>, usual: Kinds) -> String {
    let atoms = atoms(one.policy);
    let literal = match atoms.get(one.atom) {
        Some(Atom::Compare { operand: Operand::Literal(literal), .. }) => Some(literal),
        Some(Atom::In { values, .. }) => values.get(one.value),
        _ => None,
    };
    let both = |value: &str, string: &str| format!("; if it can be both, allow for both, as in `{term} in ({value}, {string})`");
    match literal {
        Some(Literal::String(text)) if same_as_a_literal(text, usual) => {
            format!("write `{text}` without quotes if `{term}` is {}{}", words(usual), both(text, &format!("'{text}'")))
        }
        Some(value @ (Literal::Number(_) | Literal::Bool(_))) if usual == STRING => {
            format!("write `'{value}'` if `{term}` is a string{}", both(&value.to_string(), &format!("'{value}'")))
        }
        _ => format!("find out which kind `{term}` has, and compare it with that kind everywhere{}", both("1", "'1'")),
    }
}

/// Whether a string says what a literal of this kind would say without its quotes.
fn same_as_a_literal(text: &str, kind: Kinds) -> bool {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && text.parse::<f64>().is_ok();
    (kind == NUMBER && is_number) || (kind == BOOLEAN && matches!(text, "true" | "false"))
}
