//! Questions about law books, answered exactly, with a request as the proof of each answer where one can be had.
//!
//! A statement becomes a [`Formula`] over the parts of a request, and every question becomes a few formulas of which some are to
//! hold and the others not ([`satisfiable`]). Nothing is reported from a model alone: the request is made, and run through
//! [`decide`](crate::decision::decide).

mod automaton;
mod compare;
mod conflict;
mod dead;
mod difference;
mod formula;
mod index;
mod interval;
mod list;
mod model;
mod overlap;
mod prepared;
mod question;
mod region;
mod request;
mod scalar;
mod search;
mod side;
mod spelling;
mod store;
mod values;
mod vocabulary;
mod witness;
mod words;

#[cfg(test)]
mod tests;

pub use conflict::Conflict;
pub use conflict::conflicts;
pub use dead::Dead;
pub use difference::Change;
pub use difference::Class;
pub use difference::Difference;
pub use formula::Formula;
pub use model::Model;
pub use model::Value;
pub use overlap::Relation;
pub use overlap::relation;
pub use question::Analysis;
pub use question::Verdict;
pub use region::Region;
pub use search::Answer;
pub use search::Budget;
pub use search::Goal;
pub use search::satisfiable;
pub use vocabulary::Attribute;
pub use vocabulary::AttributeId;
pub use vocabulary::Vocabulary;
pub use witness::witness;
pub use words::Names;
