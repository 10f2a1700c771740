//! An enabled control that nothing enforces.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::policy::Policy;

pub(super) static RULE: Rule = Rule {
    name: "unenforced-control",
    summary: "an enabled control has no `require`, so that nothing enforces it",
    default: Level::Ignore,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/unenforced-control.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for (policy, document) in book.policies() {
        let Policy::Control(control) = policy else { continue };
        if !control.enabled || control.require.is_some() {
            continue;
        }
        let message = format!("`{}` is enabled and has no `require`, so that nothing enforces it", control.id);
        let draft = Draft::new(document.head_span(), message).policy(control.id.as_str());
        sink.report(draft.help("add what a request must meet, such as `require: \"{context.mfa} = 'totp'\"`"));
    }
}
