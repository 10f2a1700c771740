//! Evidence of the changes of a period, oldest first: what an auditor files, or reads with whoever made the changes.
//!
//! Nothing that comes from a repository is markup here: every name, subject and value stands in a code span. What is proven and
//! what is claimed is said where it stands.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::Value;

use super::AuditReport;
use super::claims::approvals;
use super::claims::tickets;
use super::effect::said;
use super::effect::said_beside;
use super::words;
use crate::history::Action;
use crate::history::Beside;
use crate::history::Event;
use crate::history::FieldChange;
use crate::history::Landing;
use crate::history::Lines;
use crate::history::MergeKind;
use crate::history::Person;
use crate::history::SignatureStatus;
use crate::history::kind_word;
use crate::report::code_span::cell;
use crate::report::code_span::code;
use crate::report::count;
use crate::report::diff::phrase::Marks;

const MARKS: Marks = Marks { name: code, path: code };

/// How many entries of a list are shown as a list; of a longer one, what was added and removed.
const SHOWN_OF_A_LIST: usize = 12;

/// Writes the document.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# Changes of the law book {}\n", code(&report.scope.name))?;
    summary(report, out)?;
    numbers(report, out)?;
    let mut above: Option<&str> = None;
    for event in &report.events {
        let commit = event.landing.commit.as_str();
        if above != Some(commit) {
            landing(&event.landing, report, out)?;
        }
        above = Some(commit);
        change(event, report, out)?;
    }
    beside(report, out)
}

/// What landed beside the policies; the commits that have events too are named once more, with their files.
fn beside(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    if report.beside.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n# Beside the policies\n\n{}.", words::beside(report.beside.len()))?;
    for Beside { landing: made, files } in report.beside {
        landing(made, report, out)?;
        writeln!(out, "- changed {}", files.iter().map(|file| code(file)).collect::<Vec<_>>().join(", "))?;
        let effect = report.effects.map(|effects| said_beside(effects, &made.commit, MARKS)).unwrap_or_default();
        effect.iter().try_for_each(|line| writeln!(out, "- {}", line.text))?;
    }
    Ok(())
}

fn summary(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (scope, trail) = (&report.scope, report.trail);
    let (since, until) = (scope.since.map(|since| edge(since, since)), scope.until.map(last).map(|(until, next)| edge(until, next)));
    let period = match (since, until) {
        (None, None) => "the whole history".to_owned(),
        (Some(since), None) => format!("from {since} on"),
        (None, Some(until)) => format!("up to {until}"),
        (Some(since), Some(until)) => format!("from {since} to {until}"),
    };
    let lines = match scope.lines {
        Lines::Landed => "those on the line of first parents: what landed, when it landed",
        Lines::All => "all, also those that were merged",
    };
    let complete = match trail.partial() {
        None => "complete".to_owned(),
        Some(why) => format!("**partial: {}**. Who made what its oldest commit holds is not known", cell(why)),
    };
    let tip = format!("{}, commit {}", cell(&scope.reference), cell(&trail.tip()));
    let chain = format!("{} events; the hash that chains them is {}", trail.events().len(), cell(&trail.head().to_string()));
    writeln!(out, "| | |\n|---|---|")?;
    for (name, text) in [
        ("Period", period),
        ("Revision", tip),
        ("Commits", lines.to_owned()),
        ("History", complete),
        ("Trail", chain),
        ("Shown", words::number(report)),
        ("Made by", format!("lawbook {}", env!("CARGO_PKG_VERSION"))),
    ] {
        writeln!(out, "| {name} | {text} |")?;
    }
    let mut only: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in &scope.only {
        only.entry(name).or_default().push(cell(value));
    }
    for (name, values) in only {
        writeln!(out, "| Only {name} | {} |", values.join(" or "))?;
    }
    writeln!(
        out,
        "\nWhat changed and in which order follows from the commits and can be derived again. Who made a commit, and when, is what the \
         commit says, and proven where its signature is good. Tickets, approvals and co-authors are *claimed* by whoever wrote the \
         message."
    )
}

/// A time with the one right behind it, at which another day may begin.
fn last(until: Timestamp) -> (Timestamp, Timestamp) {
    (until, until.checked_add(SignedDuration::from_nanos(1)).unwrap_or(until))
}

