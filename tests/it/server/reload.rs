//! Changes that are seen, one swap each, and changes that must not be served.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use lawbook::server::ServeError;
use lawbook::server::Source;
use lawbook::server::TokenDigest;
use lawbook::server::serve;
use serde_json::json;

use super::live::Live;
use super::live::decisions;
use super::live::options;
use super::live::policy;
use super::live::question;
use crate::repository::Repository;

/// A grant for each service, and a server that has not seen a change yet.
fn book(services: &[&str]) -> Repository {
    let repository = Repository::new();
    for service in services {
        repository.write(&format!("policies/{service}.yaml"), policy(service, service, false));
    }
    repository.commit("start");
    repository
}

#[test]
fn a_saved_file_is_served_and_a_broken_one_is_not() {
    let repository = book(&["a"]);
    let live = Live::worktree(&repository.path());
    assert!(live.allows("a"));
    assert_eq!(live.get("/health/current").status, 200);

    repository.write("policies/a.yaml", "_id: a\nservice: [\n");
    live.wait("it is behind", |live| live.get("/health/current").status == 503);
    assert!(live.allows("a"), "the last good one stays");
    let ready = live.get("/health/ready");
    assert_eq!((ready.status, ready.body["status"].clone()), (200, json!("behind")));
    let status = live.get("/status").body;
    assert_eq!(status["behind"]["findings"][0]["path"], "policies/a.yaml");
    assert!(status["behind"]["error"].as_str().is_some_and(|error| error.contains("policies/a.yaml")));

    repository.write("policies/a.yaml", policy("a", "a", true));
    live.wait("it is denied", |live| !live.allows("a"));
    live.wait("it is current", |live| live.get("/health/current").status == 200);
    assert!(live.get("/metrics").body.as_str().is_some_and(|text| text.contains("lawbook_reloads_total{outcome=\"broken\"} 1")));
}

#[test]
fn files_are_seen_in_new_directories_and_after_the_root_was_made_again() {
    let repository = book(&["a"]);
    let live = Live::worktree(&repository.path());
    repository.write("policies/deep/er/b.yaml", policy("b", "b", false));
    live.wait("a new directory is seen", |live| live.allows("b"));
    repository.write("policies/deep/er/b.yaml", policy("b", "b", true));
    live.wait("a change there is seen", |live| !live.allows("b"));

    let (root, aside) = (repository.path().join("policies"), repository.path().join("aside"));
    std::fs::rename(&root, &aside).expect("moved away");
    live.wait("nothing is left", |live| !live.allows("a"));
    repository.write("policies/a.yaml", policy("a", "a", false));
    live.wait("the new directory is seen", |live| live.allows("a"));
    repository.write("policies/a.yaml", policy("a", "a", true));
    live.wait("a change in it is seen", |live| !live.allows("a"));
}

#[test]
fn an_emergency_denial_is_served_within_a_second_whatever_else_is_found() {
    let services: Vec<String> = (0..20).map(|number| format!("s{number}")).collect();
    let repository = book(&services.iter().map(String::as_str).collect::<Vec<_>>());
    let everything = policy("Emergency", "'*'", true);
    for live in [Live::worktree(&repository.path()), Live::reference(&repository.path())] {
        assert!(live.allows("s7"));
    }
    let (saved, committed) = (Live::worktree(&repository.path()), Live::reference(&repository.path()));
    repository.write("policies/emergency.yaml", &everything);
    let took = saved.wait("the saved denial is served", |live| !live.allows("s7"));
    assert!(took < Duration::from_secs(1), "it took {took:?}");
    assert!(committed.allows("s7"));
    repository.commit("emergency");
    let took = committed.wait("the committed denial is served", |live| !live.allows("s7"));
    assert!(took < Duration::from_secs(1), "it took {took:?}");
    for live in [saved, committed] {
        assert_eq!(live.get("/health/current").status, 200);
        assert!(live.get("/status").body["findings"].as_array().is_some_and(|findings| !findings.is_empty()));
    }
}

/// A store that waits for the edits to end would show none of these: they never stop for longer than a second.
/// No decision reads the directory, so it must not delay one.
#[test]
fn a_broken_directory_is_told_and_keeps_nothing_from_being_served() {
    let repository = book(&["a"]);
    repository.write("directory.yaml", "users: [").commit("break the directory");
    for live in [Live::worktree(&repository.path()), Live::reference(&repository.path())] {
        let findings = live.get("/status").body["findings"].clone();
        let told =
            findings.as_array().expect("findings").iter().any(|one| one["rule"] == "invalid-directory" && one["path"] == "directory.yaml");
        assert!(told, "{findings}");
        assert_eq!((live.allows("a"), live.get("/health/current").status), (true, 200));
    }
    let live = Live::worktree(&repository.path());
    repository.write("policies/a.yaml", policy("a", "a", true)).write("directory.yaml", "user: 1");
    live.wait("it is denied", |live| !live.allows("a"));
}

