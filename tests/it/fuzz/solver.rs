//! What must hold for every two conditions: an answer of the solver is what the requests say that are tried one by one.
//!
//! Bytes become texts of a fragment that has every form of atom, over few terms and constants, so that they meet.

use std::cell::Cell;
use std::collections::BTreeSet;

use lawbook::analysis::Budget;
use lawbook::analysis::Verdict;
use lawbook::analysis::together;
use lawbook::condition::Atom;
use lawbook::condition::CompareOp;
use lawbook::condition::Condition;
use lawbook::condition::Facts;
use lawbook::condition::Lists;
use lawbook::condition::Operand;
use lawbook::condition::Term;
use lawbook::condition::parse;
use lawbook::decision::Request;
use lawbook::decision::holds_for;
use lawbook::policy::Effect;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

const TERMS: [&str; 8] = ["a", "b", "a", "b", "{me}", "{me.d}", "tags", "a.c"];
const CONSTANTS: [&str; 10] = ["0", "1", "'a'", "'ab'", "'b'", "''", "2", "-0.5", "true", "'10.1.2.3'"];
const NETWORKS: [&str; 4] = ["'10.0.0.0/8'", "'10.1.2.3/32'", "'::/0'", "'0.0.0.0/0'"];
const REGEXES: [&str; 4] = ["^a", "b$", "^[ab]{2}$", "c"];
const CALLERS: [&str; 6] = ["a", "ab", "b", "ba", "10.1.2.3", "other"];
/// How many requests are tried at most. Most pairs read two or three terms and have fewer.
const REQUESTS: usize = 60_000;

/// What the solver said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// There is a request, and it is one.
    Yes,
    /// There is none, and none that was tried is one.
    No,
    /// Nothing, and something opaque is in the conditions.
    Undecided,
}

/// One statement of the question: its condition, its effect, and whether it has to apply.
type Goal = (Condition, Effect, bool);

/// Asks the solver about what bytes say and tries its answer; `None` if they say nothing. Panics if the answer is wrong.
pub fn check(bytes: &[u8]) -> Option<Told> {
    let mut source = Source { bytes, at: 0 };
    let lists: Lists = Term::parse("tags").into_iter().collect();
    let mut goals: Vec<Goal> = Vec::new();
    for _ in 0..2 {
        let how = source.next();
        let effect = if how & 1 == 0 { Effect::Allow } else { Effect::Deny };
        let text = source.condition(3);
        let parsed = parse(&text).unwrap_or_else(|errors| panic!("{text:?}: {errors:?}"));
        goals.push((Condition::new(parsed.expr, &lists).ok()?, effect, how & 6 != 6));
    }
    let asked: Vec<(&Condition, Effect, bool)> = goals.iter().map(|(condition, effect, applies)| (condition, *effect, *applies)).collect();
    let shown = || goals.iter().map(|(c, effect, applies)| format!("{effect:?} `{}` {applies}", c.expr())).collect::<Vec<_>>().join(", ");
    Some(match together(&asked, Budget::default()) {
        Verdict::Yes(witness) => {
            let request = Request::from_authzen(&witness).unwrap_or_else(|error| panic!("{}: {error}: {witness}", shown()));
            assert!(met(&goals, &request.facts()), "{} is not met by {witness}", shown());
            Told::Yes
        }
        Verdict::No => {
            if let Some(request) = tried(&goals) {
                panic!("{} is met by {request}", shown());
            }
            Told::No
        }
        Verdict::Undecided => {
            assert!(goals.iter().any(|(condition, ..)| is_opaque(condition)), "{} is undecided", shown());
            Told::Undecided
        }
    })
}

fn met(goals: &[Goal], facts: &Facts<'_>) -> bool {
    goals.iter().all(|(condition, effect, applies)| holds_for(*effect, condition.evaluate(facts)) == *applies)
}

/// Whether a condition has an atom that the solver knows only as true or false.
fn is_opaque(condition: &Condition) -> bool {
    let opaque = Cell::new(false);
    condition.expr().each_atom(&mut |atom| {
        let is = match atom {
            Atom::Matches { .. } => true,
            Atom::Compare { term, op, operand: Operand::Term(other) } => {
                !matches!(op, CompareOp::Eq | CompareOp::Ne) || (*term != Term::Me && *other != Term::Me)
            }
            _ => false,
        };
        opaque.set(opaque.get() || is);
    });
    opaque.get()
}

