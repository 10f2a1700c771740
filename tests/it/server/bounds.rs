//! Bounds of the router: sizes, staleness, and the revision that a request asks for.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use lawbook::server::Kind;
use lawbook::server::State;
use serde_json::json;

use super::router::Answer;
use super::router::MFA;
use super::router::ask;
use super::router::memory;
use super::router::send;
use super::router::server;
use super::router::snapshot;

const GRANT: (&str, &str) = ("policies/a.yaml", "_id: ReadReports\nservice: report\nactions: [read]\nmembers: ['*']\n");

#[test]
fn a_body_of_more_than_a_mebibyte_is_refused() {
    let state = memory(&[("policies/b.yaml", MFA)]);
    let request =
        || Request::post("/access/v1/evaluation").header("authorization", "Bearer decide").header("content-type", "application/json");
    let declared = send(&state, request().header("content-length", "1048577").body(Body::empty()).expect("a request"));
    assert_eq!((declared.status, declared.json()["error"]["status"].clone()), (413, json!(413)));
    let sent = send(&state, request().body(Body::from(vec![b' '; 1024 * 1024 + 1])).expect("a request"));
    assert_eq!((sent.status, sent.json()["error"]["status"].clone()), (413, json!(413)));
    let fits = send(&state, request().body(Body::from(vec![b' '; 1024 * 1024])).expect("a request"));
    assert_eq!(fits.status, 400, "it is read, and is no JSON");
}

#[test]
fn a_law_book_that_is_too_old_allows_nothing() {
    let toml = ("lawbook.toml", "[server]\nmax-staleness = \"deny:0s\"\n");
    let state = memory(&[toml, GRANT]);
    let decide = |state: &Arc<State>| {
        let body = json!({"subject": {"type": "user", "id": "a"}, "action": {"name": "read"}, "resource": {"type": "report", "id": "r"}});
        let request =
            Request::post("/access/v1/evaluation").header("authorization", "Bearer decide").header("content-type", "application/json");
        send(state, request.body(Body::from(body.to_string())).expect("a request")).json()
    };
    assert_eq!(decide(&state)["decision"], true);
    state.current.fell_behind("broken".to_owned(), None, Vec::new());
    // The limit is no time at all, and the clock has to move on from it.
    std::thread::sleep(Duration::from_millis(2));
    assert_eq!(decide(&state), json!({"decision": false, "context": {"reason": {"kind": "stale", "policies": []}}}));
    let ready = ask(&state, "GET", "/health/ready", "");
    assert_eq!((ready.status, ready.json()["status"].clone()), (503, json!("stale")));

    let patient = memory(&[GRANT]);
    patient.current.fell_behind("broken".to_owned(), None, Vec::new());
    assert_eq!(decide(&patient)["decision"], true);
    let ready = ask(&patient, "GET", "/health/ready", "");
    assert_eq!((ready.status, ready.json()["status"].clone()), (200, json!("behind")));
    assert!(ready.body.starts_with(r#"{"status":"behind","since":"20"#), "{}", ready.body);
    assert_eq!(ask(&patient, "GET", "/health/current", "").status, 503);
}

fn at_least(state: &Arc<State>, revision: &str) -> Answer {
    let request = Request::get("/api/policies").header("authorization", "Bearer viewer").header("lawbook-min-revision", revision);
    send(state, request.body(Body::empty()).expect("a request"))
}

/// A header that is no text, or that came without a valid token, was ignored, and the answer came from any revision.
#[test]
fn a_revision_that_cannot_be_waited_for_is_refused() {
    let state = memory(&[GRANT]);
    let ask = |token: &str, revision: &[u8]| {
        let value = axum::http::HeaderValue::from_bytes(revision).expect("a header");
        let request = Request::get("/api/policies").header("lawbook-min-revision", value);
        let request = if token.is_empty() { request } else { request.header("authorization", format!("Bearer {token}")) };
        send(&state, request.body(Body::empty()).expect("a request")).status
    };
    assert_eq!(ask("viewer", "c0ffee0é".as_bytes()), 400);
    assert_eq!(ask("viewer", b""), 400);
    assert_eq!(ask("viewer", b"c0ffee0"), 200);
    assert_eq!(ask("", b"c0ffee0"), 401);
    assert_eq!(ask("wrong", b"c0ffee0"), 401);
}

#[test]
fn a_request_waits_for_the_revision_that_it_asks_for() {
    let bundle = || server(Kind::Bundle("law".to_owned()), Some(snapshot(&[GRANT], "c0ffee0")));
    let state = bundle();
    assert_eq!(at_least(&state, "7").status, 200);
    assert_eq!(at_least(&state, "c0ffee0").status, 400, "a bundle is asked for by its number");
    let later = Arc::clone(&state);
    let publisher = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        let mut next = snapshot(&[GRANT], "c0ffee1");
        next.revision.number = Some(8);
        later.current.swap(Arc::new(next));
    });
    let waited = at_least(&state, "8");
    publisher.join().expect("it publishes");
    assert_eq!((waited.status, waited.header("lawbook-commit")), (200, Some("c0ffee1")));
    let never = at_least(&bundle(), "8");
    assert_eq!((never.status, never.header("lawbook-revision")), (503, Some("7")));
}
