//! `lawbook.toml`, as values.
//!
//! The file is read once, strictly: an unknown key is an error with a did-you-mean, and every error knows its place.
//! What a value means to others (whether a rule of that name exists, whether an attribute is spelled well) is checked by
//! those who know; they find the place of the value in the spans kept here.

mod checks;
mod problem;
mod selection;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;
use serde::Deserializer;
use toml::Spanned;

use crate::finding::Level;

pub use checks::staleness;
pub use problem::ConfigProblem;
pub use selection::Selection;

/// The name of the configuration file, at the root of the law book.
pub const FILE_NAME: &str = "lawbook.toml";

/// The name of the directory file at the root of the law book, when the configuration does not name another one.
pub const DIRECTORY: &str = "directory.yaml";

/// The five actions of the OpenDataDSL policy entity, in its order.
pub const BUILT_IN_ACTIONS: [&str; 5] = ["create", "read", "update", "delete", "run"];

/// A value with the bytes of `lawbook.toml` that say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Its bytes in the file.
    pub range: Range<usize>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Placed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(placed)
    }
}

/// What an attribute may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttributeKind {
    /// A list of values; an atom holds if any element satisfies it.
    List,
}

/// The requests an assertion speaks of. An absent field means every value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Members, spelled as in a policy.
    #[serde(default)]
    pub members: Vec<Placed<String>>,
    /// Actions.
    #[serde(default)]
    pub actions: Vec<Placed<String>>,
    /// A service, or `*`.
    pub service: Option<Placed<String>>,
    /// A source, or `*`.
    pub source: Option<String>,
    /// A condition.
    pub condition: Option<Placed<String>>,
    /// How `members` is read by `always`.
    #[serde(default)]
    pub principals: Principals,
}

/// Whether the caller of an `always` assertion has just the members named, or at least these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Principals {
    /// A caller with exactly one of the members.
    #[default]
    Exactly,
    /// A caller with at least these members, whatever other groups.
    AtLeast,
}

/// An invariant over the whole law book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// What it is called in findings.
    pub name: String,
    /// What it claims.
    pub claim: Claim,
    /// Its bytes in `lawbook.toml`.
    pub range: Range<usize>,
}

impl Assertion {
    /// The requests that it speaks of.
    pub fn scope(&self) -> &Scope {
        let (Claim::Never(scope) | Claim::Always(scope) | Claim::SomeoneCan(scope)) = &self.claim;
        scope
    }
}

/// What an assertion claims of its scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// No such request is allowed.
    Never(Scope),
    /// Every such request is allowed.
    Always(Scope),
    /// Some such request is allowed.
    SomeoneCan(Scope),
}

/// The configuration of a law book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Globs of the policy files, relative to the root of the law book.
    pub files: Vec<String>,
    /// Globs that are left out again.
    pub exclude: Vec<String>,
    /// The path of the file that says who there is, when the file names one, with its place.
    pub directory: Option<Placed<String>>,
    /// All actions: the five built-in ones, then those that the file adds, in its order.
    pub actions: Vec<String>,
    /// The services there are, when the file says so.
    pub services: Option<BTreeSet<String>>,
    /// Controls that should stay enabled, with their places.
    pub critical: Vec<Placed<String>>,
    /// Declared attributes by their spelling, with their places.
    pub attributes: BTreeMap<String, Placed<AttributeKind>>,
    /// Levels of rules by name, with the place of the level.
    pub levels: BTreeMap<String, Placed<Level>>,
    /// Invariants, in the order of the file.
    pub assertions: Vec<Assertion>,
    /// How history is read.
    pub history: History,
    /// How the server behaves.
    pub server: Server,
}

/// `[history]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct History {
    /// The file of SSH keys that may sign commits, relative to the root of the law book.
    pub allowed_signers: Placed<String>,
    /// The ids of commits that count as trusted, although they are not signed or nobody vouches for their keys.
    pub pinned: Vec<Placed<String>>,
    /// Whether a landing commit must carry a good signature.
    pub require_signed: Placed<bool>,
}

impl Default for History {
    fn default() -> Self {
        let allowed_signers = Placed { value: ".lawbook/allowed_signers".to_owned(), range: 0..0 };
        Self { allowed_signers, pinned: Vec::new(), require_signed: Placed { value: false, range: 0..0 } }
    }
}

/// `[server]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Server {
    /// Where a policy that is created through an interface is written; `{id}` is its percent-encoded id.
    pub new_file: String,
    /// How long a stale snapshot may be served, such as `deny:1h`.
    pub max_staleness: Option<String>,
}

