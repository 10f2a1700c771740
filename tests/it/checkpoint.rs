//! Checkpoints against histories that were rewritten in every way that somebody may try, in real repositories.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use lawbook::bundle::SigningKey;
use lawbook::bundle::load_private;
use lawbook::checkpoint::Checkpoint;
use lawbook::history::Lines;
use lawbook::history::Repository as Opened;
use lawbook::history::Trail;
use serde_json::Value;
use tempfile::TempDir;

use crate::reports::schema;
use crate::reports::valid;
use crate::repository::Repository;
use crate::repository::git;
use crate::repository::policy;

/// When clones are made; git wants to know.
const LATER: i64 = 1_780_000_000;

/// A repository with six commits and four events, a key, a trust file, and a checkpoint of the whole in `c`.
pub struct Case {
    pub repository: Repository,
    pub files: TempDir,
}

impl Case {
    pub fn new() -> Self {
        let repository = Repository::new();
        repository.write("README.md", "nothing of ours").commit("Begin");
        repository.write("policies/a.yaml", policy("A")).commit("Add A");
        repository.write("policies/b.yaml", policy("B")).commit("Add B");
        repository.write("policies/a.yaml", policy("A").replace("staff", "board")).commit("Narrow A\n\nReviewed-by: Bob <bob@example.com>");
        repository.write("policies/b.yaml", policy("B") + "enabled: false\n").commit("Switch B off");
        repository.write("README.md", "still nothing of ours").commit("Explain");
        let case = Self { repository, files: tempfile::tempdir().expect("a folder") };
        let key = SigningKey::generate("audit").expect("a key");
        key.write_new(&case.file("k")).expect("written");
        assert_eq!(case.run(&["trust", "init", &case.name("trust.json"), "--key", &case.name("k.pub")]).0, 0);
        case.checkpoint("c");
        case
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    pub fn name(&self, name: &str) -> String {
        self.file(name).to_str().expect("UTF-8").to_owned()
    }

    pub fn key(&self) -> SigningKey {
        load_private(&self.file("k")).expect("a key")
    }

    /// Runs the program in the repository: its exit status, and what it says.
    pub fn run(&self, arguments: &[&str]) -> (i32, String) {
        run(&self.repository.path(), arguments)
    }

    pub fn checkpoint(&self, name: &str) {
        let (status, said) = self.run(&["audit", "checkpoint", "--key", &self.name("k"), "--output", &self.name(name)]);
        assert_eq!(status, 0, "{said}");
    }

    /// What a verification says for programs, with its exit status.
    #[track_caller]
    pub fn verify_in(&self, folder: &Path, more: &[&str]) -> (i32, Value) {
        let (trust, checkpoint) = (self.name("trust.json"), self.name("c"));
        let mut arguments = vec!["audit", "verify", "--format", "json"];
        if !more.contains(&"--checkpoint") {
            arguments.extend(["--checkpoint", &checkpoint]);
        }
        if !more.contains(&"--trust") && !more.contains(&"--public-key") {
            arguments.extend(["--trust", &trust]);
        }
        arguments.extend(more);
        let (status, said) = run(folder, &arguments);
        let value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{arguments:?} gives {status}: {said}"));
        valid(&schema("verification"), &value);
        assert_eq!(value["holds"], status != 1, "{value:#}");
        (status, value)
    }

    #[track_caller]
    fn verify(&self, more: &[&str]) -> (i32, Value) {
        self.verify_in(&self.repository.path(), more)
    }

    /// What a person is told.
    fn told(&self, more: &[&str]) -> String {
        let (trust, checkpoint) = (self.name("trust.json"), self.name("c"));
        self.run(&[&["audit", "verify", "--checkpoint", &checkpoint, "--trust", &trust], more].concat()).1
    }

    /// The commits, oldest first.
    fn commits(&self) -> Vec<String> {
        self.repository.git(&["rev-list", "--first-parent", "--reverse", "HEAD"]).lines().map(str::to_owned).collect()
    }

    /// Makes the branch anew: each commit is what `change` makes of its text, at its old position from 0, or is dropped.
    fn rewrite(&self, change: impl Fn(usize, String) -> Option<String>) {
        let mut parent: Option<String> = None;
        for (at, commit) in self.commits().into_iter().enumerate() {
            let text = self.repository.git(&["cat-file", "commit", &commit]) + "\n";
            let (head, message) = text.split_once("\n\n").expect("a message");
            let mut lines: Vec<String> = head.lines().filter(|line| !line.starts_with("parent ")).map(str::to_owned).collect();
            lines.splice(1..1, parent.iter().map(|id| format!("parent {id}")));
            if let Some(changed) = change(at, format!("{}\n\n{message}", lines.join("\n"))) {
                parent = Some(self.store("commit", changed.as_bytes()));
            }
        }
        self.repository.git(&["reset", "--quiet", "--hard", &parent.expect("a commit")]);
    }

    fn store(&self, kind: &str, bytes: &[u8]) -> String {
        let mut child = Command::new("git")
            .args(["hash-object", "-t", kind, "-w", "--literally", "--stdin"])
            .current_dir(self.repository.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("git runs");
        std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), bytes).expect("written");
        let output = child.wait_with_output().expect("git ends");
        String::from_utf8(output.stdout).expect("an id").trim().to_owned()
    }

