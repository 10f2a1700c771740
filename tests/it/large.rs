//! Ten thousand policies and ten thousand requests, with decisions that an independent oracle expects.
//!
//! The oracle is `tests/oracle/gen.py`; it shares no code and no language with the program.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use lawbook::decision::Index;
use lawbook::decision::Request;
use lawbook::decision::decide;
use lawbook::workspace::Origin;
use lawbook::workspace::Workspace;
use serde_json::Value;

use crate::running::Server;
use crate::running::skipped;

const POLICIES: &str = "10000";

struct Large {
    _folder: tempfile::TempDir,
    book: PathBuf,
    requests: Vec<String>,
    expected: Vec<bool>,
}

/// Makes the law book; `None`, with a word on standard error, where there is no Python.
fn large() -> Option<Large> {
    let folder = tempfile::tempdir().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/gen.py");
    let made = Command::new("python3").arg(script).args([POLICIES, "--out"]).arg(folder.path()).stderr(Stdio::null()).status();
    if !made.is_ok_and(|status| status.success()) {
        skipped("the large law book needs python3 (apt-get install python3)");
        return None;
    }
    let book = folder.path().join(POLICIES);
    let lines = |name: &str| fs::read_to_string(book.join(name)).expect(name).lines().map(str::to_owned).collect::<Vec<_>>();
    let requests = lines("requests.jsonl");
    let expected = lines("expected.txt").iter().map(|line| line == "1").collect();
    Some(Large { _folder: folder, requests, expected, book })
}

#[track_caller]
fn agree(found: impl IntoIterator<Item = bool>, large: &Large) {
    let found: Vec<bool> = found.into_iter().collect();
    assert_eq!(found.len(), large.expected.len(), "every request is answered");
    let wrong: Vec<usize> = found.iter().zip(&large.expected).enumerate().filter(|(_, (one, two))| one != two).map(|(at, _)| at).collect();
    assert!(wrong.is_empty(), "{} decisions differ from the oracle, first {:?}", wrong.len(), wrong.first().map(|&at| &large.requests[at]));
}

#[test]
fn every_decision_on_a_large_law_book_is_as_the_oracle_expects() {
    let Some(large) = large() else { return };
    let workspace = Workspace::open(&large.book, &Origin::Worktree).expect("loads");
    let set = workspace.compile().expect("compiles");
    let index = Index::new(set.clone());
    let requests: Vec<Request> =
        large.requests.iter().map(|line| Request::from_authzen(&serde_json::from_str(line).expect("JSON")).expect("a request")).collect();
    agree(requests.iter().map(|request| index.decide(request).allowed), &large);
    for request in requests.iter().step_by(25) {
        assert_eq!(index.decide(request), decide(set.statements(), request));
    }
    let entries = workspace.contents(|_| None).to_entries("test").expect("entries");
    let (_, opened) = lawbook::bundle::contents::Contents::from_entries(&entries).expect("opens");
    agree(requests.iter().map(|request| opened.decide(request).allowed), &large);
}

#[test]
fn the_command_answers_as_the_oracle_expects() {
    let Some(large) = large() else { return };
    let output = Command::new(env!("CARGO_BIN_EXE_lawbook"))
        .arg("decide")
        .arg(&large.book)
        .arg("--requests")
        .arg(large.book.join("requests.jsonl"))
        .output()
        .expect("lawbook runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let decision = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["decision"].as_bool().expect("a decision");
    agree(text.lines().map(decision), &large);
}

#[test]
fn the_server_answers_as_the_oracle_expects() {
    let Some(large) = large() else { return };
    let server = Server::start(&[large.book.to_str().expect("UTF-8")]);
    let chunks: Vec<Value> = large
        .requests
        .chunks(250)
        .map(|chunk| {
            let evaluations: Vec<Value> = chunk.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            server.post("/access/v1/evaluations", &serde_json::json!({"evaluations": evaluations}))
        })
        .collect();
    let answers = chunks.iter().flat_map(|answer| answer["evaluations"].as_array().expect("evaluations"));
    agree(answers.map(|answer| answer["decision"].as_bool().expect("a decision")), &large);
    for at in (0..large.requests.len()).step_by(20) {
        let answer = server.post("/access/v1/evaluation", &serde_json::from_str(&large.requests[at]).expect("JSON"));
        assert_eq!(answer["decision"].as_bool(), Some(large.expected[at]), "{}", large.requests[at]);
    }
}