/// An end of a period, which belongs to it: as a day, where the day begins or ends there.
fn edge(time: Timestamp, begins: Timestamp) -> String {
    let is_midnight = begins.as_second().rem_euclid(24 * 60 * 60) == 0 && begins.subsec_nanosecond() == 0;
    if is_midnight { time.strftime("%Y-%m-%d (UTC)").to_string() } else { time.to_string() }
}

fn numbers(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    if report.events.is_empty() {
        return writeln!(out, "\nNothing changed.");
    }
    let by = |name: &dyn Fn(&Event) -> String| {
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        report.events.iter().for_each(|event| *numbers.entry(name(event)).or_default() += 1);
        numbers
    };
    let actions = by(&|event| event.action.to_string());
    let order = Action::ALL.iter().filter_map(|action| Some(format!("{} {action}", actions.get(action.as_str())?)));
    writeln!(out, "\n## Summary\n\n- {}", order.collect::<Vec<_>>().join(", "))?;
    for (author, number) in by(&|event| code(&report.people.known(&event.landing.author).to_string())) {
        writeln!(out, "- {author}: {}", count(number, "event"))?;
    }
    let signed = by(&|event| event.landing.signature.status.as_str().to_owned());
    let signed: Vec<String> = signed.into_iter().map(|(status, number)| format!("{number} {status}")).collect();
    writeln!(out, "- signatures, by event: {}", signed.join(", "))?;
    for warning in words::warnings(report) {
        writeln!(out, "- **{warning}**")?;
    }
    Ok(())
}

fn landing(landing: &Landing, report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let people = report.people;
    let subject = if landing.subject.is_empty() { "(no message)" } else { &landing.subject };
    writeln!(out, "\n## {}: {}\n", landing.committed.at.strftime("%Y-%m-%d %H:%M UTC"), code(subject))?;
    let person = |person: &Person| {
        let known = people.known(person);
        if *known == *person {
            code(&known.to_string())
        } else {
            format!("{}, written as {}", code(&known.to_string()), code(&person.to_string()))
        }
    };
    let mut lines = vec![
        format!("commit {}", code(&landing.commit)),
        format!("author {}, at {}", person(&landing.author), landing.authored),
        format!("committer {}, at {}", person(&landing.committer), landing.committed),
        format!("signature: {}", signature(landing)),
    ];
    let claimed = |what: &str, values: Vec<String>| (!values.is_empty()).then(|| format!("{what}, *claimed*: {}", values.join(", ")));
    let values = |claims: Vec<(&str, &str)>| claims.into_iter().map(|(key, value)| code(&format!("{key}: {value}"))).collect();
    lines.extend(claimed("tickets", values(tickets(landing))));
    lines.extend(claimed("approvals", values(approvals(landing))));
    lines.extend(claimed("co-authors", landing.co_authors().iter().map(|one| code(&one.to_string())).collect()));
    if !landing.landed {
        lines.push("merged later: it did not land by itself".to_owned());
    }
    lines.iter().try_for_each(|line| writeln!(out, "- {line}"))
}

fn signature(landing: &Landing) -> String {
    let signature = &landing.signature;
    let status = match signature.status {
        SignatureStatus::Good => "good".to_owned(),
        SignatureStatus::None => "none: who made it is *claimed*".to_owned(),
        other => format!("**{}**", other.as_str()),
    };
    let details = [("of", &signature.principal), ("key", &signature.key), ("because", &signature.why)];
    let details = details.into_iter().filter_map(|(name, value)| Some(format!(", {name} {}", code(value.as_ref()?))));
    status + &details.collect::<String>()
}

fn change(event: &Event, report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let title = format!("{} {} {}", event.action, kind_word(event.kind), code(event.policy.as_str()));
    writeln!(out, "\n### {}. {title}\n", event.seq)?;
    let place = match (&event.from, &event.before, &event.after) {
        (Some(from), ..) => format!("from {} to {}", code(from), code(&event.path)),
        _ => format!("in {}", code(&event.path)),
    };
    let mut facts = vec![place];
    facts.extend(event.renamed.iter().map(|old| format!("before: {}", code(old.as_str()))));
    facts.extend(event.restores.iter().map(|commit| format!("as in commit {}", code(commit))));
    facts.extend(merge(event, report));
    writeln!(out, "{}", facts.join("; "))?;
    let changes = event.changes();
    if !changes.is_empty() {
        writeln!(out, "\n| field | before | after |\n|---|---|---|")?;
        for change in &changes {
            writeln!(out, "| {} | {} | {} |", cell(&change.path.join(".")), before(change), after(change))?;
        }
    }
    let effect = report.effects.map(|effects| said(effects, event, MARKS)).unwrap_or_default();
    if !effect.is_empty() {
        writeln!(out)?;
    }
    effect.iter().try_for_each(|line| writeln!(out, "- {}", line.text))
}

