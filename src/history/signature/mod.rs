//! Whether a commit was signed, and by whom.

/// How well it is proven who made a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SignatureStatus {
    /// Signed by a key that was known when the commit landed.
    Good,
    /// Signed by a key that nobody vouches for.
    Untrusted,
    /// The signature is not of this commit, or its key was not valid then.
    Bad,
    /// Signed in a way that could not be verified here.
    Unverified,
    /// Not signed.
    None,
}

impl SignatureStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Good, Self::Untrusted, Self::Bad, Self::Unverified, Self::None];

    /// The word for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Untrusted => "untrusted",
            Self::Bad => "bad",
            Self::Unverified => "unverified",
            Self::None => "none",
        }
    }
}

/// What is known of the signature of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// How well it is proven who made the commit.
    pub status: SignatureStatus,
    /// Who signed: a principal of the allowed signers, or a user id of OpenPGP.
    pub principal: Option<String>,
    /// The fingerprint of the key.
    pub key: Option<String>,
    /// Why it is not good, in one line.
    pub why: Option<String>,
}

impl Signature {
    /// Of a commit that is not signed.
    pub const NONE: Self = Self { status: SignatureStatus::None, principal: None, key: None, why: None };
}
