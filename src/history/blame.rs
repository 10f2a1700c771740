//! Which commit last changed the meaning of each part of a policy.
//!
//! The parts are the fields, the keys within them, and of a list each element by its value: members and actions are sets, and
//! who added one entry is not to blame for the others. Reformatting, moving and reordering change no part.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Event;
use super::Lifeline;
use super::Version;
use crate::condition;
use crate::schema::Kind;
use crate::schema::canonical_fields;

/// A part of a policy, and what last changed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Blamed<'a> {
    /// The keys that lead to it.
    pub path: Vec<String>,
    /// Whether it is one element of the list at that place.
    pub element: bool,
    /// What it says.
    pub value: Value,
    /// The event that made it say that; `None` when that was before the trail begins.
    pub event: Option<&'a Event>,
}

/// What a part is known by: the keys that lead to it, and of an element what it says.
type Key = (Vec<String>, Option<String>);

/// A part of a version.
struct Part {
    key: Key,
    value: Value,
    /// What it says, whatever the spelling.
    meaning: String,
}

/// The parts of a policy, in canonical order. Of one that was deleted, those that it had last.
pub fn blame<'a>(lifeline: &Lifeline<'a>) -> Vec<Blamed<'a>> {
    let mut known: BTreeMap<Key, (String, Option<&'a Event>)> = BTreeMap::new();
    let mut last = lifeline.before.clone();
    for part in last.iter().flat_map(|version| parts(version)) {
        known.insert(part.key, (part.meaning, None));
    }
    let mut gone: Option<&'a Event> = None;
    for &event in &lifeline.events {
        // What was deleted is kept until something stands in its place, so that a deleted policy can be told. In the same
        // commit it has never been away.
        if gone.take().is_some_and(|gone| gone.landing.commit != event.landing.commit) {
            known.clear();
        }
        let Some(after) = &event.after else {
            gone = Some(event);
            continue;
        };
        let mut next = BTreeMap::new();
        for Part { key, meaning, .. } in parts(after) {
            let same = known.get(&key).filter(|(known, _)| *known == meaning);
            let event = same.map_or(Some(event), |(_, event)| *event);
            next.insert(key, (meaning, event));
        }
        known = next;
        last = Some(after.clone());
    }
    let told = last.map(|version| parts(&version)).unwrap_or_default();
    told.into_iter()
        .map(|Part { key, value, .. }| {
            let event = known.get(&key).and_then(|(_, event)| *event);
            Blamed { path: key.0, element: key.1.is_some(), value, event }
        })
        .collect()
}

/// The parts of a version, each once, in canonical order of the fields.
fn parts(version: &Version) -> Vec<Part> {
    let Value::Object(fields) = version.value() else { return Vec::new() };
    let order = canonical_fields(version.kind);
    let rank = |name: &String| order.iter().position(|field| field == name).unwrap_or(order.len());
    let mut names: Vec<(String, Value)> = fields.into_iter().collect();
    names.sort_by_key(|(name, _)| rank(name));
    let mut parts = Vec::new();
    for (name, value) in names {
        split(&mut vec![name], value, version.kind, &mut parts);
    }
    parts
}

/// The depth is that of a policy that was read, which is bounded.
fn split(path: &mut Vec<String>, value: Value, kind: Kind, parts: &mut Vec<Part>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                path.push(name);
                split(path, value, kind, parts);
                path.pop();
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let mut seen = std::collections::BTreeSet::new();
            for value in items {
                let meaning = value.to_string();
                if seen.insert(meaning.clone()) {
                    parts.push(Part { key: (path.clone(), Some(meaning.clone())), value, meaning });
                }
            }
        }
        value => {
            let meaning = meaning(path, &value, kind);
            parts.push(Part { key: (path.clone(), None), value, meaning });
        }
    }
}

