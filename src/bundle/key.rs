//! Ed25519 keys in OpenSSH files.
//!
//! People already have such keys, know how to keep them, and have `ssh-keygen` to look at them; so there is no key format of
//! our own. `ssh-key` reads and writes the files, and `aws-lc-rs` signs and verifies.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::encoding::Curve25519SeedBin;
use aws_lc_rs::signature::ED25519;
use aws_lc_rs::signature::Ed25519KeyPair;
use aws_lc_rs::signature::KeyPair as _;
use aws_lc_rs::signature::UnparsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ssh_key::LineEnding;
use ssh_key::private::Ed25519Keypair;
use ssh_key::private::Ed25519PrivateKey;
use ssh_key::private::KeypairData;
use ssh_key::public::Ed25519PublicKey;
use ssh_key::public::KeyData;

use crate::bundle::disk;
use crate::bundle::disk::Readers;
use crate::bundle::fingerprint::KeyId;

/// The only kind of key that is used.
pub const KEY_TYPE: &str = "ssh-ed25519";

/// An Ed25519 signature (RFC 8032).
pub type Signature = [u8; 64];

/// The largest key file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// What is wrong with a key or its file.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum KeyError {
    /// A file of that name is there already.
    #[error("`{}` exists already", path.display())]
    #[diagnostic(help("choose another name; a key is never overwritten"))]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("the key `{}` cannot be read: {problem}", path.display())]
    #[diagnostic(help("check that the file exists and that you may read it"))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        problem: io::Error,
    },
    /// The file cannot be written.
    #[error("the key `{}` cannot be written: {problem}", path.display())]
    #[diagnostic(help("check that the directory exists and that you may write there"))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        problem: io::Error,
    },
    /// Others may read the private key.
    #[error("the private key `{}` can be read by others (mode {mode:04o})", path.display())]
    #[diagnostic(help("run `chmod 600 {}`", path.display()))]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The public half was given where the private one is needed.
    #[error("`{}` is the public key", path.display())]
    #[diagnostic(help("sign with {}", private_of(path)))]
    Public {
        /// The file.
        path: PathBuf,
    },
    /// The private half was given where the public one is needed.
    #[error("`{}` is the private key", path.display())]
    #[diagnostic(help("give `{}.pub`, and keep the private key to yourself", path.display()))]
    Private {
        /// The file.
        path: PathBuf,
    },
    /// The private key needs a passphrase.
    #[error("the private key `{}` is encrypted", path.display())]
    #[diagnostic(help(
        "sign with a key without a passphrase: make one with `lawbook key new`, or decrypt a copy with `ssh-keygen -p -N ''`"
    ))]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// The key is of another kind.
    #[error("the key `{}` is not an `{KEY_TYPE}` key, and only those sign", path.display())]
    #[diagnostic(help("make a key with `lawbook key new`, or with `ssh-keygen -t ed25519`"))]
    Kind {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a key.
    #[error("`{}` is not a {expected} in OpenSSH format: {problem}", path.display())]
    #[diagnostic(help("give the file that `lawbook key new` or `ssh-keygen -t ed25519` wrote"))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was wanted.
        expected: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The system gives no key.
    #[error("no key can be made: the system's source of randomness failed")]
    #[diagnostic(help("try again, or make the key on another machine"))]
    Generate,
    /// The cryptographic library does not sign.
    #[error("the key `{id}` cannot sign")]
    #[diagnostic(help("try again; if it happens again, make a new key with `lawbook key new`"))]
    Sign {
        /// The key.
        id: KeyId,
    },
    /// A comment would not survive in the one line of a public key.
    #[error("the comment of a key must be one line of printable text")]
    #[diagnostic(help("give a comment such as `release key 2026`"))]
    Comment,
}

/// A key that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    bytes: [u8; 32],
    comment: String,
}

impl PublicKey {
    /// Reads the line of a `.pub` file: `ssh-ed25519`, base64, and perhaps a comment.
    ///
    /// # Errors
    ///
    /// What is wrong with the line, in words.
    pub fn parse(line: &str) -> Result<Self, String> {
        let key = ssh_key::PublicKey::from_openssh(line).map_err(|error| error.to_string());
        match key.as_ref().map(ssh_key::PublicKey::key_data) {
            Ok(KeyData::Ed25519(public)) => Ok(Self { bytes: public.0, comment: one_line(key?.comment()) }),
            // The library knows some other kinds of keys and not others, and says so in different ways.
            _ if !line.starts_with(KEY_TYPE) => Err(format!("it does not begin with `{KEY_TYPE}`, the only kind of key that is used")),
            Ok(_) => Err("its two parts name different kinds of keys".to_owned()),
            Err(error) => Err(error.clone()),
        }
    }

