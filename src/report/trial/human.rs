//! A tried condition for a terminal: the tree, each part with its outcome on the left and what it read on the right, and what
//! the whole means for a grant and a denial.

use std::io;
use std::io::Write;
use std::net::IpAddr;

use serde_json::Value;

use super::Role;
use super::TrialReport;
use super::name;
use crate::condition::Atom;
use crate::condition::CompareOp;
use crate::condition::Expr;
use crate::condition::Literal;
use crate::condition::Operand;
use crate::condition::Outcome;
use crate::condition::Reading;
use crate::condition::Term;
use crate::condition::Tried;
use crate::report::Look;
use crate::report::printable::one_line;

/// How many characters of an atom are shown.
const SHOWN_OF_AN_ATOM: usize = 100;

/// How many characters of a value are shown.
const SHOWN_OF_A_VALUE: usize = 60;

/// How far right what was read may be moved to stand in one column.
const WIDEST: usize = 60;

/// One line of the tree.
struct Line<'a> {
    outcome: Outcome,
    /// The branches before the part, and the part.
    part: String,
    reads: Vec<&'a Term>,
    /// The part, if it is a test.
    atom: Option<&'a Atom>,
}

/// Writes the tree, and what the whole means.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &TrialReport<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = Vec::new();
    if !always(report) {
        collect(&report.trial.whole, "", "", &mut lines);
    }
    let widths = lines.iter().filter(|line| !line.reads.is_empty()).map(|line| line.part.chars().count());
    let width = widths.filter(|&width| width <= WIDEST).max().unwrap_or_default();
    for line in &lines {
        let mut reads: Vec<String> = line.reads.iter().filter_map(|term| Some(words(term, report.trial.readings.get(*term)?))).collect();
        if line.outcome == Outcome::False
            && let Some(why) = line.atom.and_then(|atom| mismatch(atom, report))
            && let Some(last) = reads.last_mut()
        {
            last.push_str(&format!(": {why}"));
        }
        let padded = format!("{:width$}   {}", line.part, reads.join(", "));
        writeln!(out, "{}  {}", coloured(line.outcome, look), padded.trim_end())?;
    }
    if !lines.is_empty() {
        writeln!(out)?;
    }
    for sentence in meaning(report) {
        writeln!(out, "{sentence}")?;
    }
    Ok(())
}

/// The lines of a part and of what is in it.
fn collect<'a>(tried: &Tried<'a>, branch: &str, below: &str, lines: &mut Vec<Line<'a>>) {
    let (part, reads) = match &tried.part.expr {
        Expr::And(_) => ("and".to_owned(), vec![]),
        Expr::Or(_) => ("or".to_owned(), vec![]),
        Expr::Not(_) => ("not".to_owned(), vec![]),
        Expr::Atom(atom) => {
            let other = atom.other_term().filter(|other| *other != atom.term());
            (cut(&atom.to_string(), SHOWN_OF_AN_ATOM), std::iter::once(atom.term()).chain(other).collect())
        }
    };
    let atom = if let Expr::Atom(atom) = &tried.part.expr { Some(atom) } else { None };
    lines.push(Line { outcome: tried.outcome, part: format!("{branch}{part}"), reads, atom });
    let last = tried.operands.len().saturating_sub(1);
    for (index, operand) in tried.operands.iter().enumerate() {
        let (own, on) = if index == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        collect(operand, &format!("{below}{own}"), &format!("{below}{on}"), lines);
    }
}

/// Whether there is no condition to show, as in a policy without one.
fn always(report: &TrialReport<'_>) -> bool {
    report.trial.whole.part.expr == Expr::And(Vec::new())
}

/// The kinds of value that are never compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Number,
    Text,
}

impl Kind {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(_) => Some(Self::Bool),
            Value::Number(_) => Some(Self::Number),
            Value::String(_) => Some(Self::Text),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn of_literal(literal: &Literal) -> Option<Self> {
        match literal {
            Literal::Bool(_) => Some(Self::Bool),
            Literal::Number(_) => Some(Self::Number),
            Literal::String(_) => Some(Self::Text),
            Literal::Null => None,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::Text => "a string",
        }
    }
}

/// Why a test fails whatever the value is, as long as it is of this kind.
fn mismatch(atom: &Atom, report: &TrialReport<'_>) -> Option<String> {
    let kind = |term: &Term| match report.trial.readings.get(term)? {
        Reading::Value(value) => Kind::of(value),
        Reading::Me(_) => Some(Kind::Text),
        Reading::Absent | Reading::Empty(_) | Reading::Unfit(_) => None,
    };
    let own = kind(atom.term())?;
    let others: Vec<Kind> = match atom {
        Atom::InCidr { negated: false, .. } => {
            let Some(Reading::Value(Value::String(text))) = report.trial.readings.get(atom.term()) else {
                return (own != Kind::Text).then(|| format!("{} is no address", own.words()));
            };
            return text.parse::<IpAddr>().is_err().then(|| "this is no address".to_owned());
        }
        Atom::Compare { op, .. } if *op == CompareOp::Ne => return None,
        Atom::Compare { operand: Operand::Literal(literal), .. } => vec![Kind::of_literal(literal)?],
        Atom::Compare { operand: Operand::Term(other), .. } => vec![kind(other)?],
        Atom::In { values, negated: false, .. } => values.iter().map(Kind::of_literal).collect::<Option<_>>()?,
        Atom::Like { negated: false, .. } | Atom::Matches { negated: false, .. } => vec![Kind::Text],
        _ => return None,
    };
    let first = *others.first()?;
    others.iter().all(|other| *other == first && *other != own).then(|| format!("{} is never compared with {}", own.words(), first.words()))
}

