//! The parser behind [`parse`]. This is the only file that names it: it turns events into calls of the [`Builder`], and its errors into
//! ours.

use std::borrow::Cow;
use std::ops::Range;

use granit_parser::Event;
use granit_parser::Parser;
use granit_parser::ScalarStyle;
use granit_parser::ScanError;
use granit_parser::StructureStyle;
use granit_parser::Tag;

use crate::source::MAX_FILE_BYTES;
use crate::source::SourceId;
use crate::source::Span;
use crate::syntax::Parsed;
use crate::syntax::build::Builder;
use crate::syntax::build::Halt;
use crate::syntax::build::Properties;
use crate::syntax::build::WrittenTag;
use crate::syntax::decode;
use crate::syntax::error::ErrorKind;
use crate::syntax::error::SyntaxError;
use crate::syntax::hints;
use crate::syntax::limits;
use crate::syntax::node::Style;

/// The documents of a file, and everything that is wrong with it. After an error, reading goes on with the next document.
///
/// Never fails and never panics, whatever the text; time and memory are linear in its length.
pub fn parse(source: SourceId, text: &str) -> Parsed {
    if let Err(error) = decode::check(text) {
        return Parsed { documents: Vec::new(), errors: vec![error.at(source)] };
    }
    let options = granit_parser::options! {
        disallow_directives: true,
        emit_unresolved_aliases: true,
        // The default is a hundred lines of comment in a row, which a law book may well have.
        max_buffered_comment_events: MAX_FILE_BYTES,
        flow_nesting_limit: limits::DEPTH,
        block_nesting_limit: limits::DEPTH,
    };
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder::new(source, text);
    while let Some(next) = parser.next_event() {
        let step = match next {
            Ok((event, span)) => feed(&mut builder, event, &span),
            Err(error) => builder.break_document(translate(source, text, &error)),
        };
        match step {
            Ok(()) => {}
            Err(Halt::File) => break,
            Err(Halt::Document) => {
                if let Err(error) = parser.proceed_next_document() {
                    // Without a boundary to go on from there is no next document; what was found so far stands.
                    let _ = builder.break_document(translate(source, text, &error));
                    break;
                }
            }
        }
    }
    builder.finish()
}

fn feed(builder: &mut Builder<'_>, event: Event<'_>, span: &granit_parser::Span) -> Result<(), Halt> {
    // Spans of text input always have byte offsets; an empty span at the start is only what the types ask for.
    let range = span.byte_range().unwrap_or(0..0);
    match event {
        Event::DocumentStart(..) => return builder.start_document(range.start),
        Event::DocumentEnd => builder.end_document(range),
        Event::Comment(text, _) => builder.comment(range, text.into_owned()),
        Event::Scalar(value, style, anchor, tag) => {
            return builder.scalar(value, range, scalar_style(style), &properties(anchor, tag.as_deref(), span));
        }
        Event::SequenceStart(style, anchor, tag) => {
            return builder.start_sequence(range.start, collection_style(style), &properties(anchor, tag.as_deref(), span));
        }
        Event::MappingStart(style, anchor, tag) => {
            return builder.start_mapping(range.start, collection_style(style), &properties(anchor, tag.as_deref(), span));
        }
        Event::SequenceEnd | Event::MappingEnd => return builder.end_collection(range.end),
        Event::Alias(anchor) => return builder.alias(anchor, range),
        Event::UnresolvedAlias(name) => return builder.unknown_alias(&name, range),
        _ => {}
    }
    Ok(())
}

fn properties<'t>(anchor: usize, tag: Option<&'t Tag>, span: &granit_parser::Span) -> Properties<'t> {
    let tag =
        tag.map(|tag| WrittenTag { core: tag.core_suffix(), range: span.tag_span().and_then(|span| span.byte_range()).unwrap_or(0..0) });
    Properties { anchor: Some(anchor).filter(|&anchor| anchor != 0), tag }
}