fn merge(event: &Event, report: &AuditReport<'_>) -> Option<String> {
    let merge = event.merge.as_ref()?;
    let how = match merge.kind {
        MergeKind::Taken => "merged as it was on one side",
        MergeKind::Combined => "merged, both sides combined by git",
        MergeKind::Resolved => "**merged, a conflict resolved by hand**",
        MergeKind::Evil => "**an evil merge: it holds what neither side holds and git does not make of them**",
        MergeKind::Unknown => "**merged, by git, by hand, or an evil merge: too much is missing to tell**",
    };
    let people: Vec<String> = merge.contributors.iter().map(|person| code(&report.people.known(person).to_string())).collect();
    Some(if people.is_empty() { how.to_owned() } else { format!("{how}; contributors: {}", people.join(", ")) })
}

fn before(change: &FieldChange) -> String {
    match (&change.lhs, &change.rhs) {
        (Some(Value::Array(old)), Some(Value::Array(new))) => list(old, new, "removed"),
        (Some(value), _) => shown(value),
        (None, _) => String::new(),
    }
}

fn after(change: &FieldChange) -> String {
    match (&change.lhs, &change.rhs) {
        (Some(Value::Array(old)), Some(Value::Array(new))) => list(new, old, "added"),
        (_, Some(value)) => shown(value),
        (_, None) => String::new(),
    }
}

/// One side of a list; of a long one only what the other side does not have.
fn list(own: &[Value], other: &[Value], word: &str) -> String {
    if own.len().max(other.len()) <= SHOWN_OF_A_LIST {
        return entries(own.iter());
    }
    let number = match own.len() {
        1 => "1 entry".to_owned(),
        number => format!("{number} entries"),
    };
    let only: Vec<&Value> = own.iter().filter(|value| !other.contains(value)).collect();
    match only.len() {
        0 => number,
        _ => format!("{number}; {word}: {}", entries(only.into_iter())),
    }
}

fn entries<'a>(values: impl Iterator<Item = &'a Value>) -> String {
    values.map(plain).collect::<Vec<_>>().join(", ")
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(values) => entries(values.iter()),
        other => plain(other),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => cell(text),
        other => cell(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_ends_of_a_period_are_days_where_they_can_be() {
        let time = |text: &str| text.parse::<Timestamp>().expect("a time");
        let since = |text: &str| edge(time(text), time(text));
        let until = |text: &str| {
            let (until, next) = last(time(text));
            edge(until, next)
        };
        assert_eq!(since("2026-03-01T00:00:00Z"), "2026-03-01 (UTC)");
        assert_eq!(since("2026-03-01T10:00:00Z"), "2026-03-01T10:00:00Z");
        assert_eq!(until("2026-03-31T23:59:59.999999999Z"), "2026-03-31 (UTC)");
        assert_eq!(until("2026-03-31T00:00:00Z"), "2026-03-31T00:00:00Z");
    }

    #[test]
    fn of_a_long_list_the_difference_is_shown() {
        let list = |from: usize, to: usize| Some(json!((from..to).map(|at| format!("m{at}")).collect::<Vec<_>>()));
        let change = |lhs, rhs| FieldChange { kind: crate::history::ChangeKind::Edited, path: vec!["members".to_owned()], lhs, rhs };
        let check = |lhs, rhs, expected: [&str; 2]| {
            let change = change(lhs, rhs);
            assert_eq!([before(&change), after(&change)], expected);
        };
        check(list(0, 2), list(1, 3), ["`m0`, `m1`", "`m1`, `m2`"]);
        check(list(0, 20), list(1, 22), ["20 entries; removed: `m0`", "21 entries; added: `m20`, `m21`"]);
        check(
            list(0, 20),
            list(0, 1),
            [&format!("20 entries; removed: {}", (1..20).map(|at| format!("`m{at}`")).collect::<Vec<_>>().join(", ")), "1 entry"],
        );
        check(None, Some(json!("a|b")), ["", "<code>a&#124;b</code>"]);
    }
}
