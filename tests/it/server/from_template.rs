//! Controls are made of templates through the server.

use lawbook::server::Source;
use serde_json::Value;
use serde_json::json;

use super::live::Answer;
use super::live::Live;
use crate::repository::Repository;

const MFA: &str = "id: pol-mfa-required\nname: MFA\ntype: access\ncreated_at: \"2026-03-01T10:00:00.000Z\"\n";

fn book() -> Repository {
    let repository = Repository::new();
    repository.write("policies/mfa.yaml", MFA).commit("start");
    repository
}

fn post(live: &Live, template: &str, body: &Value) -> Answer {
    live.post(&format!("/api/policies?{template}"), body)
}

#[test]
fn a_control_is_made_of_a_template_with_its_comments() {
    let repository = book();
    let live = Live::worktree(&repository.path());
    let body = json!({"id": "pol-sessions é", "parameters": {"max-minutes": 60, "service": "payroll"}});
    let answer = post(&live, "template=session-limits&other=1", &body);
    assert_eq!((answer.status, answer.header("location")), (201, Some("/api/policies/pol-sessions%20%C3%A9")), "{}", answer.text);
    let created = answer.body["created_at"].as_str().expect("a time").to_owned();
    let rules =
        json!(["A session lasts at most 60 minutes", "A session that nobody uses ends after 15 minutes", "Applies to the service payroll"]);
    let expected = json!({"id": "pol-sessions é", "name": "Session limits", "description": "A session ends after some time, and earlier when nobody uses it",
        "type": "session", "rules": rules, "enabled": true, "created_at": created});
    assert_eq!(answer.body, expected);
    let text = repository.read("policies/pol-sessions%20%C3%A9.yaml");
    let dated = format!("enabled: true\ncreated_at: \"{created}\"\nservice: payroll\nrequire: ");
    assert!(text.starts_with("# A session ends after some time") && text.contains("# To adapt: ") && text.contains(&dated), "{text}");
    assert_eq!(answer.commit, repository.git(&["rev-parse", "HEAD"]));
    assert_eq!(repository.git(&["log", "-1", "--format=%s by %an"]), "Create pol-sessions é by Ada");
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
    let read = live.get("/api/policies/pol-sessions%20%C3%A9");
    assert_eq!((read.tag(), &read.text), (answer.tag(), &answer.text));

    // Without anything, the template has its own id; and what is made is a control like any other.
    assert_eq!(post(&live, "template=mfa-control", &json!({})).header("location"), Some("/api/policies/pol-mfa"));
    assert_eq!(live.send("PATCH", "/api/policies/pol-mfa", &live.token, None).body["enabled"], false);
    assert!(repository.read("policies/pol-mfa.yaml").starts_with("# Every request has to come from somebody"));
    let again = post(&live, "template=mfa-control", &json!({}));
    assert_eq!((again.status, &again.body["detail"]), (409, &json!("there is a policy `pol-mfa` already; choose another `id`")));
}

#[test]
fn what_makes_no_control_is_refused_at_its_place() {
    let repository = book();
    let live = Live::worktree(&repository.path());
    let check = |template: &str, body: Value, expected: Value, words: &str| {
        let answer = post(&live, template, &body);
        let told = answer.body["detail"].as_array().unwrap_or_else(|| panic!("{}", answer.text));
        let places: Vec<Value> = told.iter().map(|one| json!([one["type"], one["loc"], one["input"]])).collect();
        assert_eq!((answer.status, Value::from(places)), (422, expected), "{}", answer.text);
        assert!(told[0]["msg"].as_str().is_some_and(|message| message.contains(words)), "{}", answer.text);
    };
    check(
        "template=mfa-contrl",
        json!({}),
        json!([["literal_error", ["query", "template"], "mfa-contrl"]]),
        "there is no template `mfa-contrl`; did you mean `mfa-control`?",
    );
    check("template=", json!({}), json!([["literal_error", ["query", "template"], ""]]), "use one of `read-only-team`");
    check("template=break-glass", json!({}), json!([["value_error", ["query", "template"], "break-glass"]]), "`lawbook new");
    check(
        "template=network-allow-list",
        json!({}),
        json!([["missing", ["body", "parameters", "networks"], null]]),
        "add `networks` (the networks, in CIDR notation)",
    );
    check(
        "template=network-allow-list",
        json!({"parameters": {"networks": ["10.0.0.0/33"]}}),
        json!([["value_error", ["body", "parameters", "networks"], ["10.0.0.0/33"]]]),
        "10.0.0.0/33",
    );
    check(
        "template=mfa-control",
        json!({"parameters": {"servce": "a"}}),
        json!([["extra_forbidden", ["body", "parameters", "servce"], "a"]]),
        "did you mean `service`?",
    );
    check("template=mfa-control", json!({"id": "a/b"}), json!([["value_error", ["body", "id"], "a/b"]]), "cannot be an id");
    check("template=mfa-control", json!({"id": 1}), json!([["string_type", ["body", "id"], 1]]), "not a string");
    check("template=mfa-control", json!({"parameters": []}), json!([["dict_type", ["body", "parameters"], []]]), "not an object");
    check("template=mfa-control", json!({"name": "N"}), json!([["extra_forbidden", ["body", "name"], "N"]]), "a field `name`");
    check("template=mfa-control", json!([]), json!([["model_attributes_type", ["body"], []]]), "send a JSON object");
    assert_eq!(repository.git(&["rev-list", "--count", "HEAD"]), "1");
}

#[test]
fn who_may_not_create_may_not_with_a_template_either() {
    let repository = book();
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = folder.path().join("tokens.toml");
    let token = |role: &str| {
        let made = std::process::Command::new(env!("CARGO_BIN_EXE_lawbook"))
            .args(["token", "new", "--name", "Ann", "--email", "ann@example.com", "--role", role, "--tokens"])
            .arg(&tokens)
            .output()
            .expect("lawbook runs");
        String::from_utf8(made.stdout).expect("text").trim().to_owned()
    };
    let (viewer, editor) = (token("viewer"), token("editor"));
    let live = Live::start(Source::Worktree(repository.path()), Some(tokens.clone()));
    let send = |token: &str| live.send("POST", "/api/policies?template=mfa-control", token, Some(&json!({}))).status;
    assert_eq!((send(""), send(&viewer), send(&editor)), (401, 403, 201));
}

/// A text with comments is no JSON, so that the file of a template could not be read by anything but lawbook.
#[test]
fn a_file_of_json_is_json() {
    let repository = book();
    repository.write("lawbook.toml", "[server]\nnew-file = \"policies/{id}.json\"\n").commit("json");
    let live = Live::reference(&repository.path());
    assert_eq!(post(&live, "template=mfa-control", &json!({})).status, 201);
    let text = repository.git(&["show", "HEAD:policies/pol-mfa.json"]);
    assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON")["require"], "{context.mfa} in ('webauthn', 'totp')");
}
