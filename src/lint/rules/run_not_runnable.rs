//! `run` on a service that cannot be run.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::schema::Place;

pub(super) static RULE: Rule = Rule {
    name: "run-not-runnable",
    summary: "`run` on a service whose documents cannot be run",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/run-not-runnable.md"),
};

/// The services of OpenDataDSL that keep documents which nobody runs. `report` and `process` are run; of services that
/// are not known nothing is said.
const NOT_RUN: [&str; 41] = [
    "action",
    "aiagent",
    "aiassistant",
    "aitool",
    "alert",
    "alertrecord",
    "audit",
    "automation",
    "automationlog",
    "automationtarget",
    "batch",
    "calendar",
    "currency",
    "curve",
    "dashboard",
    "data",
    "dataset",
    "documentation",
    "environment",
    "event",
    "expiry",
    "extension",
    "extractor",
    "group",
    "index",
    "metric",
    "object",
    "policy",
    "queue",
    "reportconfig",
    "script",
    "scriptlog",
    "secret",
    "subscription",
    "task",
    "tenant",
    "transformer",
    "type",
    "unit",
    "user",
    "workflow",
];

fn check(book: &Book, sink: &mut Sink) {
    for (policy, document) in book.policies() {
        let Some(service) = policy.service().filter(|service| NOT_RUN.contains(service)) else { continue };
        let Some(position) = policy.actions().and_then(|actions| actions.iter().position(|action| action == "run")) else { continue };
        let span = Place::value(&["actions", &position.to_string()]).span(&document.node);
        let message = format!("`run` does nothing on the service `{service}`: only reports and processes are run");
        let draft = Draft::new(span, message).policy(policy.id().as_str());
        sink.report(
            draft.related(document.field_span("service"), "the service").help("remove `run`, or name the service `report` or `process`"),
        );
    }
}
