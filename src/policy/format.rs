//! The canonical form of a policy file: the order of its keys, and the spellings of its conditions.
//!
//! A file is moved about in whole lines and never printed anew, so whatever people wrote stays: comments, quotes, blank
//! lines, line ends. A comment above a key travels with the key; one inside a value, with the value; the ones on top of a
//! document and at its end stay there. A document in brackets (JSON) keeps its order, and only its conditions change.
//!
//! The splitting need not be right about every corner of YAML: the result is read again, and refused if it says anything
//! other than before, or has lost a comment.

use std::ops::Range;

use serde_json::Value;

use crate::condition;
use crate::schema::Kind;
use crate::schema::canonical_fields;
use crate::source::SourceId;
use crate::syntax;
use crate::syntax::Document;
use crate::syntax::Node;
use crate::syntax::NodeKind;
use crate::syntax::Style;

/// The field that an access policy may leave out, and that its canonical form has.
const TYPE: &str = "_type";

/// Why a file is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum FormatError {
    /// The file is not YAML.
    #[error("it is not valid YAML: {0}")]
    #[diagnostic(help("repair it; `lawbook check` shows the place"))]
    Broken(String),
    /// The canonical form would say something else.
    #[error("its canonical form would change {0}")]
    #[diagnostic(help("write values that are shared through an anchor out, and end the file with a line break"))]
    Refused(&'static str),
}

/// The canonical form of the text of a file. Its own canonical form is the same text.
///
/// # Errors
/// The text is not YAML, or the form would change what it says.
pub fn format(text: &str) -> Result<String, FormatError> {
    let (mark, body) = text.strip_prefix('\u{feff}').map_or(("", text), |body| ("\u{feff}", body));
    let before = read(body)?;
    let respelled = respell(body, &before);
    let documents = read(&respelled).map_err(|_| FormatError::Refused("the structure of the file"))?;
    let ordered = reorder(&respelled, &documents);
    prove(&before, &ordered)?;
    Ok(format!("{mark}{ordered}"))
}

fn read(text: &str) -> Result<Vec<Document>, FormatError> {
    let parsed = syntax::parse(SourceId::new(0), text);
    match parsed.errors.into_iter().next() {
        Some(error) => Err(FormatError::Broken(error.message)),
        None => Ok(parsed.documents),
    }
}

/// The kind of a document, as far as its id field tells.
fn kind(root: &Node) -> Option<Kind> {
    match (root.get(Kind::Access.id_field()), root.get(Kind::Control.id_field())) {
        (Some(_), None) => Some(Kind::Access),
        (None, Some(_)) => Some(Kind::Control),
        _ => None,
    }
}

fn condition_field(kind: Kind) -> &'static str {
    match kind {
        Kind::Access => "condition",
        Kind::Control => "require",
    }
}

/// The text with canonical spellings in every condition that parses.
fn respell(text: &str, documents: &[Document]) -> String {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for root in documents.iter().filter_map(|document| document.root.as_ref()) {
        let Some(node) = kind(root).and_then(|kind| root.get(condition_field(kind))).filter(|node| !node.aliased) else { continue };
        edits.extend(spelling_edits(text, node));
    }
    edited(text, edits)
}

fn edited(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut new = String::with_capacity(text.len());
    let mut done = 0;
    for (range, replacement) in edits {
        new.push_str(text.get(done..range.start).unwrap_or(""));
        new.push_str(&replacement);
        done = range.end;
    }
    new.push_str(text.get(done..).unwrap_or(""));
    new
}

/// What to change in one condition: each spelling in its place, or, where the quotes do not allow that, the scalar as a whole.
fn spelling_edits(text: &str, node: &Node) -> Vec<(Range<usize>, String)> {
    let Some(decoded) = node.as_str() else { return Vec::new() };
    let spellings = condition::parse(decoded).map(|parsed| parsed.spellings).unwrap_or_default();
    if spellings.is_empty() {
        return Vec::new();
    }
    let wanted = edited(decoded, spellings.iter().map(|spelling| (spelling.range.clone(), spelling.replacement.clone())).collect());
    let in_place: Vec<(Range<usize>, String)> = spellings
        .iter()
        .map(|spelling| (node.locate_range(text, spelling.range.clone()).range(), escaped(&spelling.replacement, node.style)))
        .collect();
    if condition_after(&edited(text, in_place.clone()), node).as_deref() == Some(&*wanted) {
        return in_place;
    }
    vec![(node.span.range(), Value::from(wanted).to_string())]
}

