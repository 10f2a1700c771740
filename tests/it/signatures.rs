//! Signatures of real commits, and what git says of the same ones.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use lawbook::history::Repository as Opened;
use lawbook::history::Signature;
use lawbook::history::SignatureStatus;
use lawbook::history::Signers;
use tempfile::TempDir;

use crate::repository::Repository;
use crate::repository::policy;
use crate::running::skipped;
use crate::signing::Keys;
use crate::signing::git_accepts;

const SIGNERS: &str = ".lawbook/allowed_signers";

fn judge(repository: &Repository, commit: &str) -> Signature {
    let opened = Opened::open(&repository.path()).expect("opens");
    Signers::new(&opened, "HEAD").expect("signers").signature(&opened, commit).expect("judged")
}

/// The status of a commit, its principal, and a part of the reason.
#[track_caller]
fn check(repository: &Repository, commit: &str, status: SignatureStatus, principal: Option<&str>, why: &str) {
    let found = judge(repository, commit);
    assert_eq!((found.status, found.principal.as_deref()), (status, principal), "{found:?}");
    assert!(
        found.why.as_deref().unwrap_or_default().contains(why) && found.why.is_some() != (status == SignatureStatus::Good)
            || status == SignatureStatus::None,
        "{found:?}"
    );
}

#[test]
fn every_kind_of_key_that_git_signs_with_is_verified() {
    let Some(keys) = Keys::new() else { return };
    let kinds: [(&str, &[&str]); 5] = [
        ("ed25519", &["ed25519"]),
        ("p256", &["ecdsa", "-b", "256"]),
        ("p384", &["ecdsa", "-b", "384"]),
        ("p521", &["ecdsa", "-b", "521"]),
        ("rsa", &["rsa", "-b", "2048"]),
    ];
    let repository = Repository::new();
    let mut signers = String::new();
    for (name, kind) in kinds {
        keys.make(name, kind);
        signers += &format!("{name}@example.com {}\n", keys.public(name));
    }
    repository.write(SIGNERS, signers).commit("begin");
    for (name, _) in kinds {
        // The numbers of an ECDSA signature are now and then a byte shorter.
        for round in 0..4 {
            let commit = repository.commit_signed(&keys, name, &format!("{name} {round}"));
            let expected = Signature {
                status: SignatureStatus::Good,
                principal: Some(format!("{name}@example.com")),
                key: Some(keys.fingerprint(name)),
                why: None,
            };
            assert_eq!(judge(&repository, &commit), expected);
            let raw =
                Command::new("git").args(["cat-file", "commit", &commit]).current_dir(repository.path()).output().expect("git").stdout;
            let forged = String::from_utf8(raw).expect("text").replace(&format!("{name} {round}"), "forged");
            let forged = repository.commit_raw(forged.as_bytes());
            check(&repository, &forged, SignatureStatus::Bad, None, "the signature does not fit the commit");
            assert!(!git_accepts(&repository, &forged, SIGNERS));
            repository.git(&["reset", "--quiet", "--hard", &commit]);
        }
    }
}

#[test]
fn no_commit_vouches_for_its_own_key() {
    let Some(keys) = Keys::new() else { return };
    keys.make("ann", &["ed25519"]).make("eve", &["ed25519"]);
    let repository = Repository::new();
    let (ann, eve) = (format!("ann@example.com {}\n", keys.public("ann")), format!("eve@example.com {}\n", keys.public("eve")));
    let root = repository.write(SIGNERS, &ann).commit_signed(&keys, "ann", "begin");
    check(&repository, &root, SignatureStatus::Untrusted, None, "it is the first commit");
    let adds = repository.write(SIGNERS, ann.clone() + &eve).commit_signed(&keys, "eve", "add myself");
    check(&repository, &adds, SignatureStatus::Untrusted, None, "its key is not there");
    let later = repository.commit_signed(&keys, "eve", "now known");
    check(&repository, &later, SignatureStatus::Good, Some("eve@example.com"), "");
    let removed = repository.write(SIGNERS, &ann).commit_signed(&keys, "eve", "my last one");
    check(&repository, &removed, SignatureStatus::Good, Some("eve@example.com"), "");
    let gone = repository.commit_signed(&keys, "eve", "too late");
    check(&repository, &gone, SignatureStatus::Untrusted, None, "its key is not there");
    check(&repository, &later, SignatureStatus::Good, Some("eve@example.com"), "");
    let unsigned = repository.commit("unsigned");
    check(&repository, &unsigned, SignatureStatus::None, None, "");
    repository.remove(SIGNERS).commit("no signers");
    let nobody = repository.commit_signed(&keys, "ann", "nobody is known");
    check(&repository, &nobody, SignatureStatus::Untrusted, None, "there is no such file");
}

