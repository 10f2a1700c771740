//! The conditions of one law book, of which equal ones are one.
//!
//! Law books say the same of many things: a hundred thousand policies may have five thousand conditions. Made once, a condition takes
//! memory once, and whoever compares two of them mostly has nothing to do but to see that they are one.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use foldhash::fast::RandomState;

use super::Condition;
use super::ConditionError;
use super::Expr;
use super::Lists;

/// The conditions that have been made, for some declared lists. Many threads can ask at once.
#[derive(Debug, Default)]
pub struct Pool {
    lists: Lists,
    shelves: [Shelf; Self::SHELVES as usize],
}

/// Conditions by their trees.
type Shelf = Mutex<HashMap<Arc<Expr>, Arc<Condition>, RandomState>>;

impl Pool {
    /// So many, that threads hardly ever meet at one.
    const SHELVES: u64 = 16;

    /// Without any condition yet.
    pub fn new(lists: Lists) -> Self {
        Self { lists, ..Self::default() }
    }

    /// The condition with a tree, made ready if it is the first.
    ///
    /// # Errors
    ///
    /// Those of [`Condition::new`].
    pub fn condition(&self, expr: impl Into<Arc<Expr>>) -> Result<Arc<Condition>, Vec<ConditionError>> {
        let expr = expr.into();
        let place = usize::try_from(Condition::hash(&expr) % Self::SHELVES).unwrap_or_default();
        let Some(shelf) = self.shelves.get(place) else { return Condition::new(expr, &self.lists).map(Arc::new) };
        // What a thread that panicked has left is as good as any: nothing is put in before it is whole.
        let mut known = shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(condition) = known.get(&expr) {
            return Ok(condition.clone());
        }
        let condition = Arc::new(Condition::new(expr.clone(), &self.lists)?);
        known.insert(expr, condition.clone());
        Ok(condition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Term;
    use crate::condition::parse;

    #[test]
    fn equal_conditions_are_one() {
        let pool = Pool::new(["a", "b"].iter().map(|term| Term::parse(term).expect("a term")).collect());
        let make = |text: &str| pool.condition(parse(text).expect("a condition").expr);
        let first = make("a = 1 and c").expect("fits");
        assert!(Arc::ptr_eq(&first, &make("a = 1  AND c").expect("fits")));
        assert!(!Arc::ptr_eq(&first, &make("c and a = 1").expect("fits")));
        assert!(first.is_list(&Term::parse("a").expect("a term")));
        assert!(make("a = b").is_err() && make("a = b").is_err());
    }
}
