//! What is signed: an in-toto Statement about the commit, with our predicate.
//!
//! `head` is what proves. The line of prefixes only locates: it holds the first four bytes of the id of every commit on the
//! line of first parents, so that the first commit that is another one now can be named when the old one is gone. Whoever
//! rewrites a history can, with some work, make prefixes equal, but not the head. Four bytes are 5.3 characters in the
//! statement, and 7.1 in the envelope, which encodes the statement once more: 142 kB for 20 000 commits.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::bundle::Refusal;
use crate::bundle::STATEMENT_TYPE;
use crate::bundle::Tool;
use crate::bundle::statement::expect_type;
use crate::bundle::statement::malformed;
use crate::bundle::statement::utc_seconds;
use crate::decision::read_json;
use crate::history::CHAIN_VERSION;
use crate::history::CommitId;
use crate::history::Repository;
use crate::history::RepositoryError;
use crate::history::Sha256Hash;
use crate::history::Trail;

/// The type of our predicate.
pub const PREDICATE_TYPE: &str = "https://lawbook.dev/audit-checkpoint/v1";

/// The longest name of a repository, reference or folder, in characters.
const MAX_NAME_CHARACTERS: usize = 1000;

/// The first four bytes of the id of every commit on a line, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrefixLine(Vec<[u8; 4]>);

impl PrefixLine {
    /// Of these commits.
    pub fn of(commits: &[CommitId]) -> Self {
        Self(commits.iter().map(CommitId::prefix).collect())
    }

    /// The prefixes.
    pub fn prefixes(&self) -> &[[u8; 4]] {
        &self.0
    }

    fn to_text(&self) -> String {
        STANDARD.encode(self.0.as_flattened())
    }

    fn parse(text: &str) -> Result<Self, String> {
        let bytes = STANDARD.decode(text).map_err(|error| format!("`line` is not base64: {error}"))?;
        let (prefixes, rest) = bytes.as_chunks::<4>();
        if rest.is_empty() { Ok(Self(prefixes.to_vec())) } else { Err("`line` must hold four bytes for each commit".to_owned()) }
    }
}

/// What the history of a law book was at a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The version of the chain, see [`CHAIN_VERSION`].
    pub chain: u64,
    /// What the signer calls the repository; nothing is proven by it.
    pub repository: String,
    /// The full name of the branch or tag.
    pub reference: String,
    /// The folder of the law book, relative to the root of the repository; empty at the root.
    pub folder: String,
    /// The commit.
    pub commit: CommitId,
    /// How many events there are up to the commit; 0 when there is none yet.
    pub seq: u64,
    /// The hash of the last of them, which chains all; 64 zeros when there is none yet.
    pub head: Sha256Hash,
    /// When it was signed.
    pub time: Timestamp,
    /// The line of first parents up to the commit.
    pub line: PrefixLine,
    /// What made it.
    pub tool: Tool,
}

impl Checkpoint {
    /// What the history is now. `reference` is the full name of a branch or tag; fractions of a second are dropped.
    ///
    /// # Errors
    /// The history is incomplete, so that nobody with the whole history would find the same.
    pub fn take(repository: &Repository, trail: &Trail, reference: &str, name: &str, time: Timestamp) -> Result<Self, RepositoryError> {
        let partial = |why: &str| RepositoryError::Partial { dir: repository.dir().to_owned(), why: why.to_owned() };
        if let Some(why) = trail.partial() {
            return Err(partial(why));
        }
        let line = repository.lineage(&trail.tip())?;
        let commit = *line.last().ok_or_else(|| partial("it has no commit"))?;
        Ok(Self {
            chain: u64::from(CHAIN_VERSION),
            repository: name.to_owned(),
            reference: reference.to_owned(),
            folder: repository.prefix().to_owned(),
            commit,
            seq: trail.events().len() as u64,
            head: trail.head(),
            time: utc_seconds::whole(time),
            line: PrefixLine::of(&line),
            tool: Tool::this(),
        })
    }

    /// Whether this version knows how to compute the chain.
    pub fn chain_is_known(&self) -> bool {
        self.chain == u64::from(CHAIN_VERSION)
    }

    /// How many commits there are on the line.
    pub fn commits(&self) -> usize {
        self.line.0.len()
    }

    /// The signed text.
    pub(super) fn to_payload(&self) -> Result<Vec<u8>, Refusal> {
        let wire = Wire {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: [Subject { name: self.reference.clone(), digest: GitDigest { commit: self.commit.to_string() } }],
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: Predicate {
                chain: self.chain,
                repository: self.repository.clone(),
                folder: self.folder.clone(),
                seq: self.seq,
                head: self.head.to_string(),
                time: self.time,
                line: self.line.to_text(),
                tool: self.tool.clone(),
            },
        };
        let payload = serde_json::to_vec(&wire).map_err(|error| malformed(&error.to_string()))?;
        // What every verifier would refuse is not signed.
        Self::parse(&payload)?;
        Ok(payload)
    }

