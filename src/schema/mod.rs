//! The JSON Schemas of a policy and of a directory, compiled, and their violations with places.
//!
//! `schema/policy.schema.json` is the single source of what a field may be: editors read the same file. It is
//! dispatched on `_id`/`id` here rather than through the `if` of the published file, because that gives errors that point
//! at the leaf. Patterns run on the linear-time engine, so that no text can make a check hang.

mod directory;
mod wording;

use std::sync::Arc;

use jsonschema::PatternOptions;
use jsonschema::Validator;
use serde_json::Value;

use crate::source::Span;
use crate::syntax::Node;

pub use directory::DIRECTORY_SCHEMA;
pub use directory::directory_violations;
pub(crate) use wording::fields as canonical_fields;

/// The published schema of a policy file, as text.
pub const POLICY_SCHEMA: &str = include_str!("../../schema/policy.schema.json");

/// The two kinds of policy, told apart by the name of their id field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The OpenDataDSL *Policy* entity, with `_id`.
    Access,
    /// The NeoSC *Policy* model, with `id`.
    Control,
}

impl Kind {
    /// The field that holds the id.
    pub fn id_field(self) -> &'static str {
        match self {
            Self::Access => "_id",
            Self::Control => "id",
        }
    }

    /// The words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access policy",
            Self::Control => "control",
        }
    }

    fn definition(self) -> &'static str {
        match self {
            Self::Access => "accessPolicy",
            Self::Control => "control",
        }
    }
}

/// A place in a document: the value that a path of keys and positions leads to, or the key of an entry in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Keys and positions from the root.
    pub path: Vec<String>,
    /// The entry whose key is meant, when it is not the value itself.
    pub key: Option<String>,
}

impl Place {
    /// The value at a path.
    pub fn value(path: &[&str]) -> Self {
        Self { path: path.iter().map(|&step| step.to_owned()).collect(), key: None }
    }

    /// The bytes of the place in a tree; of the nearest enclosing value when the tree has no such place.
    pub fn span(&self, root: &Node) -> Span {
        let mut node = root;
        for step in &self.path {
            match node.at_pointer([step]) {
                Some(child) => node = child,
                None => return node.span,
            }
        }
        match &self.key {
            Some(key) => node.entry(key).map_or(node.span, |entry| entry.key_span),
            None if self.path.is_empty() => node.entries().first().map_or(node.span, |entry| entry.key_span),
            None => node.span,
        }
    }
}

/// Something that a document may not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Where in the document.
    pub place: Place,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
}

/// The compiled schema of both kinds of policy, for one set of actions.
#[derive(Debug, Clone)]
pub struct Schema {
    access: Arc<Validator>,
    control: Arc<Validator>,
}

/// The published schema cannot be compiled; this is a defect of the program.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("a built-in schema cannot be compiled: {0}")]
#[diagnostic(help("report this as a defect of lawbook"))]
pub struct SchemaError(String);

impl Schema {
    /// Compiles the schema for a law book with these actions (the five built-in ones included).
    ///
    /// # Errors
    /// The built-in schema is broken, which is a defect of the program.
    pub fn new(actions: &[String]) -> Result<Self, SchemaError> {
        let (access, control) = rayon::join(|| compile(Kind::Access, actions), || compile(Kind::Control, actions));
        Ok(Self { access: access?, control: control? })
    }

    /// Which kind of policy a document is.
    ///
    /// # Errors
    /// The violation, when it is neither or both.
    pub fn kind(document: &Value) -> Result<Kind, Violation> {
        let Some(fields) = document.as_object() else {
            let message = format!("a policy is a mapping of fields, and this is {}", wording::article(document));
            return Err(Violation { place: Place::value(&[]), message, help: Some("write fields such as `_id: ReadReports`".to_owned()) });
        };
        match (fields.contains_key("_id"), fields.contains_key("id")) {
            (true, false) => Ok(Kind::Access),
            (false, true) => Ok(Kind::Control),
            (true, true) => Err(Violation {
                place: Place { path: Vec::new(), key: Some("id".to_owned()) },
                message: "a policy has either `_id` or `id`, and this has both".to_owned(),
                help: Some("keep `_id` for an access policy, or `id` for a control".to_owned()),
            }),
            (false, false) => Err(Violation {
                place: Place::value(&[]),
                message: "a policy has an id, and this has neither `_id` nor `id`".to_owned(),
                help: Some("add `_id: …` for an access policy, or `id: …` for a control".to_owned()),
            }),
        }
    }

    /// Everything that is wrong with a document of this kind, in the order of its places.
    pub fn violations(&self, kind: Kind, document: &Value) -> Vec<Violation> {
        let validator = match kind {
            Kind::Access => &self.access,
            Kind::Control => &self.control,
        };
        if validator.is_valid(document) {
            return Vec::new();
        }
        let mut found: Vec<Violation> = validator.iter_errors(document).flat_map(|error| wording::violations(kind, &error)).collect();
        found.sort();
        found.dedup();
        found
    }
}

