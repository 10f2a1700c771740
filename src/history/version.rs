//! One meaning of a policy, as the history keeps it: small, comparable by hash, and a policy again when somebody asks.
//!
//! A long history has many versions and few that anybody looks at. So a version is the canonical JSON of the policy and the
//! hashes by which it is compared; the conditions are parsed again only for whoever wants to decide by it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::hash::Sha256Hash;
use super::hash::canonical;
use crate::policy::Policy;
use crate::policy::PolicyId;
use crate::policy::from_value;
use crate::policy::to_value;
use crate::schema::Kind;

/// One meaning of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The policy.
    pub id: PolicyId,
    /// Its kind.
    pub kind: Kind,
    /// Whether it is in force.
    pub enabled: bool,
    /// The semantic hash: SHA-256 of the canonical JSON. Equal hashes are equal meanings.
    pub hash: Sha256Hash,
    /// The canonical JSON.
    pub(super) text: Text,
}

/// A text of its own, or a part of what many were read from.
#[derive(Clone)]
pub(super) enum Text {
    Own(Box<str>),
    Part(Arc<Vec<u8>>, Range<u32>),
}

impl Text {
    fn as_str(&self) -> &str {
        match self {
            Self::Own(text) => text,
            Self::Part(whole, range) => {
                let bytes = whole.get(range.start as usize..range.end as usize).unwrap_or_default();
                std::str::from_utf8(bytes).unwrap_or_default()
            }
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl Version {
    pub(super) fn new(policy: &Policy) -> Self {
        let text = canonical(&to_value(policy));
        Self {
            id: policy.id().clone(),
            kind: policy.kind(),
            enabled: policy.enabled(),
            hash: Sha256Hash::of(&text),
            text: Text::Own(String::from_utf8(text).unwrap_or_default().into()),
        }
    }

    /// The semantic hash without the id: equal when a policy was renamed.
    pub(super) fn body(&self) -> Sha256Hash {
        let mut value = self.value();
        if let Some(fields) = value.as_object_mut() {
            fields.retain(|key, _| !matches!(key.as_str(), "_id" | "id"));
        }
        Sha256Hash::of_json(&value)
    }

    /// Whether this is the other version with nothing but `enabled` switched.
    pub(super) fn differs_in_force_only(&self, other: &Self) -> bool {
        // The two texts differ in this word at least: when they differ in one word, it is this one.
        let (one, two) = (self.text().as_bytes(), other.text().as_bytes());
        let common = one.iter().zip(two).take_while(|(one, two)| one == two).count();
        let word = |version: &Self| if version.enabled { &b"true"[..] } else { b"false" };
        let one = one.get(common..).and_then(|rest| rest.strip_prefix(word(self)));
        let two = two.get(common..).and_then(|rest| rest.strip_prefix(word(other)));
        self.enabled != other.enabled && one.is_some() && one == two
    }

    /// The canonical JSON: every field, defaults included, keys in byte order.
    pub fn text(&self) -> &str {
        self.text.as_str()
    }

    /// The fields.
    pub fn value(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or_default()
    }

    /// The policy; `None` when it could be read once and this version of the program does not take it any more.
    pub fn policy(&self) -> Option<Arc<Policy>> {
        from_value(self.kind, &self.value()).ok().map(Arc::new)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn version(fields: &Value) -> Version {
        Version::new(&from_value(Kind::Access, fields).expect("valid"))
    }

    #[test]
    fn versions_are_compared_by_what_they_mean() {
        let fields = json!({"_id": "A", "service": "s", "actions": ["read"], "members": ["a"]});
        let base = version(&fields);
        let with = |key: &str, value: Value| {
            let mut fields = fields.clone();
            fields[key] = value;
            version(&fields)
        };
        let same = |other: &Version| (base.hash == other.hash, base.body() == other.body(), base.differs_in_force_only(other));
        assert_eq!(same(&with("deny", json!(false))), (true, true, false));
        assert_eq!(same(&with("_id", json!("B"))), (false, true, false));
        assert_eq!(same(&with("enabled", json!(false))), (false, false, true));
        assert_eq!(same(&with("service", json!("t"))), (false, false, false));
        let with_two = |key: &str, value: Value| {
            let mut fields = fields.clone();
            (fields["enabled"], fields[key]) = (json!(false), value);
            version(&fields)
        };
        assert!(!base.differs_in_force_only(&with_two("deny", json!(true))));
        assert!(!base.differs_in_force_only(&with_two("service", json!("true"))));
        let nested = |inner: bool| with("metadata", json!({"enabled": inner, "note": "\"enabled\":true"}));
        let switched = |inner: bool| with_two("metadata", json!({"enabled": inner, "note": "\"enabled\":true"}));
        assert!(nested(true).differs_in_force_only(&switched(true)));
        assert!(!nested(true).differs_in_force_only(&nested(false)));
        assert!(!nested(true).differs_in_force_only(&switched(false)));
        assert_eq!(base.policy().map(|policy| Version::new(&policy)), Some(base.clone()));
        assert_eq!(
            base.text(),
            r#"{"_id":"A","_type":"Policy","actions":["read"],"deny":false,"enabled":true,"members":["a"],"service":"s","source":"private"}"#
        );
    }
}
