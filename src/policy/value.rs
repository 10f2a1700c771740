//! From a JSON value to a policy and back.
//!
//! [`reader`] checks a value against the schema and reads it; [`to_value`] writes every field that differs from being
//! absent, in canonical order of keys, and reading that gives the same policy again.

use std::sync::Arc;

use serde_json::Map;
use serde_json::Value;

use super::AccessPolicy;
use super::ConditionText;
use super::Control;
use super::Policy;
use super::PolicyId;
use crate::condition;
use crate::condition::ConditionError;
use crate::schema::Kind;
use crate::schema::Place;
use crate::schema::Schema;
use crate::schema::Violation;

/// Why a value is no policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unreadable {
    /// What the schema and the types say.
    pub violations: Vec<Violation>,
    /// The field of the condition, and what is wrong in its text.
    pub conditions: Vec<(&'static str, ConditionError)>,
}

/// The first of the reasons, in one line.
impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.violations.first(), self.conditions.first()) {
            (Some(violation), _) => f.write_str(&violation.message),
            (None, Some((field, error))) => write!(f, "`{field}`: {}", error.message),
            (None, None) => f.write_str("it is no policy"),
        }
    }
}

/// What reading gave: the policy with the kind it has, or as much of why not.
pub type Reading = Result<Policy, Unreadable>;

/// Checks a value against the schema and reads it.
pub fn reader(schema: &Schema, value: &Value) -> Reading {
    let kind = Schema::kind(value).map_err(|violation| Unreadable { violations: vec![violation], conditions: Vec::new() })?;
    let violations = schema.violations(kind, value);
    match from_value(kind, value) {
        Ok(policy) if violations.is_empty() => Ok(policy),
        Ok(_) => Err(Unreadable { violations, conditions: Vec::new() }),
        Err(mut unreadable) => {
            // The schema has said the same about types already, in better words.
            if !violations.is_empty() {
                unreadable.violations = violations;
            }
            Err(unreadable)
        }
    }
}

/// Reads a value of this kind. A value that the schema accepts is refused only for its conditions and its times.
///
/// # Errors
/// What keeps it from being a policy.
pub fn from_value(kind: Kind, value: &Value) -> Reading {
    let empty = Map::new();
    let mut fields = Fields { fields: value.as_object().unwrap_or(&empty), problems: Unreadable::default() };
    let policy = match kind {
        Kind::Access => fields.access().map(Policy::Access),
        Kind::Control => fields.control().map(Policy::Control),
    };
    match policy {
        Some(policy) if fields.problems == Unreadable::default() => Ok(policy),
        _ => Err(fields.problems),
    }
}

struct Fields<'a> {
    fields: &'a Map<String, Value>,
    problems: Unreadable,
}

impl Fields<'_> {
    fn access(&mut self) -> Option<AccessPolicy> {
        Some(AccessPolicy {
            id: self.id("_id")?,
            category: self.string("category"),
            description: self.string("description"),
            source: self.string("source").unwrap_or_else(|| "private".to_owned()),
            service: self.required("service")?,
            condition: self.condition("condition"),
            actions: self.strings("actions").unwrap_or_default(),
            members: self.strings("members").unwrap_or_default(),
            except: self.strings("except"),
            deny: self.boolean("deny", false),
            enabled: self.boolean("enabled", true),
            metadata: self.metadata(),
        })
    }

    fn control(&mut self) -> Option<Control> {
        Some(Control {
            id: self.id("id")?,
            name: self.required("name")?,
            description: self.string("description").unwrap_or_default(),
            category: self.required("type")?,
            rules: self.strings("rules").unwrap_or_default(),
            enabled: self.boolean("enabled", true),
            created_at: self.time("created_at"),
            require: self.condition("require"),
            service: self.string("service"),
            source: self.string("source"),
            actions: self.strings("actions"),
            members: self.strings("members"),
            except: self.strings("except"),
            metadata: self.metadata(),
        })
    }

    fn refuse(&mut self, field: &str, message: String, help: &str) {
        self.problems.violations.push(Violation { place: Place::value(&[field]), message, help: Some(help.to_owned()) });
    }

    fn id(&mut self, field: &'static str) -> Option<PolicyId> {
        let text = self.required(field)?;
        let id = PolicyId::new(&text);
        if id.is_none() {
            self.refuse(field, format!("`{text}` cannot be an id"), "use 1 to 128 characters without `/` and without control characters");
        }
        id
    }

    fn required(&mut self, field: &str) -> Option<String> {
        let text = self.string(field);
        if text.is_none() {
            self.refuse(field, format!("the field `{field}` is missing"), "add it");
        }
        text
    }

    fn string(&mut self, field: &str) -> Option<String> {
        match self.fields.get(field)? {
            Value::String(text) => Some(text.clone()),
            _ => {
                self.refuse(field, format!("`{field}` is not a string"), "write a string");
                None
            }
        }
    }

    fn strings(&mut self, field: &str) -> Option<Vec<String>> {
        let texts: Option<Vec<String>> = match self.fields.get(field)? {
            Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        if texts.is_none() {
            self.refuse(field, format!("`{field}` is not a list of strings"), "write a list of strings");
        }
        texts
    }

    fn boolean(&mut self, field: &str, default: bool) -> bool {
        match self.fields.get(field) {
            None => default,
            Some(Value::Bool(value)) => *value,
            Some(_) => {
                self.refuse(field, format!("`{field}` is not true or false"), "write `true` or `false`, without quotes");
                default
            }
        }
    }

    fn metadata(&mut self) -> Option<Map<String, Value>> {
        match self.fields.get("metadata")? {
            Value::Object(fields) => Some(fields.clone()),
            _ => {
                self.refuse("metadata", "`metadata` is not a mapping".to_owned(), "write a mapping");
                None
            }
        }
    }

    fn time(&mut self, field: &str) -> Option<String> {
        let text = self.string(field)?;
        if text.parse::<jiff::Timestamp>().is_err() {
            self.refuse(field, format!("`{text}` is no time"), "write a time such as `2026-03-01T10:00:00Z`");
        }
        Some(text)
    }

    fn condition(&mut self, field: &'static str) -> Option<ConditionText> {
        let text = self.string(field)?;
        match condition::parse(&text) {
            Ok(parsed) => {
                let canonical = parsed.spellings.is_empty();
                Some(ConditionText { text: text.into(), expr: Arc::new(parsed.expr), canonical })
            }
            Err(errors) => {
                self.problems.conditions.extend(errors.into_iter().map(|error| (field, error)));
                None
            }
        }
    }
}

