//! An entry of `except` that cannot matter, or that takes back what `members` says.

use std::collections::BTreeMap;

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::policy::Member;
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
        let only_callers = places.keys().all(names_a_caller);
        for (position, text) in except.iter().enumerate() {
            let entry = Member::parse(text);
            let span = span(document, "except", position);
            let draft = match places.get(&entry) {
                Some(&member) => Draft::new(span, format!("`{text}` stands in `members` and in `except`, and is excepted"))
                    .label("this wins")
                    .related(self::span(document, "members", member), "this member is for nothing")
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
