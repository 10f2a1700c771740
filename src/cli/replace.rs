//! Replacing the text of a file in the worktree, so that a crash or a full disk leaves the old file or the new one.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::Failure;

/// Replaces a file that still says `before`. Its permissions stay.
///
/// # Errors
/// The file has changed meanwhile, is no regular file, or cannot be written.
pub(super) fn replace(path: &Path, before: &str, after: &str) -> Result<(), Failure> {
    let metadata = fs::symlink_metadata(path).map_err(|error| Failure::unreadable(path, &error))?;
    let current = fs::read(path).map_err(|error| Failure::unreadable(path, &error))?;
    if !metadata.is_file() || current != before.as_bytes() {
        let message = format!("`{}` has changed while it was being read", path.display());
        return Err(Failure::new(message).help("run the command again"));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let unwritable = |error: std::io::Error| Failure::unwritable(path, &error);
    let mut file = tempfile::Builder::new().prefix(".lawbook-").tempfile_in(folder).map_err(unwritable)?;
    file.write_all(after.as_bytes()).map_err(unwritable)?;
    file.as_file().set_permissions(metadata.permissions()).map_err(unwritable)?;
    file.as_file().sync_all().map_err(unwritable)?;
    file.persist(path).map_err(|error| unwritable(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_file_that_was_read_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.yaml");
        fs::write(&path, "one").expect("written");
        assert!(replace(&path, "one", "two").is_ok());
        assert_eq!(fs::read_to_string(&path).expect("read"), "two");
        let refused = replace(&path, "one", "three").expect_err("changed");
        assert!(refused.to_string().ends_with("a.yaml` has changed while it was being read"), "{refused}");
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 1, "nothing is left behind");
    }
}