    /// Reads the signed text. It does not look at a signature: that comes before.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, Refusal> {
        let value = read_json(payload).map_err(|error| malformed(&error.to_string()))?;
        expect_type(&value, "/_type", STATEMENT_TYPE)?;
        expect_type(&value, "/predicateType", PREDICATE_TYPE)?;
        let wire: Wire = serde_json::from_value(value).map_err(|error| malformed(&error.to_string()))?;
        Self::of_wire(wire).map_err(|problem| malformed(&problem))
    }

    fn of_wire(wire: Wire) -> Result<Self, String> {
        let [Subject { name: reference, digest }] = wire.subject;
        let Predicate { chain, repository, folder, seq, head, time, line, tool } = wire.predicate;
        let commit = CommitId::parse(&digest.commit).ok_or("`gitCommit` must be 40 hexadecimal digits in lower case")?;
        let head = Sha256Hash::parse(&head).ok_or("`head` must be 64 hexadecimal digits in lower case")?;
        let line = PrefixLine::parse(&line)?;
        if line.0.last() != Some(&commit.prefix()) {
            return Err("`line` must end with the commit".to_owned());
        }
        if (seq == 0) != (head == Sha256Hash::ZERO) {
            return Err("`head` must be zeros when `seq` is 0, and only then".to_owned());
        }
        for (member, text) in [("the name of the subject", &reference), ("`repository`", &repository), ("`folder`", &folder)] {
            if text.chars().any(char::is_control) || text.chars().count() > MAX_NAME_CHARACTERS {
                return Err(format!("{member} must be at most {MAX_NAME_CHARACTERS} characters without control characters"));
            }
        }
        if !reference.starts_with("refs/") {
            return Err("the name of the subject must be the full name of a branch or tag".to_owned());
        }
        Ok(Self { chain, repository, reference, folder, commit, seq, head, time, line, tool })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: [Subject; 1],
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    name: String,
    digest: GitDigest,
}

/// How in-toto names a commit: <https://github.com/in-toto/attestation/blob/main/spec/v1/digest_set.md>.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GitDigest {
    #[serde(rename = "gitCommit")]
    commit: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predicate {
    chain: u64,
    repository: String,
    folder: String,
    seq: u64,
    head: String,
    #[serde(with = "utc_seconds")]
    time: Timestamp,
    line: String,
    tool: Tool,
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;

    pub(in crate::checkpoint) fn sample() -> Checkpoint {
        let commits = ["11", "22", "33"].map(|digits| CommitId::parse(&digits.repeat(20)).expect("an id"));
        Checkpoint {
            chain: u64::from(CHAIN_VERSION),
            repository: "policies".to_owned(),
            reference: "refs/heads/main".to_owned(),
            folder: String::new(),
            commit: commits[2],
            seq: 7,
            head: Sha256Hash::of(b"the last event"),
            time: "2026-11-02T08:00:00Z".parse().expect("a time"),
            line: PrefixLine::of(&commits),
            tool: Tool::this(),
        }
    }

    /// The sample with one thing changed, and a part of the refusal, if it is refused.
    #[track_caller]
    fn check(pointer: &str, value: Value, problem: Option<&str>) {
        let mut statement: Value = serde_json::from_slice(&sample().to_payload().expect("a text")).expect("JSON");
        let (folder, member) = pointer.rsplit_once('/').expect("a path");
        statement.pointer_mut(folder).and_then(Value::as_object_mut).expect("an object").insert(member.to_owned(), value);
        match (Checkpoint::parse(statement.to_string().as_bytes()), problem) {
            (Ok(_), None) => {}
            (Err(refusal), Some(part)) => assert!(refusal.to_string().contains(part), "{pointer}: {refusal}"),
            (outcome, _) => panic!("{pointer}: {outcome:?}"),
        }
    }

    #[test]
    fn a_checkpoint_is_read_as_it_was_written() {
        let payload = sample().to_payload().expect("a text");
        assert_eq!(Checkpoint::parse(&payload), Ok(sample()));
        let value: Value = serde_json::from_slice(&payload).expect("JSON");
        assert_eq!(value["predicate"]["line"], "ERERESIiIiIzMzMz");
        assert_eq!(value["subject"][0], json!({"name": "refs/heads/main", "digest": {"gitCommit": "33".repeat(20)}}));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        check("/predicate/chain", json!(2), None);
        check("/predicate/chain", json!(-1), Some("invalid value"));
        check("/predicate/extra", json!(1), Some("unknown field `extra`"));
        check("/predicate/line", json!("ERERESIiIiI="), Some("must end with the commit"));
        check("/predicate/line", json!("ERERESIiIiIzMzM="), Some("four bytes for each commit"));
        check("/predicate/line", json!(""), Some("must end with the commit"));
        check("/predicate/line", json!("?"), Some("not base64"));
        check("/predicate/seq", json!(0), Some("must be zeros"));
        check("/predicate/head", json!("0".repeat(64)), Some("must be zeros"));
        check("/predicate/head", json!("F".repeat(64)), Some("64 hexadecimal digits"));
        check("/predicate/time", json!("2026-11-02"), Some("a time must look like"));
        check("/predicate/repository", json!("a\u{1b}[31m"), Some("control characters"));
        check("/subject/0/name", json!("main"), Some("full name"));
        check("/subject/0/digest", json!({"gitCommit": "33"}), Some("40 hexadecimal digits"));
        check("/subject/0/digest", json!({"gitCommit": "44".repeat(20)}), Some("must end with the commit"));
        check("/predicateType", json!("https://lawbook.dev/policy-bundle/v1"), Some("is required"));
        let twice =
            String::from_utf8(sample().to_payload().expect("a text")).expect("text").replacen("\"seq\":7", "\"seq\":7,\"seq\":8", 1);
        assert!(Checkpoint::parse(twice.as_bytes()).is_err_and(|refusal| refusal.to_string().contains("stands twice")));
    }
}
