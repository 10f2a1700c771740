//! The law book: all policies of one revision, resolved together.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::Lowered;
use super::Policy;
use super::PolicyId;
use super::Statement;
use super::lower;
use crate::condition;
use crate::condition::Condition;
use crate::condition::ConditionError;
use crate::condition::Lists;
use crate::condition::Pool;
use crate::condition::Term;
use crate::config::Config;
use crate::config::ConfigProblem;

/// All policies of one revision, with what they mean. Ids are unique in it.
#[derive(Debug, Clone, Default)]
pub struct PolicySet {
    policies: Vec<Arc<Policy>>,
    statements: Vec<Arc<Statement>>,
    /// For every policy, the position of its statement.
    stated: Vec<Option<usize>>,
    by_id: BTreeMap<PolicyId, usize>,
}

/// A policy whose condition does not fit the declared lists: its position, and what is wrong.
pub type Misfit = (usize, Vec<ConditionError>);

impl PolicySet {
    /// The law book of these policies, in this order, and the policies whose meaning is unknown; these have no statement.
    /// Of two policies with one id both count, and the first is found by it.
    pub fn new(policies: Vec<Arc<Policy>>, lists: &Lists) -> (Self, Vec<Misfit>) {
        let conditions = Pool::new(lists.clone());
        let lowered = policies.par_iter().map(|policy| lower(policy, &conditions)).collect();
        Self::of_lowered(policies, lowered)
    }

    /// The same, where each policy has been lowered when it was read.
    pub fn of_lowered(policies: Vec<Arc<Policy>>, lowered: Vec<Lowered>) -> (Self, Vec<Misfit>) {
        let mut misfits = Vec::new();
        let (mut statements, mut stated) = (Vec::new(), Vec::with_capacity(lowered.len()));
        let state = || {
            for (position, lowered) in lowered.into_iter().enumerate() {
                let statement = lowered.unwrap_or_else(|found| {
                    misfits.push((position, found));
                    None
                });
                stated.push(statement.is_some().then_some(statements.len()));
                statements.extend(statement);
            }
        };
        let ((), by_id) = rayon::join(state, || by_id(&policies));
        (Self { policies, statements, stated, by_id }, misfits)
    }

    /// All policies, in order of path and position.
    pub fn policies(&self) -> &[Arc<Policy>] {
        &self.policies
    }

    /// What the enabled policies lower to, in the same order.
    pub fn statements(&self) -> &[Arc<Statement>] {
        &self.statements
    }

    /// The statement at a position.
    pub fn statement(&self, position: usize) -> Option<&Statement> {
        self.statements.get(position).map(|statement| &**statement)
    }

    /// The position of what the policy at a position lowers to; `None` if it is disabled, if there is nothing to enforce, or if its
    /// meaning is unknown.
    pub fn stated(&self, policy: usize) -> Option<usize> {
        self.stated.get(policy).copied().flatten()
    }

    /// The position of the policy with this id.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The policy with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Policy>> {
        self.position(id).and_then(|position| self.policies.get(position))
    }

    /// All ids, in byte order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(PolicyId::as_str)
    }
}

/// The first position of each id. Made of what is sorted at once, which takes half the memory that one entry after the other would.
fn by_id(policies: &[Arc<Policy>]) -> BTreeMap<PolicyId, usize> {
    let mut placed: Vec<(&PolicyId, usize)> = policies.iter().enumerate().map(|(position, policy)| (policy.id(), position)).collect();
    placed.sort_unstable();
    placed.dedup_by(|later, first| later.0 == first.0);
    placed.into_iter().map(|(id, position)| (id.clone(), position)).collect()
}

/// The attributes that the configuration declares as lists.
///
/// # Errors
/// The declarations that name no attribute.
pub fn lists(config: &Config) -> Result<Lists, Vec<ConfigProblem>> {
    let mut problems = Vec::new();
    let mut terms = Vec::new();
    for (name, declared) in &config.attributes {
        match Term::parse(name) {
            Ok(term) => terms.push(term),
            Err(error) => {
                let help = error.help.unwrap_or_else(|| "name it as conditions do, such as `tags` or `{me.roles}`".to_owned());
                problems.push(ConfigProblem::new(declared.range.clone(), format!("`{name}` is no attribute: {}", error.message), help));
            }
        }
    }
    if problems.is_empty() { Ok(terms.into_iter().collect()) } else { Err(problems) }
}

/// What is wrong with the conditions of the assertions.
pub fn assertion_problems(config: &Config, lists: &Lists) -> Vec<ConfigProblem> {
    let mut problems = Vec::new();
    for assertion in &config.assertions {
        let Some(written) = &assertion.scope().condition else { continue };
        let errors = match condition::parse(&written.value) {
            Err(errors) => errors,
            Ok(parsed) => Condition::new(parsed.expr, lists).err().unwrap_or_default(),
        };
        problems.extend(errors.into_iter().map(|error| {
            let message = format!("the condition of the assertion `{}`: {}", assertion.name, error.message);
            let help = error.help.unwrap_or_else(|| "write a condition such as `category = 'Examples'`".to_owned());
            ConfigProblem::new(written.range.clone(), message, help)
        }));
    }
    problems
}
