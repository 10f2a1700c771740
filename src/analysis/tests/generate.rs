//! Conditions by chance, out of few constants, so that they meet. The same number always gives the same conditions.

use crate::condition;
use crate::condition::Atom;
use crate::condition::Expr;
use crate::condition::Term;

/// A source of chance.
pub struct Chance(u64);

impl Chance {
    /// The source of one number.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// A number below a bound (SplitMix64).
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) as usize % bound
    }

    /// One of some things.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// All words over some letters, up to a length, the short ones first.
pub fn words(letters: &str, longest: usize) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut last = words.clone();
    for _ in 0..longest {
        last = last.iter().flat_map(|word| letters.chars().map(move |char| format!("{word}{char}"))).collect();
        words.extend(last.iter().cloned());
    }
    words
}

/// The networks that occur.
const NETWORKS: [&str; 6] = ["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "::/0", "fd00::/8", "10.1.2.3/32"];

/// Tests of `x` of every form, as many of each form as it has variety.
pub fn tests(chance: &mut Chance) -> Vec<String> {
    let words = words("ab_%", 3);
    let constants: Vec<String> = ["0", "1", "2", "'a'", "'ab'", "'ba'", "true", "false"].map(str::to_owned).to_vec();
    let edges = ["-0.0", "''", "'a\0'", "'b'", "1.7976931348623157e308", "-1.7976931348623157e308", "5e-324"].map(str::to_owned);
    let mut tests: Vec<String> = Vec::new();
    for test in ["x", "exists x", "x = null", "x != null"] {
        tests.extend(std::iter::repeat_n(test.to_owned(), 6));
    }
    for constant in &constants {
        tests.extend(std::iter::repeat_n(["=", "!="], 4).flatten().map(|op| format!("x {op} {constant}")));
    }
    for constant in constants[..6].iter().chain(&edges) {
        tests.extend(["=", "<", "<=", ">", ">="].map(|op| format!("x {op} {constant}")));
    }
    for _ in 0..40 {
        let list: Vec<&str> = (0..=chance.below(4)).map(|_| chance.pick(&constants).as_str()).collect();
        tests.push(format!("x {} ({})", chance.pick(&["in", "not in"]), list.join(", ")));
    }
    for _ in 0..60 {
        tests.push(format!("x {} '{}'", chance.pick(&["like", "like", "not like"]), chance.pick(&words)));
    }
    for _ in 0..20 {
        let list: Vec<String> = (0..=chance.below(2)).map(|_| format!("'{}'", chance.pick(&NETWORKS))).collect();
        tests.push(format!("x {} cidr ({})", chance.pick(&["in", "not in"]), list.join(", ")));
    }
    tests
}

/// The atom of a text.
pub fn atom(text: &str) -> Atom {
    match condition::parse(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}")).expr {
        Expr::Atom(atom) => atom,
        other => panic!("{other} is no atom"),
    }
}

/// The atom about another term.
pub fn about(atom: &Atom, term: &Term) -> Atom {
    let mut atom = atom.clone();
    match &mut atom {
        Atom::Bare(place) | Atom::Exists(place) => *place = term.clone(),
        Atom::Compare { term: place, .. } | Atom::In { term: place, .. } | Atom::InCidr { term: place, .. } => *place = term.clone(),
        Atom::Like { term: place, .. } | Atom::Matches { term: place, .. } => *place = term.clone(),
    }
    atom
}

/// A condition of at most a depth.
pub fn condition(chance: &mut Chance, depth: usize, atom: &mut impl FnMut(&mut Chance) -> Atom) -> Expr {
    let kind = if depth == 0 { 0 } else { chance.below(8) };
    let mut some = |chance: &mut Chance| (0..2 + chance.below(2)).map(|_| condition(chance, depth - 1, atom)).collect();
    match kind {
        1..=3 => Expr::all(some(chance)),
        4..=6 => Expr::any(some(chance)),
        7 => Expr::Not(Box::new(condition(chance, depth - 1, atom))),
        _ => Expr::Atom(atom(chance)),
    }
}