/// The policy as a value, with every field that it has; defaults that the file left out are written.
pub fn to_value(policy: &Policy) -> Value {
    let mut fields = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(key.to_owned(), value);
        }
    };
    let condition = |condition: &Option<ConditionText>| condition.as_ref().map(|condition| Value::from(&*condition.text));
    match policy {
        Policy::Access(access) => {
            put("_id", Some(access.id.as_str().into()));
            put("_type", Some("Policy".into()));
            put("category", access.category.clone().map(Value::from));
            put("description", access.description.clone().map(Value::from));
            put("source", Some(access.source.clone().into()));
            put("service", Some(access.service.clone().into()));
            put("condition", condition(&access.condition));
            put("actions", Some(access.actions.clone().into()));
            put("members", Some(access.members.clone().into()));
            put("except", access.except.clone().map(Value::from));
            put("deny", Some(access.deny.into()));
            put("enabled", Some(access.enabled.into()));
            put("metadata", access.metadata.clone().map(Value::from));
        }
        Policy::Control(control) => {
            put("id", Some(control.id.as_str().into()));
            put("name", Some(control.name.clone().into()));
            put("description", Some(control.description.clone().into()));
            put("type", Some(control.category.clone().into()));
            put("rules", Some(control.rules.clone().into()));
            put("enabled", Some(control.enabled.into()));
            put("created_at", control.created_at.clone().map(Value::from));
            put("require", condition(&control.require));
            put("service", control.service.clone().map(Value::from));
            put("source", control.source.clone().map(Value::from));
            put("actions", control.actions.clone().map(Value::from));
            put("members", control.members.clone().map(Value::from));
            put("except", control.except.clone().map(Value::from));
            put("metadata", control.metadata.clone().map(Value::from));
        }
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::BUILT_IN_ACTIONS;

    fn read(value: &Value) -> Reading {
        reader(&Schema::new(&BUILT_IN_ACTIONS.map(str::to_owned)).expect("compiles"), value)
    }

    #[track_caller]
    fn round_trip(value: Value) {
        let policy = read(&value).expect("valid");
        assert_eq!(read(&to_value(&policy)), Ok(policy));
    }

    #[test]
    fn a_policy_survives_the_way_to_a_value_and_back() {
        round_trip(json!({"_id": "A", "service": "report", "actions": ["read"], "members": ["*"]}));
        round_trip(
            json!({"_id": "A", "_type": "Policy", "category": "c", "description": "d", "source": "public", "service": "*", "condition": "a = 1",
            "actions": ["read", "run"], "members": ["b", "a"], "except": ["d", "c"], "deny": true, "enabled": false, "metadata": {"owner": [1, null]}}),
        );
        round_trip(json!({"id": "pol-a", "name": "A", "type": "access"}));
        round_trip(json!({"id": "pol-a", "name": "A", "description": "d", "type": "network", "rules": ["r"], "enabled": false,
            "created_at": "2026-03-01T10:00:00Z", "require": "a = 1", "service": "s", "source": "public", "actions": ["read"], "members": ["g"],
            "except": ["b@x", "a@x"]}));
    }

    #[test]
    fn a_time_that_does_not_exist_is_refused() {
        let refused =
            read(&json!({"id": "a", "name": "A", "type": "access", "created_at": "2026-02-31T10:00:00Z"})).expect_err("no such day");
        assert_eq!(refused.violations.first().map(|v| v.message.as_str()), Some("`2026-02-31T10:00:00Z` is no time"));
    }
}
