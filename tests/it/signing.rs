//! Keys and signers for tests: made by the programs that people use, in folders of their own.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use tempfile::TempDir;

use crate::repository::Repository;
use crate::running::skipped;

/// Keys by name, in a temporary folder.
pub struct Keys {
    folder: TempDir,
}

impl Keys {
    /// `None`, with a word about it, where `ssh-keygen` is not installed.
    pub fn new() -> Option<Self> {
        if Command::new("ssh-keygen").arg("-?").stdin(Stdio::null()).output().is_err() {
            skipped("signed commits need ssh-keygen (apt-get install openssh-client)");
            return None;
        }
        Some(Self { folder: TempDir::new().expect("a temporary folder") })
    }

    /// Makes a key, with these arguments for its kind.
    #[track_caller]
    pub fn make(&self, name: &str, kind: &[&str]) -> &Self {
        let file = self.file(name);
        self.ssh_keygen(&[&["-q", "-N", "", "-C", name, "-f", file.to_str().expect("UTF-8"), "-t"], kind].concat());
        self
    }

    #[track_caller]
    pub fn ssh_keygen(&self, arguments: &[&str]) -> String {
        let output = Command::new("ssh-keygen").args(arguments).current_dir(self.folder.path()).stdin(Stdio::null()).output();
        let output = output.expect("ssh-keygen runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// The file of a private key.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Kind and base64 of a public key.
    pub fn public(&self, name: &str) -> String {
        let line = fs::read_to_string(self.file(name).with_extension("pub")).expect("a public key");
        line.split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    /// `SHA256:…` of a key, as `ssh-keygen` says it.
    pub fn fingerprint(&self, name: &str) -> String {
        let shown = self.ssh_keygen(&["-l", "-f", self.file(name).to_str().expect("UTF-8")]);
        shown.split(' ').nth(1).expect("a fingerprint").to_owned()
    }
}

impl Repository {
    /// Commits everything as it is on disk, signed with a key, and gives the id.
    #[track_caller]
    pub fn commit_signed(&self, keys: &Keys, key: &str, message: &str) -> String {
        let key = format!("user.signingKey={}", keys.file(key).display());
        self.git(&["add", "--all"]);
        self.git(&["-c", "gpg.format=ssh", "-c", &key, "commit", "--quiet", "--allow-empty", "-S", "-m", message]);
        self.tick();
        self.git(&["rev-parse", "HEAD"])
    }

    /// Stores a commit as these bytes, makes it the tip, and gives its id.
    #[track_caller]
    pub fn commit_raw(&self, bytes: &[u8]) -> String {
        let file = self.path().join(".git").join("raw");
        fs::write(&file, bytes).expect("written");
        let id = self.git(&["hash-object", "-t", "commit", "-w", "--literally", ".git/raw"]);
        self.git(&["update-ref", "HEAD", &id]);
        id
    }
}

/// What `git verify-commit` says, by the allowed signers of the first parent.
pub fn git_accepts(repository: &Repository, commit: &str, signers: &str) -> bool {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("signers");
    let shown = Command::new("git").args(["show", &format!("{commit}^:{signers}")]).current_dir(repository.path()).output();
    fs::write(&file, shown.expect("git runs").stdout).expect("written");
    verify_commit(&repository.path(), commit, &file)
}

/// Whether `git verify-commit` accepts a commit by a file of allowed signers.
pub fn verify_commit(dir: &Path, commit: &str, signers: &Path) -> bool {
    let output = Command::new("git")
        .args(["-c", &format!("gpg.ssh.allowedSignersFile={}", signers.display()), "verify-commit", commit])
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("TZ", "UTC")
        .output();
    output.expect("git runs").status.success()
}