/// The text of the condition that begins where `node` does, in a text that has been edited from there on.
fn condition_after(text: &str, node: &Node) -> Option<String> {
    let documents = read(text).ok()?;
    let roots = documents.iter().filter_map(|document| document.root.as_ref());
    let mut conditions = roots.filter_map(|root| root.get(condition_field(kind(root)?)));
    conditions.find(|found| found.span.start == node.span.start).and_then(Node::as_str).map(str::to_owned)
}

fn escaped(text: &str, style: Style) -> String {
    match style {
        Style::SingleQuoted => text.replace('\'', "''"),
        Style::DoubleQuoted => text.replace('\\', "\\\\").replace('"', "\\\""),
        _ => text.to_owned(),
    }
}

/// The text with the keys of every document in canonical order.
fn reorder(text: &str, documents: &[Document]) -> String {
    let edits = documents.iter().filter_map(|document| {
        let root = document.root.as_ref()?;
        let pieces = Pieces::new(text, root)?;
        Some((pieces.range.clone(), pieces.canonical(text, kind(root)?)))
    });
    let mut new = edited(text, edits.collect());
    // A last line without an end is given one, unless that would add a line break to a block scalar.
    let open = documents.last().and_then(|document| document.root.as_ref()).is_some_and(ends_in_block_scalar);
    if !new.is_empty() && !new.ends_with('\n') && !open {
        new.push_str(line_end(text));
    }
    new
}

fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// A block mapping in whole lines: for each key, what stands above it and its value.
struct Pieces {
    range: Range<usize>,
    indent: String,
    entries: Vec<Piece>,
    /// The blank lines after the last value.
    tail: Range<usize>,
}

struct Piece {
    key: String,
    range: Range<usize>,
    /// Whether blank lines below would become part of the value.
    takes_blank_lines: bool,
}

impl Pieces {
    /// `None` for a document in brackets, and for one whose keys do not each begin a line.
    fn new(text: &str, root: &Node) -> Option<Self> {
        let NodeKind::Mapping(entries) = &root.kind else { return None };
        if root.style != Style::Block || root.aliased {
            return None;
        }
        let first = entries.first()?.key_span.range().start;
        let indent = text.get(line_start(text, first)..first)?.to_owned();
        let mut pieces: Vec<Piece> = Vec::with_capacity(entries.len());
        let mut start = own_comments(text, line_start(text, first));
        let begin = start;
        for (at, entry) in entries.iter().enumerate() {
            let key = entry.key_span.range().start;
            if text.get(line_start(text, key)..key)? != indent || !indent.chars().all(|char| char == ' ') {
                return None;
            }
            let content = content_end(text, entry.key_span.range().end, &entry.value);
            let next = entries.get(at + 1).map_or(text.len(), |next| line_start(text, next.key_span.range().start));
            let end = content + belongs_to_value(text.get(content..next)?, indent.len(), ends_in_block_scalar(&entry.value));
            let takes_blank_lines = ends_in_kept_lines(text, &entry.value);
            pieces.push(Piece { key: entry.key.clone(), range: start..end, takes_blank_lines });
            start = end;
        }
        let tail = start..start + blank_lines(text.get(start..)?);
        Some(Self { range: begin..tail.end, indent, entries: pieces, tail })
    }

    /// The lines in canonical order.
    fn canonical(mut self, text: &str, kind: Kind) -> String {
        let fields = canonical_fields(kind);
        let rank = |key: &str| fields.iter().position(|field| *field == key).unwrap_or(fields.len());
        let first = self.entries.first().map(|piece| piece.range.start);
        self.entries.sort_by_key(|piece| rank(&piece.key));
        let typed = kind != Kind::Access || self.entries.iter().any(|piece| piece.key == TYPE);
        let mut new = String::new();
        let mut above_takes_blank_lines = false;
        for (at, piece) in self.entries.iter().enumerate() {
            let lines = text.get(piece.range.clone()).unwrap_or("");
            // Blank lines part a key from the one above it; where there is none above it any more, they part nothing.
            let moved_up = at == 0 && Some(piece.range.start) != first;
            let parts_nothing = moved_up || above_takes_blank_lines;
            new.push_str(lines.get(if parts_nothing { blank_lines(lines) } else { 0 }..).unwrap_or(lines));
            above_takes_blank_lines = piece.takes_blank_lines;
            if !new.ends_with('\n') && (at + 1 < self.entries.len() || !typed && piece.key == Kind::Access.id_field()) {
                new.push_str(line_end(text));
            }
            if !typed && piece.key == Kind::Access.id_field() {
                new.push_str(&format!("{}{TYPE}: Policy{}", self.indent, line_end(text)));
                above_takes_blank_lines = false;
            }
        }
        if !above_takes_blank_lines {
            new.push_str(text.get(self.tail).unwrap_or(""));
        }
        new
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |found| found + 1)
}

