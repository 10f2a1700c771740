//! The versions of one policy, through the program: what it prints, byte for byte, and what it writes.

use std::path::Path;
use std::process::Command;
use std::process::Output;

use lawbook::history::Action;
use lawbook::history::Lines;
use lawbook::history::Repository as Opened;
use lawbook::history::Trail;
use serde_json::Value;

use crate::reports::schema;
use crate::reports::valid;
use crate::repository::Repository;
use crate::repository::git;
use crate::repository::policy;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_lawbook");
    Command::new(program).args(arguments).current_dir(folder).env("NO_COLOR", "1").output().expect("lawbook runs")
}

/// What a command prints and remarks; its status must be this one.
#[track_caller]
fn said(folder: &Path, arguments: &[&str], status: i32) -> (String, String) {
    let output = run(folder, arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {out}{err}");
    (out, err)
}

fn trail(dir: &Path) -> Trail {
    let opened = Opened::open(dir).expect("a repository");
    Trail::read(&opened, "HEAD", Lines::Landed, &|_, _| ()).expect("a trail")
}

#[test]
fn what_is_shown_is_the_document_byte_for_byte() {
    let repository = Repository::new();
    let (first, second) = ("# of A\r\n_id: A # here\r\nservice: s\r\nactions: [read]\r\nmembers: [a]\r\n\r\n", policy("B"));
    let first_commit = repository.write("policies/f.yaml", format!("\u{feff}{first}---\r\n{second}")).commit("two");
    repository.write("policies/f.yaml", policy("C")).commit("another");
    let root = repository.path();
    let (shown, remark) = said(&root, &["show", &format!("A@{}", &first_commit[..10])], 0);
    assert_eq!(shown, first);
    assert_eq!(remark, format!("policies/f.yaml in commit {}\n", &first_commit[..10]));
    assert_eq!(said(&root, &["show", "B@HEAD~1"], 0).0, second);
    let (json, _) = said(&root, &["show", "A@HEAD~1", "--format", "json"], 0);
    let expected =
        r#"{"_id":"A","_type":"Policy","actions":["read"],"deny":false,"enabled":true,"members":["a"],"service":"s","source":"private"}"#;
    assert_eq!(json.trim_end(), expected);
}

#[test]
fn a_policy_that_is_not_there_is_told_with_where_it_is() {
    let repository = Repository::new();
    repository.write("policies/b.yaml", policy("B")).commit("b");
    let made = repository.write("policies/a.yaml", policy("A")).commit("a");
    let gone = repository.remove("policies/a.yaml").commit("no a");
    let root = repository.path();
    let check = |revision: &str, words: &str| {
        let (_, said) = said(&root, &["show", &format!("A@{revision}")], 2);
        let said = said.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(said.contains(words), "{said}");
    };
    check("HEAD~2", &format!("it was created in {} (2026-03-01 10:01); `lawbook show A@{}` shows it", &made[..10], &made[..10]));
    check("HEAD", &format!("it was deleted in {} (2026-03-01 10:02); `lawbook show A@{}` shows it", &gone[..10], &made[..10]));
    // The last `@` parts the revision from the id.
    repository.write("policies/at.yaml", policy("a@b")).commit("an address");
    assert_eq!(said(&root, &["show", "a@b@HEAD"], 0).0, policy("a@b"));
}

/// A policy was restored, and the trail told an ordinary update.
#[test]
fn a_restored_policy_is_told_as_one() {
    let repository = Repository::new();
    let with = |members: &str| policy("A").replace("[staff]", members);
    let other = format!("{}# the end", policy("B"));
    let file = |a: &str| format!("# on top\n---\n{a}--- # second\n{other}");
    let first = repository.write("policies/f.yaml", file(&with("[staff] # all"))).commit("one");
    repository.write("policies/f.yaml", file(&with("[board]"))).commit("two");
    let root = repository.path();
    let (out, _) = said(&root, &["restore", "A", "HEAD~1", "-m", "too narrow"], 0);
    let short = &first[..10];
    assert!(out.starts_with(&format!("restored `A` in policies/f.yaml as of {short}: commit ")), "{out}");
    assert_eq!(repository.read("policies/f.yaml"), file(&with("[staff] # all")));
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
    assert_eq!(repository.git(&["log", "-1", "--format=%an %s|%b"]), format!("Ada Restore A as of {short}|Lawbook-Reason: too narrow"));
    let trail = trail(&root);
    let last = trail.events().last().expect("an event");
    assert_eq!((last.action, last.restores.as_deref()), (Action::Restore, Some(first.as_str())));
    let (log, _) = said(&root, &["log", "A"], 0);
    assert!(log.contains(&format!("restored as of {short}")), "{log}");
    let (_, err) = said(&root, &["restore", "A", "HEAD~2"], 0);
    assert!(err.contains("already means what it meant"), "{err}");
    assert_eq!(repository.git(&["rev-list", "--count", "HEAD"]), "3");
}

#[test]
fn a_restored_policy_takes_the_place_of_what_it_is_called_now_and_of_no_other() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("a");
    repository.write("policies/a.yaml", policy("B")).commit("a is b");
    repository.write("policies/b.yaml", policy("A").replace("staff", "board")).commit("another a");
    let root = repository.path();
    let (_, said_of) = said(&root, &["restore", "B", "HEAD~2", "--dry-run"], 1);
    assert!(said_of.contains("nothing is written"), "{said_of}");
    assert_eq!(repository.git(&["rev-list", "--count", "HEAD"]), "3");
    repository.remove("policies/b.yaml").commit("no other a");
    let (diff, _) = said(&root, &["restore", "B", "HEAD~3", "--no-commit"], 0);
    assert!(diff.contains("--- a/policies/a.yaml") && diff.contains("-_id: B\n+_id: A\n"), "{diff}");
    said(&root, &["restore", "B", "HEAD~3"], 0);
    assert_eq!(repository.read("policies/a.yaml"), policy("A"));
}