/// The published schema, narrowed to one kind and widened by the configured actions.
fn compile(kind: Kind, actions: &[String]) -> Result<Arc<Validator>, SchemaError> {
    let mut schema: Value = serde_json::from_str(POLICY_SCHEMA).map_err(|error| SchemaError(error.to_string()))?;
    if let Some(names) = schema.pointer_mut("/$defs/actions/items/enum") {
        *names = actions.iter().cloned().map(Value::from).collect();
    }
    if let Some(fields) = schema.as_object_mut() {
        for keyword in ["if", "then", "else", "$id"] {
            fields.remove(keyword);
        }
        fields.insert("$ref".to_owned(), Value::from(format!("#/$defs/{}", kind.definition())));
    }
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
    options.build(&schema).map(Arc::new).map_err(|error| SchemaError(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(document: Value, expected: &[(&str, &str, Option<&str>)]) {
        let schema = Schema::new(&["create", "read", "update", "delete", "run"].map(str::to_owned)).expect("the schema compiles");
        let found = match Schema::kind(&document) {
            Ok(kind) => schema.violations(kind, &document),
            Err(violation) => vec![violation],
        };
        let place = |place: &Place| {
            let key = place.key.as_ref().map(|key| format!("#{key}")).unwrap_or_default();
            format!("/{}{key}", place.path.join("/"))
        };
        let shown: Vec<_> = found.iter().map(|v| (place(&v.place), v.message.as_str(), v.help.as_deref())).collect();
        let expected: Vec<_> = expected.iter().map(|&(place, message, help)| (place.to_owned(), message, help)).collect();
        assert_eq!(shown, expected, "{document}");
    }

    #[test]
    fn a_good_policy_of_each_kind_has_no_violation() {
        check(json!({"_id": "A", "service": "report", "actions": ["read"], "members": ["*"]}), &[]);
        check(json!({"id": "pol-a", "name": "A", "type": "access"}), &[]);
        check(
            json!({"id": "pol-a", "name": "A", "type": "access", "require": "{context.mfa} = 'totp'", "service": "x", "metadata": {"a": [1]}}),
            &[],
        );
    }

    #[test]
    fn exceptions_name_somebody_and_not_everybody() {
        check(json!({"_id": "A", "service": "x", "actions": ["read"], "members": ["*"], "except": ["g", "a@b", "service:x"]}), &[]);
        check(json!({"id": "a", "name": "A", "type": "access", "require": "a = 1", "except": ["g"]}), &[]);
        let empty = Some("list at least one, or remove the field");
        let access = |except: Value| json!({"_id": "A", "service": "x", "actions": ["read"], "members": ["*"], "except": except});
        check(access(json!([])), &[("/except", "`except` is empty", empty)]);
        check(access(Value::Null), &[("/except", "`except` is a list, and this is nothing", empty)]);
        check(access(json!("g")), &[("/except", "`except` is a list, and this is the string `g`", Some("write a list, such as `[g]`"))]);
        check(access(json!(["g", "g"])), &[("/except", "`except` names the same twice", Some("remove the repetition"))]);
        check(
            access(json!(["g", "*"])),
            &[(
                "/except/1",
                "`*` in `except` would except every caller",
                Some("name those who are meant; `enabled: false` switches the policy off for everyone"),
            )],
        );
        check(
            json!({"id": "a", "name": "A", "type": "access", "except": ["g"]}),
            &[("/", "`except` narrows `require`, which is missing", Some("add `require`, or remove `except`"))],
        );
        check(
            json!({"_id": "A", "service": "x", "actions": ["read"], "members": ["*"], "excepts": ["g"]}),
            &[("/#excepts", "an access policy has no field `excepts`", Some("did you mean `except`?"))],
        );
    }

    #[test]
    fn the_kind_is_told_by_the_id_field() {
        check(
            json!({"_id": "A", "id": "b"}),
            &[(
                "/#id",
                "a policy has either `_id` or `id`, and this has both",
                Some("keep `_id` for an access policy, or `id` for a control"),
            )],
        );
        check(
            json!({}),
            &[(
                "/",
                "a policy has an id, and this has neither `_id` nor `id`",
                Some("add `_id: …` for an access policy, or `id: …` for a control"),
            )],
        );
        check(json!([1]), &[("/", "a policy is a mapping of fields, and this is a list", Some("write fields such as `_id: ReadReports`"))]);
    }

    #[test]
    fn violations_point_at_the_leaf_and_say_what_to_write() {
        check(
            json!({"_id": "A", "service": "report", "actions": ["read"], "member": ["*"]}),
            &[
                (
                    "/",
                    "the field `members` is missing",
                    Some("add `members`; an access policy has `_id`, `service`, `actions` and `members`"),
                ),
                ("/#member", "an access policy has no field `member`", Some("did you mean `members`?")),
            ],
        );
        check(
            json!({"_id": "A", "service": "report", "actions": ["reed"], "members": ["*"], "deny": "no"}),
            &[
                ("/actions/0", "`reed` is no action", Some("did you mean `read`?")),
                ("/deny", "`deny` is true or false, and this is the string `no`", Some("write `true` or `false`, without quotes")),
            ],
        );
        check(
            json!({"_id": "a/b", "service": "", "actions": [], "members": ["*", "*"]}),
            &[
                ("/_id", "`a/b` cannot be an id", Some("use 1 to 128 characters without `/` and without control characters")),
                ("/actions", "`actions` is empty", Some("list at least one")),
                ("/members", "`members` names the same twice", Some("remove the repetition")),
                ("/service", "`service` is empty", Some("write a value, or remove the field")),
            ],
        );
        check(
            json!({"id": "a", "name": "A", "type": "acess", "service": "x", "created_at": "yesterday"}),
            &[
                ("/", "`service` narrows `require`, which is missing", Some("add `require`, or remove `service`")),
                ("/created_at", "`yesterday` is no time", Some("write a time such as `2026-03-01T10:00:00Z`")),
                ("/type", "`acess` is no type of control", Some("did you mean `access`?")),
            ],
        );
    }
}