    /// A clone that has only what the branch leads to.
    fn fresh_clone(&self) -> PathBuf {
        let name = format!("clone-{}", fs::read_dir(self.files.path()).expect("a folder").count());
        let from = format!("file://{}", self.repository.path().display());
        git(self.files.path(), LATER, &["clone", "--quiet", "--branch", "main", &from, &name]);
        self.file(&name)
    }
}

fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lawbook"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("SOURCE_DATE_EPOCH")
        .output()
        .expect("lawbook runs");
    let said = if output.status.code() == Some(2) { [output.stdout, output.stderr].concat() } else { output.stdout };
    (output.status.code().expect("an exit status"), String::from_utf8(said).expect("UTF-8"))
}

#[test]
fn a_history_that_went_on_is_what_was_signed() {
    let case = Case::new();
    let (status, value) = case.verify(&[]);
    assert_eq!((status, &value["checkpoints"][0]["verdict"]), (0, &Value::from("proven")));
    case.repository.write("policies/c.yaml", policy("C")).commit("Add C");
    case.checkpoint("later");
    for folder in [case.repository.path(), case.fresh_clone()] {
        let (status, value) = case.verify_in(&folder, &["--checkpoint", &case.name("c"), "--checkpoint", &case.name("later")]);
        let of = |at: usize, member: &str| value["checkpoints"][at][member].clone();
        assert_eq!(status, 0);
        assert_eq!((of(0, "commits_since"), of(0, "events_since")), (1.into(), 1.into()));
        assert_eq!((of(1, "commits_since"), of(1, "events_since")), (0.into(), 0.into()));
        assert_eq!((&value["history"]["commits"], &value["history"]["events"]), (&7.into(), &5.into()));
    }
    let (status, _) = case.verify(&["--public-key", &case.name("k.pub")]);
    assert_eq!(status, 0);
    assert!(case.told(&[]).starts_with("4 events up to commit "), "{}", case.told(&[]));
}

/// The place that is named with the old objects at hand, and without them.
#[track_caller]
fn check(case: &Case, position: u64, how: &str, number: Option<u64>, differs: &[&str]) {
    let signed = Checkpoint::clone(&signed(case));
    let was: String =
        signed.line.prefixes()[usize::try_from(position - 1).expect("fits")].iter().map(|byte| format!("{byte:02x}")).collect();
    let now = case.commits().get(usize::try_from(position - 1).expect("fits")).cloned();
    for (folder, known) in [(case.repository.path(), true), (case.fresh_clone(), false)] {
        let (status, value) = case.verify_in(&folder, &[]);
        let (found, place) = (&value["checkpoints"][0], &value["checkpoints"][0]["place"]);
        assert_eq!((status, &found["verdict"]), (1, &Value::from("rewritten")), "{value:#}");
        assert_eq!((&place["position"], &place["signed_prefix"]), (&Value::from(position), &Value::from(was.as_str())), "{place:#}");
        assert_eq!(place["now"]["id"].as_str(), now.as_deref());
        if known {
            assert_eq!((&place["how"], &place["number"]), (&Value::from(how), &Value::from(number)), "{place:#}");
            assert_eq!(place["differs"], Value::from(differs), "{place:#}");
            assert!(place["signed"]["id"].as_str().is_some_and(|id| id.starts_with(&was)), "{place:#}");
        } else {
            assert_eq!((&place["how"], &place["signed"]), (&Value::from("unknown"), &Value::Null), "{place:#}");
        }
    }
}

