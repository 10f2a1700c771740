//! The archive: one text for one content, and a reader that accepts nothing else.
//!
//! The writer makes a ustar archive with sorted entries, no times, no owners, one mode, and a fixed gzip header, so equal
//! entries give equal bytes. The reader takes a name and a size from each header, and then wants exactly the header that
//! the writer would have made of them. So links, devices, extensions and everything else in which readers of tar disagree
//! are not handled but absent. It runs only on bytes whose digest was signed, and is bounded all the same: all sizes are
//! known from the signed list before the first byte is unpacked, and no read goes beyond them.

use std::io;
use std::io::Read;
use std::io::Write as _;

use flate2::Compression;
use flate2::GzBuilder;
use flate2::bufread::GzDecoder;
use tar::EntryType;
use tar::Header;

use crate::bundle::digest::Digest;
use crate::bundle::entries::Entries;
use crate::bundle::entries::EntryMeta;
use crate::bundle::entries::Limits;
use crate::bundle::entries::collision;
use crate::bundle::entries::name_problem;
use crate::bundle::refusal::Refusal;
use crate::bundle::refusal::printable;

const BLOCK: usize = 512;

/// gzip: deflate, no optional fields, no time, no hint about the effort, unknown system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Level 6 is the one whose header hints at nothing, and the usual balance.
const LEVEL: u32 = 6;

/// Below this size the ratio says nothing: a small file of zeros packs a thousand to one.
const RATIO_FLOOR: u64 = 1024 * 1024;

/// Entries of which no archive can be made.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ArchiveError {
    /// A name is not allowed.
    #[error("the entry `{name}` has an unsafe path: {problem}")]
    #[diagnostic(help("use relative names of letters, digits, `.`, `_`, `-` and `/`"))]
    Name {
        /// The name.
        name: String,
        /// Why it is not allowed.
        problem: &'static str,
    },
    /// Two names are one on a disk that ignores case.
    #[error("the entries `{first}` and `{second}` would be the same file on a disk that ignores case")]
    #[diagnostic(help("rename one of them"))]
    Collision {
        /// The first name.
        first: String,
        /// The second name.
        second: String,
    },
    /// The archive cannot be packed.
    #[error("the archive cannot be packed")]
    #[diagnostic(help("check the memory of this machine, and build again"))]
    Pack(#[source] io::Error),
}

/// Packs the entries. The same entries always give the same bytes.
///
/// # Errors
///
/// When a name is not allowed, two names collide, or packing fails.
pub fn write(entries: &Entries) -> Result<Vec<u8>, ArchiveError> {
    for name in entries.keys() {
        name_problem(name).map_or(Ok(()), |problem| Err(ArchiveError::Name { name: printable(name), problem }))?;
    }
    if let Some((first, second)) = collision(entries.keys().map(String::as_str)) {
        return Err(ArchiveError::Collision { first: first.to_owned(), second: second.to_owned() });
    }
    pack(entries).map_err(ArchiveError::Pack)
}

/// Unpacks an archive that has exactly the `expected` entries, into memory.
///
/// # Errors
///
/// A [`Refusal`] from the size limits to the digests of the entries, at the first thing that is wrong.
pub fn read(archive: &[u8], expected: &[EntryMeta], limits: &Limits) -> Result<Entries, Refusal> {
    check_list(expected, archive.len() as u64, limits)?;
    if !archive.starts_with(&GZIP_HEADER) {
        return Err(malformed("it does not begin with the gzip header of a bundle"));
    }
    let mut unpacked = GzDecoder::new(archive);
    let mut entries = Entries::new();
    while let Some(header) = next_header(&mut unpacked)? {
        let (name, bytes) = next_entry(&header, &mut unpacked, expected, &entries)?;
        entries.insert(name, bytes);
    }
    finish(unpacked)?;
    match expected.iter().find(|meta| !entries.contains_key(&meta.name)) {
        Some(missing) => Err(Refusal::MissingEntry { entry: missing.name.clone() }),
        None => Ok(entries),
    }
}

