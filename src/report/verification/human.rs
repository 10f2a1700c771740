//! A verification in sentences: what has been proven, or the first thing that is not as it was.

use std::io;
use std::io::Write;

use serde_json::Value;

use super::VerificationReport;
use crate::checkpoint::Against;
use crate::checkpoint::Checked;
use crate::checkpoint::Checkpoint;
use crate::checkpoint::Difference;
use crate::checkpoint::Exported;
use crate::checkpoint::Flaw;
use crate::checkpoint::How;
use crate::checkpoint::Named;
use crate::checkpoint::Rewrite;
use crate::checkpoint::Signed;
use crate::checkpoint::Standing;
use crate::checkpoint::Verdict;
use crate::history::CommitText;
use crate::report::printable::one_line;

/// How many characters of a commit id are shown.
const SHOWN_OF_AN_ID: usize = 10;

/// How many characters of a value are shown.
const SHOWN_OF_A_VALUE: usize = 120;

/// How many characters are shown before the place where two values begin to differ.
const SHOWN_BEFORE: usize = 40;

/// Writes what has been compared.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &VerificationReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let verification = report.verification;
    for checked in &verification.checkpoints {
        for line in checkpoint(report, checked, verification.against.as_ref()) {
            writeln!(out, "{line}")?;
        }
    }
    if let Some(exported) = &verification.export {
        for line in export(exported, verification.against.as_ref(), !verification.checkpoints.is_empty()) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn checkpoint(report: &VerificationReport<'_>, checked: &Checked, against: Option<&Against<'_>>) -> Vec<String> {
    let path = one_line(&checked.path.display().to_string()).into_owned();
    let (signed, verdict) = match &checked.outcome {
        Ok(outcome) => outcome,
        Err(refused) => return vec![one_line(&refused.to_string()).into_owned(), format!("  help: {}", refused.help())],
    };
    let of = &signed.checkpoint;
    let reference = against.map_or("", |against| against.reference.as_str());
    let reference = one_line(reference);
    let wrong = |what: String| format!("`{path}` does not hold for `{reference}`: {what}");
    match verdict {
        Verdict::Proven(proof) => {
            let since = match (proof.commits_since, proof.events_since) {
                (0, _) => "nothing was added since".to_owned(),
                (commits, 0) => format!("{} added since, without an event", were(commits)),
                (commits, events) => format!("{} added since, with {}", were(commits), count(events, "event")),
            };
            vec![
                format!("{} {} what was {}", events_up_to(of), if of.seq == 1 { "is" } else { "are" }, signature(report, signed)),
                format!("  `{}` of `{}`; {since}", one_line(&of.reference), one_line(&of.repository)),
            ]
        }
        Verdict::ChainUnknown { .. } => vec![
            format!(
                "the {} up to {} are what was {}",
                count(of.commits(), "commit"),
                short(&of.commit.to_string()),
                signature(report, signed)
            ),
            format!("  the events are not compared: version {} of their chain is not known here", of.chain),
            format!("  help: verify with {} {}, which made `{path}`", one_line(&of.tool.name), one_line(&of.tool.version)),
        ],
        Verdict::NotCompared => vec![format!("`{path}` says that there are {}, {}", events_up_to(of), signature(report, signed))],
        Verdict::OtherEvents { seq, head } => vec![
            wrong("the commits are what was signed, but their events are not".to_owned()),
            format!("  signed    {}, the last one with the hash {}", count(of.seq, "event"), of.head),
            format!("  computed  {}, the last one with the hash {head}", count(*seq, "event")),
            format!(
                "  help: verify with {} {}, which made it; if that differs too, do not believe its signer",
                one_line(&of.tool.name),
                one_line(&of.tool.version)
            ),
        ],
        Verdict::Gone(standing) => gone(of, standing, against.map_or(0, Against::commits), wrong),
    }
}

fn gone(of: &Checkpoint, standing: &Standing, commits: usize, wrong: impl Fn(String) -> String) -> Vec<String> {
    let signed = short(&of.commit.to_string());
    match standing {
        Standing::Holds => Vec::new(),
        Standing::Behind => vec![
            wrong(format!("it ends at commit {} of the {} that were signed", grouped(commits), grouped(of.commits()))),
            "  as far as it goes, it is the line that was signed".to_owned(),
            "  help: get the newer commits with `git fetch`; if there are none, commits were taken off its end".to_owned(),
        ],
        Standing::Aside { position, merge } => vec![
            wrong(format!("{signed} is in the history, but not on its line of first parents")),
            format!("  {}", commit("merged by", merge)),
            format!(
                "  the merge is commit {} of {}; what landed on one branch is now told as a part of another",
                grouped(*position),
                grouped(commits)
            ),
            "  help: find out who merged the branches the other way round, and take a new checkpoint if that was meant".to_owned(),
        ],
        Standing::Rewritten(rewrite) => rewritten(of, rewrite, commits, wrong),
    }
}

fn rewritten(of: &Checkpoint, rewrite: &Rewrite, commits: usize, wrong: impl Fn(String) -> String) -> Vec<String> {
    let Rewrite { position, now, was, before, how } = rewrite;
    let mut lines = vec![wrong(match (how, *position) {
        (How::Hidden, _) => "history was rewritten, and the place was hidden".to_owned(),
        (_, 1) => "its first commit is another one".to_owned(),
        (_, position) => format!("history was rewritten at commit {} of {}", grouped(position), grouped(commits)),
    })];
    lines.extend(now.as_ref().map(|now| format!("  {}", commit("now", now))));
    lines.push(match before {
        Some(before) => format!("  {}", commit("signed", before)),
        None if *how == How::Hidden => format!("  signed    {}", short(&of.commit.to_string())),
        None => format!("  signed    {was}…, which is not in this repository"),
    });
    lines.extend(match how {
        How::Unknown | How::Hidden => None,
        How::Dropped(number) => Some(format!("  {} dropped here", were(*number))),
        How::Inserted(number) => Some(format!("  {} put in here", were(*number))),
        How::Replaced(differences) => {
            Some(format!("  differs in {}", differences.iter().map(|one| Difference::as_str(*one)).collect::<Vec<_>>().join(", ")))
        }
    });
    if *position > 1 && *how != How::Hidden {
        // With the old commit at hand its parent is known to be the same one; without it, only beginnings of ids are.
        let known = if before.is_some() { "" } else { ", as far as the first 8 digits of each id tell" };
        lines.push(format!("  up to commit {} it is the line that was signed{known}", grouped(position - 1)));
    }
    lines.push(match (position, before) {
        (1, None) => format!(
            "  help: name the repository that the signer calls `{}`; if this is it, it was rewritten from its first commit",
            one_line(&of.repository)
        ),
        _ => "  help: find out who pushed this; a clone from before that still has what was signed".to_owned(),
    });
    lines
}

fn export(exported: &Exported, against: Option<&Against<'_>>, checkpoints: bool) -> Vec<String> {
    let path = one_line(&exported.path.display().to_string()).into_owned();
    if let Some(flaw) = &exported.flaw {
        let mut lines = self::flaw(&path, flaw, against);
        lines.extend(
            exported
                .signed
                .map(|seq| format!("  its events up to {} are what was signed; it is not the file that was changed", grouped(seq))),
        );
        return lines;
    }
    if exported.events == 0 {
        return vec![format!("`{path}`: it holds no events, so nothing is proven by it")];
    }
    let (number, range) = (count(exported.events, "event"), range(exported));
    let mut lines = match (against, exported.compared_with) {
        (Some(against), Some(all)) => {
            let of = if all == exported.events {
                "all there are".to_owned()
            } else {
                format!("{} of {}", grouped(exported.events), grouped(all))
            };
            vec![format!("`{path}`: {number}{range}, {of} in `{}`, and each is what the repository says", one_line(&against.reference))]
        }
        _ => {
            let chained = if exported.gaps > 0 {
                "each chained to the one before it where that is there"
            } else {
                "each chained to the one before it"
            };
            vec![format!("`{path}`: {number}{range}, {chained}")]
        }
    };
    if against.is_none() {
        lines.push(match exported.signed {
            Some(seq) if seq < exported.last => format!("  up to {} they are what was signed; nobody signed those after it", grouped(seq)),
            Some(_) => "  they are what was signed".to_owned(),
            None if checkpoints => "  nothing was signed for them".to_owned(),
            None => "  nothing else is proven: there is neither a repository nor a checkpoint to compare them with".to_owned(),
        });
    }
    if !exported.not_compared.is_empty() {
        let members: Vec<String> = exported.not_compared.iter().map(|member| format!("`{}`", one_line(member))).collect();
        lines.push(format!("  not compared, and so proven by nothing here: {}", members.join(", ")));
    }
    lines
}

fn flaw(path: &str, flaw: &Flaw, against: Option<&Against<'_>>) -> Vec<String> {
    let wrong = |line: u64, what: String| format!("`{path}`, line {line}: {what}");
    let again = "  help: make it again with `lawbook audit --format jsonl`, and find out who changed it".to_owned();
    match flaw {
        Flaw::Malformed { line, problem } => {
            vec![
                wrong(*line, problem.clone()),
                "  help: name a file that `lawbook audit --format json` or `--format jsonl` wrote".to_owned(),
            ]
        }
        Flaw::Order { event, after } => vec![wrong(event.line, format!("{} comes after event {}", named(event), grouped(*after))), again],
        Flaw::Chain { event } if event.seq == 1 => {
            vec![wrong(event.line, format!("{} names an event before it, and there is none", named(event))), again]
        }
        Flaw::Chain { event } => {
            vec![wrong(event.line, format!("{} does not follow the event before it: one of the two was changed", named(event))), again]
        }
        Flaw::Surplus { event, events } => {
            let reference = against.map_or("", |against| against.reference.as_str());
            let what = format!("{} is not in `{}`, which has {}", named(event), one_line(reference), count(*events, "event"));
            vec![
                wrong(event.line, what),
                "  help: get the newer commits with `git fetch`; if there are none, it never happened there".to_owned(),
            ]
        }
        Flaw::Member { event, member, exported, computed } => {
            let [said, is] = differing(exported.as_ref(), computed);
            vec![
                wrong(event.line, format!("{} is not what the repository says", named(event))),
                format!("  {member} in the export      {said}"),
                format!("  {member} in the repository  {is}"),
                again,
            ]
        }
        Flaw::Around { member, exported, computed } => {
            vec![format!("`{path}`: its `{member}` is {}, and it is {}", value(exported), value(computed)), again]
        }
        Flaw::Tip { commit } => {
            vec![format!("`{path}` ends at {}, which is not on the line of first parents", short(&one_line(commit))), again]
        }
        Flaw::Head { checkpoint, seq } => vec![
            format!(
                "`{path}`: event {} is not the one that was signed in `{}`",
                grouped(*seq),
                one_line(&checkpoint.display().to_string())
            ),
            again,
        ],
        Flaw::Loose { checkpoint, seq } => vec![
            format!(
                "`{path}` does not hold every event up to {}, which was signed in `{}`, so nothing is proven by that",
                grouped(*seq),
                one_line(&checkpoint.display().to_string())
            ),
            "  help: verify in the repository, or with an export that is not filtered".to_owned(),
        ],
    }
}

/// `signed on DAY by KEY (NAME)`.
fn signature(report: &VerificationReport<'_>, signed: &Signed) -> String {
    let keys: Vec<String> = signed
        .signers
        .iter()
        .map(|key| match report.name(key) {
            "" => key.to_string(),
            name => format!("{key} ({})", one_line(name)),
        })
        .collect();
    format!("signed on {} by {}", signed.checkpoint.time.strftime("%Y-%m-%d"), keys.join(" and "))
}

fn events_up_to(of: &Checkpoint) -> String {
    let number = if of.seq == 0 { "no events".to_owned() } else { count(of.seq, "event") };
    format!("{number} up to commit {}", short(&of.commit.to_string()))
}

/// What a commit is, for a person.
fn commit(what: &str, commit: &CommitText) -> String {
    let date = commit.committed.to_string();
    format!("{what:9} {} {date} {}: {}", short(&commit.id.to_string()), one_line(&commit.author.to_string()), one_line(commit.subject()))
}

fn named(event: &Named) -> String {
    format!("event {} ({} in {})", grouped(event.seq), one_line(&event.policy), short(&one_line(&event.commit)))
}

/// Two values, each from shortly before the place where they begin to differ.
fn differing(exported: Option<&Value>, computed: &Value) -> [String; 2] {
    let Some(exported) = exported else { return ["absent".to_owned(), value(computed)] };
    let (one, other) = (exported.to_string(), computed.to_string());
    let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    let skipped = if same < SHOWN_OF_A_VALUE - SHOWN_BEFORE { 0 } else { same - SHOWN_BEFORE };
    [one, other].map(|text| {
        let rest: String = text.chars().skip(skipped).collect();
        let dots = if skipped > 0 { "…" } else { "" };
        format!("{dots}{}", cut(&rest))
    })
}

fn value(value: &Value) -> String {
    cut(&value.to_string())
}

fn cut(text: &str) -> String {
    let mut shown: String = one_line(text).chars().take(SHOWN_OF_A_VALUE).collect();
    if text.chars().nth(SHOWN_OF_A_VALUE).is_some() {
        shown.push('…');
    }
    shown
}

fn range(exported: &Exported) -> String {
    match (exported.events, exported.gaps) {
        (0 | 1, _) => String::new(),
        (_, 0) => format!(" ({} to {})", grouped(exported.first), grouped(exported.last)),
        _ => format!(" (from {} to {}, not all)", grouped(exported.first), grouped(exported.last)),
    }
}

fn were(number: usize) -> String {
    format!("{} {}", count(number, "commit"), if number == 1 { "was" } else { "were" })
}

fn short(id: &str) -> String {
    id.chars().take(SHOWN_OF_AN_ID).collect()
}

/// How many of something, in the singular or plural.
fn count(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A number with its digits in groups of three.
fn grouped(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let check = |number: u64, expected: &str| assert_eq!(grouped(number), expected);
        check(0, "0");
        check(999, "999");
        check(1_204, "1,204");
        check(1_000_000, "1,000,000");
    }

    #[test]
    fn of_two_long_values_the_difference_is_shown() {
        let check = |one: &str, other: &str, expected: [&str; 2]| {
            assert_eq!(differing(Some(&Value::from(one)), &Value::from(other)), expected);
        };
        check("a", "b", ["\"a\"", "\"b\""]);
        let (long, shown) = ("é".repeat(200), "é".repeat(SHOWN_BEFORE));
        check(&format!("{long}a"), &format!("{long}b"), [&format!("…{shown}a\""), &format!("…{shown}b\"")]);
        assert_eq!(differing(None, &Value::from(1)), ["absent", "1"]);
    }

    #[test]
    fn a_long_value_is_cut_and_a_hostile_one_is_harmless() {
        assert_eq!(value(&Value::String("x".repeat(500))).chars().count(), SHOWN_OF_A_VALUE + 1);
        assert!(!value(&Value::String("\u{202e}\u{9b}".to_owned())).contains(['\u{202e}', '\u{9b}']));
    }
}
