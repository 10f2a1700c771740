//! An entry of `except` that cannot matter, or that takes back what `members` says.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::policy::Member;
use crate::policy::Policy;
use crate::policy::PolicyDocument;
use crate::schema::Place;
use crate::source::Span;

pub(super) static RULE: Rule = Rule {
    name: "except-without-effect",
    summary: "an entry of `except` excepts nobody, or stands in `members` as well",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/except-without-effect.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for (policy, document) in book.policies() {
        let (Some(except), Some(members)) = (policy.except(), policy.members()) else { continue };
        let mut places: BTreeMap<Member, usize> = BTreeMap::new();
        for (position, text) in members.iter().enumerate() {
            places.entry(Member::parse(text)).or_insert(position);
        }
        let entries: BTreeSet<Member> = except.iter().map(|text| Member::parse(text)).collect();
        if !places.is_empty() && places.keys().all(|member| entries.contains(member)) {
            let id = policy.id();
            let so = match policy {
                Policy::Access(access) if access.deny => format!("so the denial `{id}` denies nobody"),
                Policy::Access(_) => format!("so the grant `{id}` grants nothing to anybody"),
                Policy::Control(_) => format!("so the control `{id}` applies to nobody"),
            };
            let draft = Draft::new(document.field_span("except"), format!("everybody in `members` is excepted, {so}"))
                .label("this leaves nobody")
                .related(document.field_span("members"), "all of these are excepted")
                .help("take off `except` who is meant, or remove the policy");
            sink.report(draft.policy(id.as_str()));
            continue;
        }
        let only_callers = places.keys().all(names_a_caller);
        for (position, text) in except.iter().enumerate() {
            let entry = Member::parse(text);
            let span = span(document, "except", position);
            let draft = match places.get(&entry) {
                Some(&member) => Draft::new(span, format!("`{text}` stands in `members` and in `except`, and is excepted"))
                    .label("this wins")
                    .related(self::span(document, "members", member), "excepted, so this adds nobody")
                    .help("remove it from one of the two"),
                None if only_callers && names_a_caller(&entry) => {
                    Draft::new(span, format!("`{text}` is excepted, and is no member anyway"))
                        .related(document.field_span("members"), "none of these can be that caller")
                        .help("remove it")
                }
                None => continue,
            };
            sink.report(draft.policy(policy.id().as_str()));
        }
    }
}

/// Whether the member is one caller; two of these that differ never match the same request.
fn names_a_caller(member: &Member) -> bool {
    matches!(member, Member::Email(_) | Member::Typed { .. })
}

fn span(document: &PolicyDocument, field: &str, position: usize) -> Span {
    Place::value(&[field, &position.to_string()]).span(&document.node)
}
