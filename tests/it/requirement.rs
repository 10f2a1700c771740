//! `require-signed`: who is held to it, who is not, and that there is no way around it.

use std::path::Path;
use std::process::Command;

use lawbook::history::Breach;
use lawbook::history::Demand;
use lawbook::history::Lines;
use lawbook::history::Memory;
use lawbook::history::Repository as Opened;
use lawbook::history::SignatureStatus;
use lawbook::history::Trail;
use lawbook::history::breaches;

use crate::repository::Repository;
use crate::repository::policy;
use crate::signing::Keys;

const SIGNERS: &str = ".lawbook/allowed_signers";
const REQUIRED: &str = "[history]\nrequire-signed = true\n";

/// A law book that requires signatures since its second commit, with Ann as the one who may sign; none without `ssh-keygen`.
fn book() -> Option<(Repository, Keys)> {
    let keys = Keys::new()?;
    keys.make("ann", &["ed25519"]).make("eve", &["ed25519"]);
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("begin");
    repository.write(SIGNERS, signers(&keys, &["ann"])).write("lawbook.toml", REQUIRED).commit("require signatures");
    Some((repository, keys))
}

fn signers(keys: &Keys, names: &[&str]) -> String {
    names.iter().map(|name| format!("{name}@example.com {}\n", keys.public(name))).collect()
}

fn pinned(ids: &[&String]) -> String {
    let ids: Vec<_> = ids.iter().map(|id| format!("\"{id}\"")).collect();
    format!("{REQUIRED}pinned = [{}]\n", ids.join(", "))
}

fn found(dir: &Path, demand: Demand<'_>) -> Vec<Breach> {
    breaches(&Opened::open(dir).expect("opens"), "HEAD", demand).expect("a history")
}

/// The commits that are not in order, with and without what an earlier look has remembered, and each a part of its message.
#[track_caller]
fn check(repository: &Repository, demand: Demand<'_>, expected: &[(&str, &str)]) {
    let memory = repository.path().join(".git/lawbook/signed.json");
    for remembered in [true, false] {
        if !remembered {
            drop(std::fs::remove_file(&memory));
        }
        let found = found(&repository.path(), demand);
        let told: Vec<_> = found.iter().map(|breach| breach.commit.as_str()).collect();
        assert_eq!(told, expected.iter().map(|(commit, _)| *commit).collect::<Vec<_>>(), "{found:#?}");
        for (breach, (_, words)) in found.iter().zip(expected) {
            assert!(breach.message.contains(words), "{}", breach.message);
        }
    }
}

#[test]
fn who_came_before_the_requirement_is_not_held_to_it() {
    let Some((repository, keys)) = book() else { return };
    check(&repository, Demand::Written, &[]);
    check(&repository, Demand::Always, &[]);
    repository.write("README.md", "nothing of the law book").commit("elsewhere");
    repository.write("policies/a.yaml", policy("A") + "enabled: false\n").commit_signed(&keys, "ann", "switch a off");
    check(&repository, Demand::Written, &[]);
}

#[test]
fn every_file_of_the_law_book_counts() {
    for (path, text) in [
        ("policies/b.yaml", policy("B")),
        ("lawbook.toml", format!("{REQUIRED}# a comment\n")),
        ("directory.yaml", "users: []\n".to_owned()),
        (SIGNERS, "# nobody\n".to_owned()),
        // Another selection makes other files policies.
        ("lawbook.toml", format!("files = [\"other/*.yaml\"]\n{REQUIRED}")),
    ] {
        let Some((repository, _keys)) = book() else { return };
        let unsigned = repository.write(path, text).commit("unsigned");
        check(&repository, Demand::Written, &[(&unsigned, "`unsigned` by `Ada <ada@example.com>`, is not signed")]);
    }
}

#[test]
fn a_signature_has_to_be_good() {
    let Some((repository, keys)) = book() else { return };
    let eve = repository.write("policies/b.yaml", policy("B")).commit_signed(&keys, "eve", "by somebody else");
    let words = "has a signature that counts as `untrusted`: `.lawbook/allowed_signers` of commit";
    check(&repository, Demand::Written, &[(&eve, words)]);
}