#[test]
fn nothing_is_written_over_what_is_not_committed() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("one");
    repository.write("policies/a.yaml", policy("A").replace("staff", "board")).commit("two");
    let root = repository.path();
    repository.write("policies/a.yaml", policy("A").replace("staff", "public"));
    let (_, err) = said(&root, &["restore", "A", "HEAD~1"], 2);
    assert!(err.contains("`policies/a.yaml` differs in the worktree from what is committed"), "{err}");
    repository.git(&["add", "."]);
    let (_, err) = said(&root, &["restore", "A", "HEAD~1"], 2);
    assert!(err.contains("`policies/a.yaml` has a staged change"), "{err}");
    assert_eq!(repository.git(&["rev-list", "--count", "HEAD"]), "2");
}

#[test]
fn json_is_what_its_schemas_say() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("one");
    repository.write("policies/a.yaml", policy("A") + "metadata: {n: {m: [1, {x: y}]}}\n").commit("two");
    repository.write("policies/b.yaml", policy("B").replace("staff", "board")).remove("policies/a.yaml").commit("three");
    let root = repository.path();
    let json = |arguments: &[&str]| serde_json::from_str::<Value>(&said(&root, arguments, 0).0).expect("JSON");
    let log = json(&["log", "A", "--format", "json", "-p"]);
    valid(&schema("log"), &log);
    let actions: Vec<&str> = log["events"].as_array().expect("events").iter().filter_map(|event| event["action"].as_str()).collect();
    assert_eq!((actions.as_slice(), log["deleted"].as_bool()), (["delete", "update", "create"].as_slice(), Some(true)));
    let blame = json(&["blame", "A", "--format", "json"]);
    valid(&schema("blame"), &blame);
    let nested: Vec<&Value> = blame["parts"].as_array().expect("parts").iter().filter(|part| part["path"][0] == "metadata").collect();
    assert_eq!(nested.len(), 2);
    assert!(nested.iter().all(|part| part["element"] == true && part["changed"]["subject"] == "two"), "{nested:?}");
}

#[test]
fn hostile_text_does_not_reach_the_terminal() {
    let repository = Repository::new();
    let id = "A\u{202e}B\u{200f}";
    let hostile = |text: &str| format!("_id: \"{id}\"\nservice: report\nactions: [read]\nmembers: [staff]\ndescription: \"{text}\"\n");
    repository.write("policies/a\u{202e}.yaml", hostile("x")).commit("one \u{1b}[2J\u{202e}");
    repository.write("policies/a\u{202e}.yaml", hostile("\\e]0;x\\a\\u202e\\n\\x9b")).commit("two");
    repository.write("policies/a\u{202e}.yaml", "_id: [\u{1b}").commit("three");
    repository.git(&["-c", "user.name=E\u{1b}ve\u{202e}", "commit", "--quiet", "--allow-empty", "-m", "x"]);
    let root = repository.path();
    let obeyed = |char: char| (char.is_control() && char != '\n') || matches!(char, '\u{202a}'..='\u{202e}' | '\u{200f}');
    for (arguments, status) in [
        (vec!["log", id], 0),
        (vec!["log", id, "--patch"], 0),
        (vec!["blame", id], 0),
        (vec!["log", "\u{1b}[2J\u{202e}"], 2),
        (vec!["blame", id, "--ref", "\u{1b}\u{202e}"], 2),
        (vec!["show", "\u{1b}\u{202e}@HEAD"], 2),
        (vec!["restore", id, "HEAD"], 2),
    ] {
        let (out, err) = said(&root, &arguments, status);
        assert!(!out.contains(obeyed) && !err.contains(obeyed), "{arguments:?}: {out:?} {err:?}");
    }
    // The file says nothing of the policy any more; it is shown as it is.
    let (out, err) = said(&root, &["show", &format!("{id}@HEAD")], 1);
    assert_eq!(out, "_id: [\u{1b}");
    assert!(err.contains("could not be read") && !err.contains(obeyed), "{err:?}");
}

#[test]
fn a_partial_history_says_so() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).write("policies/b.yaml", policy("B")).commit("one");
    repository.write("README.md", "nothing of ours").commit("two");
    repository.write("policies/a.yaml", policy("A") + "enabled: false\n").commit("three");
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("file://{}", repository.path().display());
    git(folder.path(), 1_772_359_200, &["clone", "--quiet", "--depth", "2", &url, "clone"]);
    let whole = folder.path().join("clone");
    assert_eq!(said(&whole, &["log", "A"], 1).0.lines().last(), Some("1 event"));
    std::fs::remove_dir_all(&whole).expect("removed");
    git(folder.path(), 1_772_359_200, &["clone", "--quiet", "--depth", "1", &url, "clone"]);
    let clone = folder.path().join("clone");
    let (out, err) = said(&clone, &["blame", "B"], 1);
    assert!(
        out.lines().all(|line| line.starts_with("earlier  ")) && err.contains("the trail is partial: the clone is shallow"),
        "{out}{err}"
    );
    assert_eq!(said(&clone, &["log", "B", "--allow-partial"], 0).0, "0 events\n");
    let (_, err) = said(&clone, &["log", "Nobody"], 2);
    assert!(err.contains("the history is incomplete (the clone is shallow)"), "{err}");
}
