//! Writing: a change is one commit or nothing, wherever the branch is.

use std::fs;
use std::path::Path;

use lawbook::history::CommitTime;
use lawbook::history::Landing;
use lawbook::history::Lines;
use lawbook::history::Person;
use lawbook::history::Repository as Opened;
use lawbook::history::RepositoryError;
use lawbook::history::Trail;
use lawbook::policy::from_value;
use lawbook::schema::Kind;
use lawbook::write::Authorship;
use lawbook::write::Change;
use lawbook::write::FileChange;
use lawbook::write::Recovery;
use lawbook::write::WriteError;
use lawbook::write::Written;
use lawbook::write::recover;

use crate::repository::Repository;
use crate::repository::git;
use crate::repository::policy;

fn authorship() -> Authorship {
    let person = |name: &str, email: &str| Person { name: name.to_owned(), email: email.to_owned() };
    Authorship {
        author: person("Grace", "grace@example.com"),
        committer: person("lawbook", "server@example.com"),
        at: CommitTime::new(1_772_445_600, 0),
        request_id: Some("r-1".to_owned()),
        client_ip: Some("192.0.2.1".to_owned()),
        reason: None,
    }
}

fn write(dir: &Path, branch: Option<&str>, change: &Change<'_>) -> Result<Written, WriteError> {
    lawbook::write::write(dir, branch, change, &authorship())
}

fn toggle(id: &str) -> Change<'static> {
    Change::Toggle(id.to_owned())
}

fn sound(repository: &Repository) {
    assert_eq!(repository.git(&["status", "--porcelain"]), "");
    repository.git(&["fsck", "--strict"]);
}

/// A write is refused with these words and this help, and nothing has changed.
#[track_caller]
fn refused(repository: &Repository, branch: Option<&str>, change: &Change<'_>, message: &str, help: &str) {
    let state = || [["rev-parse", "--all"], ["status", "--porcelain=v2"], ["ls-files", "--stage"]].map(|git| repository.git(&git));
    let before = state();
    let error = write(&repository.path(), branch, change).expect_err("refused");
    assert!(error.to_string().contains(message), "{error}");
    let shown = miette::Diagnostic::help(&error).expect("a help").to_string();
    assert!(shown.contains(help), "{shown}");
    assert_eq!(state(), before);
    assert!(!repository.path().join(".git/index.lock").exists());
}

const TEXT: &str = "# who reads\r\n_id: A   # the id\r\nservice: report\r\nactions: [read]\r\nmembers:\r\n  - staff # all\r\nenabled: true   # for now\r\n";

#[test]
fn toggling_twice_makes_two_commits_and_touches_nothing_else() {
    let repository = Repository::new();
    let first = repository.write("policies/a.yaml", TEXT).write("untracked", "x").write(".gitignore", "untracked").commit("begin");
    let one = write(&repository.path(), None, &toggle("A")).expect("writes");
    assert_eq!((one.branch.as_str(), &one.parent, one.enabled), ("refs/heads/main", &first, Some(false)));
    assert_eq!(repository.read("policies/a.yaml"), TEXT.replace("enabled: true ", "enabled: false "));
    sound(&repository);
    let two = write(&repository.path(), Some("main"), &toggle("A")).expect("writes");
    assert_eq!((&two.parent, two.enabled), (&one.commit, Some(true)));
    assert_eq!(repository.read("policies/a.yaml"), TEXT);
    sound(&repository);
    assert_eq!(repository.git(&["rev-list", "--count", "main"]), "3");
    let shown = repository.git(&["log", "-1", "--format=%an <%ae>|%cn <%ce>|%cI|%B", &one.commit]);
    let message = "Disable A\n\nLawbook-Request-Id: r-1\nLawbook-Client-Ip: 192.0.2.1";
    assert_eq!(shown, format!("Grace <grace@example.com>|lawbook <server@example.com>|2026-03-02T10:00:00Z|{message}"));
    let trail = Trail::read(&Opened::open(&repository.path()).expect("opens"), "main", Lines::Landed, &|_, _| ()).expect("a trail");
    let told: Vec<_> = trail.events().iter().map(|event| (event.action.as_str(), event.landing.trailer(Landing::REQUEST_ID))).collect();
    assert_eq!(told, [("create", None), ("disable", Some("r-1")), ("enable", Some("r-1"))]);
}

