//! Controls are created, read, replaced and deleted, and git shows what people would have written.

use std::io::Read;
use std::io::Write;
use std::net::TcpStream;

use serde_json::Value;
use serde_json::json;

use super::live::Answer;
use super::live::Live;
use super::live::PATIENCE;
use crate::repository::Repository;

const MFA: &str = "# who must have a second factor\nid: pol-mfa-required # the id\nname: \"MFA Required\"\ntype: access\nrules:   # in prose\n  # first\n  - 'Require MFA for login'\n  - TOTP as fallback # for now\nenabled: true\ncreated_at: \"2026-03-01T10:00:00.000Z\"\n";
const ACCESS: &str = "_id: ReadReports\nservice: report\nactions: [read]\nmembers: ['*']\n";

fn book() -> Repository {
    let repository = Repository::new();
    repository.write("policies/mfa.yaml", format!("{MFA}---\n{ACCESS}")).commit("start");
    repository
}

fn send(live: &Live, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
    live.send_with(method, &format!("/api/policies{path}"), &live.token, headers, body)
}

fn one(live: &Live) -> Answer {
    live.get("/api/policies/pol-mfa-required")
}

/// The last commit as a person sees it: its subject, and the lines that it took and brought.
#[track_caller]
fn last_change(repository: &Repository) -> String {
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
    repository.git(&["fsck", "--strict"]);
    let shown = repository.git(&["show", "--format=%s", "--unified=0", "HEAD"]);
    let is_content = |line: &&str| line.starts_with(['+', '-', '@']) && !line.starts_with("+++") || line.starts_with("--- a/");
    let subject = shown.lines().next().unwrap_or_default();
    let lines = shown.lines().skip(1).filter(is_content).filter(|line| !line.starts_with("@@"));
    std::iter::once(subject).chain(lines).collect::<Vec<_>>().join("\n")
}

fn commits(repository: &Repository) -> usize {
    repository.git(&["rev-list", "--count", "HEAD"]).parse().expect("a number")
}

#[test]
fn a_control_is_replaced_and_only_the_changed_values_are() {
    let repository = book();
    let live = Live::worktree(&repository.path());
    let mut wanted = one(&live).body;
    wanted["rules"] = json!(["Require MFA for login", "WebAuthn: preferred", "TOTP as last resort"]);
    wanted["name"] = json!("MFA is \"required\"");
    let answer =
        send(&live, "PUT", "/pol-mfa-required", &[("lawbook-reason", "audit\nfinding é".replace('\n', " ").as_str())], Some(&wanted));
    assert_eq!((answer.status, &answer.body), (200, &wanted));
    assert_eq!(answer.commit, repository.git(&["rev-parse", "HEAD"]), "the answer is of the commit that it made");
    assert_eq!(
        last_change(&repository),
        "Update pol-mfa-required\n--- a/policies/mfa.yaml\n-name: \"MFA Required\"\n+name: \"MFA is \\\"required\\\"\"\n-  - TOTP as fallback # for now\n+  - \"WebAuthn: preferred\" # for now\n+  - TOTP as last resort"
    );
    let message = repository.git(&["log", "-1", "--format=%an <%ae>%n%(trailers:key=Lawbook-Reason)"]);
    assert_eq!(message, "Ada <ada@example.com>\nLawbook-Reason: audit finding é");
    let again = one(&live);
    assert_eq!((again.tag(), &again.body), (answer.tag(), &wanted));

    // What is wanted already is no commit.
    let before = commits(&repository);
    assert_eq!(send(&live, "PUT", "/pol-mfa-required", &[], Some(&wanted)).status, 200);
    assert_eq!(commits(&repository), before);

    // What the body leaves out is what the documented model has then, and what the wire does not show stays.
    let enforced = json!({"name": "MFA", "type": "access", "rules": ["a"], "require": "{context.mfa} = 'totp'", "service": "report"});
    assert_eq!(send(&live, "PUT", "/pol-mfa-required", &[], Some(&enforced)).status, 200);
    let plain = json!({"id": "pol-mfa-required", "name": "MFA", "type": "access", "enabled": false});
    let answer = send(&live, "PUT", "/pol-mfa-required", &[], Some(&plain));
    assert_eq!(
        answer.text,
        r#"{"id":"pol-mfa-required","name":"MFA","description":"","type":"access","rules":[],"enabled":false,"created_at":"2026-03-01T10:00:00.000Z"}"#
    );
    assert_eq!(
        repository.read("policies/mfa.yaml"),
        format!(
            "# who must have a second factor\nid: pol-mfa-required # the id\nname: \"MFA\"\ntype: access\nenabled: false\ncreated_at: \"2026-03-01T10:00:00.000Z\"\nservice: report\nrequire: \"{{context.mfa}} = 'totp'\"\n---\n{ACCESS}"
        )
    );
}

