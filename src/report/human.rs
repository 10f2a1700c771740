//! The format for a terminal: each finding with an excerpt of the file, drawn by miette.
//!
//! miette looks for a line by walking the whole file, which takes milliseconds at the end of a large one; `Excerpt`
//! answers from the table of lines that a source has anyway, and cuts lines that nobody could read. Whatever comes
//! from the user's files is made [printable] first.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use miette::Diagnostic;
use miette::GraphicalReportHandler;
use miette::GraphicalTheme;
use miette::LabeledSpan;
use miette::MietteError;
use miette::MietteSpanContents;
use miette::SourceCode;
use miette::SourceSpan;
use miette::SpanContents;
use rayon::prelude::*;

use super::Look;
use super::Report;
use super::count;
use super::of_the_directory;
use super::printable::printable;
use super::printable::printable_painted;
use crate::finding::Finding;
use crate::finding::Label;
use crate::finding::Safety;
use crate::finding::Severity;
use crate::lint::SECRET_RULE;
use crate::source::SourceFile;
use crate::source::SourceId;

/// How many findings of one rule are shown.
const SHOWN_OF_A_RULE: usize = 100;

/// With more findings than this, it is said how many each rule has.
const MANY: usize = 20;

/// So few findings are not worth sharing between cores.
const SHARE: usize = 16;

/// How many bytes of a line are shown on either side of a place.
const SHOWN_OF_A_LINE: usize = 240;

/// How many lines a place may cross before only its first is marked.
const SHOWN_LINES: usize = 8;

/// How many places of one file are marked for a finding.
const SHOWN_LABELS: usize = 8;

/// Writes every finding with its excerpt, then a line that sums up.
///
/// # Errors
/// The writer refused the bytes.
pub fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
    let is_shown = |finding: &&Finding| {
        let before = shown.entry(finding.rule).or_default();
        *before += 1;
        *before <= SHOWN_OF_A_RULE
    };
    let told: Vec<&Finding> = report.findings.iter().filter(is_shown).collect();
    let secrets = secrets(report);
    // One share for each core, because the findings of a share have the printable texts of their files in common.
    let share = told.len().div_ceil(rayon::current_num_threads()).max(SHARE);
    let drawings: Vec<Vec<String>> = told.par_chunks(share).map(|findings| all_drawn(findings, report, &secrets)).collect();
    for drawing in drawings.iter().flatten() {
        writeln!(out, "{drawing}")?;
    }
    for (rule, number) in shown {
        if let Some(more) = number.checked_sub(SHOWN_OF_A_RULE).filter(|&more| more > 0) {
            writeln!(out, "{} of `{rule}` not shown; `--format concise` shows every one", count(more, "more finding"))?;
        }
    }
    if report.findings.len() > MANY {
        for line in by_rule(report) {
            writeln!(out, "{line}")?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{}", summary(report))
}

/// Each of some findings. They stay apart, because a long text that grows is copied, each time to memory that was never used.
fn all_drawn<'a>(findings: &[&Finding], report: &Report<'a>, secrets: &'a BTreeMap<SourceId, Vec<Range<usize>>>) -> Vec<String> {
    let mut excerpts = Excerpts { texts: BTreeMap::new(), secrets };
    findings.iter().map(|finding| drawn(finding, report, &mut excerpts)).collect()
}

/// How often each rule found something, most first.
fn by_rule(report: &Report<'_>) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in report.findings {
        *counts.entry(finding.rule).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|&(rule, count)| (Reverse(count), rule));
    let width = counts.first().map_or(0, |(_, most)| most.to_string().len());
    counts.into_iter().map(|(rule, count)| format!("{count:width$}  {rule}")).collect()
}

/// Draws what kept a command from doing its work.
pub fn failure(error: &dyn Diagnostic, look: Look) -> String {
    let mut text = String::new();
    // Writing to a string does not fail, and a drawing that is cut short still says what was wrong.
    let _ = handler(look).render_report(&mut text, error);
    // A message quotes what somebody has written, be it a file or an argument.
    if look.colour { printable_painted(&text) } else { printable(&text) }.into_owned()
}

/// Draws what is wrong at a place of a text that belongs to no law book, such as an argument; the name of the file says what it is.
pub fn mistake(file: &SourceFile, range: Range<usize>, message: &str, help: Option<&str>, look: Look) -> String {
    let drawing = Drawing {
        code: None,
        severity: miette::Severity::Error,
        message: printable(message).into_owned(),
        help: help.map(|help| printable(help).into_owned()),
        labels: vec![LabeledSpan::new_primary_with_span(None, SourceSpan::from(visible(file, range)))],
        excerpt: Some(Excerpt::of(file)),
    };
    failure(&drawing, look)
}