#[test]
fn a_policy_without_the_field_gets_it_and_its_neighbours_stay() {
    let repository = Repository::new();
    let neighbour = policy("B") + "enabled: true\n";
    repository.write("policies/two.yaml", format!("{}---\n{neighbour}", policy("A"))).commit("begin");
    write(&repository.path(), None, &toggle("A")).expect("writes");
    assert_eq!(repository.read("policies/two.yaml"), format!("{}enabled: false\n---\n{neighbour}", policy("A")));
    sound(&repository);
}

fn put(value: &serde_json::Value) -> Change<'static> {
    Change::Put(Box::new(from_value(Kind::Access, value).expect("a policy")))
}

#[test]
fn a_policy_is_put_and_deleted_where_it_stands() {
    let repository = Repository::new();
    repository.write("policies/two.yaml", format!("{TEXT}---\n{}", policy("B"))).commit("begin");
    let dir = repository.path();
    let wanted = |members: &[&str]| serde_json::json!({"_id": "A", "service": "report", "actions": ["read"], "members": members});
    write(&dir, None, &put(&wanted(&["staff", "board"]))).expect("writes");
    let expected = TEXT.replace("staff # all\r\n", "staff # all\r\n  - board\r\n");
    assert_eq!(repository.read("policies/two.yaml"), format!("{expected}---\n{}", policy("B")));
    let same = write(&dir, None, &put(&wanted(&["staff", "board"]))).expect("writes");
    assert_eq!(same.commit, same.parent, "nothing to change is no commit");
    write(&dir, None, &Change::Delete("A".to_owned())).expect("writes");
    assert_eq!(repository.read("policies/two.yaml"), policy("B"));
    write(&dir, None, &Change::Delete("B".to_owned())).expect("writes");
    assert!(!dir.join("policies/two.yaml").exists());
    write(&dir, None, &put(&wanted(&["staff"]))).expect("writes");
    assert!(
        repository.read("policies/A.yaml").starts_with("_id: A\n_type: Policy\nsource: private\nservice: report\nactions:\n  - read\n")
    );
    sound(&repository);
    assert_eq!(repository.git(&["log", "-4", "--format=%s"]), "Create A\nDelete B\nDelete A\nUpdate A");
    refused(&repository, None, &Change::Delete("B".to_owned()), "there is no policy `B`", "spelling");
    let control = from_value(Kind::Control, &serde_json::json!({"id": "a", "name": "A", "type": "access"})).expect("a control");
    refused(&repository, None, &Change::Put(Box::new(control)), "has a policy `A` already", "another id");
}

#[cfg(unix)]
#[test]
fn the_mode_of_a_file_is_kept() {
    use std::os::unix::fs::PermissionsExt;
    let repository = Repository::new();
    repository.write("policies/a.yaml", TEXT);
    let file = repository.path().join("policies/a.yaml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("set");
    repository.commit("begin");
    write(&repository.path(), None, &toggle("A")).expect("writes");
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o755);
    assert!(repository.git(&["ls-tree", "HEAD", "policies/a.yaml"]).starts_with("100755 blob"));
    sound(&repository);
}

#[test]
fn a_law_book_in_a_folder_is_written_where_it_is() {
    let repository = Repository::new();
    repository.write("law/policies/a.yaml", TEXT).write("policies/a.yaml", TEXT).commit("begin");
    let law = repository.path().join("law");
    write(&law, None, &toggle("A")).expect("writes");
    write(&law, None, &Change::Create(vec![("policies/deep/er/b.yaml".to_owned(), policy("B"))])).expect("writes");
    assert_eq!(repository.read("policies/a.yaml"), TEXT);
    assert!(repository.read("law/policies/a.yaml").contains("enabled: false"));
    assert_eq!(repository.read("law/policies/deep/er/b.yaml"), policy("B"));
    sound(&repository);
}