#[test]
fn edits_every_second_for_thirty_seconds_are_each_seen() {
    let repository = book(&["a"]);
    let live = Live::worktree(&repository.path());
    for edit in 0..30 {
        let started = Instant::now();
        let denies = edit % 2 == 0;
        repository.write("policies/a.yaml", policy("a", "a", denies));
        let took = live.wait("the edit is served", |live| live.allows("a") != denies);
        assert!(took < Duration::from_secs(2), "edit {edit} took {took:?}");
        std::thread::sleep(Duration::from_secs(1).saturating_sub(started.elapsed()));
    }
}

/// While git held its lock, half of a checkout was served to whoever asked for a reload.
#[test]
fn half_of_a_checkout_is_not_served() {
    let repository = book(&["a", "z"]);
    let live = Live::worktree(&repository.path());
    let lock = repository.path().join(".git/index.lock");
    std::fs::write(&lock, "").expect("locked");
    repository.write("policies/a.yaml", policy("a", "a", true));
    live.wait("it is behind", |live| live.get("/health/current").status == 503);
    assert!(live.get("/status").body["behind"]["error"].as_str().is_some_and(|error| error.contains("index.lock")));
    assert!(live.allows("a"), "the last whole one stays");
    repository.write("policies/z.yaml", policy("z", "z", true));
    std::fs::remove_file(&lock).expect("unlocked");
    live.wait("the whole is served", |live| live.get("/health/current").status == 200);
    assert!(!live.allows("a") && !live.allows("z"));
}

/// A policy that git ignores counts once it is in the index, and nothing told that it came there.
#[test]
fn an_ignored_file_is_served_when_it_is_added() {
    let repository = book(&["a"]);
    repository.write(".gitignore", "policies/b.yaml\n").write("policies/b.yaml", policy("b", "b", false));
    let live = Live::worktree(&repository.path());
    assert!(live.allows("a") && !live.allows("b"));
    repository.git(&["add", "--force", "policies/b.yaml"]);
    live.wait("it is served", |live| live.allows("b"));
}

/// Three files: a commit denies in two and breaks the one between, in the order of their names. Served halves would revoke
/// one and forget the other; and what is repaired later must bring both.
#[test]
fn a_broken_commit_changes_nothing_and_its_repair_brings_everything() {
    let repository = book(&["a", "m", "z"]);
    let live = Live::reference(&repository.path());
    let all = |live: &Live| ["a", "m", "z"].map(|service| live.allows(service));
    assert_eq!(all(&live), [true, true, true]);
    let good = live.get("/api/policies").commit;

    repository.write("policies/a.yaml", policy("a", "a", true));
    repository.write("policies/m.yaml", "_id: m\n_id: m\n");
    repository.write("policies/z.yaml", policy("z", "z", true));
    let broken = repository.commit("revoke, and slip");
    live.wait("it is behind", |live| live.get("/health/current").status == 503);
    assert_eq!(all(&live), [true, true, true]);
    let status = live.get("/status");
    assert_eq!((status.commit, status.body["behind"]["commit"].as_str()), (good, Some(broken.as_str())));

    repository.write("policies/m.yaml", policy("m", "m", false));
    let repaired = repository.commit("repair");
    live.wait("the repair is served", |live| live.get("/health/current").status == 200);
    assert_eq!(all(&live), [false, true, false]);
    assert_eq!(live.get("/api/policies").commit, repaired);
}

