//! The format for programs, version 1. `schema/findings.schema.json` is its specification, and a test holds the two equal.
//!
//! Fields may be added in version 1; none is removed, and none changes its meaning.

use std::io;
use std::io::Write;

use serde::Serialize;
use serde::Serializer;
use serde_json::Value;

use super::Report;
use crate::finding::Finding;
use crate::finding::Fix;
use crate::finding::Label;
use crate::finding::Safety;
use crate::source::SourceFile;
use crate::source::SourceMap;
use crate::source::Span;

/// The published schema of this format, as text.
pub const FINDINGS_SCHEMA: &str = include_str!("../../schema/findings.schema.json");

#[derive(Serialize)]
struct WireReport<'a> {
    version: u8,
    revision: Option<&'a str>,
    files: usize,
    policies: usize,
    callers: Option<usize>,
    errors: usize,
    warnings: usize,
    findings: WireFindings<'a>,
}

/// The findings, each made when it is written, because all of them take more memory than the report.
struct WireFindings<'a> {
    findings: &'a [Finding],
    sources: &'a SourceMap,
}

impl Serialize for WireFindings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.findings.iter().map(|finding| wire_finding(finding, self.sources)))
    }
}

#[derive(Serialize)]
struct WireFinding<'a> {
    rule: &'a str,
    severity: &'static str,
    level_reason: &'a str,
    blocking: bool,
    message: &'a str,
    policy: Option<&'a str>,
    place: WirePlace<'a>,
    label: &'a str,
    related: Vec<WireLabel<'a>>,
    help: Option<&'a str>,
    witness: Option<Value>,
    fix: Option<WireFix<'a>>,
}

#[derive(Serialize)]
struct WireLabel<'a> {
    place: WirePlace<'a>,
    label: &'a str,
}

#[derive(Serialize)]
struct WirePlace<'a> {
    path: &'a str,
    start: WirePosition,
    end: WirePosition,
}

#[derive(Serialize)]
struct WirePosition {
    offset: u32,
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct WireFix<'a> {
    title: &'a str,
    safe: bool,
    edits: Vec<WireEdit<'a>>,
}

#[derive(Serialize)]
struct WireEdit<'a> {
    place: WirePlace<'a>,
    replacement: &'a str,
}

/// Writes the report as one JSON object and a line break.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let counts = report.counts();
    let wire = WireReport {
        version: 1,
        revision: report.revision,
        files: report.files,
        policies: report.policies,
        callers: report.callers,
        errors: counts.errors,
        warnings: counts.warnings,
        findings: WireFindings { findings: report.findings, sources: report.sources },
    };
    serde_json::to_writer_pretty(&mut *out, &wire)?;
    writeln!(out)
}

fn wire_finding<'a>(finding: &'a Finding, sources: &'a SourceMap) -> WireFinding<'a> {
    WireFinding {
        rule: finding.rule,
        severity: finding.severity.as_str(),
        level_reason: &finding.level_reason,
        blocking: finding.blocking,
        message: &finding.message,
        policy: finding.policy.as_deref(),
        place: place(finding.primary.span, sources),
        label: &finding.primary.text,
        related: finding.related.iter().map(|label| wire_label(label, sources)).collect(),
        help: finding.help.as_deref(),
        witness: finding.witness.as_deref().and_then(|request| serde_json::from_str(request).ok()),
        fix: finding.fix.as_ref().map(|fix| wire_fix(fix, sources)),
    }
}

fn wire_label<'a>(label: &'a Label, sources: &'a SourceMap) -> WireLabel<'a> {
    WireLabel { place: place(label.span, sources), label: &label.text }
}

fn wire_fix<'a>(fix: &'a Fix, sources: &'a SourceMap) -> WireFix<'a> {
    let edits = fix.edits.iter().map(|edit| WireEdit { place: place(edit.span, sources), replacement: &edit.replacement });
    WireFix { title: &fix.title, safe: fix.safety == Safety::Safe, edits: edits.collect() }
}

fn place(span: Span, sources: &SourceMap) -> WirePlace<'_> {
    let file = sources.get(span.source);
    WirePlace { path: sources.path(span.source), start: position(file, span.start), end: position(file, span.end) }
}

fn position(file: Option<&SourceFile>, offset: u32) -> WirePosition {
    match file.map(|file| file.line_column(offset as usize)) {
        Some(at) => WirePosition { offset, line: at.line, column: at.column },
        None => WirePosition { offset, line: 1, column: 1 },
    }
}
