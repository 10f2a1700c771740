//! A grant that denials cover.

use std::collections::BTreeMap;

use crate::analysis::Dead;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::rules::same_condition_exception;
use crate::lint::telling;
use crate::policy::Selector;
use crate::policy::Statement;

pub(super) static RULE: Rule = Rule {
    name: "dead-allow",
    summary: "denials cover a grant, so that it never takes effect",
    default: Level::Error,
    blocking: false,
    check: Check::Meaning(check),
    page: include_str!("../../../docs/rules/dead-allow.md"),
};

/// More grants than this that die of the same denials are told once, at the first of the denials.
const APART: usize = 10;

fn check(book: &Book, sink: &mut Sink) {
    let mut by_denials: BTreeMap<&[usize], Vec<&Dead>> = BTreeMap::new();
    for dead in book.meaning().dead.iter().filter(|dead| same_condition_exception::denial_of(book, dead).is_none()) {
        by_denials.entry(&dead.denials).or_default().push(dead);
    }
    for (positions, dead) in by_denials {
        let denials: Vec<&Statement> = positions.iter().filter_map(|&at| book.set.statement(at)).collect();
        let sweeping = matches!(denials.as_slice(), [denial] if telling::denies_everything(book, denial));
        if sweeping || dead.len() > APART {
            together(book, positions, &dead, sink);
        } else {
            dead.into_iter().for_each(|dead| covered(book, dead, &denials, sink));
        }
    }
}

fn covered(book: &Book, dead: &Dead, denials: &[&Statement], sink: &mut Sink) {
    let Some((grant, document)) = book.stated(dead.grant) else { return };
    let id = &grant.policy;
    let (controls, policies): (Vec<usize>, Vec<usize>) =
        dead.denials.iter().partition(|&&at| book.set.statement(at).is_some_and(|statement| statement.from_control));
    let of = |positions: &[usize]| telling::named(book, positions, positions.len());
    let control = if controls.len() == 1 { "the control" } else { "the controls" };
    let (message, help) = match (controls.is_empty(), policies.as_slice()) {
        (true, [_]) => (
            format!("`{id}` never takes effect: the denial {} denies everything that it grants", of(&policies)),
            "remove the grant, or narrow the denial, by a condition or by `except`, so that it leaves something of the grant",
        ),
        (true, _) => (
            format!("`{id}` never takes effect: the denials {} together deny everything that it grants", of(&policies)),
            "remove the grant, or narrow one of the denials so that together they leave something of the grant",
        ),
        (false, []) => (
            format!("`{id}` never takes effect: no request that it grants can meet {control} {}", of(&controls)),
            "grant something that can meet what is required, or narrow the control by `except`, `members`, `service` or `actions`",
        ),
        (false, _) => (
            format!(
                "`{id}` never takes effect: no request that it grants can meet {control} {} and escape {}",
                of(&controls),
                of(&policies)
            ),
            "remove the grant, or narrow a denial or what is required so that together they leave something of the grant",
        ),
    };
    let draft = Draft::new(document.head_span(), message).label("this grant").policy(id.as_str()).help(help);
    let part = if denials.len() == 1 { "all" } else { "a part" };
    let draft = telling::labels(draft, book, &dead.denials, |denial| match denial.from_control {
        true => format!("`{}` requires what the grant does not leave room for", denial.policy),
        false => format!("`{}` denies {part} of it", denial.policy),
    });
    sink.report(witnessed(draft, dead));
}

/// Many grants that the same denials cover, in one finding.
fn together(book: &Book, denials: &[usize], dead: &[&Dead], sink: &mut Sink) {
    let (Some((statement, document)), Some(first)) = (denials.first().and_then(|&at| book.stated(at)), dead.first()) else { return };
    let grants: Vec<usize> = dead.iter().map(|dead| dead.grant).collect();
    let names = telling::named(book, &grants, grants.len());
    let (never, grant) = if grants.len() == 1 { ("never takes effect", "grants") } else { ("never take effect", "grant") };
    let (message, help) = if telling::denies_everything(book, statement) {
        let place = match &statement.source {
            Selector::Any => String::new(),
            Selector::Named(source) => format!(" in the source `{source}`"),
        };
        (
            format!("`{}` denies everything{place} to everybody, so that {names} {never}", statement.policy),
            "remove it if it was meant as a default: what nothing grants is denied anyway, and a denial always wins; in an emergency, say \
             so with `# lawbook: ignore(dead-allow) until <day>: <reason>`",
        )
    } else {
        let deny = if denials.len() == 1 { "denies" } else { "together deny" };
        (
            format!("{} {deny} everything that {names} {grant}, so that they {never}", telling::named(book, denials, denials.len())),
            "narrow it, by a condition or by `except`, so that it leaves something of what is granted; or remove the grants",
        )
    };
    let draft = Draft::new(document.head_span(), message).label("this denies").policy(statement.policy.as_str()).help(help);
    let draft = telling::labels(draft, book, &grants, |grant| format!("`{}` never takes effect", grant.policy));
    sink.report(witnessed(draft, first));
}

fn witnessed(draft: Draft, dead: &Dead) -> Draft {
    match &dead.witness {
        Some(witness) => draft.witness(witness.to_string()),
        None => draft,
    }
}
