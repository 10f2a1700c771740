//! Where one policy stands in the text of its file.

use std::ops::Range;

use crate::schema::Kind;
use crate::source::SourceId;
use crate::syntax;

/// The bytes of the document that holds the policy with this id, comments included. A document that is not even YAML is known
/// by the line that names the id.
pub fn piece(text: &str, id: &str) -> Option<Range<usize>> {
    let documents = syntax::parse(SourceId::new(0), text).documents;
    let named = documents.iter().filter_map(|document| document.root.as_ref()).find(|root| {
        let fields = [Kind::Access, Kind::Control].map(|kind| root.get(kind.id_field()).and_then(|node| node.as_str()));
        fields.contains(&Some(id))
    });
    match named {
        Some(root) => Some(piece_at(text, root.span.range().start)),
        None => syntax::pieces(text)
            .into_iter()
            .find(|piece| text.get(piece.clone()).is_some_and(|text| text.lines().any(|line| names(line, id)))),
    }
}

/// The bytes of the document in which a value stands, comments included.
pub fn piece_at(text: &str, start: usize) -> Range<usize> {
    syntax::pieces(text).into_iter().find(|piece| piece.end > start).unwrap_or(start..text.len())
}

/// Whether a line gives this id to the document that it stands in.
fn names(line: &str, id: &str) -> bool {
    let line = line.trim_start_matches([' ', '{', '\u{feff}']);
    let Some((key, value)) = line.split_once(':') else { return false };
    let bare = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
    let key = bare(key);
    let value = value.split(" #").next().unwrap_or_default().trim().trim_end_matches([',', '}']);
    [Kind::Access, Kind::Control].iter().any(|kind| kind.id_field() == key) && bare(value) == id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, id: &str, expected: Option<&str>) {
        assert_eq!(piece(text, id).map(|piece| &text[piece]), expected, "{text:?}");
    }

    #[test]
    fn a_policy_is_found_by_its_id() {
        let text = "# of A\n_id: A\n---\nid: 'B' # b\n# of B\n";
        check(text, "A", Some("# of A\n_id: A\n"));
        check(text, "B", Some("id: 'B' # b\n# of B\n"));
        check(text, "C", None);
        check("service: {_id: A}\n", "A", None);
    }

    #[test]
    fn a_document_that_is_not_yaml_is_found_by_its_line() {
        let text = "_id: A\nactions: [\n---\n_id: \"B\" # b\nx: [\n";
        check(text, "A", Some("_id: A\nactions: [\n"));
        check(text, "B", Some("_id: \"B\" # b\nx: [\n"));
        check("{\"_id\": \"A\", \"x\": [", "A", None);
        check("{\"_id\": \"A\",\n\"x\": [", "A", Some("{\"_id\": \"A\",\n\"x\": ["));
        check("description: _id\n: [", "_id", None);
    }
}
