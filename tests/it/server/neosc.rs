//! The NeoSC interface, byte for byte where it is documented.

use axum::body::Body;
use axum::http::Request;
use lawbook::server::Kind;

use super::router::MFA;
use super::router::ask;
use super::router::memory;
use super::router::send;
use super::router::server;
use super::router::snapshot;

const LATER: &str = "id: pol-later\nname: Later\ntype: network\nrequire: a = 1\nexcept: [robots]\nenabled: false\ncreated_at: '2026-03-02T12:00:00.5+02:00'\n";
const ACCESS: &str = "_id: ReadReports\nservice: report\nactions: [read]\nmembers: ['*']\n";

const LISTED: &str = concat!(
    r#"[{"id":"pol-mfa-required","name":"MFA Required","description":"Enforce é","type":"access","rules":["One","Two"],"enabled":true,"created_at":"2026-03-01T10:00:00.000Z"},"#,
    r#"{"id":"pol-later","name":"Later","description":"","type":"network","rules":[],"enabled":false,"created_at":"2026-03-02T10:00:00.500Z"}]"#
);

#[test]
fn controls_are_listed_in_order_of_creation_with_their_documented_keys() {
    let state = memory(&[("policies/a.yaml", LATER), ("policies/b.yaml", MFA), ("policies/c.yaml", ACCESS)]);
    let answer = ask(&state, "GET", "/api/policies", "viewer");
    assert_eq!((answer.status, answer.body.as_str()), (200, LISTED));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("lawbook-revision"), Some("7"));
    assert_eq!(answer.header("lawbook-commit"), Some("c0ffee0000000000000000000000000000000000"));
    assert_eq!(answer.header("lawbook-content").map(str::len), Some(64));
}

#[test]
fn a_reader_that_has_the_list_is_told_so() {
    let state = memory(&[("policies/b.yaml", MFA)]);
    let tag = ask(&state, "GET", "/api/policies", "viewer").header("etag").expect("a tag").to_owned();
    let get = |tag: &str| {
        let request = Request::get("/api/policies").header("authorization", "Bearer viewer").header("if-none-match", tag);
        send(&state, request.body(Body::empty()).expect("a request"))
    };
    assert_eq!((get(&tag).status, get(&tag).body.as_str()), (304, ""));
    assert_eq!(get(&format!("\"other\", W/{tag}")).status, 304);
    assert_eq!(get("\"other\"").status, 200);
}

