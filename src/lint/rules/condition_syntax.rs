//! A condition that is not understood.

use crate::condition::ConditionError;
use crate::condition::ErrorKind;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::scalar;
use crate::policy::PolicyDocument;

pub(super) static RULE: Rule = Rule {
    name: "condition-syntax",
    summary: "a condition is not understood",
    default: Level::Error,
    blocking: true,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/condition-syntax.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for (_, document) in book.documents() {
        let Err(unreadable) = &document.reading else { continue };
        let errors = unreadable.conditions.iter().map(|(_, error)| error);
        for error in errors.filter(|error| error.kind != ErrorKind::AmbiguousPrecedence) {
            sink.report(draft(book, document, error));
        }
    }
    for (position, errors) in &book.misfits {
        let Some(document) = book.places.get(*position).and_then(|&place| book.document(place)) else { continue };
        for error in errors {
            sink.report(draft(book, document, error));
        }
    }
}

fn draft(book: &Book, document: &PolicyDocument, error: &ConditionError) -> Draft {
    let draft = Draft::new(scalar::condition_span(book, document, error.range.clone()), error.message.as_str()).about(document);
    draft.help(error.help.as_deref().unwrap_or("write a condition such as `category = 'Examples' and owner = {me}`"))
}