#[test]
fn a_commit_that_takes_the_requirement_back_is_held_to_it() {
    let Some((repository, keys)) = book() else { return };
    let back = repository.write("lawbook.toml", "").commit("take it back");
    check(&repository, Demand::Written, &[(&back, "is not signed")]);
    let later = repository.write("policies/b.yaml", policy("B")).commit("and go on");
    check(&repository, Demand::Always, &[(&back, "is not signed"), (&later, "is not signed")]);
    // A tip that requires nothing, like its parent, is found where the requirement is demanded.
    check(&repository, Demand::Written, &[]);
    repository.git(&["reset", "--quiet", "--hard", "HEAD~2"]);
    let signed = repository.write("lawbook.toml", "").commit_signed(&keys, "ann", "take it back");
    check(&repository, Demand::Written, &[]);
    check(&repository, Demand::Always, &[(&signed, "does not require signatures, and it has to")]);
    repository.write("policies/b.yaml", policy("B")).commit("go on");
    check(&repository, Demand::Written, &[]);
}

#[test]
fn a_pin_of_a_signed_commit_accounts_for_one_that_is_not() {
    let Some((repository, keys)) = book() else { return };
    let one = repository.write("policies/b.yaml", policy("B")).commit("one");
    let two = repository.write("policies/c.yaml", policy("C")).commit("two");
    repository.write("policies/d.yaml", policy("D")).commit_signed(&keys, "ann", "in between");
    check(&repository, Demand::Written, &[(&one, "is not signed"), (&two, "is not signed")]);
    repository.write("lawbook.toml", pinned(&[&one])).commit_signed(&keys, "ann", "pin one of them");
    check(&repository, Demand::Written, &[(&one, "is not signed"), (&two, "is not signed")]);
    repository.write("lawbook.toml", pinned(&[&two, &one])).commit_signed(&keys, "ann", "pin both");
    check(&repository, Demand::Written, &[]);
    repository.write("lawbook.toml", REQUIRED).commit_signed(&keys, "ann", "what was accounted for stays so");
    check(&repository, Demand::Written, &[]);
}

/// With the keys of every parent alone, an unsigned commit could add a key, and a second one, signed with it, could pin the first.
#[test]
fn nobody_lets_themselves_in() {
    let Some((repository, keys)) = book() else { return };
    let adds = repository.write(SIGNERS, signers(&keys, &["ann", "eve"])).commit("add eve");
    let pins = repository.write("lawbook.toml", pinned(&[&adds])).commit_signed(&keys, "eve", "pin it");
    check(&repository, Demand::Written, &[(&adds, "is not signed"), (&pins, "counts as `untrusted`")]);
    // A signed commit on top, by somebody who has not looked, vouches for neither.
    repository.write("policies/b.yaml", policy("B")).commit_signed(&keys, "ann", "go on");
    let again = repository.write("lawbook.toml", pinned(&[&pins, &adds])).commit_signed(&keys, "eve", "pin all");
    check(&repository, Demand::Written, &[(&adds, "not signed"), (&pins, "untrusted"), (&again, "untrusted")]);
    repository.write("lawbook.toml", pinned(&[&adds, &pins, &again])).commit_signed(&keys, "ann", "they may");
    check(&repository, Demand::Written, &[]);
    repository.write("policies/c.yaml", policy("C")).commit_signed(&keys, "eve", "now eve may sign");
    check(&repository, Demand::Written, &[]);
}

/// The commits of the events, each with the status of its signature, and the commits that are not accounted for.
#[track_caller]
fn check_trail(repository: &Repository, statuses: &[SignatureStatus], unaccounted: &[&str]) {
    let opened = Opened::open(&repository.path()).expect("opens");
    for memory in [Memory::Counts, Memory::CountsNot] {
        let mut trail = Trail::read(&opened, "HEAD", Lines::Landed, &|_, _| ()).expect("a trail");
        let head = trail.head();
        trail.hold_to_requirement(&opened, memory).expect("judged");
        let found: Vec<SignatureStatus> = trail.events().iter().map(|event| event.landing.signature.status).collect();
        assert_eq!(found, statuses);
        assert_eq!(trail.unaccounted().iter().map(|(commit, _)| commit.as_str()).collect::<Vec<_>>(), unaccounted);
        assert_eq!(trail.head(), head, "signatures are not chained");
    }
}