fn check_list(expected: &[EntryMeta], archive_bytes: u64, limits: &Limits) -> Result<(), Refusal> {
    if expected.len() > limits.entries {
        return Err(Refusal::TooManyEntries { declared: expected.len(), limit: limits.entries });
    }
    for meta in expected {
        check_name(&meta.name)?;
    }
    if let Some((first, second)) = collision(expected.iter().map(|meta| meta.name.as_str())) {
        return Err(Refusal::DuplicateEntry { first: first.to_owned(), second: second.to_owned() });
    }
    let declared = expected.iter().fold(0_u64, |sum, meta| sum.saturating_add(meta.size));
    let limit = limits.unpacked_bytes.min(RATIO_FLOOR.max(archive_bytes.saturating_mul(limits.ratio)));
    if declared > limit { Err(Refusal::DecompressionBomb { declared, limit }) } else { Ok(()) }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    name_problem(name).map_or(Ok(()), |problem| Err(Refusal::UnsafePath { entry: printable(name), problem }))
}

/// The next header, or `None` at the two blocks of zeros that end an archive.
fn next_header(unpacked: &mut impl Read) -> Result<Option<Header>, Refusal> {
    let mut header = Header::new_old();
    fill(unpacked, header.as_mut_bytes())?;
    if header.as_bytes() != &[0; BLOCK] {
        return Ok(Some(header));
    }
    let mut second = [0; BLOCK];
    fill(unpacked, &mut second)?;
    if second == [0; BLOCK] { Ok(None) } else { Err(Refusal::TrailingData) }
}

fn next_entry(header: &Header, unpacked: &mut impl Read, expected: &[EntryMeta], before: &Entries) -> Result<(String, Vec<u8>), Refusal> {
    let raw = String::from_utf8_lossy(&header.path_bytes()).into_owned();
    if header.entry_type() != EntryType::Regular {
        return Err(Refusal::NotARegularFile { entry: printable(&raw) });
    }
    check_name(&raw)?;
    if let Some((first, second)) = collision(before.keys().map(String::as_str).chain([raw.as_str()])) {
        return Err(Refusal::DuplicateEntry { first: first.to_owned(), second: second.to_owned() });
    }
    let Some(meta) = expected.iter().find(|meta| meta.name == raw) else { return Err(Refusal::UnexpectedEntry { entry: raw }) };
    let size = header.entry_size().map_err(|_| malformed("a header has no readable size"))?;
    if size != meta.size {
        return Err(Refusal::EntrySize { entry: raw, signed: meta.size, found: size });
    }
    if before.keys().next_back().is_some_and(|last| *last > raw) {
        return Err(malformed("its entries are not in order"));
    }
    if header_of(&raw, size).ok().as_ref().map(Header::as_bytes) != Some(header.as_bytes()) {
        return Err(malformed("a header is not the one that a bundle has for its entry"));
    }
    let bytes = content(unpacked, size)?;
    let found = Digest::of(&bytes);
    if found != meta.sha256 {
        return Err(Refusal::EntryDigest { entry: raw, signed: meta.sha256, found });
    }
    Ok((raw, bytes))
}

/// The bytes of an entry, and the zeros that fill its last block.
fn content(unpacked: &mut impl Read, size: u64) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    unpacked.take(size).read_to_end(&mut bytes).map_err(|_| malformed("its compressed data is damaged"))?;
    if bytes.len() as u64 != size {
        return Err(malformed("it ends within an entry"));
    }
    let mut padding = vec![0; padding_of(bytes.len())];
    fill(unpacked, &mut padding)?;
    if padding.iter().any(|&byte| byte != 0) {
        return Err(malformed("the space between its entries is not empty"));
    }
    Ok(bytes)
}

