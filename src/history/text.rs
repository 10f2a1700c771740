//! What a file of the law book said at a commit.

use std::path::Path;

use git2::ErrorCode;

use super::Repository;
use super::RepositoryError;
use super::objects::Objects;
use super::objects::Unreadable;
use crate::source::MAX_FILE_BYTES;

impl Repository {
    /// The text of a file at a commit, by its path relative to the root of the law book. `None` where there is no file, and
    /// for one that is larger than any policy file or no text.
    ///
    /// # Errors
    /// There is no such revision, or it cannot be read.
    pub fn text_at(&self, revision: &str, path: &str) -> Result<Option<String>, RepositoryError> {
        let failed = |error: git2::Error| self.error(&format!("read `{path}` at `{revision}`"), &error);
        let tree = self.commit(revision)?.tree().map_err(failed)?;
        let entry = match tree.get_path(&Path::new(self.prefix()).join(path)) {
            Ok(entry) if entry.kind() == Some(git2::ObjectType::Blob) => entry,
            Ok(_) => return Ok(None),
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let unreadable = |error: Unreadable| error.during(&format!("read `{path}` at `{revision}`"), self.dir());
        let mut objects = Objects::of(self);
        let bytes = objects.file(entry.id(), MAX_FILE_BYTES).map_err(unreadable)?;
        Ok(bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).map(str::to_owned))
    }
}
