//! What Secureframe is asked for: paths and queries on `https://api.secureframe.com`.
//!
//! Source: Secureframe API 2023-10-18.

use super::refusal::Order;
use crate::path::encoded;

/// The most that one page has, whatever is asked for.
pub(super) const PAGE_ROWS: u32 = 100;

/// One page of everybody, by its number from 1.
pub(super) fn people(order: Order, number: u64) -> String {
    let sort = match order {
        Order::ById => "&sort=id",
        Order::AsItIs => "",
    };
    format!("users?page={number}&per_page={PAGE_ROWS}{sort}")
}

/// Anybody at all.
pub(super) fn anybody() -> String {
    "users?page=1&per_page=1".to_owned()
}

/// One person, by id.
pub(super) fn person(id: &str) -> String {
    format!("users/{}", encoded(id))
}
