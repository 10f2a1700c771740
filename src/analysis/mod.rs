//! Questions about law books, answered exactly, with a request as the proof of each answer where one can be had.
//!
//! A statement becomes a [`Formula`] over the parts of a request, and every question becomes a few formulas of which some are to
//! hold and the others not ([`satisfiable`]). Nothing is reported from a model alone: the request is made, and run through
//! [`decide`](crate::decision::decide).

mod admitted;
mod asked;
mod assertion;
mod automaton;
mod boxes;
mod compare;
mod condition;
mod conflict;
mod controls;
mod dead;
mod difference;
mod escaped;
mod example;
mod formula;
mod guess;
mod independent;
mod index;
mod interval;
mod join;
mod list;
mod lockout;
mod meaning;
mod missing;
mod model;
mod needed;
mod people;
mod plain;
mod point;
mod pose;
mod prepared;
mod question;
mod region;
mod redundant;
mod request;
mod said;
#[cfg(test)]
mod sample;
mod scalar;
mod search;
mod side;
mod special;
mod spelling;
mod store;
mod tree;
mod values;
mod vocabulary;
mod words;
mod world;

#[cfg(test)]
mod tests;

pub use admitted::admitted;
pub use assertion::Counterexample;
pub use assertion::Proof;
pub use assertion::Quantity;
pub use condition::Conditions;
pub use condition::Examined;
pub use conflict::COUNTED;
pub use conflict::Conflict;
pub use controls::Contradiction;
pub use dead::Dead;
pub use difference::Change;
pub use difference::Class;
pub use difference::Difference;
pub use escaped::Grants;
pub use formula::Formula;
pub use lockout::Lockout;
pub use lockout::Management;
pub use meaning::Claim;
pub use meaning::Meaning;
pub use meaning::Obstacle;
pub use meaning::Undecided;
pub use meaning::is_sweeping;
pub use missing::Lacking;
pub use missing::Place;
pub use model::Model;
pub use model::Value;
pub use needed::Inert;
pub use needed::Redundant;
pub use needed::Superfluous;
pub use question::Analysis;
pub use question::Verdict;
pub use question::together;
pub use redundant::RedundantPart;
pub use region::Region;
pub use search::Answer;
pub use search::Budget;
pub use search::Goal;
pub use search::satisfiable;
pub use vocabulary::Attribute;
pub use vocabulary::AttributeId;
pub use vocabulary::Vocabulary;
pub use words::Names;
