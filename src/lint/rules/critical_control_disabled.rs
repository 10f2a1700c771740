//! A control that should stay enabled and is not.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use crate::config::Placed;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::suggest::Suggestions;
use crate::policy::Policy;
use crate::schema::Kind;
use crate::source::Span;

pub(super) static RULE: Rule = Rule {
    name: "critical-control-disabled",
    summary: "a control that lawbook.toml lists as critical is disabled, or does not exist",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/critical-control-disabled.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    let mut suggestions = Suggestions::default();
    let written: LazyCell<BTreeSet<&str>, _> =
        LazyCell::new(|| book.documents().filter_map(|(_, document)| document.id().map(|(id, _)| id)).collect());
    // A control that seems to be missing may be in a file that could not be read.
    let all_read = book.unreadable.is_empty() && book.files.iter().all(|file| file.errors.is_empty());
    for critical in &book.config.critical {
        let id = critical.value.as_str();
        let draft = match book.set.get(id).map(|policy| &**policy) {
            Some(Policy::Control(control)) if control.enabled => None,
            Some(Policy::Control(_)) => disabled(book, critical),
            Some(Policy::Access(_)) => config_span(book, critical).map(|span| {
                let message = format!("`critical` names `{id}`, which is an access policy and no control");
                Draft::new(span, message).help("name a control, or remove the line")
            }),
            None if all_read && !written.contains(id) => config_span(book, critical).map(|span| missing(book, id, span, &mut suggestions)),
            None => None,
        };
        if let Some(draft) = draft {
            sink.report(draft.policy(id));
        }
    }
}

fn config_span(book: &Book, critical: &Placed<String>) -> Option<Span> {
    book.config_source.map(|source| Span::new(source, critical.range.clone()))
}

fn disabled(book: &Book, critical: &Placed<String>) -> Option<Draft> {
    let document = book.document_of(&critical.value)?;
    let message = format!("the control `{}` is disabled, although lawbook.toml lists it as critical", critical.value);
    let draft = Draft::new(document.field_span("enabled"), message).label("switched off here");
    let draft = config_span(book, critical).into_iter().fold(draft, |draft, span| draft.related(span, "listed as critical here"));
    Some(draft.help("set `enabled: true`, or take it off `critical` in lawbook.toml"))
}

fn missing(book: &Book, id: &str, span: Span, suggestions: &mut Suggestions) -> Draft {
    let controls = book.set.policies().iter().filter(|policy| policy.kind() == Kind::Control).map(|policy| policy.id().as_str());
    let help = suggestions.help(id, controls, "add the control, or remove the line");
    Draft::new(span, format!("`critical` names `{id}`, and there is no such control")).help(help)
}
