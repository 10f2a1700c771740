//! The evaluation endpoints of the AuthZEN Authorization API 1.0.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use lawbook::server::State;
use lawbook::server::app;
use serde_json::Value;
use serde_json::json;
use tower::ServiceExt;

use super::router::Answer;
use super::router::ask;
use super::router::memory;
use super::router::send;

const BOOK: &[(&str, &str)] = &[
    ("policies/a.yaml", "_id: ReadReports\nservice: report\nactions: [read]\nmembers: [staff]\n"),
    ("policies/b.yaml", "_id: NoSecrets\nservice: report\nactions: [read]\nmembers: ['*']\ndeny: true\ncondition: secret = true\n"),
];

fn post(state: &Arc<State>, path: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(path).header("authorization", "Bearer decide").header("content-type", "application/json; charset=utf-8");
    send(state, request.body(body.into()).expect("a request"))
}

fn evaluate(path: &str, body: &Value) -> Answer {
    post(&memory(BOOK), path, body.to_string())
}

fn question(id: &str, action: &str, secret: bool) -> Value {
    json!({"subject": {"type": "user", "id": "a@example.com", "properties": {"groups": ["staff"]}}, "action": {"name": action},
        "resource": {"type": "report", "id": id, "properties": {"secret": secret}}, "unknown": 1})
}

