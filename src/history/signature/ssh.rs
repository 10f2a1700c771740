//! SSH signatures (OpenSSH, `PROTOCOL.sshsig`): read and verified.
//!
//! Keys are told apart by their bytes on the wire. The signatures themselves are verified by `aws-lc-rs`, which does all
//! kinds of keys that OpenSSH signs with today; RSA only with SHA-2, as `ssh-keygen` has it too.

use std::fmt;

use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED;
use aws_lc_rs::signature::ECDSA_P384_SHA384_FIXED;
use aws_lc_rs::signature::ECDSA_P521_SHA512_FIXED;
use aws_lc_rs::signature::ED25519;
use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA512;
use aws_lc_rs::signature::RsaPublicKeyComponents;
use aws_lc_rs::signature::UnparsedPublicKey;
use aws_lc_rs::signature::VerificationAlgorithm;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::Digest as _;
use sha2::Sha256;
use sha2::Sha512;

use super::wire::Reader;
use super::wire::disarmour;
use super::wire::put;

/// The first line of a signature.
pub(super) const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";

/// The last line of a signature.
pub(super) const END: &str = "-----END SSH SIGNATURE-----";

/// The namespace of the signatures of commits and tags.
pub(super) const NAMESPACE: &str = "git";

/// What a signature and what is signed begin with.
pub(super) const MAGIC: &[u8] = b"SSHSIG";

/// The version of the format.
pub(super) const VERSION: u32 = 1;

/// The kinds of keys that signatures are verified by.
pub(super) const KINDS: [&str; 7] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// A public key as it is on the wire.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key(Vec<u8>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fingerprint())
    }
}

impl Key {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// The kind that the key says it is of; empty when it says nothing.
    pub(super) fn kind(&self) -> &str {
        Reader::new(&self.0).string().and_then(|kind| std::str::from_utf8(kind).ok()).unwrap_or_default()
    }

    /// `SHA256:` and base64, as `ssh-keygen -l` shows it.
    pub(super) fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&self.0)))
    }

    /// Whether it is a certificate, which stands for the key of whoever issued it.
    pub(super) fn is_certificate(&self) -> bool {
        self.kind().ends_with("-cert-v01@openssh.com")
    }
}

/// Whether a word names a kind of key that signatures are verified by.
pub(super) fn is_kind(word: &str) -> bool {
    KINDS.contains(&word)
}

/// Why a signature does not prove that its key signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It is wrong.
    Bad(String),
    /// It cannot be told.
    Unknown(String),
}

/// A signature, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SshSignature {
    pub(super) key: Key,
    namespace: Vec<u8>,
    reserved: Vec<u8>,
    hash: Vec<u8>,
    signature: Vec<u8>,
}

impl SshSignature {
    /// Reads the armoured text.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Flaw> {
        let malformed = || Flaw::Bad("the signature is damaged".to_owned());
        let bytes = disarmour(text, BEGIN, END).ok_or_else(malformed)?;
        let mut reader = Reader::new(&bytes);
        if reader.take(MAGIC.len()) != Some(MAGIC) {
            return Err(malformed());
        }
        let version = reader.number().ok_or_else(malformed)?;
        if version != VERSION {
            return Err(Flaw::Unknown(format!("version {version} of SSH signatures is not known")));
        }
        let mut part = || reader.string().map(<[u8]>::to_vec);
        let parts = (part(), part(), part(), part(), part());
        let (Some(key), Some(namespace), Some(reserved), Some(hash), Some(signature)) = parts else { return Err(malformed()) };
        if !reader.is_empty() {
            return Err(malformed());
        }
        Ok(Self { key: Key(key), namespace, reserved, hash, signature })
    }

    /// Whether the key signed this message, for commits and tags.
    pub(super) fn verify(&self, message: &[u8]) -> Result<(), Flaw> {
        if self.namespace != NAMESPACE.as_bytes() {
            let namespace = shown(&self.namespace);
            return Err(Flaw::Bad(format!("the signature is made for `{namespace}`, not for `{NAMESPACE}`")));
        }
        let digest = match self.hash.as_slice() {
            b"sha256" => Sha256::digest(message).to_vec(),
            b"sha512" => Sha512::digest(message).to_vec(),
            other => return Err(Flaw::Unknown(format!("the hash `{}` is not known", shown(other)))),
        };
        let signed = signed_data(&self.namespace, &self.reserved, &self.hash, &digest);
        verify(&self.key, &self.signature, &signed)
    }
}

/// What a key signs (`PROTOCOL.sshsig`, section 3).
pub(super) fn signed_data(namespace: &[u8], reserved: &[u8], hash: &[u8], digest: &[u8]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    for part in [namespace, reserved, hash, digest] {
        put(&mut out, part);
    }
    out
}

