//! A member who may change what nobody lets them read.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::collections::HashSet;

use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::policy::AccessPolicy;
use crate::policy::Member;
use crate::policy::Policy;

pub(super) static RULE: Rule = Rule {
    name: "update-without-read",
    summary: "a member may create, update or delete where no grant lets them read",
    default: Level::Ignore,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/update-without-read.md"),
};

const WRITES: [&str; 3] = ["create", "update", "delete"];

/// How many members are named; more are counted.
const SHOWN: usize = 3;

/// Who may read what: a member, a service and a source, each of which may be `*`.
type Reads<'a> = HashSet<(Cow<'a, str>, &'a str, &'a str)>;

fn check(book: &Book, sink: &mut Sink) {
    let grants = || book.policies().filter_map(|(policy, document)| Some((grant(policy)?, document)));
    let mut reads = Reads::new();
    for (access, _) in grants().filter(|(access, _)| access.actions.iter().any(|action| action == "read")) {
        reads.extend(access.members.iter().map(|member| (Member::compared(member), access.service.as_str(), access.source.as_str())));
    }
    for (access, document) in grants() {
        let writes: Vec<String> =
            access.actions.iter().filter(|action| WRITES.contains(&action.as_str())).map(|action| format!("`{action}`")).collect();
        if writes.is_empty() {
            continue;
        }
        let blind: Vec<&String> = access.members.iter().filter(|member| !may_read(&reads, member, access)).collect();
        if let Some(members) = named(&blind) {
            let service = if access.service == "*" { "every service".to_owned() } else { format!("the service `{}`", access.service) };
            let message = format!("`{}` gives {members} {} on {service}, and no grant lets them read there", access.id, writes.join(", "));
            let draft = Draft::new(document.field_span("actions"), message).label("no `read`").policy(access.id.as_str());
            sink.report(draft.related(document.field_span("members"), "for these members").help(
                "add `read` here or in another grant for them; if they read through a group or are not to read, suppress this line and say so",
            ));
        }
    }
}

/// The policy, if it is a grant in force.
fn grant(policy: &Policy) -> Option<&AccessPolicy> {
    match policy {
        Policy::Access(access) if access.enabled && !access.deny => Some(access),
        _ => None,
    }
}

/// Whether some grant lets the member read, going by names: which groups an address is in is not known here.
fn may_read<'a>(reads: &Reads<'a>, member: &'a str, access: &'a AccessPolicy) -> bool {
    [Member::compared(member), Cow::Borrowed("*")].into_iter().any(|member| {
        let services = [access.service.as_str(), "*"];
        let sources = [access.source.as_str(), "*"];
        services.iter().any(|service| sources.iter().any(|source| reads.contains(&(member.clone(), *service, *source))))
    })
}

/// The members in order; the first few by name.
fn named(members: &[&String]) -> Option<String> {
    let distinct: BTreeSet<&str> = members.iter().map(|member| member.as_str()).collect();
    let names: Vec<String> = distinct.iter().take(SHOWN).map(|member| format!("`{member}`")).collect();
    match distinct.len().checked_sub(SHOWN) {
        _ if names.is_empty() => None,
        None | Some(0) => Some(names.join(", ")),
        Some(more) => Some(format!("{} and {more} more", names.join(", "))),
    }
}