fn coloured(outcome: Outcome, look: Look) -> String {
    let colour = match outcome {
        Outcome::True => "32",
        Outcome::False => "31",
        Outcome::Unfit => "33",
    };
    let name = format!("{:5}", name(outcome));
    if look.colour { format!("\u{1b}[{colour}m{name}\u{1b}[0m") } else { name }
}

/// What was read of a term.
fn words(term: &Term, reading: &Reading<'_>) -> String {
    let term = cut(&term.to_string(), SHOWN_OF_AN_ATOM);
    match reading {
        Reading::Absent => format!("`{term}` is absent"),
        Reading::Empty(Value::Null) => format!("`{term}` is null, which counts as absent"),
        Reading::Empty(value) => format!("`{term}` is {}, which counts as absent", shown(value)),
        Reading::Me(id) => format!("`{term}` is {}", quoted(id)),
        Reading::Value(value) => format!("`{term}` is {}", shown(value)),
        Reading::Unfit(why) => format!("`{term}` does not fit: {}", why.reason()),
    }
}

/// A value as a condition would write it; a list as JSON would.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(elements) => {
            // More of a list than can be shown need not be written to be cut.
            let texts: Vec<String> = elements.iter().take(SHOWN_OF_A_VALUE).map(shown).collect();
            cut(&format!("[{}]", texts.join(", ")), SHOWN_OF_A_VALUE)
        }
        other => cut(&other.to_string(), SHOWN_OF_A_VALUE),
    }
}

fn quoted(text: &str) -> String {
    cut(&Literal::String(text.to_owned()).to_string(), SHOWN_OF_A_VALUE)
}

/// A text on one line, and not longer than that.
fn cut(text: &str, shown: usize) -> String {
    let line = one_line(text);
    match line.char_indices().nth(shown) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or("")),
        None => line.into_owned(),
    }
}

/// What the outcome is, and what it means for a statement with this condition.
fn meaning(report: &TrialReport<'_>) -> [String; 2] {
    let outcome = report.trial.whole.outcome;
    let Some(policy) = report.policy else {
        let means = match (Role::Grant.applies(outcome), Role::Denial.applies(outcome)) {
            (true, true) => "a grant or a denial with it applies",
            (true, false) => "a grant with it applies, a denial with it does not",
            (false, true) => "a grant with it does not apply, a denial with it does",
            (false, false) => "neither a grant nor a denial with it applies",
        };
        return [format!("the condition {}", holds(outcome)), means.to_owned()];
    };
    let id = one_line(policy.id);
    let whole = match (policy.role, outcome) {
        (role, _) if always(report) => format!("the {} `{id}` has no condition, which always holds", role.as_str()),
        (Role::Control, Outcome::True) => format!("what the control `{id}` requires is met"),
        (Role::Control, Outcome::False) => format!("what the control `{id}` requires is not met"),
        (Role::Control, Outcome::Unfit) => format!("what the control `{id}` requires reads a value that does not fit"),
        (role, _) => format!("the condition of the {} `{id}` {}", role.as_str(), holds(outcome)),
    };
    let (does, not) = if policy.role == Role::Grant { ("grants", "grant") } else { ("denies", "deny") };
    let means = match (policy.enabled, policy.applies(outcome)) {
        (true, true) => format!("it {does} if its members, actions, service and source match too"),
        (true, false) => format!("it does not {not}"),
        (false, _) => format!("it does not {not}, because it is not enabled"),
    };
    [whole, means]
}

fn holds(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::True => "holds",
        Outcome::False => "does not hold",
        Outcome::Unfit => "reads a value that does not fit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Facts;
    use crate::condition::Lists;
    use crate::condition::parts;
    use crate::condition::trial;

    fn written(text: &str, document: &Value, look: Look) -> String {
        let (none, part) = (serde_json::Map::new(), parts(text).expect("a condition"));
        let facts = Facts { me: "ann", caller: &none, action: &none, context: &none, document: document.as_object().expect("an object") };
        let trial = trial(&part, &Lists::default(), &facts).expect("no lists");
        let mut out = Vec::new();
        write(&TrialReport { text, trial: &trial, policy: None }, look, &mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn colours_are_for_the_outcome_only() {
        let document = serde_json::json!({"a": 1});
        let coloured = written("a = 1", &document, Look { colour: true, width: 80 });
        assert!(coloured.starts_with("\u{1b}[32mtrue \u{1b}[0m  a = 1   `a` is 1\n"), "{coloured:?}");
        assert!(!written("a = 1", &document, Look::PLAIN).contains('\u{1b}'));
    }

    #[test]
    fn nothing_reaches_the_terminal_that_it_would_obey_and_nothing_is_too_long() {
        let values: Vec<String> = (0..2_000).map(|number| number.to_string()).collect();
        let text = format!("a = '\u{1b}[2J' or a in ({})", values.join(", "));
        let document = serde_json::json!({"a": "\u{1b}[2J\n".repeat(1_000)});
        let shown = written(&text, &document, Look::PLAIN);
        assert!(!shown.contains('\u{1b}') && shown.lines().all(|line| line.chars().count() < 250), "{shown}");
        assert_eq!(shown.lines().count(), 6, "{shown}");
    }
}
