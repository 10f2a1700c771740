//! The server as a command: what it prints, and how it ends.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;
use std::time::Instant;

use super::live::PATIENCE;
use super::live::policy;
use crate::repository::Repository;

fn lawbook(repository: &Repository, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lawbook"));
    command.arg("serve").arg(repository.path()).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

#[test]
fn the_token_is_the_first_line_and_a_signal_ends_the_server_well() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("a", "a", false));
    repository.commit("start");
    let mut child = lawbook(&repository, &["--listen", "127.0.0.1:0"]).spawn().expect("it starts");
    let (sender, lines) = mpsc::channel();
    let stderr = BufReader::new(child.stderr.take().expect("piped"));
    std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let first = lines.recv_timeout(PATIENCE).expect("a line");
    let token = first.strip_prefix("administrator token: ").unwrap_or_else(|| panic!("{first}")).to_owned();
    assert_eq!(token.len(), 43);
    let address = std::iter::from_fn(|| lines.recv_timeout(PATIENCE).ok())
        .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
        .expect("an address");
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
    let answer = agent.get(format!("{address}/api/policies")).header("authorization", format!("Bearer {token}")).call();
    assert_eq!(answer.expect("an answer").status(), 200);

    let killed = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().expect("kill runs");
    assert!(killed.success());
    let started = Instant::now();
    let status = loop {
        match child.try_wait().expect("it can be waited for") {
            Some(status) => break status,
            None if started.elapsed() > PATIENCE => {
                child.kill().expect("killed");
                panic!("it does not end");
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    assert!(status.success(), "{status}");
}

/// The notice of an empty folder came first, and whoever read the token from the first line read that.
#[test]
fn the_token_is_the_first_line_of_a_server_without_a_law_book_too() {
    let repository = Repository::new();
    let mut child = lawbook(&repository, &["--listen", "127.0.0.1:0"]).spawn().expect("it starts");
    let lines: Vec<String> = BufReader::new(child.stderr.take().expect("piped"))
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.starts_with("there is no law book in"))
        .collect();
    child.kill().expect("killed");
    child.wait().expect("it ends");
    assert!(lines.first().is_some_and(|line| line.starts_with("administrator token: ")), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("listening on ")), "{lines:?}");
}

#[test]
fn an_address_that_others_can_reach_is_refused_with_status_2() {
    let repository = Repository::new();
    let mut child = lawbook(&repository, &["--listen", "0.0.0.0:0"]).spawn().expect("it starts");
    let status = child.wait().expect("it ends");
    let mut said = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut said).expect("read");
    assert_eq!(status.code(), Some(2), "{said}");
    assert!(said.contains("can be reached from other machines") && said.contains("--tokens"), "{said}");
}
