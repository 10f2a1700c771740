//! Two policies with one id.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;

pub(super) static RULE: Rule = Rule {
    name: "duplicate-policy-id",
    summary: "two policies have the same id, or ids that differ only in case",
    default: Level::Error,
    blocking: true,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/duplicate-policy-id.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    let mut first = HashMap::with_capacity(book.set.policies().len());
    let ids = book.documents().filter_map(|(_, document)| document.id().map(|(id, _)| (id, document)));
    for (id, document) in ids {
        let (taken, earlier) = match first.entry(id.to_lowercase()) {
            Entry::Occupied(taken) => *taken.get(),
            Entry::Vacant(free) => {
                free.insert((id, document));
                continue;
            }
        };
        let message = if id == taken {
            format!("`{id}` is already the id of another policy; whoever names `{id}` could mean either")
        } else {
            format!("`{id}` and `{taken}` differ only in case, and ids are unique also ignoring case")
        };
        let span = earlier.head_span();
        let draft = Draft::new(document.head_span(), message).label("used again here").about(document);
        sink.report(
            draft
                .related(span, format!("first used here, in {}", book.sources.path(span.source)))
                .help("give one of the two another id, or remove one of the two"),
        );
    }
}
