//! What was needed last, bounded by its size: two generations, of which the older one is given up when the younger one is full.

use std::collections::HashMap;
use std::hash::Hash;

/// Things by their keys, each with its size.
#[derive(Debug)]
pub(super) struct Generations<K, V> {
    young: HashMap<K, (V, usize)>,
    young_bytes: usize,
    old: HashMap<K, (V, usize)>,
    most: usize,
}

impl<K: Copy + Eq + Hash, V> Generations<K, V> {
    /// Of which each holds so many bytes, or a single thing that is larger.
    pub(super) fn new(most: usize) -> Self {
        Self { young: HashMap::new(), young_bytes: 0, old: HashMap::new(), most }
    }

    /// What is kept; it is young again.
    pub(super) fn get(&mut self, key: K) -> Option<&V> {
        if let Some((value, bytes)) = self.old.remove(&key) {
            self.keep(key, value, bytes);
        }
        self.young.get(&key).map(|(value, _)| value)
    }

    /// Keeps something of so many bytes.
    pub(super) fn keep(&mut self, key: K, value: V, bytes: usize) {
        if self.young_bytes + bytes > self.most && !self.young.is_empty() {
            self.next();
        }
        let before = self.young.insert(key, (value, bytes));
        self.young_bytes = self.young_bytes + bytes - before.map_or(0, |(_, bytes)| bytes);
    }

    /// Begins another generation.
    pub(super) fn next(&mut self) {
        self.old = std::mem::take(&mut self.young);
        self.young_bytes = 0;
    }

    #[cfg(test)]
    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.young.values().chain(self.old.values()).map(|(value, _)| value)
    }
}
