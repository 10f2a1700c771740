//! Who calls, and what they may do: bearer tokens with a person and a role.
//!
//! Policies never apply to the interfaces of this server. They are authorised by the role of the token alone, so that no
//! edit of a law book can lock its editors out or let a stranger in.

mod file;
mod keeper;
mod token;

use std::fmt;

use serde::Deserialize;

pub use file::TokenFileError;
pub use keeper::Tokens;
pub use token::Token;
pub use token::TokenDigest;

/// What the holder of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads policies, status and its own audit entries.
    Viewer,
    /// A viewer who may also change policies.
    Editor,
    /// An editor who sees every audit entry.
    Admin,
    /// Asks for decisions, and nothing else.
    Decide,
}

impl Role {
    /// The word in a token file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
            Self::Decide => "decide",
        }
    }

    /// Whether the administration interfaces may be read.
    pub fn reads(self) -> bool {
        !matches!(self, Self::Decide)
    }

    /// Whether policies may be changed.
    pub fn writes(self) -> bool {
        matches!(self, Self::Editor | Self::Admin)
    }

    /// Whether the audit entries of other people may be read.
    pub fn sees_everybody(self) -> bool {
        matches!(self, Self::Admin)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The holder of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name, for commits.
    pub name: String,
    /// The e-mail address, for commits and audit entries.
    pub email: String,
    /// The groups.
    pub groups: Vec<String>,
    /// What the holder may do.
    pub role: Role,
}
