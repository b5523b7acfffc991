//! One module for each connected system: pull, map, prove coverage.
//!
//! A connector reads and never writes to the system it watches. It brings
//! [`domain::Snapshot`]s, each saying how much of its list was seen.

mod abreast;
mod asking;
mod bodies;
mod checks;
mod crosscheck;
pub mod entra;
pub mod files;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod gather;
pub mod live;
pub mod okta;
mod page;
mod path;
pub mod scim;
mod walk;
