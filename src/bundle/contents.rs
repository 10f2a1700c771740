//! The law book as entries of a bundle, and back.
//!
//! `lawbook/policies.json` is lossless: it holds every policy with its path, and what of the configuration decides its
//! meaning. Opening it goes through the same reader as a YAML file. `lawbook/tests.json` holds decisions that must come
//! out the same after opening, so that a defect on either side is found before anything is served.

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use super::Entries;
use super::SEMANTICS;
use crate::condition::Lists;
use crate::condition::Term;
use crate::config::staleness;
use crate::decision::Index;
use crate::decision::Request;
use crate::decision::decide;
use crate::policy::Actions;
use crate::policy::Member;
use crate::policy::Policy;
use crate::policy::PolicySet;
use crate::policy::Selector;
use crate::policy::Statement;
use crate::policy::reader;
use crate::policy::to_value;
use crate::schema::Schema;

/// The OPA manifest.
pub const MANIFEST: &str = ".manifest";
/// The law book.
pub const POLICIES: &str = "lawbook/policies.json";
/// The self-test.
pub const TESTS: &str = "lawbook/tests.json";
/// The audit trail.
pub const AUDIT: &str = "lawbook/audit.jsonl";

/// The version of `policies.json` and `tests.json` that is written and read.
pub const FORMAT_VERSION: u32 = 1;

/// How many statements the self-test asks about at most; they are spread over the whole law book.
const MOST_TESTS: usize = 200;

/// How many pairs of a member and an exception are tried to find a caller that is both.
const MOST_PAIRS: usize = 100;

/// A policy with the file it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedPolicy {
    /// The path of its file in the law book.
    pub path: String,
    /// The policy.
    pub policy: Arc<Policy>,
}

/// Everything that a bundle says about a law book.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contents {
    /// All actions of the law book.
    pub actions: Vec<String>,
    /// The attributes declared as lists, as the configuration spells them.
    pub lists: Vec<String>,
    /// The controls that should stay enabled.
    pub critical: Vec<String>,
    /// How long the law book may be served once something newer exists that cannot be, as `[server] max-staleness` says it.
    pub max_staleness: Option<String>,
    /// The policies, in order of path and position.
    pub policies: Vec<PlacedPolicy>,
}

