//! A denial that overlaps grants in part.

use crate::analysis::COUNTED;
use crate::analysis::Conflict;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::policy::Statement;

pub(super) static RULE: Rule = Rule {
    name: "allow-deny-conflict",
    summary: "a denial overlaps a grant in part",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/allow-deny-conflict.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    let statements = book.set.statements();
    for conflict in book.analysis().conflicts() {
        let Some(denial) = statements.get(conflict.denial) else { continue };
        let Some(document) = book.document_of(denial.policy.as_str()) else { continue };
        let mut draft = Draft::new(document.head_span(), message(denial, &conflict)).label("this denial").policy(denial.policy.as_str());
        for grant in conflict.grants.iter().filter_map(|&at| statements.get(at)) {
            let Some(document) = book.document_of(grant.policy.as_str()) else { continue };
            draft = draft.related(document.head_span(), format!("`{}` is overlapped", grant.policy));
        }
        if let Some(witness) = &conflict.witness {
            draft = draft.witness(witness.to_string());
        }
        sink.report(
            draft.help(
                "narrow the denial or the grant so that one lies inside the other, or suppress this with the reason why both are meant",
            ),
        );
    }
}

fn message(denial: &Statement, conflict: &Conflict) -> String {
    let id = &denial.policy;
    match conflict.overlaps {
        1 => format!("`{id}` overlaps a grant in part; where both apply, the request is denied"),
        count => {
            let least = if count == COUNTED { "at least " } else { "" };
            format!("`{id}` overlaps {least}{count} grants in part; where both apply, the request is denied")
        }
    }
}
