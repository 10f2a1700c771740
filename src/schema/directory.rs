//! The JSON Schema of a directory, and its violations in our words.
//!
//! As with policies, the published schema is the single source of what the file may say; here are only the sentences.

use jsonschema::PatternOptions;
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::Place;
use super::SchemaError;
use super::Violation;
use super::wording::article;
use super::wording::list;
use super::wording::path;
use super::wording::shortened;
use super::wording::text;
use crate::finding::nearest;

/// The published schema of `directory.yaml`, as text.
pub const DIRECTORY_SCHEMA: &str = include_str!("../../schema/directory.schema.json");

const FIELDS: [&str; 1] = ["users"];
const USER_FIELDS: [&str; 4] = ["type", "id", "groups", "properties"];

/// What is wrong with the value of a directory, in the order of its places; at most `limit` violations.
///
/// # Errors
/// The built-in schema is broken, which is a defect of the program.
pub fn directory_violations(directory: &Value, limit: usize) -> Result<Vec<Violation>, SchemaError> {
    let schema: Value = serde_json::from_str(DIRECTORY_SCHEMA).map_err(|error| SchemaError(error.to_string()))?;
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
    let validator = options.build(&schema).map_err(|error| SchemaError(error.to_string()))?;
    if validator.is_valid(directory) {
        return Ok(Vec::new());
    }
    let mut found: Vec<Violation> = validator.iter_errors(directory).flat_map(|error| violations(&error)).take(limit).collect();
    found.sort();
    found.dedup();
    Ok(found)
}

/// The violations of one error of the library; several when it names several keys.
fn violations(error: &ValidationError<'_>) -> Vec<Violation> {
    let path = path(error);
    let value = error.instance();
    let field = path.iter().rev().find(|step| step.parse::<usize>().is_err()).map_or("", String::as_str);
    let (message, help) = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => return unexpected.iter().map(|key| unknown(&path, key)).collect(),
        ValidationErrorKind::FalseSchema => return vec![groups_in_properties(path)],
        ValidationErrorKind::Required { property } if path.is_empty() => {
            (format!("the field `{}` is missing", text(property)), "add `users:` and the list of all users")
        }
        ValidationErrorKind::Required { property } => (format!("the field `{}` is missing", text(property)), "add the id of the user"),
        ValidationErrorKind::Type { .. } => wrong_type(&path, field, value),
        ValidationErrorKind::Pattern { .. } => {
            (format!("`{}` is no type of caller", text(value)), "use letters, digits, `.`, `_` and `-`, starting with a letter")
        }
        ValidationErrorKind::Not { .. } => {
            let message = format!("`{}` is no type of caller: groups do not ask, their users do", text(value));
            (message, "list the users, each with the group in its `groups`")
        }
        ValidationErrorKind::MinLength { .. } if field == "groups" => ("a group has no name".to_owned(), "write the id of the group"),
        ValidationErrorKind::MinLength { .. } => (format!("`{field}` is empty"), "write the id of the user"),
        ValidationErrorKind::UniqueItems => (format!("`{field}` names the same twice"), "remove the repetition"),
        _ => (error.to_string(), "`lawbook schema directory` shows what each field takes"),
    };
    vec![Violation { place: Place { path, key: None }, message, help: Some(help.to_owned()) }]
}

fn unknown(path: &[String], key: &str) -> Violation {
    let (what, fields) = if path.is_empty() { ("a directory", &FIELDS[..]) } else { ("a user", &USER_FIELDS[..]) };
    let help = match nearest(key, fields.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if key == "<<" => "write the fields out; merge keys are not part of YAML 1.2".to_owned(),
        None if path.is_empty() => "remove it; a directory has `users` and nothing else".to_owned(),
        None => format!("remove it, or keep it under `properties`; a user has {}", list(fields)),
    };
    let place = Place { path: path.to_vec(), key: Some(key.to_owned()) };
    Violation { place, message: format!("{what} has no field `{}`", shortened(key)), help: Some(help) }
}

fn groups_in_properties(mut path: Vec<String>) -> Violation {
    let key = path.pop();
    Violation {
        place: Place { path, key },
        message: "the groups of a user are no property: they would be said twice".to_owned(),
        help: Some("move them to `groups`, beside `properties`; a condition reads them as `{me.groups}` all the same".to_owned()),
    }
}

