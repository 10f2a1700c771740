//! The words of a difference that all formats for people share. How a user's text is marked is up to the format.

use serde_json::Map;
use serde_json::Value as Json;

use super::DiffReport;
use super::Side;
use super::access::Access;
use super::access::member;
use super::policies::Happened;
use super::policies::PolicyChange;
use crate::analysis::Class;
use crate::analysis::Names;
use crate::policy::Member;
use crate::policy::PolicyId;
use crate::report::count;

/// How many of a list are named.
const NAMED: usize = 8;

/// How many characters of a commit id are shown.
const SHOWN_OF_AN_ID: usize = 10;

/// Marks a user's text: back quotes on a terminal, a code span in Markdown.
pub type Quote = fn(&str) -> String;

/// Which way access changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// It is allowed now.
    Gained,
    /// It is denied now.
    Lost,
}

/// The name of a class for people.
pub fn class(class: Option<Class>) -> &'static str {
    match class {
        Some(Class::NoChange) => "no change of meaning",
        Some(Class::Narrows) => "narrows",
        Some(Class::Widens) => "widens",
        Some(Class::Mixed) => "mixed",
        None => "undecided",
    }
}

/// What the whole amounts to: `mixed: 2 gains, 1 loss`.
pub fn verdict(report: &DiffReport<'_>) -> String {
    let number = |shown: usize, more: usize, noun: &str| {
        let text = count(shown + more, noun);
        if more > 0 { format!("more than {}", count(shown, noun)) } else { text }
    };
    let mut numbers = Vec::new();
    if !report.gained.is_empty() {
        numbers.push(number(report.gained.len(), report.more_gained, "gain"));
    }
    if !report.lost.is_empty() {
        let losses = number(report.lost.len(), report.more_lost, "losse");
        numbers.push(losses.replace("1 losse", "1 loss").replace("losseses", "losses"));
    }
    if !report.undecided.is_empty() {
        numbers.push(format!("{} of which it is not known", count(report.undecided.len(), "policy")));
    }
    if numbers.is_empty() {
        return match report.files.count() {
            0 => format!("{}: no file differs", class(report.class)),
            1 => format!("{}: 1 file changed, no decision does", class(report.class)),
            files => format!("{}: {} changed, no decision does", class(report.class), count(files, "file")),
        };
    }
    format!("{}: {}", class(report.class), numbers.join(", "))
}

/// What is compared with what.
pub fn sides(report: &DiffReport<'_>, quote: Quote) -> String {
    format!("from {} to {}", side(report.before, quote), side(report.after, quote))
}

/// One side, with its commit.
pub fn side(side: Side<'_>, quote: Quote) -> String {
    match side {
        Side::Worktree => "the worktree".to_owned(),
        Side::Index => "the index".to_owned(),
        Side::Revision { name, commit } => {
            let short: String = commit.chars().take(SHOWN_OF_AN_ID).collect();
            if commit.starts_with(name) && name.len() >= 7 { quote(&short) } else { format!("{} ({short})", quote(name)) }
        }
    }
}

/// Who gains or loses what, without the condition.
pub fn sentence(access: &Access, direction: Direction, quote: Quote) -> String {
    let (who, singular) = callers(access, quote);
    let verb = match (direction, singular) {
        (Direction::Gained, true) => "gains",
        (Direction::Gained, false) => "gain",
        (Direction::Lost, true) => "loses",
        (Direction::Lost, false) => "lose",
    };
    let region = &access.region;
    let actions = names(&region.actions, "every action", quote);
    let services = match &region.services {
        Names::AllBut(_) => names(&region.services, "every service", quote),
        Names::Only(list) => format!("{} {}", plural(list.len(), "service"), names(&region.services, "", quote)),
    };
    let sources = match &region.sources {
        Names::AllBut(_) => names(&region.sources, "every source", quote),
        Names::Only(list) => format!("{} {}", plural(list.len(), "source"), names(&region.sources, "", quote)),
    };
    format!("{who} {verb} {actions} on {services} ({sources})")
}

/// What happened to the policies that are the reason.
pub fn causes(access: &Access, report: &DiffReport<'_>, quote: Quote) -> String {
    let what = access.causes.iter().take(NAMED).map(|id| happened(id, report, quote)).collect();
    with_more(what, access.causes.len())
}

