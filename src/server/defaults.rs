//! The three controls that a law book without controls is said to have, word for word as the NeoSC interface documents them.

use crate::policy::Control;
use crate::policy::PolicyId;

/// A default control.
#[derive(Debug)]
pub struct Default {
    /// The id.
    pub id: &'static str,
    /// The name.
    pub name: &'static str,
    /// What it enforces.
    pub description: &'static str,
    /// The category.
    pub category: &'static str,
    /// Prose.
    pub rules: [&'static str; 3],
}

/// The default controls, in the documented order.
pub const DEFAULTS: [Default; 3] = [
    Default {
        id: "pol-mfa-required",
        name: "MFA Required",
        description: "Enforce multi-factor authentication for all users",
        category: "access",
        rules: ["Require MFA for login", "WebAuthn preferred", "TOTP as fallback"],
    },
    Default {
        id: "pol-network-zero-trust",
        name: "Zero Trust Network",
        description: "All connections through encrypted NetBird tunnels",
        category: "network",
        rules: ["No direct connections", "WireGuard encryption", "Identity verification"],
    },
    Default {
        id: "pol-session-recording",
        name: "Session Recording",
        description: "Record all workspace sessions for audit",
        category: "session",
        rules: ["Record screen activity", "Log keystrokes for audit", "30-day retention"],
    },
];

impl Default {
    /// The control, in force and created at this time; `None` never, because its id is one.
    pub fn control(&self, created_at: &str) -> Option<Control> {
        Some(Control {
            id: PolicyId::new(self.id)?,
            name: self.name.to_owned(),
            description: self.description.to_owned(),
            category: self.category.to_owned(),
            rules: self.rules.map(str::to_owned).to_vec(),
            enabled: true,
            created_at: Some(created_at.to_owned()),
            require: None,
            service: None,
            source: None,
            actions: None,
            members: None,
            except: None,
            metadata: None,
        })
    }
}
