//! Bodies that describe a control, and what is wrong with them, in the form of the documented framework: 422 with a list of
//! `{type, loc, msg, input}`. `msg` also says what to do next.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use super::MAX_BODY_BYTES;
use super::around::too_large;
use super::problem::Form;
use super::problem::json as answer;
use crate::decision::read_json;
use crate::policy::Unreadable;
use crate::schema::Violation;
use crate::server::draft::Fields;

/// One thing that is wrong with a body, with its keys in the order of the documented framework.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    loc: Vec<Value>,
    msg: String,
    input: Value,
}

impl Problem {
    /// What is wrong at a place in the body.
    pub fn new(kind: &'static str, place: &[&str], msg: String, input: &Value) -> Self {
        let loc = std::iter::once("body").chain(place.iter().copied()).map(step).collect();
        Self { kind, loc, msg, input: input.clone() }
    }

    /// What is wrong with a parameter of the query.
    pub fn of_query(kind: &'static str, parameter: &str, msg: String, input: &str) -> Self {
        Self { kind, loc: vec!["query".into(), parameter.into()], msg, input: input.into() }
    }
}

#[derive(Debug, Serialize)]
struct Refusal<'a> {
    detail: &'a [Problem],
}

/// A key, or a position in a list.
fn step(step: &str) -> Value {
    step.parse::<u64>().map_or_else(|_| step.into(), Value::from)
}

/// Refuses a body.
pub fn refuse(problems: &[Problem]) -> Response {
    answer(StatusCode::UNPROCESSABLE_ENTITY, &Refusal { detail: problems })
}

/// The fields of a body, which must be a JSON object. A key that is given twice has no meaning.
pub async fn fields(body: Body) -> Result<Fields, Response> {
    let bytes = axum::body::to_bytes(body, MAX_BODY_BYTES).await.map_err(|error| {
        let source = std::error::Error::source(&error);
        let exceeded = source.is_some_and(|source| source.to_string().contains("length limit exceeded"));
        if exceeded { too_large(Form::Detail) } else { Form::Detail.problem(StatusCode::BAD_REQUEST, "the body ended early") }
    })?;
    let none = |kind, msg: &str, input: &Value| refuse(&[Problem::new(kind, &[], msg.to_owned(), input)]);
    if bytes.is_empty() {
        return Err(none("missing", "there is no body; send a JSON object", &Value::Null));
    }
    match read_json(&bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Err(none("model_attributes_type", "the body is not an object; send a JSON object", &other)),
        Err(error) => Err(none("json_invalid", &format!("the body is not JSON: {error}"), &json!({}))),
    }
}

/// Refuses fields that make no control.
pub fn unreadable(fields: &Fields, unreadable: &Unreadable) -> Response {
    let body = Value::Object(fields.clone());
    let violations = unreadable.violations.iter().map(|violation| violated(&body, violation));
    let conditions = unreadable.conditions.iter().map(|(field, error)| {
        let message = with_help(&error.message, error.help.as_deref());
        Problem::new("condition-syntax", &[field], message, fields.get(*field).unwrap_or(&Value::Null))
    });
    refuse(&violations.chain(conditions).collect::<Vec<_>>())
}

/// Refuses a control that the law book would not compile with, by rule.
pub fn blocked(findings: &[(&'static str, String)]) -> Response {
    let problems: Vec<Problem> = findings.iter().map(|(rule, message)| Problem::new(rule, &[], message.clone(), &Value::Null)).collect();
    refuse(&problems)
}

/// A message that says what to do next.
pub fn with_help(message: &str, help: Option<&str>) -> String {
    help.map_or_else(|| message.to_owned(), |help| format!("{message}; {help}"))
}

fn violated(body: &Value, violation: &Violation) -> Problem {
    let message = with_help(&violation.message, violation.help.as_deref());
    let mut path: Vec<&str> = violation.place.path.iter().map(String::as_str).collect();
    let at = |path: &[&str]| {
        let pointer: String = path.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect();
        body.pointer(&pointer).cloned().unwrap_or_default()
    };
    if let Some(key) = &violation.place.key {
        path.push(key);
        return Problem::new("extra_forbidden", &path, message, &at(&path));
    }
    let missing = |field: &&&str| body.get(**field).is_none() && violation.message.contains(&format!("`{field}`"));
    if let Some(field) = ["id", "name", "type", "require"].iter().find(missing).filter(|_| path.is_empty()) {
        return Problem::new("missing", &[field], message, body);
    }
    let value = at(&path);
    let kind = match (path.first().copied().unwrap_or_default(), path.len(), &value) {
        (_, 0, _) => "model_attributes_type",
        ("enabled", 1, value) if !value.is_boolean() => "bool_type",
        ("rules" | "actions" | "members" | "except", 1, value) if !value.is_array() => "list_type",
        ("metadata", 1, value) if !value.is_object() => "dict_type",
        ("enabled" | "rules" | "actions" | "members" | "except" | "metadata", 1, _) => "value_error",
        (_, _, Value::String(_)) if path.as_slice() == ["type"] || path.first() == Some(&"actions") => "literal_error",
        (_, _, Value::String(_)) => "value_error",
        _ => "string_type",
    };
    Problem::new(kind, &path, message, &value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;
    use crate::server::draft;

    /// Each problem is written as its type, its place and words of its message.
    #[track_caller]
    fn check(body: &Value, expected: &[(&str, Value, &str)]) {
        let schema = Schema::new(&["read".to_owned()]).expect("compiles");
        let fields = body.as_object().expect("fields");
        let unreadable = draft::create(&schema, fields, "2026-03-01T10:00:00Z").expect_err("no control");
        let found: Vec<Problem> = unreadable.violations.iter().map(|violation| violated(body, violation)).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (problem, (kind, loc, words)) in found.iter().zip(expected) {
            assert_eq!((problem.kind, &Value::from(problem.loc.clone())), (*kind, loc), "{problem:?}");
            assert!(problem.msg.contains(words), "{problem:?}");
        }
    }

    #[test]
    fn what_is_wrong_has_a_place_and_a_next_step() {
        check(&json!({"id": "a", "type": "access"}), &[("missing", json!(["body", "name"]), "add `name`")]);
        check(
            &json!({"id": "a", "name": 1, "type": "acess"}),
            &[("string_type", json!(["body", "name"]), "quotes"), ("literal_error", json!(["body", "type"]), "did you mean `access`?")],
        );
        check(
            &json!({"id": "a", "name": "A", "type": "access", "enbled": true}),
            &[("extra_forbidden", json!(["body", "enbled"]), "did you mean `enabled`?")],
        );
        check(
            &json!({"id": "a", "name": "", "type": "access", "rules": ["a", 1], "enabled": "no"}),
            &[
                ("bool_type", json!(["body", "enabled"]), "without quotes"),
                ("value_error", json!(["body", "name"]), "is empty"),
                ("string_type", json!(["body", "rules", 1]), ""),
            ],
        );
        check(&json!({"id": "a", "name": "A", "type": "access", "service": "s"}), &[("missing", json!(["body", "require"]), "narrows")]);
        check(
            &json!({"id": "a/b", "name": "A", "type": "access", "rules": "a"}),
            &[("value_error", json!(["body", "id"]), "cannot be an id"), ("list_type", json!(["body", "rules"]), "write a list")],
        );
    }
}
