//! The trail for a terminal: one line for each event, newest first, and what must not be overlooked below.

use std::borrow::Cow;
use std::io;
use std::io::Write;

use jiff::tz::Offset;

use super::AuditReport;
use super::effect::said;
use super::effect::said_beside;
use super::words;
use crate::history::Action;
use crate::history::Beside;
use crate::history::CommitTime;
use crate::history::Event;
use crate::history::MergeKind;
use crate::history::SignatureStatus;
use crate::report::Look;
use crate::report::colour::BOLD;
use crate::report::colour::DIM;
use crate::report::colour::GREEN;
use crate::report::colour::PLAIN;
use crate::report::colour::RED;
use crate::report::colour::YELLOW;
use crate::report::colour::painted;
use crate::report::printable::one_line;

/// How many columns there are before what happened.
const COLUMNS: usize = 6;

const TITLES: [&str; COLUMNS] = ["date (UTC)", "commit", "action", "policy", "author", "signature"];

/// How wide a date is.
const DATE_WIDTH: usize = "2026-11-22 10:00".len();

/// The widest a column gets; what is longer moves the rest of its line. Nothing is cut: half an id is no evidence.
const MOST_WIDTH: usize = 40;

struct Row<'a> {
    cells: [Cow<'a, str>; COLUMNS],
    colours: [&'static str; COLUMNS],
    what: Vec<(String, &'static str)>,
    effect: Vec<(String, &'static str)>,
}

/// Writes the events in columns, then how many there are.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let look = report.look;
    let most = (look.width / 4).clamp(20, MOST_WIDTH);
    let mut widths = TITLES.map(display_width);
    widths[0] = DATE_WIDTH;
    // A long trail is gone through twice, and never held as a whole.
    for event in &report.events {
        for (width, cell) in widths.iter_mut().skip(1).zip(cells(event, report)) {
            *width = (*width).max(display_width(&cell).min(most));
        }
    }
    if !report.events.is_empty() {
        let titles: Vec<String> = TITLES.iter().zip(widths).map(|(title, width)| padded(title, width)).collect();
        writeln!(out, "{}", painted(&format!("{}  what", titles.join("  ")), BOLD, look))?;
    }
    let mut text = String::new();
    for event in report.events.iter().rev() {
        text.clear();
        line(&row(event, report), widths, look, &mut text);
        out.write_all(text.as_bytes())?;
    }
    writeln!(out, "{}", words::number(report))?;
    beside(report, out)?;
    for warning in words::warnings(report) {
        writeln!(out, "{}", painted(&warning, YELLOW, look))?;
    }
    Ok(())
}

/// What landed beside the policies: as lines of their own, because no policy names them.
fn beside(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let look = report.look;
    if !report.beside.is_empty() {
        writeln!(out, "{}:", words::beside(report.beside.len()))?;
    }
    for Beside { landing, files } in report.beside.iter().rev() {
        let (status, colour) = status(landing.signature.status);
        let author = report.people.known(&landing.author);
        let date = minute(landing.committed);
        let (commit, author, status) = (words::short(&landing.commit), one_line(words::address(&author)), painted(status, colour, look));
        writeln!(out, "{date}  {}  {}  {author}  {status}", painted(commit, DIM, look), one_line(&files.join(", ")))?;
        let lines = report.effects.map(|effects| said_beside(effects, &landing.commit, super::effect::QUOTED)).unwrap_or_default();
        for line in lines {
            let text = format!("{} {}", line.sign, line.text);
            writeln!(out, "    {}", painted(&one_line(&text), sign_colour(line.sign), look))?;
        }
    }
    Ok(())
}

/// Adds an event, and below it what it gave and took.
fn line(row: &Row<'_>, widths: [usize; COLUMNS], look: Look, text: &mut String) {
    let last = if row.what.is_empty() { COLUMNS - 1 } else { COLUMNS };
    for (at, ((cell, colour), width)) in row.cells.iter().zip(row.colours).zip(widths).enumerate() {
        text.push_str(&painted(cell, colour, look));
        if at < last {
            spaces(width.saturating_sub(display_width(cell)) + 2, text);
        }
    }
    for (at, (what, colour)) in row.what.iter().enumerate() {
        text.push_str(if at > 0 { "; " } else { "" });
        text.push_str(&painted(what, colour, look));
    }
    for (effect, colour) in &row.effect {
        text.push_str("\n    ");
        text.push_str(&painted(effect, colour, look));
    }
    text.push('\n');
}

/// Adds spaces, many at once.
fn spaces(mut count: usize, text: &mut String) {
    const MANY: &str = "                                ";
    while count > 0 {
        let part = MANY.get(..count).unwrap_or(MANY);
        text.push_str(part);
        count -= part.len();
    }
}

/// How many columns a text takes.
fn display_width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { textwrap::core::display_width(text) }
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(display_width(text))))
}

