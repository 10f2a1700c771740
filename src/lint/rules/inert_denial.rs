//! A denial that takes nothing away.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::telling;

pub(super) static RULE: Rule = Rule {
    name: "inert-denial",
    summary: "a denial changes no decision, because nothing grants what it denies",
    default: Level::Warn,
    blocking: false,
    check: Check::Meaning(check),
    page: include_str!("../../../docs/rules/inert-denial.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for inert in &book.meaning().superfluous.inert {
        let Some((denial, document)) = book.stated(inert.denial) else { continue };
        let id = &denial.policy;
        let others = telling::named(book, &inert.by, inert.by.len());
        let message = match inert.by.as_slice() {
            [] => format!("`{id}` changes no decision: nothing grants what it denies, and what nothing grants is denied anyway"),
            [_] => format!("`{id}` changes no decision: of what it denies, {others} already denies all that anything grants"),
            _ => format!("`{id}` changes no decision: of what it denies, {others} together already deny all that anything grants"),
        };
        let draft = Draft::new(document.head_span(), message).label("takes nothing away").policy(id.as_str());
        let draft = telling::labels(draft, book, &inert.by, |other| format!("`{}` denies it already", other.policy));
        sink.report(draft.help(
            "check its service, source, actions, members and condition, for one of them may miss what was meant; otherwise remove it, or \
             suppress this with the reason if it is there for grants to come",
        ));
    }
}
