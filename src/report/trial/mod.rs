//! What a condition says about one request, part by part: for people and for programs.

pub mod human;
pub mod json;

use crate::condition::Outcome;
use crate::condition::Trial;
use crate::decision::holds_for;
use crate::policy::Effect;

/// A condition that was tried, ready to be written in any format.
#[derive(Debug, Clone, Copy)]
pub struct TrialReport<'a> {
    /// The text of the condition.
    pub text: &'a str,
    /// What it says, part by part.
    pub trial: &'a Trial<'a>,
    /// The policy that the condition is of.
    pub policy: Option<Judged<'a>>,
}

/// A policy whose condition was tried.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// Its id.
    pub id: &'a str,
    /// What it is.
    pub role: Role,
    /// Whether it is in force.
    pub enabled: bool,
}

impl Judged<'_> {
    /// Whether the policy grants or denies, as far as its condition says.
    pub fn applies(&self, outcome: Outcome) -> bool {
        self.enabled && self.role.applies(outcome)
    }
}

/// What a policy does with its condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Grants where it holds.
    Grant,
    /// Denies where it holds.
    Denial,
    /// Denies where it does not hold.
    Control,
}

impl Role {
    /// The name in the formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Denial => "denial",
            Self::Control => "control",
        }
    }

    /// Whether the statement that such a policy lowers to applies, as far as its condition says.
    pub fn applies(self, outcome: Outcome) -> bool {
        match (self, outcome) {
            (Self::Grant, _) => holds_for(Effect::Allow, outcome),
            (Self::Denial, _) | (Self::Control, Outcome::Unfit) => holds_for(Effect::Deny, outcome),
            // A control denies what does not meet it.
            (Self::Control, Outcome::True) => holds_for(Effect::Deny, Outcome::False),
            (Self::Control, Outcome::False) => holds_for(Effect::Deny, Outcome::True),
        }
    }
}

/// The name of an outcome in the formats.
fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::True => "true",
        Outcome::False => "false",
        Outcome::Unfit => "unfit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_keeps_a_grant_from_applying_and_makes_a_denial_apply() {
        let check = |role: Role, expected: [bool; 3]| {
            assert_eq!([Outcome::True, Outcome::False, Outcome::Unfit].map(|outcome| role.applies(outcome)), expected, "{role:?}");
        };
        check(Role::Grant, [true, false, false]);
        check(Role::Denial, [true, false, true]);
        check(Role::Control, [false, true, true]);
    }
}