    /// The fingerprint, which names the key.
    pub fn id(&self) -> KeyId {
        KeyId::of(&KeyData::Ed25519(Ed25519PublicKey(self.bytes)))
    }

    /// The key itself (RFC 8032).
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The comment of the file it came from; may be empty.
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// The same key with another comment.
    pub(super) fn named(self, comment: &str) -> Self {
        Self { comment: one_line(comment), ..self }
    }

    /// `ssh-ed25519` and base64, without a comment: one text for one key.
    pub fn to_line(&self) -> String {
        // The wire format of RFC 8709: two strings, each behind its length.
        let mut blob = Vec::with_capacity(51);
        for part in [KEY_TYPE.as_bytes(), &self.bytes] {
            blob.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            blob.extend_from_slice(part);
        }
        format!("{KEY_TYPE} {}", STANDARD.encode(blob))
    }

    /// Whether the signature is by this key, over exactly these bytes.
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        UnparsedPublicKey::new(&ED25519, self.bytes).verify(message, signature).is_ok()
    }
}

/// A key that signs. Its debug form shows only the public half.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public.id()).finish()
    }
}

impl SigningKey {
    /// Makes a key. The comment goes into both files and becomes the name of the key in a trust root.
    ///
    /// # Errors
    ///
    /// When the comment is not one printable line, or the system has no randomness.
    pub fn generate(comment: &str) -> Result<Self, KeyError> {
        if comment.chars().any(char::is_control) || comment.trim() != comment {
            return Err(KeyError::Comment);
        }
        let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::Generate)?;
        let bytes = pair.public_key().as_ref().try_into().map_err(|_| KeyError::Generate)?;
        Ok(Self { pair, public: PublicKey { bytes, comment: comment.to_owned() } })
    }

    /// Writes `FILE` (only its owner may read it) and `FILE.pub`, both new.
    ///
    /// # Errors
    ///
    /// When either file exists, or cannot be written; then neither is left behind.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyError> {
        let public_path = disk::with_suffix(path, ".pub");
        if public_path.exists() {
            return Err(KeyError::Exists { path: public_path });
        }
        let private = self.to_openssh().map_err(|problem| KeyError::Write { path: path.to_owned(), problem })?;
        create(path, private.as_bytes(), Readers::Owner)?;
        let line = format!("{} {}", self.public.to_line(), self.public.comment);
        let written = create(&public_path, format!("{}\n", line.trim_end()).as_bytes(), Readers::Everybody);
        if written.is_err() {
            // The private key was made a moment ago and nobody has used it, so taking it back loses nothing.
            let _ = std::fs::remove_file(path);
        }
        written
    }

    /// The half that verifies.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The name of the key.
    pub fn id(&self) -> KeyId {
        self.public.id()
    }

    /// Signs a message.
    ///
    /// # Errors
    ///
    /// When the cryptographic library refuses, which it does for no known reason.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, KeyError> {
        let signature = self.pair.try_sign(message).map_err(|_| KeyError::Sign { id: self.id() })?;
        signature.as_ref().try_into().map_err(|_| KeyError::Sign { id: self.id() })
    }

    fn to_openssh(&self) -> io::Result<impl std::ops::Deref<Target = String> + use<>> {
        let seed: Curve25519SeedBin<'_> = self.pair.seed().and_then(|seed| seed.as_be_bytes()).map_err(io::Error::other)?;
        let private = Ed25519PrivateKey::try_from(seed.as_ref()).map_err(io::Error::other)?;
        let pair = Ed25519Keypair { public: Ed25519PublicKey(self.public.bytes), private };
        let key = ssh_key::PrivateKey::new(KeypairData::Ed25519(pair), self.public.comment.as_str()).map_err(io::Error::other)?;
        key.to_openssh(LineEnding::LF).map_err(io::Error::other)
    }
}

