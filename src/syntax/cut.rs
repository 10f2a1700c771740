//! One document of several is taken out of a file, with its own lines and nothing else.

use crate::source::Span;
use crate::syntax::Comment;
use crate::syntax::Document;
use crate::syntax::EditError;
use crate::syntax::Node;
use crate::syntax::parse;
use crate::syntax::splice::line_break;
use crate::syntax::splice::line_end;
use crate::syntax::splice::line_start;

/// The text without one document; `None` if no other one says anything.
///
/// `document` is the root of the document as it was parsed from this very text. Its comments go with it, and so does the `---` before
/// it; those that a blank line parts from the first document, on top of the file, stay.
///
/// # Errors
/// When the text is broken, `document` is not of this text, or anything else in the file would change.
pub fn remove_document(text: &str, document: &Node) -> Result<Option<String>, EditError> {
    let before = parse(document.span.source, text);
    if let Some(error) = before.errors.first() {
        return Err(EditError::Broken(error.message.clone()));
    }
    let span = |document: &Document| document.root.as_ref().map(|root| root.span);
    let index = before.documents.iter().position(|found| span(found) == Some(document.span)).ok_or(EditError::Missing)?;
    let rest: Vec<&Document> = before.documents.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, document)| document).collect();
    if rest.iter().all(|document| document.root.is_none()) {
        return Ok(None);
    }
    let (start, end) = extent(text, &before.documents, index);
    let (head, tail) = text.get(..start).zip(text.get(end..)).ok_or(EditError::Missing)?;
    // After `...` a document needs no dashes, and may need them once another one comes before it.
    let candidates = [format!("{head}{tail}"), format!("{head}---{}{tail}", line_break(text, line_end(text, 0)))];
    let stays = |comment: &&Comment| !is_inside(comment.span, start, end);
    let comments: Vec<&str> =
        before.documents.iter().flat_map(|document| &document.comments).filter(stays).map(|comment| comment.text.as_str()).collect();
    let leaves_the_rest = |candidate: &String| {
        let after = parse(document.span.source, candidate);
        let same = |(after, before): (&Document, &&Document)| match (&after.root, &before.root) {
            (Some(after), Some(before)) => after.same_value(before),
            (after, before) => after.is_none() && before.is_none(),
        };
        after.errors.is_empty()
            && after.documents.len() == rest.len()
            && after.documents.iter().zip(&rest).all(same)
            && after
                .documents
                .iter()
                .flat_map(|document| &document.comments)
                .map(|comment| comment.text.as_str())
                .eq(comments.iter().copied())
    };
    candidates.into_iter().find(leaves_the_rest).map(Some).ok_or_else(|| EditError::Refused("this document".to_owned()))
}

fn is_inside(span: Span, start: usize, end: usize) -> bool {
    start <= span.range().start && span.range().end <= end
}

/// Where a document begins and ends in whole lines, with its `---`, or with the one after it if it has none.
fn extent(text: &str, documents: &[Document], index: usize) -> (usize, usize) {
    let dashes = |document: &Document| {
        let start = document.span.range().start;
        text.get(start..).is_some_and(|rest| rest.starts_with("---")).then_some(start)
    };
    let place = |document: &Document| line_start(text, document.span.range().start).max(bom(text));
    let end = documents.get(index + 1).map_or(text.len(), place);
    let Some(document) = documents.get(index) else { return (end, end) };
    if index > 0 {
        return (place(document), end);
    }
    let begin = dashes(document).unwrap_or_else(|| own_lines(text, document));
    // The dashes that would part it from the next one go with it, unless something else stands beside them.
    let bare = documents
        .get(1)
        .and_then(dashes)
        .map(|start| line_end(text, start))
        .filter(|&after| text.get(end..after).map(str::trim) == Some("---"));
    match bare {
        Some(after) if dashes(document).is_none() => (begin, after + line_break(text, after).len()),
        _ => (begin, end),
    }
}

fn bom(text: &str) -> usize {
    if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}

/// The beginning of a first document without dashes: after the comments on top of the file that a blank line parts from it.
fn own_lines(text: &str, document: &Document) -> usize {
    let content = line_start(text, document.span.range().start).max(bom(text));
    let mut own = content;
    let mut at = content;
    while at > bom(text) {
        let above = line_start(text, at - 1 - usize::from(text.get(..at).is_some_and(|before| before.ends_with("\r\n"))));
        let line = text.get(above..at).unwrap_or_default().trim_start_matches('\u{feff}').trim();
        if line.is_empty() {
            // Nothing but blank lines above means that nothing is parted.
            let parted = text.get(bom(text)..above).is_some_and(|head| !head.trim().is_empty());
            return if parted { own } else { bom(text) };
        }
        if !line.starts_with('#') {
            return own;
        }
        at = above;
        own = above.max(bom(text));
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;

    /// Takes out the document that has an `x`.
    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let remove = |text: &str| {
            let parsed = parse(SourceId::new(0), text);
            assert!(parsed.errors.is_empty(), "{text:?}: {:?}", parsed.errors);
            let root = parsed.documents.iter().filter_map(|document| document.root.as_ref()).find(|root| root.get("x").is_some());
            remove_document(text, root.expect("a document"))
        };
        assert_eq!(remove(text), Ok(expected.map(str::to_owned)), "{text:?}");
        let windows = |text: &str| text.replace('\n', "\r\n");
        assert_eq!(remove(&windows(text)), Ok(expected.map(windows)), "{text:?} with the line ends of Windows");
    }

    #[test]
    fn a_document_goes_with_its_dashes_and_its_comments() {
        check("a: 1\n---\n# x\nx: 1 # one\n# end\n---\n# b\nb: 1\n", Some("a: 1\n---\n# b\nb: 1\n"));
        check("a: 1 # A\n# end of a\n---\n# x\nx: 1\n# foot\n", Some("a: 1 # A\n# end of a\n"));
        check("---\n# x\nx: 1\n---\nb: 1", Some("---\nb: 1"));
        check("x: 1\n--- # b\nb: 1\n", Some("--- # b\nb: 1\n"));
        check("# x\nx: 1\n---\n# b\nb: 1\n", Some("# b\nb: 1\n"));
        check("\u{feff}x: 1\n---\nb: 1\n", Some("\u{feff}b: 1\n"));
        check("a: 1\n---\nx: |+\n  text\n\n---\nb: 1\n", Some("a: 1\n---\nb: 1\n"));
        check("a: 1\n--- {x: 1}\n--- {b: 1}\n", Some("a: 1\n--- {b: 1}\n"));
        check("a: 1\n---\nx: 1", Some("a: 1\n"));
    }

    #[test]
    fn what_stands_on_top_of_the_file_stays() {
        check("# modeline\n\n# x\nx: 1\n---\nb: 1\n", Some("# modeline\n\nb: 1\n"));
        check("# modeline\n---\n# x\nx: 1\n---\nb: 1\n", Some("# modeline\n---\nb: 1\n"));
        check("\n\n# x\nx: 1\n---\nb: 1\n", Some("b: 1\n"));
    }

    #[test]
    fn a_file_of_which_nothing_is_left_is_told() {
        check("# only\nx: 1\n", None);
        check("---\nx: 1\n---\n# nothing\n---\n", None);
    }

    #[test]
    fn marks_of_an_end_are_understood() {
        check("a: 1\n...\nx: 1\n...\nb: 1\n", Some("a: 1\n...\nb: 1\n"));
        check("a: 1\n---\nx: 1\n...\nb: 1\n", Some("a: 1\n---\nb: 1\n"));
        check("a: 1\n---\nx: 1\n...\n", Some("a: 1\n"));
    }
}