#[test]
fn a_pin_vouches_for_a_commit_that_nobody_else_vouches_for() {
    let Some(keys) = Keys::new() else { return };
    keys.make("ann", &["ed25519"]);
    let repository = Repository::new();
    let root = repository.commit_signed(&keys, "ann", "begin");
    let unsigned = repository.commit("unsigned");
    repository.write("lawbook.toml", format!("[history]\npinned = [\"{root}\", \"{unsigned}\"]\n")).commit("pin");
    let found = judge(&repository, &root);
    assert_eq!((found.status, found.principal, found.key), (SignatureStatus::Good, None, Some(keys.fingerprint("ann"))));
    check(&repository, &unsigned, SignatureStatus::None, None, "");
}

#[test]
fn the_place_of_the_signers_is_the_one_that_the_parent_names() {
    let Some(keys) = Keys::new() else { return };
    keys.make("ann", &["ed25519"]);
    let repository = Repository::new();
    let line = format!("ann@example.com {}\n", keys.public("ann"));
    repository.write("law/keys/people", &line).write("law/lawbook.toml", "[history]\nallowed-signers = \"keys/people\"\n").commit("begin");
    let judged = |commit: &str| {
        let opened = Opened::open(&repository.path().join("law")).expect("opens");
        Signers::new(&opened, "HEAD").expect("signers").signature(&opened, commit).expect("judged")
    };
    let signed =
        repository.write("law/lawbook.toml", "[history]\nallowed-signers = \"elsewhere\"\n").commit_signed(&keys, "ann", "move it");
    assert_eq!(judged(&signed).status, SignatureStatus::Good);
    let after = repository.write("law/lawbook.toml", "[history\n").commit_signed(&keys, "ann", "break it");
    assert!(judged(&after).why.is_some_and(|why| why.starts_with("`elsewhere` of commit")));
    repository.write("law/elsewhere", &line).commit("put it there");
    let broken = repository.commit_signed(&keys, "ann", "while the configuration is broken");
    assert_eq!(judged(&broken).status, SignatureStatus::Good, "the last configuration that could be read holds");
}

/// Every line of allowed signers that matters, and whether it makes a commit of 2026-03-01 good, here and for git.
#[test]
fn the_verdict_is_the_one_of_git() {
    let Some(keys) = Keys::new() else { return };
    keys.make("ann", &["ed25519"]).make("bob", &["ed25519"]);
    let (ann, bob) = (keys.public("ann"), keys.public("bob"));
    let files = [
        (true, format!("ada@example.com {ann}")),
        (true, format!("somebody-else {ann} a comment")),
        (true, format!("*@example.com,!eve@example.com {ann}")),
        (true, format!("\"ada@example.com\" {ann}")),
        (true, format!("# keys\n\n  ada@example.com\t{ann}\r\nbob@example.com {bob}")),
        (true, format!("ada namespaces=\"git\" {ann}")),
        (true, format!("ada namespaces=\"file,git\",valid-after=\"20260101\",valid-before=\"20270101Z\" {ann}")),
        (true, format!("bob {bob}\nada {ann}")),
        (true, format!("ada valid-before=\"20260101\" {ann}\nada {ann}")),
        (true, format!("ada cert-authority {ann}\nada {ann}")),
        (false, String::new()),
        (false, format!("bob {bob}")),
        (false, format!("# ada {ann}")),
        (false, format!("ada namespaces=\"file\" {ann}")),
        (false, format!("ada valid-before=\"20260301\" {ann}")),
        (false, format!("ada valid-before=\"202603010900Z\" {ann}")),
        (false, format!("ada valid-after=\"20260302\" {ann}")),
        (false, format!("ada cert-authority {ann}")),
        (false, format!("ada unknown-option {ann}")),
        (false, format!("ada namespaces=git {ann}")),
        (false, format!("ada valid-before=\"tomorrow\" {ann}")),
        (false, ann.clone()),
        (false, "ada".to_owned()),
    ];
    for (expected, file) in files {
        let repository = Repository::new();
        repository.write(SIGNERS, &file).commit("begin");
        let commit = repository.commit_signed(&keys, "ann", "signed");
        assert_eq!(judge(&repository, &commit).status == SignatureStatus::Good, expected, "{file}\n{:?}", judge(&repository, &commit));
        assert_eq!(git_accepts(&repository, &commit, SIGNERS), expected, "git: {file}");
    }
}

