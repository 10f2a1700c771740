//! A part of a condition that changes nothing.

use crate::analysis::Examined;
use crate::analysis::RedundantPart;
use crate::finding::Level;
use crate::finding::Safety;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::phrase;
use crate::lint::scalar;
use crate::policy::PolicyDocument;

pub(super) static RULE: Rule = Rule {
    name: "redundant-condition-part",
    summary: "a part of a condition changes nothing",
    default: Level::Warn,
    blocking: false,
    check: Check::Conditions(check),
    page: include_str!("../../../docs/rules/redundant-condition-part.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for (policy, document, condition) in book.conditions() {
        for redundant in &condition.redundant {
            let span = scalar::condition_span(book, document, redundant.range.clone());
            let mut draft = Draft::new(span, message(&condition.text, redundant)).label("without effect").policy(policy.id().as_str());
            for beside in redundant.beside.iter().take(4) {
                draft = draft.related(scalar::condition_span(book, document, beside.clone()), "this is why");
            }
            if redundant.clashes.iter().flatten().count() > 1 {
                for range in redundant.clashes.iter().flatten().take(4) {
                    let words = if redundant.conjunct { "one of these always holds" } else { "these cannot all hold" };
                    draft = draft.related(scalar::condition_span(book, document, range.clone()), words);
                }
            }
            sink.report(with_fix(draft, book, document, condition, redundant));
        }
    }
}

fn message(text: &str, redundant: &RedundantPart) -> String {
    let part = phrase::quoted(text, &redundant.range);
    let beside: Vec<String> = redundant.beside.iter().map(|range| phrase::quoted(text, range)).collect();
    let reads_as = if redundant.conjunct { "narrows nothing" } else { "adds nothing" };
    if beside == [part.as_str()] {
        return format!("{part} stands there twice, and {reads_as} the second time");
    }
    if !beside.is_empty() {
        return format!("{part} {reads_as} beside {}", phrase::listed(&beside, "and"));
    }
    let whole = redundant.clashes.iter().flatten().all(|range| *range == redundant.range);
    match (redundant.conjunct, whole) {
        (true, true) => format!("{part} always holds, and {reads_as}"),
        (false, true) => format!("{part} can never hold, and {reads_as}"),
        (true, false) => format!("{part} {reads_as}: {}", phrase::always(text, &redundant.clashes)),
        (false, false) => format!("{part} {reads_as}: {}", phrase::never(text, &redundant.clashes)),
    }
}

fn with_fix(draft: Draft, book: &Book, document: &PolicyDocument, condition: &Examined, redundant: &RedundantPart) -> Draft {
    let none_of = condition.whole.as_ref().and_then(|whole| phrase::part_at(whole, &redundant.range)).and_then(phrase::none_of);
    let (range, replacement, help, title, safety) = match (&none_of, redundant.removal.clone()) {
        (Some(list), _) if redundant.beside.is_empty() && redundant.conjunct => (
            Some(redundant.range.clone()),
            list.as_str(),
            format!("write `{list}` if none of the values is meant"),
            format!("exclude all the values, with `{list}`"),
            Safety::Unsafe,
        ),
        (_, removal) => {
            let terms: Vec<String> = redundant.only_here.iter().map(|term| format!("`{term}`")).collect();
            let safety = if terms.is_empty() { Safety::Safe } else { Safety::Unsafe };
            let help = match terms.is_empty() {
                true => "remove it; the condition says the same without it".to_owned(),
                false => format!(
                    "remove it, unless it is there to fail closed where {} has a value that does not fit, such as an object",
                    phrase::listed(&terms, "or")
                ),
            };
            (removal, "", help, "remove the part".to_owned(), safety)
        }
    };
    let draft = draft.help(help);
    let edits = range.zip(document.condition()).and_then(|(range, at)| scalar::edits(book, document, at.node, &[(range, replacement)]));
    match edits {
        Some(edits) => draft.fix(title, safety, edits),
        None => draft,
    }
}
