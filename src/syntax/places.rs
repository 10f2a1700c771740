//! Where things stand in the text, where the parser's own positions are too coarse to cut and paste by.
//!
//! The parser places a block scalar at its content, a list under a key at its first item, and an empty value wherever it noticed that
//! nothing comes. All three are found again by walking on from the end of what came before, over what can only be space,
//! comments, properties (`&anchor`, `!tag`) and indicators. The walks never overlap, so together they are linear.

use std::ops::Range;

/// The text of a file, for questions about places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'t> {
    text: &'t str,
}

impl<'t> Places<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text }
    }

    pub(super) fn len(self) -> usize {
        self.text.len()
    }

    /// The text of a range, or nothing if it is none of ours.
    pub(super) fn slice(self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }

    /// The end of the character at `start`.
    pub(super) fn next_character(self, start: usize) -> usize {
        start + self.text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
    }

    /// Where the content of a document may begin that the parser places at `start`: after its `---`, or else after what was `reached`
    /// before.
    pub(super) fn document_content(self, start: usize, reached: usize) -> usize {
        const MARK: char = '\u{feff}';
        if self.text.get(start..).is_some_and(|rest| rest.starts_with("---")) {
            return start + 3;
        }
        let mark = self.text.get(reached..).is_some_and(|rest| rest.starts_with(MARK));
        if mark { reached + MARK.len_utf8() } else { reached }
    }

    /// The next dash of a block sequence, no further than `limit`.
    pub(super) fn dash(self, from: usize, limit: usize) -> Option<usize> {
        let at = self.skip(from, b":?");
        (at <= limit && self.byte(at) == Some(b'-')).then_some(at)
    }

    /// The place for the value of a key that ends at `key_end` and has none: after the colon, or after the key if there is no colon.
    pub(super) fn after_colon(self, key_end: usize) -> Option<usize> {
        let at = self.skip(key_end, b"");
        let colon = self.byte(at) == Some(b':')
            && self.byte(at + 1).is_none_or(|next| matches!(next, b' ' | b'\t' | b'\n' | b'\r' | b',' | b'}' | b']'));
        Some(if colon { at + 1 } else { key_end })
    }

    /// A block scalar from its header to the end of its last line with content, without the line break.
    pub(super) fn block_scalar(self, from: usize, content: Range<usize>) -> Range<usize> {
        let header = self.skip(from, b":?-");
        if header > content.start || !matches!(self.byte(header), Some(b'|' | b'>')) {
            return content;
        }
        let indicators = self.slice(header + 1..content.start).bytes().take_while(|byte| matches!(byte, b'+' | b'-' | b'0'..=b'9')).count();
        let kept = self.slice(content.clone()).trim_end_matches([' ', '\t', '\n', '\r']).len();
        // Spaces at the end of the last line belong to it.
        let spaces = self.slice(content.start + kept..content.end).bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let end = if kept == 0 { header + 1 + indicators } else { content.start + kept + spaces };
        header..end
    }

    /// The first byte from `at` on that is not space, a comment, a property or one of the indicators.
    fn skip(self, mut at: usize, indicators: &[u8]) -> usize {
        while let Some(byte) = self.byte(at) {
            at += match byte {
                b' ' | b'\t' | b'\n' | b'\r' => 1,
                b'#' => self.run(at, |byte| !matches!(byte, b'\n' | b'\r')),
                b'&' | b'!' => self.run(at, |byte| !byte.is_ascii_whitespace()),
                _ if indicators.contains(&byte) => 1,
                _ => return at,
            };
        }
        at
    }

    fn run(self, at: usize, belongs: impl Fn(u8) -> bool) -> usize {
        self.text.as_bytes().get(at..).unwrap_or_default().iter().take_while(|&&byte| belongs(byte)).count()
    }

    fn byte(self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }
}
