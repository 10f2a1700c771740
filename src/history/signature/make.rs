//! The making of SSH signatures of commits, around a key that somebody else holds.

use sha2::Digest as _;
use sha2::Sha512;

use super::ssh::BEGIN;
use super::ssh::END;
use super::ssh::MAGIC;
use super::ssh::NAMESPACE;
use super::ssh::VERSION;
use super::ssh::signed_data;
use super::wire::armour;
use super::wire::put;

const KIND: &[u8] = b"ssh-ed25519";

const HASH: &[u8] = b"sha512";

/// The bytes that an Ed25519 key signs, to sign a commit without its signature.
pub fn to_be_signed(commit: &[u8]) -> Vec<u8> {
    signed_data(NAMESPACE.as_bytes(), b"", HASH, &Sha512::digest(commit))
}

/// The text of a signature, for the header of a commit: by an Ed25519 key, over [`to_be_signed`].
pub fn armoured(public: &[u8; 32], signature: &[u8; 64]) -> String {
    let (mut signed, mut all) = (Vec::new(), MAGIC.to_vec());
    put(&mut signed, KIND);
    put(&mut signed, signature);
    all.extend_from_slice(&VERSION.to_be_bytes());
    for part in [&wire(public)[..], NAMESPACE.as_bytes(), b"", HASH, &signed] {
        put(&mut all, part);
    }
    armour(&all, BEGIN, END)
}

/// An Ed25519 key as it is on the wire.
pub(super) fn wire(public: &[u8; 32]) -> Vec<u8> {
    let mut key = Vec::new();
    put(&mut key, KIND);
    put(&mut key, public);
    key
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::Ed25519KeyPair;
    use aws_lc_rs::signature::KeyPair as _;
    use proptest::prelude::*;

    use super::super::ssh::Flaw;
    use super::super::ssh::SshSignature;
    use super::*;

    proptest! {
        /// Kinds and algorithms that are known, with anything as their numbers.
        #[test]
        fn no_key_and_no_signature_break_the_reader(
            kind in 0..super::super::ssh::KINDS.len(), parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 5), cut in 0..900_usize
        ) {
            let kind = super::super::ssh::KINDS[kind].as_bytes();
            let algorithm = if kind == b"ssh-rsa" { b"rsa-sha2-512" } else { kind };
            let (mut key, mut signed, mut all) = (Vec::new(), Vec::new(), MAGIC.to_vec());
            put(&mut key, kind);
            parts.iter().take(3).for_each(|part| put(&mut key, part));
            put(&mut signed, algorithm);
            parts.iter().skip(3).for_each(|part| put(&mut signed, part));
            all.extend_from_slice(&VERSION.to_be_bytes());
            for part in [&key[..], NAMESPACE.as_bytes(), b"", HASH, &signed] {
                put(&mut all, part);
            }
            let whole = SshSignature::parse(armour(&all, BEGIN, END).as_bytes());
            prop_assert!(whole.is_ok_and(|whole| whole.verify(b"commit").is_err()));
            let cut = cut.min(all.len() - 1);
            prop_assert!(SshSignature::parse(armour(&all[..cut], BEGIN, END).as_bytes()).is_err());
        }
    }

    #[test]
    fn what_is_made_is_verified() {
        let pair = Ed25519KeyPair::generate().unwrap();
        let public = pair.public_key().as_ref().try_into().unwrap();
        let text = armoured(public, pair.sign(&to_be_signed(b"commit")).as_ref().try_into().unwrap());
        assert!(text.lines().all(|line| line.len() <= 70), "{text}");
        let signature = SshSignature::parse(text.as_bytes()).unwrap();
        assert_eq!(signature.verify(b"commit"), Ok(()));
        assert_eq!(signature.verify(b"comment"), Err(Flaw::Bad("the signature does not fit the commit".to_owned())));
    }

    /// A security key signs a digest with what it says about itself (`PROTOCOL.u2f`); it is told by `ssh-keygen` to be right
    /// where that is installed.
    #[test]
    fn a_signature_by_a_security_key_is_verified() {
        use std::process::Command;
        use std::process::Stdio;

        use sha2::Sha256;

        let pair = Ed25519KeyPair::generate().unwrap();
        let kind = b"sk-ssh-ed25519@openssh.com";
        let said = [1, 0, 0, 0, 7];
        let message = [&Sha256::digest(b"ssh:")[..], &said, &Sha256::digest(to_be_signed(b"commit"))].concat();
        let (mut key, mut signed, mut all) = (Vec::new(), Vec::new(), MAGIC.to_vec());
        for part in [&kind[..], pair.public_key().as_ref(), b"ssh:"] {
            put(&mut key, part);
        }
        put(&mut signed, kind);
        put(&mut signed, pair.sign(&message).as_ref());
        signed.extend_from_slice(&said);
        all.extend_from_slice(&VERSION.to_be_bytes());
        for part in [&key[..], NAMESPACE.as_bytes(), b"", HASH, &signed] {
            put(&mut all, part);
        }
        let text = armour(&all, BEGIN, END);
        let signature = SshSignature::parse(text.as_bytes()).unwrap();
        assert_eq!(signature.verify(b"commit"), Ok(()));
        assert!(signature.verify(b"comment").is_err());
        let mut forged = all.clone();
        *forged.last_mut().unwrap() ^= 1;
        assert!(
            SshSignature::parse(armour(&forged, BEGIN, END).as_bytes()).unwrap().verify(b"commit").is_err(),
            "the counter is signed too"
        );
        let folder = tempfile::tempdir().unwrap();
        let [file, input] = ["signature", "commit"].map(|name| folder.path().join(name));
        std::fs::write(&file, text).unwrap();
        std::fs::write(&input, "commit").unwrap();
        let checked = Command::new("ssh-keygen")
            .args(["-Y", "check-novalidate", "-n", NAMESPACE, "-s"])
            .arg(&file)
            .stdin(std::fs::File::open(&input).unwrap())
            .stdout(Stdio::null())
            .status();
        match checked {
            Ok(status) => assert!(status.success()),
            Err(_) => drop(std::io::Write::write_all(
                &mut std::io::stderr(),
                b"skipped: a second opinion needs ssh-keygen (apt-get install openssh-client)\n",
            )),
        }
    }
}
