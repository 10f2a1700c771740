//! What a bundle says about itself, for the person who signs or verifies it.

use crate::bundle::EntryMeta;
use crate::bundle::Statement;
use crate::report::count;
use crate::report::printable::one_line;

/// The statement as lines of a name and a value.
pub(super) fn lines(statement: &Statement) -> Vec<String> {
    let said = &statement.predicate;
    let line = |name: &str, value: &str| format!("{name:9} {}", one_line(value));
    let mut lines = vec![
        line("name", &said.name),
        line("audience", &said.audience),
        line("revision", &said.revision.to_string()),
        line("issued", &said.issued.to_string()),
        line("expires", &said.expires.to_string()),
    ];
    lines.extend(said.previous.map(|digest| line("previous", &digest.to_string())));
    lines.extend(said.source.commit.as_deref().map(|commit| line("commit", commit)));
    if said.source.dirty {
        lines.push(line("", "built from files that are not committed"));
    }
    let checks = said.checks;
    lines.push(line("checks", &format!("{}, {}", counted(checks.errors, "error"), counted(checks.warnings, "warning"))));
    lines.push(line("tool", &format!("{} {}, semantics {}", said.tool.name, said.tool.version, said.semantics)));
    lines.push(line("archive", &format!("{}, {} bytes", statement.archive_digest(), said.size)));
    lines.push(line("content", &statement.content_digest().to_string()));
    lines
}

fn counted(number: u64, noun: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), noun)
}

/// The entries as lines.
pub(super) fn entry_lines(entries: &[EntryMeta]) -> Vec<String> {
    let width = entries.iter().map(|entry| entry.name.chars().count()).max().unwrap_or_default();
    entries.iter().map(|entry| format!("  {:width$} {:>10}  {}", one_line(&entry.name), entry.size, entry.sha256)).collect()
}
