//! The directory: read from the same revision as everything else, told when it is broken, and no part of what is served.

use std::process::Command;

use lawbook::lint::Book;
use lawbook::server::content_digest;
use lawbook::workspace::Origin;
use lawbook::workspace::Raw;
use lawbook::workspace::RawFile;
use lawbook::workspace::Workspace;

use crate::repository::Repository;
use crate::repository::policy;

fn read(repository: &Repository, origin: &Origin) -> Book {
    Workspace::open(&repository.path(), origin).expect("it loads").book
}

/// The ids of the users; or what is wrong, with the place.
fn said(book: &Book) -> Vec<String> {
    let user = |user: &lawbook::directory::User| format!("{}:{}", user.subject.kind, user.subject.id);
    let users = book.directory.iter().flat_map(|directory| directory.users.iter().map(user));
    let place = |span| format!("{}:{}", book.sources.path(span), book.directory_problems.len());
    let problems = book.directory_problems.iter().map(|one| format!("{}! {}", place(one.span.source), one.message));
    users.chain(problems).collect()
}

#[track_caller]
fn check(repository: &Repository, origin: &Origin, expected: &[&str]) {
    assert_eq!(said(&read(repository, origin)), expected, "{origin:?}");
}

const HEAD: &str = "HEAD";

fn head() -> Origin {
    Origin::Revision(HEAD.to_owned())
}

#[track_caller]
fn check_all(repository: &Repository, expected: &[&str]) {
    for origin in [Origin::Worktree, Origin::Index, head()] {
        check(repository, &origin, expected);
    }
}

fn users(ids: &[&str]) -> String {
    ids.iter().fold("users:\n".to_owned(), |text, id| format!("{text}- id: {id}\n"))
}

#[test]
fn each_origin_reads_the_directory_of_its_own() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("a")).commit("no directory");
    check_all(&repository, &[]);
    repository.write("directory.yaml", users(&["one"])).commit("one");
    repository.write("people/all.yml", users(&["two", "A@b"])).write("lawbook.toml", "directory = 'people/all.yml'");
    repository.git(&["add", "--all"]);
    repository.write("people/all.yml", "users: 1");
    check(&repository, &head(), &["user:one"]);
    check(&repository, &Origin::Revision("HEAD~1".to_owned()), &[]);
    check(&repository, &Origin::Index, &["user:two", "user:a@b"]);
    check(&repository, &Origin::Worktree, &["people/all.yml:1! `users` is a list, and this is the number `1`"]);
}

#[test]
fn the_directory_of_a_law_book_in_a_folder_is_the_one_in_that_folder() {
    let repository = Repository::new();
    repository.write("directory.yaml", users(&["outside"])).write("law/lawbook.toml", "").write("law/directory.yaml", users(&["inside"]));
    repository.write("law/policies/a.yaml", policy("a")).commit("one");
    for origin in [Origin::Worktree, Origin::Index, head()] {
        let book = Workspace::open(&repository.path().join("law"), &origin).expect("it loads").book;
        assert_eq!(said(&book), ["user:inside"], "{origin:?}");
    }
}

#[test]
fn a_directory_that_is_named_has_to_be_there() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("a")).write("lawbook.toml", "directory = 'people/all.yaml'").commit("one");
    check_all(&repository, &["lawbook.toml:1! there is no file `people/all.yaml`, which is to be the directory"]);
    repository.write("lawbook.toml", "directory = '../people.yaml'").write("directory.yaml", users(&["one"])).commit("two");
    check_all(&repository, &[]);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_told_and_links_are_not_followed() {
    use std::os::unix::fs::symlink;
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("a")).write("real/all.yaml", users(&["one"]));
    symlink("real/all.yaml", repository.path().join("directory.yaml")).expect("linked");
    repository.commit("a link");
    check_all(&repository, &["directory.yaml:1! the directory cannot be read: this is a symbolic link, and links are not followed"]);
    symlink("real", repository.path().join("people")).expect("linked");
    repository.write("lawbook.toml", "directory = 'people/all.yaml'").commit("behind a link");
    check_all(&repository, &["lawbook.toml:1! there is no file `people/all.yaml`, which is to be the directory"]);
    repository.write("lawbook.toml", "directory = 'folder.yaml'").write("folder.yaml/a", "").commit("a folder");
    let folder = "folder.yaml:1! the directory cannot be read: this is a folder, not a file";
    check(&repository, &Origin::Worktree, &[folder]);
    check(&repository, &head(), &[folder]);
    let large = vec![b' '; lawbook::source::MAX_FILE_BYTES + 1];
    repository.write("lawbook.toml", "directory = 'large.yaml'").write("large.yaml", large).commit("large");
    let message = "the directory cannot be read: the file has 4194305 bytes, and the most that is read is 4194304";
    check_all(&repository, &[&format!("large.yaml:1! {message}")]);
}

