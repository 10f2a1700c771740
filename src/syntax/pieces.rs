//! The text of a file divided among its documents, byte for byte, comments included.
//!
//! A line that begins with `---` or `...` ends a document wherever it stands, also inside a block scalar. So the lines alone
//! tell where a document ends, whatever is wrong inside of it.

use std::ops::Range;

/// A line that parts documents: where it begins, and where what belongs to the next document does.
struct Marker {
    line: usize,
    after: usize,
    starts: bool,
}

/// The bytes of each document, in order, without the markers (`---`, `...`) between them and without a byte order mark. What
/// stands on the line of a `---` belongs to its document, and comments on top of the file to the first one. A part between two
/// markers that says nothing has a piece too.
pub fn pieces(text: &str) -> Vec<Range<usize>> {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut pieces: Vec<Range<usize>> = Vec::new();
    let mut from = start;
    for marker in markers(text, start) {
        let on_top = from == start && pieces.is_empty() && marker.starts;
        let before = text.get(from..marker.line).unwrap_or_default();
        let skipped = on_top && before.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        if skipped && !before.trim().is_empty() {
            // Comments on top of a file stand before its first `---`, and are of its first document all the same.
            continue;
        }
        if !skipped {
            pieces.push(from..marker.line);
        }
        from = marker.after;
    }
    pieces.push(from..text.len());
    pieces
}

fn markers(text: &str, start: usize) -> impl Iterator<Item = Marker> {
    let line_starts = std::iter::once(start).chain(text.match_indices(['\n', '\r']).map(|(at, _)| at + 1));
    line_starts.filter_map(move |line| {
        let rest = text.get(line..)?;
        let starts = rest.starts_with("---");
        if !starts && !rest.starts_with("...") {
            return None;
        }
        let behind = rest.get(3..)?;
        if !behind.is_empty() && !behind.starts_with([' ', '\t', '\n', '\r']) {
            return None;
        }
        let end = behind.find(['\n', '\r']).unwrap_or(behind.len());
        let bare = !starts || behind.get(..end).is_none_or(|words| words.trim().is_empty());
        let line_break = if behind.get(end..)?.starts_with("\r\n") { 2 } else { usize::from(end < behind.len()) };
        Some(Marker { line, after: if bare { line + 3 + end + line_break } else { line + 3 }, starts })
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::source::SourceId;
    use crate::syntax::Node;
    use crate::syntax::parse;

    const LINES: [&str; 14] =
        ["---", "--- # c", "--- {a: 1}", "...", "... # c", "a: 1", "b: [1]", "# c", "", "c: |", "  ---", "  x", "----", "- [x"];

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&str> = pieces(text).into_iter().map(|piece| &text[piece]).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn a_file_is_divided_at_its_markers() {
        check("", &[""]);
        check("a: 1", &["a: 1"]);
        check("\u{feff}a: 1\n", &["a: 1\n"]);
        check("---\na: 1\n", &["a: 1\n"]);
        check("# top\n\n---\na: 1\n---\nb: 1\n", &["# top\n\n---\na: 1\n", "b: 1\n"]);
        check("# top\na: 1\n# a\n--- # b\nb: 1\n# end\n", &["# top\na: 1\n# a\n", " # b\nb: 1\n# end\n"]);
        check("--- {a: 1}\n--- {b: 1}\n", &[" {a: 1}\n", " {b: 1}\n"]);
        check("a: 1\r\n---\r\nb: 1\r\n", &["a: 1\r\n", "b: 1\r\n"]);
        check("a: 1\r---\rb: 1\r", &["a: 1\r", "b: 1\r"]);
    }

    #[test]
    fn only_a_marker_is_one() {
        check("a: |\n  ---\n  x\n", &["a: |\n  ---\n  x\n"]);
        check("a: 1\n----\n", &["a: 1\n----\n"]);
        check("a: |\n  x\n---\nb: 1\n", &["a: |\n  x\n", "b: 1\n"]);
        check("a: 1\n...\nb: 1\n", &["a: 1\n", "b: 1\n"]);
        check("a: 1\n...\n# between\n---\nb: 1\n...\n", &["a: 1\n", "# between\n", "b: 1\n", ""]);
        check("a: [\n---\nb: 1", &["a: [\n", "b: 1"]);
    }

    proptest! {
        #[test]
        fn a_piece_says_what_its_document_says(lines in vec(select(LINES.to_vec()), 0..12), ending in select(vec!["\n", "\r\n"])) {
            let text: String = lines.iter().map(|line| format!("{line}{ending}")).collect();
            let parsed = parse(SourceId::new(0), &text);
            let pieces = pieces(&text);
            let mut last = None;
            for root in parsed.documents.iter().filter_map(|document| document.root.as_ref()) {
                let start = root.span.range().start;
                let at = pieces.iter().position(|piece| piece.contains(&start) || piece.end == start && start == text.len());
                let at = at.expect("a piece");
                prop_assert!(last < Some(at), "{text:?}: two documents in a piece");
                last = Some(at);
                let alone = parse(SourceId::new(0), &text[pieces[at].clone()]);
                let values: Vec<_> = alone.documents.iter().filter_map(|document| document.root.as_ref()).map(Node::to_json).collect();
                prop_assert_eq!(values, vec![root.to_json()], "{:?}", &text);
            }
        }
    }
}
