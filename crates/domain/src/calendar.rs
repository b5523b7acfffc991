//! The time in which access must be off: a span, or business days of a calendar with its zone.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;

/// Days that are looked through for business days: ten years. A calendar with none in them has none.
const DAYS_MAX: u32 = 3_653;

/// How long access may remain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlaLimit {
    /// So long, by the clock.
    Span(TimeDelta),
    /// To the end of the n-th business day after the day on which the clock starts. At least 1.
    BusinessDays(u32),
}

/// Which days are business days, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Where days begin and end.
    pub zone: Tz,
    /// Days of the week on which people work. Never empty.
    pub workdays: Vec<Weekday>,
    /// Days on which nobody does.
    pub holidays: BTreeSet<NaiveDate>,
}

impl Default for Calendar {
    fn default() -> Self {
        use Weekday::{Fri, Mon, Thu, Tue, Wed};
        Self { zone: Tz::UTC, workdays: vec![Mon, Tue, Wed, Thu, Fri], holidays: BTreeSet::new() }
    }
}

impl Calendar {
    /// The deadline of a clock that starts at `start`.
    #[must_use]
    pub fn deadline(&self, limit: &SlaLimit, start: DateTime<Utc>) -> DateTime<Utc> {
        match limit {
            SlaLimit::Span(span) => start + *span,
            SlaLimit::BusinessDays(n) => self.end_of_business_day(start, *n),
        }
    }

    /// Names a limit with all that its deadline depends on, for the record: `24 h`, or `2 business
    /// days (Mon Tue Wed Thu Fri, 3 holidays, Europe/Berlin)`.
    #[must_use]
    pub fn describe(&self, limit: &SlaLimit) -> String {
        match limit {
            SlaLimit::Span(span) if span.num_minutes() % 60 == 0 => {
                format!("{} h", span.num_hours())
            }
            SlaLimit::Span(span) => format!("{} min", span.num_minutes()),
            SlaLimit::BusinessDays(n) => {
                let days: Vec<String> = self.workdays.iter().map(Weekday::to_string).collect();
                let plural = if *n == 1 { "day" } else { "days" };
                format!(
                    "{n} business {plural} ({}, {} holidays, {})",
                    days.join(" "),
                    self.holidays.len(),
                    self.zone
                )
            }
        }
    }

    fn end_of_business_day(&self, start: DateTime<Utc>, n_days: u32) -> DateTime<Utc> {
        let mut day = day_of(start, self.zone);
        let mut left = n_days;
        for _ in 0..DAYS_MAX {
            let Some(next) = day.checked_add_days(Days::new(1)) else { break };
            day = next;
            if self.workdays.contains(&day.weekday()) && !self.holidays.contains(&day) {
                left = left.saturating_sub(1);
            }
            if left == 0 {
                break;
            }
        }
        end_of_day(day, self.zone).unwrap_or(start)
    }
}

/// The day that an instant is of. A last day is over at the first instant of the next one, and the
/// clock that starts then is one of that last day.
#[must_use]
pub fn day_of(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    (at - TimeDelta::nanoseconds(1)).with_timezone(&zone).date_naive()
}

/// The first instant of the day after `day` in `zone`; where the clock skips midnight, the first
/// instant after the gap. `None` at the end of what a calendar holds.
#[must_use]
pub fn end_of_day(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    let next = day.checked_add_days(Days::new(1))?;
    let starts = (0..4)
        .find_map(|hour| next.and_hms_opt(hour, 0, 0)?.and_local_timezone(zone).earliest())?;
    Some(starts.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn business_days_end_where_people_work() {
        let holidays = ["2026-12-25", "2027-01-01"].map(|it| it.parse().unwrap()).into();
        let berlin = Calendar { zone: Tz::Europe__Berlin, holidays, ..Calendar::default() };
        #[rustfmt::skip]
        let table = [
            // start                | days | deadline               | case
            ("2026-11-16T08:00:00Z",  1,    "2026-11-17T23:00:00Z",  "Monday to the end of Tuesday"),
            ("2026-11-16T23:30:00Z",  1,    "2026-11-18T23:00:00Z",  "in Berlin it is Tuesday already"),
            ("2026-11-20T16:00:00Z",  1,    "2026-11-23T23:00:00Z",  "Friday to the end of Monday"),
            ("2026-11-19T23:00:00Z",  1,    "2026-11-20T23:00:00Z",  "Thursday was the last day"),
            ("2026-11-21T09:00:00Z",  1,    "2026-11-23T23:00:00Z",  "Saturday, too"),
            ("2026-11-20T16:00:00Z",  5,    "2026-11-27T23:00:00Z",  "a week"),
            ("2026-12-24T10:00:00Z",  1,    "2026-12-28T23:00:00Z",  "over Christmas and a weekend"),
            ("2026-03-27T10:00:00Z",  1,    "2026-03-30T22:00:00Z",  "over the change of the clocks"),
        ];
        for (start, n, deadline, case) in table {
            let limit = SlaLimit::BusinessDays(n);
            let found = berlin.deadline(&limit, start.parse().unwrap());
            assert_eq!(found, deadline.parse::<DateTime<Utc>>().unwrap(), "{case}");
        }
    }

    #[test]
    fn a_limit_is_named_with_all_that_it_depends_on() {
        let calendar = Calendar::default();
        let named = |limit| calendar.describe(&limit);
        assert_eq!(named(SlaLimit::Span(TimeDelta::hours(24))), "24 h");
        assert_eq!(named(SlaLimit::Span(TimeDelta::minutes(90))), "90 min");
        assert_eq!(
            named(SlaLimit::BusinessDays(2)),
            "2 business days (Mon Tue Wed Thu Fri, 0 holidays, UTC)"
        );
    }
}
