//! The question: who wants to do what to which document.
//!
//! The shape on the wire is that of the OpenID AuthZEN Authorization API 1.0 (evaluation request). It is read once, here,
//! into a form in which everything that must be compared is normalised.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Map;
use serde_json::Value;

use crate::condition::Facts;
use crate::policy::caller_id;

/// The source that a request is about when it does not say.
pub const DEFAULT_SOURCE: &str = "private";

/// Who asks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Subject {
    /// The type, such as `user` or `service`.
    pub kind: String,
    /// The id, lower-cased (ASCII) when it contains `@`.
    pub id: String,
    /// The groups.
    pub groups: BTreeSet<String>,
    /// Properties, read as `{me.x}`.
    pub properties: Map<String, Value>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Action {
    /// The name.
    pub name: String,
    /// Properties, read as `{action.x}`.
    pub properties: Map<String, Value>,
}

/// A question about one document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// Who asks.
    pub subject: Subject,
    /// What is to be done.
    pub action: Action,
    /// The service.
    pub service: String,
    /// The source.
    pub source: String,
    /// The document's attributes.
    pub document: Map<String, Value>,
    /// Facts about the circumstances, read as `{context.x}`.
    pub context: Map<String, Value>,
    /// The attributes that the document will have after an update.
    after: Option<Map<String, Value>>,
}

/// A value is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RequestError {
    /// What is wrong, naming the field.
    pub message: String,
}

fn refuse<T>(message: impl Into<String>) -> Result<T, RequestError> {
    Err(RequestError { message: message.into() })
}

impl Request {
    /// Reads an AuthZEN evaluation request.
    ///
    /// `subject.id` and `subject.type` name the caller, `subject.properties.groups` its groups; `resource.type` is the
    /// service, `resource.id` the document's `_id`, `resource.properties` its attributes; `context.source` is the source.
    /// Unknown fields are ignored.
    ///
    /// # Errors
    /// A required field is missing, or a field has the wrong type.
    pub fn from_authzen(value: &Value) -> Result<Self, RequestError> {
        let Some(fields) = value.as_object() else { return refuse("a request is a JSON object") };
        let subject = object(fields, "subject")?;
        let action = object(fields, "action")?;
        let resource = object(fields, "resource")?;
        let properties = optional(subject, "subject", "properties")?;
        let mut context = optional(fields, "", "context")?;
        let mut document = optional(resource, "resource", "properties")?;
        document.insert("_id".to_owned(), string(resource, "resource", "id")?.into());
        let source = match context.get("source") {
            None | Some(Value::Null) => DEFAULT_SOURCE.to_owned(),
            Some(Value::String(source)) => source.clone(),
            Some(_) => return refuse("`context.source` is not a string"),
        };
        let name = string(action, "action", "name")?;
        let after = if name == "update" { after(&mut context, &document)? } else { None };
        Ok(Self {
            subject: Subject {
                kind: string(subject, "subject", "type")?,
                id: caller_id(&string(subject, "subject", "id")?),
                groups: groups(&properties)?,
                properties,
            },
            action: Action { name, properties: optional(action, "action", "properties")? },
            service: string(resource, "resource", "type")?,
            source,
            document,
            context,
            after,
        })
    }

    /// What conditions read of the request.
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            me: &self.subject.id,
            caller: &self.subject.properties,
            action: &self.action.properties,
            context: &self.context,
            document: &self.document,
        }
    }

    /// The same request about the document after the change, if this one carries it.
    pub fn after(&self) -> Option<Self> {
        self.after.as_ref().map(|document| Self { document: document.clone(), after: None, ..self.clone() })
    }
}

/// Takes the document after an update out of the context, so that no condition reads it. It keeps its `_id` when it does not say; an
/// `_id` is what it is for every document, so that conditions can rely on it.
fn after(context: &mut Map<String, Value>, document: &Map<String, Value>) -> Result<Option<Map<String, Value>>, RequestError> {
    match context.remove("after") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(mut after)) => {
            let id = match after.get("_id") {
                None | Some(Value::Null) => document.get("_id").cloned().unwrap_or_default(),
                Some(_) => string(&after, "context.after", "_id")?.into(),
            };
            after.insert("_id".to_owned(), id);
            Ok(Some(after))
        }
        Some(_) => refuse("`context.after` is not an object"),
    }
}