/// A trail that judges by the file of the first parent alone calls good what `check` refuses: nothing tells of the commit that
/// added the key, because it changes no policy.
#[test]
fn the_trail_calls_nobody_good_who_let_themselves_in() {
    use SignatureStatus::Good;
    use SignatureStatus::None as Unsigned;
    use SignatureStatus::Untrusted;
    let Some((repository, keys)) = book() else { return };
    repository.write("policies/b.yaml", policy("B")).commit_signed(&keys, "ann", "one");
    check_trail(&repository, &[Unsigned, Good], &[]);
    let adds = repository.write(SIGNERS, signers(&keys, &["ann", "eve"])).commit("add eve");
    let uses = repository.write("policies/c.yaml", policy("C")).commit_signed(&keys, "eve", "use it");
    check_trail(&repository, &[Unsigned, Good, Untrusted], &[&adds, &uses]);
    // Nor does a pin count that nobody vouches for.
    let pins = repository.write("lawbook.toml", pinned(&[&adds, &uses])).commit("pin");
    check_trail(&repository, &[Unsigned, Good, Untrusted], &[&adds, &uses, &pins]);
    repository.write("lawbook.toml", pinned(&[&adds, &uses, &pins])).commit_signed(&keys, "ann", "they may");
    check_trail(&repository, &[Unsigned, Good, Good], &[]);
}

/// A commit from before the requirement, by a key that nobody knew, is not vouched for by a pin of somebody who may not sign.
#[test]
fn a_pin_that_nobody_signed_makes_nothing_good() {
    let Some(keys) = Keys::new() else { return };
    keys.make("ann", &["ed25519"]).make("eve", &["ed25519"]);
    let repository = Repository::new();
    let first = repository.write("policies/a.yaml", policy("A")).commit_signed(&keys, "eve", "begin");
    repository.write(SIGNERS, signers(&keys, &["ann"])).write("lawbook.toml", REQUIRED).commit("require signatures");
    let pins = repository.write("lawbook.toml", pinned(&[&first])).commit("pin the first one");
    check_trail(&repository, &[SignatureStatus::Untrusted], &[&pins]);
    repository.write("lawbook.toml", pinned(&[&first, &pins])).commit_signed(&keys, "ann", "it is all right");
    check_trail(&repository, &[SignatureStatus::Good], &[]);
}

#[test]
fn what_lands_by_a_merge_is_vouched_for_by_the_merge() {
    let Some((repository, keys)) = book() else { return };
    repository.git(&["checkout", "--quiet", "-b", "side"]);
    repository.write("policies/b.yaml", policy("B")).commit("unsigned, on the side");
    repository.git(&["checkout", "--quiet", "main"]);
    let key = format!("user.signingKey={}", keys.file("ann").display());
    repository.git(&["-c", "gpg.format=ssh", "-c", &key, "merge", "--quiet", "--no-ff", "-S", "-m", "merge", "side"]);
    check(&repository, Demand::Written, &[]);
    repository.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    repository.git(&["merge", "--quiet", "--no-ff", "-m", "merge", "side"]);
    let merge = repository.git(&["rev-parse", "HEAD"]);
    check(&repository, Demand::Written, &[(&merge, "`merge` by")]);
}

