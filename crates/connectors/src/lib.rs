//! One module for each connected system: pull, map, prove coverage.
//!
//! A connector reads and never writes to the system it watches. It brings
//! [`domain::Snapshot`]s, each saying how much of its list was seen.

mod abreast;
mod app_checks;
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
pub mod onelogin;
mod page;
mod path;
mod refusal;
mod roster;
pub mod scim;
pub mod secureframe;
mod stated;
mod walk;
