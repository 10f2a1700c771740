//! A look at the files of a worktree without reading them: what tells two states apart, and which directories to watch.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::path::Path;
use std::path::PathBuf;

use ignore::WalkBuilder;
use sha2::Digest;
use sha2::Sha256;

use crate::config;
use crate::config::Selection;
use crate::server::snapshot::hex;

/// The most directories that are watched, so that a huge tree does not use up what the system allows.
const MAX_WATCHED: usize = 8192;

/// The state of the files that concern a law book.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// Differs when any of the files differs in size, times or identity.
    pub digest: String,
    /// The directories in which a policy may be.
    pub directories: Vec<PathBuf>,
}

/// Looks at every file that the selection selects, and at those that were loaded before, which may also be ignored ones.
pub fn look(root: &Path, selection: &Selection, loaded: &BTreeSet<String>) -> Look {
    let mut hash = Sha256::new();
    let mut directories = vec![root.to_owned()];
    let mut rest = loaded.clone();
    rest.insert(config::FILE_NAME.to_owned());
    for entry in walk(root, selection).filter_map(Result::ok) {
        let path = relative(root, entry.path());
        let is_directory = entry.file_type().is_some_and(|kind| kind.is_dir());
        if is_directory {
            if entry.depth() > 0 && directories.len() < MAX_WATCHED {
                directories.push(entry.path().to_owned());
            }
        } else if selection.selects(&path) {
            rest.remove(&path);
            stamp(&mut hash, &path, entry.path().symlink_metadata().ok());
        } else if entry.file_name() == ".gitignore" {
            stamp(&mut hash, &path, entry.path().symlink_metadata().ok());
        }
    }
    for path in rest {
        stamp(&mut hash, &path, root.join(&path).symlink_metadata().ok());
    }
    Look { digest: hex(&hash.finalize()), directories }
}

/// What tells two states of some files apart. Links are followed, and where they lead is a part of it.
pub fn stamps(files: &[PathBuf]) -> String {
    let mut hash = Sha256::new();
    for path in files {
        stamp(&mut hash, &path.canonicalize().unwrap_or_default().to_string_lossy(), path.metadata().ok());
    }
    hex(&hash.finalize())
}

/// The same walk as the loader's, in the order of names so that the digest does not depend on the file system.
fn walk(root: &Path, selection: &Selection) -> ignore::Walk {
    let mut builder = WalkBuilder::new(root);
    builder.standard_filters(false).follow_links(false).git_ignore(true).git_exclude(true).parents(true).require_git(true);
    builder.sort_by_file_name(Ord::cmp);
    let (base, chosen) = (root.to_owned(), selection.clone());
    builder.filter_entry(move |entry| {
        let is_directory = entry.file_type().is_some_and(|kind| kind.is_dir());
        !is_directory || entry.depth() == 0 || (entry.file_name() != ".git" && chosen.may_hold(&relative(&base, entry.path())))
    });
    builder.build()
}

fn relative(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    inside.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn stamp(hash: &mut Sha256, path: &str, metadata: Option<Metadata>) {
    hash.update(path.as_bytes());
    hash.update([0]);
    let Some(metadata) = metadata else {
        hash.update([0]);
        return;
    };
    hash.update([1]);
    hash.update(metadata.len().to_be_bytes());
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    hash.update(modified.map_or(0, |time| time.as_nanos()).to_be_bytes());
    identity(hash, &metadata);
}

#[cfg(unix)]
fn identity(hash: &mut Sha256, metadata: &Metadata) {
    use std::os::unix::fs::MetadataExt;
    for part in [metadata.ino(), metadata.ctime().cast_unsigned(), metadata.ctime_nsec().cast_unsigned(), u64::from(metadata.mode())] {
        hash.update(part.to_be_bytes());
    }
}

#[cfg(not(unix))]
fn identity(_: &mut Sha256, _: &Metadata) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn only_what_concerns_a_law_book_changes_the_look() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, text).expect("written");
        };
        write("policies/a.yaml", "a");
        write("target/x", "x");
        let look = || super::look(folder.path(), &Selection::new(&Config::default()), &BTreeSet::from(["old.yaml".to_owned()]));
        let first = look();
        assert_eq!(first.directories, [folder.path().to_owned(), folder.path().join("policies")]);
        write("target/y", "y");
        write("policies/notes.txt", "y");
        assert_eq!(look().digest, first.digest);
        for (path, text) in [("policies/a.yaml", "b"), ("policies/b/c.yaml", ""), ("lawbook.toml", ""), ("old.yaml", "")] {
            let before = look().digest;
            write(path, text);
            assert_ne!(look().digest, before, "{path}");
        }
    }

    /// A trust file that was replaced by one of the same size and time was not seen.
    #[cfg(unix)]
    #[test]
    fn a_file_that_was_replaced_is_another_one_though_size_and_time_are_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("written");
            std::fs::File::options().write(true).open(&path).and_then(|file| file.set_modified(time)).expect("dated");
            path
        };
        let file = write("trust.json", "one");
        let before = stamps(std::slice::from_ref(&file));
        assert_eq!(stamps(std::slice::from_ref(&file)), before);
        std::fs::rename(write("next", "two"), &file).expect("replaced");
        assert_ne!(stamps(&[file]), before);
    }
}