/// Nothing may follow: not in the tar archive, and not behind the one gzip member.
fn finish(mut unpacked: GzDecoder<&[u8]>) -> Result<(), Refusal> {
    // Reading to the end of the member also compares its checksum.
    match unpacked.read(&mut [0]) {
        Ok(0) => {}
        Ok(_) => return Err(Refusal::TrailingData),
        Err(_) => return Err(malformed("its checksum is wrong")),
    }
    if unpacked.into_inner().is_empty() { Ok(()) } else { Err(Refusal::TrailingData) }
}

fn fill(unpacked: &mut impl Read, buffer: &mut [u8]) -> Result<(), Refusal> {
    unpacked.read_exact(buffer).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => malformed("it ends too early"),
        _ => malformed("its compressed data is damaged"),
    })
}

fn malformed(problem: &str) -> Refusal {
    Refusal::ArchiveMalformed { problem: problem.to_owned() }
}

fn pack(entries: &Entries) -> io::Result<Vec<u8>> {
    let mut packed = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::new(LEVEL));
    for (name, bytes) in entries {
        packed.write_all(header_of(name, bytes.len() as u64)?.as_bytes())?;
        packed.write_all(bytes)?;
        packed.write_all(&vec![0; padding_of(bytes.len())])?;
    }
    packed.write_all(&[0; 2 * BLOCK])?;
    packed.finish()
}

fn header_of(name: &str, size: u64) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_entry_type(EntryType::Regular);
    header.set_cksum();
    Ok(header)
}

