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
use crate::report::of_the_directory;

/// How many of a list are named.
const NAMED: usize = 8;

/// How many characters of a commit id are shown.
const SHOWN_OF_AN_ID: usize = 10;

/// How a user's text is marked: by back quotes on a terminal, by a code span in Markdown.
#[derive(Debug, Clone, Copy)]
pub struct Marks {
    /// Marks a name, or a part of a request.
    pub name: fn(&str) -> String,
    /// Marks a path with its line, which stands in parentheses.
    pub path: fn(&str) -> String,
}

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

/// What the whole comes to, in numbers: `2 gains, 1 loss`.
pub fn numbers(report: &DiffReport<'_>) -> String {
    let number = |shown: usize, more: usize, one: &str, several: &str| match (shown + more, more) {
        (0, _) => None,
        (1, _) => Some(format!("1 {one}")),
        (all, 0) => Some(format!("{all} {several}")),
        // What is not described is counted before it is joined.
        (_, _) => Some(format!("more than {shown} {several}")),
    };
    let gains = number(report.gained.len(), report.more_gained, "gain", "gains");
    let losses = number(report.lost.len(), report.more_lost, "loss", "losses");
    let undecided = (!report.undecided.is_empty()).then(|| count(report.undecided.len(), "policy"));
    let alone = gains.is_none() && losses.is_none();
    let undecided = undecided.map(|policies| if alone { policies } else { format!("{policies} undecided") });
    let numbers: Vec<String> = [gains, losses, undecided].into_iter().flatten().collect();
    if !numbers.is_empty() {
        return numbers.join(", ");
    }
    match report.files.count() {
        0 => "no file differs".to_owned(),
        files => format!("{} changed, no decision does", count(files, "file")),
    }
}

/// That nobody is left who can change the law, where somebody could before.
pub const LOCKOUT: &str = "nobody can create, update or delete on the service `policy` any more, and somebody could before: \
                           through the interfaces, this change cannot be undone";

/// That it is not known whether anybody is left who can change the law.
pub const LOCKOUT_UNKNOWN: &str = "it is not known whether anybody can still create, update or delete on the service `policy`: read \
                                   the policies that are about it";

/// Why no leave can be given for what is described in part, and what to do.
pub const INCOMPLETE: &str = "there are more requests like these than this describes, so no leave can be given for it: split the change \
                              into policies with shorter conditions";

/// What is compared with what, and for whom.
pub fn sides(report: &DiffReport<'_>, marks: Marks) -> String {
    let world = report.callers.map(of_the_directory).unwrap_or_default();
    format!("from {} to {}{world}", side(report.before, marks), side(report.after, marks))
}

/// One side, with its commit.
pub fn side(side: Side<'_>, marks: Marks) -> String {
    match side {
        Side::Worktree => "the worktree".to_owned(),
        Side::Index => "the index".to_owned(),
        Side::Revision { name, commit } => {
            let short: String = commit.chars().take(SHOWN_OF_AN_ID).collect();
            if commit.starts_with(name) && name.len() >= 7 { (marks.name)(&short) } else { format!("{} ({short})", (marks.name)(name)) }
        }
    }
}

/// Who gains or loses what, without the condition.
pub fn sentence(access: &Access, direction: Direction, marks: Marks) -> String {
    let (who, singular) = callers(access, marks);
    let verb = match (direction, singular) {
        (Direction::Gained, true) => "gains",
        (Direction::Gained, false) => "gain",
        (Direction::Lost, true) => "loses",
        (Direction::Lost, false) => "lose",
    };
    let region = &access.region;
    let actions = names(&region.actions, "every action", marks);
    let services = match &region.services {
        Names::AllBut(_) => names(&region.services, "every service", marks),
        Names::Only(list) => format!("{} {}", plural(list.len(), "service"), names(&region.services, "", marks)),
    };
    let sources = match &region.sources {
        Names::AllBut(_) => names(&region.sources, "every source", marks),
        Names::Only(list) => format!("{} {}", plural(list.len(), "source"), names(&region.sources, "", marks)),
    };
    format!("{who} {verb} {actions} on {services} ({sources})")
}

/// For which documents and circumstances a sentence holds, as its end.
pub fn clauses(access: &Access, marks: Marks) -> String {
    let region = &access.region;
    let mut clauses: Vec<String> =
        region.condition.iter().map(|condition| format!(" where {}", (marks.name)(&condition.to_string()))).collect();
    clauses.extend(or_unfit(access, marks).map(|text| format!(", or where {text}")));
    let only = [unfit(access, marks), fit(access, marks)];
    clauses.extend(only.into_iter().flatten().map(|text| format!(", only where {text}")));
    if !region.beyond.is_empty() {
        clauses.push(format!(" ({BEYOND})"));
    }
    if clauses.is_empty() { ", always".to_owned() } else { clauses.concat() }
}

