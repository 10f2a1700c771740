//! One policy is stored or deleted: which file changes, and how little of it.

use serde_json::Map;
use serde_json::Value;

use super::FileChange;
use super::WriteError;
use crate::config::Selection;
use crate::policy::Policy;
use crate::policy::from_value;
use crate::policy::to_value;
use crate::schema::Kind;
use crate::schema::canonical_fields;
use crate::source::SourceFile;
use crate::syntax;
use crate::syntax::EditError;
use crate::syntax::Node;
use crate::workspace::Workspace;

/// What is already known of a file that is made for a policy.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewFile<'a> {
    /// Where it goes if that is free and part of the law book; else to where `new-file` says.
    pub path: Option<&'a str>,
    /// Its text, YAML, which says no more and no less than the policy; else that is printed, and so it is for a file of JSON.
    pub text: Option<&'a str>,
}

/// The file that changes when a policy takes the place of the one with its id, or is new: only the bytes of the values that differ, or a
/// file of its own.
///
/// # Errors
/// The id belongs to a policy of the other kind, there is no place for a new file, or the text does not allow the change.
pub fn put(workspace: &Workspace, policy: &Policy, file: NewFile<'_>) -> Result<FileChange, WriteError> {
    let id = policy.id().as_str();
    let Some((standing, document)) = standing(workspace, id) else { return add(workspace, policy, file) };
    if workspace.book.set.get(id).is_some_and(|found| found.kind() != policy.kind()) {
        return Err(WriteError::Taken { id: id.to_owned(), commit: commit(workspace) });
    }
    let new = syntax::set_document(standing.text(), document, &fields(document, policy), canonical_fields(policy.kind()));
    let new = new.map_err(|why| WriteError::Edit { path: standing.path().to_owned(), commit: commit(workspace), why })?;
    Ok(FileChange { path: standing.path().to_owned(), old: Some(standing.text().to_owned()), new: Some(new) })
}

/// The file that changes when a policy is deleted; it goes when it holds no other.
///
/// # Errors
/// There is no such policy, or the text does not allow the change.
pub fn delete(workspace: &Workspace, id: &str) -> Result<FileChange, WriteError> {
    let unknown = || WriteError::UnknownPolicy { id: id.to_owned(), commit: commit(workspace) };
    let (file, document) = standing(workspace, id).ok_or_else(unknown)?;
    let new = syntax::remove_document(file.text(), document);
    let new = new.map_err(|why| WriteError::Edit { path: file.path().to_owned(), commit: commit(workspace), why })?;
    Ok(FileChange { path: file.path().to_owned(), old: Some(file.text().to_owned()), new })
}

/// The file in which a policy stands, and its document.
fn standing<'w>(workspace: &'w Workspace, id: &str) -> Option<(&'w SourceFile, &'w Node)> {
    let document = workspace.book.document_of(id)?;
    Some((workspace.book.sources.get(document.node.span.source)?, &document.node))
}

fn commit(workspace: &Workspace) -> String {
    workspace.revision.as_ref().map_or_else(String::new, |revision| revision.commit.clone())
}

fn add(workspace: &Workspace, policy: &Policy, file: NewFile<'_>) -> Result<FileChange, WriteError> {
    let book = &workspace.book;
    let folded = policy.id().folded();
    if let Some(other) = book.set.policies().iter().find(|other| other.id().folded() == folded) {
        return Err(WriteError::Taken { id: other.id().as_str().to_owned(), commit: commit(workspace) });
    }
    let selection = Selection::new(&book.config);
    let is_taken = |path: &str| book.sources.iter().any(|(_, file)| file.path() == path);
    let named = file.path.filter(|path| selection.selects(path) && !is_taken(path)).map(str::to_owned);
    let path = named.unwrap_or_else(|| book.config.server.file_of(policy.id().as_str()));
    if !selection.selects(&path) {
        return Err(WriteError::NotSelected { path, commit: commit(workspace) });
    }
    if is_taken(&path) {
        let help = "take another id, or move what is in that file to another one".to_owned();
        return Err(WriteError::Conflict { path, why: "exists already, and holds other policies".to_owned(), help });
    }
    // A text with comments is no JSON.
    let text = file.text.filter(|_| !path.ends_with(".json")).map_or_else(|| print(policy, &path), str::to_owned);
    let parsed = syntax::parse(crate::source::SourceId::new(0), &text);
    let value = parsed.documents.first().and_then(|document| document.root.as_ref()).map(Node::to_json);
    let is_it = value.is_some_and(|value| from_value(policy.kind(), &value).is_ok_and(|read| read == *policy));
    if !parsed.errors.is_empty() || !is_it {
        let why = EditError::Value(
            parsed.errors.first().map_or_else(|| "it cannot be written as YAML".to_owned(), |error| error.message.clone()),
        );
        return Err(WriteError::Edit { path, commit: commit(workspace), why });
    }
    Ok(FileChange { path, old: None, new: Some(text) })
}

