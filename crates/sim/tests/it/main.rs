//! The simulated company asked over real sockets, as a reader would.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and a panic says where"
)]

mod ask;
mod entra;
mod faults;
mod okta;
mod onelogin;
mod scim;
mod soak;
mod sso;
mod world;
