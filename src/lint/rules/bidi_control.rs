//! An invisible character that changes the order in which text is shown.

use crate::finding::Edit;
use crate::finding::Level;
use crate::finding::Safety;
use crate::lint::Book;
use crate::lint::Check;
use crate::lint::Draft;
use crate::lint::Rule;
use crate::lint::Sink;
use crate::source::SourceId;
use crate::source::Span;

pub(super) static RULE: Rule = Rule {
    name: "bidi-control",
    summary: "a file contains characters that change the order in which text is shown",
    default: Level::Error,
    blocking: false,
    check: Check::Book(check),
    page: include_str!("../../../docs/rules/bidi-control.md"),
};

/// How many lines of one file are told; more say nothing new.
const LINES_PER_FILE: usize = 100;

fn name(char: char) -> Option<&'static str> {
    Some(match char {
        '\u{061c}' => "arabic letter mark",
        '\u{200e}' => "left-to-right mark",
        '\u{200f}' => "right-to-left mark",
        '\u{202a}' => "left-to-right embedding",
        '\u{202b}' => "right-to-left embedding",
        '\u{202c}' => "pop directional formatting",
        '\u{202d}' => "left-to-right override",
        '\u{202e}' => "right-to-left override",
        '\u{2066}' => "left-to-right isolate",
        '\u{2067}' => "right-to-left isolate",
        '\u{2068}' => "first strong isolate",
        '\u{2069}' => "pop directional isolate",
        _ => return None,
    })
}

fn check(book: &Book, sink: &mut Sink) {
    for source in book.files.iter().map(|file| file.source).chain(book.directory_source) {
        let text = book.sources.get(source).map_or("", |source| source.text());
        // No character of ASCII is one of them, and most files hold nothing else.
        if text.is_ascii() {
            continue;
        }
        let mut start = 0;
        let lines = text.split_inclusive('\n').map(|line| {
            start += line.len();
            (start - line.len(), line)
        });
        for draft in lines.filter_map(|(start, line)| draft(source, start, line)).take(LINES_PER_FILE) {
            sink.report(draft);
        }
    }
}

/// One finding per line, so that a line can be suppressed as one.
fn draft(source: SourceId, start: usize, line: &str) -> Option<Draft> {
    let found: Vec<(Span, char, &str)> = line
        .char_indices()
        .filter_map(|(at, char)| name(char).map(|name| (Span::new(source, start + at..start + at + char.len_utf8()), char, name)))
        .collect();
    let &(span, char, name) = found.first()?;
    let message = format!(
        "this line contains an invisible character, U+{:04X} ({name}), and may be shown in another order than it is read",
        u32::from(char)
    );
    let edits = found.iter().map(|&(span, ..)| Edit { span, replacement: String::new() }).collect();
    let draft =
        found.iter().skip(1).take(3).fold(Draft::new(span, message), |draft, &(span, char, name)| {
            draft.related(span, format!("U+{:04X} ({name})", u32::from(char)))
        });
    Some(
        draft
            .label(name)
            .help("remove it: what a reviewer reads has to be what the policy says")
            // Inside a quoted value the character is part of the value, so that removing it needs a look.
            .fix("remove the invisible characters of the line", Safety::Unsafe, edits),
    )
}
