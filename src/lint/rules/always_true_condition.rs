//! A condition that always holds.

use crate::analysis::Verdict;
use crate::finding::Level;
use crate::finding::Safety;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::phrase;
use crate::lint::scalar;
use crate::policy::Policy;

pub(super) static RULE: Rule = Rule {
    name: "always-true-condition",
    summary: "a condition always holds",
    default: Level::Warn,
    blocking: false,
    check: Check::Conditions(check),
    page: include_str!("../../../docs/rules/always-true-condition.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for (policy, document, condition) in book.conditions() {
        let Verdict::Yes(groups) = &condition.always else { continue };
        let Some((first, range)) = groups.first().and_then(|first| Some((first, first.first()?))) else { continue };
        let id = policy.id();
        let so = match policy {
            Policy::Access(access) if access.deny => format!("so the condition of `{id}` narrows nothing, and every document is denied"),
            Policy::Access(_) => format!("so the condition of `{id}` narrows nothing, and every document is granted whose values fit"),
            Policy::Control(_) => format!("so the control `{id}` requires nothing"),
        };
        let none_of = condition.whole.as_ref().and_then(phrase::none_of);
        let why = if none_of.is_some() { ", because no value equals two constants at once" } else { "" };
        let span = scalar::condition_span(book, document, range.clone());
        let draft = Draft::new(span, format!("{}{why}, {so}", phrase::always(&condition.text, groups)))
            .label(if first.len() > 1 { "wherever this fails, the rest holds" } else { "this always holds" })
            .policy(id.as_str());
        let draft = phrase::labels(draft, book, document, groups, ["holds wherever the rest fails", "always holds as well"]);
        sink.report(match none_of {
            Some(list) => with_fix(draft, book, document, condition, &list),
            None => draft.help(match policy {
                Policy::Access(_) => "correct the condition, or leave it out if everything is meant",
                Policy::Control(_) => "correct what it requires, or leave `require` out",
            }),
        });
    }
}

/// Offers the list that was probably meant.
fn with_fix(
    draft: Draft,
    book: &Book,
    document: &crate::policy::PolicyDocument,
    condition: &crate::analysis::Examined,
    list: &str,
) -> Draft {
    let draft = draft.help(format!("write `{list}` if none of the values is meant"));
    let range = condition.whole.as_ref().map(|whole| whole.range.clone());
    let edits = range.zip(document.condition()).and_then(|(range, at)| scalar::edits(book, document, at.node, &[(range, list)]));
    match edits {
        Some(edits) => draft.fix(format!("exclude all the values, with `{list}`"), Safety::Unsafe, edits),
        None => draft,
    }
}
