//! A difference for a terminal: the verdict, then what is gained, what is lost, and what happened to each policy.

use std::collections::BTreeSet;
use std::io;
use std::io::Write;

use super::DiffReport;
use super::access::Access;
use super::phrase;
use super::phrase::Direction;
use super::phrase::Marks;
use super::policies::Happened;
use super::policies::PolicyChange;
use crate::policy::PolicyId;
use crate::report::Look;
use crate::report::colour::BOLD;
use crate::report::colour::CYAN;
use crate::report::colour::GREEN;
use crate::report::colour::RED;
use crate::report::colour::YELLOW;
use crate::report::colour::painted;
use crate::report::count;
use crate::report::printable::one_line;

/// How many characters of a condition, and of a request, are shown.
const SHOWN_OF_A_TEXT: usize = 1_500;

/// How many characters of a name are shown.
const SHOWN_OF_A_NAME: usize = 400;

/// How many policies are listed.
const SHOWN_POLICIES: usize = 200;

const MARKS: Marks = Marks { name: quoted, path: shown };

/// Writes the whole difference.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &DiffReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let look = report.look;
    match report.lockout {
        Some(false) => {}
        Some(true) => writeln!(out, "{}\n", painted(&wrapped(phrase::LOCKOUT, "", "", look), RED, look))?,
        None => writeln!(out, "{}\n", painted(&wrapped(phrase::LOCKOUT_UNKNOWN, "", "", look), YELLOW, look))?,
    }
    let verdict = format!("{}: {}", phrase::class(report.class), phrase::numbers(report));
    writeln!(out, "{}", painted(&verdict, BOLD, look))?;
    writeln!(out, "{}", wrapped(&phrase::sides(report, MARKS), "", "", look))?;
    for (direction, all, more) in
        [(Direction::Gained, &report.gained, report.more_gained), (Direction::Lost, &report.lost, report.more_lost)]
    {
        changes(report, direction, all, more, out)?;
    }
    undecided(report, out)?;
    policies(report, out)?;
    waivers(report, out)
}

fn changes(report: &DiffReport<'_>, direction: Direction, all: &[Access], more: usize, out: &mut dyn Write) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    let title = match direction {
        Direction::Gained => "gained",
        Direction::Lost => "lost",
    };
    writeln!(out, "\n{}", painted(title, BOLD, report.look))?;
    let mut above: Option<&PolicyId> = None;
    for access in all {
        let control = phrase::control(access, report);
        if let Some((policy, doing, does)) = control
            && above != Some(&policy.id)
        {
            let place = policy.place().map(|place| format!(" ({}:{})", one_line(&place.path), place.line)).unwrap_or_default();
            let heading = format!("{doing} {}{place} {does}:", quoted(policy.id.as_str()));
            writeln!(out, "\n{}", wrapped(&heading, "  ", "  ", report.look))?;
        }
        above = control.map(|(policy, ..)| &policy.id);
        writeln!(out)?;
        one(report, direction, access, control.is_some(), out)?;
    }
    if more > 0 {
        writeln!(out, "\n  and {more} more like these, which are not described")?;
    }
    Ok(())
}

fn one(report: &DiffReport<'_>, direction: Direction, access: &Access, told: bool, out: &mut dyn Write) -> io::Result<()> {
    let look = report.look;
    let (sign, colour) = match direction {
        Direction::Gained => ("+", GREEN),
        Direction::Lost => ("-", RED),
    };
    let sentence = phrase::sentence(access, direction, MARKS);
    let text = wrapped(&sentence, "  * ", "    ", look);
    writeln!(out, "{}", text.replacen("  * ", &format!("  {} ", painted(sign, colour, look)), 1))?;
    let mut rows: Vec<(&str, String)> = Vec::new();
    match &access.region.condition {
        Some(condition) => rows.push(("where", cut(&condition.to_string(), SHOWN_OF_A_TEXT))),
        None if access.region.unfit.is_empty() && access.region.fit.is_empty() && access.region.beyond.is_empty() => {
            rows.push(("where", "always, on every document".to_owned()));
        }
        None => {}
    }
    rows.extend(phrase::or_unfit(access, MARKS).map(|text| ("or where", cut(&text, SHOWN_OF_A_TEXT))));
    rows.extend(phrase::unfit(access, MARKS).map(|text| ("only where", cut(&text, SHOWN_OF_A_TEXT))));
    rows.extend(phrase::fit(access, MARKS).map(|text| ("only where", cut(&text, SHOWN_OF_A_TEXT))));
    if !access.region.beyond.is_empty() {
        rows.push(("roughly", phrase::BEYOND.to_owned()));
    }
    rows.push(("for example", cut(&phrase::request(&access.witness, MARKS), SHOWN_OF_A_TEXT)));
    let grants = phrase::grants(access, report, direction, MARKS);
    let because = match (told, grants) {
        (true, Some(grants)) => grants,
        (_, Some(grants)) => format!("{}; {grants}", phrase::causes(access, report, MARKS)),
        (_, None) => phrase::causes(access, report, MARKS),
    };
    rows.push(("because", because));
    if access.partial {
        let text =
            if direction == Direction::Gained { phrase::INCOMPLETE } else { "there are more requests like these than this describes" };
        rows.push(("incomplete", text.to_owned()));
    }
    if direction == Direction::Gained {
        let waived = if access.waived { " (waived)" } else { "" };
        rows.push(("fingerprint", format!("{}{waived}", access.fingerprint)));
    }
    for (name, text) in rows {
        row(name, &text, look, out)?;
    }
    Ok(())
}

