//! A change that is interrupted after each of its steps, and what the next start makes of it.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::checkout::Step;
use super::*;
use crate::history::CommitTime;
use crate::history::Person;

const TEXT: &str = "# who reads\n_id: A # the id\nservice: report\nactions: [read]\nmembers: [staff]\nenabled: true # for now\n";

#[track_caller]
fn git(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "core.autocrlf=false"])
        .args(arguments)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env_remove("GIT_DIR")
        .env_remove("GIT_INDEX_FILE")
        .output()
        .expect("git runs");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

fn repository() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    git(folder.path(), &["init", "--quiet", "--initial-branch=main"]);
    fs::create_dir(folder.path().join("policies")).expect("made");
    fs::write(folder.path().join("policies/a.yaml"), TEXT).expect("written");
    git(folder.path(), &["add", "--all"]);
    git(folder.path(), &["commit", "--quiet", "-m", "begin"]);
    folder
}

fn authorship() -> Authorship {
    let person = |name: &str| Person { name: name.to_owned(), email: format!("{name}@example.com") };
    let (author, committer) = (person("grace"), person("server"));
    Authorship { author, committer, at: CommitTime::new(1_772_359_200, 0), request_id: None, client_ip: None, reason: None }
}

fn kill_after(dir: &Path, change: &Change<'_>, last: Step) {
    let killed =
        write_stepwise(dir, None, change, &authorship(), None, &|step| if step == last { Err(WriteError::Killed) } else { Ok(()) });
    assert!(matches!(killed, Err(WriteError::Killed)), "{last:?}: {killed:?}");
}

/// Nothing is left of what was needed on the way, and git is content.
#[track_caller]
fn sound(dir: &Path) {
    assert_eq!(git(dir, &["status", "--porcelain", "--untracked-files=all"]), "");
    git(dir, &["fsck", "--strict"]);
    let left: Vec<_> = fs::read_dir(dir.join(".git/lawbook")).expect("there").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["lock"]);
    assert!(!dir.join(".git/index.lock").exists());
    git(dir, &["update-ref", "HEAD", "HEAD"]);
}

const BEFORE: [Step; 5] = [Step::Journal, Step::Lock, Step::Files, Step::Index, Step::Taken];
const AFTER: [Step; 3] = [Step::Branch, Step::FilesInPlace, Step::IndexInPlace];

