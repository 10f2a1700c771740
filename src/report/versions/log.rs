//! What happened to a policy, for a terminal: newest first, each event with what it changed, field by field.

use std::io;
use std::io::Write;

use serde_json::Value;

use super::LogReport;
use super::Versions;
use super::author;
use super::minute;
use super::painted;
use super::short;
use super::shown;
use super::signature;
use crate::history::Action;
use crate::history::Event;
use crate::history::FieldChange;
use crate::history::Landing;
use crate::history::MergeKind;
use crate::history::People;
use crate::report::Look;
use crate::report::audit::claims::approvals;
use crate::report::audit::claims::tickets;
use crate::report::count;
use crate::report::printable::one_line;
use crate::report::printable::printable;

const BOLD: &str = "1";
const GREEN: &str = "32";
const RED: &str = "31";

/// Above this many characters, the value before and after are shown below each other.
const ONE_LINE: usize = 60;

/// Writes the events, then how many there are.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &LogReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let events = &report.of.lifeline.events;
    for (at, event) in events.iter().enumerate().rev() {
        one(report, event, out)?;
        if let Some(patch) = report.patches.and_then(|patches| patches.get(at)).filter(|patch| !patch.is_empty()) {
            writeln!(out)?;
            for line in printable(patch).lines() {
                writeln!(out, "    {}", coloured(line, report.of.look))?;
            }
        }
        writeln!(out)?;
    }
    writeln!(out, "{}", count(events.len(), "event"))
}

fn one(report: &LogReport<'_>, event: &Event, out: &mut dyn Write) -> io::Result<()> {
    let look = report.of.look;
    let landing = &event.landing;
    let head = format!("{}  {}  {}", short(&landing.commit), minute(landing), event.action);
    writeln!(out, "{}", painted(&head, BOLD, look))?;
    writeln!(out, "    {}, {}", author(event, report.of.people), signature(landing))?;
    writeln!(out, "    {}", one_line(&landing.subject))?;
    for note in behind(landing, report.of.people).into_iter().chain(notes(event, &report.of)) {
        writeln!(out, "    {}", one_line(&note))?;
    }
    let rows = fields(event);
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default().min(40);
    if !rows.is_empty() {
        writeln!(out)?;
    }
    for (name, text) in rows {
        writeln!(out, "    {name:width$}  {}", coloured(&text, look))?;
    }
    Ok(())
}

/// Who else had a part in the commit, and how well that is proven. What the message says is a claim, and is told as one.
fn behind(landing: &Landing, people: &People) -> Vec<String> {
    let known = people.known(&landing.committer);
    let other = (known != people.known(&landing.author)).then(|| format!("committed by {known}"));
    let why = landing.signature.why.as_ref().map(|why| format!("signature: {why}"));
    let trailers = tickets(landing).into_iter().chain(approvals(landing)).map(|(key, value)| format!("{key}: {value}"));
    let with = landing.co_authors().into_iter().map(|person| format!("Co-authored-by: {}", people.known(&person)));
    let claims: Vec<String> = trailers.chain(with).collect();
    let claimed = (!claims.is_empty()).then(|| format!("claims {}", claims.join("; ")));
    [other, why, claimed].into_iter().flatten().collect()
}

/// What there is to say of an event as a whole.
fn notes(event: &Event, of: &Versions<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let happened = match event.action {
        Action::Create => Some("created in"),
        Action::Delete => Some("deleted from"),
        Action::Break => Some("cannot be read in"),
        Action::Restore if event.before.is_none() => Some("came back in"),
        _ => None,
    };
    let called = if event.policy == of.lifeline.id { String::new() } else { format!(", as {}", event.policy) };
    notes.extend(happened.map(|happened| format!("{happened} {}{called}", event.path)));
    notes.extend(event.restores.as_ref().map(|commit| format!("restored as of {}", short(commit))));
    notes.extend(event.renamed.as_ref().map(|old| format!("was called {old}")));
    notes.extend(event.from.as_ref().map(|from| format!("moved from {from} to {}", event.path)));
    if let Some(merge) = &event.merge {
        let kind = match merge.kind {
            MergeKind::Taken => "merged as written",
            MergeKind::Combined => "merged from both sides",
            MergeKind::Resolved => "merged by hand",
            MergeKind::Evil => "merged as something that neither side holds",
            MergeKind::Unknown => "merged as something that neither side may hold: too much is missing to tell",
        };
        let by: Vec<String> = merge.contributors.iter().map(|person| of.people.known(person).to_string()).collect();
        notes.push(if by.is_empty() { kind.to_owned() } else { format!("{kind}; by {}", by.join(", ")) });
    }
    notes
}

