//! The templates over HTTP.

use lawbook::server::Kind;
use lawbook::template::TEMPLATES;
use lawbook::template::control;
use lawbook::template::instantiate;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::router::MFA;
use super::router::ask;
use super::router::memory;
use super::router::server;

const NETWORKS: &str = concat!(
    r#"{"name":"network-allow-list","title":"Network allow-list","description":"requests have to come from networks that are known","kind":"control","parameters":["#,
    r#"{"name":"networks","description":"the networks, in CIDR notation","type":"networks","list":true,"required":true,"default":null,"example":["10.0.0.0/8","2001:db8::/32"]},"#,
    r#"{"name":"fact","description":"the fact that holds the address","type":"fact","list":false,"required":false,"default":"{context.ip}","example":"{context.ip}"},"#,
    r#"{"name":"service","description":"the service that it is narrowed to","type":"service","list":false,"required":false,"default":null,"example":"payroll"},"#,
    r#"{"name":"members","description":"whom it is narrowed to","type":"members","list":true,"required":false,"default":null,"example":["contractors"]},"#,
    r#"{"name":"except","description":"whom it does not bind","type":"exceptions","list":true,"required":false,"default":null,"example":["service:backup"]}],"#,
    r#""policies":["#
);

#[test]
fn templates_are_listed_with_what_they_ask_for_and_make() {
    let answer = ask(&memory(&[("policies/b.yaml", MFA)]), "GET", "/api/policy-templates", "viewer");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert!(answer.body.contains(NETWORKS), "{}", answer.body);
    let listed = answer.json();
    let names: Vec<&str> = listed.as_array().expect("a list").iter().map(|entry| entry["name"].as_str().expect("a name")).collect();
    assert_eq!(names, TEMPLATES.iter().map(|template| template.name).collect::<Vec<_>>());
    assert_eq!(listed[6]["policies"][0]["require"], "{context.ip} in cidr (<networks>)");
    assert_eq!(listed[7]["policies"][0]["require"], "{context.session_minutes} <= 480 and {context.idle_minutes} <= 15");
    assert_eq!(listed[7]["parameters"][0]["default"], 480);
}

/// What the listing says is enough to make a policy of every template.
#[test]
fn every_template_can_be_made_of_what_is_listed() {
    let listed = ask(&memory(&[("policies/b.yaml", MFA)]), "GET", "/api/policy-templates", "viewer").json();
    for entry in listed.as_array().expect("a list") {
        let name = entry["name"].as_str().expect("a name");
        let required = entry["parameters"].as_array().expect("a list").iter().filter(|parameter| parameter["required"] == true);
        let given: Map<String, Value> =
            required.map(|parameter| (parameter["name"].as_str().expect("a name").to_owned(), parameter["example"].clone())).collect();
        assert!(instantiate(name, Some("A"), &given).is_ok(), "{name}");
        let made = control(name, &json!({"id": "A", "parameters": given}));
        assert_eq!(made.is_ok(), entry["kind"] == "control", "{name}: {made:?}");
    }
}

#[track_caller]
fn check(method: &str, path: &str, token: &str, status: u16, body: &str) {
    let answer = ask(&memory(&[("policies/b.yaml", MFA)]), method, path, token);
    assert_eq!((answer.status, answer.body.as_str()), (status, body), "{method} {path} as `{token}`");
}

#[test]
fn templates_are_for_whoever_reads_policies() {
    check("GET", "/api/policy-templates", "", 401, r#"{"detail":"Not authenticated"}"#);
    check("GET", "/api/policy-templates", "wrong", 401, r#"{"detail":"Invalid token"}"#);
    check("GET", "/api/policy-templates", "decide", 403, r#"{"detail":"this token may only ask for decisions"}"#);
    check("POST", "/api/policy-templates", "admin", 405, r#"{"detail":"Method Not Allowed"}"#);
    check("GET", "/api/policy-templates/", "viewer", 307, "");
    for role in ["editor", "admin"] {
        assert_eq!(ask(&memory(&[]), "GET", "/api/policy-templates", role).status, 200, "{role}");
    }
    assert_eq!(
        ask(&server(Kind::Folder("law".into()), None), "GET", "/api/policy-templates", "viewer").status,
        200,
        "before anything is served"
    );
}
