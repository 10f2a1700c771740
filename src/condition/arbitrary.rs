//! Generated conditions for property tests.
//!
//! Names only what `condition` makes public, and through `super`, so that an integration test can include this file by its
//! path in a module that imports those names.

use proptest::prelude::*;

use super::Atom;
use super::CompareOp;
use super::Expr;
use super::LikePattern;
use super::Literal;
use super::Network;
use super::Number;
use super::Operand;
use super::Path;
use super::RegexPattern;
use super::Term;

/// Conditions in normal form, over few names and constants, so that they meet.
pub fn expr() -> impl Strategy<Value = Expr> {
    let leaf = atom().prop_map(Expr::Atom);
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expr::all),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expr::any),
            inner.prop_map(|inner| Expr::Not(Box::new(inner))),
        ]
    })
}

/// Atoms of every form.
pub fn atom() -> impl Strategy<Value = Atom> {
    let equal = prop_oneof![Just(CompareOp::Eq), Just(CompareOp::Ne)];
    prop_oneof![
        term().prop_map(Atom::Bare),
        term().prop_map(Atom::Exists),
        (term(), equal, literal()).prop_map(|(term, op, literal)| Atom::Compare { term, op, operand: Operand::Literal(literal) }),
        (term(), op(), ordered()).prop_map(|(term, op, literal)| Atom::Compare { term, op, operand: Operand::Literal(literal) }),
        (term(), op(), term()).prop_map(|(term, op, other)| Atom::Compare { term, op, operand: Operand::Term(other) }),
        (term(), values(), any::<bool>()).prop_map(|(term, values, negated)| Atom::In { term, values, negated }),
        (term(), networks(), any::<bool>()).prop_map(|(term, networks, negated)| Atom::InCidr { term, networks, negated }),
        (term(), like_pattern(), any::<bool>()).prop_map(|(term, pattern, negated)| Atom::Like { term, pattern, negated }),
        (term(), regex_pattern(), any::<bool>()).prop_map(|(term, pattern, negated)| Atom::Matches { term, pattern, negated }),
    ]
}

/// Terms of every form.
pub fn term() -> impl Strategy<Value = Term> {
    prop_oneof![
        4 => path().prop_map(Term::Document),
        1 => Just(Term::Me),
        1 => path().prop_map(Term::Caller),
        1 => path().prop_map(Term::Action),
        1 => path().prop_map(Term::Context),
    ]
}

/// Constants of every kind.
pub fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![Just(Literal::Null), any::<bool>().prop_map(Literal::Bool), ordered()]
}

fn path() -> impl Strategy<Value = Path> {
    prop::collection::vec(name(), 1..3).prop_filter_map("a path has names", Path::new)
}

fn name() -> impl Strategy<Value = String> {
    let odd = ["", "not", "NULL", "cidr", "b c", "a`b", "1", "a.b", "{me}", "é", "#x-1", "-", "'"];
    prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned),
        1 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
    ]
}

fn op() -> impl Strategy<Value = CompareOp> {
    prop::sample::select(vec![CompareOp::Eq, CompareOp::Ne, CompareOp::Lt, CompareOp::Le, CompareOp::Gt, CompareOp::Ge])
}

/// Constants that have an order.
fn ordered() -> impl Strategy<Value = Literal> {
    prop_oneof![number().prop_map(Literal::Number), text().prop_map(Literal::String)]
}

fn number() -> impl Strategy<Value = Number> {
    let near = prop::sample::select(vec![-1.0, -0.0, 0.5, 1.0, 2.0]);
    prop_oneof![4 => near, 1 => any::<f64>()].prop_filter_map("a number is finite", Number::new)
}

/// Strings with everything that quoting has to get right. The letters cannot spell a reference.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => prop::sample::select(vec!["a", "b", "ab", "10.0.0.1", "::1"]).prop_map(str::to_owned),
        1 => "[ab'\"\\\\%_ {}0-9,`\né漢]{0,6}",
    ]
}

fn values() -> impl Strategy<Value = Vec<Literal>> {
    prop::collection::vec(literal().prop_filter("a list holds no null", |literal| *literal != Literal::Null), 1..4)
}

fn networks() -> impl Strategy<Value = Vec<Network>> {
    let known = ["10.0.0.0/8", "0.0.0.0/0", "::/0", "fd00::/8", "::1/128", "192.168.1.0/24", "::ffff:10.0.0.0/104"];
    let network = prop::sample::select(known.to_vec()).prop_filter_map("a network parses", |text| text.parse().ok().map(Network::new));
    prop::collection::vec(network, 1..3)
}

fn like_pattern() -> impl Strategy<Value = LikePattern> {
    prop_oneof![prop::sample::select(vec!["a%", "%b", "%", "_", "a_"]).prop_map(str::to_owned), text()]
        .prop_filter_map("a pattern is complete", |text| LikePattern::new(&text))
}

fn regex_pattern() -> impl Strategy<Value = RegexPattern> {
    let known = ["^a", "b$", "", r"\d{2}", "a|b", r"'\\'", "(?i)AB"];
    prop::sample::select(known.to_vec()).prop_filter_map("a regular expression compiles", |text| RegexPattern::new(text).ok())
}
