//! A tried condition for programs, version 1. `schema/evaluation.schema.json` is its specification, and a test holds the two equal.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use serde::Serialize;
use serde_json::Value;

use super::Role;
use super::TrialReport;
use super::name;
use crate::condition::Expr;
use crate::condition::Reading;
use crate::condition::Tried;

/// The published schema of this format, as text.
pub const EVALUATION_SCHEMA: &str = include_str!("../../../schema/evaluation.schema.json");

#[derive(Serialize)]
struct WireTrial<'a> {
    version: u8,
    condition: &'a str,
    outcome: &'static str,
    grant_applies: bool,
    denial_applies: bool,
    policy: Option<WirePolicy<'a>>,
    values: BTreeMap<String, WireReading<'a>>,
    whole: WirePart,
}

#[derive(Serialize)]
struct WirePolicy<'a> {
    id: &'a str,
    role: &'static str,
    enabled: bool,
    applies: bool,
}

#[derive(Serialize)]
struct WireReading<'a> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<WireValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum WireValue<'a> {
    Text(&'a str),
    Value(&'a Value),
}

#[derive(Serialize)]
struct WirePart {
    kind: &'static str,
    start: usize,
    end: usize,
    text: String,
    outcome: &'static str,
    reads: Vec<String>,
    parts: Vec<WirePart>,
}

/// Writes the outcome as one JSON object and a line break.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &TrialReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let outcome = report.trial.whole.outcome;
    let wire = WireTrial {
        version: 1,
        condition: report.text,
        outcome: name(outcome),
        grant_applies: Role::Grant.applies(outcome),
        denial_applies: Role::Denial.applies(outcome),
        policy: report.policy.map(|policy| WirePolicy {
            id: policy.id,
            role: policy.role.as_str(),
            enabled: policy.enabled,
            applies: policy.applies(outcome),
        }),
        values: report.trial.readings.iter().map(|(term, reading)| (term.to_string(), wire_reading(reading))).collect(),
        whole: wire_part(&report.trial.whole, report.text),
    };
    serde_json::to_writer_pretty(&mut *out, &wire)?;
    writeln!(out)
}

fn wire_reading<'a>(reading: &Reading<'a>) -> WireReading<'a> {
    let (state, value, reason) = match *reading {
        Reading::Absent => ("absent", None, None),
        Reading::Empty(value) => ("absent", Some(WireValue::Value(value)), None),
        Reading::Me(id) => ("value", Some(WireValue::Text(id)), None),
        Reading::Value(value) => ("value", Some(WireValue::Value(value)), None),
        Reading::Unfit(why) => ("unfit", None, Some(why.reason())),
    };
    WireReading { state, value, reason }
}

fn wire_part(tried: &Tried<'_>, text: &str) -> WirePart {
    let (kind, reads) = match &tried.part.expr {
        Expr::And(_) => ("and", vec![]),
        Expr::Or(_) => ("or", vec![]),
        Expr::Not(_) => ("not", vec![]),
        Expr::Atom(atom) => ("atom", std::iter::once(atom.term()).chain(atom.other_term()).map(ToString::to_string).collect()),
    };
    let range = &tried.part.range;
    WirePart {
        kind,
        start: range.start,
        end: range.end,
        text: text.get(range.clone()).unwrap_or("").to_owned(),
        outcome: name(tried.outcome),
        reads,
        parts: tried.operands.iter().map(|operand| wire_part(operand, text)).collect(),
    }
}