#[test]
fn a_bare_repository_is_written_to() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", TEXT).commit("begin");
    let folder = tempfile::tempdir().expect("a folder");
    let bare = folder.path().join("bare.git");
    repository.git(&["clone", "--quiet", "--bare", ".", bare.to_str().expect("UTF-8")]);
    let written = write(&bare, None, &toggle("A")).expect("writes");
    assert_eq!(git(&bare, 1_772_359_200, &["rev-parse", "main"]), written.commit);
    assert!(git(&bare, 1_772_359_200, &["show", "main:policies/a.yaml"]).contains("enabled: false"));
    git(&bare, 1_772_359_200, &["fsck", "--strict"]);
    assert_eq!(recover(&bare).expect("recovers"), Recovery::Nothing);
}

#[test]
fn a_branch_that_is_not_checked_out_moves_alone() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", TEXT).commit("begin");
    repository.git(&["branch", "live"]);
    // The work of whoever sits here is no obstacle: it is on another branch.
    repository.write("policies/a.yaml", "half done");
    let written = write(&repository.path(), Some("live"), &toggle("A")).expect("writes");
    assert_eq!(repository.git(&["rev-parse", "live"]), written.commit);
    assert_eq!(repository.read("policies/a.yaml"), "half done");
    assert_eq!(repository.git(&["rev-list", "--count", "main"]), "1");
    repository.git(&["checkout", "--quiet", "--detach"]);
    assert!(write(&repository.path(), Some("refs/heads/main"), &toggle("A")).is_ok());
    refused(&repository, None, &toggle("A"), "no branch is checked out", "check out a branch");
}

#[test]
fn work_in_progress_is_never_overwritten() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", TEXT).write("policies/b.yaml", policy("B")).commit("begin");
    repository.write("policies/a.yaml", TEXT.replace("staff", "board"));
    refused(&repository, None, &toggle("A"), "`policies/a.yaml` differs in the worktree", "git restore");
    assert!(write(&repository.path(), None, &toggle("B")).is_ok(), "another file is no obstacle");
    repository.git(&["add", "--all"]);
    refused(&repository, None, &toggle("A"), "`policies/a.yaml` has a staged change", "git restore --staged");
    repository.write("policies/a.yaml", TEXT);
    refused(&repository, None, &toggle("A"), "`policies/a.yaml` has a staged change", "git restore --staged");
    repository.git(&["reset", "--quiet"]);
    repository.remove("policies/a.yaml");
    refused(&repository, None, &toggle("A"), "`policies/a.yaml` differs in the worktree", "git restore");
    repository.write("policies/c.yaml", "mine");
    let create = Change::Create(vec![("policies/c.yaml".to_owned(), policy("C"))]);
    refused(&repository, None, &create, "`policies/c.yaml` differs in the worktree", "git restore");
    repository.remove("policies/c.yaml").write("policies/a.yaml", TEXT);
    write(&repository.path(), None, &create).expect("writes");
    sound(&repository);
    refused(&repository, None, &create, "`policies/c.yaml` exists already", "read the law book again");
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", TEXT).commit("begin");
    fs::rename(repository.path().join("policies"), repository.path().join("elsewhere")).expect("moved");
    std::os::unix::fs::symlink("elsewhere", repository.path().join("policies")).expect("linked");
    refused(&repository, None, &toggle("A"), "lies behind a link", "put the folder itself there");
    assert_eq!(repository.read("elsewhere/a.yaml"), TEXT);
}

#[test]
fn a_worktree_in_the_middle_of_a_merge_is_left_alone() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", TEXT).commit("begin");
    repository.git(&["branch", "side"]);
    repository.write("policies/b.yaml", policy("B")).commit("main goes on");
    repository.git(&["checkout", "--quiet", "side"]);
    repository.write("policies/c.yaml", policy("C")).commit("side goes on");
    repository.git(&["merge", "--quiet", "--no-commit", "main"]);
    refused(&repository, None, &toggle("A"), "in the middle of a merge", "git status");
}

