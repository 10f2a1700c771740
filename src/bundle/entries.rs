//! What a bundle holds, whatever way it is packed: named entries, what is signed about them, and how much there may be.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use serde::Serialize;

use crate::bundle::digest::Digest;
use crate::bundle::digest::bare_hex;

/// The files of a bundle by name, `/` between the parts of a name.
pub type Entries = BTreeMap<String, Vec<u8>>;

/// The longest name of an entry, in bytes: what the name field of a ustar header holds.
pub const MAX_NAME_BYTES: usize = 100;

/// How much a bundle may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest envelope, in bytes.
    pub envelope_bytes: u64,
    /// The largest archive, in bytes.
    pub archive_bytes: u64,
    /// The largest sum of all unpacked entries, in bytes.
    pub unpacked_bytes: u64,
    /// How many times larger than the archive its entries may be, in sum, once they are above 1 MiB.
    pub ratio: u64,
    /// The largest number of entries.
    pub entries: usize,
}

impl Default for Limits {
    /// Room for a law book some ten times larger than a hundred thousand policies: 1 MiB, 256 MiB, 1 GiB, 250 times, 64 entries.
    fn default() -> Self {
        Self { envelope_bytes: 1024 * 1024, archive_bytes: 256 * 1024 * 1024, unpacked_bytes: 1024 * 1024 * 1024, ratio: 250, entries: 64 }
    }
}

/// What is signed about one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryMeta {
    /// Its name.
    pub name: String,
    /// Its size, in bytes.
    pub size: u64,
    /// Its digest, 64 hexadecimal digits on the wire.
    #[serde(with = "bare_hex")]
    pub sha256: Digest,
}

/// What is signed about the entries, in the order of the archive.
pub fn describe(entries: &Entries) -> Vec<EntryMeta> {
    entries.iter().map(|(name, bytes)| EntryMeta { name: name.clone(), size: bytes.len() as u64, sha256: Digest::of(bytes) }).collect()
}

/// The identity of a content, whatever compressor packed it: the SHA-256 of the line `lawbook-content-v1`, and then for each
/// entry, in byte order of the names, of a line `DIGEST SIZE NAME` (the digest as 64 hexadecimal digits, the size as a
/// decimal number of bytes). Every line ends with one line feed; a name holds neither spaces nor line feeds.
pub fn content_digest(entries: &[EntryMeta]) -> Digest {
    let mut sorted: Vec<&EntryMeta> = entries.iter().collect();
    sorted.sort_by(|left, right| left.name.cmp(&right.name));
    let mut text = String::from("lawbook-content-v1\n");
    for entry in sorted {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} {} {}", entry.sha256.hex(), entry.size, entry.name);
    }
    Digest::of(text.as_bytes())
}

/// Why a name is not allowed, if it is not. Names are plain ASCII, so that no two of them look alike and no system reads
/// a drive, a stream or another separator into them.
pub(super) fn name_problem(name: &str) -> Option<&'static str> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        return Some("it must have 1 to 100 bytes");
    }
    if name.starts_with('/') {
        return Some("it is absolute");
    }
    if name.contains('\\') {
        return Some("it has a backslash");
    }
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Some("it has an empty part, `.` or `..`");
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte)) {
        return Some("it has a character other than letters, digits, `.`, `_`, `-` and `/`");
    }
    None
}

/// Two names that are equal but for their case.
pub(super) fn collision<'a>(names: impl Iterator<Item = &'a str>) -> Option<(&'a str, &'a str)> {
    let mut seen = BTreeMap::new();
    names.into_iter().find_map(|name| seen.insert(name.to_ascii_lowercase(), name).map(|first| (first, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<EntryMeta> {
        let entries = [(".manifest", "{}"), ("lawbook/policies.json", "[]")];
        describe(&entries.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into())
    }

    /// The text is written out here, so that the format cannot change unseen.
    #[test]
    fn the_content_digest_is_that_of_the_documented_text() {
        let text = "lawbook-content-v1\n\
            44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a 2 .manifest\n\
            4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945 2 lawbook/policies.json\n";
        assert_eq!(content_digest(&sample()), Digest::of(text.as_bytes()));
    }

    #[test]
    fn the_content_digest_does_not_depend_on_the_order_of_the_list() {
        let mut list = sample();
        let digest = content_digest(&list);
        list.reverse();
        assert_eq!(content_digest(&list), digest);
        list[0].size += 1;
        assert_ne!(content_digest(&list), digest);
    }
}
