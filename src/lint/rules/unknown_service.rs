//! A service that the configuration does not list.

use crate::config::Placed;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::suggest::Suggestions;
use crate::source::Span;

pub(super) static RULE: Rule = Rule {
    name: "unknown-service",
    summary: "a policy or an assertion names a service that lawbook.toml does not list",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/unknown-service.md"),
};

const OTHERWISE: &str = "correct the name, or add it to `services` in lawbook.toml";

fn check(book: &Book, sink: &mut Sink) {
    let Some(services) = &book.config.services else { return };
    let mut suggestions = Suggestions::default();
    for (policy, document) in book.policies() {
        let Some(service) = policy.service().filter(|&service| service != "*" && !services.contains(service)) else { continue };
        let message =
            format!("the service `{service}` is not listed in lawbook.toml; on a service that does not exist, the policy does nothing");
        let help = suggestions.help(service, services.iter().map(String::as_str), OTHERWISE);
        sink.report(Draft::new(document.field_span("service"), message).policy(policy.id().as_str()).help(help));
    }
    let Some(config) = book.config_source else { return };
    for assertion in &book.config.assertions {
        let Some(Placed { value: service, range }) = &assertion.scope().service else { continue };
        if service == "*" || services.contains(service) {
            continue;
        }
        let message =
            format!("the service `{service}` is not listed in lawbook.toml, so the assertion `{}` is about nothing", assertion.name);
        let help = suggestions.help(service, services.iter().map(String::as_str), OTHERWISE);
        sink.report(Draft::new(Span::new(config, range.clone()), message).help(help));
    }
}
