//! The trust root: which keys may do what, and how many of them it takes.
//!
//! A key is named by its fingerprint, and the fingerprint is computed and compared when the file is read, so one key cannot
//! stand under two names and count twice. The file is written by `lawbook trust` and read exactly: a misspelt field in it is
//! an error and not a default.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::bundle::disk;
use crate::bundle::disk::Readers;
use crate::bundle::fingerprint::KeyId;
use crate::bundle::json;
use crate::bundle::json::Fields;
use crate::bundle::key::KEY_TYPE;
use crate::bundle::key::PublicKey;
use crate::bundle::refusal::printable;
use crate::bundle::statement::utc_seconds;

/// The largest number of keys, which bounds the work before anything is trusted.
pub const MAX_KEYS: usize = 64;

/// The only version of a trust root that is known.
const VERSION: u64 = 1;

/// The largest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// What a key may be trusted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// To sign the next trust root.
    Root,
    /// To sign bundles.
    Bundle,
}

impl Role {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Root, Self::Bundle];

    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Bundle => "bundle",
        }
    }
}

/// Keys, their roles, and the thresholds of the roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    expires: Option<Timestamp>,
    keys: BTreeMap<KeyId, PublicKey>,
    root: Holders,
    bundle: Holders,
}

/// Who has a role, and how many of them have to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Holders {
    threshold: usize,
    keys: BTreeSet<KeyId>,
}

/// What is wrong with a trust root, or with a change to it.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum TrustError {
    /// The file cannot be read.
    #[error("the trust file `{}` cannot be read: {problem}", path.display())]
    #[diagnostic(help("check that the file exists and that you may read it, or make one with `lawbook trust init`"))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        problem: io::Error,
    },
    /// The file cannot be written.
    #[error("the trust file `{}` cannot be written: {problem}", path.display())]
    #[diagnostic(help("check that the directory exists and that you may write there"))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        problem: io::Error,
    },
    /// The file is not a trust root.
    #[error("the trust file `{}` is malformed: {problem}", path.display())]
    #[diagnostic(help("correct the field, or make the file again with `lawbook trust init`"))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The field, and what is wrong with it.
        problem: String,
    },
    /// The key has the role.
    #[error("the key `{key}` has the role `{}` already", role.as_str())]
    #[diagnostic(help("add another key, or nothing"))]
    HasRole {
        /// The key.
        key: KeyId,
        /// The role.
        role: Role,
    },
    /// The key does not have the role.
    #[error("the key `{key}` does not have the role `{}`", role.as_str())]
    #[diagnostic(help("see the keys and their roles with `lawbook trust show`"))]
    LacksRole {
        /// The key.
        key: KeyId,
        /// The role.
        role: Role,
    },
    /// A threshold nobody can meet, or everybody does.
    #[error("the threshold of the role `{}` cannot be {threshold} with {keys} {}", role.as_str(), if *keys == 1 { "key" } else { "keys" })]
    #[diagnostic(help("choose a threshold from 1 to the number of keys of the role"))]
    Threshold {
        /// The role.
        role: Role,
        /// The threshold.
        threshold: usize,
        /// How many keys the role has.
        keys: usize,
    },
    /// More keys than there may be.
    #[error("a trust file has at most {MAX_KEYS} keys")]
    #[diagnostic(help("remove the keys that are no longer used, with `lawbook trust remove`"))]
    TooManyKeys,
}

impl Trust {
    /// A trust root in which every key has every role, with one threshold for both.
    ///
    /// # Errors
    ///
    /// When a key stands there twice, or the threshold is not between 1 and the number of keys.
    pub fn init(keys: impl IntoIterator<Item = PublicKey>, threshold: usize) -> Result<Self, TrustError> {
        let holders = Holders { threshold: 1, keys: BTreeSet::new() };
        let mut trust = Self { expires: None, keys: BTreeMap::new(), root: holders.clone(), bundle: holders };
        for key in keys {
            for role in Role::ALL {
                trust.add(&key, role)?;
            }
        }
        for role in Role::ALL {
            trust.set_threshold(role, threshold)?;
        }
        Ok(trust)
    }

    /// Gives a role to a key. The comment of a key that is new becomes its name.
    ///
    /// # Errors
    ///
    /// When the key has the role, or there are [`MAX_KEYS`] keys.
    pub fn add(&mut self, key: &PublicKey, role: Role) -> Result<(), TrustError> {
        let id = key.id();
        if !self.keys.contains_key(&id) && self.keys.len() >= MAX_KEYS {
            return Err(TrustError::TooManyKeys);
        }
        if !self.holders_mut(role).keys.insert(id.clone()) {
            return Err(TrustError::HasRole { key: id, role });
        }
        self.keys.entry(id).or_insert_with(|| key.clone());
        Ok(())
    }