/// A line that cannot be read vouches for nobody, and the others count.
#[test]
fn a_broken_line_does_not_break_the_file() {
    let Some(keys) = Keys::new() else { return };
    keys.make("ann", &["ed25519"]);
    let repository = Repository::new();
    repository.write(SIGNERS, format!("ann namespaces=\"git\nann valid-before=\"x\" {0}\nann {0}", keys.public("ann"))).commit("begin");
    let commit = repository.commit_signed(&keys, "ann", "signed");
    check(&repository, &commit, SignatureStatus::Good, Some("ann"), "");
    repository.write(SIGNERS, [0xff, 0xfe, 0, b'\n', b'x']).commit("break it");
    let commit = repository.commit_signed(&keys, "ann", "signed");
    check(&repository, &commit, SignatureStatus::Untrusted, None, "its key is not there");
}

/// A commit with what `ssh-keygen` made of something that is no commit.
#[test]
fn a_signature_for_something_else_is_not_one_of_a_commit() {
    let Some(keys) = Keys::new() else { return };
    keys.make("ann", &["ed25519"]).make("ca", &["ed25519"]);
    let repository = Repository::new();
    repository.write(SIGNERS, format!("ann {}\nann cert-authority {}\n", keys.public("ann"), keys.public("ca"))).commit("begin");
    let head = repository.git(&["cat-file", "commit", "HEAD"]) + "\n";
    let parent = repository.git(&["rev-parse", "HEAD"]);
    let body = head.replacen("author", &format!("parent {parent}\nauthor"), 1);
    let sign = |namespace: &str, key: &str| {
        let file = keys.file("message");
        fs::write(&file, &body).expect("written");
        drop(fs::remove_file(keys.file("message.sig")));
        keys.ssh_keygen(&[
            "-q",
            "-Y",
            "sign",
            "-n",
            namespace,
            "-f",
            keys.file(key).to_str().expect("UTF-8"),
            file.to_str().expect("UTF-8"),
        ]);
        fs::read_to_string(keys.file("message.sig")).expect("a signature")
    };
    let with = |header: &str, signature: &str| {
        let header = format!("{header} {}\n", signature.trim_end().replace('\n', "\n "));
        let commit = body.replacen("\n\n", &format!("\n{header}\n"), 1);
        repository.commit_raw(commit.as_bytes())
    };
    let (good, file) = (sign("git", "ann"), sign("file", "ann"));
    check(&repository, &with("gpgsig", &good), SignatureStatus::Good, Some("ann"), "");
    for (commit, status, why) in [
        (with("gpgsig", &file), SignatureStatus::Bad, "made for `file`, not for `git`"),
        (with("gpgsig-sha256", &good), SignatureStatus::Unverified, "SHA-256"),
        (with("gpgsig", &good.replacen("\nU1", "\nV1", 1)), SignatureStatus::Bad, "the signature is damaged"),
        (with("gpgsig", &good.replace("END SSH", "END")), SignatureStatus::Bad, "the signature is damaged"),
        (with("gpgsig", "-----BEGIN SIGNED MESSAGE-----\nx"), SignatureStatus::Unverified, "X.509"),
        (with("gpgsig", "hello"), SignatureStatus::Unverified, "no kind of signature"),
    ] {
        check(&repository, &commit, status, None, why);
        assert!(!git_accepts(&repository, &commit, SIGNERS), "{why}");
    }
    let twice = with(&format!("gpgsig {}\ngpgsig", good.trim_end().replace('\n', "\n ")), &good);
    check(&repository, &twice, SignatureStatus::Unverified, None, "several signatures");
    keys.make("certified", &["ed25519"]);
    keys.ssh_keygen(&["-q", "-s", "ca", "-I", "ann", "-n", "ann", "certified.pub"]);
    let by_certificate = sign("git", "certified-cert.pub");
    check(&repository, &with("gpgsig", &by_certificate), SignatureStatus::Unverified, None, "a certificate");
}

/// `gpg` with a folder of its own; its agent ends with it.
struct Gpg {
    home: TempDir,
}