fn object<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a Map<String, Value>, RequestError> {
    match fields.get(name) {
        Some(Value::Object(object)) => Ok(object),
        None => refuse(format!("`{name}` is missing")),
        Some(_) => refuse(format!("`{name}` is not an object")),
    }
}

fn optional(fields: &Map<String, Value>, parent: &str, name: &str) -> Result<Map<String, Value>, RequestError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object.clone()),
        Some(_) => refuse(format!("`{}` is not an object", path(parent, name))),
    }
}

fn string(fields: &Map<String, Value>, parent: &str, name: &str) -> Result<String, RequestError> {
    match fields.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(Value::String(_)) => refuse(format!("`{}` is empty", path(parent, name))),
        None => refuse(format!("`{}` is missing", path(parent, name))),
        Some(_) => refuse(format!("`{}` is not a string", path(parent, name))),
    }
}

fn path(parent: &str, name: &str) -> Cow<'static, str> {
    if parent.is_empty() { Cow::Owned(name.to_owned()) } else { Cow::Owned(format!("{parent}.{name}")) }
}

fn groups(properties: &Map<String, Value>) -> Result<BTreeSet<String>, RequestError> {
    let texts: Option<BTreeSet<String>> = match properties.get("groups") {
        None | Some(Value::Null) => Some(BTreeSet::new()),
        Some(Value::Array(items)) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        Some(_) => None,
    };
    texts.map_or_else(|| refuse("`subject.properties.groups` is not a list of strings"), Ok)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sample() -> Value {
        json!({"subject": {"type": "user", "id": "A@Example.com", "properties": {"groups": ["g"]}}, "action": {"name": "update"},
            "resource": {"type": "report", "id": "r1", "properties": {"_id": "other", "x": 1}}, "context": {"source": "public", "after": {"x": 2}}})
    }

    #[test]
    fn the_fields_are_where_the_conditions_look_for_them() {
        let request = Request::from_authzen(&sample()).expect("valid");
        assert_eq!((request.subject.id.as_str(), request.service.as_str(), request.source.as_str()), ("a@example.com", "report", "public"));
        assert_eq!(Value::Object(request.document.clone()), json!({"_id": "r1", "x": 1}));
        assert_eq!(Value::Object(request.context.clone()), json!({"source": "public"}));
        assert_eq!(request.after().map(|after| Value::Object(after.document)), Some(json!({"_id": "r1", "x": 2})));
    }

    /// The linter relies on it that every document has an `_id`, which was not so of the one after an update.
    #[test]
    fn a_document_has_an_id_after_an_update_too() {
        for (given, expected) in [(json!({}), "r1"), (json!({"_id": null}), "r1"), (json!({"_id": "r2"}), "r2")] {
            let mut request = sample();
            request["context"]["after"] = given;
            let after = Request::from_authzen(&request).expect("valid").after().expect("a document");
            assert_eq!(after.document.get("_id"), Some(&json!(expected)));
        }
    }

    #[track_caller]
    fn refused(pointer: &str, value: Value, message: &str) {
        let mut request = sample();
        *request.pointer_mut(pointer).expect("a place") = value;
        assert_eq!(Request::from_authzen(&request).expect_err(pointer).message, message);
    }

    #[test]
    fn a_field_of_the_wrong_type_is_named() {
        refused("", json!([]), "a request is a JSON object");
        refused("/subject", json!("a"), "`subject` is not an object");
        refused("/subject/id", json!(1), "`subject.id` is not a string");
        refused("/subject/id", json!(""), "`subject.id` is empty");
        refused("/action", json!({}), "`action.name` is missing");
        refused("/context", json!([]), "`context` is not an object");
        refused("/context/source", json!(1), "`context.source` is not a string");
        refused("/context/after", json!(1), "`context.after` is not an object");
        refused("/context/after", json!({"_id": 7}), "`context.after._id` is not a string");
        refused("/context/after", json!({"_id": {}}), "`context.after._id` is not a string");
        refused("/context/after", json!({"_id": ""}), "`context.after._id` is empty");
        refused("/subject/properties/groups", json!("g"), "`subject.properties.groups` is not a list of strings");
    }
}