#[test]
fn every_layout_shows_only_what_changed() {
    let base = "id: a\r\nname: &n 'A'\r\ndescription: *n\r\ntype: network\r\nrules: [ \"one\",two ]\t# l\r\nenabled: true\r\n";
    let repository = Repository::new();
    repository.write("policies/a.yaml", format!("{ACCESS}---\r\n{base}")).commit("start");
    let live = Live::reference(&repository.path());
    let put = |body: &Value| send(&live, "PUT", "/a", &[], Some(body));
    let mut wanted = live.get("/api/policies/a").body;
    wanted["name"] = json!("yes");
    wanted["rules"] = json!(["one", "two", "three, four"]);
    assert_eq!(put(&wanted).status, 200);
    assert_eq!(
        repository.git(&["show", "HEAD:policies/a.yaml"]),
        format!("{ACCESS}---\r\n{}", base.replace("'A'", "'yes'").replace("*n", "'A'").replace("two ]", "two, \"three, four\" ]"))
            .trim_end()
    );
}

#[test]
fn a_control_is_created_in_a_file_of_its_own() {
    let repository = book();
    let live = Live::worktree(&repository.path());
    let answer = send(
        &live,
        "POST",
        "",
        &[],
        Some(&json!({"name": "IP allow-list", "type": "network", "rules": ["yes: only 10.0.0.0/8"], "metadata": {"owner": "net"}})),
    );
    assert_eq!((answer.status, answer.header("location")), (201, Some("/api/policies/pol-ip-allow-list")), "{}", answer.text);
    let created = answer.body["created_at"].as_str().expect("a time").to_owned();
    assert_eq!(
        answer.text,
        format!(
            r#"{{"id":"pol-ip-allow-list","name":"IP allow-list","description":"","type":"network","rules":["yes: only 10.0.0.0/8"],"enabled":true,"created_at":"{created}"}}"#
        )
    );
    assert_eq!(
        repository.read("policies/pol-ip-allow-list.yaml"),
        format!(
            "id: pol-ip-allow-list\nname: IP allow-list\ndescription: \"\"\ntype: network\nrules:\n  - \"yes: only 10.0.0.0/8\"\nenabled: true\ncreated_at: \"{created}\"\nmetadata:\n  owner: net\n"
        )
    );
    assert!(last_change(&repository).starts_with("Create pol-ip-allow-list\n"));
    let read = live.get("/api/policies/pol-ip-allow-list");
    assert_eq!((read.tag(), &read.text), (answer.tag(), &answer.text));
    assert_eq!(live.get("/api/policies").body[1], answer.body);

    let odd = send(
        &live,
        "POST",
        "",
        &[],
        Some(&json!({"id": "ü ../x".replace('/', "\\"), "name": "N", "type": "session", "created_at": "2020-01-01T00:00:00+02:00"})),
    );
    assert_eq!((odd.status, odd.header("location")), (201, Some("/api/policies/%C3%BC%20..%5Cx")), "{}", odd.text);
    assert_eq!(odd.body["created_at"], "2019-12-31T22:00:00.000Z");
    assert!(repository.read("policies/%C3%BC%20..%5Cx.yaml").starts_with("id: ü ..\\x\n"));
    assert_eq!(live.get("/api/policies/%C3%BC%20..%5Cx").text, odd.text);
}

#[test]
fn an_id_that_is_taken_is_refused() {
    let repository = book();
    repository.write("policies/pol-a.yaml", MFA.replace("pol-mfa-required", "pol-b")).commit("odd name");
    let live = Live::worktree(&repository.path());
    for (body, words) in [
        (json!({"id": "pol-mfa-required", "name": "A", "type": "access"}), "there is a policy `pol-mfa-required` already"),
        (json!({"name": "mfa - required", "type": "access"}), "there is a policy `pol-mfa-required` already"),
        (json!({"id": "POL-mfa-required", "name": "A", "type": "access"}), "there is a policy `pol-mfa-required` already"),
        (json!({"id": "ReadReports", "name": "A", "type": "access"}), "there is a policy `ReadReports` already"),
        (json!({"id": "pol-a", "name": "A", "type": "access"}), "`policies/pol-a.yaml` exists already"),
        (json!({"id": "漢".repeat(100), "name": "A", "type": "access"}), "cannot be the path"),
    ] {
        let answer = send(&live, "POST", "", &[], Some(&body));
        assert_eq!(answer.status, 409, "{body}: {}", answer.text);
        assert!(answer.body["detail"].as_str().is_some_and(|detail| detail.contains(words)), "{}", answer.text);
    }
    repository
        .write("lawbook.toml", "files = [\"policies/*.yaml\", \"more/x-*.yaml\"]\n[server]\nnew-file = \"more/{id}.yaml\"\n")
        .commit("elsewhere");
    let body = json!({"id": "y", "name": "A", "type": "access"});
    let answer = send(&live, "POST", "", &[], Some(&body));
    assert!(answer.status == 409, "{}", answer.text);
    assert_eq!(commits(&repository), 3);
}

