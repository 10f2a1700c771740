//! A denial that takes away a grant, or overlaps it in part.

use crate::analysis;
use crate::analysis::Conflict;
use crate::analysis::Relation;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::policy::Actions;
use crate::policy::Member;
use crate::policy::Selector;
use crate::policy::Statement;

pub(super) static RULE: Rule = Rule {
    name: "allow-deny-conflict",
    summary: "a denial covers a grant, or overlaps it in part",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/allow-deny-conflict.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    let statements = book.set.statements();
    for conflict in analysis::conflicts(statements) {
        let Some(denial) = statements.get(conflict.denial) else { continue };
        let Some(document) = book.document_of(denial.policy.as_str()) else { continue };
        let mut draft =
            Draft::new(document.head_span(), message(book, denial, &conflict)).label("this denial").policy(denial.policy.as_str());
        for (grant, relation) in conflict.grants.iter().filter_map(|&(at, relation)| Some((statements.get(at)?, relation))) {
            let Some(document) = book.document_of(grant.policy.as_str()) else { continue };
            draft = draft.related(document.head_span(), label(grant, denial, relation));
        }
        let witness = conflict.grants.iter().find_map(|&(grant, _)| analysis::witness(statements, grant, conflict.denial));
        if let Some(witness) = witness {
            draft = draft.witness(witness.to_string());
        }
        sink.report(draft.help(help(book, denial, &conflict)));
    }
}

fn message(book: &Book, denial: &Statement, conflict: &Conflict) -> String {
    let id = &denial.policy;
    let who = if denies_everything(book, denial) { format!("`{id}` denies every caller everything: it") } else { format!("`{id}`") };
    let covers = match conflict.covered {
        0 => None,
        1 => Some("covers a grant, which never takes effect".to_owned()),
        count => Some(format!("covers {count} grants, which never take effect")),
    };
    match (covers, conflict.partial) {
        (None, 1) => format!("{who} overlaps a grant in part; where both apply, the request is denied"),
        (None, count) => format!("{who} overlaps {count} grants in part; where both apply, the request is denied"),
        (Some(covers), 0) => format!("{who} {covers}"),
        (Some(covers), count) => format!("{who} {covers}, and overlaps {count} more in part"),
    }
}

fn label(grant: &Statement, denial: &Statement, relation: Relation) -> String {
    let id = &grant.policy;
    match relation {
        Relation::Covers => format!("`{id}` is covered"),
        _ if grant.condition.is_some() || denial.condition.is_some() => format!("`{id}` overlaps it in part, where the condition holds"),
        _ => format!("`{id}` overlaps it in part"),
    }
}

fn help(book: &Book, denial: &Statement, conflict: &Conflict) -> &'static str {
    if denies_everything(book, denial) {
        "remove it when the emergency is over; until then, say that it is meant with `# lawbook: ignore(allow-deny-conflict) until 2027-01-01: reason`"
    } else if conflict.covered > 0 {
        "narrow the denial to an exception, or remove the grants it covers; if it is meant, say so with `# lawbook: ignore(allow-deny-conflict): reason`"
    } else {
        "narrow the denial to what the grant allows, or say that it is meant with `# lawbook: ignore(allow-deny-conflict): reason`"
    }
}

/// Whether it is the denial for an emergency.
fn denies_everything(book: &Book, denial: &Statement) -> bool {
    let every_action = match &denial.actions {
        Actions::Any => true,
        Actions::Only(names) => book.config.actions.iter().all(|action| names.contains(action.as_str())),
    };
    every_action
        && denial.service == Selector::Any
        && denial.source == Selector::Any
        && denial.members.contains(&Member::Everyone)
        && denial.except.is_empty()
        && denial.condition.is_none()
}
