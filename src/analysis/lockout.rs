//! Whether anybody is left who can change the law.

use super::formula::Formula;
use super::question::Analysis;
use super::question::Verdict;
use super::values::ValueSet;
use super::vocabulary::AttributeId;
use crate::policy::Effect;

/// The service that policies are changed through.
const POLICY: &str = "policy";
/// What it takes to change them.
const CHANGES: [&str; 3] = ["create", "update", "delete"];

/// Who can change policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Management {
    /// Somebody can.
    Possible,
    /// No grant is meant to let anybody.
    NotGranted,
    /// The grants at these positions are meant to, and denials leave nothing of them.
    LockedOut(Vec<usize>),
    /// It is not known.
    Undecided,
}

impl Analysis {
    /// Whether somebody can create, update or delete on the service `policy` by one of the law books.
    pub fn management(&self, side: usize) -> Management {
        let Some(side) = self.side(side) else { return Management::NotGranted };
        let scope = [
            Formula::values(AttributeId::ACTION, ValueSet::words(CHANGES)),
            Formula::values(AttributeId::SERVICE, ValueSet::words([POLICY])),
        ];
        let mut lost = Vec::new();
        let mut undecided = false;
        for (position, grant) in side.statements.iter().enumerate() {
            let statement = &grant.statement;
            let meant = statement.service.matches(POLICY) && CHANGES.iter().any(|change| statement.actions.contains(change));
            if statement.effect != Effect::Allow || !meant {
                continue;
            }
            let Some(cases) = side.cases(&[grant]) else {
                undecided = true;
                continue;
            };
            for case in &cases {
                let hold: Vec<Formula> = scope.iter().cloned().chain([grant.applies(&case.caller, &self.vocabulary)]).collect();
                match self.ask(&case.caller, &hold, &self.applying(side.at(&case.denials), &case.caller)) {
                    Verdict::Yes(_) => return Management::Possible,
                    Verdict::Undecided => undecided = true,
                    Verdict::No => {}
                }
            }
            lost.push(position);
        }
        match lost.is_empty() {
            _ if undecided => Management::Undecided,
            true => Management::NotGranted,
            false => Management::LockedOut(lost),
        }
    }
}