#[test]
fn an_answer_names_the_policies_that_decided() {
    #[track_caller]
    fn check(question: &Value, expected: &str) {
        let answer = evaluate("/access/v1/evaluation", question);
        assert_eq!((answer.status, answer.body.as_str()), (200, expected));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    check(&question("r", "read", false), r#"{"decision":true,"context":{"reason":{"kind":"grant","policies":["ReadReports"]}}}"#);
    check(&question("r", "read", true), r#"{"decision":false,"context":{"reason":{"kind":"denial","policies":["NoSecrets"]}}}"#);
    check(&question("r", "delete", false), r#"{"decision":false,"context":{"reason":{"kind":"none","policies":[]}}}"#);
}

#[test]
fn what_is_no_request_is_refused() {
    let state = memory(BOOK);
    #[track_caller]
    fn check(answer: &Answer, message: &str) {
        assert_eq!(answer.status, 400, "{}", answer.body);
        let said = answer.json()["error"]["message"].as_str().expect("a message").to_owned();
        assert!(said.contains(message), "{said}");
    }
    let single = "/access/v1/evaluation";
    check(&post(&state, single, ""), "the body is empty");
    check(&post(&state, single, "{"), "the body is not JSON");
    check(&post(&state, single, "[]"), "the body is not a JSON object");
    // Of a name that stood twice the last one counted, while a gateway in front may have looked at the first.
    let twice = question("r", "read", false).to_string().replacen('{', r#"{"subject":{"type":"user","id":"b"},"#, 1);
    check(&post(&state, single, twice), "the body is ambiguous: the name `subject` stands twice");
    let nested = r#"{"evaluations":[{"resource":{"type":"report","type":"x","id":"1"}}]}"#;
    check(&post(&state, "/access/v1/evaluations", nested), "the name `type` stands twice");
    check(&post(&state, single, "[".repeat(100_000)), "the body is not JSON");
    check(&post(&state, single, r#"{"subject":1}"#), "`subject` is not an object");
    check(&post(&state, "/access/v1/evaluations", r#"{"evaluations":{}}"#), "`evaluations` is not a list");
    check(&post(&state, "/access/v1/evaluations", r#"{"evaluations":[{}],"options":{"evaluations_semantic":"first"}}"#), "none of");
    check(&post(&state, "/access/v1/evaluations", r#"{"evaluations":[{}],"options":1}"#), "`options` is not an object");
    let plain = Request::post(single).header("authorization", "Bearer decide").header("content-type", "text/plain");
    check(&send(&state, plain.body(Body::from("{}")).expect("a request")), "the content type");
}

#[test]
fn strangers_and_other_methods_are_refused_in_the_form_of_the_interface() {
    let state = memory(BOOK);
    let get = ask(&state, "GET", "/access/v1/evaluation", "decide");
    assert_eq!((get.status, get.header("allow")), (405, Some("POST")));
    let stranger = ask(&state, "POST", "/access/v1/evaluation", "");
    assert_eq!((stranger.status, stranger.body.as_str()), (401, r#"{"error":{"status":401,"message":"Not authenticated"}}"#));
    for token in ["viewer", "editor", "admin", "decide"] {
        assert_eq!(ask(&state, "POST", "/access/v1/evaluation", token).status, 400, "{token} may ask, and sent nothing");
    }
}

#[test]
fn the_id_of_a_request_comes_back() {
    let state = memory(BOOK);
    let own = Request::post("/access/v1/evaluation").header("x-request-id", "bfe9eb29-ab87");
    assert_eq!(send(&state, own.body(Body::empty()).expect("a request")).header("x-request-id"), Some("bfe9eb29-ab87"));
    let ours = ask(&state, "GET", "/health/live", "").header("x-request-id").map(str::to_owned);
    assert!(ours.is_some() && ours != ask(&state, "GET", "/health/live", "").header("x-request-id").map(str::to_owned));
}

#[test]
fn a_batch_fills_in_defaults_and_keeps_errors_in_their_place() {
    let body = json!({
        "subject": {"type": "user", "id": "a@example.com", "properties": {"groups": ["staff"]}},
        "action": {"name": "read"},
        "evaluations": [
            {"resource": {"type": "report", "id": "1"}},
            {"resource": {"type": "report", "id": "2", "properties": {"secret": true}}},
            {"resource": {"type": "report", "id": "3"}, "subject": {"type": "user", "id": "b@example.com"}},
            {},
            7,
            {"resource": {"type": "report", "id": "5"}, "action": {"name": "read"}}
        ]
    });
    let answer = evaluate("/access/v1/evaluations", &body);
    assert_eq!(answer.status, 200);
    let decisions: Vec<_> = answer.json()["evaluations"].as_array().expect("a list").iter().map(|one| one["decision"].clone()).collect();
    assert_eq!(decisions, [json!(true), json!(false), json!(false), json!(false), json!(false), json!(true)]);
    let error = &answer.json()["evaluations"][3]["context"]["error"];
    assert_eq!(*error, json!({"status": 400, "message": "`resource` is missing"}));
}

#[test]
fn a_batch_stops_where_its_semantic_says() {
    #[track_caller]
    fn check(semantic: &str, expected: &[bool]) {
        let items: Vec<Value> = ["delete", "read", "delete", "read"].iter().map(|action| question("r", action, false)).collect();
        let answer = evaluate("/access/v1/evaluations", &json!({"evaluations": items, "options": {"evaluations_semantic": semantic}}));
        let decisions: Vec<_> =
            answer.json()["evaluations"].as_array().expect("a list").iter().map(|one| one["decision"] == true).collect();
        assert_eq!(decisions, expected, "{semantic}");
    }
    check("execute_all", &[false, true, false, true]);
    check("deny_on_first_deny", &[false]);
    check("permit_on_first_permit", &[false, true]);
}

#[test]
fn a_batch_of_nothing_is_a_single_question() {
    let single = evaluate("/access/v1/evaluation", &question("r", "read", false)).body;
    for nothing in [Value::Null, json!([])] {
        let mut body = question("r", "read", false);
        body["evaluations"] = nothing;
        assert_eq!(evaluate("/access/v1/evaluations", &body).body, single);
    }
    assert_eq!(evaluate("/access/v1/evaluations", &question("r", "read", false)).body, single);
}

/// A mebibyte of empty questions was answered with fifty times as much.
#[test]
fn a_batch_holds_a_bounded_number_of_questions() {
    let batch = |count: usize| evaluate("/access/v1/evaluations", &json!({"evaluations": vec![json!({}); count]})).status;
    assert_eq!((batch(20_000), batch(20_001)), (200, 413));
}

/// A large question kept the thread busy that answers all the others.
#[test]
fn a_large_question_is_answered_on_a_thread_of_its_own() {
    let threads = |padding: usize| {
        let started = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = Arc::clone(&started);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_start(move || {
                count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            })
            .build()
            .expect("a runtime");
        let mut body = question("r", "read", false);
        body["resource"]["properties"]["text"] = json!("x".repeat(padding));
        let request =
            Request::post("/access/v1/evaluation").header("authorization", "Bearer decide").header("content-type", "application/json");
        let request = request.body(Body::from(body.to_string())).expect("a request");
        let response = runtime.block_on(app(memory(BOOK)).oneshot(request)).expect("infallible");
        assert_eq!(response.status(), 200);
        drop(runtime);
        started.load(std::sync::atomic::Ordering::SeqCst)
    };
    assert_eq!(threads(100), 0);
    assert!(threads(100_000) > 0);
}

#[test]
fn a_batch_cannot_multiply_its_defaults_without_bound() {
    let properties: serde_json::Map<String, Value> = (0..20_000).map(|number| (format!("p{number}"), json!(1))).collect();
    let items = vec![json!({}); 10_000];
    let body = json!({"subject": {"type": "user", "id": "a", "properties": properties}, "evaluations": items});
    assert_eq!(evaluate("/access/v1/evaluations", &body).status, 413);
}