fn signed(case: &Case) -> Checkpoint {
    let trust = lawbook::bundle::Trust::load(&case.file("trust.json")).expect("trust");
    let opened = lawbook::checkpoint::Signed::open(&case.file("c"), &trust, jiff::Timestamp::now()).expect("read");
    opened.expect("signed").checkpoint
}

/// Rewrites the fourth commit, which is at position 4, and later ones only as far as they have other parents.
#[track_caller]
fn check_fourth(change: impl Fn(&Case, String) -> String, differs: &[&str]) {
    let case = Case::new();
    case.rewrite(|at, text| Some(if at == 3 { change(&case, text) } else { text }));
    check(&case, 4, "replaced", None, differs);
}

#[test]
fn the_commit_that_was_changed_is_named_and_in_what() {
    check_fourth(|_, text| text.replace("Narrow A", "Narrow  A"), &["message"]);
    check_fourth(|_, text| text.replace("author Ada", "author Eve"), &["author"]);
    check_fourth(|_, text| text.replace("committer Ada", "committer Eve"), &["committer"]);
    let dated = |_: &Case, text: String| {
        let (before, date) = text.split_once("committer Ada <ada@example.com> 177").expect("a date");
        format!("{before}committer Ada <ada@example.com> 176{date}")
    };
    check_fourth(dated, &["committer date"]);
    check_fourth(|_, text| text.replacen("+0100", "+0200", 1), &["author date"]);
    let other_tree = |case: &Case, text: String| {
        let tree = case.repository.git(&["rev-parse", "HEAD~3^{tree}"]);
        format!("tree {tree}\n{}", text.split_once('\n').expect("lines").1)
    };
    check_fourth(other_tree, &["content"]);
    let merged = |case: &Case, text: String| {
        let first = case.commits().swap_remove(0);
        text.replacen("\nauthor", &format!("\nparent {first}\nauthor"), 1)
    };
    check_fourth(merged, &["parents"]);
    check_fourth(|_, text| text.replacen("\n\n", "\ngpgsig forged\n\n", 1), &["signature"]);
    check_fourth(|_, text| text.replacen("\n\n", "\nnote hidden\n\n", 1), &["other headers"]);
    check_fourth(|_, text| text.replace("Narrow A", "Widen A").replace("author Ada", "author Eve"), &["message", "author"]);
}

#[test]
fn a_commit_that_was_dropped_or_put_in_is_told_from_one_that_was_changed() {
    let case = Case::new();
    case.rewrite(|at, text| (at != 2).then_some(text));
    check(&case, 3, "dropped", Some(1), &[]);
    let told = case.told(&[]);
    assert!(told.contains("history was rewritten at commit 3 of 5") && told.contains("1 commit was dropped here"), "{told}");
    let case = Case::new();
    case.rewrite(|at, text| (at != 2 && at != 3).then_some(text));
    check(&case, 3, "dropped", Some(2), &[]);
    let case = Case::new();
    case.rewrite(|at, text| (at != 0).then_some(text));
    check(&case, 1, "dropped", Some(1), &[]);
    assert!(case.told(&[]).contains("its first commit is another one"));
    let case = Case::new();
    let root = case.commits().swap_remove(0);
    case.repository.git(&["checkout", "--quiet", "-b", "other", &root]);
    case.repository.write("policies/z.yaml", policy("Z")).commit("Add Z unseen");
    case.repository.git(&["rebase", "--quiet", "other", "main"]);
    check(&case, 2, "inserted", Some(1), &[]);
}

#[test]
fn a_branch_that_git_rebased_is_another_history() {
    let case = Case::new();
    case.repository.git(&["rebase", "--quiet", "--onto", "HEAD~3", "HEAD~2", "main"]);
    check(&case, 4, "dropped", Some(1), &[]);
    let case = Case::new();
    case.repository.tick();
    case.repository.git(&["commit", "--quiet", "--amend", "--no-edit"]);
    check(&case, 6, "replaced", None, &["committer date"]);
}

