//! The name of a key: the fingerprint that OpenSSH computes, so that people can compare it with what their tools print.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de::Error as _;
use ssh_key::HashAlg;
use ssh_key::public::KeyData;

const FINGERPRINT_PREFIX: &str = "SHA256:";

/// The name of a key: its fingerprint, as `ssh-keygen -l` prints it (`SHA256:` and 43 characters of base64).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

/// A text is not the name of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key id is `SHA256:` and 43 characters of base64, as `ssh-keygen -l` prints it")]
pub struct KeyIdParseError;

impl KeyId {
    /// The fingerprint of a key.
    pub(super) fn of(key: &KeyData) -> Self {
        Self(key.fingerprint(HashAlg::Sha256).to_string())
    }

    /// The text of the fingerprint.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = KeyIdParseError;

    fn from_str(text: &str) -> Result<Self, KeyIdParseError> {
        let encoded = text.strip_prefix(FINGERPRINT_PREFIX).ok_or(KeyIdParseError)?;
        let digest = STANDARD_NO_PAD.decode(encoded).map_err(|_| KeyIdParseError)?;
        if digest.len() == 32 { Ok(Self(text.to_owned())) } else { Err(KeyIdParseError) }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use ssh_key::public::Ed25519PublicKey;

    use super::*;

    #[test]
    fn a_key_id_has_one_text() {
        let id = KeyId::of(&KeyData::Ed25519(Ed25519PublicKey([7; 32])));
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        for text in
            ["", "SHA256:", "SHA256:abc", &id.as_str()[1..], &format!("{id}="), &format!("{id}A"), &id.as_str().replace("SHA256", "sha256")]
        {
            assert_eq!(text.parse::<KeyId>(), Err(KeyIdParseError), "{text}");
        }
    }
}
