//! A service that the configuration does not list.

use crate::finding::Level;
use crate::finding::nearest;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;

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
    for (policy, document) in book.policies() {
        let Some(service) = policy.service().filter(|&service| service != "*" && !services.contains(service)) else { continue };
        let message =
            format!("the service `{service}` is not listed in lawbook.toml; on a service that does not exist, the policy does nothing");
        let help = match nearest(service, services.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "correct the name, or add it to `services` in lawbook.toml".to_owned(),
        };
        sink.report(Draft::new(document.field_span("service"), message).policy(policy.id().as_str()).help(help));
    }
}