fn scalar_style(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::SingleQuoted,
        ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}

fn collection_style(style: StructureStyle) -> Style {
    match style {
        StructureStyle::Block => Style::Block,
        StructureStyle::Flow => Style::Flow,
    }
}

/// The parser's error in our words where it is a frequent one, otherwise in its own.
fn translate(source: SourceId, text: &str, error: &ScanError) -> SyntaxError {
    use granit_parser::ErrorKind as Theirs;
    let at = error.marker().byte_offset().unwrap_or(text.len());
    if let Some((message, help)) = hints::hint(text, at) {
        return SyntaxError::new(ErrorKind::Syntax, Span::new(source, one_character(text, at)), message, help);
    }
    let (kind, message, help): (ErrorKind, Cow<'static, str>, Option<&'static str>) = match error.kind() {
        Theirs::DirectiveDisallowed => (ErrorKind::Unsupported, "directives (`%`) are not supported".into(), Some("remove the line")),
        Theirs::RecursionLimitExceeded => return too_deep(Span::new(source, one_character(text, at))),
        Theirs::UnclosedFlowCollection { open } => {
            (ErrorKind::Syntax, format!("`{open}` is never closed").into(), Some("close the bracket"))
        }
        Theirs::MismatchedFlowCollectionEnd { open, close } => {
            (ErrorKind::Syntax, format!("`{open}` is closed by `{close}`").into(), Some("close the bracket with its own kind"))
        }
        Theirs::MisplacedFlowCollectionEnd => {
            (ErrorKind::Syntax, "a closing bracket without an opening one".into(), Some("remove the bracket, or quote the value"))
        }
        Theirs::UnclosedQuotedScalar => (ErrorKind::Syntax, "the quote is never closed".into(), Some("close the quote")),
        Theirs::UnknownQuotedScalarEscape => (
            ErrorKind::Syntax,
            "an unknown escape in a double-quoted value".into(),
            Some("double the backslash, or use single quotes, in which backslashes mean nothing"),
        ),
        Theirs::UnexpectedCharacter { character } if matches!(character, '@' | '`' | '%') => {
            (ErrorKind::Syntax, format!("a plain value cannot start with `{character}`").into(), Some("quote the value"))
        }
        Theirs::UnexpectedCharacter { character } => (
            ErrorKind::Syntax,
            format!("the character `{}` cannot stand here", character.escape_default()).into(),
            Some("remove the character, or escape it in double quotes"),
        ),
        Theirs::TabInIndentation | Theirs::TabInBlockIndentation | Theirs::TabInPlainScalar | Theirs::TabNotAllowed => {
            let span = Span::new(source, one_character(text, nearest_tab(text, at)));
            return SyntaxError::new(ErrorKind::Syntax, span, "a tab cannot be used for indentation", "indent with spaces");
        }
        Theirs::InvalidQuotedScalarIndent | Theirs::DocumentIndicatorInQuotedScalar => {
            (ErrorKind::Syntax, "a quoted value goes on in a line that is not indented".into(), Some("close the quote, or indent the line"))
        }
        Theirs::SimpleKeyExpected => {
            (ErrorKind::Syntax, "a key without a `:`".into(), Some("add `:` and a value, or indent the line under the value it continues"))
        }
        Theirs::MappingValueNotAllowed => (
            ErrorKind::Syntax,
            "a `:` starts a value where none can stand".into(),
            Some("quote the text that contains `: `, or check the indentation"),
        ),
        Theirs::BlockSequenceEntryNotAllowed => {
            (ErrorKind::Syntax, "a list cannot start here".into(), Some("start the list on a line of its own, indented"))
        }
        Theirs::BomInsideDocument => (ErrorKind::Syntax, "a byte order mark inside a document".into(), Some("remove the mark")),
        _ => (ErrorKind::Syntax, error.info().into(), None),
    };
    SyntaxError::new(kind, Span::new(source, one_character(text, at)), message, help)
}

