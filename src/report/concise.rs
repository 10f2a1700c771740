//! One line for each finding: `path:line:col: error[rule] message`, as grep and editors read it.

use std::io;
use std::io::Write;

use super::Report;
use super::printable::one_line;

/// Writes the findings, and nothing when there are none.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    for finding in report.findings {
        let span = finding.primary.span;
        let path = one_line(report.sources.path(span.source));
        let place = report.sources.line_column(span);
        let message = one_line(&finding.message);
        writeln!(out, "{path}:{}:{}: {}[{}] {message}", place.line, place.column, finding.severity, finding.rule)?;
    }
    Ok(())
}