fn handler(look: Look) -> GraphicalReportHandler {
    let theme = if look.colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    // A path or a command is copied from here, so lines end at spaces only.
    GraphicalReportHandler::new_themed(theme)
        .without_syntax_highlighting()
        .with_width(look.width.clamp(40, 140))
        .with_urls(false)
        .with_break_words(false)
        .with_word_separator(textwrap::WordSeparator::AsciiSpace)
        .with_word_splitter(textwrap::WordSplitter::NoHyphenation)
}

/// `2 errors, 1 warning in 3 of 10 files`.
fn summary(report: &Report<'_>) -> String {
    let counts = report.counts();
    let at = match report.revision {
        None => String::new(),
        Some("index") => " in the index".to_owned(),
        Some(revision) => format!(" at revision {}", printable(&revision.chars().take(12).collect::<String>())),
    };
    let world = report.callers.map(of_the_directory).unwrap_or_default();
    let numbers: Vec<String> = [(counts.errors, "error"), (counts.warnings, "warning")]
        .into_iter()
        .filter(|&(number, _)| number > 0)
        .map(|(number, noun)| count(number, noun))
        .collect();
    if numbers.is_empty() {
        return format!("no findings in {}, {}{at}{world}", count(report.files, "file"), count(report.policies, "policy"));
    }
    // The configuration may have a finding, and is no policy file.
    let files = report.files.max(counts.files);
    format!("{} in {} of {}{at}{world}", numbers.join(", "), counts.files, count(files, "file"))
}

/// One finding: its excerpt, its help, what proves it, and why it is this bad; then the places in other files.
fn drawn<'a>(finding: &Finding, report: &Report<'a>, excerpts: &mut Excerpts<'a>) -> String {
    let look = report.look;
    let handler = handler(look);
    let source = finding.primary.span.source;
    let labels = std::iter::once(&finding.primary).chain(finding.related.iter().filter(|label| label.span.source == source));
    let severity = match finding.severity {
        Severity::Error => miette::Severity::Error,
        Severity::Warning => miette::Severity::Warning,
    };
    let mut text = String::new();
    let main = Drawing {
        code: Some(format!("{}[{}]", finding.severity, finding.rule)),
        severity,
        message: printable(&finding.message).into_owned(),
        help: finding.help.as_deref().map(|help| printable(help).into_owned()),
        labels: excerpts.labels(labels, report),
        excerpt: excerpts.of(source, report),
    };
    let _ = handler.render_report(&mut text, &main);
    for (name, words) in notes(finding) {
        let name = if look.colour { format!("\u{1b}[36m{name}:\u{1b}[0m") } else { format!("{name}:") };
        text.push_str(&format!("  {name} {words}\n"));
    }
    for label in finding.related.iter().filter(|label| label.span.source != source) {
        let other = Drawing {
            code: None,
            severity: miette::Severity::Advice,
            message: printable(&label.text).into_owned(),
            help: None,
            labels: excerpts.labels(std::iter::once(&Label::new(label.span, "")), report),
            excerpt: excerpts.of(label.span.source, report),
        };
        text.push('\n');
        let _ = handler.render_report(&mut text, &other);
    }
    text
}

/// The lines below the help, each with its name.
fn notes(finding: &Finding) -> Vec<(&'static str, String)> {
    let mut notes = Vec::new();
    if let Some(witness) = &finding.witness {
        notes.push(("witness", printable(witness).into_owned()));
    }
    let told = finding.help.as_deref().is_some_and(|help| help.contains("--fix"));
    if let Some(fix) = finding.fix.as_ref().filter(|_| !told) {
        let flag = match fix.safety {
            Safety::Safe => "--fix",
            Safety::Unsafe => "--unsafe-fixes",
        };
        notes.push(("fix", format!("{} (`lawbook check {flag}`)", printable(&fix.title))));
    }
    notes.push(("level", printable(&finding.level_reason).into_owned()));
    notes
}

/// What miette draws.
struct Drawing<'a> {
    code: Option<String>,
    severity: miette::Severity,
    message: String,
    help: Option<String>,
    labels: Vec<LabeledSpan>,
    excerpt: Option<Excerpt<'a>>,
}

impl fmt::Debug for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Drawing<'_> {}

impl Diagnostic for Drawing<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.code.as_ref().map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// The printable texts of the files that have been shown, so that each is made once.
struct Excerpts<'a> {
    texts: BTreeMap<SourceId, Excerpt<'a>>,
    /// What is not shown of each file.
    secrets: &'a BTreeMap<SourceId, Vec<Range<usize>>>,
}

