//! The wire format of SSH (RFC 4251, section 5) and the armour around it: as much as keys and signatures need.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Reads values from the front of some bytes; `None` from whatever ends early.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// So many bytes.
    pub(super) fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(bytes)?;
        self.rest = rest;
        Some(taken)
    }

    /// A number of four bytes.
    pub(super) fn number(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// Bytes behind their length.
    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    /// A positive integer, without the zeros it begins with; `None` for a negative one.
    pub(super) fn positive(&mut self) -> Option<&'a [u8]> {
        let bytes = self.string()?;
        let is_negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        bytes.get(zeros..).filter(|_| !is_negative)
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

/// Writes bytes behind their length.
pub(super) fn put(out: &mut Vec<u8>, part: &[u8]) {
    out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(part);
}

/// The bytes between the lines `begin` and `end`; `None` when they are not there, or hold something else than base64.
pub(super) fn disarmour(text: &[u8], begin: &str, end: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let body = text.trim().strip_prefix(begin)?.strip_suffix(end)?;
    let plain: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(plain).ok()
}

/// The bytes as lines of base64 between `begin` and `end`.
pub(super) fn armour(bytes: &[u8], begin: &str, end: &str) -> String {
    /// What `ssh-keygen` writes on one line.
    const WIDTH: usize = 70;
    let mut out = format!("{begin}\n");
    for (at, char) in STANDARD.encode(bytes).chars().enumerate() {
        if at > 0 && at % WIDTH == 0 {
            out.push('\n');
        }
        out.push(char);
    }
    out + "\n" + end + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_ends_early_is_nothing() {
        let mut bytes = Vec::new();
        put(&mut bytes, b"abc");
        put(&mut bytes, &[0, 0, 0x90]);
        let mut reader = Reader::new(&bytes);
        assert_eq!((reader.string(), reader.positive(), reader.is_empty()), (Some(&b"abc"[..]), Some(&[0x90][..]), true));
        assert_eq!(reader.string(), None);
        for end in 0..bytes.len() {
            let mut reader = Reader::new(&bytes[..end]);
            assert_eq!(reader.string().and_then(|_| reader.string()), None, "{end}");
        }
        assert_eq!(Reader::new(&[0, 0, 0, 1, 0x80]).positive(), None);
        assert_eq!(Reader::new(&[0xff; 8]).string(), None);
    }

    #[test]
    fn armour_comes_off() {
        let check = |text: &str, expected: Option<&[u8]>| assert_eq!(disarmour(text.as_bytes(), "<", ">").as_deref(), expected, "{text}");
        check("<\nAAEC\r\nAwQ=\n>\n", Some(&[0, 1, 2, 3, 4]));
        check("\n<AAEC>", Some(&[0, 1, 2]));
        let bytes: Vec<u8> = (0..=255).collect();
        check(&armour(&bytes, "<", ">"), Some(&bytes));
        for broken in ["", "<", "<!>", "<AA>", "x<>", "<\u{e9}>"] {
            check(broken, None);
        }
    }
}
