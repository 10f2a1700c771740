//! From a place inside the decoded text of a scalar back to the byte of the file it comes from.
//!
//! The scalar is decoded once more, remembering for each byte of text where it came from. The result counts only if it is exactly
//! the text that the parser saw; so a rule of YAML that is missing here costs precision, never correctness.

use std::ops::Range;

use crate::source::Span;
use crate::syntax::node::Node;
use crate::syntax::node::NodeKind;
use crate::syntax::node::Style;

impl Node {
    /// The byte of the file that byte `offset` of this string's text comes from; `text` is the text of the file.
    ///
    /// Inside an escape it is the backslash. An offset past the end gives the place after the last character. For what is no string,
    /// or stands elsewhere because of an alias, it is the start of the span.
    pub fn locate(&self, text: &str, offset: usize) -> usize {
        match self.trace(text) {
            Some(trace) => trace.origin(offset),
            None => self.span.range().start,
        }
    }

    /// The bytes of the file that a range of this string's text comes from, or the whole span where [`Node::locate`] cannot tell.
    pub fn locate_range(&self, text: &str, range: Range<usize>) -> Span {
        match self.trace(text) {
            Some(trace) => {
                let start = trace.origin(range.start);
                let end = if range.is_empty() { start } else { trace.end_of(range.end - 1) };
                Span::new(self.span.source, start..end.max(start))
            }
            None => self.span,
        }
    }

    fn trace(&self, text: &str) -> Option<Trace> {
        let NodeKind::String(expected) = &self.kind else { return None };
        let raw = Raw { text: text.get(self.span.range())?, base: self.span.range().start };
        match self.style {
            Style::Literal | Style::Folded => block(raw, self.style, expected),
            style => flow(raw, style).filter(|trace| trace.text == *expected),
        }
    }
}

/// The bytes of a scalar in the file, and where they start.
#[derive(Clone, Copy)]
struct Raw<'t> {
    text: &'t str,
    base: usize,
}

/// Decoded text, and for each of its bytes the bytes of the file that its character comes from.
#[derive(Default)]
struct Trace {
    text: String,
    origins: Vec<(usize, usize)>,
    end: usize,
}

impl Trace {
    fn push(&mut self, c: char, origin: Range<usize>) {
        self.text.push(c);
        self.origins.resize(self.text.len(), (origin.start, origin.end));
    }

    fn truncate(&mut self, length: usize) {
        self.text.truncate(length);
        self.origins.truncate(length);
    }

    fn origin(&self, offset: usize) -> usize {
        self.origins.get(offset).map_or(self.end, |&(start, _)| start)
    }

    fn end_of(&self, offset: usize) -> usize {
        self.origins.get(offset).map_or(self.end, |&(_, end)| end)
    }

    /// What line breaks between two lines fold to: one is a space, of several all but the first stay.
    fn push_folded(&mut self, breaks: &[Range<usize>]) {
        match breaks {
            [only] => self.push(' ', only.clone()),
            [_, kept @ ..] => self.push_breaks(kept),
            [] => {}
        }
    }

    fn push_breaks(&mut self, breaks: &[Range<usize>]) {
        for origin in breaks {
            self.push('\n', origin.clone());
        }
    }
}

/// A plain or quoted scalar, of one line or several (YAML 1.2.2, sections 7.3 and 6.5).
fn flow(raw: Raw<'_>, style: Style) -> Option<Trace> {
    let inner = match style {
        Style::SingleQuoted => raw.text.strip_prefix('\'')?.strip_suffix('\'')?,
        Style::DoubleQuoted => raw.text.strip_prefix('"')?.strip_suffix('"')?,
        _ => raw.text,
    };
    let base = raw.base + usize::from(inner.len() < raw.text.len());
    let mut trace = Trace { end: base + inner.len(), ..Trace::default() };
    // What is longer than this is white space as written, which a line break takes with it.
    let mut solid = 0;
    let mut at = 0;
    while let Some(c) = inner.get(at..)?.chars().next() {
        let start = base + at;
        match (c, style) {
            ('\\', Style::DoubleQuoted) => {
                let (decoded, length) = escape(inner.get(at..)?)?;
                at += length;
                match decoded {
                    Some(c) => trace.push(c, start..start + length),
                    None => {
                        let breaks = line_breaks(inner, &mut at, base);
                        trace.push_breaks(breaks.get(1..)?);
                    }
                }
                solid = trace.text.len();
                continue;
            }
            ('\'', Style::SingleQuoted) => {
                at += 2;
                trace.push(c, start..start + 2);
                solid = trace.text.len();
                continue;
            }
            ('\n' | '\r', _) => {
                trace.truncate(solid);
                let breaks = line_breaks(inner, &mut at, base);
                trace.push_folded(&breaks);
                solid = trace.text.len();
                continue;
            }
            _ => {}
        }
        at += c.len_utf8();
        trace.push(c, start..start + c.len_utf8());
        if !matches!(c, ' ' | '\t') {
            solid = trace.text.len();
        }
    }
    Some(trace)
}