/// What a value says: of a condition what it means, of anything else itself.
fn meaning(path: &[String], value: &Value, kind: Kind) -> String {
    let field = match kind {
        Kind::Access => "condition",
        Kind::Control => "require",
    };
    let text = value.as_str().filter(|_| matches!(path, [only] if only == field));
    match text.and_then(|text| condition::parse(text).ok()) {
        Some(parsed) => parsed.expr.to_string(),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::history::Action;
    use crate::history::lifeline::tests::event;
    use crate::history::lifeline::tests::version;

    /// Blames after versions in turn (`null`: it is deleted), which are commits from `c1` on; each line is `path value commit`.
    #[track_caller]
    fn check(versions: &[Value], before: Option<&Value>, expected: &[&str]) {
        let base = json!({"_id": "A", "service": "s", "actions": ["read"], "members": ["a"]});
        let made = |fields: &Value| {
            let mut all = base.clone();
            for (key, value) in fields.as_object().expect("fields") {
                all[key] = value.clone();
            }
            version(&all)
        };
        let first = before.map(made);
        let mut last = first.clone();
        let mut events = Vec::new();
        for (at, fields) in versions.iter().enumerate() {
            let after = (!fields.is_null()).then(|| made(fields));
            events.push(event(at as u64 + 1, Action::Update, last.as_ref(), after.as_ref()));
            last = after;
        }
        let id = first.as_ref().map_or_else(|| events[0].policy.clone(), |version| version.id.clone());
        let lifeline = Lifeline { id, events: events.iter().collect(), now: last, before: first, path: "f".into() };
        let shown: Vec<String> = blame(&lifeline)
            .into_iter()
            .map(|one| {
                let mark = if one.element { "- " } else { "" };
                let commit = one.event.map_or("?", |event| event.landing.commit.as_str());
                format!("{} {mark}{} {commit}", one.path.join("."), one.value)
            })
            .filter(|line| !["_type", "source", "deny", "service"].iter().any(|usual| line.starts_with(usual)))
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn an_element_is_blamed_on_the_commit_that_added_it() {
        let versions = [json!({}), json!({"members": ["b", "a", "b"]}), json!({"members": ["b"]}), json!({"members": ["b", "a"]})];
        let expected = [r#"_id "A" c1"#, r#"actions - "read" c1"#, r#"members - "b" c2"#, r#"members - "a" c4"#, "enabled true c1"];
        check(&versions, None, &expected);
    }

    #[test]
    fn what_is_changed_to_and_fro_is_blamed_on_the_last_change() {
        let versions = [json!({}), json!({"enabled": false}), json!({}), json!({"condition": "a == 1"}), json!({"condition": "a = 1"})];
        let expected = [r#"_id "A" c1"#, r#"condition "a = 1" c4"#, r#"actions - "read" c1"#, r#"members - "a" c1"#, "enabled true c3"];
        check(&versions, None, &expected);
    }

    #[test]
    fn keys_within_metadata_are_parts() {
        let versions = [
            json!({"metadata": {"owner": "x", "n": {"m": 1, "k": []}}}),
            json!({"metadata": {"owner": "x", "n": {"m": 2, "k": []}}}),
            json!({"metadata": {"owner": "x", "n": {"m": 2, "k": [1]}}}),
        ];
        let expected = [
            r#"_id "A" c1"#,
            r#"actions - "read" c1"#,
            r#"members - "a" c1"#,
            "enabled true c1",
            "metadata.n.k - 1 c3",
            "metadata.n.m 2 c2",
            r#"metadata.owner "x" c1"#,
        ];
        check(&versions, None, &expected);
    }

    #[test]
    fn a_deleted_policy_is_told_and_one_that_comes_back_is_new() {
        let whole =
            |commit: &str| [r#"_id "A""#, r#"actions - "read""#, r#"members - "a""#, "enabled true"].map(|part| format!("{part} {commit}"));
        check(&[json!({}), Value::Null], None, &whole("c1").each_ref().map(String::as_str));
        check(&[json!({}), Value::Null, json!({})], None, &whole("c3").each_ref().map(String::as_str));
    }

    #[test]
    fn what_was_before_the_trail_begins_is_nobodys() {
        let expected = [r#"_id "A" ?"#, r#"actions - "read" ?"#, r#"members - "a" ?"#, "enabled false c1"];
        check(&[json!({"enabled": false})], Some(&json!({})), &expected);
    }
}
