//! Controls that cannot be met together.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::telling;

pub(super) static RULE: Rule = Rule {
    name: "contradicting-controls",
    summary: "controls that can be met each cannot be met together",
    default: Level::Error,
    blocking: false,
    check: Check::Meaning(check),
    page: include_str!("../../../docs/rules/contradicting-controls.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for contradiction in &book.meaning().contradictions {
        let Some((first, others)) = contradiction.controls.split_first() else { continue };
        let Some((control, document)) = book.stated(*first) else { continue };
        let more = match contradiction.more {
            0 => String::new(),
            1 => format!("; there is one more set of controls that `{}` cannot be met with", control.policy),
            more => format!("; there are {more} more sets of controls that `{}` cannot be met with", control.policy),
        };
        let message = format!(
            "nothing can meet the controls {} together, so {} is denied to everybody they apply to{more}",
            telling::named(book, &contradiction.controls, contradiction.controls.len()),
            telling::regions(&contradiction.regions)
        );
        let draft = Draft::new(document.field_span("require"), message).label("this can be met").policy(control.policy.as_str());
        let stated = others.iter().filter_map(|&at| book.stated(at)).take(3);
        let draft = stated.fold(draft, |draft, (_, document)| draft.related(document.field_span("require"), "this too, but not together"));
        sink.report(draft.help(
            "make one control of them that says `or` where one of the requirements is enough, or narrow them by `service`, `actions`, \
             `members` or `except` so that they do not meet",
        ));
    }
}
