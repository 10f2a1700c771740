//! A bearer token, and the digest that is all the server ever keeps of it.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::Digest;
use sha2::Sha256;

/// The random bytes of a token; 43 characters in base64url.
const BYTES: usize = 32;

/// A bearer token in the clear. It is shown once, to the person who will hold it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// The system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no random bytes for a token")]
pub struct NoRandomness;

impl Token {
    /// A new token: 32 random bytes in base64url without padding, 43 characters.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub fn new() -> Result<Self, NoRandomness> {
        let mut bytes = [0_u8; BYTES];
        rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a token file holds of it.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::of(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The SHA-256 of a token. A token has 256 random bits, so a plain digest gives nothing away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The digest of a token's text.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Reads 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0_u8; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            let digits = text.get(at * 2..at * 2 + 2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// 64 hexadecimal digits, lower case.
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether both are equal, in a time that does not depend on where they differ.
    pub(super) fn same(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_43_characters_and_does_not_repeat() {
        let (one, two) = (Token::new().expect("random"), Token::new().expect("random"));
        assert_eq!(one.as_str().len(), 43);
        assert_ne!(one, two);
        assert_eq!(format!("{one:?}"), "Token(…)");
    }

    #[test]
    fn a_digest_survives_the_way_to_text_and_back() {
        let digest = TokenDigest::of("abc");
        assert_eq!(digest.to_hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(TokenDigest::from_hex(&digest.to_hex().to_uppercase()), Some(digest));
        assert_eq!(TokenDigest::from_hex(&"+1".repeat(32)), None);
        assert_eq!(TokenDigest::from_hex("ba"), None);
    }
}