/// Reads an unencrypted `ssh-ed25519` private key that only its owner can read.
///
/// # Errors
///
/// When the file cannot be read, is readable by others, is encrypted, or is another kind of key.
pub fn load_private(path: &Path) -> Result<SigningKey, KeyError> {
    let file = File::open(path).map_err(|problem| KeyError::Read { path: path.to_owned(), problem })?;
    let mode = check_mode(path, &file);
    let bytes = disk::read_bounded(file, MAX_FILE_BYTES).map_err(|problem| KeyError::Read { path: path.to_owned(), problem })?;
    if str::from_utf8(&bytes).is_ok_and(|text| PublicKey::parse(text).is_ok()) {
        return Err(KeyError::Public { path: path.to_owned() });
    }
    mode?;
    let malformed = |problem: String| KeyError::Malformed { path: path.to_owned(), expected: "private key", problem };
    let key = ssh_key::PrivateKey::from_openssh(&bytes).map_err(|error| match error {
        ssh_key::Error::AlgorithmUnknown | ssh_key::Error::AlgorithmUnsupported { .. } => KeyError::Kind { path: path.to_owned() },
        _ => malformed(error.to_string()),
    })?;
    let pair = match key.key_data() {
        KeypairData::Ed25519(pair) => pair,
        KeypairData::Encrypted(_) => return Err(KeyError::Encrypted { path: path.to_owned() }),
        _ => return Err(KeyError::Kind { path: path.to_owned() }),
    };
    let bytes = pair.public.0;
    let comment = one_line(key.comment());
    let pair = Ed25519KeyPair::from_seed_and_public_key(pair.private.as_ref(), &bytes)
        .map_err(|_| malformed("its two halves do not belong together".to_owned()))?;
    Ok(SigningKey { pair, public: PublicKey { bytes, comment } })
}

/// Reads a `.pub` file.
///
/// # Errors
///
/// When the file cannot be read, or is not one `ssh-ed25519` key.
pub fn load_public(path: &Path) -> Result<PublicKey, KeyError> {
    let read = File::open(path).and_then(|file| disk::read_bounded(file, MAX_FILE_BYTES));
    let bytes = read.map_err(|problem| KeyError::Read { path: path.to_owned(), problem })?;
    if ssh_key::PrivateKey::from_openssh(&bytes).is_ok() {
        return Err(KeyError::Private { path: path.to_owned() });
    }
    let malformed = |problem: String| KeyError::Malformed { path: path.to_owned(), expected: "public key", problem };
    let text = String::from_utf8(bytes).map_err(|_| malformed("it is not text".to_owned()))?;
    PublicKey::parse(&text).map_err(malformed)
}

/// The private key that belongs to a public one, as far as the name of the file tells.
fn private_of(public: &Path) -> String {
    match public.extension() {
        Some(ending) if ending == "pub" => format!("`{}`", public.with_extension("").display()),
        _ => "the private key that it belongs to".to_owned(),
    }
}

/// A comment comes from a file of somebody else and is shown to people, so it keeps no control characters.
fn one_line(comment: &str) -> String {
    comment.chars().filter(|character| !character.is_control()).collect()
}

fn create(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), KeyError> {
    disk::create_new(path, bytes, readers).map_err(|problem| match problem.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists { path: path.to_owned() },
        _ => KeyError::Write { path: path.to_owned(), problem },
    })
}

