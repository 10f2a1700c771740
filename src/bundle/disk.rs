//! Files that are either the old ones or the new ones, never something between.
//!
//! Everything written here goes to a temporary file in the same directory, is flushed to the disk, takes its name in one
//! step, and then the directory is flushed too. Everything read here is bounded.

use std::ffi::OsString;
use std::fs::File;
use std::fs::Permissions;
use std::io;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use tempfile::NamedTempFile;

/// How the name of a file begins that has not got its own name yet; one that stays was left by a crash.
pub(super) const TEMPORARY_PREFIX: &str = ".lawbook-";

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Only its owner (0600).
    Owner,
    /// Everybody whom the process's mask allows (0644).
    Everybody,
}

/// Replaces a file, or creates it.
pub(crate) fn replace(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let directory = directory_of(path);
    temporary(directory, bytes, readers)?.persist(path).map_err(|error| error.error)?;
    flush_directory(directory)
}

/// Creates a file; `AlreadyExists` when the name is taken.
pub(crate) fn create_new(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let directory = directory_of(path);
    temporary(directory, bytes, readers)?.persist_noclobber(path).map_err(|error| error.error)?;
    flush_directory(directory)
}

/// Reads a file of at most `limit` bytes; `FileTooLarge` when it has more.
pub(crate) fn read_bounded(file: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// `PREFIX` and a suffix; unlike an extension, the suffix never replaces a part of the name.
pub(super) fn with_suffix(prefix: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(prefix);
    name.push(suffix);
    PathBuf::from(name)
}

fn temporary(directory: &Path, bytes: &[u8], readers: Readers) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX);
    let permissions = permissions(readers);
    if let Some(permissions) = permissions {
        builder.permissions(permissions);
    }
    let mut file = builder.tempfile_in(directory).map_err(|error| nameless(&error))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// What the system says, without the name of a temporary file that nobody has heard of.
fn nameless(error: &io::Error) -> io::Error {
    let text = error.to_string();
    // The crate that makes the file adds its path in this way, and gives no other access to the error of the system.
    io::Error::new(error.kind(), text.split(" at path ").next().unwrap_or_default())
}

#[cfg(unix)]
fn permissions(readers: Readers) -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(Permissions::from_mode(match readers {
        Readers::Owner => 0o600,
        Readers::Everybody => 0o644,
    }))
}

#[cfg(not(unix))]
fn permissions(_: Readers) -> Option<Permissions> {
    None
}

#[cfg(unix)]
fn flush_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Other systems cannot open a directory, and need not: the rename itself is durable there.
#[cfg(not(unix))]
fn flush_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_name_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        create_new(&path, b"first", Readers::Owner).unwrap();
        assert_eq!(create_new(&path, b"second", Readers::Owner).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        replace(&path, b"third", Readers::Everybody).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"third");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn an_error_names_no_temporary_file() {
        let directory = tempfile::tempdir().unwrap();
        let error = replace(&directory.path().join("gone/a"), b"", Readers::Owner).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(!error.to_string().contains(TEMPORARY_PREFIX), "{error}");
    }

    #[test]
    fn reading_stops_at_the_limit() {
        assert_eq!(read_bounded(&b"1234"[..], 4).unwrap(), b"1234");
        assert_eq!(read_bounded(io::repeat(0), 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_suffix_never_replaces_a_part_of_the_name() {
        assert_eq!(with_suffix(Path::new("dist/authz-1.2"), ".tar.gz"), Path::new("dist/authz-1.2.tar.gz"));
    }
}