/// The grants that apply, where a denial is the reason; `None` where they are the reason themselves.
pub fn grants(access: &Access, report: &DiffReport<'_>, direction: Direction, quote: Quote) -> Option<String> {
    let grants: Vec<&PolicyId> = access.grants.iter().filter(|id| !access.causes.contains(*id)).collect();
    let named = grants.iter().take(NAMED).map(|id| placed(id, report, quote)).collect();
    let verb = match (direction, grants.len()) {
        (_, 0) => return None,
        (Direction::Gained, 1) => "grants it",
        (Direction::Gained, _) => "grant it",
        (Direction::Lost, _) => "granted it",
    };
    Some(format!("{} {verb}", with_more(named, grants.len())))
}

/// What a control that was switched on or off does as a whole, if a single one is the reason.
pub fn control<'a>(access: &Access, report: &'a DiffReport<'_>) -> Option<(&'a PolicyChange, &'static str, &'static str)> {
    let [only] = access.causes.iter().collect::<Vec<_>>()[..] else { return None };
    let policy = report.policy(only).filter(|policy| policy.control)?;
    match policy.happened? {
        Happened::Disabled => Some((policy, "switching off", "exposes")),
        Happened::Removed => Some((policy, "removing", "exposes")),
        Happened::Enabled => Some((policy, "switching on", "takes away")),
        Happened::Added => Some((policy, "adding", "takes away")),
        _ => None,
    }
}

/// A policy and what happened to it, with the place.
pub fn happened(id: &PolicyId, report: &DiffReport<'_>, quote: Quote) -> String {
    let Some(policy) = report.policy(id) else { return quote(id.as_str()) };
    let place = policy.place().map(|place| format!(" ({})", quote(&format!("{}:{}", place.path, place.line)))).unwrap_or_default();
    format!("{} {}{place}", quote(id.as_str()), what(policy, quote))
}

/// What happened to a policy, as a predicate.
pub fn what(policy: &PolicyChange, quote: Quote) -> String {
    let others: Vec<&String> = policy.fields.iter().filter(|field| *field != "enabled").collect();
    let also = |text: &str| match others.len() {
        0 => text.to_owned(),
        _ => format!("{text} and changed {}", fields(&others, quote)),
    };
    match policy.happened {
        None => "did not change".to_owned(),
        Some(Happened::Added) => "is new".to_owned(),
        Some(Happened::Removed) => "was removed".to_owned(),
        Some(Happened::Enabled) => also("was switched on"),
        Some(Happened::Disabled) => also("was switched off"),
        Some(Happened::Changed) => format!("changed {}", fields(&others, quote)),
        Some(Happened::Reread) => "is read with other declared lists".to_owned(),
        Some(Happened::Moved) => "moved".to_owned(),
    }
}

fn fields(fields: &[&String], quote: Quote) -> String {
    with_more(fields.iter().take(NAMED).map(|field| quote(field)).collect(), fields.len())
}

fn placed(id: &PolicyId, report: &DiffReport<'_>, quote: Quote) -> String {
    let place = report.policy(id).and_then(PolicyChange::place);
    let place = place.map(|place| format!(" ({})", quote(&format!("{}:{}", place.path, place.line))));
    format!("{}{}", quote(id.as_str()), place.unwrap_or_default())
}