#[test]
fn a_control_is_deleted_with_its_file_if_it_was_alone_in_it() {
    let repository = book();
    repository.write("policies/b.yaml", "id: b\nname: B\ntype: access\n").write("lawbook.toml", "critical = [\"b\"]\n").commit("more");
    let live = Live::worktree(&repository.path());
    let answer = send(&live, "DELETE", "/b", &[], None);
    assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"message":"Policy deleted"}"#));
    assert_eq!(answer.header("lawbook-warning"), Some("critical-control-disabled"));
    assert_eq!(last_change(&repository), "Delete b\n--- a/policies/b.yaml\n-id: b\n-name: B\n-type: access");
    assert!(!repository.path().join("policies/b.yaml").exists());
    for method in ["GET", "DELETE"] {
        assert_eq!(send(&live, method, "/b", &[], None).body, json!({"detail": "Policy not found"}));
    }
    assert_eq!(send(&live, "DELETE", "/pol-mfa-required", &[], None).status, 200);
    assert_eq!(repository.read("policies/mfa.yaml"), ACCESS);
    let logs = live.get("/api/audit-logs").body;
    assert_eq!((&logs[0]["action"], &logs[0]["resource"]), (&json!("delete_policy"), &json!("policy:pol-mfa-required")));
}

#[test]
fn the_first_write_of_any_kind_makes_the_default_controls() {
    let start = || {
        let repository = Repository::new();
        repository.write("policies/a.yaml", ACCESS).commit("start");
        repository
    };
    let files = |repository: &Repository| {
        repository.git(&["show", "--name-only", "--format=", "HEAD"]).replace("policies/", "").replace(".yaml", "")
    };

    let repository = start();
    let live = Live::worktree(&repository.path());
    let mut wanted = live.get("/api/policies/pol-session-recording").body;
    wanted["rules"] = json!(["Record screen activity"]);
    let answer = send(&live, "PUT", "/pol-session-recording", &[], Some(&wanted));
    assert_eq!((answer.status, &answer.body), (200, &wanted), "{}", answer.text);
    assert_eq!(files(&repository), "pol-mfa-required\npol-network-zero-trust\npol-session-recording");
    assert_eq!(live.get("/api/policies").body[2], wanted);
    drop(live);

    let repository = start();
    let live = Live::reference(&repository.path());
    assert_eq!(send(&live, "DELETE", "/pol-network-zero-trust", &[], None).body, json!({"message": "Policy deleted"}));
    assert_eq!(files(&repository), "pol-mfa-required\npol-session-recording");
    assert_eq!(live.get("/api/policies").body.as_array().map(Vec::len), Some(2));
    drop(live);

    let repository = start();
    let live = Live::worktree(&repository.path());
    let taken = send(&live, "POST", "", &[], Some(&json!({"name": "MFA Required", "type": "access"})));
    assert_eq!(taken.status, 409, "{}", taken.text);
    assert_eq!(send(&live, "POST", "", &[], Some(&json!({"name": "New", "type": "access"}))).status, 201);
    assert_eq!(files(&repository), "pol-mfa-required\npol-network-zero-trust\npol-new\npol-session-recording");
    assert_eq!(live.get("/api/policies").body.as_array().map(Vec::len), Some(4));
}

