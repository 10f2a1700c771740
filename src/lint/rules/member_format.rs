//! A member that is probably not whom its author means.

use crate::finding::Edit;
use crate::finding::Level;
use crate::finding::Safety;
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
    name: "member-format",
    summary: "a member is neither an address, a group id, `type:id` nor `*`, or an address with capitals",
    default: Level::Warn,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/member-format.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    for (policy, document) in book.policies() {
        let members = policy.members().unwrap_or_default();
        for (position, member) in members.iter().enumerate() {
            let lower = member.to_ascii_lowercase();
            let twin = || members.iter().take(position).find(|other| other.to_ascii_lowercase() == lower);
            let span = span(document, position);
            let draft = if !Member::is_well_formed(member) {
                Draft::new(span, malformed(member)).help(help(member))
            } else if !member.contains('@') {
                continue;
            } else if let Some(twin) = twin() {
                Draft::new(span, format!("`{member}` and `{twin}` are the same address, which is compared in lower case"))
                    .help("remove one of the two")
            } else if *member != lower {
                capitals(book, members, member, &lower, span)
            } else {
                continue;
            };
            sink.report(draft.policy(policy.id().as_str()));
        }
    }
}

fn span(document: &PolicyDocument, position: usize) -> Span {
    Place::value(&["members", &position.to_string()]).span(&document.node)
}

fn malformed(member: &str) -> String {
    let read_as = if member.contains('@') { "an address" } else { "a group id" };
    format!("`{member}` looks like no member; it is compared as {read_as}, and probably matches nobody")
}

fn help(member: &str) -> &'static str {
    if member.contains([',', ';']) {
        "give each member an item of the list"
    } else if member.contains('*') {
        "name the members; only `*` alone is every caller, and part of a name is never a pattern"
    } else if member.contains('@') {
        "write the address alone, such as `user@example.com`"
    } else {
        "write an address, a group id of letters, digits, `.`, `_`, `-` and spaces, `type:id`, or `*`"
    }
}

/// Lower case is how it is compared anyway. When the list holds the address twice, rewriting would make it list one member twice.
fn capitals(book: &Book, members: &[String], member: &str, lower: &str, span: Span) -> Draft {
    let draft = Draft::new(span, format!("`{member}` has capital letters, and addresses are compared in lower case"))
        .help(format!("write `{lower}`, so that everybody finds it"));
    let alone = members.iter().filter(|other| other.to_ascii_lowercase() == lower).count() == 1;
    match book.sources.slice(span).find(member).filter(|_| alone) {
        Some(at) => {
            let start = span.range().start + at;
            let edit = Edit { span: Span::new(span.source, start..start + member.len()), replacement: lower.to_owned() };
            draft.fix("write the address in lower case", Safety::Safe, vec![edit])
        }
        None => draft,
    }
}
