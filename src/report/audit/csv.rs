//! The trail for a spreadsheet (RFC 4180): a header, and one row for each event, oldest first. Every text is on one line.
//!
//! A spreadsheet takes a cell that begins with `=` or the like for a formula, and much of what stands here was written by people
//! whom the trail is about. So such a cell gets an apostrophe in front. The same goes for what would be a cell of its own where
//! a semicolon separates cells, as it does in many countries.

use std::io;
use std::io::Write;

use ::csv::Terminator;
use ::csv::WriterBuilder;
use jiff::Timestamp;
use serde_json::Value;

use super::AuditReport;
use super::claims::approvals;
use super::claims::tickets;
use super::effect::QUOTED;
use super::effect::said;
use super::words;
use crate::history::Event;
use crate::history::FieldChange;
use crate::history::Person;
use crate::history::kind_word;
use crate::report::printable::one_line;

/// How many characters a cell may have; a spreadsheet holds 32 767.
const MOST: usize = 32_000;

const HEADER: [&str; 30] = [
    "seq",
    "committed_utc",
    "authored_utc",
    "commit",
    "action",
    "policy",
    "kind",
    "path",
    "what",
    "fields",
    "before",
    "after",
    "effect",
    "author_name",
    "author_email",
    "author_as_written",
    "committer_name",
    "committer_email",
    "co_authors_claimed",
    "signature",
    "principal",
    "key",
    "signature_remark",
    "merge",
    "contributors",
    "subject",
    "tickets_claimed",
    "approvals_claimed",
    "landed",
    "prev",
];

/// Writes the header and the rows.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &AuditReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
    rows.write_record(HEADER)?;
    for event in &report.events {
        rows.write_record(row(event, report).map(|text| cell(&text)))?;
    }
    rows.flush()
}

fn row(event: &Event, report: &AuditReport<'_>) -> [String; HEADER.len()] {
    let (landing, people) = (&*event.landing, report.people);
    let (author, committer) = (people.known(&landing.author), people.known(&landing.committer));
    let changes = event.changes();
    let joined = |texts: Vec<String>| texts.join("; ");
    let claimed = |claims: Vec<(&str, &str)>| joined(claims.into_iter().map(|(key, value)| format!("{key}: {value}")).collect());
    let signature = &landing.signature;
    let effect = report.effects.map(|effects| said(effects, event, QUOTED)).unwrap_or_default();
    let contributors = event.merge.iter().flat_map(|merge| &merge.contributors).map(|person| people.known(person).to_string()).collect();
    [
        event.seq.to_string(),
        utc(landing.committed.at),
        utc(landing.authored.at),
        landing.commit.clone(),
        event.action.to_string(),
        event.policy.to_string(),
        kind_word(event.kind).to_owned(),
        event.path.to_string(),
        words::what(event),
        event.fields.join(", "),
        joined(changes.iter().filter_map(|change| side(change, change.lhs.as_ref())).collect()),
        joined(changes.iter().filter_map(|change| side(change, change.rhs.as_ref())).collect()),
        joined(effect.into_iter().map(|line| line.text).collect()),
        author.name.clone(),
        author.email.clone(),
        if *author == *landing.author { String::new() } else { landing.author.to_string() },
        committer.name.clone(),
        committer.email.clone(),
        joined(landing.co_authors().iter().map(Person::to_string).collect()),
        signature.status.as_str().to_owned(),
        signature.principal.clone().unwrap_or_default(),
        signature.key.clone().unwrap_or_default(),
        signature.why.clone().unwrap_or_default(),
        event.merge.as_ref().map(|merge| merge.kind.as_str().to_owned()).unwrap_or_default(),
        joined(contributors),
        landing.subject.clone(),
        claimed(tickets(landing)),
        claimed(approvals(landing)),
        if landing.landed { "yes" } else { "no" }.to_owned(),
        event.prev.to_string(),
    ]
}

/// A time that a spreadsheet reads as one.
fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A field with its value on one side.
fn side(change: &FieldChange, value: Option<&Value>) -> Option<String> {
    let value = match value? {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Some(format!("{}: {value}", change.path.join(".")))
}

/// A text as a cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let line = one_line(text);
    let mut cell = String::with_capacity(line.len());
    // Whether only what a spreadsheet skips stands since the beginning, or since the last separator.
    let (mut at_start, mut start) = (true, 0);
    for char in line.chars() {
        if at_start && begins_formula(char) {
            cell.insert(start, '\'');
        }
        cell.push(char);
        if char == ';' {
            (at_start, start) = (true, cell.len());
        } else {
            at_start &= is_skipped(char);
        }
    }
    match cell.char_indices().nth(MOST) {
        Some((end, _)) => {
            let more = cell.get(end..).map_or(0, |rest| rest.chars().count());
            format!("{}… ({more} more characters)", cell.get(..end).unwrap_or(""))
        }
        None => cell,
    }
}

/// The characters that make a formula, also in the wide form of East Asian keyboards.
/// <https://owasp.org/www-community/attacks/CSV_Injection>
fn begins_formula(char: char) -> bool {
    matches!(char, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
}

/// What may stand before them and is not seen: white space, marks without a width, and quotes.
fn is_skipped(char: char) -> bool {
    char.is_whitespace() || char.is_control() || matches!(char, '"' | '\'' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_no_formula_wherever_it_begins() {
        for (text, expected) in [
            ("plain - text = 1", "plain - text = 1"),
            ("a@b", "a@b"),
            ("", ""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "' =1"),
            ("\r\n=1", "' =1"),
            ("  =1", "'  =1"),
            ("\u{a0}\u{200b}=1", "'\u{a0}\u{200b}=1"),
            ("\u{feff}=1", "'\u{fffd}=1"),
            ("\"=1", "'\"=1"),
            ("'=1", "''=1"),
            ("＝1", "'＝1"),
            ("a;=1", "a;'=1"),
            ("a; -1; b", "a;' -1; b"),
            ("=1;=2", "'=1;'=2"),
            ("a\n=1", "a =1"),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
        let long = cell(&"x".repeat(40_000));
        assert!(long.chars().count() < 32_767 && long.ends_with("… (8000 more characters)"), "{}", long.len());
    }

    /// What a spreadsheet looks at first in a cell.
    fn first_seen(cell: &str) -> Option<char> {
        cell.chars().find(|char| !is_skipped(*char))
    }

    proptest::proptest! {
        /// Whatever separates cells where the file is opened.
        #[test]
        fn no_text_makes_a_formula(one in "[;,\"'=+@ \t\r\na\u{a0}\u{200b}-]{0,12}", two in "[;,\"'=+@ \t\r\na\u{a0}\u{200b}-]{0,12}") {
            let mut rows = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
            rows.write_record(["1", &cell(&one), &cell(&two)]).unwrap();
            let text = rows.into_inner().unwrap();
            for delimiter in [b',', b';', b'\t'] {
                let mut reader = ::csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(text.as_slice());
                for cell in reader.records().flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()) {
                    let marked = cell.trim_start_matches(|char| is_skipped(char) && char != '\'').starts_with('\'');
                    proptest::prop_assert!(marked || !first_seen(&cell).is_some_and(begins_formula), "{cell:?} of {:?}", String::from_utf8_lossy(&text));
                }
            }
        }
    }
}
