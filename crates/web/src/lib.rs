//! Health and metrics over HTTP: `/healthz`, `/readyz`, `/metrics`.
//!
//! Everything is read from the store's readers and from what the daemon says of itself. Nothing is
//! written, nobody is named, and nobody is asked who they are: it is for this machine, or for a
//! network that may know how many findings there are.

mod health;
mod metrics;
mod numbers;
mod serve;
mod status;

pub use health::Health;
pub use metrics::metrics;
pub use numbers::Numbers;
pub use serve::{Site, serve};
pub use status::Status;
