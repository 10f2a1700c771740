//! The fixes of findings, as new texts of files.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::finding::Edit;
use crate::finding::Finding;
use crate::finding::Fix;
use crate::finding::Safety;
use crate::source::SourceId;
use crate::source::SourceMap;

/// What the fixes make of the files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fixed {
    /// The new texts of the files that change.
    pub texts: BTreeMap<SourceId, String>,
    /// How many findings are repaired.
    pub findings: usize,
}

/// The edits that have been taken, by file and first byte: the byte after the last one, and what stands there afterwards.
type Taken<'a> = BTreeMap<SourceId, BTreeMap<usize, (usize, &'a str)>>;

/// Applies every fix that is at most this unsafe. One that overlaps an earlier one waits for the next round.
pub(super) fn apply(findings: &[Finding], sources: &SourceMap, allowed: Safety) -> Fixed {
    let mut taken = Taken::new();
    let mut repaired = 0;
    for fix in findings.iter().filter_map(|finding| finding.fix.as_ref()).filter(|fix| fix.safety <= allowed) {
        let fits = !fix.edits.is_empty() && fix.edits.iter().all(|edit| fits(&taken, edit.span.source, &edit.span.range()));
        if fits || is_taken(fix, &taken) {
            repaired += 1;
        }
        if fits {
            for edit in &fix.edits {
                let range = edit.span.range();
                taken.entry(edit.span.source).or_default().insert(range.start, (range.end, &edit.replacement));
            }
        }
    }
    let texts = taken.into_iter().filter_map(|(source, edits)| Some((source, edited(sources.get(source)?.text(), &edits)?)));
    Fixed { texts: texts.collect(), findings: repaired }
}

/// Whether another finding has asked for exactly this already.
fn is_taken(fix: &Fix, taken: &Taken<'_>) -> bool {
    let has = |edit: &Edit| {
        let range = edit.span.range();
        let known = taken.get(&edit.span.source).and_then(|edits| edits.get(&range.start));
        known == Some(&(range.end, edit.replacement.as_str()))
    };
    !fix.edits.is_empty() && fix.edits.iter().all(has)
}

/// Two edits that touch are kept apart as well: the order of two insertions at one place would be a guess.
fn fits(taken: &Taken<'_>, source: SourceId, range: &Range<usize>) -> bool {
    let Some(edits) = taken.get(&source) else { return true };
    edits.range(..=range.end).next_back().is_none_or(|(_, (end, _))| *end < range.start)
}

/// The text after the edits; `None` when one of them is not in it.
fn edited(text: &str, edits: &BTreeMap<usize, (usize, &str)>) -> Option<String> {
    let mut new = String::with_capacity(text.len());
    let mut done = 0;
    for (&start, &(end, replacement)) in edits {
        new.push_str(text.get(done..start)?);
        text.get(start..end)?;
        new.push_str(replacement);
        done = end;
    }
    new.push_str(text.get(done..)?);
    Some(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Label;
    use crate::finding::Severity;
    use crate::source::SourceFile;
    use crate::source::Span;

    fn finding(safety: Safety, edits: &[(Range<usize>, &str)]) -> Finding {
        let span = |range: &Range<usize>| Span::new(SourceId::new(0), range.clone());
        let edits = edits.iter().map(|(range, text)| Edit { span: span(range), replacement: (*text).to_owned() }).collect();
        Finding {
            rule: "compat-spelling",
            severity: Severity::Warning,
            level_reason: String::new(),
            blocking: false,
            message: String::new(),
            primary: Label::new(span(&(0..0)), ""),
            related: Vec::new(),
            help: None,
            witness: None,
            policy: None,
            fix: Some(Fix { title: String::new(), safety, edits }),
        }
    }

    #[track_caller]
    fn check(findings: &[Finding], allowed: Safety, text: Option<&str>, repaired: usize) {
        let sources = SourceMap::new(vec![SourceFile::new("a", "abcdef")]);
        let fixed = apply(findings, &sources, allowed);
        assert_eq!((fixed.texts.values().next().map(String::as_str), fixed.findings), (text, repaired));
    }

    #[test]
    fn fixes_are_applied_whole_or_not_at_all() {
        let safe = |edits| finding(Safety::Safe, edits);
        check(&[safe(&[(4..5, "E"), (0..1, "A")])], Safety::Safe, Some("AbcdEf"), 1);
        check(&[safe(&[(0..2, "X")]), safe(&[(1..3, "Y"), (5..6, "F")])], Safety::Safe, Some("Xcdef"), 1);
        check(&[safe(&[(0..1, "A")]), safe(&[(0..1, "A")])], Safety::Safe, Some("Abcdef"), 2);
        check(&[finding(Safety::Unsafe, &[(0..1, "A")])], Safety::Safe, None, 0);
        check(&[finding(Safety::Unsafe, &[(0..1, "A")])], Safety::Unsafe, Some("Abcdef"), 1);
        check(&[safe(&[(9..12, "A")])], Safety::Safe, None, 1);
    }
}
