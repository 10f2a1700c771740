//! A service that the configuration does not list.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::suggest::Suggestions;

pub(super) static RULE: Rule = Rule {
    name: "unknown-service",
    summary: "a policy names a service that lawbook.toml does not list",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/unknown-service.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    let Some(services) = &book.config.services else { return };
    let mut suggestions = Suggestions::default();
    for (policy, document) in book.policies() {
        let Some(service) = policy.service().filter(|&service| service != "*" && !services.contains(service)) else { continue };
        let message =
            format!("the service `{service}` is not listed in lawbook.toml; on a service that does not exist, the policy does nothing");
        let otherwise = "correct the name, or add it to `services` in lawbook.toml";
        let help = suggestions.help(service, services.iter().map(String::as_str), otherwise);
        sink.report(Draft::new(document.field_span("service"), message).policy(policy.id().as_str()).help(help));
    }
}
