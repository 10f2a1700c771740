//! Questions about statements, answered exactly, with a request as the proof of each answer where one can be had.
//!
//! What is answered here follows from actions, services, sources and members, and from conditions that are equal or
//! absent. Where two conditions differ, nothing is claimed. A [`witness`](fn@witness) is a request that has been run through
//! [`decide`](crate::decision::decide) before anybody sees it.

#[allow(dead_code, reason = "the solver that asks it is being built")]
mod automaton;
mod conflict;
mod overlap;
mod witness;

pub use conflict::Conflict;
pub use conflict::conflicts;
pub use overlap::Relation;
pub use overlap::relation;
pub use witness::witness;