/// The error for nesting beyond [`limits::DEPTH`].
pub(super) fn too_deep(span: Span) -> SyntaxError {
    let message = format!("values are nested more than {} levels deep", limits::DEPTH);
    SyntaxError::new(ErrorKind::Limit, span, message, "flatten the value")
}

/// The tab that an error at `at` is about: the parser points at what stands before or after it.
fn nearest_tab(text: &str, at: usize) -> usize {
    let (before, after) = text.split_at(text.floor_char_boundary(at));
    match after.find('\t') {
        _ if before.ends_with('\t') => before.len() - 1,
        Some(offset) => before.len() + offset,
        None => at,
    }
}

/// The character at an offset, or nothing at the end of a line or file.
fn one_character(text: &str, at: usize) -> Range<usize> {
    let start = text.floor_char_boundary(at);
    let rest = text.get(start..).unwrap_or_default();
    let length = rest.chars().next().filter(|c| !matches!(c, '\n' | '\r')).map_or(0, char::len_utf8);
    start..start + length
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each error is written as the text it points at, its kind, and words of its message.
    #[track_caller]
    fn check(text: &str, expected: &[(&str, ErrorKind, &str)]) {
        let parsed = parse(SourceId::new(3), text);
        let got: Vec<_> = parsed.errors.iter().map(|error| (&text[error.span.range()], error.kind, error.message.as_str())).collect();
        assert_eq!(got.len(), expected.len(), "{text:?}: {got:?}");
        for ((place, kind, message), (wanted_place, wanted_kind, words)) in got.into_iter().zip(expected) {
            assert_eq!((place, kind), (*wanted_place, *wanted_kind), "{text:?}: {message}");
            assert!(message.contains(words), "{text:?}: {message}");
        }
    }

    #[test]
    fn errors_are_told_in_our_words_where_they_are() {
        use ErrorKind::*;
        check("%YAML 1.2\n---\na: 1\n", &[("%", Unsupported, "directives")]);
        check("a: [1", &[("[", Syntax, "`[` is never closed")]);
        check("a: [1}", &[("[", Syntax, "`[` is closed by `}`")]);
        check("]", &[("]", Syntax, "closing bracket")]);
        check("é: 'b", &[("'", Syntax, "quote is never closed")]);
        check("a: \"\\q\"", &[("\"", Syntax, "unknown escape")]);
        check("a: @b", &[("@", Syntax, "cannot start with `@`")]);
        check("a: \"\u{7f}\"", &[("\u{7f}", Syntax, "`\\u{7f}` cannot stand here")]);
        check("a: 1\n\tb: 2", &[("\t", Syntax, "tab")]);
        check("a:\n\tb: 2", &[("\t", Syntax, "tab")]);
        check("a: 1\nb\nc: 2\n", &[("b", Syntax, "without a `:`")]);
        check("a: b: c", &[(":", Syntax, "`:` starts a value")]);
        check("a: - b", &[("-", Syntax, "list cannot start here")]);
        check("a: 1\n\u{feff}b: 1", &[("\u{feff}", Syntax, "byte order mark")]);
        check("a\0b", &[("", Encoding, "NUL")]);
    }

    #[test]
    fn reading_goes_on_after_a_broken_document() {
        use ErrorKind::*;
        let text = "a: [1\n---\nb: 2\n---\nc: x: y\n---\nd: 'e\n---\nf: 1\n";
        check(text, &[("[", Syntax, "never closed"), (":", Syntax, "`:`"), ("-", Syntax, "not indented")]);
        let parsed = parse(SourceId::new(0), text);
        let keys: Vec<_> =
            parsed.documents.iter().filter_map(|document| document.root.as_ref()).map(|root| root.entries()[0].key.clone()).collect();
        assert_eq!(keys, ["b", "f"]);
    }
}