#[test]
fn what_is_served_does_not_depend_on_the_directory() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("a")).write("lawbook.toml", "");
    let served = || {
        let workspace = Workspace::open(&repository.path(), &Origin::Worktree).expect("it loads");
        let entries = workspace.contents(|_| None).to_entries("worktree").expect("it can be packed");
        let set = workspace.compile().expect("nothing blocks it");
        (content_digest(workspace.book.served()), entries, format!("{:?}", set.statements()))
    };
    let before = served();
    for directory in ["users: []", "users: [{id: ann}]", "users: [", "\0"] {
        repository.write("directory.yaml", directory);
        assert!(served() == before, "{directory:?}");
    }
    repository.write("policies/a.yaml", policy("b"));
    assert!(served() != before);
}

/// The exit status of a check, and what it says.
fn run(repository: &Repository, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lawbook"));
    let output =
        command.args(["check", "--format", "concise"]).args(arguments).current_dir(repository.path()).output().expect("lawbook runs");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_check_fails_for_a_broken_directory_of_the_revision_that_it_checks() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("a")).write("directory.yaml", "users:\n- id: ann\n  groups: [staff]\n").commit("good");
    repository.write("directory.yaml", "users: 1\n").git(&["add", "--all"]);
    repository.write("directory.yaml", "users:\n- id: ann\n  groups: [stuff]\n");
    let nobody =
        "policies/a.yaml:4:11: warning[unknown-member] no user in directory.yaml has the group `staff`, so this member matches nobody";
    let broken = "directory.yaml:1:8: error[invalid-directory] `users` is a list, and this is the number `1`";
    for (arguments, status, finding) in [(&[][..], 0, Some(nobody)), (&["--staged"], 1, Some(broken)), (&["--rev", HEAD], 0, None)] {
        let (found, said) = run(&repository, arguments);
        assert_eq!(found, Some(status), "{arguments:?}: {said}");
        let lines: Vec<&str> = said.lines().filter(|line| !line.contains("missing-description")).collect();
        assert_eq!(lines, finding.into_iter().collect::<Vec<_>>(), "{arguments:?}");
    }
}

#[test]
fn questions_are_answered_for_the_callers_that_there_are() {
    let config = "[[assert]]\nname = \"contractors never delete\"\nnever = { members = [\"contractors\"], actions = [\"delete\"] }\n";
    let policies = "_id: CleanUp\nservice: object\nsource: private\nactions: [read, delete]\nmembers: [ops]\n---\n\
                    _id: Freeze\nservice: object\nsource: private\nactions: [delete]\nmembers: ['*']\nexcept: [admins]\ndeny: true\n";
    let rules = |users: Option<&str>| -> Vec<&'static str> {
        let file = |path: &str, text: &str| RawFile { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) };
        let raw = Raw {
            config: Some(file("lawbook.toml", config)),
            directory: users.map(|users| file("directory.yaml", users)),
            files: vec![file("policies/a.yaml", policies)],
            ..Raw::default()
        };
        Workspace::new(raw).check(jiff::civil::date(2026, 1, 1)).iter().map(|finding| finding.rule).collect()
    };
    // A caller may be in all three groups.
    assert!(rules(None).contains(&"assertion-failed"));
    let apart = "users:\n- id: a@x.com\n  groups: [ops]\n- id: b@x.com\n  groups: [contractors]\n- id: c@x.com\n  groups: [admins]\n";
    assert!(!rules(Some(apart)).contains(&"assertion-failed"), "nobody is in two of them");
    let both = "users:\n- id: a@x.com\n  groups: [ops, contractors, admins]\n";
    assert!(rules(Some(both)).contains(&"assertion-failed"));
}