fn changes() -> [(Change<'static>, &'static str, &'static str); 3] {
    let create = Change::Create(vec![("policies/new/b.yaml".to_owned(), TEXT.replace("_id: A", "_id: B"))]);
    let remove: Find<'static> = &|_| Ok(vec![FileChange { path: "policies/a.yaml".to_owned(), old: Some(TEXT.to_owned()), new: None }]);
    [
        (Change::Toggle("A".to_owned()), "policies/a.yaml", "enabled: false # for now"),
        (create, "policies/new/b.yaml", "_id: B # the id"),
        (Change::Other("Remove a", remove), "policies/a.yaml", ""),
    ]
}

#[test]
fn a_change_that_is_killed_before_the_branch_moves_never_was() {
    for (change, path, _) in changes() {
        for step in BEFORE {
            let folder = repository();
            let dir = folder.path();
            let (head, before) = (git(dir, &["rev-parse", "HEAD"]), fs::read(dir.join(path)).ok());
            kill_after(dir, &change, step);
            fs::write(dir.join(".git/lawbook/copy.lock"), "half an index").expect("written");
            assert_eq!(recover(dir).expect("recovers"), Recovery::Undone, "{step:?}");
            assert_eq!(git(dir, &["rev-parse", "HEAD"]), head);
            assert_eq!(fs::read(dir.join(path)).ok(), before, "{step:?}");
            assert!(!dir.join("policies/new").exists(), "{step:?}");
            sound(dir);
            assert_eq!(recover(dir).expect("recovers"), Recovery::Nothing);
        }
    }
}

#[test]
fn a_change_that_is_killed_after_the_branch_moved_is_completed() {
    for (change, path, expected) in changes() {
        for step in AFTER {
            let folder = repository();
            let dir = folder.path();
            kill_after(dir, &change, step);
            let head = git(dir, &["rev-parse", "HEAD"]);
            fs::write(dir.join(".git/lawbook/copy.lock"), "half an index").expect("written");
            assert_eq!(recover(dir).expect("recovers"), Recovery::Completed(head.clone()), "{step:?}");
            assert_eq!(git(dir, &["rev-list", "--count", "HEAD"]), "2");
            let text = fs::read_to_string(dir.join(path)).unwrap_or_default();
            assert!(text.contains(expected) && text.is_empty() == expected.is_empty(), "{step:?}: {text}");
            sound(dir);
        }
    }
}

#[test]
fn the_next_change_settles_an_interrupted_one_first() {
    for step in BEFORE.into_iter().chain(AFTER) {
        let folder = repository();
        let dir = folder.path();
        kill_after(dir, &Change::Toggle("A".to_owned()), step);
        let written = write(dir, None, &Change::Toggle("A".to_owned()), &authorship()).expect("writes");
        // What never was is done now, and what was is taken back.
        assert_eq!(written.enabled, Some(AFTER.contains(&step)), "{step:?}");
        sound(dir);
    }
}

#[test]
fn a_file_that_was_edited_after_the_kill_is_left_alone_and_seen_by_git() {
    for step in [Step::Branch, Step::FilesInPlace, Step::IndexInPlace] {
        let folder = repository();
        let dir = folder.path();
        kill_after(dir, &Change::Toggle("A".to_owned()), step);
        // As long as what was committed, so that only its content tells.
        let edited = TEXT.replace("staff", "board").replace("true #", "false#");
        fs::write(dir.join("policies/a.yaml"), &edited).expect("written");
        recover(dir).expect("recovers");
        assert_eq!(fs::read_to_string(dir.join("policies/a.yaml")).expect("read"), edited, "{step:?}");
        assert_eq!(git(dir, &["status", "--porcelain"]), " M policies/a.yaml", "{step:?}");
        git(dir, &["fsck", "--strict"]);
    }
}

#[test]
fn a_lock_of_somebody_else_is_not_taken_for_ours() {
    let folder = repository();
    let dir = folder.path();
    kill_after(dir, &Change::Toggle("A".to_owned()), Step::IndexInPlace);
    // The index is in place, and somebody is about to replace it by the very same content.
    fs::copy(dir.join(".git/index"), dir.join(".git/index.lock")).expect("copied");
    let error = recover(dir).expect_err("busy");
    assert!(matches!(error, WriteError::Busy { .. }), "{error}");
    assert!(dir.join(".git/index.lock").exists());
    fs::remove_file(dir.join(".git/index.lock")).expect("removed");
    assert!(matches!(recover(dir).expect("recovers"), Recovery::Completed(_)));
    sound(dir);
}

#[test]
fn a_journal_that_cannot_be_read_is_an_error_that_names_it() {
    let folder = repository();
    write(folder.path(), None, &Change::Toggle("A".to_owned()), &authorship()).expect("writes");
    fs::write(folder.path().join(".git/lawbook/journal.json"), "{").expect("written");
    let error = recover(folder.path()).expect_err("broken");
    assert!(error.to_string().contains("lawbook/journal.json` cannot be read"), "{error}");
}

/// The branch was seen not to be checked out, and moved alone under a worktree that had been switched to it meanwhile: there the
/// reverse of the change was staged, and the next commit took it back.
#[test]
fn a_branch_that_is_checked_out_meanwhile_moves_with_its_worktree() {
    let folder = repository();
    let dir = folder.path();
    git(dir, &["branch", "live"]);
    let switch = |step: Step| {
        if step == Step::Made && git(dir, &["branch", "--show-current"]) == "main" {
            git(dir, &["checkout", "--quiet", "live"]);
        }
        Ok(())
    };
    let written = write_stepwise(dir, Some("live"), &Change::Toggle("A".to_owned()), &authorship(), None, &switch).expect("writes");
    assert_eq!(git(dir, &["rev-parse", "HEAD"]), written.commit);
    assert!(fs::read_to_string(dir.join("policies/a.yaml")).expect("read").contains("enabled: false"));
    sound(dir);
}

#[test]
fn nobody_checks_out_a_branch_while_it_moves_alone() {
    let folder = repository();
    let dir = folder.path();
    git(dir, &["branch", "live"]);
    let toggle = Change::Toggle("A".to_owned());
    let seen = std::cell::Cell::new(false);
    let look = |step: Step| {
        if step == Step::Head {
            seen.set(dir.join(".git/HEAD.lock").exists());
        }
        Ok(())
    };
    write_stepwise(dir, Some("live"), &toggle, &authorship(), None, &look).expect("writes");
    assert!(seen.get(), "git finds `HEAD` held");
    sound(dir);
    // What a killed writer held is let go of by the next one, and what somebody else holds is not.
    let kill = |step: Step| if step == Step::Head { Err(WriteError::Killed) } else { Ok(()) };
    let killed = write_stepwise(dir, Some("live"), &toggle, &authorship(), None, &kill);
    assert!(matches!(killed, Err(WriteError::Killed)) && dir.join(".git/HEAD.lock").exists());
    assert_eq!(recover(dir).expect("recovers"), Recovery::Nothing);
    assert!(!dir.join(".git/HEAD.lock").exists());
    fs::write(dir.join(".git/HEAD.lock"), "").expect("written");
    let error = write(dir, Some("live"), &toggle, &authorship()).expect_err("held");
    assert!(matches!(error, WriteError::Contended { .. }), "{error}");
    assert!(dir.join(".git/HEAD.lock").exists());
    fs::remove_file(dir.join(".git/HEAD.lock")).expect("removed");
    sound(dir);
}

/// A server that was killed while it moved the branch left a lock that neither git nor the next write could get past.
#[test]
fn a_branch_that_was_held_by_a_killed_writer_is_let_go_of() {
    for (branch, lock) in [("live", "refs/heads/live.lock"), ("a/b", "refs/heads/a/b.lock")] {
        let folder = repository();
        let dir = folder.path();
        git(dir, &["branch", branch]);
        git(dir, &["pack-refs", "--all", "--prune"]);
        let lock = dir.join(".git").join(lock);
        let toggle = Change::Toggle("A".to_owned());
        let kill = |step: Step| if step == Step::Taken { Err(WriteError::Killed) } else { Ok(()) };
        let killed = write_stepwise(dir, Some(branch), &toggle, &authorship(), None, &kill);
        assert!(matches!(killed, Err(WriteError::Killed)) && lock.exists(), "{killed:?}");
        assert_eq!(recover(dir).expect("recovers"), Recovery::Nothing);
        assert!(!lock.exists());
        sound(dir);
        // Or by the next write.
        let killed = write_stepwise(dir, Some(branch), &toggle, &authorship(), None, &kill);
        assert!(matches!(killed, Err(WriteError::Killed)) && lock.exists(), "{killed:?}");
        let written = write(dir, Some(branch), &toggle, &authorship()).expect("writes");
        assert_eq!(git(dir, &["rev-parse", branch]), written.commit);
        sound(dir);
        // What somebody else holds is not.
        fs::write(&lock, "").expect("written");
        let error = write(dir, Some(branch), &toggle, &authorship()).expect_err("held");
        assert!(matches!(error, WriteError::Contended { .. }) && lock.exists(), "{error}");
        assert_eq!(recover(dir).expect("recovers"), Recovery::Nothing);
        assert!(lock.exists());
        fs::remove_file(lock).expect("removed");
        sound(dir);
    }
}

#[test]
fn a_branch_has_the_log_that_git_would_write() {
    let toggle = Change::Toggle("A".to_owned());
    for (setting, lines) in [("true", 2), ("always", 2), ("false", 1)] {
        let folder = repository();
        let dir = folder.path();
        git(dir, &["config", "core.logAllRefUpdates", setting]);
        git(dir, &["config", "user.name", "Ada Byron"]);
        git(dir, &["config", "user.email", "ada@example.com"]);
        let written = write(dir, None, &toggle, &authorship()).expect("writes");
        for name in ["main", "HEAD"] {
            let log = git(dir, &["reflog", "--format=%H %gn <%ge> %gs", name]);
            assert_eq!(log.lines().count(), lines, "{setting}: {log}");
            let expected = format!("{} Ada Byron <ada@example.com> lawbook: Disable A", written.commit);
            assert_eq!(log.lines().next() == Some(&expected), lines == 2, "{log}");
        }
        assert_eq!(git(dir, &["rev-parse", "main"]), written.commit);
        sound(dir);
    }
    // Where the branch is not checked out, the log of `HEAD` is none of its business; and a bare repository has none at all.
    let folder = repository();
    let dir = folder.path();
    git(dir, &["branch", "live"]);
    write(dir, Some("live"), &toggle, &authorship()).expect("writes");
    assert_eq!(git(dir, &["reflog", "live"]).lines().count(), 2);
    assert_eq!(git(dir, &["reflog", "HEAD"]).lines().count(), 1);
    git(dir, &["clone", "--quiet", "--bare", ".", "bare.git"]);
    write(&dir.join("bare.git"), Some("main"), &toggle, &authorship()).expect("writes");
    assert_eq!(git(&dir.join("bare.git"), &["reflog", "main"]), "");
}

/// An edit of another file of the same size, in the second in which the index was written, was invisible to `git status` for
/// ever after, because the new index was newer than it.
#[test]
fn an_edit_that_looks_like_none_is_still_seen_after_a_change() {
    let folder = repository();
    let dir = folder.path();
    git(dir, &["config", "core.trustctime", "false"]);
    let (other, index) = (dir.join("other"), dir.join(".git/index"));
    let then = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_359_200);
    let back_then = |path: &Path| fs::File::options().write(true).open(path).and_then(|file| file.set_modified(then)).expect("set");
    fs::write(&other, "one").expect("written");
    back_then(&other);
    git(dir, &["add", "other"]);
    git(dir, &["commit", "--quiet", "-m", "other"]);
    fs::write(&other, "two").expect("written");
    back_then(&other);
    back_then(&index);
    write(dir, None, &Change::Toggle("A".to_owned()), &authorship()).expect("writes");
    assert_eq!(git(dir, &["status", "--porcelain"]), " M other");
}