/// What must hold a value that does not fit, if anything.
pub fn unfit(access: &Access, marks: Marks) -> Option<String> {
    let terms: Vec<String> = access.region.unfit.iter().map(ToString::to_string).collect();
    let verb = if terms.len() == 1 { "holds" } else { "hold" };
    (!terms.is_empty()).then(|| format!("{} {verb} what no comparison fits, such as an object", list(&terms, marks)))
}

/// What may hold a value that does not fit as well, if anything.
pub fn or_unfit(access: &Access, marks: Marks) -> Option<String> {
    let terms: Vec<String> = access.or_unfit.iter().map(ToString::to_string).collect();
    let verb = if terms.len() == 1 { "holds" } else { "hold" };
    (!terms.is_empty()).then(|| format!("{} {verb} what no comparison fits, whatever is said of {}", list(&terms, marks), it(&terms)))
}

/// What must hold a value that fits, where nothing else is said of it.
pub fn fit(access: &Access, marks: Marks) -> Option<String> {
    let terms: Vec<String> = access.region.fit.iter().map(ToString::to_string).collect();
    let verb = if terms.len() == 1 { "holds" } else { "hold" };
    (!terms.is_empty()).then(|| format!("{} {verb} nothing, or what a comparison fits", list(&terms, marks)))
}

fn it(terms: &[String]) -> &'static str {
    if terms.len() == 1 { "it" } else { "them" }
}

/// That the words say more than is meant.
pub const BEYOND: &str = "no condition says this exactly: these words say more than is meant";

/// What happened to the policies that are the reason.
pub fn causes(access: &Access, report: &DiffReport<'_>, marks: Marks) -> String {
    let what = access.causes.iter().take(NAMED).map(|id| happened(id, report, marks)).collect();
    with_more(what, access.causes.len())
}

