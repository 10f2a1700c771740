//! One thing that is wrong with `lawbook.toml`.

use std::ops::Range;

use crate::finding::nearest;

/// The keys that the file knows, at any level, for a did-you-mean.
const KEYS: [&str; 27] = [
    "files",
    "exclude",
    "directory",
    "actions",
    "services",
    "critical",
    "attributes",
    "lint",
    "rules",
    "assert",
    "name",
    "never",
    "always",
    "someone-can",
    "members",
    "service",
    "source",
    "condition",
    "principals",
    "history",
    "allowed-signers",
    "pinned",
    "require-signed",
    "server",
    "new-file",
    "max-staleness",
    "list",
];

/// What is wrong with the configuration, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The bytes of the file that are wrong.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub help: String,
}

impl ConfigProblem {
    /// A problem at a place of the file.
    pub fn new(range: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { range, message: message.into(), help: help.into() }
    }

    /// What the TOML reader says, in our words where it names a key.
    pub(super) fn from_toml(error: &toml::de::Error, text: &str) -> Self {
        let range = error.span().unwrap_or(0..text.len().min(1));
        let said = error.message();
        if let Some(key) = said.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()) {
            let help = match nearest(key, KEYS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "remove it; `lawbook schema config` shows every key".to_owned(),
            };
            return Self::new(range, format!("unknown key `{key}`"), help);
        }
        if let Some(word) = said.strip_prefix("unknown variant `").and_then(|rest| rest.split('`').next()) {
            let words: Vec<&str> = said.split('`').skip(3).step_by(2).collect();
            let help = match nearest(word, words.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write one of {}", words.join(", ")),
            };
            return Self::new(range, format!("`{word}` is none of the values that this key takes"), help);
        }
        if said.contains("expected a sequence") {
            let found = text.get(range.clone()).unwrap_or_default();
            return Self::new(range, "this key takes a list", format!("write a list: `[{found}]`"));
        }
        if let Some(key) = said.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            return Self::new(range, format!("the key `{key}` is missing"), format!("add `{key}`"));
        }
        if let Some((_, expected)) = said.split_once(", expected ").filter(|_| said.starts_with("invalid type: ")) {
            let (takes, help) = match expected {
                "a boolean" => ("`true` or `false`", "write it without quotes"),
                "a string" | "string or table" => ("a string", "write it in quotes"),
                // What the reader calls a structure by its type is a table to whoever writes one.
                _ => ("a table", "write a table, such as `{ actions = [\"delete\"] }`; `lawbook schema config` shows what each key takes"),
            };
            return Self::new(range, format!("this key takes {takes}"), help);
        }
        let first = said.lines().next().unwrap_or("invalid TOML").to_owned();
        Self::new(range, first, "correct the value; `lawbook schema config` shows what each key takes")
    }
}
