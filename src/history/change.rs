//! What differs between two versions of a policy, field by field, in the form of the OpenDataDSL audit service.

use std::collections::BTreeSet;

use serde_json::Map;
use serde_json::Value;

use super::Version;

/// What became of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It is new.
    New,
    /// It has another value.
    Edited,
    /// It is gone.
    Deleted,
}

impl ChangeKind {
    /// The letter on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "N",
            Self::Edited => "E",
            Self::Deleted => "D",
        }
    }
}

/// One field that differs. Lists are compared as a whole: their elements have no names.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// What became of it.
    pub kind: ChangeKind,
    /// The keys that lead to it.
    pub path: Vec<String>,
    /// The value before; `None` when the field is new.
    pub lhs: Option<Value>,
    /// The value after; `None` when the field is gone.
    pub rhs: Option<Value>,
}

/// What differs between two versions, in byte order of the paths. Defaults count as written.
pub fn changes(before: Option<&Version>, after: Option<&Version>) -> Vec<FieldChange> {
    if before.map(|version| version.hash) == after.map(|version| version.hash) {
        return Vec::new();
    }
    let fields = |version: Option<&Version>| match version.map(Version::value) {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let mut found = Vec::new();
    compare(&mut Vec::new(), &fields(before), &fields(after), &mut found);
    found
}

fn compare(path: &mut Vec<String>, before: &Map<String, Value>, after: &Map<String, Value>, found: &mut Vec<FieldChange>) {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in keys {
        path.push(key.clone());
        match (before.get(key), after.get(key)) {
            (Some(Value::Object(old)), Some(Value::Object(new))) => compare(path, old, new, found),
            (lhs, rhs) if lhs != rhs => {
                let kind = match (lhs, rhs) {
                    (None, _) => ChangeKind::New,
                    (_, None) => ChangeKind::Deleted,
                    _ => ChangeKind::Edited,
                };
                found.push(FieldChange { kind, path: path.clone(), lhs: lhs.cloned(), rhs: rhs.cloned() });
            }
            _ => {}
        }
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::from_value;
    use crate::schema::Kind;

    fn policy(fields: &Value) -> Version {
        Version::new(&from_value(Kind::Access, fields).expect("valid"))
    }

    #[track_caller]
    fn check(before: Option<Value>, after: Option<Value>, expected: &[&str]) {
        let (before, after) = (before.as_ref().map(policy), after.as_ref().map(policy));
        let show = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
        let shown: Vec<String> = changes(before.as_ref(), after.as_ref())
            .iter()
            .map(|change| format!("{} {} {} {}", change.kind.as_str(), change.path.join("."), show(&change.lhs), show(&change.rhs)))
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn fields_are_compared_by_meaning_and_lists_as_a_whole() {
        let before =
            json!({"_id": "A", "service": "s", "actions": ["read"], "members": ["a", "b"], "metadata": {"owner": "x", "n": {"m": 1}}});
        let mut after = before.clone();
        after["enabled"] = json!(true);
        check(Some(before.clone()), Some(after.clone()), &[]);
        after["enabled"] = json!(false);
        after["members"] = json!(["b"]);
        after["condition"] = json!("a = 1");
        after["metadata"] = json!({"n": {"m": 2}});
        after["except"] = json!(["c"]);
        let expected = [
            r#"N condition - "a = 1""#,
            "E enabled true false",
            r#"N except - ["c"]"#,
            r#"E members ["a","b"] ["b"]"#,
            "E metadata.n.m 1 2",
            r#"D metadata.owner "x" -"#,
        ];
        check(Some(before), Some(after), &expected);
    }

    #[test]
    fn a_new_policy_has_new_fields_only_and_a_deleted_one_deleted_ones() {
        let fields = json!({"_id": "A", "service": "s", "actions": ["read"], "members": ["a"]});
        let made = [
            r#"N _id - "A""#,
            r#"N _type - "Policy""#,
            r#"N actions - ["read"]"#,
            "N deny - false",
            "N enabled - true",
            r#"N members - ["a"]"#,
            r#"N service - "s""#,
            r#"N source - "private""#,
        ];
        check(None, Some(fields.clone()), &made);
        let gone: Vec<String> = made.iter().map(|line| line.replacen("N ", "D ", 1).replacen(" - ", " ", 1) + " -").collect();
        check(Some(fields), None, &gone.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
