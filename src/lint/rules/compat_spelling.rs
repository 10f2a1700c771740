//! A condition that is understood, and not written the canonical way.

use crate::finding::Level;
use crate::finding::Safety;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::scalar;
use crate::policy::Policy;

pub(super) static RULE: Rule = Rule {
    name: "compat-spelling",
    summary: "a condition uses an accepted spelling that has a canonical one",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/compat-spelling.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    // Nearly every condition is canonical, and need not be read again for the places that are not.
    let suspect = |policy: &Policy| policy.condition().is_some_and(|condition| !condition.canonical);
    for (policy, document) in book.policies().filter(|(policy, _)| suspect(policy)) {
        let (Some(condition), spellings) = (document.condition(), document.spellings()) else { continue };
        let Some((first, others)) = spellings.split_first() else { continue };
        let message = match others.len() {
            0 => first.message.clone(),
            1 => format!("{}, and one more place is not canonical", first.message),
            count => format!("{}, and {count} more places are not canonical", first.message),
        };
        let mut draft = Draft::new(scalar::span(book, condition.node, first.range.clone()), message).policy(policy.id().as_str());
        for other in others.iter().take(3) {
            draft = draft.related(scalar::span(book, condition.node, other.range.clone()), other.message.as_str());
        }
        let changes: Vec<_> = spellings.iter().map(|spelling| (spelling.range.clone(), spelling.replacement.as_str())).collect();
        sink.report(match scalar::edits(book, document, condition.node, &changes) {
            Some(edits) => draft.help("run `lawbook check --fix` to write it canonically; the meaning stays").fix(
                "write the condition canonically",
                Safety::Safe,
                edits,
            ),
            None => draft.help("rewrite it by hand; an alias or the quoting keeps it from being done automatically"),
        });
    }
}
