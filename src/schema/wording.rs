//! What the schema library finds, in our words.
//!
//! The library knows JSON Schema; the person who wrote the policy knows policies. Each keyword that the published schema
//! uses has its sentence here, and a keyword without one still gives the library's own.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::Kind;
use super::Place;
use super::Violation;
use crate::finding::nearest;

const ACCESS_FIELDS: [&str; 13] = [
    "_id",
    "_type",
    "category",
    "description",
    "source",
    "service",
    "condition",
    "actions",
    "members",
    "except",
    "deny",
    "enabled",
    "metadata",
];
const CONTROL_FIELDS: [&str; 14] = [
    "id",
    "name",
    "description",
    "type",
    "rules",
    "enabled",
    "created_at",
    "service",
    "source",
    "actions",
    "members",
    "except",
    "require",
    "metadata",
];

/// The fields of a control that narrow its `require`.
const NARROWING: [&str; 5] = ["service", "source", "actions", "members", "except"];

/// The fields that a policy of this kind may have, in canonical order.
pub(crate) fn fields(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Access => &ACCESS_FIELDS,
        Kind::Control => &CONTROL_FIELDS,
    }
}

/// A value with its kind, for a sentence: ``the string `no` ``, `a list`, `nothing`.
pub(super) fn article(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("the boolean `{value}`"),
        Value::Number(value) => format!("the number `{value}`"),
        Value::String(value) => format!("the string `{}`", shortened(value)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

/// The beginning of a text, as long as a sentence bears.
pub(super) fn shortened(text: &str) -> String {
    let mut chars = text.chars();
    let head: String = chars.by_ref().take(60).collect();
    if chars.next().is_some() { format!("{head}…") } else { head }
}

/// The violations of one error of the library; several when it names several keys.
pub(super) fn violations(kind: Kind, error: &ValidationError<'_>) -> Vec<Violation> {
    let path = path(error);
    let field = path.iter().rev().find(|step| step.parse::<usize>().is_err()).cloned().unwrap_or_default();
    let at = |key: Option<String>, message: String, help: String| Violation {
        place: Place { path: path.clone(), key },
        message,
        help: Some(help),
    };
    let value = error.instance();
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected.iter().map(|key| unknown_field(kind, &path, key)).collect(),
        ValidationErrorKind::Required { property } => vec![missing_field(kind, error, property, &at)],
        ValidationErrorKind::Type { .. } => vec![at(None, wrong_type(&field, value), type_help(&field, value))],
        ValidationErrorKind::Enum { options } => vec![not_one_of(&field, value, options, &at)],
        ValidationErrorKind::Constant { expected_value } => {
            let expected = expected_value.as_str().unwrap_or_default();
            vec![at(
                None,
                format!("`{field}` is always `{expected}`, and this is {}", article(value)),
                format!("write `{expected}`, or remove the field"),
            )]
        }
        ValidationErrorKind::Pattern { .. } if field == "created_at" => {
            vec![at(None, format!("`{}` is no time", text(value)), "write a time such as `2026-03-01T10:00:00Z`".to_owned())]
        }
        ValidationErrorKind::Pattern { .. } | ValidationErrorKind::MaxLength { .. } => {
            let help = "use 1 to 128 characters without `/` and without control characters";
            vec![at(None, format!("`{}` cannot be an id", text(value)), help.to_owned())]
        }
        ValidationErrorKind::MinLength { .. } => {
            vec![at(None, format!("`{field}` is empty"), "write a value, or remove the field".to_owned())]
        }
        ValidationErrorKind::MinItems { .. } if field == "except" => {
            vec![at(None, format!("`{field}` is empty"), "list at least one, or remove the field".to_owned())]
        }
        ValidationErrorKind::MinItems { .. } => vec![at(None, format!("`{field}` is empty"), "list at least one".to_owned())],
        ValidationErrorKind::UniqueItems => vec![at(None, format!("`{field}` names the same twice"), "remove the repetition".to_owned())],
        ValidationErrorKind::Not { .. } if field == "except" => {
            let help = "name those who are meant; `enabled: false` switches the policy off for everyone";
            vec![at(None, "`*` in `except` would except every caller".to_owned(), help.to_owned())]
        }
        _ => vec![Violation { place: Place { path, key: None }, message: error.to_string(), help: None }],
    }
}

/// The keys and positions that lead to what the library complains of.
pub(super) fn path(error: &ValidationError<'_>) -> Vec<String> {
    let pointer = error.instance_path().as_str();
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}

/// A value as a sentence quotes it.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), shortened)
}