/// What changed, a row for each value. A policy that is new or gone is told by its file, and read with `lawbook show`.
fn fields(event: &Event) -> Vec<(String, String)> {
    if event.before.is_none() || event.after.is_none() {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for change in event.changes().iter().filter(|change| !is_id(event, change)) {
        let mut name = one_line(&change.path.join(".")).into_owned();
        for text in values(change) {
            rows.push((std::mem::take(&mut name), text));
        }
    }
    rows
}

/// Whether a change says nothing beside that the policy was renamed.
fn is_id(event: &Event, change: &FieldChange) -> bool {
    event.renamed.is_some() && matches!(change.path.as_slice(), [only] if only == event.kind.id_field())
}

fn values(change: &FieldChange) -> Vec<String> {
    let (minus, plus) = (|value: &Value| format!("- {}", shown(value)), |value: &Value| format!("+ {}", shown(value)));
    match (&change.lhs, &change.rhs) {
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            let gone = old.iter().filter(|item| !new.contains(item)).map(minus);
            let rows: Vec<String> = gone.chain(new.iter().filter(|item| !old.contains(item)).map(plus)).collect();
            if rows.is_empty() { vec!["the same in another order or number".to_owned()] } else { rows }
        }
        (None, Some(Value::Array(new))) if !new.is_empty() => new.iter().map(plus).collect(),
        (Some(Value::Array(old)), None) if !old.is_empty() => old.iter().map(minus).collect(),
        (Some(old), Some(new)) => {
            let (old, new) = (shown(old), shown(new));
            if old.chars().count() + new.chars().count() > ONE_LINE {
                vec![format!("- {old}"), format!("+ {new}")]
            } else {
                vec![format!("{old} → {new}")]
            }
        }
        (old, new) => old.iter().map(minus).chain(new.iter().map(plus)).collect(),
    }
}

fn coloured(line: &str, look: Look) -> String {
    match line.chars().next() {
        Some('+') => painted(line, GREEN, look),
        Some('-') => painted(line, RED, look),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::history::ChangeKind;
    use crate::history::CommitTime;
    use crate::history::Person;
    use crate::history::Signature;
    use crate::history::SignatureStatus;

    #[track_caller]
    fn check(lhs: Option<Value>, rhs: Option<Value>, expected: &[&str]) {
        assert_eq!(values(&FieldChange { kind: ChangeKind::Edited, path: Vec::new(), lhs, rhs }), expected);
    }

    #[test]
    fn lists_are_told_by_what_came_and_went() {
        check(Some(json!(["a", "b"])), Some(json!(["b", "c"])), &["- a", "+ c"]);
        check(Some(json!(["a", "b"])), Some(json!(["b", "a"])), &["the same in another order or number"]);
        check(None, Some(json!(["a", "b"])), &["+ a", "+ b"]);
        check(Some(json!([])), None, &["- []"]);
        check(Some(json!(false)), Some(json!(true)), &["false → true"]);
        check(None, Some(json!("x")), &["+ x"]);
        let long = "x".repeat(70);
        check(Some(json!(long)), Some(json!("y")), &[&format!("- {long}"), "+ y"]);
    }

    #[test]
    fn a_commit_tells_who_else_had_a_part_in_it_and_what_it_claims() {
        let person = |name: &str| Arc::new(Person { name: name.to_owned(), email: format!("{name}@example.com") });
        let at = CommitTime::new(0, 0);
        let plain = Landing {
            commit: "c".to_owned(),
            parents: Vec::new(),
            author: person("ann"),
            authored: at,
            committer: person("ann"),
            committed: at,
            subject: String::new(),
            trailers: Vec::new(),
            landed: true,
            signature: Signature::none(),
        };
        let check = |landing: &Landing, expected: &[&str]| assert_eq!(behind(landing, &People::as_written()), expected);
        check(&plain, &[]);
        check(&Landing { committer: person("eve"), ..plain.clone() }, &["committed by eve <eve@example.com>"]);
        let why = Some("its key is not there".to_owned());
        let untrusted = Signature { status: SignatureStatus::Untrusted, why, ..Signature::none() };
        check(&Landing { signature: untrusted, ..plain.clone() }, &["signature: its key is not there"]);
        let said = [("Co-authored-by", "Bob <bob@example.com>"), ("reviewed-by", "Eve"), ("Ticket", "LAW-1"), ("Weather", "fine")];
        let trailers = said.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        check(&Landing { trailers, ..plain }, &["claims Ticket: LAW-1; reviewed-by: Eve; Co-authored-by: Bob <bob@example.com>"]);
    }
}
