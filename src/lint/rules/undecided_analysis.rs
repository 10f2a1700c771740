//! A question about a policy that could not be answered.

use crate::analysis::Claim;
use crate::analysis::Undecided;
use crate::condition::Atom;
use crate::condition::Expr;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::policy::Statement;

pub(super) static RULE: Rule = Rule {
    name: "undecided-analysis",
    summary: "it could not be found out whether something is wrong with a policy",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/undecided-analysis.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for undecided in &book.meaning().undecided {
        let Some((statement, document)) = book.stated(undecided.statement) else { continue };
        let claims: Vec<&str> = undecided.claims.iter().map(|claim| words(*claim)).collect();
        let (why, help) = reason(book, undecided);
        let message = format!("it is not known whether `{}` {}: {why}", statement.policy, claims.join(", or whether it "));
        let mut draft = Draft::new(document.head_span(), message).policy(statement.policy.as_str()).help(help);
        for obstacle in &undecided.obstacles {
            let Some((_, document)) = book.stated(obstacle.statement) else { continue };
            let span = document.condition().map_or_else(|| document.head_span(), |condition| condition.node.span);
            draft = draft.related(span, format!("`{}` is in the way", Expr::Atom(obstacle.atom.clone())));
        }
        sink.report(draft);
    }
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
    let Some(first) = undecided.obstacles.first() else {
        return (
            "there are too many possibilities to look at".to_owned(),
            "split the policy, or shorten the conditions of the policies that overlap it; until then, hold what matters by `lawbook decide`",
        );
    };
    let of = |statement: Option<&Statement>| statement.map_or_else(String::new, |statement| format!(" in `{}`", statement.policy));
    let place = if first.statement == undecided.statement { String::new() } else { of(book.set.statements().get(first.statement)) };
    let text = Expr::Atom(first.atom.clone());
    match &first.atom {
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