#[test]
fn a_line_that_ends_early_and_one_that_was_merged_aside_are_not_called_rewritten() {
    let case = Case::new();
    let old = case.fresh_clone();
    git(&old, LATER, &["reset", "--quiet", "--hard", "HEAD~2"]);
    let (status, value) = case.verify_in(&old, &[]);
    assert_eq!((status, &value["checkpoints"][0]["verdict"]), (1, &Value::from("behind")));
    case.repository.git(&["checkout", "--quiet", "-b", "topic", "HEAD~2"]);
    case.repository.write("policies/d.yaml", policy("D")).commit("Add D");
    case.repository.git(&["merge", "--quiet", "--no-ff", "-m", "Merge main the other way round", "main"]);
    case.repository.write("policies/e.yaml", policy("E")).commit("Add E");
    case.repository.git(&["checkout", "--quiet", "-B", "main"]);
    let (status, value) = case.verify(&[]);
    let found = &value["checkpoints"][0];
    assert_eq!((status, &found["verdict"], &found["place"]["position"]), (1, &Value::from("aside"), &Value::from(6)), "{found:#}");
    assert_eq!(found["place"]["now"]["subject"], "Merge main the other way round");
}

#[test]
fn another_repository_branch_or_law_book_is_told_apart() {
    let case = Case::new();
    let other = Repository::new();
    other.write("policies/a.yaml", policy("A")).commit("Add A here");
    let (status, value) = case.verify_in(&other.path(), &[]);
    assert_eq!((status, &value["checkpoints"][0]["place"]["position"]), (1, &1.into()));
    case.repository.git(&["checkout", "--quiet", "-b", "dev", "HEAD~2"]);
    case.repository.write("policies/d.yaml", policy("D")).commit("Add D");
    let (status, value) = case.verify(&[]);
    assert_eq!((status, &value["history"]["ref"]), (0, &Value::from("refs/heads/main")), "the checkpoint says which branch it is of");
    let (status, value) = case.verify(&["--ref", "dev"]);
    assert_eq!((status, &value["checkpoints"][0]["place"]["position"]), (1, &5.into()));
    case.repository.git(&["branch", "--quiet", "-m", "main", "trunk"]);
    let (status, said) = case.run(&["audit", "verify", "--checkpoint", &case.name("c"), "--trust", &case.name("trust.json")]);
    assert!(status == 2 && said.contains("name the branch with `--ref`"), "{said}");
    case.repository.write("inner/policies/x.yaml", policy("X")).write("inner/lawbook.toml", "").commit("A second law book");
    let (status, said) = case.run(&["audit", "verify", "inner", "--checkpoint", &case.name("c"), "--trust", &case.name("trust.json")]);
    assert!(status == 2 && said.contains("name the folder of the law book that was signed"), "{said}");
}

#[test]
fn an_incomplete_history_is_neither_signed_nor_verified() {
    let case = Case::new();
    let from = format!("file://{}", case.repository.path().display());
    git(case.files.path(), LATER, &["clone", "--quiet", "--depth", "2", &from, "shallow"]);
    let shallow = case.file("shallow");
    for arguments in [
        &["audit", "checkpoint", "--key", &case.name("k"), "--output", &case.name("never")][..],
        &["audit", "verify", "--checkpoint", &case.name("c"), "--trust", &case.name("trust.json")][..],
    ] {
        let (status, said) = run(&shallow, arguments);
        assert!(status == 2 && said.contains("shallow") && said.contains("--unshallow"), "{said}");
    }
    assert!(!case.file("never").exists());
}

