//! A server of a law book that requires signed commits: what it takes over, and what it writes.

use super::live::Live;
use crate::repository::Repository;
use crate::repository::policy;
use crate::signing::Keys;
use crate::signing::verify_commit;
use lawbook::server::Source;

const SIGNERS: &str = ".lawbook/allowed_signers";
const REQUIRED: &str = "[history]\nrequire-signed = true\n";
const CONTROL: &str = "id: pol-mfa-required\nname: MFA Required\ntype: access\nenabled: true\nrules: [a]\n";

/// A law book that requires signatures, with these people as those who may sign.
fn book(names: &[&str]) -> Option<(Repository, Keys)> {
    let keys = Keys::new()?;
    keys.make("ann", &["ed25519"]).make("server", &["ed25519"]);
    let repository = Repository::new();
    let signers: String = names.iter().map(|name| format!("{name}@example.com {}\n", keys.public(name))).collect();
    repository.write("policies/mfa.yaml", CONTROL).write(SIGNERS, signers).write("lawbook.toml", REQUIRED).commit("begin");
    Some((repository, keys))
}

fn enabled(live: &Live) -> bool {
    live.get("/api/policies").body[0]["enabled"] == true
}

fn patch(live: &Live) -> super::live::Answer {
    live.send("PATCH", "/api/policies/pol-mfa-required", &live.token, None)
}

#[test]
fn an_unsigned_commit_is_not_served_and_the_old_snapshot_stays() {
    let Some((repository, keys)) = book(&["ann"]) else { return };
    for live in [Live::worktree(&repository.path()), Live::reference(&repository.path())] {
        assert!(enabled(&live));
        let served = repository.git(&["rev-parse", "HEAD"]);
        // Two commits: one takes the requirement back, the other one makes use of it.
        repository.write("lawbook.toml", "").commit("take it back");
        repository.write("policies/mfa.yaml", CONTROL.replace("true", "false")).commit("switch it off");
        live.wait("it falls behind", |live| live.get("/status").text.contains("unsigned-commit"));
        assert!(enabled(&live), "the old snapshot stays");
        assert!(patch(&live).status == 409 && patch(&live).text.contains("is not signed"), "{}", patch(&live).text);
        assert_eq!(live.get("/health/ready").status, 200);
        repository.git(&["reset", "--quiet", "--hard", &served]);
        repository.write("policies/mfa.yaml", CONTROL.replace("MFA", "Two factors")).commit_signed(&keys, "ann", "rename it");
        live.wait("what is signed is served", |live| live.get("/api/policies").text.contains("Two factors"));
        repository.write("policies/mfa.yaml", CONTROL).commit_signed(&keys, "ann", "and back");
        live.wait("what is signed is served", |live| !live.get("/api/policies").text.contains("Two factors"));
        // Going back to a time before that is no way around either.
        repository.git(&["reset", "--quiet", "--hard", &served]);
        live.wait("it falls behind", |live| live.get("/status").text.contains("does not come after"));
        repository.git(&["reset", "--quiet", "--hard", "ORIG_HEAD"]);
        live.wait("it is good again", |live| !live.get("/status").text.contains("does not come after"));
    }
}

#[test]
fn without_a_key_nothing_is_written() {
    let Some((repository, _keys)) = book(&["ann"]) else { return };
    for live in [Live::worktree(&repository.path()), Live::reference(&repository.path())] {
        let before = repository.git(&["rev-parse", "HEAD"]);
        let answer = patch(&live);
        assert!(answer.status == 409 && answer.text.contains("--commit-signing-key FILE"), "{}", answer.text);
        assert_eq!((repository.git(&["rev-parse", "HEAD"]), repository.git(&["status", "--porcelain"])), (before, String::new()));
        assert!(enabled(&live));
    }
}

#[test]
fn a_key_that_nobody_vouches_for_writes_nothing() {
    let Some((repository, keys)) = book(&["ann"]) else { return };
    let live = Live::signing(Source::Worktree(repository.path()), keys.file("server"));
    let before = repository.git(&["rev-parse", "HEAD"]);
    let answer = patch(&live);
    let help = format!("add the key to the file of allowed signers, in a signed commit: `lawbook@localhost {}`", keys.public("server"));
    assert!(answer.status == 409 && answer.text.contains(&help) && answer.text.contains(&keys.fingerprint("server")), "{}", answer.text);
    assert_eq!(repository.git(&["rev-parse", "HEAD"]), before);
}

#[test]
fn with_a_key_every_change_is_a_commit_that_git_accepts() {
    let Some((repository, keys)) = book(&["ann", "server"]) else { return };
    let source = || [Source::Worktree(repository.path()), Source::Ref { dir: repository.path(), name: "main".to_owned() }];
    for source in source() {
        let live = Live::signing(source, keys.file("server"));
        for expected in [false, true] {
            let answer = patch(&live);
            assert_eq!((answer.status, answer.body["enabled"] == true), (200, expected), "{}", answer.text);
            assert!(verify_commit(&repository.path(), &answer.commit, &repository.path().join(SIGNERS)));
            assert_eq!(enabled(&live), expected);
        }
        repository.git(&["fsck", "--strict"]);
        assert_eq!(repository.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn a_key_signs_also_where_nobody_requires_it() {
    let Some(keys) = Keys::new() else { return };
    keys.make("server", &["ed25519"]);
    let repository = Repository::new();
    repository.write("policies/mfa.yaml", CONTROL).write("policies/a.yaml", policy("A")).commit("begin");
    let live = Live::signing(Source::Worktree(repository.path()), keys.file("server"));
    let answer = patch(&live);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let file = keys.file("signers");
    std::fs::write(&file, format!("server {}\n", keys.public("server"))).expect("written");
    assert!(verify_commit(&repository.path(), &answer.commit, &file));
}