#[test]
fn of_two_updates_of_one_reading_one_is_refused() {
    let repository = book();
    let live = Live::worktree(&repository.path());
    let tag = one(&live).tag().to_owned();
    let put = |name: &str| {
        let body = json!({"name": name, "type": "access"});
        send(&live, "PUT", "/pol-mfa-required", &[("if-match", &tag)], Some(&body))
    };
    let mut statuses = std::thread::scope(|scope| {
        let racers = ["one", "two"].map(|name| scope.spawn(move || put(name).status));
        racers.map(|racer| racer.join().expect("no panic"))
    });
    statuses.sort();
    assert_eq!(statuses, [200, 412]);
    assert_eq!(commits(&repository), 2);
    let late = send(&live, "DELETE", "/pol-mfa-required", &[("if-match", &tag)], None);
    assert_eq!(
        (late.status, late.body),
        (412, json!({"detail": "the policy is not what `If-Match` names; read it again, and send its new `ETag`"}))
    );
    // Also when only what the wire does not show has changed.
    let seen = one(&live).tag().to_owned();
    let hidden = json!({"name": "one", "type": "access", "require": "a = 1"});
    let put = |body: &Value| send(&live, "PUT", "/pol-mfa-required", &[("if-match", &seen)], Some(body)).status;
    assert_eq!((put(&hidden), put(&hidden)), (200, 412));
    assert_eq!(send(&live, "DELETE", "/pol-mfa-required", &[("if-match", one(&live).tag())], None).status, 200);
}

#[test]
fn whoever_toggles_gets_the_tag_to_go_on_with() {
    let repository = book();
    let live = Live::worktree(&repository.path());
    let toggled = send(&live, "PATCH", "/pol-mfa-required", &[], None);
    assert_eq!((toggled.status, toggled.tag()), (200, one(&live).tag()));
    assert_eq!(send(&live, "PATCH", "/pol-mfa-required", &[("if-match", toggled.tag())], None).status, 200);
}

#[test]
fn conditions_are_those_of_the_standard() {
    let repository = book();
    let live = Live::worktree(&repository.path());
    let body = json!({"name": "N", "type": "access"});
    let status = |method: &str, path: &str, header: (&str, &str)| send(&live, method, path, &[header], Some(&body)).status;
    let list = live.get("/api/policies").tag().to_owned();
    assert_eq!(status("PUT", "/pol-mfa-required", ("if-none-match", "*")), 412);
    assert_eq!(status("PUT", "/unknown", ("if-none-match", "*")), 404);
    assert_eq!(status("PUT", "/unknown", ("if-match", "*")), 404);
    assert_eq!(status("DELETE", "/pol-mfa-required", ("if-match", "\"other\"")), 412);
    assert_eq!(status("POST", "", ("if-none-match", "*")), 412);
    assert_eq!(status("POST", "", ("if-match", "\"other\"")), 412);
    assert_eq!(commits(&repository), 1);
    assert_eq!(status("POST", "", ("if-match", &list)), 201);
    assert_eq!(status("PUT", "/pol-mfa-required", ("if-match", "*")), 200);
    assert_eq!(status("PUT", "/pol-mfa-required", ("if-none-match", "\"other\"")), 200);
}

