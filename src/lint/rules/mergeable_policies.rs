//! Several policies that one could say.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::HashSet;
use std::hash::Hash;

use crate::condition::Expr;
use crate::finding::Level;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::policy::AccessPolicy;
use crate::policy::Member;
use crate::policy::Policy;
use crate::policy::PolicyDocument;

pub(super) static RULE: Rule = Rule {
    name: "mergeable-policies",
    summary: "policies that differ only in their members, or only in their actions, could be one",
    default: Level::Ignore,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/mergeable-policies.md"),
};

/// How many policies are named and pointed at; more are counted.
const SHOWN: usize = 3;

/// What policies have to share: effect, service, source and condition.
type Shared<'a> = (bool, &'a str, &'a str, Option<&'a Expr>);

/// A policy in force, with what it may differ in.
struct Candidate<'a> {
    access: &'a AccessPolicy,
    document: &'a PolicyDocument,
    shared: Shared<'a>,
    actions: Vec<&'a str>,
    members: Vec<Cow<'a, str>>,
}

fn check(book: &Book, sink: &mut Sink) {
    let candidates: Vec<Candidate<'_>> = book.policies().filter_map(|(policy, document)| candidate(policy, document)).collect();
    let mut told = HashSet::new();
    for group in groups(&candidates, |one| (one.shared, &one.actions)) {
        told.extend(group.iter().map(|one| one.access.id.as_str()));
        report(&group, "members", sink);
    }
    // Policies that differ in nothing are in a group of each sort, and are told once.
    for group in groups(&candidates, |one| (one.shared, &one.members)) {
        if !group.iter().all(|one| told.contains(one.access.id.as_str())) {
            report(&group, "actions", sink);
        }
    }
}

fn candidate<'a>(policy: &'a Policy, document: &'a PolicyDocument) -> Option<Candidate<'a>> {
    let Policy::Access(access) = policy else { return None };
    let condition = access.condition.as_ref().map(|condition| &*condition.expr);
    access.enabled.then(|| Candidate {
        access,
        document,
        shared: (access.deny, access.service.as_str(), access.source.as_str(), condition),
        actions: sorted(access.actions.iter().map(String::as_str)),
        members: sorted(access.members.iter().map(|member| Member::compared(member))),
    })
}

/// What is listed, each once and in one order, so that equal sets are equal lists.
fn sorted<T: Ord>(listed: impl Iterator<Item = T>) -> Vec<T> {
    let mut listed: Vec<T> = listed.collect();
    listed.sort_unstable();
    listed.dedup();
    listed
}

/// The candidates with one key, where there are several, in their order.
fn groups<'c, K: Hash + Eq>(candidates: &'c [Candidate<'c>], key: impl Fn(&'c Candidate<'c>) -> K) -> Vec<Vec<&'c Candidate<'c>>> {
    let mut positions: HashMap<K, usize> = HashMap::with_capacity(candidates.len());
    let mut groups: Vec<Vec<&Candidate<'_>>> = Vec::new();
    for one in candidates {
        let position = *positions.entry(key(one)).or_insert(groups.len());
        match groups.get_mut(position) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

fn report(group: &[&Candidate<'_>], differ_in: &str, sink: &mut Sink) {
    let Some((first, others)) = group.split_first() else { return };
    let names: Vec<String> = others.iter().take(SHOWN).map(|one| format!("`{}`", one.access.id)).collect();
    let others_named = match others.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    };
    let id = &first.access.id;
    let message =
        format!("`{id}` and {others_named} differ only in their {differ_in}, so one policy could say it, and be changed in one place");
    let mut draft = Draft::new(first.document.head_span(), message).policy(id.as_str());
    for other in others.iter().take(SHOWN) {
        draft = draft.related(other.document.head_span(), format!("`{}` differs only in its {differ_in}", other.access.id));
    }
    sink.report(draft.help(format!("list the {differ_in} of all in `{id}`, and remove the others")));
}
