//! A difference as a comment on a pull request.
//!
//! Nothing that comes from a policy is markup here: names and conditions stand in code spans, and requests in fenced blocks, each
//! with a fence longer than any run of back quotes inside, and without line breaks that could end a block.

use std::io;
use std::io::Write;

use serde_json::Value as Json;

use super::DiffReport;
use super::access::Access;
use super::phrase;
use super::phrase::Direction;
use super::phrase::Marks;
use super::policies::PolicyChange;
use crate::report::code_span::code;
use crate::report::code_span::longest_run;
use crate::report::count;
use crate::report::printable::printable;

/// What a program finds its own comment by, to replace it.
pub const MARKER: &str = "<!-- lawbook:diff -->";

/// The most characters that a comment may have, on GitHub. They are counted as bytes, which are never fewer.
pub const LIMIT: usize = 65_536;

/// So much is kept free for saying what is left out.
const RESERVED: usize = 600;

/// How many characters of a request are shown.
const SHOWN_OF_A_REQUEST: usize = 4_000;

const MARKS: Marks = Marks { name: code, path: code };

/// Writes the comment.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &DiffReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (class, numbers) = (phrase::class(report.class), phrase::numbers(report));
    let sides = sentence_case(&phrase::sides(report, MARKS));
    let mut text = format!("{MARKER}\n### Permissions: {class} ({numbers})\n\n{sides}\n");
    match report.lockout {
        Some(false) => {}
        Some(true) => text.push_str(&format!("\n**Warning:** {}.\n", phrase::LOCKOUT)),
        None => text.push_str(&format!("\n**Warning:** {}.\n", phrase::LOCKOUT_UNKNOWN)),
    }
    text.push_str(&gate(report));
    let mut left_out = Vec::new();
    for (direction, all, more) in
        [(Direction::Gained, &report.gained, report.more_gained), (Direction::Lost, &report.lost, report.more_lost)]
    {
        let noun = if direction == Direction::Gained { "gain" } else { "loss" };
        let shown = changes(report, direction, all, &mut text);
        let missing = all.len() - shown + more;
        if missing > 0 {
            left_out.push(format!("{missing} more {}", if missing == 1 { noun.to_owned() } else { plural(noun) }));
        }
    }
    let rest = [undecided(report), policies(report), waivers(report)].concat();
    if text.len() + rest.len() + RESERVED <= LIMIT {
        text.push_str(&rest);
    } else {
        left_out.push("the list of policies".to_owned());
    }
    if !left_out.is_empty() {
        let list = left_out.join(" and ");
        text.push_str(&format!("\n**Not shown here: {list}.** A comment holds {LIMIT} characters; `lawbook diff` shows more.\n"));
    }
    out.write_all(text.as_bytes())
}

fn plural(noun: &str) -> String {
    if noun == "loss" { "losses".to_owned() } else { format!("{noun}s") }
}

fn gate(report: &DiffReport<'_>) -> String {
    let Some(gate) = report.gate else { return String::new() };
    if gate.passes() {
        return if report.gained.is_empty() { String::new() } else { "\nEvery gain is waived.\n".to_owned() };
    }
    let mut reasons = Vec::new();
    let unwaived = gate.unwaived + gate.undescribed;
    if unwaived > 0 {
        reasons.push(format!("{} not accepted yet", count(unwaived, "gain")));
    }
    if gate.undecided > 0 {
        reasons.push(format!("{} of which it is not known what the change means", count(gate.undecided, "policy")));
    }
    format!("\n**This check fails: {}.**\n", reasons.join(", and "))
}

/// Adds as many changes as there is room for, and says how many these are.
fn changes(report: &DiffReport<'_>, direction: Direction, all: &[Access], text: &mut String) -> usize {
    if all.is_empty() {
        return 0;
    }
    let title = if direction == Direction::Gained { "Gained" } else { "Lost" };
    text.push_str(&format!("\n#### {title}\n"));
    let mut above = None;
    for (at, access) in all.iter().enumerate() {
        let control = phrase::control(access, report);
        let mut block = String::new();
        if let Some((policy, doing, does)) = control
            && above != Some(&policy.id)
        {
            block.push_str(&format!("\n**{}** {} {does}:\n", sentence_case(doing), code(policy.id.as_str())));
        }
        above = control.map(|(policy, ..)| &policy.id);
        block.push_str(&one(report, direction, access, control.is_some()));
        if text.len() + block.len() + RESERVED > LIMIT {
            return at;
        }
        text.push_str(&block);
    }
    all.len()
}

