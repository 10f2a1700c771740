//! What is signed: an in-toto Statement about the archive, with our predicate.
//!
//! The statement says everything that a verifier decides on before it opens the archive. A newer version may add members;
//! they are ignored here unless the signer named them in `critical`, and then the bundle is refused.

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use crate::bundle::digest::Digest;
use crate::bundle::digest::bare_hex;
use crate::bundle::entries::EntryMeta;
use crate::bundle::json;
use crate::bundle::refusal::Refusal;
use crate::bundle::refusal::printable;

/// The type of an in-toto Statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// The type of our predicate.
pub const PREDICATE_TYPE: &str = "https://lawbook.dev/policy-bundle/v1";

/// The meaning that this version gives to a law book: denials override, and conditions are two-valued.
///
/// A new optional field of a policy leaves it as it is: a reader without the field refuses the policies that have it, and
/// with them the bundle ([`contents`](crate::bundle::contents)), and reads every other bundle as before.
pub const SEMANTICS: &str = "deny-overrides/2v-1";

/// The name of the subject that is the content, next to the one that is the archive.
pub const CONTENT_SUBJECT: &str = "content";

/// Every feature that may stand in `critical` without a refusal: the members of the predicate that are known here.
pub const FEATURES: [&str; 13] = [
    "name",
    "audience",
    "revision",
    "previous",
    "issued",
    "expires",
    "size",
    "entries",
    "source",
    "tool",
    "semantics",
    "checks",
    "critical",
];

/// The longest name of a bundle, in bytes; it becomes a part of file names.
const MAX_NAME_BYTES: usize = 100;

/// The longest audience, in characters.
const MAX_AUDIENCE_CHARACTERS: usize = 200;

/// An in-toto Statement, version 1, about one bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Always [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// The archive, and its content.
    pub subject: [Subject; 2],
    /// Always [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said about them.
    pub predicate: Predicate,
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// `NAME.tar.gz`, or [`CONTENT_SUBJECT`].
    pub name: String,
    /// Its digest.
    pub digest: DigestSet,
}

/// The digests of a subject; in-toto allows several functions, a bundle has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestSet {
    /// SHA-256.
    #[serde(with = "bare_hex")]
    pub sha256: Digest,
}

/// What a signer says about a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Predicate {
    /// The name of the bundle: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// Who is to use it, such as `production`.
    pub audience: String,
    /// The number of the revision; newer is greater.
    pub revision: u64,
    /// The content digest of the bundle before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// When it was signed.
    #[serde(with = "utc_seconds")]
    pub issued: Timestamp,
    /// From when on it is refused.
    #[serde(with = "utc_seconds")]
    pub expires: Timestamp,
    /// The size of the archive, in bytes.
    pub size: u64,
    /// Every entry of the archive, in byte order of the names.
    pub entries: Vec<EntryMeta>,
    /// Where the policies come from.
    pub source: Provenance,
    /// What made the bundle.
    pub tool: Tool,
    /// The meaning of the law book, see [`SEMANTICS`].
    pub semantics: String,
    /// What was checked before.
    pub checks: Checks,
    /// Members and features that a verifier has to know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical: Vec<String>,
}

/// The state of the repository that was compiled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// The commit, in hexadecimal; absent without a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The tree of the commit, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    /// Whether something other than the commit was compiled.
    pub dirty: bool,
    /// How well the signature of the commit proves who made it, and who signed, such as `good ada@example.com`; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_signature: Option<String>,
}