fn unknown_field(kind: Kind, path: &[String], key: &str) -> Violation {
    let what = match kind {
        Kind::Access => "an access policy",
        Kind::Control => "a control",
    };
    let other = match kind {
        Kind::Access => "a control",
        Kind::Control => "an access policy",
    };
    let help = if let Some(near) = nearest(key, fields(kind).iter().copied()) {
        format!("did you mean `{near}`?")
    } else if key == "<<" {
        "write the fields out; merge keys are not part of YAML 1.2".to_owned()
    } else if ACCESS_FIELDS.contains(&key) || CONTROL_FIELDS.contains(&key) {
        format!("remove it; only {other} has `{key}`")
    } else {
        format!("remove it, or keep it under `metadata`; {what} has {}", list(fields(kind)))
    };
    let place = Place { path: path.to_vec(), key: Some(key.to_owned()) };
    Violation { place, message: format!("{what} has no field `{}`", shortened(key)), help: Some(help) }
}

fn missing_field(
    kind: Kind,
    error: &ValidationError<'_>,
    property: &Value,
    at: &dyn Fn(Option<String>, String, String) -> Violation,
) -> Violation {
    let name = text(property);
    let value = error.instance();
    let narrowing = NARROWING.into_iter().find(|&field| value.get(field).is_some());
    if let ("require", Some(narrowing)) = (name.as_str(), narrowing) {
        return at(None, format!("`{narrowing}` narrows `{name}`, which is missing"), format!("add `{name}`, or remove `{narrowing}`"));
    }
    let needs = match kind {
        Kind::Access => "an access policy has `_id`, `service`, `actions` and `members`",
        Kind::Control => "a control has `id`, `name` and `type`",
    };
    at(None, format!("the field `{name}` is missing"), format!("add `{name}`; {needs}"))
}

fn wrong_type(field: &str, value: &Value) -> String {
    let expected = match field {
        "deny" | "enabled" => "true or false",
        "actions" | "members" | "except" | "rules" => "a list",
        "metadata" => "a mapping",
        _ => "a string",
    };
    format!("`{field}` is {expected}, and this is {}", article(value))
}

fn type_help(field: &str, value: &Value) -> String {
    match (field, value) {
        ("deny" | "enabled", _) => "write `true` or `false`, without quotes".to_owned(),
        ("actions" | "members" | "except" | "rules", Value::String(one)) => format!("write a list, such as `[{}]`", shortened(one)),
        ("except", Value::Null) => "list at least one, or remove the field".to_owned(),
        ("actions" | "members" | "rules", Value::Null) => "list at least one, such as `- read`".to_owned(),
        ("actions" | "members" | "except" | "rules", _) => {
            "write a list of strings; put a value that looks like a number in quotes".to_owned()
        }
        (_, Value::Null) => "write a value, or remove the field".to_owned(),
        (_, Value::Bool(_) | Value::Number(_)) => format!("put it in quotes: `'{value}'`"),
        _ => "write a string".to_owned(),
    }
}

fn not_one_of(field: &str, value: &Value, options: &Value, at: &dyn Fn(Option<String>, String, String) -> Violation) -> Violation {
    let names: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let what = if field == "actions" { "action" } else { "type of control" };
    let help = match value.as_str().and_then(|word| nearest(word, names.iter().copied())) {
        Some(near) => format!("did you mean `{near}`?"),
        None if field == "actions" => format!("use {}, or add it to `actions` in lawbook.toml", list(&names)),
        None => format!("use {}", list(&names)),
    };
    at(None, format!("`{}` is no {what}", text(value)), help)
}

/// Names as a sentence lists them.
pub(super) fn list(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, [])) => format!("`{last}`"),
        Some((last, rest)) => format!("{} and `{last}`", rest.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
        None => String::new(),
    }
}