/// The line breaks from `at` on with the white space between and after them; moves `at` behind all of it.
fn line_breaks(text: &str, at: &mut usize, base: usize) -> Vec<Range<usize>> {
    let mut breaks = Vec::new();
    while let Some(rest) = text.get(*at..) {
        let length = break_length(rest);
        if length == 0 {
            break;
        }
        breaks.push(base + *at..base + *at + length);
        *at += length;
        let blanks = text.get(*at..).map_or(0, |rest| rest.len() - rest.trim_start_matches([' ', '\t']).len());
        *at += blanks;
    }
    breaks
}

/// The length of the line break at the start of a text.
fn break_length(text: &str) -> usize {
    match text.as_bytes() {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

/// The escape at the start of a text and its length; the character is `None` for an escaped line break, of which only the backslash is
/// counted.
fn escape(text: &str) -> Option<(Option<char>, usize)> {
    let selector = text.chars().nth(1)?;
    let c = match selector {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        ' ' | '"' | '/' | '\\' => selector,
        '\n' | '\r' => return Some((None, 1)),
        'x' => return Some((char::from_u32(hexadecimal(text, 2)?), 4)).filter(|(c, _)| c.is_some()),
        'U' => return Some((char::from_u32(hexadecimal(text, 8)?), 10)).filter(|(c, _)| c.is_some()),
        'u' => {
            let unit = hexadecimal(text, 4)?;
            if let Some(c) = char::from_u32(unit) {
                return Some((Some(c), 6));
            }
            // JSON writes characters beyond the basic plane as two escaped halves.
            let low = text.get(6..).filter(|rest| rest.starts_with("\\u")).and_then(|rest| hexadecimal(rest, 4))?;
            let pair = [u16::try_from(unit).ok()?, u16::try_from(low).ok()?];
            let c = char::decode_utf16(pair).next()?.ok()?;
            return Some((Some(c), 12));
        }
        _ => return None,
    };
    Some((Some(c), 2))
}

fn hexadecimal(escape: &str, digits: usize) -> Option<u32> {
    u32::from_str_radix(escape.get(2..2 + digits)?, 16).ok()
}

/// A block scalar (YAML 1.2.2, section 8.1).
fn block(raw: Raw<'_>, style: Style, expected: &str) -> Option<Trace> {
    let header = raw.text.find(['\n', '\r'])?;
    let body = header + break_length(raw.text.get(header..)?);
    let lines: Vec<Line<'_>> = lines(raw, body);
    let written = |line: &&Line<'_>| !line.text.bytes().all(|byte| byte == b' ');
    let leading = lines.iter().find(written).map_or(0, |line| line.text.len() - line.text.trim_start_matches(' ').len());
    // A digit in the header says that the first line may start with spaces of its own, but counts from an indentation we do not know.
    let explicit = raw.text.bytes().take(3).any(|byte| byte.is_ascii_digit());
    let least = if explicit { 0 } else { leading };
    let wanted = expected.trim_end_matches('\n');
    (least..=leading).rev().take(super::limits::DEPTH).find_map(|indent| {
        let mut trace = unindent(&lines, indent, style)?;
        trace.end = raw.base + raw.text.len();
        (trace.text == wanted).then_some(trace)
    })
}

/// A line of a block scalar: its text, where that starts, and the bytes of the line break after it.
struct Line<'t> {
    text: &'t str,
    start: usize,
    line_break: Range<usize>,
}

fn lines(raw: Raw<'_>, mut at: usize) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    while let Some(rest) = raw.text.get(at..).filter(|rest| !rest.is_empty()) {
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let (text, after) = rest.split_at(length);
        let start = raw.base + at;
        let line_break = start + length..start + length + break_length(after);
        at = line_break.end - raw.base;
        lines.push(Line { text, start, line_break });
    }
    lines
}

