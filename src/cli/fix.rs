//! The fixes of findings, as new texts of files.

use std::collections::BTreeMap;

use crate::finding;
use crate::finding::Edit;
use crate::finding::Finding;
use crate::finding::Safety;
use crate::source::SourceId;
use crate::source::SourceMap;

/// The new texts of the files that change when every fix is applied that is at most this unsafe. A fix that meets an
/// earlier one waits for the next round.
pub(super) fn texts(findings: &[Finding], sources: &SourceMap, allowed: Safety) -> BTreeMap<SourceId, String> {
    let fixes = findings.iter().filter_map(|finding| finding.fix.as_ref()).filter(|fix| fix.safety <= allowed);
    let mut by_file: BTreeMap<SourceId, Vec<&Edit>> = BTreeMap::new();
    for edit in finding::compatible(fixes) {
        by_file.entry(edit.span.source).or_default().push(edit);
    }
    let text = |(source, edits): (SourceId, Vec<&Edit>)| {
        let before = sources.get(source)?.text();
        finding::apply(source, before, edits).filter(|after| after != before).map(|after| (source, after))
    };
    by_file.into_iter().filter_map(text).collect()
}
