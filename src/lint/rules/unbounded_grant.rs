//! A grant of everything on every service.

use crate::config::BUILT_IN_ACTIONS;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::policy::Policy;

pub(super) static RULE: Rule = Rule {
    name: "unbounded-grant",
    summary: "a grant gives every built-in action on every service, without a condition",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/unbounded-grant.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for (policy, document) in book.policies() {
        let Policy::Access(access) = policy else { continue };
        let every_action = BUILT_IN_ACTIONS.iter().all(|action| access.actions.iter().any(|own| own == action));
        if !access.enabled || access.deny || access.condition.is_some() || access.service != "*" || !every_action {
            continue;
        }
        let source = if access.source == "*" { "every source".to_owned() } else { format!("the source `{}`", access.source) };
        let message = format!("`{}` grants everything on every service of {source}, without a condition", access.id);
        let draft = Draft::new(document.field_span("service"), message).label("`*` is every service, also those to come");
        sink.report(draft.related(document.field_span("actions"), "every built-in action").policy(access.id.as_str()).help(
            "name the services or the actions that are needed, or add a condition; keep one such grant for administrators, and say why",
        ));
    }
}