#[test]
fn a_branch_of_another_worktree_is_left_alone() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", TEXT).commit("begin");
    let folder = tempfile::tempdir().expect("a folder");
    let linked = folder.path().join("linked");
    repository.git(&["worktree", "add", "--quiet", "-b", "side", linked.to_str().expect("UTF-8")]);
    refused(&repository, Some("side"), &toggle("A"), "`refs/heads/side` is checked out in", "make the change there");
    let elsewhere = write(&linked, Some("main"), &toggle("A")).expect_err("refused");
    assert!(matches!(elsewhere, WriteError::Elsewhere { .. }), "{elsewhere}");
    // In its own worktree it is written to, and one that was deleted is no obstacle.
    write(&linked, Some("side"), &toggle("A")).expect("writes");
    assert_eq!(git(&linked, 1_772_359_200, &["status", "--porcelain"]), "");
    fs::remove_dir_all(&linked).expect("removed");
    write(&repository.path(), Some("side"), &toggle("A")).expect("writes");
}

/// A path relative to where it is written, and a locked worktree whose disk is away, were taken for deleted worktrees:
/// the branch moved under whoever works there.
#[test]
fn a_worktree_with_a_relative_path_or_a_lock_is_not_gone() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", TEXT).commit("begin");
    repository.git(&["worktree", "add", "--quiet", "-b", "side", "linked"]);
    let git_dir = repository.path().join(".git/worktrees/linked");
    fs::write(git_dir.join("gitdir"), "../../../linked/.git\n").expect("written");
    let elsewhere = || write(&repository.path(), Some("side"), &toggle("A")).expect_err("refused");
    assert!(matches!(elsewhere(), WriteError::Elsewhere { .. }), "{}", elsewhere());
    repository.git(&["worktree", "lock", "linked"]);
    fs::rename(repository.path().join("linked"), repository.path().join("away")).expect("moved");
    assert!(matches!(elsewhere(), WriteError::Elsewhere { .. }), "{}", elsewhere());
    fs::remove_file(git_dir.join("locked")).expect("unlocked");
    write(&repository.path(), Some("side"), &toggle("A")).expect("writes");
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let repository = Repository::new();
    refused(&repository, None, &toggle("A"), "has no commits yet", "git add");
    repository.write("policies/a.yaml", TEXT).commit("begin");
    repository.git(&["tag", "release"]);
    let create = |path: &str, text: &str| Change::Create(vec![(path.to_owned(), text.to_owned())]);
    refused(&repository, None, &toggle("a"), "there is no policy `a` in commit", "spelling");
    refused(&repository, Some("mian"), &toggle("A"), "there is no revision `refs/heads/mian`", "");
    refused(&repository, Some("refs/tags/release"), &toggle("A"), "`refs/tags/release` is not a branch", "name a branch");
    refused(&repository, None, &create("other/b.yaml", &policy("B")), "`other/b.yaml` is not among the policy files", "lawbook.toml");
    refused(&repository, None, &create("policies/../policies/b.yaml", &policy("B")), "cannot be the path", "relative path");
    refused(&repository, None, &create("policies/a.yaml/b.yaml", &policy("B")), "leads through something", "");
    refused(&repository, None, &create("policies/b.yaml", "_id: [B"), "does not compile", "lawbook check");
    let plain = tempfile::tempdir().expect("a folder");
    let error = write(plain.path(), None, &toggle("A")).expect_err("refused");
    assert!(matches!(error, WriteError::Repository(RepositoryError::None { .. })), "{error}");
    assert_eq!(recover(plain.path()).expect("nothing to do"), Recovery::Nothing);
}

#[test]
fn a_law_book_that_requires_signatures_is_not_written_to() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", TEXT).write("lawbook.toml", "[history]\nrequire-signed = true\n").commit("begin");
    refused(&repository, None, &toggle("A"), "there is no key to sign this one with", "--commit-signing-key FILE");
}

