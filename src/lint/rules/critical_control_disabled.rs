//! A control that should stay enabled and is not.

use crate::config::Placed;
use crate::finding::Level;
use crate::finding::nearest;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
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
    for critical in &book.config.critical {
        let draft = match book.set.get(&critical.value).map(|policy| &**policy) {
            Some(Policy::Control(control)) if control.enabled => None,
            Some(Policy::Control(_)) => disabled(book, critical),
            Some(Policy::Access(_)) => {
                let message = format!("`critical` names `{}`, which is an access policy and no control", critical.value);
                config_span(book, critical).map(|span| Draft::new(span, message).help("name a control, or remove the line"))
            }
            None => missing(book, critical),
        };
        if let Some(draft) = draft {
            sink.report(draft.policy(critical.value.as_str()));
        }
    }
}

fn config_span(book: &Book, critical: &Placed<String>) -> Option<Span> {
    book.config_source.map(|source| Span::new(source, critical.range.clone()))
}

fn disabled(book: &Book, critical: &Placed<String>) -> Option<Draft> {
    let document = book.document_of(&critical.value)?;
    let message = format!("the critical control `{}` is disabled", critical.value);
    let draft = Draft::new(document.field_span("enabled"), message).label("switched off here");
    let draft = config_span(book, critical).into_iter().fold(draft, |draft, span| draft.related(span, "listed as critical here"));
    Some(draft.help("set `enabled: true`, or take it off `critical` in lawbook.toml"))
}

/// Says that a control does not exist, unless it may be in a file that could not be read.
fn missing(book: &Book, critical: &Placed<String>) -> Option<Draft> {
    let all_read = book.unreadable.is_empty() && book.files.iter().all(|file| file.errors.is_empty());
    let written = book.documents().any(|(_, document)| document.id().is_some_and(|(id, _)| id == critical.value));
    if !all_read || written {
        return None;
    }
    let controls = book.set.policies().iter().filter(|policy| policy.kind() == Kind::Control).map(|policy| policy.id().as_str());
    let help = match nearest(&critical.value, controls) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "add the control, or remove the line".to_owned(),
    };
    let message = format!("`critical` names `{}`, and there is no such control", critical.value);
    config_span(book, critical).map(|span| Draft::new(span, message).help(help))
}
