//! The files that count: the policies, and those that say which these are and who may change them.

use std::collections::BTreeSet;

use super::tree::Wanted;
use crate::config;
use crate::config::Config;
use crate::config::Selection;

/// The files that a configuration makes count.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    pub(super) policies: Selection,
    /// The configuration itself, the allowed signers and the directory.
    pub(super) beside: BTreeSet<String>,
}

impl Watched {
    pub(super) fn new(config: &Config) -> Self {
        let named = [config::FILE_NAME, &config.history.allowed_signers.value];
        let beside = named.into_iter().chain(config.directory_path()).map(str::to_owned).collect();
        Self { policies: Selection::new(config), beside }
    }
}

impl Wanted for Watched {
    fn selects(&self, path: &str) -> bool {
        self.policies.selects(path) || self.beside.contains(path)
    }

    fn notes(&self, folder: &str) -> bool {
        self.beside.contains(folder)
    }

    fn may_hold(&self, folder: &str) -> bool {
        let inside = |path: &String| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        self.policies.may_hold(folder) || self.beside.iter().any(inside)
    }
}
