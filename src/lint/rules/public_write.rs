//! A grant that lets every caller change data.

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::policy::Policy;

pub(super) static RULE: Rule = Rule {
    name: "public-write",
    summary: "everyone may create, update, delete or run, without a condition",
    default: Level::Error,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/public-write.md"),
};

const WRITES: [&str; 4] = ["create", "update", "delete", "run"];

fn check(book: &Book, sink: &mut Sink) {
    for (policy, document) in book.policies() {
        let Policy::Access(access) = policy else { continue };
        let open = access.enabled && !access.deny && access.condition.is_none() && access.members.iter().any(|member| member == "*");
        let writes: Vec<String> =
            access.actions.iter().filter(|action| WRITES.contains(&action.as_str())).map(|action| format!("`{action}`")).collect();
        if !open || writes.is_empty() {
            continue;
        }
        let service = if access.service == "*" { "every service".to_owned() } else { format!("the service `{}`", access.service) };
        let save = if access.except.is_some() { ", save those of `except`" } else { "" };
        let message = format!("`{}` lets every caller {} on {service}, without a condition{save}", access.id, listed(&writes));
        let draft = Draft::new(document.field_span("members"), message).label("`*` is every caller").policy(access.id.as_str());
        sink.report(
            draft
                .related(document.field_span("actions"), "these do more than read")
                .help("name the members who need it, or add a condition such as `owner = {me}`"),
        );
    }
}

fn listed(words: &[String]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