#[test]
fn a_law_book_without_controls_has_the_three_defaults() {
    let answer = ask(&memory(&[("policies/c.yaml", ACCESS)]), "GET", "/api/policies", "viewer").json();
    let names: Vec<_> = answer.as_array().expect("a list").iter().map(|control| control["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["MFA Required", "Zero Trust Network", "Session Recording"]);
    assert_eq!(answer[1]["rules"], serde_json::json!(["No direct connections", "WireGuard encryption", "Identity verification"]));
}

#[test]
fn one_control_is_read_with_its_own_tag() {
    let state = memory(&[("policies/b.yaml", MFA), ("policies/c.yaml", ACCESS)]);
    let answer = ask(&state, "GET", "/api/policies/pol-mfa-required", "viewer");
    let expected = LISTED.trim_start_matches('[').split_once("},").expect("two").0.to_owned() + "}";
    assert_eq!((answer.status, answer.body), (200, expected));
    let tag = answer.headers["etag"].to_str().expect("text").to_owned();
    let get = |tag: &str| {
        let request = Request::get("/api/policies/pol-mfa-required").header("authorization", "Bearer viewer").header("if-none-match", tag);
        send(&state, request.body(Body::empty()).expect("a request"))
    };
    let same = get(&tag);
    assert_eq!((same.status, same.body.as_str(), same.header("etag")), (304, "", Some(tag.as_str())));
    assert_eq!(get("\"other\"").status, 200);
    // What is not sent counts too: whoever changes it must not be overtaken unseen.
    let enforced = memory(&[("policies/b.yaml", &format!("{MFA}require: a = 1\n"))]);
    let other = ask(&enforced, "GET", "/api/policies/pol-mfa-required", "viewer");
    assert_eq!(other.status, 200);
    assert_ne!(other.header("etag"), Some(tag.as_str()));
}

#[track_caller]
fn check(method: &str, path: &str, token: &str, status: u16, body: &str) {
    let state = memory(&[("policies/b.yaml", MFA), ("policies/c.yaml", ACCESS)]);
    let answer = ask(&state, method, path, token);
    assert_eq!((answer.status, answer.body.as_str()), (status, body), "{method} {path} as `{token}`");
    assert_eq!(answer.header("www-authenticate"), None);
}

#[test]
fn strangers_are_told_what_the_document_says() {
    let one = "/api/policies/pol-mfa-required";
    let requests = [("GET", "/api/policies"), ("POST", "/api/policies"), ("GET", one), ("PUT", one), ("PATCH", one), ("DELETE", one)];
    for (method, path) in requests.into_iter().chain([
        ("GET", "/api/policies/x"),
        ("PUT", "/api/policies/x"),
        ("PATCH", "/api/policies/x"),
        ("GET", "/api/audit-logs"),
    ]) {
        check(method, path, "", 401, r#"{"detail":"Not authenticated"}"#);
        check(method, path, "wrong", 401, r#"{"detail":"Invalid token"}"#);
    }
    let state = memory(&[("policies/b.yaml", MFA)]);
    for header in ["bearer viewer", "Bearer", "Basic viewer", "Bearerviewer", " viewer"] {
        let request = Request::get("/api/policies").header("authorization", header).body(Body::empty()).expect("a request");
        assert_eq!(send(&state, request).body, r#"{"detail":"Not authenticated"}"#, "{header:?}");
    }
    let request = Request::get("/api/policies").header("authorization", "Bearer  viewer").body(Body::empty()).expect("a request");
    assert_eq!(send(&state, request).body, r#"{"detail":"Invalid token"}"#);
}

#[test]
fn what_is_not_there_is_told_apart() {
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        check(method, "/api/policies/unknown", "admin", 404, r#"{"detail":"Policy not found"}"#);
        check(method, "/api/policies/ReadReports", "admin", 404, r#"{"detail":"Policy not found"}"#);
    }
    check("PATCH", "/api/policies/%FF", "admin", 404, r#"{"detail":"Policy not found"}"#);
    check("PATCH", "/api/policies/a%2Fb", "admin", 404, r#"{"detail":"Not Found"}"#);
    check("GET", "/api/policies/a/b", "", 404, r#"{"detail":"Not Found"}"#);
    check("GET", "/api/policies/a%2Fb/versions", "", 404, r#"{"detail":"Not Found"}"#);
    check("GET", "/api/policies/unknown/versions", "viewer", 404, r#"{"detail":"Policy not found"}"#);
    check("GET", "/api/policies/ReadReports/versions", "viewer", 404, r#"{"detail":"Policy not found"}"#);
    check("POST", "/api/policies/ReadReports/restore", "admin", 404, r#"{"detail":"Policy not found"}"#);
    check("GET", "/", "", 404, r#"{"detail":"Not Found"}"#);
    check("GET", "/api/other", "", 404, r#"{"detail":"Not Found"}"#);
    check("GET", "/api/other/", "", 404, r#"{"detail":"Not Found"}"#);
}

#[test]
fn the_method_is_looked_at_before_the_token() {
    let state = memory(&[("policies/b.yaml", MFA)]);
    let cases = [
        ("PUT", "/api/policies", "GET, POST"),
        ("DELETE", "/api/policies", "GET, POST"),
        ("OPTIONS", "/api/policies", "GET, POST"),
        ("POST", "/api/policies/pol-mfa-required", "GET, PUT, PATCH, DELETE"),
        ("OPTIONS", "/api/policies/x", "GET, PUT, PATCH, DELETE"),
        ("DELETE", "/api/audit-logs", "GET"),
        ("POST", "/api/policies/x/versions", "GET"),
        ("GET", "/api/policies/x/restore", "POST"),
    ];
    for (method, path, allowed) in cases {
        let answer = ask(&state, method, path, "");
        assert_eq!((answer.status, answer.body.as_str()), (405, r#"{"detail":"Method Not Allowed"}"#), "{method} {path}");
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
    }
    assert_eq!(ask(&state, "HEAD", "/api/policies", "").status, 405);
}

/// The redirect named `http` and the host of the request, and led callers of a proxy with TLS to a place without it.
#[test]
fn a_slash_at_the_end_is_redirected_away() {
    let state = memory(&[("policies/b.yaml", MFA)]);
    #[track_caller]
    fn check(answer: &super::router::Answer, location: &str) {
        assert_eq!((answer.status, answer.body.as_str()), (307, ""));
        assert_eq!(answer.header("location"), Some(location));
        assert_eq!(answer.header("content-type"), None);
    }
    check(&ask(&state, "GET", "/api/policies/", ""), "/api/policies");
    check(&ask(&state, "PATCH", "/api/policies/", ""), "/api/policies");
    check(&ask(&state, "GET", "/api/audit-logs/?limit=3", ""), "/api/audit-logs?limit=3");
    check(&ask(&state, "PATCH", "/api/policies/pol%20a/", ""), "/api/policies/pol%20a");
    check(&ask(&state, "GET", "/api/policies/pol%20a/versions/?limit=1", ""), "/api/policies/pol%20a/versions?limit=1");
}

#[test]
fn a_role_bounds_what_its_holder_may_do() {
    let one = "/api/policies/pol-mfa-required";
    for (method, path) in [("POST", "/api/policies"), ("PUT", one), ("PATCH", one), ("DELETE", one), ("PUT", "/api/policies/x")] {
        check(method, path, "viewer", 403, r#"{"detail":"Admin access required"}"#);
        check(method, path, "decide", 403, r#"{"detail":"this token may only ask for decisions"}"#);
    }
    for path in ["/api/policies", "/api/audit-logs", "/status"] {
        check("GET", path, "decide", 403, r#"{"detail":"this token may only ask for decisions"}"#);
    }
}

#[test]
fn a_body_is_bounded() {
    let state = memory(&[("policies/b.yaml", MFA)]);
    for (method, path) in [("POST", "/api/policies"), ("PUT", "/api/policies/pol-mfa-required")] {
        let request = Request::builder().method(method).uri(path).header("authorization", "Bearer admin");
        let answer = send(&state, request.body(Body::from(format!("{{\"name\":\"{}\"}}", "x".repeat(1 << 20)))).expect("a request"));
        assert_eq!(answer.status, 413, "{method}: {}", answer.body);
    }
}

#[test]
fn a_server_that_cannot_commit_says_where_to_change_the_policy() {
    let book = || Some(snapshot(&[("policies/b.yaml", MFA)], "c0ffee0"));
    let bundle = server(Kind::Bundle("https://files.example/law".to_owned()), book());
    let control = r#"{"name":"New","type":"access"}"#;
    let one = "/api/policies/pol-mfa-required";
    for (method, path) in [("POST", "/api/policies"), ("PUT", one), ("PATCH", one), ("DELETE", one)] {
        let request = Request::builder().method(method).uri(path).header("authorization", "Bearer editor");
        let answer = send(&bundle, request.body(Body::from(control)).expect("a request"));
        assert_eq!(answer.status, 409, "{method}: {}", answer.body);
        assert!(answer.body.contains("https://files.example/law") && answer.body.contains("repository"), "{}", answer.body);
    }
    let folder = server(Kind::Folder("law".into()), book());
    let answer = ask(&folder, "PATCH", "/api/policies/pol-mfa-required", "editor");
    assert!(answer.status == 409 && answer.body.contains("git init"), "{}", answer.body);
}

#[test]
fn before_anything_is_good_nothing_is_answered_but_the_standing() {
    let state = server(Kind::Folder("law".into()), None);
    assert_eq!(ask(&state, "GET", "/api/policies", "viewer").status, 503);
    assert_eq!(ask(&state, "GET", "/health/live", "").status, 200);
    assert_eq!(ask(&state, "GET", "/health/ready", "").status, 503);
    assert_eq!(ask(&state, "GET", "/health/current", "").status, 503);
    assert_eq!(ask(&state, "GET", "/status", "viewer").json()["status"], "empty");
}