/// A named line below a sentence.
fn row(name: &str, text: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let padded = format!("{name:<13}");
    let text = wrapped(text, &format!("      {padded}"), "                   ", look);
    writeln!(out, "{}", text.replacen(&padded, &painted(&padded, CYAN, look), 1))
}

fn undecided(report: &DiffReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    if report.undecided.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", painted("undecided", BOLD, report.look))?;
    for id in &report.undecided {
        let text = wrapped(&phrase::happened(id, report, MARKS), "  * ", "    ", report.look);
        writeln!(out, "{}", text.replacen("  * ", &format!("  {} ", painted("?", YELLOW, report.look)), 1))?;
    }
    let meaning = "it is not known whether these give or take access beyond what is said above: their conditions cannot be compared \
                   exactly, or doing so takes too long. Read them, and do not take this for no change";
    writeln!(out, "{}", wrapped(meaning, "    ", "    ", report.look))
}

/// The policies whose change means something or may seem to, and how much else there is.
fn policies(report: &DiffReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let listed: Vec<&PolicyChange> = report.policies.iter().filter(|policy| is_listed(policy)).collect();
    if listed.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", painted("policies", BOLD, report.look))?;
    let rows: Vec<[String; 3]> = listed.iter().take(SHOWN_POLICIES).map(|policy| cells(policy)).collect();
    let mut widths = [0; 3];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count().min(40));
        }
    }
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "  {}", cells.join("  ").trim_end())?;
    }
    if listed.len() > rows.len() {
        writeln!(out, "  and {} more", listed.len() - rows.len())?;
    }
    let paths: BTreeSet<&str> =
        listed.iter().flat_map(|policy| policy.before.iter().chain(&policy.after)).map(|place| place.path.as_str()).collect();
    match report.files.beside(&paths) {
        0 => Ok(()),
        1 => writeln!(out, "\n1 other file changed, without any change of meaning"),
        others => writeln!(out, "\n{} changed, without any change of meaning", count(others, "other file")),
    }
}

/// Whether a policy is named: its change matters, or changes more than its place and its look.
fn is_listed(policy: &PolicyChange) -> bool {
    policy.matters() || policy.happened.is_some_and(|happened| happened != Happened::Moved)
}

fn cells(policy: &PolicyChange) -> [String; 3] {
    let place = policy.place().map(|place| format!("{}:{}", one_line(&place.path), place.line)).unwrap_or_default();
    let what = format!("{} {}", quoted(policy.id.as_str()), phrase::what(policy, MARKS));
    [phrase::class(policy.class).to_owned(), place, what]
}

/// Waivers that match nothing: a mistyped one must not go unnoticed.
fn waivers(report: &DiffReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    for waiver in report.waivers.iter().filter(|waiver| !waiver.matches) {
        let from = match &waiver.commit {
            Some(commit) => format!(" of commit {}", commit.chars().take(10).collect::<String>()),
            None => String::new(),
        };
        let help = match report.meant(waiver) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => String::new(),
        };
        let text = format!("the waiver {}{from} matches no gain{help}", quoted(&waiver.fingerprint));
        writeln!(out, "\n{}", wrapped(&text, "", "", report.look))?;
    }
    Ok(())
}

fn shown(text: &str) -> String {
    cut(text, SHOWN_OF_A_NAME)
}

fn quoted(text: &str) -> String {
    format!("`{}`", cut(text, SHOWN_OF_A_NAME))
}

/// A text on one line, which says how much of it is not shown.
fn cut(text: &str, shown: usize) -> String {
    let line = one_line(text);
    match line.char_indices().nth(shown) {
        Some((end, _)) => {
            let rest = line.get(end..).map_or(0, |rest| rest.chars().count());
            format!("{}… ({rest} more characters)", line.get(..end).unwrap_or(""))
        }
        None => line.into_owned(),
    }
}

/// A text in lines. They end at spaces only, so that what stands in it can be copied.
fn wrapped(text: &str, first: &str, next: &str, look: Look) -> String {
    let options = textwrap::Options::new(look.width.clamp(60, 140))
        .initial_indent(first)
        .subsequent_indent(next)
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(text, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_says_how_much_is_missing_and_nothing_in_it_is_obeyed() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 4), "long… (2 more characters)");
        assert_eq!(quoted("a\u{1b}[2J\nb"), "`a?[2J b`");
    }

    #[test]
    fn lines_end_at_spaces_and_fit_where_they_can() {
        let look = Look { colour: false, width: 60 };
        let path = "p".repeat(70);
        let text = wrapped(&format!("{} {path} end", "word ".repeat(12).trim_end()), "  + ", "    ", look);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().all(|line| line.len() <= 60 || line.trim() == path), "{text}");
        assert!(lines.len() == 4 && lines[0].starts_with("  + word") && lines[3] == "    end", "{text}");
    }
}