    /// Takes a role from a key, and forgets the key with its last role.
    ///
    /// # Errors
    ///
    /// When the key does not have the role, or fewer keys than the threshold would be left.
    pub fn remove(&mut self, key: &KeyId, role: Role) -> Result<(), TrustError> {
        let holders = self.holders_mut(role);
        if !holders.keys.contains(key) {
            return Err(TrustError::LacksRole { key: key.clone(), role });
        }
        if holders.keys.len() <= holders.threshold {
            return Err(TrustError::Threshold { role, threshold: holders.threshold, keys: holders.keys.len() - 1 });
        }
        holders.keys.remove(key);
        if !Role::ALL.into_iter().any(|role| self.may(key, role)) {
            self.keys.remove(key);
        }
        Ok(())
    }

    /// Sets how many keys of a role have to sign.
    ///
    /// # Errors
    ///
    /// When it is not between 1 and the number of keys of the role.
    pub fn set_threshold(&mut self, role: Role, threshold: usize) -> Result<(), TrustError> {
        let holders = self.holders_mut(role);
        if !(1..=holders.keys.len()).contains(&threshold) {
            return Err(TrustError::Threshold { role, threshold, keys: holders.keys.len() });
        }
        holders.threshold = threshold;
        Ok(())
    }

    /// Sets from when on nothing is trusted any more; `None` for never. Fractions of a second are dropped.
    pub fn set_expires(&mut self, expires: Option<Timestamp>) {
        self.expires = expires.map(utc_seconds::whole);
    }

    /// From when on nothing is trusted any more.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// The key of that name, whatever its role.
    pub fn key(&self, id: &KeyId) -> Option<&PublicKey> {
        self.keys.get(id)
    }

    /// All keys, in byte order of their names.
    pub fn keys(&self) -> impl Iterator<Item = (&KeyId, &PublicKey)> {
        self.keys.iter()
    }

    /// Whether the key has the role.
    pub fn may(&self, id: &KeyId, role: Role) -> bool {
        self.holders(role).keys.contains(id)
    }

    /// How many distinct keys of a role have to sign; at least 1.
    pub fn threshold(&self, role: Role) -> usize {
        self.holders(role).threshold
    }

    /// Reads a trust root.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or anything in it is not exactly as it has to be.
    pub fn load(path: &Path) -> Result<Self, TrustError> {
        let read = File::open(path).and_then(|file| disk::read_bounded(file, MAX_FILE_BYTES));
        let bytes = read.map_err(|problem| TrustError::Read { path: path.to_owned(), problem })?;
        Self::parse(&bytes).map_err(|problem| TrustError::Malformed { path: path.to_owned(), problem: printable(&problem) })
    }

    /// Writes the trust root, whole or not at all.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), TrustError> {
        disk::replace(path, self.to_text().as_bytes(), Readers::Everybody)
            .map_err(|problem| TrustError::Write { path: path.to_owned(), problem })
    }

    /// The text of the file: indented JSON, keys in byte order of their names.
    pub fn to_text(&self) -> String {
        let keys: serde_json::Map<String, Value> = self
            .keys
            .iter()
            .map(|(id, key)| (id.to_string(), json!({"type": KEY_TYPE, "public": key.to_line(), "name": key.comment()})))
            .collect();
        let role = |holders: &Holders| json!({"threshold": holders.threshold, "keys": holders.keys});
        let mut file = json!({
            "version": VERSION,
            "keys": keys,
            "roles": {"root": role(&self.root), "bundle": role(&self.bundle)},
            "signatures": [],
        });
        if let (Some(expires), Some(map)) = (self.expires, file.as_object_mut()) {
            map.insert("expires".to_owned(), json!(expires.to_string()));
        }
        format!("{file:#}\n")
    }

    /// Reads the text of a trust root.
    ///
    /// # Errors
    ///
    /// The field, and what is wrong with it, in words.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut top = Fields::root(json::parse(bytes)?)?;
        let version: u64 = top.take("version", "a whole number")?;
        if version != VERSION {
            return Err(format!("the field `version` is {version}, but only {VERSION} is known"));
        }
        let expires = match top.optional::<String>("expires", "a time")? {
            Some(text) => Some(utc_seconds::parse(&text).ok_or("the field `expires` must be a time such as `2027-01-31T12:00:00Z`")?),
            None => None,
        };
        let keys = parse_keys(top.object("keys")?)?;
        let mut roles = top.object("roles")?;
        let root = parse_role(roles.object(Role::Root.as_str())?, &keys)?;
        let bundle = parse_role(roles.object(Role::Bundle.as_str())?, &keys)?;
        roles.finish()?;
        let signatures: Vec<Value> = top.take("signatures", "a list")?;
        if !signatures.is_empty() {
            return Err("the field `signatures` must be empty: this version does not know signed trust files".to_owned());
        }
        top.finish()?;
        Ok(Self { expires, keys, root, bundle })
    }

    fn holders(&self, role: Role) -> &Holders {
        match role {
            Role::Root => &self.root,
            Role::Bundle => &self.bundle,
        }
    }

    fn holders_mut(&mut self, role: Role) -> &mut Holders {
        match role {
            Role::Root => &mut self.root,
            Role::Bundle => &mut self.bundle,
        }
    }
}

