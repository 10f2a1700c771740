//! Files as the analysis sees them: text with an identity, and places inside it.
//!
//! Everything after this module speaks of places as [`Span`]s (a file and a range of bytes). Lines and
//! columns exist only where somebody reads them, and are looked up here, in a table made once per file.

use std::ops::Range;
use std::sync::Arc;
use std::sync::OnceLock;

/// The largest file that is read, in bytes. A policy is a page of text; anything near this size is a mistake or an attack.
pub const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;

/// A file of one [`SourceMap`], by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(u32);

impl SourceId {
    /// The id of the file at `index` in its map.
    pub fn new(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The position of the file in its map.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A range of bytes in one file; `end` is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Span {
    /// The span of `range` in `source`. Offsets saturate; files are far smaller than `u32::MAX` (see [`MAX_FILE_BYTES`]).
    pub fn new(source: SourceId, range: Range<usize>) -> Self {
        let start = u32::try_from(range.start).unwrap_or(u32::MAX);
        let end = u32::try_from(range.end).unwrap_or(u32::MAX);
        Self { source, start, end: end.max(start) }
    }

    /// The bytes of the span.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A place for people: both numbers count from 1, columns count Unicode scalar values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// One file: where it is in its repository, and what it says.
#[derive(Debug, Clone)]
pub struct SourceFile {
    path: Arc<str>,
    text: Arc<str>,
    lines: OnceLock<Vec<u32>>,
    characters: OnceLock<Vec<u32>>,
}

/// How many bytes stand between two entries of the table of characters, which keeps a column of a very long line cheap.
const BLOCK: usize = 4096;

impl SourceFile {
    /// A file at `path` (relative to the root of the law book, `/` between its parts).
    pub fn new(path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self { path: path.into(), text: text.into(), lines: OnceLock::new(), characters: OnceLock::new() }
    }

    /// The path, relative to the root of the law book, with `/` between its parts.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The text. A file that is not UTF-8 keeps its valid beginning.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text between two bytes, or as much of it as there is.
    pub fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or("")
    }

    /// The line and column of a byte; a byte past the end gives the place after the last character.
    pub fn line_column(&self, offset: usize) -> LineColumn {
        let starts = self.line_starts();
        let offset = offset.min(self.text.len());
        let line = starts.partition_point(|&start| start as usize <= offset).max(1);
        let start = starts.get(line - 1).map_or(0, |&start| start as usize);
        let characters = match self.text.as_bytes().get(start..offset) {
            Some(near) if near.len() <= BLOCK => characters_in(near),
            // Only a very long line needs to be counted in blocks.
            _ => self.characters_before(offset).saturating_sub(self.characters_before(start)),
        };
        LineColumn { line, column: characters + 1 }
    }

    /// How many lines the file has; an empty file has one.
    pub fn line_count(&self) -> usize {
        self.line_starts().len()
    }

    /// The bytes of a line (counted from 1), without its end; empty past the last line.
    pub fn line_range(&self, line: usize) -> Range<usize> {
        let starts = self.line_starts();
        let start = line.checked_sub(1).and_then(|index| starts.get(index)).map_or(self.text.len(), |&start| start as usize);
        let end = starts.get(line).map_or(self.text.len(), |&next| next as usize);
        let kept = self.slice(start..end).trim_end_matches(['\n', '\r']).len();
        start..start + kept
    }

    /// How many characters start before a byte.
    fn characters_before(&self, offset: usize) -> usize {
        let bytes = self.text.as_bytes();
        let blocks = self.characters.get_or_init(|| {
            let sums = bytes.chunks(BLOCK).scan(0_usize, |sum, block| {
                let before = *sum;
                *sum += characters_in(block);
                Some(u32::try_from(before).unwrap_or(u32::MAX))
            });
            sums.collect()
        });
        // The last block also answers for the end of the text, which may lie exactly behind it.
        let block = (offset / BLOCK).min(blocks.len().saturating_sub(1));
        let before = blocks.get(block).map_or(0, |&sum| sum as usize);
        before + characters_in(bytes.get(block * BLOCK..offset).unwrap_or(&[]))
    }

    fn line_starts(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
            std::iter::once(0).chain(breaks.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX))).collect()
        })
    }
}

/// How many characters start in some bytes of UTF-8.
fn characters_in(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
}

/// The files of one law book, in byte order of their paths.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// The files in the given order; [`SourceId`]s are positions in it.
    pub fn new(files: Vec<SourceFile>) -> Self {
        Self { files }
    }

    /// Makes room for so many more files.
    pub fn reserve(&mut self, more: usize) {
        self.files.reserve(more);
    }

    /// Adds a file and names it.
    pub fn push(&mut self, file: SourceFile) -> SourceId {
        self.files.push(file);
        SourceId::new(self.files.len() - 1)
    }

    /// The file, if the id is of this map.
    pub fn get(&self, id: SourceId) -> Option<&SourceFile> {
        self.files.get(id.index())
    }

    /// The path of the file, or `?` for an id of another map.
    pub fn path(&self, id: SourceId) -> &str {
        self.get(id).map_or("?", SourceFile::path)
    }

    /// The line and column at which a span starts.
    pub fn line_column(&self, span: Span) -> LineColumn {
        self.get(span.source).map_or(LineColumn { line: 1, column: 1 }, |file| file.line_column(span.start as usize))
    }

    /// The text of a span.
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.source).map_or("", |file| file.slice(span.range()))
    }

    /// All files with their ids, in order.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &SourceFile)> {
        self.files.iter().enumerate().map(|(index, file)| (SourceId::new(index), file))
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, offset: usize, line: usize, column: usize) {
        assert_eq!(SourceFile::new("a.yaml", text).line_column(offset), LineColumn { line, column }, "{text:?} at {offset}");
    }

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        check("", 0, 1, 1);
        check("ab\ncd", 0, 1, 1);
        check("ab\ncd", 2, 1, 3);
        check("ab\ncd", 3, 2, 1);
        check("é漢x", 5, 1, 3);
        check("a\n", 2, 2, 1);
        check("a", 99, 1, 2);
        let long = "é".repeat(BLOCK);
        check(&long, long.len(), 1, BLOCK + 1);
        check(&long, long.len() - 2, 1, BLOCK);
        check(&format!("a\n{long}"), 2 + BLOCK + BLOCK / 2, 2, 3 * BLOCK / 4 + 1);
    }

    #[test]
    fn a_line_is_given_without_its_end() {
        let file = SourceFile::new("a.yaml", "one\r\ntwo\n");
        assert_eq!(file.slice(file.line_range(1)), "one");
        assert_eq!(file.slice(file.line_range(2)), "two");
        assert_eq!(file.slice(file.line_range(3)), "");
        assert_eq!(file.line_range(9), 9..9);
    }
}
