//! A member that is probably not whom its author means.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use crate::finding::Edit;
use crate::finding::Level;
use crate::finding::Safety;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::scalar;
use crate::policy::Member;
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
        let fixable = LazyCell::new(|| !scalar::has_alias(&document.node));
        for (field, members) in [("members", policy.members()), ("except", policy.except())] {
            let members = members.unwrap_or_default();
            if members.iter().all(|member| is_plain(member)) {
                continue;
            }
            let addresses = addresses(members);
            for (position, member) in members.iter().enumerate() {
                let span = || Place::value(&[field, &position.to_string()]).span(&document.node);
                let same = addresses.get(&member.to_ascii_lowercase()).map_or(&[][..], Vec::as_slice);
                let draft = match same {
                    _ if !Member::is_well_formed(member) && member.trim() != member => {
                        let help = format!("write `{}`, without the space", member.trim());
                        Draft::new(span(), spaced(member)).help(help)
                    }
                    _ if !Member::is_well_formed(member) => Draft::new(span(), malformed(member)).help(help(member)),
                    [first, ..] if first != member => repeated(span(), member, first),
                    [_, others @ ..] if member.contains(|char: char| char.is_ascii_uppercase()) => {
                        // When the list holds the address twice, rewriting would make it list one member twice.
                        capitals(book, member, span(), others.is_empty() && *fixable)
                    }
                    _ => continue,
                };
                sink.report(draft.policy(policy.id().as_str()));
            }
        }
    }
}

/// Whether nothing can be said of a member, beside others that are plain. Nearly all are, and in most lists every one.
fn is_plain(member: &str) -> bool {
    Member::is_well_formed(member) && Member::compared(member) == member
}

/// The addresses as they are compared, with the ways in which the list spells each.
fn addresses(members: &[String]) -> BTreeMap<String, Vec<&str>> {
    let mut addresses: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for member in members.iter().filter(|member| member.contains('@')) {
        addresses.entry(member.to_ascii_lowercase()).or_default().push(member);
    }
    addresses
}

fn repeated(span: Span, member: &str, first: &str) -> Draft {
    Draft::new(span, format!("`{member}` and `{first}` are the same address, which is compared in lower case"))
        .help("remove one of the two")
}

/// Most often what is left over from a list that was copied.
fn spaced(member: &str) -> String {
    let whither = if member.trim_end() == member { "starts" } else { "ends" };
    format!("`{member}` {whither} with a space, which is compared like any other character, so that it probably matches nobody")
}

fn malformed(member: &str) -> String {
    if let Some(id) = group(member) {
        return format!("`{member}` is a caller of the type `group`, which nobody is; the group is written `{id}`");
    }
    let read_as = if member.contains('@') { "an address" } else { "a group id" };
    format!("`{member}` looks like no member; it is compared as {read_as}, and probably matches nobody")
}

/// The id behind `group:`.
fn group(member: &str) -> Option<&str> {
    let (kind, id) = member.split_once(':')?;
    (kind.eq_ignore_ascii_case("group") && !member.contains('@')).then_some(id)
}

fn help(member: &str) -> &'static str {
    if group(member).is_some() {
        "write the id of the group alone"
    } else if member.contains([',', ';']) {
        "give each member an item of the list"
    } else if member.contains('*') {
        "name the members; only `*` alone is every caller, and part of a name is never a pattern"
    } else if member.contains('@') {
        "write the address alone, such as `user@example.com`"
    } else {
        "write an address, a group id of letters, digits, `.`, `_`, `-` and spaces, or `type:id`; every caller is `*`, in `members` alone"
    }
}

/// Lower case is how it is compared anyway.
fn capitals(book: &Book, member: &str, span: Span, fixable: bool) -> Draft {
    let lower = member.to_ascii_lowercase();
    let draft = Draft::new(span, format!("`{member}` has capital letters, and addresses are compared in lower case"))
        .help(format!("write `{lower}`, so that everybody finds it"));
    match book.sources.slice(span).find(member).filter(|_| fixable) {
        Some(at) => {
            let start = span.range().start + at;
            let edit = Edit { span: Span::new(span.source, start..start + member.len()), replacement: lower };
            draft.fix("write the address in lower case", Safety::Safe, vec![edit])
        }
        None => draft,
    }
}
