//! What keeps a command from doing its work, where no module below has an error of its own for it.

use std::path::Path;

/// The command could not do its work.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{message}")]
pub struct Failure {
    message: String,
    #[help]
    help: Option<String>,
}

impl Failure {
    /// What went wrong: lower case, no full stop, naming the file or revision.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// What to do next, in the imperative.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A file that cannot be read.
    pub fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::new(format!("`{}` cannot be read: {}", path.display(), reason(error))).help("name a file that exists and that you may read")
    }

    /// A file where a folder is needed for `purpose`; nothing when it is a folder or does not exist.
    pub(super) fn unless_folder(path: &Path, purpose: &str) -> Result<(), Self> {
        if !path.is_file() {
            return Ok(());
        }
        Err(Self::new(format!("`{}` is a file, not a folder", path.display()))
            .help(format!("name {purpose}; it is made if it does not exist")))
    }

    /// A file that cannot be written.
    pub fn unwritable(path: &Path, error: &std::io::Error) -> Self {
        Self::new(format!("`{}` cannot be written: {}", path.display(), reason(error)))
            .help("name a place that exists and where you may write")
    }
}

/// The words of the operating system, without its number.
pub(super) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_is_named_without_numbers() {
        let error = std::fs::read("no/such/file").expect_err("there is none");
        let failure = Failure::unreadable(Path::new("no/such/file"), &error);
        assert_eq!(failure.to_string(), "`no/such/file` cannot be read: no such file or directory");
    }
}
