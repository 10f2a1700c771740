//! The versions of a control, and the way back to one.

use serde_json::Value;
use serde_json::json;

use super::live::Answer;
use super::live::Live;
use crate::repository::Repository;

const FILE: &str = "# rules of the house\nid: pol-a # the id\nname: 'One'\ntype: access\nrules: [x]\n";
const OTHER: &str = "id: pol-b\nname: B\ntype: network\n";

fn versions(live: &Live, id: &str) -> Vec<Value> {
    let answer = live.get(&format!("/api/policies/{id}/versions"));
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body.as_array().expect("a list").clone()
}

fn restore(live: &Live, id: &str, version: &Value) -> Answer {
    live.post(&format!("/api/policies/{id}/restore"), &json!({ "version": version }))
}

fn send(live: &Live, method: &str, id: &str, body: Option<&Value>) -> Answer {
    live.send(method, &format!("/api/policies/{id}"), &live.token, body)
}

#[test]
fn versions_are_told_newest_first_and_each_can_come_back() {
    let repository = Repository::new();
    let first = repository.write("policies/a.yaml", FILE).commit("Begin: é\n\nwith more to say");
    repository.write("policies/a.yaml", FILE.replace("[x]", "[  x  ]")).commit("only the layout");
    let live = Live::worktree(&repository.path());
    assert_eq!(
        send(&live, "PUT", "pol-a", Some(&json!({"name": "Two", "type": "access", "rules": ["x", "y"], "require": "a = 1"}))).status,
        200
    );
    assert_eq!(send(&live, "PATCH", "pol-a", None).status, 200);

    let told = versions(&live, "pol-a");
    let actions: Vec<&Value> = told.iter().map(|version| &version["action"]).collect();
    assert_eq!(actions, ["disable", "update", "create"]);
    let text = live.get("/api/policies/pol-a/versions").text;
    let oldest = format!(
        r#"{{"version":"{first}","action":"create","author":"ada@example.com","timestamp":"2026-03-01T10:00:00.000Z","message":"Begin: é","policy":{{"id":"pol-a","name":"One","description":"","type":"access","rules":["x"],"enabled":true,"created_at":"2026-03-01T10:00:00.000Z"}}}}]"#
    );
    assert!(text.ends_with(&oldest), "{text}");
    assert_eq!(told[0]["version"], repository.git(&["rev-parse", "HEAD"]));
    assert_eq!((&told[0]["policy"]["enabled"], &told[1]["policy"]["rules"]), (&json!(false), &json!(["x", "y"])));
    assert_eq!(live.get("/api/policies/pol-a/versions?limit=1").body, json!([told[0]]));

    let answer = restore(&live, "pol-a", &json!(first));
    assert_eq!((answer.status, &answer.body["name"]), (200, &json!("One")), "{}", answer.text);
    assert_eq!(answer.header("etag"), live.get("/api/policies/pol-a").header("etag"));
    assert_eq!(repository.read("policies/a.yaml"), FILE.replace("[x]", "[  x  ]") + "enabled: true\n");
    assert_eq!(repository.git(&["log", "-1", "--format=%s"]), format!("Restore pol-a as of {}", &first[..10]));
    assert_eq!(versions(&live, "pol-a")[0]["action"], "restore");
    // What the wire does not show comes back as well.
    assert_eq!(restore(&live, "pol-a", &told[1]["version"]).status, 200);
    assert!(repository.read("policies/a.yaml").contains("require: a = 1\n"));
    // It says so already.
    let before = repository.git(&["rev-parse", "HEAD"]);
    assert_eq!(restore(&live, "pol-a", &told[1]["version"]).status, 200);
    assert_eq!(repository.git(&["rev-parse", "HEAD"]), before);
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_control_that_is_gone_comes_back() {
    let repository = Repository::new();
    repository.write("policies/odd/a.yaml", FILE).write("policies/two.yaml", format!("{OTHER}---\n{}", OTHER.replace("pol-b", "pol-c")));
    let first = repository.commit("begin");
    let live = Live::reference(&repository.path());
    for id in ["pol-a", "pol-c"] {
        assert_eq!(send(&live, "DELETE", id, None).status, 200);
    }
    let told = versions(&live, "pol-a");
    assert_eq!((told.len(), &told[0]["action"], &told[0]["policy"]), (2, &json!("delete"), &Value::Null));
    assert_eq!(restore(&live, "pol-a", &json!(first)).status, 200);
    assert_eq!(restore(&live, "pol-c", &json!(first[..8])).status, 200, "its file is still there, so that it gets its own");
    let files = repository.git(&["ls-tree", "-r", "--name-only", "HEAD"]);
    assert_eq!(files, "policies/odd/a.yaml\npolicies/pol-c.yaml\npolicies/two.yaml");
    assert_eq!(versions(&live, "pol-a")[0]["policy"], live.get("/api/policies/pol-a").body);
    let refused = restore(&live, "pol-a", &told[0]["version"]);
    assert!(refused.status == 422 && refused.text.contains("was gone then"), "{}", refused.text);
}

/// The list of controls and their versions once gave two dates.
#[test]
fn a_control_that_is_called_otherwise_was_introduced_when_it_was() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", FILE).commit("begin");
    repository.write("policies/a.yaml", FILE.replace("id: pol-a", "id: pol-new")).commit("call it otherwise");
    let live = Live::worktree(&repository.path());
    let told = versions(&live, "pol-new");
    assert_eq!(
        (told.len(), &told[0]["action"], &told[0]["policy"]["created_at"]),
        (1, &json!("rename"), &json!("2026-03-01T10:00:00.000Z"))
    );
    assert_eq!(told[0]["policy"], live.get("/api/policies/pol-new").body);
}

#[test]
fn what_is_no_version_is_refused() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", FILE).write("policies/b.yaml", super::live::policy("b", "b", false)).commit("begin");
    repository.write("policies/b.yaml", super::live::policy("b", "b", true));
    let other = repository.commit("not about the control");
    let live = Live::worktree(&repository.path());
    let answer = restore(&live, "pol-a", &json!(other));
    assert_eq!((answer.status, answer.body), (404, json!({"detail": "Policy version not found"})));
    assert_eq!(restore(&live, "unknown", &json!(other)).body, json!({"detail": "Policy not found"}));
    for (body, kind) in [
        (json!({}), "missing"),
        (json!({"version": "HEAD~1"}), "value_error"),
        (json!({"version": 1}), "value_error"),
        (json!({"version": other, "more": 1}), "extra_forbidden"),
    ] {
        let answer = live.post("/api/policies/pol-a/restore", &body);
        assert_eq!((answer.status, &answer.body["detail"][0]["type"]), (422, &json!(kind)), "{body}");
    }
    assert_eq!(live.get("/api/policies/pol-a/versions?limit=0").status, 422);
    let tag = live.get("/api/policies/pol-a/versions").tag().to_owned();
    let same = live.send_with("GET", "/api/policies/pol-a/versions", &live.token, &[("if-none-match", &tag)], None);
    assert_eq!((same.status, same.text.as_str()), (304, ""));
}
