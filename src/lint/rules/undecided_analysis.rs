//! A question about a policy that could not be answered.

use std::collections::BTreeMap;

use crate::analysis::Claim;
use crate::analysis::Examined;
use crate::analysis::Undecided;
use crate::analysis::Verdict;
use crate::condition::Atom;
use crate::condition::Expr;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::policy::Policy;
use crate::policy::PolicyDocument;
use crate::policy::Statement;

pub(super) static RULE: Rule = Rule {
    name: "undecided-analysis",
    summary: "it could not be found out whether something is wrong with a policy",
    default: Level::Warn,
    blocking: false,
    check: Check::Meaning(check),
    page: include_str!("../../../docs/rules/undecided-analysis.md"),
};

/// No more parts of one condition are named.
const NAMED: usize = 3;

fn check(book: &Book, sink: &mut Sink) {
    let mut conditions: BTreeMap<&str, (&PolicyDocument, &Examined, Vec<&str>)> = BTreeMap::new();
    for (policy, document, condition) in book.conditions() {
        let open = of_condition(policy, condition);
        if !open.is_empty() {
            conditions.insert(policy.id().as_str(), (document, condition, open));
        }
    }
    for undecided in &book.meaning().undecided {
        let Some((statement, document)) = book.stated(undecided.statement) else { continue };
        let own = conditions.remove(statement.policy.as_str()).map_or_else(Vec::new, |(_, _, open)| open);
        let claims: Vec<&str> = own.into_iter().chain(undecided.claims.iter().map(|claim| words(*claim))).collect();
        let (why, help) = reason(book, undecided);
        let mut draft = told(document, statement.policy.as_str(), &claims, &why, help);
        for obstacle in &undecided.obstacles {
            let Some((_, document)) = book.stated(obstacle.statement) else { continue };
            let span = document.condition().map_or_else(|| document.head_span(), |condition| condition.node.span);
            draft = draft.related(span, format!("`{}` is in the way", Expr::Atom(obstacle.atom.clone())));
        }
        sink.report(draft);
    }
    for (policy, (document, condition, claims)) in conditions {
        let (why, help) = condition.opaque.first().map_or_else(too_large, |atom| opaque(atom, ""));
        let mut draft = told(document, policy, &claims, &why, help);
        let span = document.condition().map_or_else(|| document.head_span(), |condition| condition.node.span);
        for atom in condition.opaque.iter().take(NAMED) {
            draft = draft.related(span, format!("`{}` is in the way", Expr::Atom(atom.clone())));
        }
        sink.report(draft);
    }
}

fn told(document: &PolicyDocument, policy: &str, claims: &[&str], why: &str, help: &'static str) -> Draft {
    let message = format!("it is not known whether `{policy}` {}: {why}", claims.join(", or whether it "));
    Draft::new(document.head_span(), message).policy(policy).help(help)
}

/// What is not known of a condition by itself.
fn of_condition(policy: &Policy, condition: &Examined) -> Vec<&'static str> {
    let (holds, fails) = match policy {
        Policy::Access(_) => ("has a condition that can hold", "has a condition that can fail"),
        Policy::Control(_) => ("requires what can be met", "requires what can fail"),
    };
    let open = |verdict: &Verdict<_>, words| (*verdict == Verdict::Undecided).then_some(words);
    open(&condition.never, holds).into_iter().chain(open(&condition.always, fails)).collect()
}

fn words(claim: Claim) -> &'static str {
    match claim {
        Claim::Dead => "ever takes effect",
        Claim::Redundant => "changes any decision",
        Claim::Inert => "denies anything that is granted",
        Claim::Conflict => "overlaps grants in part",
        Claim::Lockout => "still lets anybody change policies",
        Claim::Contradiction => "can be met together with the other controls",
    }
}

/// Why it is not known, and what to do.
fn reason(book: &Book, undecided: &Undecided) -> (String, &'static str) {
    let Some(first) = undecided.obstacles.first() else { return too_large() };
    let of = |statement: Option<&Statement>| statement.map_or_else(String::new, |statement| format!(" in `{}`", statement.policy));
    let place = if first.statement == undecided.statement { String::new() } else { of(book.set.statement(first.statement)) };
    opaque(&first.atom, &place)
}

fn too_large() -> (String, &'static str) {
    (
        "there are too many possibilities to look at".to_owned(),
        "split the policy, or shorten the conditions of the policies that overlap it; until then, hold what matters by `lawbook decide`",
    )
}

/// Why nothing is known of a part of a condition, which stands in a place.
fn opaque(atom: &Atom, place: &str) -> (String, &'static str) {
    let text = Expr::Atom(atom.clone());
    match atom {
        Atom::Matches { .. } => (
            format!("`{text}`{place} is a regular expression, which is not reasoned about"),
            "write `like`, `in` or `=` instead of `matches` where that says enough; otherwise try the requests that matter with \
             `lawbook decide`, and suppress this with what you found",
        ),
        _ => (
            format!("`{text}`{place} compares two values that both depend on the request, which is not reasoned about"),
            "compare with a constant where that is possible; otherwise try the requests that matter with `lawbook decide`, and suppress \
             this with what you found",
        ),
    }
}
