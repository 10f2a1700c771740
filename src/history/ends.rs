//! What is known at the ends of the lines that a walk follows.
//!
//! On one line each commit takes over what its parent left. Where lines part, all but the last one take a copy.

use std::collections::HashMap;

use git2::Oid;

use super::walk::Stop;

/// Something for each commit that another one will continue from.
#[derive(Debug)]
pub(super) struct Ends<T> {
    left: HashMap<Oid, T>,
    wanted: HashMap<Oid, usize>,
}

impl<T> Default for Ends<T> {
    fn default() -> Self {
        Self { left: HashMap::new(), wanted: HashMap::new() }
    }
}

impl<T: Clone> Ends<T> {
    /// Says which commits come, so that nothing is kept for longer than it is needed.
    pub(super) fn expect(&mut self, stops: &[Stop]) {
        self.wanted.clear();
        for parent in stops.iter().filter_map(|stop| stop.parent) {
            *self.wanted.entry(parent).or_default() += 1;
        }
        // Whoever continues later does so at the tip.
        self.wanted.extend(stops.last().map(|tip| (tip.commit, 1)));
    }

    /// What a commit left, for one of its children.
    pub(super) fn take(&mut self, parent: Option<Oid>) -> Option<T> {
        let parent = parent?;
        let wanted = self.wanted.get_mut(&parent)?;
        *wanted = wanted.saturating_sub(1);
        if *wanted == 0 { self.left.remove(&parent) } else { self.left.get(&parent).cloned() }
    }

    /// What a commit leaves.
    pub(super) fn put(&mut self, commit: Oid, value: T) {
        if self.wanted.get(&commit).is_some_and(|&wanted| wanted > 0) {
            self.left.insert(commit, value);
        }
    }

    /// What the commit that an earlier walk ended at left.
    pub(super) fn leave(&mut self, tip: Oid, value: T) {
        self.left.insert(tip, value);
    }

    /// What the commit that a walk ended at left.
    pub(super) fn at(&self, tip: Oid) -> Option<&T> {
        self.left.get(&tip)
    }
}