#[test]
fn a_checkpoint_that_nobody_trusted_signed_is_not_believed() {
    let case = Case::new();
    let reason = |more: &[&str]| {
        let (status, value) = case.verify(more);
        assert_eq!((status, &value["checkpoints"][0]["signed"]), (1, &Value::Null));
        value["checkpoints"][0]["reason"].as_str().expect("a reason").to_owned()
    };
    let stranger = SigningKey::generate("eve").expect("a key");
    stranger.write_new(&case.file("eve")).expect("written");
    assert_eq!(reason(&["--public-key", &case.name("eve.pub")]), "threshold-not-met");
    let (status, _) = case.run(&["audit", "checkpoint", "--key", &case.name("eve"), "--output", &case.name("forged")]);
    assert_eq!(status, 0);
    assert_eq!(reason(&["--checkpoint", &case.name("forged")]), "threshold-not-met");
    let expired = case.name("expired.json");
    assert_eq!(case.run(&["trust", "init", &expired, "--key", &case.name("k.pub"), "--expires-in", "1h"]).0, 0);
    let text = fs::read_to_string(&expired).expect("read");
    let at = text.find("\"expires\": \"").expect("a time") + 12;
    fs::write(&expired, format!("{}2020{}", &text[..at], &text[at + 4..])).expect("written");
    assert_eq!(reason(&["--trust", &expired]), "trust-expired");
    let (status, said) = case.run(&["audit", "verify", "--checkpoint", &case.name("c")]);
    assert!(status == 2 && said.contains("--trust"), "{said}");
    let (status, said) = case.run(&["audit", "verify", "--checkpoint", &case.name("none"), "--trust", &case.name("trust.json")]);
    assert!(status == 2 && said.contains("cannot be read"), "{said}");
}

#[test]
fn a_second_person_signs_what_they_see_themselves() {
    let case = Case::new();
    SigningKey::generate("second").expect("a key").write_new(&case.file("k2")).expect("written");
    let (both, keys) = (case.name("both.json"), ["k.pub", "k2.pub"].map(|name| case.name(name)));
    assert_eq!(case.run(&["trust", "init", &both, "--key", &keys[0], "--key", &keys[1], "--threshold", "2"]).0, 0);
    assert_eq!(case.verify(&["--trust", &both]).1["checkpoints"][0]["reason"], "threshold-not-met");
    let cosign = |name: &str| case.run(&["audit", "checkpoint", "--cosign", &case.name(name), "--key", &case.name("k2")]);
    fs::copy(case.file("c"), case.file("first")).expect("copied");
    assert_eq!(cosign("c").0, 0);
    let (status, value) = case.verify(&["--trust", &both]);
    assert_eq!((status, value["checkpoints"][0]["signed"]["by"].as_array().map(Vec::len)), (0, Some(2)));
    let (status, said) = cosign("c");
    assert!(status == 2 && said.contains("has signed already"), "{said}");
    case.repository.tick();
    case.repository.git(&["commit", "--quiet", "--amend", "--no-edit"]);
    let before = fs::read(case.file("first")).expect("read");
    let (status, said) = cosign("first");
    assert!(status == 1 && said.contains("history was rewritten at commit 6 of 6"), "{said}");
    assert_eq!(fs::read(case.file("first")).expect("read"), before, "what is not so is not signed");
    assert_eq!(cosign("trust.json").0, 1);
}

#[test]
fn no_byte_of_a_checkpoint_can_be_changed() {
    let case = Case::new();
    let trust = lawbook::bundle::Trust::load(&case.file("trust.json")).expect("trust");
    let (bytes, now) = (fs::read(case.file("c")).expect("read"), jiff::Timestamp::now());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(case.file("changed"), &changed).expect("written");
        let opened = lawbook::checkpoint::Signed::open(&case.file("changed"), &trust, now).expect("read");
        assert!(opened.is_err(), "byte {at}");
    }
}

