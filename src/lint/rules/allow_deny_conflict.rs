//! A denial that overlaps grants in part.

use crate::analysis::COUNTED;
use crate::analysis::Conflict;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::telling;
use crate::policy::Statement;

pub(super) static RULE: Rule = Rule {
    name: "allow-deny-conflict",
    summary: "a denial overlaps a grant in part",
    default: Level::Warn,
    blocking: false,
    check: Check::Meaning(check),
    page: include_str!("../../../docs/rules/allow-deny-conflict.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for conflict in &book.meaning().conflicts {
        let Some((denial, document)) = book.stated(conflict.denial) else { continue };
        let draft = Draft::new(document.head_span(), message(book, denial, conflict)).label("this denial").policy(denial.policy.as_str());
        let draft = telling::labels(draft, book, &conflict.grants, |grant| format!("`{}` is overlapped", grant.policy));
        sink.report(draft.witness(conflict.witness.to_string()).help(
            "narrow one of the two so that it lies inside the other, where it reads as an exception; or suppress this with the reason why \
             both are meant as they are",
        ));
    }
}

fn message(book: &Book, denial: &Statement, conflict: &Conflict) -> String {
    let id = &denial.policy;
    let first = telling::named(book, conflict.grants.get(..1).unwrap_or_default(), 1);
    let region = telling::regions(&conflict.regions);
    match conflict.overlaps {
        1 => format!("`{id}` and {first} each reach further than the other; where both apply, {region} is denied"),
        count => {
            let names = telling::named(book, &conflict.grants, count);
            let least = if count >= COUNTED { " at least" } else { "" };
            format!("`{id}` overlaps{least} {count} grants in part, {names}; where it meets {first}, {region} is denied")
        }
    }
}
