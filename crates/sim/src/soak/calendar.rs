//! When runs are due by the calendar on the wall, found in another way than the schedule finds it.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// Due times of a run each night at `night`, and one at 13:00 of each working day, after `after`
/// and until `until`: of every minute, those at which the wall shows one, or shows for the first
/// time of the day a later one than it should have.
#[must_use]
pub fn due_times(
    night: NaiveTime,
    zone: Tz,
    after: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Vec<DateTime<Utc>> {
    let mut due = Vec::new();
    let mut nights: BTreeSet<NaiveDate> = BTreeSet::new();
    let minute = |at: DateTime<Utc>| at.timestamp().div_euclid(60);
    for minute in minute(after - TimeDelta::days(1))..=minute(until) {
        let Some(at) = DateTime::from_timestamp(minute * 60, 0) else { continue };
        let wall = at.with_timezone(&zone).naive_local();
        let is_night = wall.time() >= night && nights.insert(wall.date());
        let weekday = wall.format("%a").to_string();
        let is_noon = wall.format("%H:%M").to_string() == "13:00"
            && !["Sat", "Sun"].contains(&weekday.as_str());
        if (is_night || is_noon) && at > after && at <= until {
            due.push(at);
        }
    }
    due
}