/// The grants that apply, where a denial is the reason; `None` where they are the reason themselves.
pub fn grants(access: &Access, report: &DiffReport<'_>, direction: Direction, marks: Marks) -> Option<String> {
    let grants: Vec<&PolicyId> = access.grants.iter().filter(|id| !access.causes.contains(*id)).collect();
    let named = grants.iter().take(NAMED).map(|id| placed(id, report, marks)).collect();
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
pub fn happened(id: &PolicyId, report: &DiffReport<'_>, marks: Marks) -> String {
    let Some(policy) = report.policy(id) else { return (marks.name)(id.as_str()) };
    let place = policy.place().map(|place| format!(" ({})", (marks.path)(&format!("{}:{}", place.path, place.line)))).unwrap_or_default();
    format!("{} {}{place}", (marks.name)(id.as_str()), what(policy, marks))
}

/// What happened to a policy, as a predicate.
pub fn what(policy: &PolicyChange, marks: Marks) -> String {
    let others: Vec<&String> = policy.fields.iter().filter(|field| *field != "enabled").collect();
    let also = |text: &str| match others.len() {
        0 => text.to_owned(),
        _ => format!("{text} and changed {}", fields(&others, marks)),
    };
    match policy.happened {
        None => "did not change".to_owned(),
        Some(Happened::Added) => "is new".to_owned(),
        Some(Happened::Removed) => "was removed".to_owned(),
        Some(Happened::Enabled) => also("was switched on"),
        Some(Happened::Disabled) => also("was switched off"),
        Some(Happened::Changed) => format!("changed {}", fields(&others, marks)),
        Some(Happened::Reread) => "is read with other declared lists".to_owned(),
        Some(Happened::Moved) => "moved".to_owned(),
    }
}

fn fields(fields: &[&String], marks: Marks) -> String {
    with_more(fields.iter().take(NAMED).map(|field| (marks.name)(field)).collect(), fields.len())
}

fn placed(id: &PolicyId, report: &DiffReport<'_>, marks: Marks) -> String {
    let place = report.policy(id).and_then(PolicyChange::place);
    let place = place.map(|place| format!(" ({})", (marks.path)(&format!("{}:{}", place.path, place.line))));
    format!("{}{}", (marks.name)(id.as_str()), place.unwrap_or_default())
}

/// A request in one sentence.
pub fn request(request: &Json, marks: Marks) -> String {
    let text = |pointer: &str| request.pointer(pointer).and_then(Json::as_str).unwrap_or("?");
    let object = |pointer: &str| request.pointer(pointer).and_then(Json::as_object).cloned().unwrap_or_default();
    let mut caller = object("/subject/properties");
    let groups = match caller.remove("groups") {
        Some(Json::Array(groups)) => groups.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let kind = text("/subject/type");
    let mut words = (marks.name)(text("/subject/id"));
    if kind != "user" {
        words = format!("{words} of type {}", (marks.name)(kind));
    }
    if !groups.is_empty() {
        words.push_str(&format!(" in {} {}", plural(groups.len(), "group"), list(&groups, marks)));
    }
    words.push_str(&properties(" with", &caller, marks));
    words.push_str(&format!(" asks to {}", (marks.name)(text("/action/name"))));
    words.push_str(&properties(" with", &object("/action/properties"), marks));
    words.push_str(&format!(" the {} {}", (marks.name)(text("/resource/type")), (marks.name)(text("/resource/id"))));
    words.push_str(&properties(" with", &object("/resource/properties"), marks));
    let mut context = object("/context");
    // This is what a request that does not name a source asks for.
    if context.get("source").and_then(Json::as_str) == Some("private") {
        context.remove("source");
    }
    words.push_str(&properties(" in the context", &context, marks));
    words
}

fn properties(before: &str, properties: &Map<String, Json>, marks: Marks) -> String {
    if properties.is_empty() {
        return String::new();
    }
    format!("{before} {}", (marks.name)(&Json::Object(properties.clone()).to_string()))
}

/// Who, and whether the verb is in the singular.
fn callers(access: &Access, marks: Marks) -> (String, bool) {
    let mut groups = Vec::new();
    let mut others = Vec::new();
    for members in &access.callers {
        match members.as_slice() {
            [Member::Everyone] | [] => others.push("every caller".to_owned()),
            [Member::Group(name)] => groups.push(name.to_string()),
            [one] => others.push((marks.name)(&member(one))),
            several => others.push(together(several, marks)),
        }
    }
    let singular = groups.len() + others.len() == 1 && access.callers.iter().all(|members| !joint(members));
    let mut parts = Vec::new();
    if !groups.is_empty() {
        parts.push(format!("{} {}", plural(groups.len(), "group"), list(&groups, marks)));
    }
    let all = parts.len() + others.len();
    parts.extend(others.into_iter().take(NAMED));
    let shown = parts.len();
    // `groups a and b, and c`: the `and` within a part is not the one between parts.
    let nested = shown > 1 && parts.iter().any(|part| part.starts_with("groups ") || part.starts_with("callers "));
    let mut words = series(parts, all.max(shown), if nested { ", and " } else { " and " });
    let narrowed = narrowed(access, marks);
    if !narrowed.is_empty() {
        words.push_str(&format!(" ({})", narrowed.join(", ")));
    }
    (words, singular)
}

/// Whether these are several groups, which no single name stands for.
fn joint(members: &[Member]) -> bool {
    members.len() > 1 && members.iter().all(|member| matches!(member, Member::Group(_)))
}

fn together(members: &[Member], marks: Marks) -> String {
    let groups: Vec<String> = members.iter().filter(|one| matches!(one, Member::Group(_))).map(member).collect();
    let one = members.iter().find(|one| !matches!(one, Member::Group(_) | Member::Everyone));
    match (one, groups.len()) {
        (Some(one), _) => format!("{}, when in {} {}", (marks.name)(&member(one)), plural(groups.len(), "group"), list(&groups, marks)),
        (None, 2) => format!("callers who are both in {}", list(&groups, marks)),
        (None, _) => format!("callers who are in all of {}", list(&groups, marks)),
    }
}

/// What the region says of the callers beside their members.
fn narrowed(access: &Access, marks: Marks) -> Vec<String> {
    let of = |wanted: bool| -> Vec<String> {
        access.region.groups.iter().filter(|(_, inside)| *inside == wanted).map(|(name, _)| name.to_string()).collect()
    };
    let mut parts = Vec::new();
    for (names, word) in [(of(true), "only if also in"), (of(false), "unless in")] {
        if !names.is_empty() {
            parts.push(format!("{word} {} {}", plural(names.len(), "group"), list(&names, marks)));
        }
    }
    match &access.region.caller_types {
        Names::AllBut(names) if names.is_empty() => {}
        Names::AllBut(names) => parts.push(format!("unless of type {}", either(names, marks))),
        Names::Only(names) => parts.push(format!("only if of type {}", either(names, marks))),
    }
    parts
}

/// Names with an `or`.
fn either(names: &[String], marks: Marks) -> String {
    names.iter().map(|name| (marks.name)(name)).collect::<Vec<_>>().join(" or ")
}

fn names(names: &Names, every: &str, marks: Marks) -> String {
    match names {
        Names::Only(names) => list(names, marks),
        Names::AllBut(names) if names.is_empty() => every.to_owned(),
        Names::AllBut(names) => format!("{every} but {}", list(names, marks)),
    }
}

/// `a, b and c`; of a long list the first ones and how many more there are.
fn list(names: &[String], marks: Marks) -> String {
    with_more(names.iter().take(NAMED).map(|name| (marks.name)(name)).collect(), names.len())
}

fn with_more(shown: Vec<String>, all: usize) -> String {
    series(shown, all, " and ")
}

/// What is shown of so many, with a word before the last.
fn series(mut shown: Vec<String>, all: usize, before_the_last: &str) -> String {
    let more = all.saturating_sub(shown.len());
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    match shown.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{}{before_the_last}{last}", rest.join(", ")),
    }
}

fn plural(number: usize, noun: &str) -> String {
    if number == 1 { noun.to_owned() } else { format!("{noun}s") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::analysis::Region;

    const MARKS: Marks = Marks { name: str::to_owned, path: str::to_owned };

    fn every() -> Names {
        Names::AllBut(vec![])
    }

    fn only(names: &[&str]) -> Names {
        Names::Only(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn access(callers: &[&[&str]], region: Region) -> Access {
        Access {
            callers: callers.iter().map(|list| list.iter().map(|text| Member::parse(text)).collect()).collect(),
            region,
            or_unfit: BTreeSet::new(),
            causes: BTreeSet::new(),
            grants: BTreeSet::new(),
            denials: BTreeSet::new(),
            partial: false,
            witness: Json::Null,
            fingerprint: String::new(),
            waived: false,
        }
    }

    fn region(actions: Names, services: Names, sources: Names) -> Region {
        Region {
            actions,
            services,
            sources,
            groups: vec![],
            caller_types: every(),
            condition: None,
            unfit: vec![],
            or_unfit: vec![],
            fit: vec![],
            beyond: vec![],
        }
    }

    #[track_caller]
    fn check(callers: &[&[&str]], expected: &str) {
        let access = access(callers, region(only(&["read"]), only(&["r"]), only(&["s"])));
        let said = sentence(&access, Direction::Gained, MARKS);
        assert_eq!(said.strip_suffix(" read on service r (source s)"), Some(expected), "{said}");
    }

    #[test]
    fn callers_are_named_by_what_they_are() {
        check(&[&["*"]], "every caller gains");
        check(&[&["g"]], "group g gains");
        check(&[&["a@x"]], "a@x gains");
        check(&[&["service:b"]], "service:b gains");
        check(&[&["g"], &["h"]], "groups g and h gain");
        check(&[&["g"], &["a@x"]], "group g and a@x gain");
        check(&[&["g"], &["h"], &["a@x"]], "groups g and h, and a@x gain");
        check(&[&["g", "h"]], "callers who are both in g and h gain");
        check(&[&["g", "h", "i"]], "callers who are in all of g, h and i gain");
        check(&[&["a@x", "g"]], "a@x, when in group g gains");
    }

    #[test]
    fn long_lists_are_shortened() {
        let names: Vec<String> = (10..32).map(|at| format!("g{at}")).collect();
        let lists: Vec<Vec<&str>> = names.iter().map(|name| vec![name.as_str()]).collect();
        let callers: Vec<&[&str]> = lists.iter().map(Vec::as_slice).collect();
        check(&callers, "groups g10, g11, g12, g13, g14, g15, g16, g17 and 14 more gain");
    }

    #[test]
    fn what_is_open_is_said_and_what_is_left_out_too() {
        let all_but = |names: &[&str]| Names::AllBut(names.iter().map(|name| (*name).to_owned()).collect());
        let wide = access(&[&["*"]], region(every(), all_but(&["payroll"]), every()));
        assert_eq!(sentence(&wide, Direction::Lost, MARKS), "every caller loses every action on every service but payroll (every source)");
        let mut narrow = access(&[&["g"]], region(only(&["read", "run"]), every(), all_but(&["a", "b"])));
        narrow.region.groups = vec![("h".into(), true), ("i".into(), false)];
        narrow.region.caller_types = only(&["service"]);
        let expected = "group g (only if also in group h, unless in group i, only if of type service) gains read and run on every service \
                        (every source but a and b)";
        assert_eq!(sentence(&narrow, Direction::Gained, MARKS), expected);
    }

    #[test]
    fn a_request_is_a_sentence() {
        let whole = json!({
            "subject": {"type": "service", "id": "b", "properties": {"groups": ["g", "h"], "level": 1}},
            "action": {"name": "read", "properties": {"bulk": true}},
            "resource": {"type": "report", "id": "1", "properties": {"a": "x"}},
            "context": {"source": "public"},
        });
        let expected = r#"b of type service in groups g and h with {"level":1} asks to read with {"bulk":true} the report 1 with {"a":"x"} in the context {"source":"public"}"#;
        assert_eq!(request(&whole, MARKS), expected);
        let short = json!({"subject": {"type": "user", "id": "a@x"}, "action": {"name": "read"}, "resource": {"type": "r", "id": "1"}, "context": {"source": "private"}});
        assert_eq!(request(&short, MARKS), "a@x asks to read the r 1");
    }
}
