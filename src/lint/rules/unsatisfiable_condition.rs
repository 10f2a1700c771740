//! A condition that never holds.

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
    name: "unsatisfiable-condition",
    summary: "the condition of an access policy can never hold",
    default: Level::Error,
    blocking: false,
    check: Check::Conditions(check),
    page: include_str!("../../../docs/rules/unsatisfiable-condition.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    let lists = book.lists();
    for (policy, document, condition) in book.conditions() {
        let (Policy::Access(access), Verdict::Yes(groups), Some(whole)) = (policy, &condition.never, &condition.whole) else { continue };
        let Some((first, range)) = groups.first().and_then(|first| Some((first, first.first()?))) else { continue };
        let so = match access.deny {
            true => format!("so `{}` denies nothing but values that do not fit", access.id),
            false => format!("so `{}` grants nothing", access.id),
        };
        let span = scalar::condition_span(book, document, range.clone());
        let draft = Draft::new(span, format!("{}, {so}", phrase::never(&condition.text, groups)))
            .label(if first.len() > 1 { "this contradicts the rest" } else { "this never holds" })
            .policy(access.id.as_str());
        let hidden = phrase::hidden_reason(whole, first, &lists);
        let help = match phrase::one_of(whole, first) {
            _ if hidden.is_some() => hidden.unwrap_or_default(),
            Some((list, term)) => format!(
                "write `{list}` if any of the values is meant; if `{term}` holds several values at once, declare it as a list under `[attributes]`"
            ),
            None if first.len() > 1 => "correct one of the parts, or join them with `or` if any of them is enough".to_owned(),
            None => "correct the condition, or remove the policy".to_owned(),
        };
        sink.report(
            phrase::labels(draft, book, document, groups, ["cannot hold as well", "another alternative that cannot hold"]).help(help),
        );
    }
}