/// Where a finding says that there is a secret. The excerpt of any finding may show the line, and reports are kept by others.
fn secrets(report: &Report<'_>) -> BTreeMap<SourceId, Vec<Range<usize>>> {
    let mut secrets: BTreeMap<SourceId, Vec<Range<usize>>> = BTreeMap::new();
    for finding in report.findings.iter().filter(|finding| finding.rule == SECRET_RULE) {
        for label in std::iter::once(&finding.primary).chain(&finding.related) {
            secrets.entry(label.span.source).or_default().push(label.span.range());
        }
    }
    secrets
}

/// The text with asterisks in place of some ranges, byte for byte, so that every place stays where it is.
fn masked(text: &str, secrets: &[Range<usize>]) -> Arc<str> {
    let mut masked = text.to_owned();
    for range in secrets {
        let whole = text.floor_char_boundary(range.start)..text.ceil_char_boundary(range.end);
        masked.replace_range(whole.clone(), &"*".repeat(whole.len()));
    }
    masked.into()
}

impl<'a> Excerpts<'a> {
    fn of(&mut self, source: SourceId, report: &Report<'a>) -> Option<Excerpt<'a>> {
        if let Some(known) = self.texts.get(&source) {
            return Some(known.clone());
        }
        let mut excerpt = Excerpt::of(report.sources.get(source)?);
        if let Some(secrets) = self.secrets.get(&source) {
            let text = masked(excerpt.text.as_deref().unwrap_or_else(|| excerpt.file.text()), secrets);
            excerpt.text = Some(text);
        }
        self.texts.insert(source, excerpt.clone());
        Some(excerpt)
    }

    /// The labels of one file, each no longer than what can be shown of it.
    fn labels<'b>(&mut self, labels: impl Iterator<Item = &'b Label>, report: &Report<'a>) -> Vec<LabeledSpan> {
        let cut = labels.take(SHOWN_LABELS).enumerate().filter_map(|(position, label)| {
            let file = report.sources.get(label.span.source)?;
            let range = visible(file, label.span.range());
            let words = Some(printable(&label.text).into_owned()).filter(|words| !words.is_empty());
            let span = SourceSpan::from(range);
            let primary = position == 0;
            Some(if primary { LabeledSpan::new_primary_with_span(words, span) } else { LabeledSpan::new_with_span(words, span) })
        });
        cut.collect()
    }
}

/// The part of a place that is marked: not past the end of the file, not across many lines, not across a very long one.
fn visible(file: &SourceFile, range: Range<usize>) -> Range<usize> {
    let text = file.text();
    let start = text.floor_char_boundary(range.start.min(text.trim_end_matches(['\n', '\r']).len()));
    let end = text.floor_char_boundary(range.end.clamp(start, start + SHOWN_OF_A_LINE));
    let line = file.line_column(start).line;
    let last = file.line_column(end).line;
    let end = if last - line > SHOWN_LINES { file.line_range(line).end.max(start) } else { end };
    start..end.min(text.len()).max(start)
}

/// A file as miette reads it.
#[derive(Clone)]
struct Excerpt<'a> {
    file: &'a SourceFile,
    /// The printable text, where it differs from that of the file. Offsets are the same.
    text: Option<Arc<str>>,
}

impl<'a> Excerpt<'a> {
    fn of(file: &'a SourceFile) -> Self {
        let text = match printable(file.text()) {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => Some(text.into()),
        };
        Self { file, text }
    }

    fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_else(|| self.file.text())
    }
}

