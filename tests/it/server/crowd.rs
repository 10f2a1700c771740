//! Many clients change many controls at once, while somebody commits to the same branch, from afar or in the very worktree.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use serde_json::json;

use super::live::Live;
use crate::repository::Repository;
use crate::repository::git;
use crate::repository::policy;

const CLIENTS: usize = 10;
const EACH: usize = 10;
const CONTROLS: usize = 20;

/// How long a person thinks between two commits. One who never does leaves no moment in which the files stand still.
const THOUGHT: Duration = Duration::from_millis(200);

fn control(number: usize) -> String {
    format!("# about {number}\nid: c{number}\nname: C # here\ntype: access\n")
}

/// Commits to the branch of the bare repository from a clone, until told to stop; says how often. On a machine that is busy enough the
/// server always comes first, so that the one commit that there has to be may come after everybody else's.
fn somebody_else(work: &Repository, stop: &AtomicBool) -> usize {
    let mut commits = 0;
    while !stop.load(Ordering::Relaxed) || commits == 0 {
        work.git(&["fetch", "--quiet", "origin"]);
        work.git(&["reset", "--quiet", "--hard", "origin/main"]);
        work.write("notes.txt", format!("{commits}")).commit("notes");
        let pushed = Command::new("git").args(["push", "--quiet", "origin", "HEAD:main"]).current_dir(work.path()).output();
        commits += usize::from(pushed.expect("git runs").status.success());
    }
    commits
}

/// A change that was answered with success.
struct Done {
    method: &'static str,
    id: String,
    /// The commit that the answer is of.
    commit: String,
    /// The name that the control was given.
    name: String,
}

/// The changes of one client.
fn changes(live: &Live, client: usize) -> Vec<Done> {
    let mut done = Vec::new();
    for turn in 0..EACH {
        let id = format!("c{}", (client * 7 + turn * 3) % CONTROLS);
        let name = format!("by {client} in turn {turn}");
        let body = json!({"name": name, "type": "access"});
        let (method, body) = match (client + turn) % 5 {
            0 | 1 => ("PATCH", None),
            2 | 3 => ("PUT", Some(&body)),
            _ => ("DELETE", None),
        };
        let answer = live.send(method, &format!("/api/policies/{id}"), &live.token, body);
        match answer.status {
            200 => done.push(Done { method, id, commit: answer.commit, name }),
            404 | 409 => {}
            other => panic!("{method} {id}: {other} {}", answer.text),
        }
    }
    done
}

/// All clients at once, and somebody else until they have ended; what was done, and how often the other one did something.
fn crowd(live: &Live, other: impl FnOnce(&AtomicBool) -> usize + Send) -> (Vec<Done>, usize) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(move || changes(live, number))).collect();
        let other = scope.spawn(|| other(&stop));
        // The other one has to end also when a client fails.
        let done: Vec<_> = clients.into_iter().map(ScopedJoinHandle::join).collect();
        stop.store(true, Ordering::Relaxed);
        let others = other.join().expect("no panic");
        (done.into_iter().flat_map(|done| done.expect("no panic")).collect(), others)
    })
}

fn write_controls(work: &Repository) {
    for file in 0..CONTROLS / 4 {
        let documents: Vec<String> = (file * 4..file * 4 + 4).map(control).collect();
        work.write(&format!("policies/{file}.yaml"), documents.join("---\n"));
    }
}

/// Holds the history to what was answered, and to how often somebody else committed.
fn held(dir: &Path, live: &Live, done: &[Done], others: usize) {
    let git = |arguments: &[&str]| git(dir, 1_772_359_200, arguments);
    git(&["fsck", "--strict"]);
    assert!(done.len() > CONTROLS && others > 0, "{} changes and {others} other commits", done.len());
    assert_eq!(git(&["rev-list", "--count", "main"]), (1 + done.len() + others).to_string());
    // The first commit after what was there is the change; a later one may be served by then, and is of somebody else.
    let made: BTreeSet<String> = git(&["log", "--format=%s", "main"]).lines().map(str::to_owned).collect();
    for Done { method, id, commit, name } in done {
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
    let deleted = done.iter().filter(|done| done.method == "DELETE").count();
    assert_eq!(listed.as_array().map(Vec::len), Some(CONTROLS - deleted));
}

#[test]
fn every_answered_change_is_one_commit_and_none_is_lost() {
    let work = Repository::new();
    write_controls(&work);
    work.commit("start");
    let folder = tempfile::tempdir().expect("a folder");
    let bare = folder.path().join("law.git");
    work.git(&["clone", "--quiet", "--bare", ".", bare.to_str().expect("text")]);
    work.git(&["remote", "add", "origin", bare.to_str().expect("text")]);
    let live = Live::reference(&bare);
    let (done, others) = crowd(&live, move |stop| somebody_else(&work, stop));
    held(&bare, &live, &done, others);
}

/// Edits two files and commits whatever has changed, until told to stop, as a person does in whose worktree the server works: what git
/// refuses because somebody else is at it is tried again. Says how often.
fn somebody_here(dir: &Path, stop: &AtomicBool) -> usize {
    let mut commits = 0;
    while !stop.load(Ordering::Relaxed) {
        // As editors save.
        let save = |path: &str, text: String| {
            let (draft, path) = (dir.join(".git/draft"), dir.join(path));
            fs::write(&draft, text).and_then(|()| fs::rename(draft, path)).expect("saved");
        };
        save("notes.txt", format!("{commits}\n"));
        save("policies/own.yaml", format!("# {commits}\n{}", policy("Own")));
        let committed = (0..1000).any(|_| {
            let commit =
                Command::new("git").args(["commit", "--quiet", "-a", "-m", "by hand"]).current_dir(dir).env("LC_ALL", "C").output();
            let commit = commit.expect("git runs");
            let said = String::from_utf8_lossy(&commit.stderr);
            assert!(commit.status.success() || said.contains(".lock") || said.contains("cannot lock ref"), "{said}");
            commit.status.success()
        });
        assert!(committed, "git is kept from committing");
        commits += 1;
        std::thread::sleep(THOUGHT);
    }
    commits
}

#[test]
fn whoever_works_in_the_same_worktree_loses_nothing_and_takes_nothing_back() {
    let work = Repository::new();
    write_controls(&work);
    work.write("notes.txt", "").write("policies/own.yaml", policy("Own")).commit("start");
    let live = Live::worktree(&work.path());
    let dir = work.path();
    let (done, others) = crowd(&live, |stop| somebody_here(&dir, stop));
    held(&dir, &live, &done, others);
    assert_eq!(work.git(&["status", "--porcelain", "--untracked-files=all"]), "");
    for commit in work.git(&["rev-list", "--grep=by hand", "main"]).lines() {
        let files = work.git(&["show", "--name-only", "--format=", commit]);
        assert_eq!(files, "notes.txt\npolicies/own.yaml", "{commit}");
    }
    // Nobody has lost more than a turn.
    assert!(done.len() >= CLIENTS * EACH / 2, "{} of {} changes", done.len(), CLIENTS * EACH);
}