impl Default for Server {
    fn default() -> Self {
        Self { new_file: "policies/{id}.yaml".to_owned(), max_staleness: None }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            files: vec!["policies/**/*.{yaml,yml,json}".to_owned()],
            exclude: Vec::new(),
            directory: None,
            actions: BUILT_IN_ACTIONS.map(str::to_owned).to_vec(),
            services: None,
            critical: Vec::new(),
            attributes: BTreeMap::new(),
            levels: BTreeMap::new(),
            assertions: Vec::new(),
            history: History::default(),
            server: Server::default(),
        }
    }
}

impl Server {
    /// Where the policy with this id is written when it is created, relative to the root of the law book. The id is percent-encoded
    /// outside of letters, digits, `.`, `_` and `-`, so that it names one file of one folder.
    pub fn file_of(&self, id: &str) -> String {
        let dots = id.bytes().all(|byte| byte == b'.');
        let encoded: String = id
            .bytes()
            .map(|byte| match byte {
                b'.' if dots => "%2E".to_owned(),
                _ if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect();
        self.new_file.replace("{id}", &encoded)
    }
}

impl Config {
    /// Reads the text of `lawbook.toml`.
    ///
    /// # Errors
    /// What is wrong with it and where: broken TOML, an unknown key, a value of the wrong type, a broken glob, an action
    /// that cannot be a name, an assertion that claims nothing or several things.
    pub fn parse(text: &str) -> Result<Self, Vec<ConfigProblem>> {
        let file: File = toml::from_str(text).map_err(|error| vec![ConfigProblem::from_toml(&error, text)])?;
        let mut problems = Vec::new();
        let config = file.into_config(&mut problems);
        problems.extend(checks::problems(&config, text));
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// Where the directory is, relative to the root of the law book: where the file says; else at the default place, unless
    /// that is one of the policy files.
    pub fn directory_path(&self) -> Option<&str> {
        match &self.directory {
            Some(named) => Some(&named.value),
            None => (!Selection::new(self).selects(DIRECTORY)).then_some(DIRECTORY),
        }
    }
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    files: Option<Vec<String>>,
    #[serde(default)]
    exclude: Vec<String>,
    directory: Option<Spanned<String>>,
    #[serde(default)]
    actions: Vec<Spanned<String>>,
    services: Option<BTreeSet<String>>,
    #[serde(default)]
    critical: Vec<Spanned<String>>,
    #[serde(default)]
    attributes: BTreeMap<String, Spanned<AttributeKind>>,
    #[serde(default)]
    lint: Lint,
    #[serde(default, rename = "assert")]
    assertions: Vec<Spanned<AssertionTable>>,
    #[serde(default)]
    history: History,
    #[serde(default)]
    server: Server,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lint {
    #[serde(default)]
    rules: BTreeMap<String, Spanned<LevelWord>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LevelWord {
    Ignore,
    Warn,
    Error,
}

impl From<LevelWord> for Level {
    fn from(word: LevelWord) -> Self {
        match word {
            LevelWord::Ignore => Self::Ignore,
            LevelWord::Warn => Self::Warn,
            LevelWord::Error => Self::Error,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AssertionTable {
    name: String,
    never: Option<Scope>,
    always: Option<Scope>,
    someone_can: Option<Scope>,
}

fn placed<T>(value: Spanned<T>) -> Placed<T> {
    let range = value.span();
    Placed { value: value.into_inner(), range }
}

impl File {
    fn into_config(self, problems: &mut Vec<ConfigProblem>) -> Config {
        let default = Config::default();
        let mut actions = default.actions;
        for action in self.actions.into_iter().map(placed) {
            if !is_action_name(&action.value) {
                let message = format!("`{}` cannot be the name of an action", action.value);
                problems.push(ConfigProblem::new(
                    action.range,
                    message,
                    "use lower-case letters, digits, `_`, `-`, `.` and `:`, starting with a letter",
                ));
            } else if !actions.contains(&action.value) {
                actions.push(action.value);
            }
        }
        let assertions = self.assertions.into_iter().filter_map(|table| assertion(placed(table), problems)).collect();
        let levels = self.lint.rules.into_iter().map(|(rule, level)| {
            let level = placed(level);
            (rule, Placed { value: level.value.into(), range: level.range })
        });
        Config {
            files: self.files.unwrap_or(default.files),
            exclude: self.exclude,
            directory: self.directory.map(placed),
            actions,
            services: self.services,
            critical: self.critical.into_iter().map(placed).collect(),
            attributes: self.attributes.into_iter().map(|(name, kind)| (name, placed(kind))).collect(),
            levels: levels.collect(),
            assertions,
            history: self.history,
            server: self.server,
        }
    }
}

fn is_action_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || "_-.:".contains(char))
}

fn assertion(table: Placed<AssertionTable>, problems: &mut Vec<ConfigProblem>) -> Option<Assertion> {
    let Placed { value, range } = table;
    let claims = [value.never.map(Claim::Never), value.always.map(Claim::Always), value.someone_can.map(Claim::SomeoneCan)];
    let mut claims = claims.into_iter().flatten();
    match (claims.next(), claims.next()) {
        (Some(claim), None) => Some(Assertion { name: value.name, claim, range }),
        (first, _) => {
            let what = if first.is_some() { "claims several things" } else { "claims nothing" };
            let message = format!("the assertion `{}` {what}", value.name);
            problems.push(ConfigProblem::new(range, message, "give it exactly one of `never`, `always` and `someone-can`"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, message: &str, at: &str) {
        let problems = Config::parse(text).expect_err(text);
        let problem = problems.first().expect("a problem");
        assert!(problem.message.contains(message), "{text:?}: {}", problem.message);
        assert_eq!(text.get(problem.range.clone()), Some(at), "{text:?}");
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(Config::parse(""), Ok(Config::default()));
    }

    #[test]
    fn the_documented_file_is_read() {
        let text = r#"
            files    = ["laws/**/*.yaml"]
            exclude  = ["laws/old/**"]
            directory = "people/all.yaml"
            actions  = ["approve", "read"]
            services = ["report", "object"]
            critical = ["pol-mfa-required"]
            [attributes]
            tags = "list"
            "{me.roles}" = "list"
            [lint.rules]
            missing-description = "ignore"
            [[assert]]
            name  = "contractors never delete"
            never = { members = ["contractors"], actions = ["delete"], service = "*" }
            [[assert]]
            name   = "auditors can always read reports"
            always = { members = ["auditors"], actions = ["read"], service = "report", principals = "at-least" }
            [[assert]]
            name        = "somebody can manage policies"
            someone-can = { actions = ["update"], service = "policy" }
        "#;
        let config = Config::parse(text).expect("valid");
        assert_eq!(config.actions, ["create", "read", "update", "delete", "run", "approve"]);
        assert_eq!(config.directory_path(), Some("people/all.yaml"));
        assert_eq!(config.attributes.keys().collect::<Vec<_>>(), ["tags", "{me.roles}"]);
        assert_eq!(config.levels.get("missing-description").map(|level| level.value), Some(Level::Ignore));
        assert_eq!(config.assertions.len(), 3);
        assert!(
            matches!(config.assertions.get(1).map(|a| &a.claim), Some(Claim::Always(scope)) if scope.principals == Principals::AtLeast)
        );
        assert_eq!(config.critical.first().map(|id| &text[id.range.clone()]), Some("\"pol-mfa-required\""));
    }

    #[test]
    fn an_id_names_one_file_of_the_folder() {
        let server = Server { new_file: "laws/{id}/policy.yaml".to_owned(), ..Server::default() };
        for (id, expected) in [
            ("pol-a_B.1", "pol-a_B.1"),
            ("a b", "a%20b"),
            ("*é", "%2A%C3%A9"),
            ("..", "%2E%2E"),
            ("a%/\\", "a%25%2F%5C"),
            ("{id}", "%7Bid%7D"),
        ] {
            assert_eq!(server.file_of(id), format!("laws/{expected}/policy.yaml"), "{id}");
        }
    }

    #[track_caller]
    fn directory(text: &str, expected: Option<&str>) {
        assert_eq!(Config::parse(text).expect(text).directory_path(), expected, "{text}");
    }

    #[test]
    fn a_policy_file_at_the_place_of_the_directory_stays_one() {
        directory("", Some("directory.yaml"));
        directory("files = [\"*.yaml\"]", None);
        directory("files = [\"*.yaml\"]\nexclude = [\"directory.yaml\"]", Some("directory.yaml"));
        directory("files = [\"*.yaml\"]\ndirectory = \"people/all.json\"", Some("people/all.json"));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        refused("file = []\n", "unknown key `file`", "file");
        refused("[lint.rules]\nx = \"loud\"\n", "`loud` is none of the values", "\"loud\"");
        refused("critical = \"x\"\n", "this key takes a list", "\"x\"");
        refused("actions = [\"Approve!\"]\n", "cannot be the name of an action", "\"Approve!\"");
        refused("[[assert]]\nname = \"x\"\n", "claims nothing", "[[assert]]");
        refused("[attributes]\ntags = \"set\"\n", "set", "\"set\"");
        refused("[[assert]]\nname = \"x\"\nnever = \"a\"\n", "this key takes a table", "\"a\"");
        refused("[[assert]]\nnever = {}\n", "the key `name` is missing", "[[assert]]");
        refused("[history]\nrequire-signed = \"yes\"\n", "this key takes `true` or `false`", "\"yes\"");
        refused("[server]\nnew-file = 1\n", "this key takes a string", "1");
        refused("directory = 1\n", "this key takes a string", "1");
        refused("critical = [1]\n", "this key takes a string", "1");
        refused("lint = 1\n", "this key takes a table", "1");
        refused("[[assert]]\nname = \"x\"\nnever = { members = [1] }\n", "this key takes a string", "1");
    }
}
