//! Bytes to text: the checks that come before any parsing.

use crate::source::MAX_FILE_BYTES;
use crate::source::SourceId;
use crate::source::Span;
use crate::syntax::error::ErrorKind;
use crate::syntax::error::SyntaxError;

/// Why bytes are not the text of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("{message}")]
pub struct DecodeError {
    /// The first byte that is wrong. Everything before it is valid UTF-8, so it can be shown.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What to do next, in the imperative.
    #[help]
    pub help: Option<String>,
}

impl DecodeError {
    fn new(offset: usize, message: impl Into<String>, help: &str) -> Self {
        Self { offset, message: message.into(), help: Some(help.to_owned()) }
    }

    /// The same as an error of a file, with an empty span at the offset.
    pub fn at(self, source: SourceId) -> SyntaxError {
        let span = Span::new(source, self.offset..self.offset);
        SyntaxError { kind: ErrorKind::Encoding, span, message: self.message, help: self.help, related: Vec::new() }
    }
}

/// The text of a file. A UTF-8 byte order mark is accepted and stays in the text, so that offsets are those of the file.
///
/// # Errors
/// When there are more than [`MAX_FILE_BYTES`] bytes, or they are not UTF-8, or contain a NUL.
pub fn decode(bytes: &[u8]) -> Result<&str, DecodeError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(too_large(bytes.len()));
    }
    if looks_like_utf16(bytes) {
        return Err(DecodeError::new(0, "the file is encoded in UTF-16", "save the file as UTF-8"));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => check(text).map(|()| text),
        Err(error) => {
            let offset = error.valid_up_to();
            let byte = bytes.get(offset).copied().unwrap_or_default();
            let message = format!("the file is not UTF-8: byte `0x{byte:02x}` at offset {offset} does not belong there");
            Err(DecodeError::new(offset, message, "save the file as UTF-8"))
        }
    }
}

/// The checks of [`decode`] that text can still fail.
pub(super) fn check(text: &str) -> Result<(), DecodeError> {
    if text.len() > MAX_FILE_BYTES {
        return Err(too_large(text.len()));
    }
    match text.find('\0') {
        Some(offset) => {
            Err(DecodeError::new(offset, format!("the file contains a NUL character at offset {offset}"), "remove the character"))
        }
        None => Ok(()),
    }
}

fn too_large(length: usize) -> DecodeError {
    let message = format!("the file has {length} bytes, and at most {MAX_FILE_BYTES} are read");
    DecodeError::new(0, message, "split the file into smaller ones")
}

/// A UTF-16 byte order mark, or the NUL bytes that ASCII leaves in UTF-16 without one.
fn looks_like_utf16(bytes: &[u8]) -> bool {
    match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => true,
        [a, b, c, d, ..] => (*a == 0) != (*b == 0) && (*a == 0) == (*c == 0) && (*b == 0) == (*d == 0),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: Result<&str, (usize, &str)>) {
        match (decode(bytes), expected) {
            (Ok(text), Ok(expected)) => assert_eq!(text, expected),
            (Err(error), Err((offset, words))) => {
                assert_eq!(error.offset, offset, "{error}");
                assert!(error.message.contains(words), "{error}");
                assert!(std::str::from_utf8(&bytes[..offset]).is_ok());
            }
            (got, expected) => panic!("{got:?} is not {expected:?}"),
        }
    }

    #[test]
    fn bytes_are_text_or_the_first_bad_byte_is_named() {
        check(b"", Ok(""));
        check("é: 漢\r\n".as_bytes(), Ok("é: 漢\r\n"));
        check(b"\xEF\xBB\xBFa: 1", Ok("\u{feff}a: 1"));
        check(b"a: \xFF", Err((3, "`0xff` at offset 3")));
        check(b"a: \xE6\xBC", Err((3, "not UTF-8")));
        check(b"a\0b: 1", Err((1, "NUL")));
        check(b"\xFF\xFEa\0", Err((0, "UTF-16")));
        check(b"\xFE\xFF\0a", Err((0, "UTF-16")));
        check(b"a\0:\0", Err((0, "UTF-16")));
        check(b"\0a\0:", Err((0, "UTF-16")));
        check(&vec![b'#'; MAX_FILE_BYTES + 1], Err((0, "at most 4194304 are read")));
    }

    #[test]
    fn the_largest_file_is_read() {
        assert!(decode(&vec![b'#'; MAX_FILE_BYTES]).is_ok());
    }
}
