//! Commands in hints, written so that a shell takes them as they stand.

use std::path::Path;

/// A path as one argument: quoted where a shell would split it, and never taken for an option.
pub(super) fn argument(path: &Path) -> String {
    let text = path.display().to_string();
    word(&if text.starts_with('-') { format!("./{text}") } else { text })
}

/// A text as one word, quoted where a shell would do something with it.
pub(super) fn word(text: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "/._-+=:,@%~".contains(character);
    if !text.is_empty() && !text.starts_with('~') && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_the_argument_as_one_path() {
        for (path, expected) in [
            ("acme", "acme"),
            ("../a-b/c.d", "../a-b/c.d"),
            ("my policies", "'my policies'"),
            ("-x", "./-x"),
            ("-a b", "'./-a b'"),
            ("it's", r"'it'\''s'"),
            ("a$(b)", "'a$(b)'"),
            ("~x", "'~x'"),
            ("", "''"),
        ] {
            assert_eq!(argument(Path::new(path)), expected, "{path}");
        }
    }
}