fn unindent(lines: &[Line<'_>], indent: usize, style: Style) -> Option<Trace> {
    let mut trace = Trace::default();
    let mut breaks: Vec<Range<usize>> = Vec::new();
    let mut previous_is_text: Option<bool> = None;
    for line in lines {
        if line.text.len() <= indent && line.text.bytes().all(|byte| byte == b' ') {
            breaks.push(line.line_break.clone());
            continue;
        }
        let content = line.text.get(indent..)?;
        // Lines that are indented further keep their line breaks even in a folded scalar.
        let is_text = !content.starts_with([' ', '\t']);
        match previous_is_text {
            Some(true) if style == Style::Folded && is_text => trace.push_folded(&breaks),
            _ => trace.push_breaks(&breaks),
        }
        for (offset, c) in content.char_indices() {
            let start = line.start + indent + offset;
            trace.push(c, start..start + c.len_utf8());
        }
        breaks = vec![line.line_break.clone()];
        previous_is_text = Some(is_text);
    }
    Some(trace)
}

#[cfg(test)]
mod tests {
    use crate::source::SourceId;
    use crate::syntax::Node;
    use crate::syntax::parse;

    fn value(text: &str) -> Node {
        let parsed = parse(SourceId::new(0), text);
        assert!(parsed.errors.is_empty(), "{text:?}: {:?}", parsed.errors);
        parsed.documents[0].root.as_ref().and_then(|root| root.get("a")).cloned().expect("a key `a`")
    }

    /// `needle` is sought in the decoded text; what is found in the file has to be `expected`.
    #[track_caller]
    fn check(text: &str, needle: &str, expected: &str) {
        let node = value(text);
        let offset = node.as_str().and_then(|decoded| decoded.find(needle)).expect("the needle");
        let found = node.locate_range(text, offset..offset + needle.len());
        assert_eq!(&text[found.range()], expected, "{text:?}");
        assert_eq!(node.locate(text, offset), found.range().start);
    }

    #[test]
    fn plain_and_single_quoted_text_is_found() {
        check("a: x = 漢 and y", "漢 and", "漢 and");
        check("a: x\n  b  \n\n  c", "b\nc", "b  \n\n  c");
        check("a: x\n  b  \n  c", "x b c", "x\n  b  \n  c");
        check("é: 1\na: 'it''s here'", "here", "here");
        check("a: 'it''s here'", "'s", "''s");
        check("\u{feff}a: 'x y'", "y", "y");
        check("a: 'x\r\n   y'", "y", "y");
    }

    #[test]
    fn double_quoted_text_is_found_through_escapes() {
        check(r#"a: "x\ty \u00e9 z""#, "z", "z");
        check(r#"a: "x\ty \u00e9 z""#, "é", r"\u00e9");
        check(r#"a: "\ud83d\ude00\/\\ z""#, "😀", r"\ud83d\ude00");
        check(r#"a: "\ud83d\ude00\/\\ z""#, "/\\ z", r"\/\\ z");
        check(r#"a: "\x41\U0001F600\0\a\b\e\f\n\r\v\N\_\L\P\"z""#, "z", "z");
        check("a: \"x \\\n   y\\\n  \\ z\"", "y z", "y\\\n  \\ z");
        check("a: \"x  \n\n   y\"", "\ny", "\n   y");
        check("{\"a\": \"x = 'y'\"}", "'y'", "'y'");
    }

    #[test]
    fn block_text_is_found() {
        check("a: |\n  x\n\n   y\n  z\n", "y\nz", "y\n  z");
        check("a: >-\n  x\n  y\n\n  z\n", "x y", "x\n  y");
        check("a: >-\n  x\n  y\n\n  z\n", "y\nz", "y\n\n  z");
        check("a: >\n  x\n    y\n  z\n", "\n  y\nz", "\n    y\n  z");
        check("a: |2 # c\n   x\n  y\n\nb: 1", " x\ny", " x\n  y");
        check("a: |+\r\n  x\r\n  y\r\n\r\n", "y", "y");
        check("a: |\n\n  x", "\nx", "\n  x");
    }

    #[test]
    fn the_end_is_after_the_last_character() {
        for (text, expected) in [("a: xy", 5), ("a: 'xy'", 6), ("a: |\n  xy\n", 9), ("a: ''", 4)] {
            let node = value(text);
            assert_eq!(node.locate(text, node.as_str().map_or(0, str::len)), expected, "{text:?}");
            assert_eq!(node.locate_range(text, 99..99).range(), expected..expected, "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_traced_is_the_whole_span() {
        let text = "b: &e 'x''y'\na: *e\n";
        let node = value(text);
        assert_eq!(&text[node.locate_range(text, 2..3).range()], "*e");
        assert_eq!(node.locate(text, 2), text.find("*e").unwrap());
        let text = "a: 12";
        assert_eq!(&text[value(text).locate_range(text, 1..2).range()], "12");
        assert_eq!(value("a: xyz").locate("a", 1), 3);
    }
}