fn parse_keys(mut list: Fields) -> Result<BTreeMap<KeyId, PublicKey>, String> {
    let names = list.names();
    if names.len() > MAX_KEYS {
        return Err(format!("the field `keys` has more than {MAX_KEYS} keys"));
    }
    let mut keys = BTreeMap::new();
    for name in names {
        let key = parse_key(list.object(&name)?, &list.at(&name))?;
        if key.id().as_str() != name {
            return Err(format!("the field `{}` is the key `{}` under another name", list.at(&name), key.id()));
        }
        keys.insert(key.id(), key);
    }
    Ok(keys)
}

fn parse_key(mut fields: Fields, path: &str) -> Result<PublicKey, String> {
    let kind: String = fields.take("type", "a text")?;
    if kind != KEY_TYPE {
        return Err(format!("the field `{path}.type` must be `{KEY_TYPE}`"));
    }
    let line: String = fields.take("public", "a text")?;
    let name: String = fields.take("name", "a text")?;
    fields.finish()?;
    let key = PublicKey::parse(&line).map_err(|problem| format!("the field `{path}.public` is not a public key: {problem}"))?;
    if key.to_line() != line {
        return Err(format!("the field `{path}.public` must be `{KEY_TYPE}`, a space and base64, and nothing else"));
    }
    Ok(key.named(&name))
}