#[test]
fn files_are_changed_together_or_not_at_all() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", TEXT).write("policies/b.yaml", policy("B")).commit("begin");
    let change = |path: &str, old: Option<&str>, new: Option<&str>| FileChange {
        path: path.to_owned(),
        old: old.map(str::to_owned),
        new: new.map(str::to_owned),
    };
    let (b, c) = (policy("B"), policy("C"));
    let find = |_: &lawbook::workspace::Workspace| {
        Ok(vec![change("policies/a.yaml", Some("outdated"), None), change("policies/c.yaml", None, Some(&c))])
    };
    refused(&repository, None, &Change::Other("Replace a by c", &find), "`policies/a.yaml` has changed", "repeat the change");
    let find =
        |_: &lawbook::workspace::Workspace| Ok(vec![change("policies/b.yaml", Some(&b), None), change("policies/c.yaml", None, Some(&c))]);
    write(&repository.path(), None, &Change::Other("Replace b by c", &find)).expect("writes");
    assert_eq!(repository.git(&["ls-files"]), "policies/a.yaml\npolicies/c.yaml");
    assert_eq!(repository.git(&["log", "-1", "--format=%s"]), "Replace b by c");
    sound(&repository);
    // Nothing to change is no commit.
    let head = repository.git(&["rev-parse", "HEAD"]);
    let written = write(&repository.path(), None, &Change::Other("Do nothing", &|_| Ok(Vec::new()))).expect("succeeds");
    assert_eq!((&written.commit, repository.git(&["rev-parse", "HEAD"])), (&head, head.clone()));
}

#[test]
fn writers_who_meet_all_get_their_commit() {
    let repository = Repository::new();
    for id in ["A", "B", "C", "D"] {
        repository.write(&format!("policies/{id}.yaml"), policy(id));
    }
    repository.commit("begin");
    let dir = repository.path();
    std::thread::scope(|scope| {
        for id in ["A", "B", "C", "D"] {
            let dir = &dir;
            scope.spawn(move || (0..5).for_each(|_| drop(write(dir, None, &toggle(id)).expect("writes"))));
        }
    });
    assert_eq!(repository.git(&["rev-list", "--count", "main"]), "21");
    sound(&repository);
    assert!(["A", "B", "C", "D"].iter().all(|id| repository.read(&format!("policies/{id}.yaml")).contains("enabled: false")));
}

/// A push can arrive between reading the tip and moving the branch: the change is made again on what has landed.
#[test]
fn a_change_is_made_again_when_the_branch_has_moved() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("begin");
    repository.git(&["branch", "live"]);
    let times = std::cell::Cell::new(0);
    let find = |workspace: &lawbook::workspace::Workspace| {
        times.set(times.get() + 1);
        if times.get() == 1 {
            let tip = repository.git(&["rev-parse", "live"]);
            let pushed = repository.git(&["commit-tree", "-p", &tip, "-m", "pushed", &format!("{tip}^{{tree}}")]);
            repository.git(&["update-ref", "refs/heads/live", &pushed]);
        }
        let count = workspace.book.set.policies().len();
        Ok(vec![FileChange { path: "policies/n.yaml".to_owned(), old: None, new: Some(policy(&format!("N{count}"))) }])
    };
    let written = write(&repository.path(), Some("live"), &Change::Other("Add n", &find)).expect("writes");
    assert_eq!(times.get(), 2);
    assert_eq!(repository.git(&["log", "--format=%s", &written.commit]), "Add n\npushed\nbegin");
}

#[test]
fn a_branch_that_never_rests_is_given_up() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("begin");
    let find = |_: &lawbook::workspace::Workspace| {
        let tip = repository.git(&["rev-parse", "main"]);
        let pushed = repository.git(&["commit-tree", "-p", &tip, "-m", "pushed", &format!("{tip}^{{tree}}")]);
        repository.git(&["update-ref", "refs/heads/main", &pushed]);
        Ok(vec![FileChange { path: "policies/new/n.yaml".to_owned(), old: None, new: Some(policy("N")) }])
    };
    let error = write(&repository.path(), None, &Change::Other("Add n", &find)).expect_err("given up");
    assert!(matches!(error, WriteError::Contended { attempts: 8, .. }) && error.is_conflict(), "{error}");
    assert!(!repository.path().join("policies/new").exists());
    sound(&repository);
}

#[test]
fn an_index_that_another_command_holds_is_waited_for_and_then_left() {
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("begin");
    let lock = repository.path().join(".git/index.lock");
    fs::write(&lock, "").expect("written");
    let error = write(&repository.path(), None, &toggle("A")).expect_err("busy");
    assert!(matches!(error, WriteError::Busy { .. }), "{error}");
    assert_eq!(fs::read(&lock).expect("still there"), b"");
    fs::remove_file(&lock).expect("removed");
    sound(&repository);
    assert_eq!(repository.git(&["rev-list", "--count", "main"]), "1");
    write(&repository.path(), None, &toggle("A")).expect("writes");
}
