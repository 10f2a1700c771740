//! `PATCH`: one commit each, served before it is answered, and told in the audit log.

use axum::body::Body;
use axum::http::Request;
use lawbook::server::Kind;
use serde_json::Value;
use serde_json::json;

use super::live::Live;
use super::router::ask;
use super::router::send;
use super::router::server;
use super::router::snapshot;
use crate::repository::Repository;

const FILE: &str = "# who must have a second factor\nid: pol-mfa-required\nname: MFA Required\ntype: access\nenabled: true # since March\nrules: [a,  b]\n";

fn book() -> Repository {
    let repository = Repository::new();
    repository.write("policies/mfa.yaml", FILE).write("lawbook.toml", "critical = [\"pol-mfa-required\"]\n");
    repository.commit("start");
    repository
}

fn patch(live: &Live, id: &str) -> super::live::Answer {
    live.send("PATCH", &format!("/api/policies/{id}"), &live.token, None)
}

fn enabled(live: &Live) -> Value {
    live.get("/api/policies").body[0]["enabled"].clone()
}

#[track_caller]
fn clean(repository: &Repository) {
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
    repository.git(&["fsck", "--strict"]);
}

#[test]
fn two_toggles_are_two_commits_and_two_entries() {
    let repository = book();
    let live = Live::worktree(&repository.path());
    assert_eq!(enabled(&live), true);

    let disabled = patch(&live, "pol-mfa-required");
    assert_eq!((disabled.status, disabled.text.as_str()), (200, r#"{"message":"Policy disabled","enabled":false}"#));
    assert_eq!(disabled.commit, repository.git(&["rev-parse", "HEAD"]), "the answer is of the commit that it made");
    assert_eq!(enabled(&live), false);
    assert_eq!(repository.read("policies/mfa.yaml"), FILE.replace("enabled: true", "enabled: false"));
    clean(&repository);

    let logs = live.get("/api/audit-logs").body;
    assert_eq!(logs[0]["action"], "toggle_policy", "it is there as soon as the answer is");
    assert_eq!(patch(&live, "pol-mfa-required").text, r#"{"message":"Policy enabled","enabled":true}"#);
    assert_eq!(enabled(&live), true);
    assert_eq!(repository.read("policies/mfa.yaml"), FILE);
    clean(&repository);
    assert_eq!(repository.git(&["log", "--format=%ae", "-2"]), "ada@example.com\nada@example.com");
    assert_eq!(repository.git(&["rev-list", "--count", "HEAD"]), "3");

    let logs = live.get("/api/audit-logs?action=toggle_policy&policy=pol-mfa-required").body;
    let told: Vec<_> =
        logs.as_array().expect("a list").iter().map(|entry| (entry["details"].clone(), entry["user_email"].clone())).collect();
    let who = json!("ada@example.com");
    assert_eq!(told, [(json!("Policy enabled"), who.clone()), (json!("Policy disabled"), who)]);
    assert_eq!(live.get("/api/audit-logs").body.as_array().map(Vec::len), Some(3));
}

#[test]
fn many_toggles_at_once_are_as_many_commits() {
    let repository = book();
    for live in [Live::worktree(&repository.path()), Live::reference(&repository.path())] {
        let before = repository.git(&["rev-list", "--count", "HEAD"]).parse::<usize>().expect("a number");
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| assert_eq!(patch(&live, "pol-mfa-required").status, 200));
            }
        });
        assert_eq!(repository.git(&["rev-list", "--count", "HEAD"]).parse(), Ok(before + 6));
        assert_eq!(enabled(&live), true, "an even number of toggles");
        clean(&repository);
    }
}

#[test]
fn a_ref_of_a_bare_repository_is_written_to() {
    let repository = book();
    let folder = tempfile::tempdir().expect("a folder");
    let bare = folder.path().join("law.git");
    repository.git(&["clone", "--quiet", "--bare", ".", bare.to_str().expect("text")]);
    let live = Live::reference(&bare);
    assert_eq!(patch(&live, "pol-mfa-required").body["enabled"], false);
    assert_eq!(enabled(&live), false);
    let shown = repository.git(&["--git-dir", bare.to_str().expect("text"), "show", "main:policies/mfa.yaml"]);
    assert_eq!(shown, FILE.replace("enabled: true", "enabled: false").trim_end());
}

