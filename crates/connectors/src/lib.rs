//! One module for each connected system: pull, map, prove coverage.
//!
//! A connector reads and never writes to the system it watches. It brings
//! [`domain::Snapshot`]s, each saying how much of its list was seen.

mod abreast;
mod bodies;
pub mod files;
pub mod live;
pub mod okta;
mod page;
pub mod scim;
