//! Questions about statements, answered exactly, with a request as the proof of each answer where one can be had.

mod automaton;
mod conflict;
mod formula;
mod interval;
mod list;
mod model;
mod overlap;
mod scalar;
mod search;
mod store;
mod values;
mod vocabulary;
mod witness;

pub use conflict::Conflict;
pub use conflict::conflicts;
pub use overlap::Relation;
pub use overlap::relation;
pub use witness::witness;