#[test]
fn the_first_write_to_a_law_book_without_controls_makes_all_three() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", super::live::policy("a", "a", false));
    repository.commit("start");
    repository.write("policies/b.yaml", super::live::policy("b", "b", false));
    repository.commit("next");
    let live = Live::worktree(&repository.path());
    let listed = live.get("/api/policies").body;
    assert_eq!(listed[1]["created_at"], "2026-03-01T10:00:00.000Z", "the time of the root commit");
    assert_eq!(patch(&live, "pol-network-zero-trust").body, json!({"message": "Policy disabled", "enabled": false}));
    let names = repository.git(&["show", "--name-only", "--format=", "HEAD"]);
    assert_eq!(names, "policies/pol-mfa-required.yaml\npolicies/pol-network-zero-trust.yaml\npolicies/pol-session-recording.yaml");
    let mut expected = listed;
    expected[1]["enabled"] = json!(false);
    assert_eq!(live.get("/api/policies").body, expected, "nothing but the toggled control changed");
    clean(&repository);
    assert_eq!(patch(&live, "pol-network-zero-trust").body["enabled"], true);
}

#[test]
fn a_lost_update_is_refused() {
    let repository = book();
    let live = Live::worktree(&repository.path());
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(super::live::PATIENCE)).http_status_as_error(false).build().into();
    let authorization = format!("Bearer {}", live.token);
    let tag = || {
        let answer = agent.get(format!("http://{}/api/policies", live.address)).header("authorization", &authorization).call();
        answer.expect("an answer").headers()["etag"].to_str().expect("text").to_owned()
    };
    let patch = |tag: &str| {
        let request = agent.patch(format!("http://{}/api/policies/pol-mfa-required", live.address)).header("authorization", &authorization);
        let answer = request.header("if-match", tag).send_empty().expect("an answer");
        (answer.status().as_u16(), answer.headers().get("lawbook-warning").is_some())
    };
    let first = tag();
    assert_eq!(patch(&first), (200, true), "a critical control was disabled, which is told and not refused");
    assert_eq!(patch(&first), (412, false));
    assert_eq!(patch(&tag()), (200, false));
    assert_eq!(patch("*"), (200, true));
    assert_eq!(repository.git(&["rev-list", "--count", "HEAD"]), "4");
}

#[test]
fn work_in_progress_is_not_overwritten() {
    let repository = book();
    let live = Live::worktree(&repository.path());
    repository.write("policies/mfa.yaml", FILE.replace("[a,  b]", "[a]"));
    let head = repository.git(&["rev-parse", "HEAD"]);
    let answer = patch(&live, "pol-mfa-required");
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert_eq!(repository.git(&["rev-parse", "HEAD"]), head);
    repository.write("policies/new.yaml", FILE.replace("pol-mfa-required", "pol-new"));
    live.wait("the new control is listed", |live| live.get("/api/policies").body.as_array().map(Vec::len) == Some(2));
    let answer = patch(&live, "pol-new");
    assert!(
        answer.status == 409 && answer.body["detail"].as_str().is_some_and(|detail| detail.contains("commit it first")),
        "{}",
        answer.body
    );
}

/// What `If-Match` named was compared with what was served, and the change was made to what had landed since.
#[test]
fn an_update_that_is_not_served_yet_is_not_lost_either() {
    let repository = book();
    repository.write("policies/other.yaml", FILE.replace("pol-mfa-required", "pol-other")).commit("more");
    let other = FILE.replace("pol-mfa-required", "pol-other");
    let files = [("policies/mfa.yaml", FILE), ("policies/other.yaml", other.as_str())];
    let served = snapshot(&files, &repository.git(&["rev-parse", "HEAD"]));
    let state = server(Kind::Ref { dir: repository.path(), name: "main".to_owned() }, Some(served));
    let list = ask(&state, "GET", "/api/policies", "viewer").header("etag").expect("a tag").to_owned();
    let patch = |tag: &str| {
        let request = Request::patch("/api/policies/pol-mfa-required").header("authorization", "Bearer admin").header("if-match", tag);
        send(&state, request.body(Body::empty()).expect("a request")).status
    };
    repository.write("policies/other.yaml", other.replace("enabled: true", "enabled: false")).commit("another control");
    let head = repository.git(&["rev-parse", "HEAD"]);
    assert_eq!(patch(&list), 412);
    assert_eq!(repository.git(&["rev-parse", "HEAD"]), head);
}

/// The commit was made and answered with 503, and whoever tried again took the change back.
#[test]
fn nothing_is_written_while_nothing_could_be_served() {
    let repository = book();
    let live = Live::worktree(&repository.path());
    repository.write("policies/broken.yaml", "_id: [\n");
    live.wait("it is behind", |live| live.get("/health/current").status == 503);
    let answer = patch(&live, "pol-mfa-required");
    assert_eq!(answer.status, 409, "{}", answer.body);
    let detail = answer.body["detail"].as_str().expect("a detail");
    assert!(detail.contains("nothing was changed") && detail.contains("broken.yaml"), "{detail}");
    assert_eq!(repository.git(&["rev-list", "--count", "HEAD"]), "1");
    repository.remove("policies/broken.yaml");
    live.wait("it is current", |live| live.get("/health/current").status == 200);
    assert_eq!(patch(&live, "pol-mfa-required").status, 200);
    assert_eq!(enabled(&live), false);
}