fn parse_role(mut fields: Fields, known: &BTreeMap<KeyId, PublicKey>) -> Result<Holders, String> {
    let threshold: usize = fields.take("threshold", "a whole number")?;
    let listed: Vec<String> = fields.take("keys", "a list of key ids")?;
    let mut keys = BTreeSet::new();
    for text in &listed {
        let id = text.parse::<KeyId>().ok().filter(|id| known.contains_key(id));
        let id = id.ok_or_else(|| format!("the field `{}` names `{text}`, which is not in `keys`", fields.at("keys")))?;
        if !keys.insert(id) {
            return Err(format!("the field `{}` names `{text}` twice", fields.at("keys")));
        }
    }
    if !(1..=keys.len()).contains(&threshold) {
        return Err(format!("the field `{}` must be between 1 and the number of keys, {}", fields.at("threshold"), keys.len()));
    }
    fields.finish()?;
    Ok(Holders { threshold, keys })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::key::SigningKey;

    fn public(comment: &str) -> PublicKey {
        SigningKey::generate(comment).unwrap().public().clone()
    }

    #[test]
    fn a_trust_root_is_written_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("trust.json");
        let mut trust = Trust::init([public("ann"), public("bob"), public("")], 2).unwrap();
        trust.set_expires(Some("2027-01-31T12:00:00.5Z".parse().unwrap()));
        trust.add(&public("cy"), Role::Bundle).unwrap();
        trust.save(&path).unwrap();
        assert_eq!(Trust::load(&path).unwrap(), trust);
        assert!(std::fs::read_to_string(&path).unwrap().contains("\"expires\": \"2027-01-31T12:00:00Z\""));
        assert!(matches!(Trust::load(&directory.path().join("none")), Err(TrustError::Read { .. })));
        std::fs::write(&path, "{}").unwrap();
        let message = Trust::load(&path).unwrap_err().to_string();
        assert!(message.contains("trust.json") && message.contains("`version` is missing"), "{message}");
    }

    #[test]
    fn a_threshold_can_be_met_and_is_never_zero() {
        let [ann, bob] = [public("ann"), public("bob")];
        let both = || [ann.clone(), bob.clone()];
        assert!(matches!(Trust::init(both(), 0), Err(TrustError::Threshold { .. })));
        assert!(matches!(Trust::init(both(), 3), Err(TrustError::Threshold { .. })));
        assert!(matches!(Trust::init([], 1), Err(TrustError::Threshold { .. })));
        assert!(matches!(Trust::init([ann.clone(), ann.clone()], 1), Err(TrustError::HasRole { .. })));
        let mut trust = Trust::init(both(), 2).unwrap();
        assert!(matches!(trust.remove(&ann.id(), Role::Bundle), Err(TrustError::Threshold { .. })));
        trust.set_threshold(Role::Bundle, 1).unwrap();
        trust.remove(&ann.id(), Role::Bundle).unwrap();
        assert!(trust.may(&ann.id(), Role::Root) && !trust.may(&ann.id(), Role::Bundle));
        assert!(matches!(trust.remove(&ann.id(), Role::Bundle), Err(TrustError::LacksRole { .. })));
        trust.set_threshold(Role::Root, 1).unwrap();
        trust.remove(&ann.id(), Role::Root).unwrap();
        assert_eq!(trust.key(&ann.id()), None);
        let mut full = Trust::init((0..MAX_KEYS).map(|_| public("")), 1).unwrap();
        assert!(matches!(full.add(&ann, Role::Root), Err(TrustError::TooManyKeys)));
    }

    /// The file of one key with one thing changed, and what the message has to say.
    #[track_caller]
    fn check(pointer: &str, value: Value, says: &str) {
        let key = public("ann");
        let text = Trust::init([key.clone()], 1).unwrap().to_text();
        let mut file: Value = serde_json::from_str(&text).unwrap();
        let pointer = pointer.replace("KEY", key.id().as_str().replace('/', "~1").as_str());
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        file.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.replace("~1", "/"), value);
        let message = Trust::parse(file.to_string().as_bytes()).unwrap_err().replace(key.id().as_str(), "KEY");
        assert!(message.contains(says), "{pointer}: {message}");
    }

    #[test]
    fn an_error_names_the_field() {
        check("/version", json!(2), "`version` is 2");
        check("/version", json!("1"), "`version` must be a whole number");
        check("/expires", json!("tomorrow"), "`expires` must be a time");
        check("/expires", json!(1), "`expires` must be a time");
        check("/keys", json!([]), "`keys` must be an object");
        check("/keys", json!({}), "`roles.root.keys` names `KEY`, which is not in `keys`");
        check("/keys/KEY/type", json!("ssh-rsa"), "`keys.KEY.type` must be `ssh-ed25519`");
        check("/keys/KEY/public", json!("ssh-ed25519 AAAA"), "`keys.KEY.public` is not a public key");
        check("/keys/KEY/public", json!(public("").to_line()), "under another name");
        check("/keys/KEY/name", json!(1), "`keys.KEY.name` must be a text");
        check("/keys/KEY/more", json!(1), "`keys.KEY.more` is unknown");
        check("/roles/bundle/threshold", json!(0), "`roles.bundle.threshold` must be between 1 and the number of keys, 1");
        check("/roles/bundle/threshold", json!(2), "`roles.bundle.threshold` must be between 1 and the number of keys, 1");
        check("/roles/bundle/threshold", json!(-1), "`roles.bundle.threshold` must be a whole number");
        check("/roles/bundle/keys", json!(["x"]), "`roles.bundle.keys` names `x`");
        check("/roles/bundle/more", json!(1), "`roles.bundle.more` is unknown");
        check("/roles/other", json!({}), "`roles.other` is unknown");
        check("/roles/root", Value::Null, "`roles.root` must be an object");
        check("/signatures", json!([1]), "`signatures` must be empty");
        check("/extra", json!(1), "`extra` is unknown");
    }

    #[test]
    fn a_key_never_stands_under_two_names() {
        let key = public("ann");
        let text = Trust::init([key.clone()], 1).unwrap().to_text();
        let alias = public("").id();
        let mut file: Value = serde_json::from_str(&text).unwrap();
        file["keys"][alias.as_str()] = file["keys"][key.id().as_str()].clone();
        assert!(Trust::parse(file.to_string().as_bytes()).unwrap_err().contains("under another name"));
        let mut twice: Value = serde_json::from_str(&text).unwrap();
        twice["roles"]["bundle"]["keys"] = json!([key.id(), key.id()]);
        twice["roles"]["bundle"]["threshold"] = json!(2);
        assert!(Trust::parse(twice.to_string().as_bytes()).unwrap_err().contains("twice"));
        let mut padded: Value = serde_json::from_str(&text).unwrap();
        padded["keys"][key.id().as_str()]["public"] = json!(format!("{} comment", key.to_line()));
        assert!(Trust::parse(padded.to_string().as_bytes()).unwrap_err().contains("nothing else"));
        let repeated = text.replacen("\"version\": 1", "\"version\": 1, \"version\": 1", 1);
        assert!(Trust::parse(repeated.as_bytes()).unwrap_err().contains("stands twice"));
    }
}