impl Gpg {
    fn new() -> Option<Self> {
        if Command::new("gpg").arg("--version").output().is_err() {
            skipped("OpenPGP signatures need gpg (apt-get install gnupg)");
            return None;
        }
        let home = TempDir::new().expect("a temporary folder");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).expect("set");
        }
        Some(Self { home })
    }

    fn run(&self, arguments: &[&str], input: &str) -> String {
        let mut child = Command::new("gpg")
            .args(["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""])
            .args(arguments)
            .env("GNUPGHOME", self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("gpg runs");
        std::io::Write::write_all(&mut child.stdin.take().expect("piped"), input.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("gpg ends");
        assert!(output.status.success(), "gpg {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let stop = Command::new("gpgconf").args(["--kill", "all"]).env("GNUPGHOME", self.home.path()).status();
        drop(stop);
    }
}

/// What `lawbook audit` would be told, in a process of its own with the keys of this folder.
#[test]
fn openpgp_signatures_are_verified_by_gpg() {
    let Some(gpg) = Gpg::new() else { return };
    gpg.run(&["--quick-generate-key", "Ada <ada@example.com>", "ed25519", "sign", "never"], "");
    let repository = Repository::new();
    repository.write("policies/a.yaml", policy("A")).commit("begin");
    let home = format!("GNUPGHOME={}", gpg.home.path().display());
    let wrapper = gpg.home.path().join("gpg");
    fs::write(&wrapper, format!("#!/bin/sh\n{home} exec gpg --batch --pinentry-mode loopback --passphrase '' \"$@\"\n")).expect("written");
    executable(&wrapper);
    let program = format!("gpg.program={}", wrapper.display());
    repository.git(&["-c", &program, "-c", "user.signingKey=ada@example.com", "commit", "--quiet", "--allow-empty", "-S", "-m", "signed"]);
    let signed = repository.git(&["rev-parse", "HEAD"]);
    let raw = repository.git(&["cat-file", "commit", &signed]) + "\n";
    let forged = repository.commit_raw(raw.replace("signed", "forged").as_bytes());
    let fingerprint = gpg.run(&["--with-colons", "--list-keys"], "");
    let fingerprint = fingerprint.lines().find_map(|line| line.strip_prefix("fpr:")).expect("a fingerprint").trim_matches(':').to_owned();
    let told = |commit: &str| {
        let probe = std::env::current_exe().expect("this program");
        let output = Command::new(probe)
            .args(["--exact", "signatures::probe", "--nocapture"])
            .env("LAWBOOK_PROBE", format!("{} {commit}", repository.path().display()))
            .env("GNUPGHOME", gpg.home.path())
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.lines().find_map(|line| line.strip_prefix("judged: ")).unwrap_or_else(|| panic!("{said}")).to_owned()
    };
    assert_eq!(told(&signed), format!("good|Ada <ada@example.com>|{fingerprint}|"));
    assert!(told(&forged).starts_with("bad||"), "{}", told(&forged));
    gpg.run(&["--import-ownertrust"], &format!("{fingerprint}:2:\n"));
    assert_eq!(told(&signed), format!("untrusted||{fingerprint}|signed for `Ada <ada@example.com>`, but gpg does not trust its key"));
    gpg.run(&["--yes", "--delete-secret-and-public-key", &fingerprint], "");
    assert_eq!(told(&signed), format!("unverified||{fingerprint}|present, not verified: gpg does not have the key"));
}

/// Judges the commit that another test asks about, with the environment that it gives.
#[test]
fn probe() {
    let Some(asked) = std::env::var("LAWBOOK_PROBE").ok() else { return };
    let (dir, commit) = asked.rsplit_once(' ').expect("a folder and a commit");
    let opened = Opened::open(Path::new(dir)).expect("opens");
    let found = Signers::new(&opened, "HEAD").expect("signers").signature(&opened, commit).expect("judged");
    let text = |text: Option<String>| text.unwrap_or_default();
    println!("\njudged: {}|{}|{}|{}", found.status, text(found.principal), text(found.key), text(found.why));
}

fn executable(file: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("set");
    }
}

#[test]
fn many_are_judged_at_once_and_in_their_order() {
    let Some(keys) = Keys::new() else { return };
    keys.make("ann", &["ed25519"]);
    let repository = Repository::new();
    let mut commits = vec![repository.write(SIGNERS, format!("ann {}", keys.public("ann"))).commit("begin")];
    for at in 0..12 {
        commits.push(if at % 3 == 0 { repository.commit("unsigned") } else { repository.commit_signed(&keys, "ann", "signed") });
    }
    let opened = Opened::open(&repository.path()).expect("opens");
    let found = Signers::new(&opened, "HEAD").expect("signers").signatures(&opened, &commits).expect("judged");
    let statuses: Vec<_> = found.iter().map(|signature| signature.status.as_str()).collect();
    let expected: Vec<_> = std::iter::once("none").chain((0..12).map(|at| if at % 3 == 0 { "none" } else { "good" })).collect();
    assert_eq!(statuses, expected);
}
