//! Whom to tell what, why now, and how: [`decide`] from a run to notices, and one file for each
//! channel by which they leave.
//!
//! Deciding is pure. A [`Sender`] sends once and says what came of it: it keeps no outbox, waits for
//! nothing, and never says whom to tell. What leaves names accounts by key; names go only to
//! channels whose settings allow them.

pub mod alertmanager;
pub mod command;
mod decide;
pub mod email;
mod enclosed;
mod item;
pub mod jsm;
mod letter;
pub mod pagerduty;
mod routes;
mod sender;
pub mod slack;
pub mod syslog;
pub mod teams;
pub mod webhook;

pub use decide::{ITEMS_MAX, decide};
pub use enclosed::{AppStand, ENCLOSED_MAX, Enclosed, Head};
pub use item::key;
pub use letter::{First, Letter};
pub use routes::{Channel, Hours, Match, ReportTo, Route, Routes, STORM_OVER};
pub use sender::{Kind, Sender, Sent};
/// Whom TLS trusts, for mail and syslog.
pub use tokio_rustls::rustls::ClientConfig as TlsConfig;