impl SourceCode for Excerpt<'_> {
    fn read_span<'b>(&'b self, span: &SourceSpan, before: usize, after: usize) -> Result<Box<dyn SpanContents<'b> + 'b>, MietteError> {
        let text = self.text();
        let start = text.floor_char_boundary(span.offset());
        let end = text.ceil_char_boundary((span.offset() + span.len()).max(start));
        if end - start > SHOWN_LABELS * SHOWN_OF_A_LINE {
            return Err(MietteError::OutOfBounds);
        }
        let at = self.file.line_column(start);
        let first = self.file.line_range(at.line.saturating_sub(before).max(1)).start;
        let last = self.file.line_range((self.file.line_column(end).line + after).min(self.file.line_count())).end;
        let from = text.ceil_char_boundary(start.saturating_sub(SHOWN_OF_A_LINE).max(first)).min(start);
        let to = text.floor_char_boundary((end + SHOWN_OF_A_LINE).min(last)).max(end);
        let line = self.file.line_column(from).line;
        let lines = self.file.line_column(to).line - line + 1;
        let data = text.get(from..to).unwrap_or("").as_bytes();
        // miette names a place by an excerpt without context, and draws the lines of one with context.
        let (line, column) = if before == 0 && after == 0 { (at.line, at.column - 1) } else { (line, 0) };
        let path = printable(self.file.path()).into_owned();
        Ok(Box::new(MietteSpanContents::new_named(path, data, (from..to).into(), line - 1, column, lines)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;
    use std::time::Instant;

    use super::*;
    use crate::source::SourceMap;
    use crate::source::Span;

    fn finding(range: Range<usize>) -> Finding {
        Finding {
            rule: "public-write",
            severity: Severity::Error,
            level_reason: "`public-write` is `error` by default".to_owned(),
            blocking: false,
            message: "wrong".to_owned(),
            primary: Label::new(Span::new(SourceId::new(0), range), "here"),
            related: Vec::new(),
            help: None,
            witness: None,
            policy: None,
            fix: None,
        }
    }

    fn shown(text: &str, findings: &[Finding]) -> String {
        let sources = SourceMap::new(vec![SourceFile::new("a.yaml", text)]);
        let report = Report { findings, sources: &sources, files: 1, policies: 1, callers: None, revision: None, look: Look::PLAIN };
        let mut out = Vec::new();
        write(&report, &mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn many_findings_are_counted_by_rule_and_few_are_not() {
        let mut findings = vec![finding(0..1); MANY];
        assert!(!shown("a\n", &findings).contains("  public-write\n"));
        findings.push(Finding { rule: "lockout", ..finding(0..1) });
        let text = shown("a\n", &findings);
        assert!(text.ends_with("20  public-write\n 1  lockout\n\n21 errors in 1 of 1 file\n"), "{text}");
    }

    #[test]
    fn a_secret_is_not_shown_by_any_excerpt() {
        let text = "# a: sécret1 and s3cret\nb: s3cret4\n";
        let mut one = finding(5..13);
        one.rule = SECRET_RULE;
        one.related = vec![Label::new(Span::new(SourceId::new(0), 18..24), "another")];
        let mut other = one.clone();
        (other.primary.span, other.related) = (Span::new(SourceId::new(0), 28..35), Vec::new());
        let shown = shown(text, &[finding(0..1), one, other]);
        assert!(shown.contains("# a: ******** and ******") && shown.contains("b: *******"), "{shown}");
        assert!(!shown.contains("cret1") && !shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn a_line_never_ends_inside_a_path() {
        let path = "/a-long/path.to/a-law-book".repeat(8);
        let look = Look { width: 60, ..Look::PLAIN };
        let text = failure(&miette::MietteDiagnostic::new(format!("there is nothing in `{path}` now")).with_help(path.clone()), look);
        assert_eq!(text.matches(&path).count(), 2, "{text}");
    }

    #[test]
    fn no_place_is_too_odd_to_be_shown() {
        let texts = ["", "\n", "a: 1\n", "a: 1", "é: 漢\r\nb: \u{1b}[2J\r\n", "\t\ta\n\n\n\n\n\n\nb"];
        for text in texts {
            for start in 0..=text.len() + 2 {
                for end in start..=text.len() + 2 {
                    let drawing = shown(text, &[finding(start..end)]);
                    assert!(drawing.contains("wrong") && drawing.contains("a.yaml:"), "{text:?} {start}..{end}:\n{drawing}");
                    assert!(!drawing.contains('\u{1b}'), "{drawing:?}");
                }
            }
        }
    }

    #[test]
    fn a_very_long_line_is_cut() {
        let text = format!("a: '{}'\n", "x".repeat(1_000_000));
        let drawing = shown(&text, &[finding(500_000..900_000)]);
        assert!(drawing.contains("a.yaml:1:500001"), "{drawing}");
        assert!(drawing.len() < 4_000, "{}", drawing.len());
    }

    #[test]
    fn a_place_at_the_end_of_a_large_file_is_shown_at_once() {
        let text = "key: value\n".repeat(380_000);
        let end = text.len() - 2;
        let findings: Vec<Finding> = (0..SHOWN_OF_A_RULE).map(|at| finding(end - at..end)).collect();
        let start = Instant::now();
        let drawing = shown(&text, &findings);
        assert!(drawing.contains("a.yaml:380000:"), "{drawing}");
        // Walking the file for each finding takes more than ten times as long.
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }

    #[test]
    fn many_findings_of_one_rule_end_in_a_count() {
        let findings = vec![finding(0..1); SHOWN_OF_A_RULE + 7];
        let drawing = shown("a: 1\n", &findings);
        assert_eq!(drawing.matches("error[public-write]").count(), SHOWN_OF_A_RULE);
        assert!(drawing.contains("7 more findings of `public-write` not shown"), "{drawing}");
        assert!(drawing.ends_with("107 errors in 1 of 1 file\n"), "{drawing}");
    }
}