/// A policy as the text of a file of this name.
fn print(policy: &Policy, path: &str) -> String {
    let Value::Object(fields) = to_value(policy) else { return String::new() };
    let order = canonical_fields(policy.kind());
    if path.ends_with(".json") { syntax::print_json(&fields, order) } else { syntax::print(&fields, order) }
}

/// The fields that the document needs to be this policy. What it does not say now and what goes without saying stays unsaid.
fn fields(document: &Node, policy: &Policy) -> Map<String, Value> {
    let Value::Object(all) = to_value(policy) else { return Map::new() };
    let needed = |key: &str, value: &Value| {
        let is_default = goes_without_saying(policy.kind(), key).is_some_and(|default| default == *value);
        // An empty text or list says nothing; the word for what is in force is worth its line.
        let is_empty = value.as_str().is_some_and(str::is_empty) || value.as_array().is_some_and(Vec::is_empty);
        let now = document.get(key).map(Node::to_json);
        !is_default || now.as_ref() == Some(value) || now.is_some() && !is_empty
    };
    let short: Map<String, Value> =
        all.iter().filter(|(key, value)| needed(key, value)).map(|(key, value)| (key.clone(), value.clone())).collect();
    // INVARIANT: what is written reads back as the very policy.
    let same = from_value(policy.kind(), &Value::Object(short.clone())).is_ok_and(|read| read == *policy);
    if same { short } else { all }
}