/// Why the entries of a bundle are no law book.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentsError {
    /// An entry that every bundle has.
    #[error("the bundle has no entry `{0}`")]
    Missing(&'static str),
    /// An entry that is not what its version says.
    #[error("`{entry}` cannot be read: {message}")]
    Malformed {
        /// The entry.
        entry: &'static str,
        /// What is wrong.
        message: String,
    },
    /// An entry of a version, or of a semantics, that this program does not know.
    #[error("`{entry}` is of {what} `{found}`, and this program knows `{known}`")]
    Unsupported {
        /// The entry.
        entry: &'static str,
        /// `version` or `semantics`.
        what: &'static str,
        /// What the entry says.
        found: String,
        /// What is known.
        known: String,
    },
    /// A decision that came out differently after opening.
    #[error("self-test {number} of `{TESTS}` was {expected} when the bundle was built, and is {found} now")]
    SelfTest {
        /// The number of the test, counted from 1.
        number: usize,
        /// The decision at build time.
        expected: &'static str,
        /// The decision now.
        found: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PoliciesWire {
    version: u32,
    semantics: String,
    actions: Vec<String>,
    lists: Vec<String>,
    critical: Vec<String>,
    // Whoever does not know it refuses the bundle, and does not serve it for longer than its owner wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_staleness: Option<String>,
    policies: Vec<PolicyWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyWire {
    path: String,
    policy: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestsWire {
    version: u32,
    tests: Vec<TestWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestWire {
    request: Value,
    decision: bool,
    policies: Vec<String>,
}

impl Contents {
    /// The law book that these policies are.
    ///
    /// # Errors
    /// A declared list is no attribute, or a condition does not fit the lists.
    pub fn policy_set(&self) -> Result<PolicySet, ContentsError> {
        let malformed = |message: String| ContentsError::Malformed { entry: POLICIES, message };
        let lists: Result<Lists, ContentsError> = self
            .lists
            .iter()
            .map(|name| Term::parse(name).map_err(|error| malformed(format!("`{name}` is no attribute: {}", error.message))))
            .collect();
        let (set, misfits) = PolicySet::new(self.policies.iter().map(|placed| Arc::clone(&placed.policy)).collect(), &lists?);
        match misfits.first().and_then(|(position, errors)| Some((set.policies().get(*position)?, errors.first()?))) {
            Some((policy, error)) => Err(malformed(format!("the condition of `{}`: {}", policy.id(), error.message))),
            None => Ok(set),
        }
    }

    /// The entries of a bundle of this law book at a revision. The same contents give the same bytes.
    ///
    /// # Errors
    /// See [`Contents::policy_set`].
    pub fn to_entries(&self, revision: &str) -> Result<Entries, ContentsError> {
        let set = self.policy_set()?;
        let policies = self.policies.par_iter().map(|placed| PolicyWire { path: placed.path.clone(), policy: to_value(&placed.policy) });
        let wire = PoliciesWire {
            version: FORMAT_VERSION,
            semantics: SEMANTICS.to_owned(),
            actions: self.actions.clone(),
            lists: self.lists.clone(),
            critical: self.critical.clone(),
            max_staleness: self.max_staleness.clone(),
            policies: policies.collect(),
        };
        let metadata = json!({"tool": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION"), "policies": self.policies.len()});
        let manifest = json!({"revision": revision, "roots": ["lawbook"], "rego_version": 1, "metadata": metadata});
        let mut entries = Entries::new();
        entries.insert(MANIFEST.to_owned(), bytes(MANIFEST, &manifest)?);
        entries.insert(POLICIES.to_owned(), bytes(POLICIES, &wire)?);
        entries.insert(TESTS.to_owned(), bytes(TESTS, &TestsWire { version: FORMAT_VERSION, tests: self_tests(&set) })?);
        Ok(entries)
    }

    /// Reads the entries of a bundle and prepares its law book for answering. Nothing that was computed at build time is trusted.
    ///
    /// # Errors
    /// An entry is missing, malformed, or of an unknown version; a policy would not be accepted in a file either.
    pub fn from_entries(entries: &Entries) -> Result<(Self, Index), ContentsError> {
        let wire: PoliciesWire = parse(POLICIES, entry(entries, POLICIES)?)?;
        supported(POLICIES, "version", &wire.version.to_string(), &FORMAT_VERSION.to_string())?;
        supported(POLICIES, "semantics", &wire.semantics, SEMANTICS)?;
        if let Some(limit) = wire.max_staleness.as_deref().filter(|limit| staleness(limit).is_none()) {
            return Err(ContentsError::Malformed { entry: POLICIES, message: format!("`{limit}` is no limit of staleness") });
        }
        let schema =
            Schema::new(&wire.actions).map_err(|error| ContentsError::Malformed { entry: POLICIES, message: error.to_string() })?;
        let policies: Result<Vec<PlacedPolicy>, ContentsError> =
            wire.policies.into_par_iter().map(|policy| placed(&schema, policy)).collect();
        let contents = Self {
            actions: wire.actions,
            lists: wire.lists,
            critical: wire.critical,
            max_staleness: wire.max_staleness,
            policies: policies?,
        };
        let index = Index::new(Arc::new(contents.policy_set()?));
        Ok((contents, index))
    }
}

/// Runs the decisions that the bundle promises.
///
/// # Errors
/// The first that comes out differently, or an entry that cannot be read.
pub fn self_test(entries: &Entries, index: &Index) -> Result<(), ContentsError> {
    let wire: TestsWire = parse(TESTS, entry(entries, TESTS)?)?;
    supported(TESTS, "version", &wire.version.to_string(), &FORMAT_VERSION.to_string())?;
    let word = |allowed: bool| if allowed { "allowed" } else { "denied" };
    for (number, test) in (1..).zip(wire.tests) {
        let request =
            Request::from_authzen(&test.request).map_err(|error| ContentsError::Malformed { entry: TESTS, message: error.to_string() })?;
        let decision = index.decide(&request);
        let same = decision.policies.iter().map(|id| id.as_str()).eq(test.policies.iter().map(String::as_str));
        if decision.allowed != test.decision || !same {
            return Err(ContentsError::SelfTest { number, expected: word(test.decision), found: word(decision.allowed) });
        }
    }
    Ok(())
}

fn bytes(entry: &'static str, value: &impl Serialize) -> Result<Vec<u8>, ContentsError> {
    serde_json::to_vec(value).map_err(|error| ContentsError::Malformed { entry, message: error.to_string() })
}

fn entry<'a>(entries: &'a Entries, name: &'static str) -> Result<&'a [u8], ContentsError> {
    entries.get(name).map(Vec::as_slice).ok_or(ContentsError::Missing(name))
}

fn parse<'a, T: Deserialize<'a>>(entry: &'static str, bytes: &'a [u8]) -> Result<T, ContentsError> {
    serde_json::from_slice(bytes).map_err(|error| ContentsError::Malformed { entry, message: error.to_string() })
}

fn supported(entry: &'static str, what: &'static str, found: &str, known: &str) -> Result<(), ContentsError> {
    if found == known { Ok(()) } else { Err(ContentsError::Unsupported { entry, what, found: found.to_owned(), known: known.to_owned() }) }
}

fn placed(schema: &Schema, wire: PolicyWire) -> Result<PlacedPolicy, ContentsError> {
    let policy = reader(schema, &wire.policy).map_err(|problems| {
        let violation = problems.violations.into_iter().next().map(|violation| violation.message);
        let condition = problems.conditions.into_iter().next().map(|(_, error)| error.message);
        let message = violation.or(condition).unwrap_or_else(|| "it is no policy".to_owned());
        ContentsError::Malformed { entry: POLICIES, message: format!("a policy of `{}`: {message}", wire.path) }
    })?;
    Ok(PlacedPolicy { path: wire.path, policy: Arc::new(policy) })
}

/// A request for each of some statements, evenly spread: a caller that it names does what it speaks of, to an empty document. For
/// one with exceptions also a request of somebody whom it excepts, since a reader without them would apply it to too many.
fn self_tests(set: &PolicySet) -> Vec<TestWire> {
    let statements = set.statements();
    let step = statements.len().div_ceil(MOST_TESTS).max(1);
    let samples: Vec<&Statement> = statements.iter().map(|statement| &**statement).step_by(step).collect();
    let test = |request: Value| {
        let parsed = Request::from_authzen(&request).ok()?;
        let decision = decide(statements, &parsed);
        let policies = decision.policies.iter().map(|id| id.as_str().to_owned()).collect();
        Some(TestWire { request, decision: decision.allowed, policies })
    };
    let requests: Vec<Value> = samples.into_iter().flat_map(requests).collect();
    requests.into_par_iter().filter_map(test).collect()
}

/// The requests of the first member, and of the first excepted caller that is a member.
fn requests(statement: &Statement) -> impl Iterator<Item = Value> {
    let member = statement.members.first().unwrap_or(&Member::Everyone);
    let pairs = statement.except.iter().flat_map(|excepted| statement.members.iter().map(move |member| [member, excepted]));
    let excepted = pairs.take(MOST_PAIRS).find_map(|pair| caller(&pair));
    caller(&[member]).into_iter().chain(excepted).map(|caller| request(statement, &caller))
}

/// A caller that matches each of these members, if one can.
fn caller(members: &[&Member]) -> Option<Value> {
    let mut identities = BTreeSet::new();
    let mut groups = BTreeSet::new();
    for member in members {
        match member {
            Member::Everyone => {}
            Member::Email(address) => identities.extend([("user", &**address)]),
            Member::Typed { kind, id } => identities.extend([(&**kind, &**id)]),
            Member::Group(group) => groups.extend([&**group]),
        }
    }
    let (kind, id) = identities.first().copied().unwrap_or(("user", "nobody@example.invalid"));
    (identities.len() <= 1).then(|| json!({"type": kind, "id": id, "properties": {"groups": groups}}))
}

fn request(statement: &Statement, caller: &Value) -> Value {
    let named = |selector: &Selector, other: &str| match selector {
        Selector::Any => other.to_owned(),
        Selector::Named(name) => name.to_string(),
    };
    let action = match &statement.actions {
        Actions::Any => "read",
        Actions::Only(names) => names.first().map_or("read", |name| name),
    };
    json!({
        "subject": caller,
        "action": {"name": action},
        "resource": {"type": named(&statement.service, "other"), "id": "sample"},
        "context": {"source": named(&statement.source, "private")},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BUILT_IN_ACTIONS;

    fn sample_contents() -> Contents {
        let actions = BUILT_IN_ACTIONS.map(str::to_owned).to_vec();
        let schema = Schema::new(&actions).expect("compiles");
        let placed =
            |path: &str, value: Value| PlacedPolicy { path: path.to_owned(), policy: Arc::new(reader(&schema, &value).expect("a policy")) };
        let policies = vec![
            placed("policies/a.yaml", json!({"_id": "A", "service": "report", "actions": ["read"], "members": ["*"]})),
            placed(
                "policies/b.yaml",
                json!({"_id": "B", "service": "report", "actions": ["read"], "members": ["contractors"], "deny": true}),
            ),
            placed(
                "policies/c.yaml",
                json!({"id": "pol-c", "name": "C", "type": "access", "require": "{context.mfa} = 'totp'", "service": "payroll"}),
            ),
        ];
        let except = json!({"_id": "D", "service": "wiki", "actions": ["read"], "members": ["a@b", "g"], "except": ["a@b", "h"]});
        let control = json!({"id": "pol-e", "name": "E", "type": "access", "require": "a = 1", "service": "wiki", "except": ["service:x"]});
        let policies = policies.into_iter().chain([placed("policies/d.yaml", except), placed("policies/e.yaml", control)]).collect();
        Contents { actions, lists: vec!["tags".to_owned()], critical: vec!["pol-c".to_owned()], max_staleness: None, policies }
    }

    #[test]
    fn a_law_book_survives_its_bundle() {
        for max_staleness in [None, Some("deny:1h".to_owned())] {
            let contents = Contents { max_staleness, ..sample_contents() };
            let entries = contents.to_entries("abc").expect("entries");
            let (opened, index) = Contents::from_entries(&entries).expect("opens");
            assert_eq!(opened, contents);
            assert_eq!(self_test(&entries, &index), Ok(()));
            assert_eq!(contents.to_entries("abc").expect("entries"), entries);
        }
    }

    #[track_caller]
    fn refused(entry: &str, from: &str, to: &str, message: &str) {
        let mut entries = sample_contents().to_entries("abc").expect("entries");
        let bytes = entries.get_mut(entry).expect("an entry");
        let text = String::from_utf8(bytes.clone()).expect("text");
        assert!(text.contains(from), "{from} is not in {text}");
        *bytes = text.replacen(from, to, 1).into_bytes();
        let outcome = Contents::from_entries(&entries).and_then(|(_, index)| self_test(&entries, &index));
        assert!(outcome.as_ref().is_err_and(|error| error.to_string().contains(message)), "{outcome:?}");
    }

    /// A limit that no reader understood was no limit, and a stale bundle would have been served for ever.
    #[test]
    fn a_limit_of_staleness_that_is_none_is_refused() {
        let contents = Contents { max_staleness: Some("deny:soon".to_owned()), ..sample_contents() };
        let outcome = Contents::from_entries(&contents.to_entries("abc").expect("entries")).map(drop);
        assert!(outcome.as_ref().is_err_and(|error| error.to_string().contains("`deny:soon` is no limit of staleness")), "{outcome:?}");
    }

    /// What keeps a reader that is older than a field from serving without it: a policy with an unknown field is none.
    #[test]
    fn a_field_that_is_not_known_is_refused_and_not_dropped() {
        refused(POLICIES, "\"except\":", "\"except-of-tomorrow\":", "an access policy has no field `except-of-tomorrow`");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        refused(POLICIES, "\"version\":1", "\"version\":2", "is of version `2`");
        refused(POLICIES, SEMANTICS, "allow-overrides", "is of semantics `allow-overrides`");
        refused(POLICIES, "\"deny\":true", "\"deny\":\"true\"", "a policy of `policies/b.yaml`");
        refused(POLICIES, "\"deny\":true", "\"deny\":false", "self-test 2");
        refused(POLICIES, "\"except\":[\"service:x\"]", "\"except\":[\"service:y\"]", "self-test 7");
        refused(TESTS, "\"decision\":true", "\"decision\":false", "self-test 1");
        refused(TESTS, "\"version\":1", "\"version\":9", "is of version `9`");
    }
}