/// Text of somebody else in a message: one short line.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().map(|char| if char.is_control() { '?' } else { char }).take(60).collect()
}

fn verify(key: &Key, signature: &[u8], signed: &[u8]) -> Result<(), Flaw> {
    let kind = key.kind();
    if key.is_certificate() {
        return Err(Flaw::Unknown("it is signed with a certificate, and only plain keys are verified".to_owned()));
    }
    if !is_kind(kind) {
        return Err(Flaw::Unknown(format!("keys of the kind `{}` are not verified", shown(kind.as_bytes()))));
    }
    let mut public = Reader::new(&key.0);
    let mut reader = Reader::new(signature);
    let (_, Some(algorithm), Some(raw)) = (public.string(), reader.string(), reader.string()) else {
        return Err(Flaw::Bad("the signature is damaged".to_owned()));
    };
    let rsa = matches!((kind, algorithm), ("ssh-rsa", b"rsa-sha2-256" | b"rsa-sha2-512"));
    if !rsa && algorithm != kind.as_bytes() {
        return Err(Flaw::Unknown(format!("the algorithm `{}` is not verified for `{kind}` keys", shown(algorithm))));
    }
    let holds = match kind {
        "ssh-rsa" => {
            let (Some(e), Some(n)) = (public.positive(), public.positive()) else { return Err(no_key()) };
            if n.len() < 256 {
                return Err(Flaw::Unknown("RSA keys of fewer than 2048 bits are not verified".to_owned()));
            }
            reader.is_empty() && public.is_empty() && rsa_holds(n, e, algorithm, raw, signed)
        }
        _ => curve_holds(kind, public, raw, reader, signed).ok_or_else(no_key)?,
    };
    if holds { Ok(()) } else { Err(Flaw::Bad("the signature does not fit the commit".to_owned())) }
}

fn no_key() -> Flaw {
    Flaw::Bad("the key in the signature is damaged".to_owned())
}

fn rsa_holds(n: &[u8], e: &[u8], algorithm: &[u8], raw: &[u8], signed: &[u8]) -> bool {
    let parameters = if algorithm == b"rsa-sha2-256" { &RSA_PKCS1_2048_8192_SHA256 } else { &RSA_PKCS1_2048_8192_SHA512 };
    // The zeros that a number begins with may be left out on the wire.
    padded(raw, n.len()).is_some_and(|raw| RsaPublicKeyComponents { n, e }.verify(parameters, signed, &raw).is_ok())
}

/// Whether a signature over a curve holds; `None` when the key is damaged. `rest` is what follows the signature: for a key in
/// hardware, what that says about itself.
fn curve_holds(kind: &str, mut public: Reader<'_>, raw: &[u8], mut rest: Reader<'_>, signed: &[u8]) -> Option<bool> {
    let hardware = kind.starts_with("sk-");
    let curve = kind.trim_start_matches("sk-").trim_end_matches("@openssh.com");
    let (algorithm, width): (&dyn VerificationAlgorithm, usize) = match curve {
        "ecdsa-sha2-nistp256" => (&ECDSA_P256_SHA256_FIXED, 32),
        "ecdsa-sha2-nistp384" => (&ECDSA_P384_SHA384_FIXED, 48),
        "ecdsa-sha2-nistp521" => (&ECDSA_P521_SHA512_FIXED, 66),
        _ => (&ED25519, 0),
    };
    if width > 0 && public.string()? != curve.trim_start_matches("ecdsa-sha2-").as_bytes() {
        return None;
    }
    let point = public.string()?;
    let message = if hardware { by_hardware(public.string()?, rest.take(5)?, signed) } else { signed.to_vec() };
    if !public.is_empty() {
        return None;
    }
    let signature = if width > 0 { both(raw, width) } else { Some(raw.to_vec()) };
    let holds = |signature: Vec<u8>| UnparsedPublicKey::new(algorithm, point).verify(&message, &signature).is_ok();
    Some(rest.is_empty() && signature.is_some_and(holds))
}

/// What a security key signs (`PROTOCOL.u2f`); `said` are its flags and its counter.
fn by_hardware(application: &[u8], said: &[u8], signed: &[u8]) -> Vec<u8> {
    [&Sha256::digest(application)[..], said, &Sha256::digest(signed)[..]].concat()
}

/// The two numbers of an ECDSA signature, each as so many bytes.
fn both(raw: &[u8], width: usize) -> Option<Vec<u8>> {
    let mut reader = Reader::new(raw);
    let (r, s) = (padded(reader.positive()?, width)?, padded(reader.positive()?, width)?);
    reader.is_empty().then(|| [r, s].concat())
}

fn padded(number: &[u8], width: usize) -> Option<Vec<u8>> {
    let mut out = vec![0; width.checked_sub(number.len())?];
    out.extend_from_slice(number);
    Some(out)
}