/// What a field means when it is absent.
fn goes_without_saying(kind: Kind, key: &str) -> Option<Value> {
    match (kind, key) {
        (_, "enabled") => Some(true.into()),
        (Kind::Access, "deny") => Some(false.into()),
        (Kind::Access, "source") => Some("private".into()),
        (Kind::Access, "_type") => Some("Policy".into()),
        (Kind::Control, "description") => Some("".into()),
        (Kind::Control, "rules") => Some(Value::Array(Vec::new())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::workspace::Raw;
    use crate::workspace::RawFile;

    const CONTROL: &str = "id: a # A\nname: One\ntype: access\nrules: # r\n  - x\nrequire: b = 1\n";
    const ACCESS: &str = "_id: B\nservice: report\nactions: [read]\nmembers: ['*']\n";

    fn book(config: &str, files: &[(&str, &str)]) -> Workspace {
        let file = |path: &str, text: &str| RawFile { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) };
        let files = files.iter().map(|(path, text)| file(path, text)).collect();
        Workspace::new(Raw { config: Some(file("lawbook.toml", config)), files, ..Raw::default() })
    }

    fn policy(kind: Kind, value: &Value) -> Policy {
        from_value(kind, value).expect("a policy")
    }

    #[track_caller]
    fn check_put(text: &str, policy: &Policy, expected: &str) {
        let workspace = book("", &[("policies/a.yaml", text)]);
        let change = put(&workspace, policy, NewFile::default()).expect("a change");
        assert_eq!((change.path.as_str(), change.new.as_deref()), ("policies/a.yaml", Some(expected)));
    }

    #[test]
    fn only_what_differs_is_written() {
        let control = |value: Value| policy(Kind::Control, &value);
        check_put(
            CONTROL,
            &control(
                json!({"id": "a", "name": "One", "type": "access", "rules": ["x"], "require": "b = 1", "enabled": true, "description": ""}),
            ),
            CONTROL,
        );
        check_put(
            CONTROL,
            &control(json!({"id": "a", "name": "Two", "type": "access", "enabled": false, "require": "b = 2", "description": "d"})),
            "id: a # A\nname: Two\ntype: access\nrequire: b = 2\ndescription: d\nenabled: false\n",
        );
        check_put(
            &format!("{CONTROL}enabled: false # off\n"),
            &control(json!({"id": "a", "name": "One", "type": "access", "rules": ["x"], "require": "b = 1"})),
            &format!("{CONTROL}enabled: true # off\n"),
        );
        check_put(
            ACCESS,
            &policy(Kind::Access, &json!({"_id": "B", "service": "report", "actions": ["read", "run"], "members": ["*"]})),
            &ACCESS.replace("[read]", "[read, run]"),
        );
    }

    #[test]
    fn a_new_policy_gets_a_file_of_its_own() {
        let new = policy(Kind::Control, &json!({"id": "é/../x".replace('/', "|"), "name": "No", "type": "network", "rules": ["a: b"]}));
        let workspace = book("", &[("policies/a.yaml", CONTROL)]);
        let change = put(&workspace, &new, NewFile::default()).expect("a change");
        assert_eq!(change.path, "policies/%C3%A9%7C..%7Cx.yaml");
        assert_eq!(
            change.new.as_deref(),
            Some("id: é|..|x\nname: \"No\"\ndescription: \"\"\ntype: network\nrules:\n  - \"a: b\"\nenabled: true\n")
        );
        assert_eq!(
            put(&workspace, &new, NewFile { path: Some("policies/old/b.yml"), text: None }).expect("a change").path,
            "policies/old/b.yml"
        );
        for taken in ["policies/a.yaml", "elsewhere/b.yaml"] {
            assert_eq!(put(&workspace, &new, NewFile { path: Some(taken), text: None }).expect("a change").path, change.path);
        }
        let json = book("[server]\nnew-file = \"policies/{id}.json\"\n", &[]);
        let text = put(&json, &new, NewFile::default()).expect("a change").new.expect("a text");
        assert!(text.starts_with("{\n  \"id\": \"é|..|x\",\n  \"name\": \"No\",\n"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), to_value(&new));
        let known = NewFile { path: None, text: Some("# why\nid: é|..|x\nname: \"No\"\ntype: network\nrules: [\"a: b\"]\n") };
        assert_eq!(put(&json, &new, known).expect("a change").new.as_deref(), Some(text.as_str()));
        assert_eq!(put(&workspace, &new, known).expect("a change").new.as_deref(), known.text);
    }

    #[test]
    fn an_id_is_taken_once() {
        let workspace =
            book("", &[("policies/a.yaml", &format!("{CONTROL}---\n{ACCESS}")), ("policies/c.yaml", &CONTROL.replace("id: a", "id: d"))]);
        let refused = |value: Value| put(&workspace, &policy(Kind::Control, &value), NewFile::default()).expect_err("refused").to_string();
        assert!(refused(json!({"id": "B", "name": "n", "type": "access"})).contains("has a policy `B` already"));
        assert!(refused(json!({"id": "b", "name": "n", "type": "access"})).contains("has a policy `B` already"));
        assert!(refused(json!({"id": "c", "name": "n", "type": "access"})).contains("`policies/c.yaml` exists already"));
    }

    #[test]
    fn a_file_goes_with_its_last_policy() {
        let workspace =
            book("", &[("policies/a.yaml", &format!("{CONTROL}---\n{ACCESS}")), ("policies/c.yaml", &CONTROL.replace("id: a", "id: c"))]);
        assert_eq!(delete(&workspace, "a").expect("a change").new.as_deref(), Some(ACCESS));
        assert_eq!(delete(&workspace, "B").expect("a change").new.as_deref(), Some(CONTROL));
        assert_eq!(delete(&workspace, "c").expect("a change").new, None);
        assert!(matches!(delete(&workspace, "d"), Err(WriteError::UnknownPolicy { .. })));
    }
}