/// A request that meets the goals, of those that are tried: every combination of values of the terms that are read.
fn tried(goals: &[Goal]) -> Option<Value> {
    let read: BTreeSet<String> = goals.iter().flat_map(|(condition, ..)| condition.terms()).map(Term::to_string).collect();
    let has = |name: &str| read.contains(name);
    let nothing = || vec![Value::Null];
    let mut of_a = if has("a") { scalars() } else { nothing() };
    if has("a.c") {
        of_a.extend(scalars().into_iter().map(|inner| json!({"c": inner})));
    }
    let of_b = if has("b") { scalars() } else { nothing() };
    let of_tags = if has("tags") { tags() } else { nothing() };
    let of_d = if has("{me.d}") { scalars() } else { nothing() };
    // The least that tells `{me}` from every other term.
    let callers = if has("{me}") { &CALLERS[..] } else { &CALLERS[..1] };
    let (action, context) = (Map::new(), Map::new());
    let mut left = REQUESTS;
    for a in &of_a {
        for b in &of_b {
            for d in &of_d {
                for tags in &of_tags {
                    let document = object(&[("a", a), ("b", b), ("tags", tags)]);
                    let caller = object(&[("d", d)]);
                    for me in callers {
                        left = left.checked_sub(1)?;
                        if met(goals, &Facts { me, caller: &caller, action: &action, context: &context, document: &document }) {
                            return Some(json!({"me": me, "caller": caller, "document": document}));
                        }
                    }
                }
            }
        }
    }
    None
}

fn object(fields: &[(&str, &Value)]) -> Map<String, Value> {
    fields.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| ((*name).to_owned(), (*value).clone())).collect()
}

/// Values on every side of every constant.
fn scalars() -> Vec<Value> {
    let numbers = [-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0].map(Value::from);
    let words = ["", "a", "aa", "ab", "abb", "b", "ba", "c", "10.1.2.3", "10.2.0.0", "11.0.0.1", "::1"].map(Value::from);
    [Value::Null, true.into(), false.into(), json!([])].into_iter().chain(numbers).chain(words).collect()
}

fn tags() -> Vec<Value> {
    let some = [json!(0), json!(1), json!(2), json!("a"), json!("ab"), json!("b"), json!("c"), json!(true), json!("10.1.2.3")];
    let pairs = some.iter().enumerate().flat_map(|(at, one)| some.iter().skip(at + 1).map(move |two| json!([one, two])));
    [json!([]), json!([[]]), json!("a"), Value::Null].into_iter().chain(some.iter().map(|one| json!([one]))).chain(pairs).collect()
}

/// Bytes that choose; zeros when they are spent.
struct Source<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Source<'_> {
    fn next(&mut self) -> usize {
        let byte = self.bytes.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        usize::from(byte)
    }

    fn pick(&mut self, of: &[&'static str]) -> &'static str {
        of[self.next() % of.len()]
    }

    fn list(&mut self, of: &[&'static str]) -> String {
        let count = 1 + self.next() % 3;
        (0..count).map(|_| self.pick(of)).collect::<Vec<_>>().join(", ")
    }

    /// The text of a condition of at most a depth. A spent source gives an atom.
    fn condition(&mut self, depth: usize) -> String {
        let kind = if depth == 0 { 0 } else { self.next() % 8 };
        let joined = match kind {
            1..=3 => " and ",
            4..=5 => " or ",
            6 => return format!("not ({})", self.condition(depth - 1)),
            _ => return self.atom(),
        };
        let parts: Vec<String> = (0..2 + self.next() % 2).map(|_| format!("({})", self.condition(depth - 1))).collect();
        parts.join(joined)
    }

    fn atom(&mut self) -> String {
        let term = self.pick(&TERMS);
        let not = ["", "not "][self.next() % 2];
        match self.next() % 16 {
            0..=2 => format!("{term} {} {}", self.pick(&["=", "!="]), self.pick(&CONSTANTS)),
            3..=5 => format!("{term} {} {}", self.pick(&["<", "<=", ">", ">="]), self.pick(&CONSTANTS[..8])),
            6 => format!("{term} {not}in ({})", self.list(&CONSTANTS)),
            7..=8 => format!("{term} {not}like '{}{}{}'", self.letter(), self.letter(), self.letter()),
            9 => format!("{term} {not}in cidr ({})", self.list(&NETWORKS)),
            10 => format!("{term} {} null", self.pick(&["=", "!="])),
            11 => format!("exists {term}"),
            12 => term.to_owned(),
            13 => format!("{term} {not}matches '{}'", self.pick(&REGEXES)),
            14 => format!("{term} {} {{me}}", self.pick(&["=", "!="])),
            _ => format!("{term} {} {}", self.pick(&["=", "!=", "<", ">="]), self.pick(&TERMS)),
        }
    }

    fn letter(&mut self) -> &'static str {
        self.pick(&["a", "b", "%", "_", ""])
    }
}