/// A program and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This program.
    pub fn this() -> Self {
        Self { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// The outcome of the checks before a build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checks {
    /// Findings that are errors.
    pub errors: u64,
    /// Findings that are warnings.
    pub warnings: u64,
    /// Policy tests that passed.
    pub tests_passed: u64,
    /// Policy tests that failed.
    pub tests_failed: u64,
}

impl Statement {
    /// Reads a statement from signed bytes. It does not look at a signature: that comes before.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when the types are others, something critical is unknown, or the statement contradicts itself.
    pub fn parse(payload: &[u8]) -> Result<Self, Refusal> {
        let value = json::parse(payload).map_err(|problem| malformed(&problem))?;
        expect_type(&value, "/_type", STATEMENT_TYPE)?;
        expect_type(&value, "/predicateType", PREDICATE_TYPE)?;
        check_critical(&value)?;
        let statement: Self = serde_json::from_value(value).map_err(|error| malformed(&error.to_string()))?;
        statement.validate().map_err(|problem| malformed(&problem))?;
        Ok(statement)
    }

    /// The digest of the archive.
    pub fn archive_digest(&self) -> Digest {
        let [archive, _] = &self.subject;
        archive.digest.sha256
    }

    /// The digest of the content, see [`content_digest`](crate::bundle::content_digest).
    pub fn content_digest(&self) -> Digest {
        let [_, content] = &self.subject;
        content.digest.sha256
    }

    /// What types cannot say; the problem in words. The entries are checked with the archive.
    pub(super) fn validate(&self) -> Result<(), String> {
        let [archive, content] = &self.subject;
        check_name(&self.predicate.name)?;
        check_audience(&self.predicate.audience)?;
        if archive.name != archive_name(&self.predicate.name) || content.name != CONTENT_SUBJECT {
            return Err(format!("its subjects must be `{}` and `{CONTENT_SUBJECT}`", archive_name(&self.predicate.name)));
        }
        if self.predicate.expires <= self.predicate.issued {
            return Err("it expires before it is issued".to_owned());
        }
        Ok(())
    }
}

/// The name of the archive subject of a bundle.
pub(super) fn archive_name(name: &str) -> String {
    format!("{name}.tar.gz")
}

fn check_name(name: &str) -> Result<(), String> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if plain && !name.is_empty() && !name.starts_with('.') && name.len() <= MAX_NAME_BYTES {
        return Ok(());
    }
    Err(format!("the name `{}` must be 1 to {MAX_NAME_BYTES} letters, digits, `.`, `_` and `-`, and not begin with `.`", printable(name)))
}

fn check_audience(audience: &str) -> Result<(), String> {
    let printable_only = printable(audience) == audience;
    if printable_only && !audience.is_empty() && audience.chars().count() <= MAX_AUDIENCE_CHARACTERS {
        return Ok(());
    }
    Err(format!("the audience `{}` must be 1 to {MAX_AUDIENCE_CHARACTERS} printable characters", printable(audience)))
}

pub(crate) fn expect_type(value: &Value, pointer: &str, expected: &'static str) -> Result<(), Refusal> {
    match value.pointer(pointer).and_then(Value::as_str) {
        Some(found) if found == expected => Ok(()),
        Some(found) => Err(Refusal::WrongType { expected, found: printable(found) }),
        None => Err(Refusal::WrongType { expected, found: String::new() }),
    }
}

fn check_critical(value: &Value) -> Result<(), Refusal> {
    let Some(critical) = value.pointer("/predicate/critical") else { return Ok(()) };
    let names = critical.as_array().ok_or_else(|| malformed("`critical` must be a list of names"))?;
    for name in names {
        let name = name.as_str().ok_or_else(|| malformed("`critical` must be a list of names"))?;
        if !FEATURES.contains(&name) {
            return Err(Refusal::UnknownCritical { feature: printable(name) });
        }
    }
    Ok(())
}

pub(crate) fn malformed(problem: &str) -> Refusal {
    Refusal::StatementMalformed { problem: printable(problem) }
}

/// RFC 3339 in UTC with whole seconds, such as `2026-11-22T07:00:00Z`, and no other text of the same moment.
pub(crate) mod utc_seconds {
    use jiff::Timestamp;
    use serde::Deserialize;
    use serde::Deserializer;
    use serde::Serializer;
    use serde::de::Error as _;

    /// Reads exactly the text that [`serialize`] writes.
    pub(crate) fn parse(text: &str) -> Option<Timestamp> {
        text.parse::<Timestamp>().ok().filter(|time| time.to_string() == text && time.subsec_nanosecond() == 0)
    }

