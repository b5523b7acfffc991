//! Deciding as tables, and every channel against a server that answers as documented.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and a panic says where"
)]

mod channels;
mod decide;
mod letters;
mod lines;
mod mail;
mod reports;
#[path = "../../../outbound/tests/it/server.rs"]
#[expect(dead_code, reason = "it also serves the tests of `outbound`")]
mod server;
mod world;

/// The `Date` of every answer.
const DATE: &str = "Mon, 05 Jan 2026 09:00:00 GMT";
