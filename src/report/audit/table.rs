//! The trail for a terminal: one line for each event, newest first.

use std::io;
use std::io::Write;

use super::AuditReport;
use crate::history::Action;
use crate::history::Event;
use crate::report::count;
use crate::report::printable::one_line;

/// How many characters of a commit id are shown.
const SHOWN_OF_AN_ID: usize = 10;

/// The widest a column gets; what is longer moves the rest of its line.
const MOST_WIDTH: usize = 40;

/// Writes the events in columns, then how many there are.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<[String; 6]> = report.events.iter().rev().map(|event| row(event)).collect();
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count().min(MOST_WIDTH));
        }
    }
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    writeln!(out, "{}", count(rows.len(), "event"))
}

fn row(event: &Event) -> [String; 6] {
    let landing = &event.landing;
    [
        landing.committed.at.strftime("%Y-%m-%d %H:%M").to_string(),
        landing.commit.chars().take(SHOWN_OF_AN_ID).collect(),
        event.action.as_str().to_owned(),
        one_line(event.policy.as_str()).into_owned(),
        one_line(&landing.author.email).into_owned(),
        one_line(&what(event)).into_owned(),
    ]
}

/// What there is to say beside the action: where a policy appeared or went, and which fields changed.
fn what(event: &Event) -> String {
    match (event.action, &event.from) {
        (Action::Create, _) => event.path.to_string(),
        (Action::Move, Some(from)) => format!("{from} → {}", event.path),
        (Action::Rename, _) => event.renamed.as_ref().map(|old| format!("was {old}")).unwrap_or_default(),
        (Action::Restore, _) => {
            let commit: String = event.restores.iter().flat_map(|commit| commit.chars()).take(SHOWN_OF_AN_ID).collect();
            format!("as in {commit}")
        }
        (Action::Update | Action::Repair, _) => event.fields.join(", "),
        _ => String::new(),
    }
}
