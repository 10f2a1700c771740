//! A trail that is kept on disk, under the git directory that all worktrees share, so that the next run reads only what is new.
//!
//! A file is good for one law book, one name of a revision and one build of the program, and for as long as what signatures are
//! judged by stays the same. It is replaced as a whole, carries a checksum, and is only a shortcut: one that is missing, of
//! another version or damaged in any way is as good as none. Whoever has to prove something reads the history itself.

use std::fs;
use std::io::BufWriter;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use super::HistoryError;
use super::Lines;
use super::Progress;
use super::Repository;
use super::Sha256Hash;
use super::Signers;
use super::Trail;
use super::thaw::Thawed;

/// Fewer commits are read as fast as they are looked up.
const WORTH: usize = 256;

/// How many bytes are written at once.
const BUFFER: usize = 64 * 1024;

/// How many trails are kept for one repository.
const KEPT: usize = 8;

/// What a file begins with; the number is the one of its form.
const MAGIC: &[u8] = b"lawbook trail 3 ";

impl Trail {
    /// The trail of what landed up to `tip`, as far as possible from the disk.
    ///
    /// # Errors
    /// As for [`Trail::read`].
    pub fn cached(repository: &Repository, tip: &str, progress: Progress<'_>) -> Result<Self, HistoryError> {
        let signers = Signers::new(repository, tip)?;
        let path = path(repository, tip);
        let stamp = stamp(&signers);
        if let Some(mut trail) = load(&path, &stamp).and_then(|parts| Self::continued(repository, parts).ok().flatten()) {
            trail.extend(repository, tip, progress)?;
            trail.keep(&path, &stamp);
            return Ok(trail);
        }
        let trail = Self::read(repository, tip, Lines::Landed, progress)?;
        trail.keep(&path, &stamp);
        Ok(trail)
    }

    /// Keeps the trail, if that is worth it. It is no error when that cannot be done.
    fn keep(&self, path: &Path, stamp: &[u8]) {
        if self.partial().is_some() || self.walked < WORTH {
            return;
        }
        let _: Option<()> = self.store(path, stamp);
    }

    fn store(&self, path: &Path, stamp: &[u8]) -> Option<()> {
        let folder = path.parent()?;
        fs::create_dir_all(folder).ok()?;
        let mut file = tempfile::NamedTempFile::new_in(folder).ok()?;
        file.write_all(stamp).ok()?;
        let summing = Summing { to: &mut file, sum: crc32fast::Hasher::new() };
        let Summing { to, sum } = self.freeze(BufWriter::with_capacity(BUFFER, summing))?.into_inner().ok()?;
        to.write_all(&sum.finalize().to_le_bytes()).ok()?;
        file.persist(path).ok()?;
        forget(folder);
        Some(())
    }
}

/// Writes, and sums up what was written.
struct Summing<W> {
    to: W,
    sum: crc32fast::Hasher,
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.sum.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}

/// What a file must say to be used.
fn stamp(signers: &Signers) -> Vec<u8> {
    let hash = Sha256Hash::of(format!("{} {} {}", env!("CARGO_PKG_VERSION"), build(), signers.stamp()).as_bytes());
    [MAGIC, hash.to_string().as_bytes(), b"\n"].concat()
}

/// What tells two builds of one version apart, as far as that can be known: another build may understand files otherwise.
fn build() -> String {
    let program = std::env::current_exe().and_then(fs::metadata);
    let changed = program.as_ref().ok().and_then(|program| program.modified().ok()?.duration_since(UNIX_EPOCH).ok());
    format!("{:?} {:?}", program.map(|program| program.len()).ok(), changed)
}

/// One file for each law book and name.
fn path(repository: &Repository, tip: &str) -> PathBuf {
    let name = Sha256Hash::of(format!("{}\n{tip}", repository.prefix()).as_bytes()).to_string();
    let name = name.get(..16).unwrap_or(&name);
    repository.common_dir().join("lawbook").join("trails").join(name)
}

/// What is behind stamp and checksum.
fn load(path: &Path, stamp: &[u8]) -> Option<Thawed> {
    let mut file = fs::File::open(path).ok().filter(|file| file.metadata().is_ok_and(|file| file.is_file()))?;
    let mut bytes = vec![0; stamp.len()];
    // Most files that are not good say so at the beginning.
    file.read_exact(&mut bytes).ok().filter(|()| bytes == stamp)?;
    file.read_to_end(&mut bytes).ok()?;
    let (data, sum) = bytes.strip_prefix(stamp)?.split_last_chunk::<4>()?;
    let is_whole = crc32fast::hash(data) == u32::from_le_bytes(*sum);
    if is_whole { Thawed::new(bytes, stamp.len()) } else { None }
}

/// Takes away the trails that were written longest ago.
fn forget(folder: &Path) {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut known: Vec<_> = files.filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file.path()))).collect();
    known.sort();
    for (_, path) in known.iter().rev().skip(KEPT) {
        let _: std::io::Result<()> = fs::remove_file(path);
    }
}