#[test]
fn a_bundle_is_no_checkpoint_and_a_checkpoint_no_bundle() {
    let case = Case::new();
    let prefix = case.name("bundle");
    let (status, said) = case.run(&["build", "--sign", &case.name("k"), "--out", &prefix]);
    assert_eq!(status, 0, "{said}");
    let (status, value) = case.verify(&["--checkpoint", &format!("{prefix}.dsse.json")]);
    assert_eq!((status, &value["checkpoints"][0]["reason"]), (1, &Value::from("wrong-type")));
    fs::copy(case.file("c"), case.file("bundle.dsse.json")).expect("copied");
    let output = Command::new(env!("CARGO_BIN_EXE_lawbook")).args(["verify", &prefix, "--trust", &case.name("trust.json")]).output();
    let output = output.expect("lawbook runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("wrong-type"), "{said}");
}

#[test]
fn what_is_signed_and_what_is_told_of_the_same_commits_may_differ() {
    let case = Case::new();
    let opened = Opened::open(&case.repository.path()).expect("a repository");
    let trail = Trail::read(&opened, "main", Lines::Landed, &|_, _| ()).expect("a trail");
    let now = jiff::Timestamp::now();
    let good = Checkpoint::take(&opened, &trail, "refs/heads/main", "policies", now).expect("taken");
    let write = |name: &str, checkpoint: &Checkpoint| {
        lawbook::checkpoint::write(&case.file(name), &checkpoint.seal(&[case.key()]).expect("sealed")).expect("written");
    };
    write("other", &Checkpoint { seq: 3, ..good.clone() });
    let (status, value) = case.verify(&["--checkpoint", &case.name("other")]);
    assert_eq!((status, &value["checkpoints"][0]["verdict"]), (1, &Value::from("other-events")));
    write("future", &Checkpoint { chain: 2, ..good });
    let (status, value) = case.verify(&["--checkpoint", &case.name("future")]);
    assert_eq!((status, &value["checkpoints"][0]["verdict"]), (2, &Value::from("chain-unknown")));
    case.repository.tick();
    case.repository.git(&["commit", "--quiet", "--amend", "--no-edit"]);
    let (status, value) = case.verify(&["--checkpoint", &case.name("future")]);
    assert_eq!((status, &value["checkpoints"][0]["verdict"]), (1, &Value::from("rewritten")), "the line is compared all the same");
}

#[test]
fn a_law_book_without_an_event_has_a_checkpoint_too() {
    let case = Case::new();
    let empty = Repository::new();
    empty.write("lawbook.toml", "").commit("Begin");
    let (status, said) = run(&empty.path(), &["audit", "checkpoint", "--key", &case.name("k"), "--output", &case.name("zero")]);
    assert_eq!(status, 0, "{said}");
    empty.write("policies/a.yaml", policy("A")).commit("Add A");
    let (status, value) = case.verify_in(&empty.path(), &["--checkpoint", &case.name("zero")]);
    let signed = &value["checkpoints"][0]["signed"];
    assert_eq!((status, &signed["seq"], &signed["head"]), (0, &0.into(), &"0".repeat(64).into()));
    let nothing = Repository::new();
    nothing.write("README.md", "no law book").commit("Begin");
    let (status, said) = run(&nothing.path(), &["audit", "checkpoint", "--key", &case.name("k"), "--output", &case.name("never")]);
    assert!(status == 2 && said.contains("there is no law book"), "{said}");
}

#[test]
fn what_is_signed_is_a_name_that_moves_on() {
    let case = Case::new();
    for wrong in ["HEAD~1", &case.commits().swap_remove(2)] {
        let (status, said) = case.run(&["audit", "checkpoint", "--key", &case.name("k"), "--ref", wrong]);
        assert!(status == 2 && said.contains("name a branch or a tag"), "{said}");
    }
    let clone = case.fresh_clone();
    git(&clone, LATER, &["checkout", "--quiet", "--detach"]);
    let (status, said) = run(&clone, &["audit", "checkpoint", "--key", &case.name("k")]);
    assert!(status == 2 && said.contains("origin/main"), "{said}");
    let (status, sealed) = run(&clone, &["audit", "checkpoint", "--key", &case.name("k"), "--ref", "origin/main"]);
    assert_eq!(status, 0);
    fs::write(case.file("remote"), sealed).expect("written");
    let (status, value) = case.verify_in(&clone, &["--checkpoint", &case.name("remote")]);
    assert_eq!((status, &value["history"]["ref"]), (0, &Value::from("refs/remotes/origin/main")));
    let (status, said) = case.run(&["audit", "checkpoint", "--key", &case.name("k"), "--output", &case.name("c")]);
    assert!(status == 2 && said.contains("never overwritten"), "{said}");
}

/// `lawbook audit` got commands of its own; a folder is still a folder.
#[test]
fn the_trail_of_a_folder_is_shown_whatever_it_is_called() {
    let case = Case::new();
    let expected = case.run(&["audit"]);
    assert!(expected.1.ends_with("4 events\n"), "{}", expected.1);
    assert_eq!(case.run(&["audit", "policies/.."]), expected);
    assert_eq!(case.run(&["audit", ".", "--policy", "B"]).0, 0);
    assert_eq!(case.run(&["audit", "--ref", "main", "."]), expected);
    fs::create_dir(case.repository.path().join("verify")).expect("a folder");
    assert_eq!(case.run(&["audit", "./verify/.."]), expected);
    assert_eq!(case.run(&["audit", "--policy", "B", "verify", "--export", "x"]).0, 2);
}
