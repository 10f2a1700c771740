//! "Deny everyone, allow some": a denial always wins, so nobody is allowed.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::json;

use crate::analysis::Dead;
use crate::condition::Condition;
use crate::finding::Edit;
use crate::finding::Level;
use crate::finding::Safety;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::lint::telling;
use crate::policy::Effect;
use crate::policy::Member;
use crate::policy::Policy;
use crate::policy::PolicyDocument;
use crate::policy::Statement;
use crate::source::Span;
use crate::syntax;

pub(super) static RULE: Rule = Rule {
    name: "same-condition-exception",
    summary: "a denial for everybody is meant to spare the members of a grant, and does not",
    default: Level::Error,
    blocking: false,
    check: Check::Meaning(check),
    page: include_str!("../../../docs/rules/same-condition-exception.md"),
};

fn check(book: &Book, sink: &mut Sink) {
    let mut by_denial: BTreeMap<usize, Vec<&Dead>> = BTreeMap::new();
    for dead in &book.meaning().dead {
        if let Some(denial) = denial_of(book, dead) {
            by_denial.entry(denial).or_default().push(dead);
        }
    }
    for (denial, dead) in by_denial {
        report(book, denial, &dead, sink);
    }
}

/// The denial to which a dead grant looks like an exception: the only one in the way, with the same condition and more members.
pub(super) fn denial_of(book: &Book, dead: &Dead) -> Option<usize> {
    let [position] = dead.denials.as_slice() else { return None };
    let denial = book.set.statement(*position)?;
    let grant = book.set.statement(dead.grant)?;
    let text = |statement: &Statement| statement.condition.as_deref().map(Condition::expr).cloned();
    let meant = !denial.from_control && !telling::denies_everything(book, denial) && text(denial) == text(grant);
    (meant && is_wider(&denial.members, &grant.members)).then_some(*position)
}

fn is_wider(members: &[Member], others: &[Member]) -> bool {
    if others.contains(&Member::Everyone) {
        return false;
    }
    members.contains(&Member::Everyone) || members.len() > others.len() && others.iter().all(|other| members.contains(other))
}

fn report(book: &Book, position: usize, dead: &[&Dead], sink: &mut Sink) {
    let (Some((denial, document)), Some(first)) = (book.stated(position), dead.first()) else { return };
    let grants: Vec<usize> = dead.iter().map(|dead| dead.grant).collect();
    let statements: Vec<&Statement> = grants.iter().filter_map(|&at| book.set.statement(at)).collect();
    let (names, id) = (telling::named(book, &grants, grants.len()), &denial.policy);
    let everybody = denial.members.contains(&Member::Everyone);
    let message = format!(
        "`{id}` denies {} what {names} {} to some: a denial always wins, so nobody is allowed",
        if everybody { "everybody" } else { "more callers" },
        if grants.len() == 1 { "grants" } else { "grant" }
    );
    let members = members_of(book, &statements);
    let list = members.iter().map(|member| quoted(member)).collect::<Vec<_>>().join(", ");
    let draft = Draft::new(document.head_span(), message).label("this denial").policy(id.as_str());
    let mut draft = telling::labels(draft, book, &grants, |grant| format!("`{}` is no exception, and never takes effect", grant.policy));
    if let Some(witness) = &first.witness {
        draft = draft.witness(witness.to_string());
    }
    if !everybody {
        sink.report(draft.help(format!("take {list} out of the `members` of `{id}`, or remove {names}")));
        return;
    }
    if !takes_from_others(book, denial, &grants, &members) {
        sink.report(draft.help(format!(
            "remove `{id}`: what nothing grants is denied anyway; if it is there for grants to come, write `except: [{list}]` on it"
        )));
        return;
    }
    let draft = draft.help(format!("write `except: [{list}]` on `{id}`, so that it spares whom {names} is for"));
    // Whom a grant leaves out would be spared too.
    let plain = statements.iter().all(|grant| grant.except.is_empty());
    sink.report(match plain.then(|| edit(book, document, &members)).flatten() {
        Some(edit) => draft.fix("except the members of the grant from the denial", Safety::Unsafe, vec![edit]),
        None => draft,
    });
}

/// Whether anybody but some members may be granted what a denial denies, so that it is there for something.
fn takes_from_others(book: &Book, denial: &Statement, spared: &[usize], members: &[String]) -> bool {
    let members: BTreeSet<Member> = members.iter().map(|text| Member::parse(text)).collect();
    let others = book.set.statements().iter().enumerate().filter(|(at, other)| other.effect == Effect::Allow && !spared.contains(at));
    others.map(|(_, other)| other).any(|other| {
        let meets =
            other.actions.overlaps(&denial.actions) && other.service.overlaps(&denial.service) && other.source.overlaps(&denial.source);
        meets && other.members.iter().any(|member| !members.contains(member))
    })
}

/// The members of some grants as their policies write them, each once.
fn members_of(book: &Book, grants: &[&Statement]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut members = Vec::new();
    for grant in grants {
        let policy = book.set.get(grant.policy.as_str());
        for text in policy.and_then(|policy| policy.members()).unwrap_or_default() {
            if seen.insert(Member::parse(text)) {
                members.push(text.clone());
            }
        }
    }
    members
}

/// A member as it can stand in a list in brackets.
fn quoted(member: &str) -> String {
    let plain = member.starts_with(|first: char| first.is_ascii_alphabetic())
        && member.chars().all(|char| char.is_ascii_alphanumeric() || "._-@".contains(char))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&member.to_ascii_lowercase().as_str());
    if plain { member.to_owned() } else { json!(member).to_string() }
}

/// The change that adds members to the exceptions of a document.
fn edit(book: &Book, document: &PolicyDocument, members: &[String]) -> Option<Edit> {
    let Policy::Access(denial) = &**document.policy()? else { return None };
    let mut except = denial.except.clone().unwrap_or_default();
    let known: BTreeSet<Member> = except.iter().map(|text| Member::parse(text)).collect();
    except.extend(members.iter().filter(|text| !known.contains(&Member::parse(text))).cloned());
    let list = except.iter().map(|member| quoted(member)).collect::<Vec<_>>().join(", ");
    let source = document.node.span.source;
    let text = book.sources.get(source)?.text();
    let edited = syntax::set_entry(text, &document.node, "except", &format!("[{list}]")).ok()?;
    // What differs between the two texts, without what they begin and end with alike.
    let start =
        text.char_indices().zip(edited.chars()).find(|((_, one), two)| one != two).map_or(text.len().min(edited.len()), |((at, _), _)| at);
    let (rest, new) = (text.get(start..)?, edited.get(start..)?);
    let end: usize = rest.chars().rev().zip(new.chars().rev()).take_while(|(one, two)| one == two).map(|(char, _)| char.len_utf8()).sum();
    let replacement = new.get(..new.len() - end)?.to_owned();
    Some(Edit { span: Span::new(source, start..text.len() - end), replacement })
}
