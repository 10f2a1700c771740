//! Nobody is left who can change policies.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::telling;

pub(super) static RULE: Rule = Rule {
    name: "lockout",
    summary: "nobody can change policies any more, although grants are meant to let somebody",
    default: Level::Error,
    blocking: false,
    check: Check::Meaning(check),
    page: include_str!("../../../docs/rules/lockout.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    let Some(lockout) = &book.meaning().lockout else { return };
    let Some((at, document)) = lockout.denials.first().or(lockout.grants.first()).and_then(|&at| book.stated(at)) else { return };
    let grants = telling::named(book, &lockout.grants, lockout.grants.len());
    let denials = telling::named(book, &lockout.denials, lockout.denials.len());
    let (verb, deny) =
        (if lockout.grants.len() == 1 { "grants" } else { "grant" }, if lockout.denials.len() == 1 { "denies" } else { "deny" });
    let message = match lockout.denials.is_empty() {
        true => format!("nobody can change policies on the service `policy`: {grants} can never apply"),
        false => format!("nobody can change policies on the service `policy`: {denials} {deny} everything that {grants} {verb} there"),
    };
    let help = match lockout.denials.is_empty() {
        true => "correct the grant so that somebody can meet its condition, here in the repository, as long as that is still possible",
        false => {
            "spare the administrators, by `except`, by a condition, or by leaving the service `policy` out; make the change here in the \
             repository, for a server that enforces this law book will refuse it"
        }
    };
    let draft = Draft::new(document.head_span(), message).policy(at.policy.as_str()).help(help);
    let draft = telling::labels(draft, book, &lockout.grants, |grant| format!("`{}` is meant to let somebody", grant.policy));
    let others = lockout.denials.get(1..).unwrap_or_default();
    let draft = telling::labels(draft, book, others, |denial| format!("`{}` takes a part of it", denial.policy));
    sink.report(match &lockout.witness {
        Some(witness) => draft.witness(witness.to_string()),
        None => draft,
    });
}