#[cfg(unix)]
fn check_mode(path: &Path, file: &File) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = file.metadata().map_err(|problem| KeyError::Read { path: path.to_owned(), problem })?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyError::Permissions { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &File) -> Result<(), KeyError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn ssh_keygen(arguments: &[&str]) -> Option<String> {
        let output = Command::new("ssh-keygen").args(arguments).stdin(std::process::Stdio::null()).output().ok()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(String::from_utf8(output.stdout).unwrap())
    }

    /// `None`, with a word about it, where `ssh-keygen` is not installed.
    fn made_by_ssh_keygen(path: &Path, kind: &str, passphrase: &str) -> Option<()> {
        let made = ssh_keygen(&["-q", "-t", kind, "-N", passphrase, "-C", "ann@example.org", "-f", path.to_str().unwrap()]);
        if made.is_none() {
            // Not `eprintln!`, which is shown for failing tests only.
            let _: io::Result<()> =
                std::io::Write::write_all(&mut io::stderr(), b"skipped: keys of ssh-keygen need it (apt-get install openssh-client)\n");
        }
        made.map(drop)
    }

    #[cfg(unix)]
    fn set_mode(path: &Path, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_key_is_written_once_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("release");
        let key = SigningKey::generate("release key").unwrap();
        key.write_new(&path).unwrap();
        let loaded = load_private(&path).unwrap();
        assert_eq!(loaded.public(), key.public());
        assert_eq!(load_public(&directory.path().join("release.pub")).unwrap(), *key.public());
        assert!(key.public().verifies(b"message", &loaded.sign(b"message").unwrap()));
        assert!(!key.public().verifies(b"massage", &loaded.sign(b"message").unwrap()));
        assert!(matches!(key.write_new(&path), Err(KeyError::Exists { .. })));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(key.write_new(&path), Err(KeyError::Exists { .. })), "the public file alone is kept too");
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_private_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        SigningKey::generate("").unwrap().write_new(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for (mode, accepted) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o660, false)] {
            set_mode(&path, mode);
            assert_eq!(load_private(&path).is_ok(), accepted, "{mode:o}");
        }
        let error = load_private(&path).unwrap_err();
        assert!(error.to_string().contains("(mode 0660)"), "{error}");
        assert_eq!(miette::Diagnostic::help(&error).unwrap().to_string(), format!("run `chmod 600 {}`", path.display()));
    }

    #[test]
    fn keys_of_ssh_keygen_work_here() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("id");
        let Some(()) = made_by_ssh_keygen(&path, "ed25519", "") else { return };
        let key = load_private(&path).unwrap();
        assert_eq!(key.public(), &load_public(&directory.path().join("id.pub")).unwrap());
        assert_eq!(key.public().comment(), "ann@example.org");
        assert!(ssh_keygen(&["-l", "-f", path.to_str().unwrap()]).unwrap().contains(key.id().as_str()));
    }

    #[test]
    fn keys_made_here_work_with_ssh_keygen() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let key = SigningKey::generate("release key").unwrap();
        key.write_new(&path).unwrap();
        let Some(public) = ssh_keygen(&["-y", "-f", path.to_str().unwrap()]) else { return };
        assert_eq!(public.trim_end(), format!("{} release key", key.public().to_line()));
        let message = directory.path().join("message");
        std::fs::write(&message, "hello").unwrap();
        ssh_keygen(&["-q", "-Y", "sign", "-n", "file", "-f", path.to_str().unwrap(), message.to_str().unwrap()]).unwrap();
    }

    #[test]
    fn another_kind_of_key_is_refused_in_words() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let Some(()) = made_by_ssh_keygen(&at("locked"), "ed25519", "secret") else { return };
        assert!(matches!(load_private(&at("locked")), Err(KeyError::Encrypted { .. })));
        for kind in ["ecdsa", "rsa"] {
            made_by_ssh_keygen(&at(kind), kind, "").unwrap();
            assert!(matches!(load_private(&at(kind)), Err(KeyError::Kind { .. })), "{kind}");
            let error = load_public(&at(&format!("{kind}.pub"))).unwrap_err();
            assert!(error.to_string().contains("ssh-ed25519"), "{error}");
        }
    }

    #[test]
    fn what_is_not_a_key_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        assert!(matches!(load_private(&path), Err(KeyError::Read { .. })));
        for text in [&b""[..], b"ssh-ed25519", b"ssh-ed25519 AAAA x", b"-----BEGIN OPENSSH PRIVATE KEY-----\n", b"\xff\xfe"] {
            disk::replace(&path, text, Readers::Owner).unwrap();
            assert!(matches!(load_private(&path), Err(KeyError::Malformed { .. })), "{text:?}");
            assert!(matches!(load_public(&path), Err(KeyError::Malformed { .. })), "{text:?}");
        }
        disk::replace(&path, &[b'a'; 70_000], Readers::Owner).unwrap();
        assert!(matches!(load_private(&path), Err(KeyError::Read { .. })));
        assert!(matches!(SigningKey::generate("two\nlines"), Err(KeyError::Comment)));
    }

    #[test]
    fn a_comment_cannot_reach_the_terminal() {
        let line = SigningKey::generate("").unwrap().public().to_line();
        assert_eq!(PublicKey::parse(&format!("{line} ann\u{1b}[31m")).map(|key| key.comment().to_owned()), Ok("ann[31m".to_owned()));
    }
}
