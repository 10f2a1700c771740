//! The two files of a bundle, named by what their names have in common.

use std::path::Path;
use std::path::PathBuf;

use super::Failure;
use crate::bundle::ARCHIVE_SUFFIX;
use crate::bundle::ENVELOPE_SUFFIX;
use crate::finding::nearest;

/// The prefix that is meant: one of the two files stands for it as well.
pub(super) fn parse(text: &str) -> Result<PathBuf, String> {
    let prefix = [ARCHIVE_SUFFIX, ENVELOPE_SUFFIX].into_iter().find_map(|suffix| text.strip_suffix(suffix)).unwrap_or(text);
    if prefix.is_empty() {
        Err("write what the names of the two files begin with, such as `dist/lawbook`".to_owned())
    } else {
        Ok(prefix.into())
    }
}

/// Refuses a bundle that does not exist, and names the one that may be meant.
pub(super) fn existing(prefix: &Path) -> Result<&Path, Failure> {
    let envelope = format!("{}{ENVELOPE_SUFFIX}", prefix.display());
    if Path::new(&envelope).exists() {
        return Ok(prefix);
    }
    let folder = prefix.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(ENVELOPE_SUFFIX).map(str::to_owned))
        .collect();
    let wanted = prefix.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let help = match nearest(&wanted, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{}`?", prefix.with_file_name(near).display()),
        None => "name a bundle by what its two files begin with; `lawbook build` makes one".to_owned(),
    };
    Err(Failure::new(format!("there is no file `{envelope}`")).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_bundle_stands_for_the_bundle() {
        for text in ["dist/lawbook", "dist/lawbook.tar.gz", "dist/lawbook.dsse.json"] {
            assert_eq!(parse(text), Ok(PathBuf::from("dist/lawbook")), "{text}");
        }
        assert!(parse(".tar.gz").is_err());
    }

    #[test]
    fn a_bundle_that_does_not_exist_is_told_with_the_one_that_may_be_meant() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("lawbook.dsse.json"), "").expect("written");
        assert!(existing(&folder.path().join("lawbook")).is_ok());
        let error = existing(&folder.path().join("lawbok")).expect_err("none");
        let help = miette::Diagnostic::help(&error).expect("help").to_string();
        assert!(help.starts_with("did you mean") && help.ends_with("lawbook`?"), "{help}");
    }
}
