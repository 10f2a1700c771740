//! Many clients change many controls at once, while somebody commits to the same branch.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::live::Live;
use crate::repository::Repository;
use crate::repository::git;

const CLIENTS: usize = 10;
const EACH: usize = 10;
const CONTROLS: usize = 20;

fn control(number: usize) -> String {
    format!("# about {number}\nid: c{number}\nname: C # here\ntype: access\n")
}

/// Commits to the branch of the bare repository from a clone, until it is told to stop; says how often.
fn somebody_else(work: &Repository, stop: &AtomicBool) -> usize {
    let mut commits = 0;
    while !stop.load(Ordering::Relaxed) {
        work.git(&["fetch", "--quiet", "origin"]);
        work.git(&["reset", "--quiet", "--hard", "origin/main"]);
        work.write("notes.txt", format!("{commits}")).commit("notes");
        let pushed = std::process::Command::new("git").args(["push", "--quiet", "origin", "HEAD:main"]).current_dir(work.path()).output();
        commits += usize::from(pushed.expect("git runs").status.success());
    }
    commits
}

#[test]
fn every_answered_change_is_one_commit_and_none_is_lost() {
    let work = Repository::new();
    for file in 0..CONTROLS / 4 {
        let documents: Vec<String> = (file * 4..file * 4 + 4).map(control).collect();
        work.write(&format!("policies/{file}.yaml"), documents.join("---\n"));
    }
    work.commit("start");
    let folder = tempfile::tempdir().expect("a folder");
    let bare = folder.path().join("law.git");
    work.git(&["clone", "--quiet", "--bare", ".", bare.to_str().expect("text")]);
    work.git(&["remote", "add", "origin", bare.to_str().expect("text")]);
    let live = Live::reference(&bare);
    let stop = AtomicBool::new(false);

    let client = |client: usize| {
        let mut done = Vec::new();
        for turn in 0..EACH {
            let id = format!("c{}", (client * 7 + turn * 3) % CONTROLS);
            let name = json!({"name": format!("by {client} in turn {turn}"), "type": "access"});
            let (method, body) = match (client + turn) % 5 {
                0 | 1 => ("PATCH", None),
                2 | 3 => ("PUT", Some(&name)),
                _ => ("DELETE", None),
            };
            let answer = live.send(method, &format!("/api/policies/{id}"), &live.token, body);
            match answer.status {
                200 => done.push((method, id, answer.commit, name["name"].as_str().expect("text").to_owned())),
                404 | 409 => {}
                other => panic!("{method} {id}: {other} {}", answer.text),
            }
        }
        done
    };
    let (done, others) = std::thread::scope(|scope| {
        let (client, ended) = (&client, &stop);
        let clients: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(move || client(number))).collect();
        let other = scope.spawn(move || somebody_else(&work, ended));
        let done: Vec<_> = clients.into_iter().flat_map(|client| client.join().expect("no panic")).collect();
        stop.store(true, Ordering::Relaxed);
        (done, other.join().expect("no panic"))
    });

    let git = |arguments: &[&str]| git(&bare, 1_772_359_200, arguments);
    git(&["fsck", "--strict"]);
    assert!(done.len() > CONTROLS && others > 0, "{} changes and {others} other commits", done.len());
    assert_eq!(git(&["rev-list", "--count", "main"]), (1 + done.len() + others).to_string());
    // The first commit after what was there is the change; a later one may be served by then, and is of somebody else.
    let made: BTreeSet<String> = git(&["log", "--format=%s", "main"]).lines().map(str::to_owned).collect();
    for (method, id, commit, name) in &done {
        assert!(git(&["merge-base", "--is-ancestor", commit, "main"]).is_empty());
        let subjects: &[&str] = match *method {
            "PATCH" => &["Disable", "Enable"],
            "PUT" => &["Update"],
            _ => &["Delete"],
        };
        assert!(subjects.iter().any(|subject| made.contains(&format!("{subject} {id}"))), "{method} {id}");
        if *method == "PUT" {
            let brought = git(&["log", "--format=%s", "-S", name, "--reverse", "main"]);
            assert_eq!(brought.lines().next(), Some(format!("Update {id}").as_str()), "{name}");
        }
    }
    // Each commit of the server changes one control in one file, and leaves the words of people alone.
    for commit in git(&["rev-list", "--committer=lawbook", "main"]).lines() {
        let (subject, files) = (git(&["show", "--no-patch", "--format=%s", commit]), git(&["show", "--name-only", "--format=", commit]));
        assert_eq!(files.lines().count(), 1, "{subject}");
        let lines = git(&["show", "--format=", "--unified=0", commit]);
        let changed = lines.lines().filter(|line| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---"));
        assert!(subject.starts_with("Delete") || changed.count() <= 4, "{subject}: {lines}");
    }
    let listed = live.get("/api/policies").body;
    let deleted = done.iter().filter(|(method, ..)| *method == "DELETE").count();
    assert_eq!(listed.as_array().map(Vec::len), Some(CONTROLS - deleted));
}