/// Forty files that are flipped together: an answer of one revision is forty times the same, and a single answer is the one
/// that its commit gives.
#[test]
fn no_answer_mixes_two_revisions() {
    let services: Vec<String> = (0..40).map(|number| format!("s{number}")).collect();
    let repository = book(&services.iter().map(String::as_str).collect::<Vec<_>>());
    let live = Live::reference(&repository.path());
    let expected = Mutex::new(HashMap::from([(repository.git(&["rev-parse", "HEAD"]), true)]));
    let batch = json!({"evaluations": services.iter().map(|service| question(service)).collect::<Vec<_>>()});
    let stop = AtomicBool::new(false);
    let seen = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for client in 0..3 {
            let (live, batch, services, stop, seen) = (&live, &batch, &services, &stop, &seen);
            scope.spawn(move || {
                let mut round = client;
                while !stop.load(Ordering::Relaxed) {
                    let answer = live.post("/access/v1/evaluations", batch);
                    let all = decisions(&answer);
                    assert_eq!(all.len(), 40);
                    assert!(all.iter().all(|one| *one == all[0]), "mixed at {}: {all:?}", answer.commit);
                    round = (round + 7) % services.len();
                    let single = live.post("/access/v1/evaluation", &question(&services[round]));
                    let mut seen = seen.lock().expect("one at a time");
                    seen.push((answer.commit, all[0]));
                    seen.push((single.commit, single.body["decision"] == true));
                }
            });
        }
        for flip in 0..8 {
            let denies = flip % 2 == 0;
            for service in &services {
                repository.write(&format!("policies/{service}.yaml"), policy(service, service, denies));
            }
            let commit = repository.commit("flip");
            expected.lock().expect("one at a time").insert(commit.clone(), !denies);
            live.wait("the flip is served", |live| live.get("/health/live").commit == commit);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let (seen, expected) = (seen.into_inner().expect("done"), expected.into_inner().expect("done"));
    assert!(seen.len() > 40, "there was load: {}", seen.len());
    for (commit, allowed) in seen {
        assert_eq!(expected.get(&commit), Some(&allowed), "at {commit}");
    }
}

#[test]
fn a_bare_repository_is_served_and_so_is_a_forced_push() {
    let repository = book(&["a"]);
    let folder = tempfile::tempdir().expect("a folder");
    let bare = folder.path().join("law.git");
    repository.git(&["clone", "--quiet", "--bare", ".", bare.to_str().expect("text")]);
    let push =
        |arguments: &[&str]| repository.git(&[&["push", "--quiet"], arguments, &[bare.to_str().expect("text"), "HEAD:main"]].concat());
    let live = Live::reference(&bare);
    assert!(live.allows("a"));
    repository.write("policies/a.yaml", policy("a", "a", true));
    repository.git(&["commit", "--quiet", "--all", "--amend", "-m", "rewritten"]);
    push(&["--force"]);
    live.wait("the rewritten tip is served", |live| !live.allows("a"));
    assert!(live.get("/metrics").body.as_str().is_some_and(|text| text.contains("lawbook_history_rewrites_total 1")));
    repository.git(&["pack-refs", "--all"]);
    std::fs::write(bare.join("HEAD"), "ref: refs/heads/main\n").expect("written");
    repository.write("policies/a.yaml", policy("a", "a", false));
    repository.commit("again");
    push(&[]);
    live.wait("the next one is served", |live| live.allows("a"));
}

/// A tag called like the branch was read, and the branch was written: changes were never served.
#[test]
fn a_branch_is_served_whatever_tags_are_called() {
    let repository = book(&["a"]);
    let live = Live::reference(&repository.path());
    repository.git(&["tag", "main"]);
    repository.git(&["update-ref", "refs/main", "HEAD"]);
    repository.write("policies/a.yaml", policy("a", "a", true));
    repository.commit("deny");
    live.wait("the branch is served", |live| !live.allows("a"));
    drop(live);

    let source = |name: &str| Source::Ref { dir: repository.path(), name: name.to_owned() };
    let (options, _notices) = options(source("main"), None);
    let error = serve(options).expect_err("it is refused");
    assert!(error.to_string().contains("a branch and a tag"), "{error}");
    assert!(miette::Diagnostic::help(&error).is_some_and(|help| help.to_string().contains("refs/tags/main")));
    let live = Live::start(source("refs/tags/main"), None);
    assert!(live.allows("a"));
    let written = live.send("PATCH", "/api/policies/pol-mfa-required", &live.token, None);
    assert_eq!(written.status, 409, "a tag is not written to: {}", written.text);
    assert!(!Live::start(source("refs/heads/main"), None).allows("a"));
}

#[test]
fn a_folder_without_a_repository_is_served_read_only() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("policies")).expect("made");
    std::fs::write(folder.path().join("policies/a.yaml"), policy("a", "a", false)).expect("written");
    let live = Live::worktree(folder.path());
    assert!(live.allows("a"));
    assert_eq!(live.get("/api/audit-logs").body, json!([]));
    assert_eq!(live.send("PATCH", "/api/policies/pol-mfa-required", &live.token, None).status, 409);
    std::fs::write(folder.path().join("policies/a.yaml"), policy("a", "a", true)).expect("written");
    live.wait("the change is served", |live| !live.allows("a"));
}

