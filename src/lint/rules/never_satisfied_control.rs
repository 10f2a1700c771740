//! A control that nothing can meet, so that everything it applies to is denied.

use crate::analysis::Verdict;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::phrase;
use crate::lint::scalar;
use crate::policy::Policy;

pub(super) static RULE: Rule = Rule {
    name: "never-satisfied-control",
    summary: "nothing can meet what a control requires",
    default: Level::Error,
    blocking: false,
    check: Check::Conditions(check),
    page: include_str!("../../../docs/rules/never-satisfied-control.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    alone(book, sink);
}

/// Controls whose own requirement contradicts itself.
fn alone(book: &Book, sink: &mut Sink) {
    let lists = book.lists();
    for (policy, document, condition) in book.conditions() {
        let (Policy::Control(control), Verdict::Yes(groups), Some(whole)) = (policy, &condition.never, &condition.whole) else { continue };
        let Some((first, range)) = groups.first().and_then(|first| Some((first, first.first()?))) else { continue };
        let id = &control.id;
        let so = match control.enabled {
            true => format!("so the control `{id}` is never met, and denies every request that it applies to"),
            false => format!("so the control `{id}` can never be met, and will deny every request that it applies to once it is enabled"),
        };
        let span = scalar::condition_span(book, document, range.clone());
        let draft = Draft::new(span, format!("{}, {so}", phrase::never(&condition.text, groups)))
            .label(if first.len() > 1 { "this contradicts the rest" } else { "this never holds" })
            .policy(id.as_str());
        let hidden = phrase::hidden_reason(whole, first, &lists);
        let help = match phrase::one_of(whole, first) {
            _ if hidden.is_some() => hidden.unwrap_or_default(),
            Some((list, _)) => format!("write `{list}` if any of the values is enough"),
            None if first.len() > 1 => "correct one of the parts, or join them with `or` if any of them is enough".to_owned(),
            None => "correct what it requires; to deny everything, write a policy with `deny: true`, which says so".to_owned(),
        };
        sink.report(
            phrase::labels(draft, book, document, groups, ["cannot hold as well", "another alternative that cannot hold"]).help(help),
        );
    }
}