fn wrong_type(path: &[String], field: &str, value: &Value) -> (String, &'static str) {
    let is_item = path.last().is_some_and(|last| last.parse::<usize>().is_ok());
    let found = article(value);
    match (field, is_item) {
        ("", _) => (format!("a directory is a mapping, and this is {found}"), "write `users:` and the list of all users"),
        ("users", true) => (format!("a user is a mapping, and this is {found}"), "write fields such as `id: ann@example.com`"),
        ("groups", true) => (format!("a group is a string, and this is {found}"), "put the id of the group in quotes"),
        ("users", false) => (format!("`users` is a list, and this is {found}"), "write a list, such as `- id: ann@example.com`"),
        ("groups", false) => (format!("`groups` is a list, and this is {found}"), "write a list such as `[staff]`, or remove the field"),
        ("properties", _) => (
            format!("`properties` is a mapping, and this is {found}"),
            "write a mapping such as `{ department: finance }`, or remove the field",
        ),
        _ => (format!("`{field}` is a string, and this is {found}"), "put it in quotes"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(directory: &Value, expected: &[(&str, &str, &str)]) {
        let found = directory_violations(directory, 100).expect("the schema compiles");
        let place =
            |place: &Place| format!("/{}{}", place.path.join("/"), place.key.as_ref().map(|key| format!("#{key}")).unwrap_or_default());
        let shown: Vec<_> =
            found.iter().map(|one| (place(&one.place), one.message.clone(), one.help.clone().unwrap_or_default())).collect();
        let expected: Vec<_> =
            expected.iter().map(|&(place, message, help)| (place.to_owned(), message.to_owned(), help.to_owned())).collect();
        assert_eq!(shown, expected, "{directory}");
    }

    #[test]
    fn a_directory_lists_users_with_groups_and_properties() {
        check(&json!({"users": []}), &[]);
        check(
            &json!({"users": [{"id": "a@b", "groups": [], "properties": {}}, {"type": "service", "id": "x", "properties": {"a": [{"groups": 1}]}}]}),
            &[],
        );
    }

    #[test]
    fn violations_point_at_the_leaf_and_say_what_to_write() {
        check(&json!([]), &[("/", "a directory is a mapping, and this is a list", "write `users:` and the list of all users")]);
        check(
            &json!({"user": []}),
            &[
                ("/", "the field `users` is missing", "add `users:` and the list of all users"),
                ("/#user", "a directory has no field `user`", "did you mean `users`?"),
            ],
        );
        check(
            &json!({"users": {}}),
            &[("/users", "`users` is a list, and this is a mapping", "write a list, such as `- id: ann@example.com`")],
        );
        check(
            &json!({"users": ["ann", {"grops": [], "<<": {}}, {"id": "a", "email": "b"}]}),
            &[
                ("/users/0", "a user is a mapping, and this is the string `ann`", "write fields such as `id: ann@example.com`"),
                ("/users/1", "the field `id` is missing", "add the id of the user"),
                ("/users/1#<<", "a user has no field `<<`", "write the fields out; merge keys are not part of YAML 1.2"),
                ("/users/1#grops", "a user has no field `grops`", "did you mean `groups`?"),
                (
                    "/users/2#email",
                    "a user has no field `email`",
                    "remove it, or keep it under `properties`; a user has `type`, `id`, `groups` and `properties`",
                ),
            ],
        );
        check(
            &json!({"users": [{"id": 7, "type": "group"}, {"id": "", "type": "a:b", "groups": "staff"}, {"id": "a", "type": 1}]}),
            &[
                ("/users/0/id", "`id` is a string, and this is the number `7`", "put it in quotes"),
                (
                    "/users/0/type",
                    "`group` is no type of caller: groups do not ask, their users do",
                    "list the users, each with the group in its `groups`",
                ),
                (
                    "/users/1/groups",
                    "`groups` is a list, and this is the string `staff`",
                    "write a list such as `[staff]`, or remove the field",
                ),
                ("/users/1/id", "`id` is empty", "write the id of the user"),
                ("/users/1/type", "`a:b` is no type of caller", "use letters, digits, `.`, `_` and `-`, starting with a letter"),
                ("/users/2/type", "`type` is a string, and this is the number `1`", "put it in quotes"),
            ],
        );
        check(
            &json!({"users": [{"id": "a", "groups": ["x", "x"], "properties": {"groups": []}}, {"id": "b", "groups": ["", 1], "properties": 1}]}),
            &[
                ("/users/0/groups", "`groups` names the same twice", "remove the repetition"),
                (
                    "/users/0/properties#groups",
                    "the groups of a user are no property: they would be said twice",
                    "move them to `groups`, beside `properties`; a condition reads them as `{me.groups}` all the same",
                ),
                ("/users/1/groups/0", "a group has no name", "write the id of the group"),
                ("/users/1/groups/1", "a group is a string, and this is the number `1`", "put the id of the group in quotes"),
                (
                    "/users/1/properties",
                    "`properties` is a mapping, and this is the number `1`",
                    "write a mapping such as `{ department: finance }`, or remove the field",
                ),
            ],
        );
    }

    #[test]
    fn no_more_is_told_than_anybody_reads() {
        let found = directory_violations(&json!({"users": vec![1; 1000]}), 100).expect("the schema compiles");
        assert_eq!(found.len(), 100);
    }
}
