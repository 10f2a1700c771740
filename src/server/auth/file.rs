//! The token file: TOML, one `[[token]]` per holder, with the digest of the token and never the token.
//!
//! ```toml
//! [[token]]
//! name   = "Ada Lovelace"
//! email  = "ada@example.com"
//! groups = ["editors"]
//! role   = "editor"
//! sha256 = "64 hexadecimal digits"
//! ```

use std::collections::HashSet;

use serde::Deserialize;

use super::Caller;
use super::Role;
use super::TokenDigest;

/// Why a token file is refused. The text never repeats a value of the file, which could be a token in the clear.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TokenFileError {
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do next.
    pub help: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "token")]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    email: String,
    #[serde(default)]
    groups: Vec<String>,
    role: Role,
    sha256: Option<String>,
    /// Known only to be refused in words that help.
    #[serde(default)]
    token: Option<toml::Value>,
}

fn refuse<T>(message: String, help: &str) -> Result<T, TokenFileError> {
    Err(TokenFileError { message, help: help.to_owned() })
}

/// Reads the text of a token file.
///
/// # Errors
/// Broken TOML, no token at all, an unknown or missing field, a token in the clear, a digest that is none, or one digest twice.
pub fn parse(text: &str) -> Result<Vec<(TokenDigest, Caller)>, TokenFileError> {
    let file: File = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            let line = error.span().and_then(|span| text.get(..span.start)).map_or(1, |before| before.matches('\n').count() + 1);
            let said = error.message().lines().next().unwrap_or("invalid TOML");
            // The reader quotes values that it does not expect, and such a value may be a token.
            let said = said.split('"').next().unwrap_or(said).trim_end();
            return refuse(format!("line {line}: {said}"), "write each holder as `lawbook token new` prints it");
        }
    };
    if file.entries.is_empty() {
        // More often than not this is a file that is being written, and it would lock everybody out.
        return refuse("the file holds no token".to_owned(), "add a holder with `lawbook token new`");
    }
    let mut seen = HashSet::new();
    let mut tokens = Vec::with_capacity(file.entries.len());
    for (at, entry) in (1..).zip(file.entries) {
        let digest = digest(at, &entry)?;
        if !seen.insert(digest.to_hex()) {
            return refuse(format!("token {at} has the digest of an earlier one"), "give every holder a token of their own");
        }
        person(at, &entry)?;
        tokens.push((digest, Caller { name: entry.name, email: entry.email, groups: entry.groups, role: entry.role }));
    }
    Ok(tokens)
}

fn digest(at: usize, entry: &Entry) -> Result<TokenDigest, TokenFileError> {
    const HELP: &str = "replace the token, and write `sha256` as `lawbook token new` prints it";
    if entry.token.is_some() {
        return refuse(format!("token {at} is written in the clear"), HELP);
    }
    let Some(text) = &entry.sha256 else {
        return refuse(format!("token {at} has no `sha256`"), HELP);
    };
    match TokenDigest::from_hex(text) {
        Some(digest) => Ok(digest),
        None => refuse(format!("`sha256` of token {at} is not 64 hexadecimal digits, and may be the token itself"), HELP),
    }
}

/// Name and address end up in commits, where angle brackets and line breaks would forge another field.
fn person(at: usize, entry: &Entry) -> Result<(), TokenFileError> {
    let forbidden = |text: &str| text.trim().is_empty() || text.chars().any(|char| char.is_control() || "<>".contains(char));
    if forbidden(&entry.name) || forbidden(&entry.email) {
        return refuse(
            format!("token {at} has an empty name or e-mail address, or one with a character that no commit can hold"),
            "name the person as `git config user.name` and `user.email` would",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn entry(line: &str) -> String {
        format!("[[token]]\nname = \"Ada\"\nemail = \"ada@example.com\"\nrole = \"editor\"\n{line}\n")
    }

    #[test]
    fn a_holder_is_read() {
        let tokens = parse(&entry(&format!("groups = [\"g\"]\nsha256 = \"{DIGEST}\""))).expect("valid");
        let caller =
            Caller { name: "Ada".to_owned(), email: "ada@example.com".to_owned(), groups: vec!["g".to_owned()], role: Role::Editor };
        assert_eq!(tokens, [(TokenDigest::of("abc"), caller)]);
    }

    #[track_caller]
    fn refused(text: &str, message: &str) {
        assert_eq!(parse(text).expect_err(text).message, message);
    }

    #[test]
    fn what_is_wrong_is_told_without_repeating_a_secret() {
        refused(&entry("token = \"s3cret\""), "token 1 is written in the clear");
        refused(&entry("sha256 = \"s3cret\""), "`sha256` of token 1 is not 64 hexadecimal digits, and may be the token itself");
        refused("", "the file holds no token");
        refused(&entry(""), "token 1 has no `sha256`");
        let twice = entry(&format!("sha256 = \"{DIGEST}\"")).repeat(2);
        refused(&twice, "token 2 has the digest of an earlier one");
        refused(
            &entry(&format!("sha256 = \"{DIGEST}\"")).replace("Ada\"", "A <x>\""),
            "token 1 has an empty name or e-mail address, or one with a character that no commit can hold",
        );
        assert!(!parse(&entry("role2 = \"s3cret\"")).expect_err("unknown").message.contains("s3cret"));
        assert!(!parse("[[token]]\nname = \"s3cret").expect_err("broken").message.contains("s3cret"));
        assert!(!parse("[[token]]\ngroups = \"s3cret\"").expect_err("type").message.contains("s3cret"));
    }
}
