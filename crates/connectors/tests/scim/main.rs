//! The SCIM connector over real sockets: recorded conversations, each quirk, the doctor.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod by_id;
mod doctor;
mod quirks;
mod recorded;
#[path = "../support/scim_server.rs"]
mod server;
mod world;
