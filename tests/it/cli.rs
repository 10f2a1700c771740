//! The command line as a user sees it: transcripts that are run as they stand.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use crate::repository::Repository;

/// Where a program of the machine is.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("a search path");
    let places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places.into_iter().find(|file| file.is_file()).unwrap_or_else(|| panic!("`{name}` is not installed"))
}

/// Runs the transcripts of `tests/cli`, each in a folder of its own, with fixed people and no configuration of the machine.
#[test]
fn transcripts_say_what_the_program_says() {
    let programs = ["git", "cp", "rm"].map(|name| (name, trycmd::schema::Bin::Path(program(name))));
    let cases = trycmd::TestCases::new();
    cases.register_bins(programs);
    for (name, value) in [
        ("GIT_AUTHOR_NAME", "Ada Lovelace"),
        ("GIT_AUTHOR_EMAIL", "ada@example.com"),
        ("GIT_AUTHOR_DATE", "2026-03-05T14:30:00Z"),
        ("GIT_COMMITTER_NAME", "Ada Lovelace"),
        ("GIT_COMMITTER_EMAIL", "ada@example.com"),
        ("GIT_COMMITTER_DATE", "2026-03-05T14:30:00Z"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
    ] {
        cases.env(name, value);
    }
    cases.case("tests/cli/*.md");
}

/// Runs the program in a folder: its exit status, and what it says on standard error.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lawbook")).args(arguments).current_dir(folder).output().expect("lawbook runs");
    let said = String::from_utf8_lossy(&output.stderr).split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    (output.status.code(), said)
}

/// The wrong folder in a pipeline was green: "no findings in 0 files".
#[test]
fn a_folder_without_a_law_book_is_no_law_book_without_findings() {
    let repository = Repository::new();
    repository.write("README.md", "nothing here").write("law/lawbook.toml", "").write("law/notes/a.txt", "").commit("Start");
    let root = repository.path();
    assert_eq!(run(&root, &["key", "new", "--out", "k"]).0, Some(0));
    let commands: [&[&str]; 12] = [
        &["check"],
        &["check", "--staged"],
        &["check", "--rev", "main"],
        &["fmt"],
        &["decide", "--subject", "user:a", "--action", "read", "--service", "wiki"],
        &["eval-condition", "--policy", "A"],
        &["audit"],
        &["log", "A"],
        &["show", "A"],
        &["blame", "A"],
        &["restore", "A", "HEAD"],
        &["build", "--sign", "k", "--out", "built"],
    ];
    for command in commands {
        let (status, said) = run(&root, command);
        assert_eq!(status, Some(2), "{command:?}: {said}");
        let expected = "neither lawbook.toml nor a file that matches `policies/**/*.{yaml,yml,json}`";
        assert!(said.contains("there is no law book in `") && said.contains(expected), "{command:?}: {said}");
    }
    let (status, said) = run(&root, &["check", "law/notes"]);
    assert_eq!(status, Some(2));
    assert!(said.ends_with(&format!("the nearest law book above is `{}`", root.join("law").display())), "{said}");
    assert_eq!(run(&root, &["check", "law"]).0, Some(0), "a configuration makes a law book");
}

/// A pipeline that asks for the difference was green when there was one.
#[test]
fn a_difference_that_would_be_made_is_the_answer_no() {
    let repository = Repository::new();
    let policy = "_id: A\n_type: Policy\nservice: report\ndescription: x\nactions: [read]\nmembers: [staff]\ncondition: owner == {me}\n";
    repository.write("policies/a.yaml", policy);
    let root = repository.path();
    for (arguments, expected) in [(["check", "--diff"], 1), (["check", "--fix"], 0), (["check", "--diff"], 0)] {
        assert_eq!(run(&root, &arguments).0, Some(expected), "{arguments:?}");
    }
}

#[test]
fn a_trail_without_an_event_says_why() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", "just: yaml\n").commit("Start");
    let (code, said) = run(&repository.path(), &["audit"]);
    assert_eq!(code, Some(0));
    assert_eq!(
        said,
        "no commit holds a policy that can be read help: `lawbook check` says what is wrong with the files that `files` selects"
    );
}