/// What stands in the columns after the date.
fn cells<'a>(event: &'a Event, report: &AuditReport<'_>) -> [Cow<'a, str>; COLUMNS - 1] {
    let landing = &event.landing;
    let mut author = match report.people.known(&landing.author) {
        Cow::Borrowed(author) => one_line(words::address(author)),
        Cow::Owned(author) => one_line(words::address(&author)).into_owned().into(),
    };
    let others = landing.co_authors().len();
    if others > 0 {
        author.to_mut().push_str(&format!(" +{others}"));
    }
    let commit = words::short(&landing.commit).into();
    [commit, event.action.as_str().into(), one_line(event.policy.as_str()), author, status(landing.signature.status).0.into()]
}

/// A minute in UTC.
fn minute(time: CommitTime) -> String {
    let at = Offset::UTC.to_datetime(time.at);
    format!("{:04}-{:02}-{:02} {:02}:{:02}", at.year(), at.month(), at.day(), at.hour(), at.minute())
}

fn row<'a>(event: &'a Event, report: &AuditReport<'_>) -> Row<'a> {
    let landing = &event.landing;
    let [commit, action, policy, author, signature] = cells(event, report);
    let cells = [minute(landing.committed).into(), commit, action, policy, author, signature];
    let (_, status_colour) = status(landing.signature.status);
    let text = |text: String| one_line(&text).into_owned();
    let mut what = vec![(text(words::what(event)), PLAIN)];
    if let (Some(merge), Some(said)) = (&event.merge, words::merge(event, report)) {
        what.push((text(said), merge_colour(merge.kind)));
    }
    what.extend(words::signature(landing, report.people).map(|said| (text(said), status_colour)));
    what.retain(|(text, _)| !text.is_empty());
    let effect = report.effects.map(|effects| said(effects, event, super::effect::QUOTED)).unwrap_or_default();
    let effect = effect.into_iter().map(|line| (text(format!("{} {}", line.sign, line.text)), sign_colour(line.sign))).collect();
    Row { cells, colours: [PLAIN, DIM, action_colour(event.action), PLAIN, PLAIN, status_colour], what, effect }
}

fn status(status: SignatureStatus) -> (&'static str, &'static str) {
    match status {
        SignatureStatus::Good => ("good", GREEN),
        SignatureStatus::Bad => ("BAD", RED),
        SignatureStatus::Untrusted => ("untrusted", YELLOW),
        SignatureStatus::Unverified => ("unverified", YELLOW),
        SignatureStatus::None => ("none", DIM),
    }
}

fn merge_colour(kind: MergeKind) -> &'static str {
    match kind {
        MergeKind::Taken | MergeKind::Combined => PLAIN,
        MergeKind::Resolved | MergeKind::Unknown => YELLOW,
        MergeKind::Evil => RED,
    }
}

fn action_colour(action: Action) -> &'static str {
    match action {
        Action::Break => RED,
        Action::Delete | Action::Disable => YELLOW,
        Action::Move | Action::Reformat => DIM,
        _ => PLAIN,
    }
}

fn sign_colour(sign: char) -> &'static str {
    match sign {
        '+' => GREEN,
        '-' => RED,
        '?' => YELLOW,
        _ => DIM,
    }
}
