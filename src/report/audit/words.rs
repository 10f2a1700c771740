//! The words of an event that all formats for people share.

use super::AuditReport;
use crate::history::Action;
use crate::history::Event;
use crate::history::Landing;
use crate::history::MergeKind;
use crate::history::People;
use crate::history::Person;
use crate::history::Signature;
use crate::history::SignatureStatus;
use crate::report::count;

/// How many characters of a commit id are shown.
const SHOWN_OF_AN_ID: usize = 10;

/// How many people are named.
const NAMED: usize = 4;

/// The beginning of a commit id.
pub fn short(commit: &str) -> &str {
    commit.char_indices().nth(SHOWN_OF_AN_ID).map_or(commit, |(end, _)| commit.get(..end).unwrap_or(commit))
}

/// What happened to the policy, beside the action.
pub fn what(event: &Event) -> String {
    let moved = || event.from.as_ref().map(|from| format!("{from} → {}", event.path));
    let with_move = |text: String| match moved() {
        Some(moved) if text.is_empty() => moved,
        Some(moved) => format!("{text}; {moved}"),
        None => text,
    };
    match event.action {
        Action::Create | Action::Delete => event.path.to_string(),
        Action::Rename => with_move(event.renamed.as_ref().map(|old| format!("was {old}")).unwrap_or_default()),
        Action::Restore => with_move(event.restores.as_ref().map(|commit| format!("as in {}", short(commit))).unwrap_or_default()),
        Action::Update | Action::Repair => with_move(event.fields.join(", ")),
        Action::Break => with_move(format!("{} cannot be read", event.path)),
        Action::Enable | Action::Disable | Action::Move | Action::Reformat => with_move(String::new()),
    }
}

/// How a merge came to what it holds; `None` when the commit is no merge.
pub fn merge(event: &Event, report: &AuditReport<'_>) -> Option<String> {
    let merge = event.merge.as_ref()?;
    let how = match merge.kind {
        MergeKind::Taken => "merged",
        MergeKind::Combined => "merged, both sides combined by git",
        MergeKind::Resolved => "merged, a conflict resolved by hand",
        MergeKind::Evil => "EVIL MERGE: it holds what neither side holds",
        MergeKind::Unknown => "merged, by git, by hand, or an EVIL MERGE: too much is missing to tell",
    };
    let named: Vec<String> = merge.contributors.iter().take(NAMED).map(|person| address(&report.people.known(person)).to_owned()).collect();
    let more = merge.contributors.len().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {}", count(more, "other")) } else { String::new() };
    Some(if named.is_empty() { how.to_owned() } else { format!("{how}, of {}{more}", named.join(", ")) })
}

/// What there is to say of a signature beside its status: why it is not good, or whose it is when that is neither the author nor
/// the committer.
pub fn signature(landing: &Landing, people: &People) -> Option<String> {
    let Signature { status, principal, why, .. } = &landing.signature;
    match (status, principal, why) {
        (SignatureStatus::None, ..) => None,
        (_, _, Some(why)) => Some(format!("signature: {why}")),
        (_, Some(principal), None) if !is(principal, landing, people) => Some(format!("signed by {principal}")),
        _ => None,
    }
}

/// Whether a principal is the author or the committer, under any of their names.
fn is(principal: &str, landing: &Landing, people: &People) -> bool {
    let same = |person: &Person| {
        [person.email.as_str(), person.name.as_str(), &person.to_string()].into_iter().any(|name| principal.eq_ignore_ascii_case(name))
    };
    [&landing.author, &landing.committer].into_iter().any(|person| same(person) || same(&people.known(person)))
}

/// The address of a person, or else the name.
pub fn address(person: &Person) -> &str {
    if person.email.is_empty() { &person.name } else { &person.email }
}

/// What a reader must not overlook, each in a sentence: signatures that do not hold, and merges that nobody reviewed.
pub fn warnings(report: &AuditReport<'_>) -> Vec<String> {
    let commits = |wanted: &dyn Fn(&Event) -> bool| {
        let mut commits: Vec<&str> =
            report.events.iter().filter(|event| wanted(event)).map(|event| event.landing.commit.as_str()).collect();
        commits.sort_unstable();
        commits.dedup();
        commits.len()
    };
    let status = |wanted: SignatureStatus| commits(&|event: &Event| event.landing.signature.status == wanted);
    let merge = |wanted: MergeKind| commits(&|event: &Event| event.merge.as_ref().is_some_and(|merge| merge.kind == wanted));
    let told = [
        (status(SignatureStatus::Bad), "has a signature that does not hold", "have signatures that do not hold"),
        (status(SignatureStatus::Untrusted), "is signed by a key that nobody vouches for", "are signed by keys that nobody vouches for"),
        (status(SignatureStatus::Unverified), "is signed in a way that was not verified", "are signed in a way that was not verified"),
        (
            merge(MergeKind::Evil),
            "is an evil merge: it holds what neither side holds",
            "are evil merges: they hold what neither side holds",
        ),
        (
            merge(MergeKind::Unknown),
            "is a merge that may be evil: too much is missing to tell",
            "are merges that may be evil: too much is missing to tell",
        ),
        (merge(MergeKind::Resolved), "is a merge with a conflict resolved by hand", "are merges with conflicts resolved by hand"),
    ];
    let told = told.into_iter().filter(|(number, ..)| *number > 0);
    let told = told.map(|(number, one, several)| format!("{} {}", count(number, "commit"), if number == 1 { one } else { several }));
    unaccounted(report).into_iter().chain(told).collect()
}

/// Which commits had to be signed and are not, whether an event tells of them or not: one may have changed who may sign.
fn unaccounted(report: &AuditReport<'_>) -> Option<String> {
    let commits = report.trail.unaccounted();
    let named: Vec<&str> = commits.iter().take(NAMED).map(|(commit, _)| short(commit)).collect();
    let more = commits.len().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {}", count(more, "other")) } else { String::new() };
    let had = if commits.len() == 1 {
        "had to be signed by somebody who may, and is not"
    } else {
        "had to be signed by somebody who may, and are not"
    };
    let list = format!("{}{more}; `lawbook check` says what to do", named.join(", "));
    (!commits.is_empty()).then(|| format!("{} {had}: {list}", count(commits.len(), "commit")))
}

/// How many commits changed files beside the policies.
pub fn beside(number: usize) -> String {
    format!("{} changed what is not a policy, but says what policies mean or who may sign", count(number, "commit"))
}

/// How many events are shown, and of how many.
pub fn number(report: &AuditReport<'_>) -> String {
    let (shown, all) = (report.events.len(), report.trail.events().len());
    match report.scope.newest_of {
        Some(found) if shown == 1 => format!("the newest of {}", count(found, "event")),
        Some(found) => format!("the {shown} newest of {}", count(found, "event")),
        None if shown < all => format!("{shown} of {}", count(all, "event")),
        None => count(shown, "event"),
    }
}