/// A request in one sentence.
pub fn request(request: &Json, quote: Quote) -> String {
    let text = |pointer: &str| request.pointer(pointer).and_then(Json::as_str).unwrap_or("?");
    let object = |pointer: &str| request.pointer(pointer).and_then(Json::as_object).cloned().unwrap_or_default();
    let mut caller = object("/subject/properties");
    let groups = match caller.remove("groups") {
        Some(Json::Array(groups)) => groups.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let kind = text("/subject/type");
    let mut words = quote(text("/subject/id"));
    if kind != "user" {
        words = format!("{words} of type {}", quote(kind));
    }
    if !groups.is_empty() {
        words.push_str(&format!(" in {} {}", plural(groups.len(), "group"), list(&groups, quote)));
    }
    words.push_str(&properties(" with", &caller, quote));
    words.push_str(&format!(" asks to {}", quote(text("/action/name"))));
    words.push_str(&properties(" with", &object("/action/properties"), quote));
    words.push_str(&format!(" the {} {}", quote(text("/resource/type")), quote(text("/resource/id"))));
    words.push_str(&properties("", &object("/resource/properties"), quote));
    words.push_str(&properties(" in the context", &object("/context"), quote));
    words
}

fn properties(before: &str, properties: &Map<String, Json>, quote: Quote) -> String {
    if properties.is_empty() {
        return String::new();
    }
    format!("{before} {}", quote(&Json::Object(properties.clone()).to_string()))
}

/// Who, and whether the verb is in the singular.
fn callers(access: &Access, quote: Quote) -> (String, bool) {
    let mut groups = Vec::new();
    let mut others = Vec::new();
    for members in &access.callers {
        match members.as_slice() {
            [Member::Everyone] | [] => others.push("every caller".to_owned()),
            [Member::Group(name)] => groups.push(name.to_string()),
            [one] => others.push(quote(&member(one))),
            several => others.push(together(several, quote)),
        }
    }
    let singular = groups.len() + others.len() == 1 && access.callers.iter().all(|members| !joint(members));
    let mut parts = Vec::new();
    if !groups.is_empty() {
        parts.push(format!("{} {}", plural(groups.len(), "group"), list(&groups, quote)));
    }
    let all = parts.len() + others.len();
    parts.extend(others.into_iter().take(NAMED));
    let shown = parts.len();
    let mut words = with_more(parts, all.max(shown));
    let narrowed = narrowed(access, quote);
    if !narrowed.is_empty() {
        words.push_str(&format!(" (only who is {})", narrowed.join(" and ")));
    }
    (words, singular)
}

/// Whether these are several groups, which no single name stands for.
fn joint(members: &[Member]) -> bool {
    members.len() > 1 && members.iter().all(|member| matches!(member, Member::Group(_)))
}

fn together(members: &[Member], quote: Quote) -> String {
    let groups: Vec<String> = members.iter().filter(|one| matches!(one, Member::Group(_))).map(member).collect();
    let one = members.iter().find(|one| !matches!(one, Member::Group(_) | Member::Everyone));
    match (one, groups.len()) {
        (Some(one), _) => format!("{}, when in {} {}", quote(&member(one)), plural(groups.len(), "group"), list(&groups, quote)),
        (None, 2) => format!("callers who are both in {}", list(&groups, quote)),
        (None, _) => format!("callers who are in all of {}", list(&groups, quote)),
    }
}

/// What the region says of the callers beside their members.
fn narrowed(access: &Access, quote: Quote) -> Vec<String> {
    let of = |wanted: bool| -> Vec<String> {
        access.region.groups.iter().filter(|(_, inside)| *inside == wanted).map(|(name, _)| name.to_string()).collect()
    };
    let mut parts = Vec::new();
    for (names, word) in [(of(true), "also in"), (of(false), "not in")] {
        if !names.is_empty() {
            parts.push(format!("{word} {} {}", plural(names.len(), "group"), list(&names, quote)));
        }
    }
    match &access.region.caller_types {
        Names::AllBut(names) if names.is_empty() => {}
        Names::AllBut(names) => parts.push(format!("not of type {}", either(names, quote))),
        Names::Only(names) => parts.push(format!("of type {}", either(names, quote))),
    }
    parts
}

/// Names with an `or`.
fn either(names: &[String], quote: Quote) -> String {
    names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(" or ")
}

fn names(names: &Names, every: &str, quote: Quote) -> String {
    match names {
        Names::Only(names) => list(names, quote),
        Names::AllBut(names) if names.is_empty() => every.to_owned(),
        Names::AllBut(names) => format!("{every} but {}", list(names, quote)),
    }
}

/// `a, b and c`; of a long list the first ones and how many more there are.
fn list(names: &[String], quote: Quote) -> String {
    with_more(names.iter().take(NAMED).map(|name| quote(name)).collect(), names.len())
}

fn with_more(mut shown: Vec<String>, all: usize) -> String {
    let more = all.saturating_sub(shown.len());
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    match shown.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

fn plural(number: usize, noun: &str) -> String {
    if number == 1 { noun.to_owned() } else { format!("{noun}s") }
}