fn one(report: &DiffReport<'_>, direction: Direction, access: &Access, told: bool) -> String {
    let sign = if direction == Direction::Gained { "+" } else { "−" };
    let grants = phrase::grants(access, report, direction, MARKS);
    let because = match (told, grants) {
        (true, Some(grants)) => grants,
        (_, Some(grants)) => format!("{}; {grants}", phrase::causes(access, report, MARKS)),
        (_, None) => phrase::causes(access, report, MARKS),
    };
    let partial = match (access.partial, direction) {
        (false, _) => String::new(),
        (true, Direction::Gained) => format!(" {}.", sentence_case(phrase::INCOMPLETE)),
        (true, Direction::Lost) => " There are more requests like these than this describes.".to_owned(),
    };
    let trailer = code(&format!("Lawbook-Allow: {}", access.fingerprint));
    let (summary, accept) = match (direction, access.waived) {
        (Direction::Lost, _) => ("an example", String::new()),
        (Direction::Gained, _) if access.partial => ("an example", String::new()),
        (Direction::Gained, true) => ("an example", format!("\nWaived by {trailer}.\n")),
        (Direction::Gained, false) => ("an example, and how to accept it", format!("\nAccept it with {trailer} in a commit message.\n")),
    };
    let waived = if access.waived { " *(waived)*" } else { "" };
    let (sentence, clauses) = (phrase::sentence(access, direction, MARKS), phrase::clauses(access, MARKS));
    let request = fenced(&access.witness);
    format!(
        "\n**{sign}** {sentence}{clauses}{waived}\\\nBecause {because}.{partial}\n\n\
         <details><summary>{summary}</summary>\n\n{request}{accept}\n</details>\n"
    )
}

fn undecided(report: &DiffReport<'_>) -> String {
    if report.undecided.is_empty() {
        return String::new();
    }
    let list: String = report.undecided.iter().map(|id| format!("- {}\n", phrase::happened(id, report, MARKS))).collect();
    format!("\n#### Undecided\n\n{list}\nIt is not known whether these give or take access beyond what is said above. Read them.\n")
}

fn policies(report: &DiffReport<'_>) -> String {
    let listed: Vec<&PolicyChange> = report.policies.iter().filter(|policy| policy.happened.is_some() || policy.matters()).collect();
    if listed.is_empty() {
        return String::new();
    }
    let line = |policy: &&PolicyChange| format!("- **{}**: {}\n", phrase::class(policy.class), phrase::happened(&policy.id, report, MARKS));
    let list: String = listed.iter().map(line).collect();
    let files = count(report.files.count(), "file");
    format!("\n<details><summary>{} in {files}</summary>\n\n{list}\n</details>\n", count(listed.len(), "policy"))
}

fn waivers(report: &DiffReport<'_>) -> String {
    let unused = report.waivers.iter().filter(|waiver| !waiver.matches);
    let line = |waiver| {
        let near = report.meant(waiver).map(|near| format!(" (did you mean {}?)", code(near))).unwrap_or_default();
        format!("\nThe waiver {} matches no gain{near}.\n", code(&waiver.fingerprint))
    };
    unused.map(line).collect()
}

/// A request as a fenced block, each of its parts on one line.
fn fenced(request: &Json) -> String {
    const PARTS: [&str; 4] = ["subject", "action", "resource", "context"];
    let part = |name: &str| request.get(name).map(|part| format!("  \"{name}\": {part}"));
    let lines: Vec<String> = PARTS.into_iter().filter_map(part).collect();
    let text = format!("{{\n{}\n}}", lines.join(",\n"));
    let text = printable(&text);
    let text = match text.char_indices().nth(SHOWN_OF_A_REQUEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or("")),
        None => text.into_owned(),
    };
    let fence = "`".repeat((longest_run(&text) + 1).max(3));
    format!("{fence}json\n{text}\n{fence}\n")
}

fn sentence_case(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        let request = serde_json::json!({"subject": {"id": "````"}, "action": {}});
        assert_eq!(fenced(&request), "`````json\n{\n  \"subject\": {\"id\":\"````\"},\n  \"action\": {}\n}\n`````\n");
    }
}