    pub(crate) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&whole(*time))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| D::Error::custom("a time must look like `2026-01-31T12:00:00Z`"))
    }

    /// The moment without its fraction of a second.
    pub(crate) fn whole(time: Timestamp) -> Timestamp {
        Timestamp::from_second(time.as_second()).unwrap_or(time)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sample() -> Value {
        let digest = Digest::of(b"x").hex();
        json!({
            "_type": STATEMENT_TYPE,
            "subject": [{"name": "authz.tar.gz", "digest": {"sha256": digest}}, {"name": "content", "digest": {"sha256": digest}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "name": "authz", "audience": "production", "revision": 7, "previous": format!("sha256:{digest}"),
                "issued": "2026-01-01T00:00:00Z", "expires": "2026-04-01T00:00:00Z", "size": 1,
                "entries": [{"name": "a", "size": 1, "sha256": digest}],
                "source": {"commit": "c0ffee", "tree": "7ree", "dirty": false, "commitSignature": "good"},
                "tool": {"name": "lawbook", "version": "0.1.0"}, "semantics": SEMANTICS,
                "checks": {"errors": 0, "warnings": 1, "testsPassed": 2, "testsFailed": 0}, "critical": ["audience"],
            },
        })
    }

    /// The sample with one thing changed, and the reason for which it is refused, if it is.
    #[track_caller]
    fn check(pointer: &str, value: Value, reason: Option<&str>) {
        let mut statement = sample();
        *statement.pointer_mut(pointer).unwrap() = value;
        let found = Statement::parse(statement.to_string().as_bytes());
        assert_eq!(found.as_ref().map_err(Refusal::reason).err(), reason, "{pointer}: {found:?}");
    }

    #[test]
    fn a_statement_is_read_and_written_without_a_change() {
        let text = sample().to_string();
        let statement = Statement::parse(text.as_bytes()).unwrap();
        assert_eq!(serde_json::to_value(&statement).unwrap(), sample());
        assert_eq!(statement.predicate.previous, Some(Digest::of(b"x")));
    }

    #[test]
    fn types_are_exact() {
        check("/_type", json!("https://in-toto.io/Statement/v0.1"), Some("wrong-type"));
        check("/_type", json!(1), Some("wrong-type"));
        check("/predicateType", json!("https://lawbook.dev/policy-bundle/v2"), Some("wrong-type"));
        check("/predicateType", Value::Null, Some("wrong-type"));
        for payload in [&b"[]"[..], b"{}"] {
            assert_eq!(Statement::parse(payload).unwrap_err().reason(), "wrong-type");
        }
        assert_eq!(Statement::parse(b"{").unwrap_err().reason(), "statement-malformed");
    }

    #[test]
    fn an_unknown_member_is_ignored_unless_it_is_critical() {
        let mut statement = sample();
        statement["predicate"]["flavour"] = json!({"of": "something newer"});
        statement["more"] = json!(1);
        assert!(Statement::parse(statement.to_string().as_bytes()).is_ok());
        statement["predicate"]["critical"] = json!(["flavour"]);
        let refusal = Statement::parse(statement.to_string().as_bytes()).unwrap_err();
        assert_eq!(refusal, Refusal::UnknownCritical { feature: "flavour".to_owned() });
        check("/predicate/critical", json!(FEATURES), None);
        check("/predicate/critical", json!(["audience", "x"]), Some("unknown-critical"));
        check("/predicate/critical", json!("audience"), Some("statement-malformed"));
        check("/predicate/critical", json!([1]), Some("statement-malformed"));
    }

    #[test]
    fn every_member_of_the_predicate_is_a_feature() {
        let members: Vec<String> = sample()["predicate"].as_object().unwrap().keys().cloned().collect();
        let mut features = FEATURES.to_vec();
        features.sort_unstable();
        let mut members: Vec<&str> = members.iter().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, features);
    }

    #[test]
    fn a_statement_does_not_contradict_itself() {
        let malformed = Some("statement-malformed");
        check("/subject/0/name", json!("other.tar.gz"), malformed);
        check("/subject/1/name", json!("archive"), malformed);
        check("/subject", json!([]), malformed);
        check("/subject/0/digest/sha256", json!("00"), malformed);
        check("/predicate/name", json!("../authz"), malformed);
        check("/predicate/name", json!(""), malformed);
        check("/predicate/audience", json!(""), malformed);
        check("/predicate/audience", json!("a\u{1b}b"), malformed);
        check("/predicate/expires", json!("2026-01-01T00:00:00Z"), malformed);
        check("/predicate/revision", json!(-1), malformed);
        check("/predicate/revision", json!("7"), malformed);
        check("/predicate/previous", json!("none"), malformed);
        check("/predicate/checks", json!({}), malformed);
    }

    #[test]
    fn a_time_has_one_text() {
        for text in ["2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00.5Z", "2026-01-01T01:00:00+01:00", "2026-01-01 00:00:00Z", ""]
        {
            check("/predicate/issued", json!(text), Some("statement-malformed"));
        }
        check("/predicate/issued", json!("2025-12-31T23:59:59Z"), None);
    }

    #[test]
    fn a_repeated_name_is_refused_even_where_it_would_be_ignored() {
        let text = sample().to_string().replacen("\"predicate\":{", "\"predicate\":{\"new\":1,\"new\":2,", 1);
        assert_eq!(Statement::parse(text.as_bytes()).unwrap_err().reason(), "statement-malformed");
    }
}