fn padding_of(size: usize) -> usize {
    size.next_multiple_of(BLOCK) - size
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::entries::MAX_NAME_BYTES;
    use crate::bundle::entries::describe;

    fn entries(list: &[(&str, &[u8])]) -> Entries {
        list.iter().map(|&(name, bytes)| (name.to_owned(), bytes.to_vec())).collect()
    }

    fn sample() -> Entries {
        entries(&[(".manifest", b"{}"), ("lawbook/data.json", &[b'x'; 700]), ("lawbook/policies.json", b"")])
    }

    fn gzip(tar: &[u8]) -> Vec<u8> {
        let mut packed = GzBuilder::new().operating_system(255).write(Vec::new(), Compression::new(LEVEL));
        packed.write_all(tar).unwrap();
        packed.finish().unwrap()
    }

    /// A tar archive of headers made by hand, with the entry `a` expected to be `x`.
    #[track_caller]
    fn check_tar(blocks: &[(Header, &[u8])], tail: &[u8], expected: &[EntryMeta], reason: &str) {
        let mut tar = Vec::new();
        for (header, bytes) in blocks {
            tar.extend_from_slice(header.as_bytes());
            tar.extend_from_slice(bytes);
            tar.resize(tar.len().next_multiple_of(BLOCK), 0);
        }
        tar.extend_from_slice(tail);
        check(&gzip(&tar), expected, reason);
    }

    #[track_caller]
    fn check(archive: &[u8], expected: &[EntryMeta], reason: &str) {
        let found = read(archive, expected, &Limits::default());
        assert_eq!(found.as_ref().map_err(Refusal::reason).err(), Some(reason), "{found:?}");
    }

    fn raw_name(name: &[u8], size: u64, change: impl FnOnce(&mut Header)) -> Header {
        let mut header = header_of("a", size).unwrap();
        header.as_mut_bytes()[..100].fill(0);
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        change(&mut header);
        header.set_cksum();
        header
    }

    const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

    #[test]
    fn what_is_written_is_read_back() {
        for list in [sample(), Entries::new(), entries(&[("a", &[7; 512])])] {
            let archive = write(&list).unwrap();
            assert_eq!(read(&archive, &describe(&list), &Limits::default()), Ok(list));
        }
    }

    #[test]
    fn the_same_entries_give_the_same_bytes() {
        let archive = write(&sample()).unwrap();
        assert_eq!(archive, write(&sample()).unwrap());
        assert_eq!(archive[..10], GZIP_HEADER);
        insta::assert_snapshot!(Digest::of(&archive), @"sha256:8365ff269aa67ffd78fca8c3401feb8d5ae526b3f8f07a17f36c0897d954aca4");
    }

    #[test]
    fn a_name_is_relative_plain_and_without_tricks() {
        let long = "x".repeat(101);
        for name in ["/a", "../a", "a/../b", "./a", "a/./b", "a//b", "a/", "", "a\\b", "a\nb", "C:a", "é", "a b", long.as_str()] {
            assert!(matches!(write(&entries(&[(name, b"")])), Err(ArchiveError::Name { .. })), "{name:?}");
            let blocks = [(raw_name(&name.as_bytes()[..name.len().min(100)], 0, |_| {}), &b""[..])];
            if name.len() <= MAX_NAME_BYTES {
                check_tar(&blocks, &END, &describe(&entries(&[("a", b"")])), "unsafe-path");
            }
            check(&write(&sample()).unwrap(), &describe(&entries(&[(name, b"")])), "unsafe-path");
        }
        assert!(matches!(write(&entries(&[("a/B", b""), ("a/b", b"")])), Err(ArchiveError::Collision { .. })));
    }

    #[test]
    fn only_regular_files_are_taken() {
        let list = describe(&entries(&[("a", b"x")]));
        for kind in [b'1', b'2', b'3', b'4', b'5', b'6', b'7', b'x', b'g', b'L', b'K', b'S', b'V', b'\xff'] {
            let header = raw_name(b"a", 1, |header| header.set_entry_type(EntryType::new(kind)));
            check_tar(&[(header, b"x")], &END, &list, "not-a-regular-file");
        }
    }

    #[test]
    fn a_header_is_the_one_the_writer_makes() {
        let list = describe(&entries(&[("a", b"x")]));
        let changes: [fn(&mut Header); 9] = [
            |header| header.set_mode(0o755),
            |header| header.set_uid(1),
            |header| header.set_gid(1),
            |header| header.set_mtime(1),
            |header| header.set_username("root").unwrap(),
            |header| header.set_link_name("b").unwrap(),
            |header| header.as_mut_bytes()[156] = 0,
            |header| header.as_mut_bytes()[257..265].copy_from_slice(b"ustar  \0"),
            |header| header.as_mut_bytes()[500] = 1,
        ];
        for change in changes {
            check_tar(&[(raw_name(b"a", 1, change), b"x")], &END, &list, "archive-malformed");
        }
        let mut wrong = header_of("a", 1).unwrap();
        wrong.as_mut_bytes()[148] ^= 1;
        check_tar(&[(wrong, b"x")], &END, &list, "archive-malformed");
        let mut no_size = header_of("a", 1).unwrap();
        no_size.as_mut_bytes()[124..136].copy_from_slice(b"zzzzzzzzzzz\0");
        check_tar(&[(no_size, b"x")], &END, &list, "archive-malformed");
    }

    #[test]
    fn the_entries_are_exactly_the_signed_ones() {
        let signed = |list: &[(&str, &[u8])]| describe(&entries(list));
        let a = || (header_of("a", 1).unwrap(), &b"x"[..]);
        let b = || (header_of("b", 1).unwrap(), &b"x"[..]);
        let upper = || (header_of("A", 1).unwrap(), &b"x"[..]);
        check_tar(&[a(), a()], &END, &signed(&[("a", b"x")]), "duplicate-entry");
        check_tar(&[upper(), a()], &END, &signed(&[("A", b"x")]), "duplicate-entry");
        check_tar(&[a(), b()], &END, &signed(&[("a", b"x")]), "unexpected-entry");
        check_tar(&[a()], &END, &signed(&[("a", b"x"), ("b", b"x")]), "missing-entry");
        check_tar(&[a()], &END, &signed(&[("a", b"y")]), "entry-digest");
        check_tar(&[a()], &END, &signed(&[("a", b"xx")]), "entry-size");
        check_tar(&[b(), a()], &END, &signed(&[("a", b"x"), ("b", b"x")]), "archive-malformed");
        let twice = [signed(&[("a", b"x")]), signed(&[("a", b"x")])].concat();
        check_tar(&[a()], &END, &twice, "duplicate-entry");
    }

    #[test]
    fn nothing_follows_the_end() {
        let list = describe(&entries(&[("a", b"x")]));
        let a = || (header_of("a", 1).unwrap(), &b"x"[..]);
        let good = write(&entries(&[("a", b"x")])).unwrap();
        check_tar(&[a()], &[&END[..], b"y"].concat(), &list, "trailing-data");
        check_tar(&[a()], &[&END[..], &END].concat(), &list, "trailing-data");
        check_tar(&[a()], &[&[0; BLOCK][..], &[1; BLOCK]].concat(), &list, "trailing-data");
        check(&[good.as_slice(), good.as_slice()].concat(), &list, "trailing-data");
        check(&[good.as_slice(), b"x"].concat(), &list, "trailing-data");
        check(&good[..good.len() - 1], &list, "archive-malformed");
        check(&good[..good.len() - 9], &list, "archive-malformed");
        check_tar(&[a()], &[0; BLOCK], &list, "archive-malformed");
        check_tar(&[a()], &[], &list, "archive-malformed");
        check(&[], &list, "archive-malformed");
        check(&gzip(&[])[1..], &list, "archive-malformed");
    }

    #[test]
    fn the_space_between_entries_is_empty() {
        let mut tar = header_of("a", 1).unwrap().as_bytes().to_vec();
        tar.extend_from_slice(b"x");
        tar.resize(2 * BLOCK - 1, 0);
        tar.push(1);
        tar.extend_from_slice(&END);
        check(&gzip(&tar), &describe(&entries(&[("a", b"x")])), "archive-malformed");
    }

    /// Ten gigabytes of zeros: a megabyte, compressed so that the piece can be repeated.
    fn bomb(header: &Header) -> Vec<u8> {
        let mut packed = GZIP_HEADER.to_vec();
        let mut deflate = flate2::Compress::new(Compression::new(LEVEL), false);
        let mut piece = Vec::with_capacity(1 << 16);
        deflate.compress_vec(header.as_bytes(), &mut piece, flate2::FlushCompress::Full).unwrap();
        packed.append(&mut piece);
        piece.reserve(1 << 16);
        deflate.compress_vec(&vec![0; 1 << 20], &mut piece, flate2::FlushCompress::Full).unwrap();
        packed.extend(piece.iter().copied().cycle().take(piece.len() * 10 * 1024));
        packed.extend_from_slice(&[3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        packed
    }

    #[test]
    fn a_bomb_is_refused_before_it_goes_off() {
        const TEN_GIGABYTES: u64 = 10 << 30;
        let meta = |size| vec![EntryMeta { name: "a".to_owned(), size, sha256: Digest::of(b"") }];
        let archive = bomb(&header_of("a", TEN_GIGABYTES).unwrap());
        assert!(archive.len() < 20 << 20, "{}", archive.len());
        check(&archive, &meta(TEN_GIGABYTES), "decompression-bomb");
        check(&archive, &meta(u64::MAX), "decompression-bomb");
        check(&archive, &meta(1), "entry-size");
        check(&bomb(&header_of("a", 0).unwrap()), &meta(0), "trailing-data");
        check(&gzip(&[0; 4096]), &meta(RATIO_FLOOR + 1), "decompression-bomb");
        let many: Vec<EntryMeta> = (0..65).map(|at| EntryMeta { name: format!("a{at}"), size: 0, sha256: Digest::of(b"") }).collect();
        check(&write(&Entries::new()).unwrap(), &many, "too-many-entries");
    }

    proptest::proptest! {
        #[test]
        fn damaged_archives_never_panic(at in 0_usize..200, byte: u8, cut in 0_usize..200) {
            let mut archive = write(&sample()).unwrap();
            let length = archive.len();
            archive[at % length] = byte;
            archive.truncate(length - cut.min(length));
            let _ = read(&archive, &describe(&sample()), &Limits::default());
        }
    }
}