#[test]
fn a_body_that_is_no_control_is_refused_field_by_field() {
    let repository = book();
    let live = Live::worktree(&repository.path());
    let check = |method: &str, path: &str, body: &Value, expected: &Value| {
        let answer = send(&live, method, path, &[], Some(body));
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert!(answer.text.starts_with(r#"{"detail":[{"type":""#), "{}", answer.text);
        let told: Vec<Value> =
            answer.body["detail"].as_array().expect("a list").iter().map(|one| json!([one["type"], one["loc"]])).collect();
        assert_eq!(Value::from(told), *expected, "{}", answer.text);
    };
    check(
        "POST",
        "",
        &json!({"name": "N", "type": "other", "enbled": true}),
        &json!([["extra_forbidden", ["body", "enbled"]], ["literal_error", ["body", "type"]]]),
    );
    check("POST", "", &json!({"name": "漢", "type": "access"}), &json!([["missing", ["body", "id"]]]));
    check(
        "POST",
        "",
        &json!({"_id": "x"}),
        &json!([
            ["missing", ["body", "id"]],
            ["missing", ["body", "name"]],
            ["missing", ["body", "type"]],
            ["extra_forbidden", ["body", "_id"]]
        ]),
    );
    check("POST", "", &json!([]), &json!([["model_attributes_type", ["body"]]]));
    check(
        "POST",
        "",
        &json!({"name": "N", "type": "access", "require": "a = 1 or b = 2 and c = 3"}),
        &json!([["condition-syntax", ["body", "require"]]]),
    );
    check("PUT", "/pol-mfa-required", &json!({"id": "other", "name": "N", "type": "access"}), &json!([["value_error", ["body", "id"]]]));
    check(
        "PUT",
        "/pol-mfa-required",
        &json!({"created_at": "2020-01-01T00:00:00Z", "name": "N", "type": "access"}),
        &json!([["value_error", ["body", "created_at"]]]),
    );
    check("PUT", "/pol-mfa-required", &json!({"name": "N"}), &json!([["missing", ["body", "type"]]]));

    let raw = |text: &'static str| {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.post(format!("http://{}/api/policies", live.address)).header("authorization", format!("Bearer {}", live.token));
        let mut answer = request.send(text).expect("an answer");
        (answer.status().as_u16(), serde_json::from_str::<Value>(&answer.body_mut().read_to_string().expect("text")).expect("JSON"))
    };
    for (text, kind) in [("", "missing"), ("{", "json_invalid"), (r#"{"name":"a","name":"b","type":"access"}"#, "json_invalid")] {
        let (status, body) = raw(text);
        assert_eq!((status, &body["detail"][0]["type"]), (422, &json!(kind)), "{body}");
    }
    assert_eq!(commits(&repository), 1);
}

#[test]
fn findings_come_back_with_the_change() {
    let repository = book();
    let live = Live::worktree(&repository.path());
    let unmet = json!({"name": "N", "type": "access", "description": "d", "require": "a = 1 and a = 2"});
    let answer = send(&live, "POST", "", &[], Some(&unmet));
    assert_eq!(answer.status, 201, "{}", answer.text);
    let told = answer.header("lawbook-findings").expect("findings");
    assert!(told.contains("never-satisfied-control;severity="), "{told}");
    let fine = json!({"name": "N", "type": "access", "description": "d", "require": null});
    let answer = send(&live, "PUT", "/pol-n", &[], Some(&fine));
    assert_eq!((answer.status, answer.header("lawbook-findings")), (200, None), "{}", answer.text);
}

/// A list where none is declared has no meaning, which only the whole law book tells.
#[test]
fn a_finding_that_leaves_the_meaning_unknown_is_refused() {
    let repository = book();
    repository.write("lawbook.toml", "[attributes]\ntags = \"list\"\nmore = \"list\"\n").commit("lists");
    let live = Live::worktree(&repository.path());
    let answer = send(&live, "POST", "", &[], Some(&json!({"name": "N", "type": "access", "require": "tags = more"})));
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert!(answer.body["detail"][0]["msg"].as_str().is_some_and(|message| message.contains("list")), "{}", answer.text);
    assert_eq!(commits(&repository), 2);
}

#[test]
fn work_in_progress_is_not_overwritten_nor_answered_as_done() {
    let repository = book();
    let live = Live::worktree(&repository.path());
    let committed = one(&live).body;
    repository.write("policies/mfa.yaml", format!("{}---\n{ACCESS}", MFA.replace("TOTP as fallback", "no TOTP")));
    live.wait("the edit is served", |live| one(live).body["rules"][1] == "no TOTP");
    for body in [json!({"name": "N", "type": "access"}), committed] {
        let answer = send(&live, "PUT", "/pol-mfa-required", &[], Some(&body));
        assert_eq!(answer.status, 409, "{}", answer.text);
    }
    assert_eq!(send(&live, "DELETE", "/pol-mfa-required", &[], None).status, 409);
    assert_eq!(commits(&repository), 1);
}

/// What is answered to a request of which only the head is sent, up to where the connection says whether it goes on.
fn head_of(live: &Live, request: &str) -> String {
    let mut stream = TcpStream::connect(live.address).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    write!(stream, "{request}\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", live.token).expect("sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        head.extend(byte);
    }
    String::from_utf8(head).expect("text").to_ascii_lowercase()
}

/// The next request on such a connection was once lost, and its client told nothing but that nobody is there.
#[test]
fn who_is_refused_before_the_body_is_read_is_told_that_the_connection_ends() {
    let repository = book();
    let live = Live::worktree(&repository.path());
    let early = head_of(&live, "PUT /api/policies/none HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 9");
    assert!(early.starts_with("http/1.1 404") && early.contains("\r\nconnection: close\r\n"), "{early}");
    for request in ["DELETE /api/policies/none HTTP/1.1", "GET /api/policies HTTP/1.1"] {
        let whole = head_of(&live, request);
        assert!(!whole.contains("connection: close"), "{whole}");
    }
    let answered = send(&live, "PUT", "/pol-mfa-required", &[], Some(&json!({"name": "Second factor", "type": "access"})));
    assert_eq!((answered.status, answered.header("connection")), (200, None), "the body was read");
    for turn in 0..50 {
        let refused = send(&live, "PUT", "/none", &[], Some(&json!({"name": "x".repeat(turn), "type": "access"})));
        assert_eq!((refused.status, send(&live, "PATCH", "/none", &[], None).status), (404, 404));
    }
}