/// The end of the line at which a value ends, with its trailing comment.
fn content_end(text: &str, key_end: usize, value: &Node) -> usize {
    let end = value.span.range().end.max(key_end);
    if text.get(..end).is_some_and(|before| before.ends_with('\n')) && end > key_end {
        return end;
    }
    text.get(end..).and_then(|rest| rest.find('\n')).map_or(text.len(), |found| end + found + 1)
}

/// Whether the last thing that a value says is a block scalar, which may go on with blank lines.
fn ends_in_block_scalar(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Sequence(items) if node.style == Style::Block => items.last().is_some_and(ends_in_block_scalar),
        NodeKind::Mapping(entries) if node.style == Style::Block => entries.last().is_some_and(|entry| ends_in_block_scalar(&entry.value)),
        _ => matches!(node.style, Style::Literal | Style::Folded) && !node.aliased,
    }
}

/// Whether the last thing that a value says is a block scalar that keeps the blank lines below it (`|+`).
fn ends_in_kept_lines(text: &str, node: &Node) -> bool {
    match &node.kind {
        NodeKind::Sequence(items) if node.style == Style::Block => items.last().is_some_and(|last| ends_in_kept_lines(text, last)),
        NodeKind::Mapping(entries) if node.style == Style::Block => {
            entries.last().is_some_and(|entry| ends_in_kept_lines(text, &entry.value))
        }
        _ => {
            let header = text.get(node.span.range()).and_then(|written| written.lines().next()).unwrap_or("");
            ends_in_block_scalar(node) && header.split('#').next().is_some_and(|header| header.contains('+'))
        }
    }
}

/// The length of the blank lines at the beginning.
fn blank_lines(text: &str) -> usize {
    text.split_inclusive('\n').take_while(|line| line.trim().is_empty()).map(str::len).sum()
}

/// How many bytes of what stands between a value and the next key belong to the value: up to the last comment that is
/// indented deeper than the keys, and the blank lines after a block scalar.
fn belongs_to_value(gap: &str, indent: usize, block_scalar: bool) -> usize {
    let mut kept = 0;
    let mut at = 0;
    let mut blank_so_far = true;
    for line in gap.split_inclusive('\n') {
        let words = line.trim_start_matches([' ', '\t']);
        let blank = words.trim().is_empty();
        if !blank && !words.starts_with('#') {
            break;
        }
        at += line.len();
        blank_so_far &= blank;
        if block_scalar && blank_so_far || !blank && line.len() - words.len() > indent {
            kept = at;
        }
    }
    kept
}

/// Where the comments begin that speak to the first key and not of the document: those that a blank line parts from the
/// ones on top, and one that silences a rule, with what stands between it and the key.
fn own_comments(text: &str, key_line: usize) -> usize {
    let lines_above = |from: usize| std::iter::successors(Some(from), |&at| (at > 0).then(|| line_start(text, at - 1))).skip(1);
    let words = |at: usize| text.get(at..).and_then(|rest| rest.lines().next()).unwrap_or("").trim();
    let block: Vec<usize> = lines_above(key_line).take_while(|&at| words(at).starts_with('#')).collect();
    let top = block.last().copied().unwrap_or(key_line);
    let above = lines_above(top).find(|&at| !words(at).is_empty());
    let parted = lines_above(top).next().is_some_and(|at| words(at).is_empty());
    if parted && above.is_some_and(|at| words(at).starts_with('#')) {
        return top;
    }
    let silences = |at: &&usize| words(**at).trim_start_matches('#').trim_start().starts_with("lawbook:");
    block.iter().rev().find(silences).copied().unwrap_or(key_line)
}

/// Reads the canonical form and compares it with what was there before.
fn prove(before: &[Document], text: &str) -> Result<(), FormatError> {
    let after = read(text).map_err(|_| FormatError::Refused("the structure of the file"))?;
    let comments = |documents: &[Document]| {
        let mut all: Vec<String> =
            documents.iter().flat_map(|document| &document.comments).map(|comment| comment.text.trim_end().to_owned()).collect();
        all.sort();
        all
    };
    if comments(before) != comments(&after) {
        return Err(FormatError::Refused("a comment"));
    }
    let meaning =
        |documents: &[Document]| -> Vec<Value> { documents.iter().filter_map(|document| document.root.as_ref()).map(meaning).collect() };
    if meaning(before) != meaning(&after) {
        return Err(FormatError::Refused("what a policy says"));
    }
    Ok(())
}