#[test]
fn what_is_served_may_not_be_left_behind() {
    let Some((repository, keys)) = book() else { return };
    let served = repository.git(&["rev-parse", "HEAD"]);
    check(&repository, Demand::After(&served), &[]);
    repository.write("policies/b.yaml", policy("B")).commit_signed(&keys, "ann", "go on");
    check(&repository, Demand::After(&served), &[]);
    repository.git(&["reset", "--quiet", "--hard", "HEAD~2"]);
    let older = repository.git(&["rev-parse", "HEAD"]);
    check(&repository, Demand::After(&served), &[(&older, "does not come after")]);
    // Two commits at once: one takes the requirement back, the other one makes use of it.
    repository.git(&["reset", "--quiet", "--hard", &served]);
    let back = repository.write("lawbook.toml", "").commit("take it back");
    let use_of_it = repository.write("policies/c.yaml", policy("C")).commit("make use of it");
    check(&repository, Demand::Written, &[]);
    check(&repository, Demand::After(&served), &[(&back, "is not signed"), (&use_of_it, "is not signed")]);
}

#[test]
fn a_history_that_is_not_all_there_is_no_answer() {
    let Some((repository, _keys)) = book() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let clone = folder.path().join("clone");
    let url = format!("file://{}", repository.path().display());
    repository.git(&["clone", "--quiet", "--depth", "1", &url, clone.to_str().expect("UTF-8")]);
    let error = breaches(&Opened::open(&clone).expect("opens"), "HEAD", Demand::Written).expect_err("no answer");
    let help = miette::Diagnostic::help(&error).expect("a help").to_string();
    assert!(error.to_string().contains("the clone is shallow") && help.contains("git fetch --unshallow"), "{error}; {help}");
}

/// The exit status, and what is said on both channels.
fn run(dir: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lawbook")).args(arguments).current_dir(dir).env("COLUMNS", "300").output();
    let output = output.expect("lawbook runs");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

#[test]
fn check_and_build_refuse_what_nobody_vouches_for() {
    let Some((repository, keys)) = book() else { return };
    let dir = repository.path();
    let out = tempfile::tempdir().expect("a folder");
    let (key, built) = (out.path().join("key"), out.path().join("built"));
    assert_eq!(run(&dir, &["key", "new", "--out", key.to_str().expect("UTF-8")]).0, Some(0));
    let build = ["build", "--sign", key.to_str().expect("UTF-8"), "--out", built.to_str().expect("UTF-8")];
    let check = ["check", "--require-signed", "--format", "concise"];
    assert_eq!(run(&dir, &check).0, Some(0), "{:?}", run(&dir, &check));
    assert_eq!(run(&dir, &build).0, Some(0), "{:?}", run(&dir, &build));

    let unsigned = repository.write("policies/b.yaml", policy("B")).commit("Add a grant");
    for command in [&check[..], &["check", "--format", "concise"], &["check", "--staged", "--require-signed", "--format", "concise"]] {
        let (status, said) = run(&dir, command);
        let line = format!(
            "lawbook.toml:2:18: error[unsigned-commit] commit `{}`, `Add a grant` by `Ada <ada@example.com>`, is not signed",
            &unsigned[..12]
        );
        assert!(status == Some(1) && said.contains(&line), "{said}");
    }
    // A hook would stop the commit that repairs it.
    assert_eq!(run(&dir, &["check", "--staged"]).0, Some(0));
    let (status, said) = run(&dir, &["check"]);
    assert!(status == Some(1) && said.contains("sign it: `git commit --amend -S`; or pin it in a signed commit"), "{said}");
    let (status, said) = run(&dir, &build);
    assert!(status == Some(1) && said.contains("unsigned-commit"), "{said}");
    assert_eq!(run(&dir, &["check", "--rev", "HEAD~1"]).0, Some(0));

    repository.write("lawbook.toml", pinned(&[&unsigned])).commit_signed(&keys, "ann", "It is all right");
    assert_eq!(run(&dir, &check).0, Some(0));
    assert_eq!(run(&dir, &build).0, Some(0));
    let plain = tempfile::tempdir().expect("a folder");
    std::fs::write(plain.path().join("lawbook.toml"), REQUIRED).expect("written");
    assert_eq!(run(plain.path(), &["check"]).0, Some(0), "there are no commits to hold");
    let (status, said) = run(plain.path(), &check);
    assert!(status == Some(2) && said.contains("is not in a git repository"), "{said}");
}