#[test]
fn a_law_book_that_is_broken_from_the_start_is_served_once_it_is_repaired() {
    let repository = book(&["a"]);
    repository.write("policies/a.yaml", "_id: [\n");
    let live = Live::worktree(&repository.path());
    assert_eq!((live.get("/health/ready").status, live.get("/api/policies").status), (503, 503));
    assert_eq!(live.get("/status").body["behind"]["findings"][0]["path"], "policies/a.yaml");
    repository.write("policies/a.yaml", policy("a", "a", false));
    live.wait("it is served", |live| live.get("/health/ready").status == 200);
    assert!(live.allows("a"));
}

#[test]
fn a_request_may_wait_for_a_commit() {
    let repository = book(&["a"]);
    let live = Live::reference(&repository.path());
    let first = repository.git(&["rev-parse", "HEAD"]);
    repository.write("policies/a.yaml", policy("a", "a", true));
    let second = repository.commit("deny");
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(super::live::PATIENCE)).http_status_as_error(false).build().into();
    let at_least = |commit: &str| {
        let request = agent.get(format!("http://{}/api/policies", live.address)).header("authorization", format!("Bearer {}", live.token));
        let answer = request.header("lawbook-min-revision", commit).call().expect("an answer");
        (answer.status().as_u16(), answer.headers()["lawbook-commit"].to_str().expect("text").to_owned())
    };
    assert_eq!(at_least(&second), (200, second.clone()));
    assert_eq!(at_least(&first), (200, second.clone()), "an ancestor is in it");
    assert_eq!(at_least(&"0".repeat(40)), (503, second));
}

fn entry(token: &str) -> String {
    let digest = TokenDigest::of(token).to_hex();
    format!("[[token]]\nname = \"A\"\nemail = \"a@example.com\"\nrole = \"viewer\"\nsha256 = \"{digest}\"\n")
}

#[test]
fn tokens_come_and_go_with_their_file() {
    let repository = book(&["a"]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tokens.toml");
    std::fs::write(&file, entry("one")).expect("written");
    let live = Live::start(Source::Worktree(repository.path()), Some(file.clone()));
    let status = |token: &str| live.send("GET", "/api/policies", token, None).status;
    assert_eq!((status("one"), status("two")), (200, 401));
    std::fs::write(folder.path().join("next"), entry("two")).expect("written");
    std::fs::rename(folder.path().join("next"), &file).expect("swapped");
    live.wait("the new token is known", |_| status("two") == 200);
    assert_eq!(status("one"), 401);
    std::fs::write(&file, "[[token]]\ntoken = \"three\"\n").expect("written");
    let trouble = || live.send("GET", "/status", "two", None).body["tokens"].clone();
    live.wait("the broken file is told", |_| trouble().is_object());
    assert!(!trouble().to_string().contains("three"));
    assert_eq!(status("two"), 200, "the last good file stays in force");
}

#[test]
fn others_cannot_reach_a_server_without_a_token_file() {
    let repository = book(&["a"]);
    for address in ["0.0.0.0:0", "[::]:0"] {
        let (options, notices) = options(Source::Worktree(repository.path()), None);
        let error = serve(lawbook::server::Options { listen: address.to_owned(), ..options }).expect_err("it is refused");
        assert!(matches!(error, ServeError::Public { .. }), "{error}");
        assert!(notices.try_recv().is_err(), "no token is made for it");
    }
}

#[test]
fn a_server_that_stops_lets_a_request_come_to_its_end() {
    let repository = book(&["a"]);
    let live = Arc::new(Live::reference(&repository.path()));
    let mut slow = std::net::TcpStream::connect(live.address).expect("connected");
    let body = question("a").to_string();
    let head = format!(
        "POST /access/v1/evaluation HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        live.token,
        body.len()
    );
    use std::io::Read;
    use std::io::Write;
    slow.set_read_timeout(Some(super::live::PATIENCE)).expect("set");
    slow.write_all(head.as_bytes()).expect("sent");
    slow.write_all(&body.as_bytes()[..10]).expect("sent");
    // The request has begun for the server once its connection is one of those that a later answer comes after.
    live.wait("the server is there", |live| live.get("/health/live").status == 200);
    let address = live.address;
    let stopping = std::thread::spawn(move || Arc::into_inner(live).expect("the only one").stop());
    let started = std::time::Instant::now();
    while std::net::TcpStream::connect(address).is_ok() {
        assert!(started.elapsed() < super::live::PATIENCE, "it still accepts");
        std::thread::sleep(Duration::from_millis(5));
    }
    slow.write_all(&body.as_bytes()[10..]).expect("sent");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).expect("an answer, and the end");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"decision\":true"), "{answer}");
    stopping.join().expect("no panic").expect("it ends well");
}