/// A document as a value, whatever the order of its keys and the spelling of its condition.
fn meaning(root: &Node) -> Value {
    let mut value = root.to_json();
    let (Some(kind), Some(fields)) = (kind(root), value.as_object_mut()) else { return value };
    if kind == Kind::Access {
        fields.entry(TYPE).or_insert_with(|| "Policy".into());
    }
    if let Some(Value::String(text)) = fields.get_mut(condition_field(kind))
        && let Ok(parsed) = condition::parse(text)
    {
        *text = parsed.expr.to_string();
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(format(text).as_deref(), Ok(expected), "{text}");
        assert_eq!(format(expected).as_deref(), Ok(expected), "its own canonical form");
        let crlf = |text: &str| text.replace('\n', "\r\n");
        assert_eq!(format(&crlf(text)), Ok(crlf(expected)), "with the line ends of Windows");
    }

    #[test]
    fn keys_take_their_order_and_comments_travel_with_them() {
        check(
            "# modeline\n# about the file\n\n# never\nexcept: [eve]\n# who\nmembers: ['*'] # all\n# what\nactions:\n  # reading\n  - read\n  # no more\nservice: report\n\n# the id\n_id: A\n# the end\n",
            "# modeline\n# about the file\n\n# the id\n_id: A\n_type: Policy\nservice: report\n# what\nactions:\n  # reading\n  - read\n  # no more\n# who\nmembers: ['*'] # all\n# never\nexcept: [eve]\n# the end\n",
        );
        check(
            "require: a = 1\nexcept: [eve]\nmembers: ['*']\nid: a\nname: N\ntype: access\n",
            "id: a\nname: N\ntype: access\nmembers: ['*']\nexcept: [eve]\nrequire: a = 1\n",
        );
    }

    #[test]
    fn documents_are_formatted_one_by_one() {
        check(
            "name: N\nid: a\ntype: access\n---\n# b\n_type: Policy\n_id: B\n...\n",
            "id: a\nname: N\ntype: access\n---\n# b\n_id: B\n_type: Policy\n...\n",
        );
    }

    #[test]
    fn a_suppression_stays_above_its_key() {
        check(
            "# top\n# lawbook: ignore(public-write): wiki\nmembers: ['*']\n_id: A\n",
            "# top\n_id: A\n_type: Policy\n# lawbook: ignore(public-write): wiki\nmembers: ['*']\n",
        );
    }

    #[test]
    fn conditions_are_spelled_canonically_and_keep_their_quotes() {
        check("_id: A\ncondition: owner == '{me}'\n", "_id: A\n_type: Policy\ncondition: owner = {me}\n");
        check("_id: A\n_type: Policy\ncondition: 'a == \"x\"'\n", "_id: A\n_type: Policy\ncondition: 'a = ''x'''\n");
        check("_id: A\n_type: Policy\ncondition: \"a <> 'x'\"\n", "_id: A\n_type: Policy\ncondition: \"a != 'x'\"\n");
        check(
            "_id: A\n_type: Policy\ncondition: |\n  a == 1\n  and b == 2\n\ndeny: true\n",
            "_id: A\n_type: Policy\ncondition: |\n  a = 1\n  and b = 2\n\ndeny: true\n",
        );
    }

    #[test]
    fn a_file_in_brackets_keeps_its_order() {
        check(
            "{\"service\": \"x\", \"_id\": \"A\", \"condition\": \"a == 1\"}\n",
            "{\"service\": \"x\", \"_id\": \"A\", \"condition\": \"a = 1\"}\n",
        );
        check("{service: x, _id: A, condition: a <> b} # c\n", "{service: x, _id: A, condition: a != b} # c\n");
    }

    #[test]
    fn block_scalars_keep_their_blank_lines_and_files_get_a_last_line_end() {
        check("description: |+\n  text\n\n_id: A\n", "_id: A\n_type: Policy\ndescription: |+\n  text\n\n");
        assert_eq!(format("service: x\n_id: A").as_deref(), Ok("_id: A\n_type: Policy\nservice: x\n"));
        assert_eq!(format("_id: A\n_type: Policy\ndescription: |\n  text").as_deref(), Ok("_id: A\n_type: Policy\ndescription: |\n  text"));
        assert_eq!(format("").as_deref(), Ok(""));
        assert_eq!(format("# only a comment").as_deref(), Ok("# only a comment\n"));
        assert_eq!(format("\u{feff}name: x\nid: a\n").as_deref(), Ok("\u{feff}id: a\nname: x\n"));
    }

    #[test]
    fn a_change_of_meaning_is_refused() {
        assert_eq!(format("members: &m ['*']\n_id: A\nactions: *m\n"), Err(FormatError::Refused("the structure of the file")));
        assert!(matches!(format("a: [\n"), Err(FormatError::Broken(_))));
    }
}
