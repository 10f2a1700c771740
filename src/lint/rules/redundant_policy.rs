//! A policy without which nothing is decided differently, because of others.

use crate::analysis::Redundant;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::telling;
use crate::policy::Effect;
use crate::policy::Statement;

pub(super) static RULE: Rule = Rule {
    name: "redundant-policy",
    summary: "other policies decide everything that a policy matches in the same way",
    default: Level::Warn,
    blocking: false,
    check: Check::Meaning(check),
    page: include_str!("../../../docs/rules/redundant-policy.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for redundant in book.meaning().superfluous.redundant.iter().filter(|one| !one.equal) {
        let Some((statement, document)) = book.stated(redundant.statement) else { continue };
        let id = &statement.policy;
        let draft = Draft::new(document.head_span(), message(book, statement, redundant)).label("changes no decision").policy(id.as_str());
        let draft = telling::labels(draft, book, &redundant.by, |other| match (other.effect, redundant.by.len()) {
            (Effect::Allow, 1) => format!("`{}` grants all of it", other.policy),
            (Effect::Allow, _) => format!("`{}` grants a part of it", other.policy),
            (Effect::Deny, 1) => format!("`{}` denies all of it", other.policy),
            (Effect::Deny, _) => format!("`{}` denies a part of it", other.policy),
        });
        sink.report(draft.help(format!(
            "remove `{id}`, or correct it if it was meant to reach further; all policies that are reported so can be removed together"
        )));
    }
}

fn message(book: &Book, statement: &Statement, redundant: &Redundant) -> String {
    let (denials, grants): (Vec<usize>, Vec<usize>) =
        redundant.by.iter().partition(|&&at| book.set.statement(at).is_some_and(|other| other.effect == Effect::Deny));
    let of = |positions: &[usize]| telling::named(book, positions, positions.len());
    let id = &statement.policy;
    let (lift, remove) = (format!("so lifting `{id}` would allow nothing"), format!("so removing `{id}` would take nothing away"));
    match (statement.effect, grants.as_slice(), denials.as_slice()) {
        (Effect::Deny, _, [_]) => format!("{} already denies everything that `{id}` denies, {lift}", of(&denials)),
        (Effect::Deny, ..) => format!("{} together already deny everything that `{id}` denies, {lift}", of(&denials)),
        (Effect::Allow, [_], []) => format!("{} already grants everything that `{id}` grants, {remove}", of(&grants)),
        (Effect::Allow, _, []) => format!("{} together already grant everything that `{id}` grants, {remove}", of(&grants)),
        (Effect::Allow, ..) => {
            format!("what `{id}` grants is already granted by {} or denied by {}, {remove}", of(&grants), of(&denials))
        }
    }
}
