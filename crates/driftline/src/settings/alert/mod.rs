//! Alerts: the channels by which people are told, and the routes that lead to them.

mod channel;
mod file;
mod route;

pub(crate) use channel::ChannelSettings;
pub(super) use channel::channels;
pub(super) use file::{Alert, Alerting, ReportTable, Route};
pub(super) use route::routes;
