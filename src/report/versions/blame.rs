//! What last changed each part of a policy, for a terminal: one line for each, in columns, as `git blame` does it.

use std::io;
use std::io::Write;

use super::BlameReport;
use super::short;
use super::shown;
use crate::history::Blamed;
use crate::report::printable::one_line;

/// The widest a column gets; what is longer moves the rest of its line.
const MOST_WIDTH: usize = 40;

/// Writes a line for each part: commit, author, signature, day, field and value.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &BlameReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<[String; 6]> = report.parts.iter().map(|part| row(report, part)).collect();
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
    Ok(())
}

fn row(report: &BlameReport<'_>, part: &Blamed<'_>) -> [String; 6] {
    let field = one_line(&part.path.join(".")).into_owned();
    let value = format!("{}{}", if part.element { "- " } else { "" }, shown(&part.value));
    let Some(event) = part.event else {
        let unknown = "earlier".to_owned();
        return [unknown, String::new(), String::new(), String::new(), field, value];
    };
    let landing = &event.landing;
    let author = report.of.people.known(&landing.author);
    let author = one_line(if author.name.is_empty() { &author.email } else { &author.name }).into_owned();
    let signature = match &landing.signature.principal {
        Some(principal) => format!("{} {}", landing.signature.status.as_str(), one_line(principal)),
        None => landing.signature.status.as_str().to_owned(),
    };
    let day = landing.committed.at.strftime("%Y-%m-%d").to_string();
    [short(&landing.commit).to_owned(), author, signature, day, field, value]
}
