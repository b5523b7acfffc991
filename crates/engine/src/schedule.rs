//! When runs are due: cron expressions in a time zone, right across both changes of the clocks.
//!
//! Pure arithmetic. It never asks a clock and never waits: [`attend`](crate::attend) does.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::str::FromStr as _;

use chrono::{DateTime, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _, Timelike as _, Utc};
use chrono_tz::Tz;
use cron::TimeUnitSpec as _;
use domain::{Pass, Turn};

/// Due times that are counted as missed, one by one. A year of quarters of an hour has 35 040:
/// nobody needs to know it more exactly, and a daemon that comes back should not count for long.
pub const MISSED_MAX: u32 = 10_000;

/// What a light pass is marked with, where a schedule is written down.
const LIGHT: &str = "light ";

/// When runs are due.
#[derive(Clone, Debug)]
pub struct Schedule {
    zone: Tz,
    lines: Vec<Line>,
    jitter: TimeDelta,
    salt: u64,
}

/// One cron expression.
#[derive(Clone, Debug)]
struct Line {
    pass: Pass,
    text: String,
    times: cron::Schedule,
    /// Due in every hour: such times follow each other evenly, also when the clocks change.
    is_hourly: bool,
}

/// What is due next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// What kind of run.
    pub pass: Pass,
    /// The due time: the newest that has passed, else the next one.
    pub at: DateTime<Utc>,
    /// When its run begins: up to the jitter later.
    pub begins: DateTime<Utc>,
    /// Due times before it that no run was done for, [`MISSED_MAX`] at most. A light pass that was
    /// not done is none of them: the next one looks at all that it would have.
    pub n_missed: u32,
    /// The first of them.
    pub first_missed: Option<DateTime<Utc>>,
}

/// An expression that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{expression}` {what}")]
pub struct ScheduleError {
    /// The expression, as it was written.
    pub expression: String,
    /// What is wrong with it, and what to do.
    pub what: String,
}

impl Schedule {
    /// Reads cron expressions for full runs. They have five fields: minute, hour, day of the month, month, day of the
    /// week. Days of the week are names (`MON-FRI`), for crons number them differently; and only
    /// one of the two kinds of days may be restricted, for crons join them differently.
    ///
    /// # Errors
    ///
    /// Returns the first expression that cannot be used, or that is never due.
    pub fn parse<'t>(
        expressions: impl IntoIterator<Item = &'t str>,
        zone: Tz,
    ) -> Result<Self, ScheduleError> {
        Self { zone, lines: Vec::new(), jitter: TimeDelta::zero(), salt: 0 }
            .with(Pass::Full, expressions)
    }

    /// Adds expressions for light passes, in the same form.
    ///
    /// # Errors
    ///
    /// Returns the first expression that cannot be used, or that is never due.
    pub fn with_light<'t>(
        self,
        expressions: impl IntoIterator<Item = &'t str>,
    ) -> Result<Self, ScheduleError> {
        self.with(Pass::Light, expressions)
    }

    fn with<'t>(
        mut self,
        pass: Pass,
        expressions: impl IntoIterator<Item = &'t str>,
    ) -> Result<Self, ScheduleError> {
        for expression in expressions {
            self.lines.push(Line::parse(pass, expression)?);
        }
        Ok(self)
    }

    /// The schedule that reads so, as one of a [`Turn`] does; without jitter. `None`: none of ours
    /// reads so, or no more.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split("; ");
        let zone = parts.next()?.parse().ok()?;
        let (light, full): (Vec<&str>, Vec<&str>) = parts.partition(|it| it.starts_with(LIGHT));
        let light = light.iter().filter_map(|it| it.strip_prefix(LIGHT));
        Self::parse(full, zone).ok()?.with_light(light).ok()
    }

    /// Lets each run begin up to `jitter` after its due time, so that many installations do not
    /// ask at the same second. `salt` is this installation's own.
    #[must_use]
    pub fn with_jitter(self, jitter: TimeDelta, salt: u64) -> Self {
        Self { jitter, salt, ..self }
    }

    /// The zone of its hours.
    #[must_use]
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// Whether there are light passes.
    #[must_use]
    pub fn has_light(&self) -> bool {
        self.lines.iter().any(|it| it.pass == Pass::Light)
    }

    /// The first due time of a kind of run after `after`, and the expression that asks for it.
    /// `None`: none within the calendar.
    #[must_use]
    pub fn next(&self, pass: Pass, after: DateTime<Utc>) -> Option<(DateTime<Utc>, &str)> {
        let lines = self.lines.iter().filter(|it| it.pass == pass);
        let times = lines.filter_map(|it| Some((it.next(self.zone, after)?, &*it.text)));
        times.min_by_key(|it| it.0)
    }

    /// The full run that is due at `now`, or next. Due times up to `settled` had their runs. `None`:
    /// nothing, ever.
    #[must_use]
    pub fn due(&self, settled: DateTime<Utc>, now: DateTime<Utc>) -> Option<Due> {
        let (first, _) = self.next(Pass::Full, settled)?;
        let passed = self.between(Pass::Full, settled, now);
        let mut missed: Vec<_> = passed.take(MISSED_MAX as usize + 1).collect();
        // The newest that has passed is done; those before it are not any more.
        Some(Due {
            pass: Pass::Full,
            at: missed.pop().unwrap_or(first),
            begins: first + self.delay(first),
            n_missed: u32::try_from(missed.len()).unwrap_or(MISSED_MAX),
            first_missed: missed.first().copied(),
        })
    }

    /// The first light pass that is due after `lapsed`: those up to then are done, or need not be
    /// done any more. `None`: nothing, ever.
    #[must_use]
    pub fn light_due(&self, lapsed: DateTime<Utc>) -> Option<Due> {
        let (at, _) = self.next(Pass::Light, lapsed)?;
        let begins = at + self.delay(at);
        Some(Due { pass: Pass::Light, at, begins, n_missed: 0, first_missed: None })
    }

    /// The shortest time between two of the next due times of one kind; `None`: there is one at
    /// most.
    #[must_use]
    pub fn shortest_gap(&self) -> Option<TimeDelta> {
        Pass::ALL.iter().flat_map(|it| self.gaps(&[*it])).min()
    }

    /// The longest time between two of the next due times of these kinds; `None`: there is one at
    /// most.
    #[must_use]
    pub fn longest_gap(&self, passes: &[Pass]) -> Option<TimeDelta> {
        self.gaps(passes).into_iter().max()
    }

    fn gaps(&self, passes: &[Pass]) -> Vec<TimeDelta> {
        /// A day of every minute: what recurs daily has shown its gaps by then.
        const LOOKED_AT: usize = 1_440;
        let year = DateTime::UNIX_EPOCH + TimeDelta::days(366);
        let of = |pass: &Pass| self.between(*pass, DateTime::UNIX_EPOCH, year).take(LOOKED_AT);
        let each: Vec<Vec<_>> = passes.iter().map(|it| of(it).collect()).collect();
        // Of one kind, no more was looked at than this.
        let full: Vec<_> = each.iter().filter(|it| it.len() == LOOKED_AT).collect();
        let end = full.iter().filter_map(|it| it.last()).min().copied();
        let mut times: Vec<_> = each.concat();
        times.retain(|it| end.is_none_or(|end| *it <= end));
        times.sort_unstable();
        times.dedup();
        times.array_windows().map(|[one, next]| *next - *one).collect()
    }

    /// The due times of a kind after `after`, until `until`, in order.
    fn between(
        &self,
        pass: Pass,
        after: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> impl Iterator<Item = DateTime<Utc>> {
        let next =
            move |it: DateTime<Utc>| self.next(pass, it).map(|it| it.0).filter(|it| *it <= until);
        std::iter::successors(next(after), move |it| next(*it))
    }

    /// How much later than its due time the run begins: the same for the same time.
    fn delay(&self, at: DateTime<Utc>) -> TimeDelta {
        let range = self.jitter.num_milliseconds().unsigned_abs();
        let mut hasher = DefaultHasher::new();
        (self.salt, at.timestamp()).hash(&mut hasher);
        let ms = hasher.finish().checked_rem(range).unwrap_or(0);
        TimeDelta::milliseconds(ms.cast_signed())
    }
}

impl Due {
    /// It makes up for one before it, too, that nobody did.
    #[must_use]
    pub(crate) fn instead_of(self, owed: &Self) -> Self {
        Self {
            begins: owed.begins,
            n_missed: (owed.n_missed + 1 + self.n_missed).min(MISSED_MAX),
            first_missed: Some(owed.first_missed.unwrap_or(owed.at)),
            ..self
        }
    }

    /// The turn that begins at `began`.
    #[must_use]
    pub fn turn(&self, began: DateTime<Utc>, schedule: &Schedule) -> Turn {
        let Self { at: due, n_missed, first_missed, .. } = *self;
        Turn { due, began, n_missed, first_missed, schedule: schedule.to_string() }
    }
}

/// The zone and the expressions: two schedules that read the same are due at the same times.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.zone.name())?;
        self.lines.iter().try_for_each(|it| match it.pass {
            Pass::Full => write!(f, "; {}", it.text),
            Pass::Light => write!(f, "; {LIGHT}{}", it.text),
        })
    }
}

impl Line {
    fn parse(pass: Pass, expression: &str) -> Result<Self, ScheduleError> {
        let wrong =
            |what: &str| ScheduleError { expression: expression.to_owned(), what: what.to_owned() };
        let fields: Vec<&str> = expression.split_whitespace().collect();
        let [_, _, day, _, weekday] = *fields else {
            return Err(wrong(
                "is no cron expression of five fields: write minute, hour, day, month and weekday, \
                 as `0 2 * * *`",
            ));
        };
        if weekday.contains(|it: char| it.is_ascii_digit()) {
            return Err(wrong(
                "numbers days of the week, which crons do differently: name them, as `MON-FRI`",
            ));
        }
        if day != "*" && weekday != "*" {
            return Err(wrong(
                "restricts days of the month and of the week, which crons join differently: write \
                 two expressions",
            ));
        }
        let text = fields.join(" ");
        let times = cron::Schedule::from_str(&format!("0 {text}"))
            .map_err(|error| wrong(&format!("is no cron expression: {error}")))?;
        let line = Self { pass, is_hourly: times.hours().is_all(), text, times };
        if line.on_the_wall(DateTime::UNIX_EPOCH.naive_utc()).next().is_none() {
            return Err(wrong("is never due: correct its day or month"));
        }
        Ok(line)
    }

    /// Its times on a wall clock, after `after`. A wall clock knows no zone: UTC stands for it.
    fn on_the_wall(&self, after: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> {
        self.times.after(&after.and_utc()).map(|it| it.naive_utc())
    }

    /// The first due time after `after`.
    ///
    /// When the clocks go forward, a time that is left out is due at once. When they go back, a
    /// time that comes twice is due the first time; only times of every hour are due in both.
    fn next(&self, zone: Tz, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.is_hourly { self.next_evenly(zone, after) } else { self.next_by_day(zone, after) }
    }

    fn next_by_day(&self, zone: Tz, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // A day earlier: of what the wall shows twice, the first may be over.
        let from = zone.from_utc_datetime(&after.naive_utc()).naive_local() - TimeDelta::days(1);
        let mut instants = self.on_the_wall(from).filter_map(|it| on_a_day(zone, it));
        instants.find(|it| *it > after)
    }

    fn next_evenly(&self, zone: Tz, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut from = after.with_nanosecond(0)?;
        let mut within = from;
        loop {
            let offset = offset(zone, within);
            let wall = self.on_the_wall(from.naive_utc() + offset).next()?;
            let found = (wall - offset).and_utc();
            let Some(change) = change(zone, within, found) else { return Some(found) };
            // The wall goes on from the change, which may itself be such a time.
            (from, within) = (change - TimeDelta::seconds(1), change);
        }
    }
}

/// The instant at which the wall shows `wall` for the first time, or at which it jumps over it.
fn on_a_day(zone: Tz, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&wall) {
        chrono::LocalResult::Single(it) | chrono::LocalResult::Ambiguous(it, _) => {
            Some(it.to_utc())
        }
        chrono::LocalResult::None => {
            let before = (wall - TimeDelta::days(1)).and_utc();
            change(zone, before - TimeDelta::days(1), before + TimeDelta::days(3))
        }
    }
}

fn offset(zone: Tz, at: DateTime<Utc>) -> TimeDelta {
    let offset = zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    TimeDelta::seconds(offset.local_minus_utc().into())
}

/// The first instant after `from`, `to` at the latest, from which the clocks show another offset;
/// `None` when they do not change. To the second.
fn change(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let before = offset(zone, from);
    let (mut same, mut other) = (from, from);
    while offset(zone, other) == before {
        if other >= to {
            return None;
        }
        (same, other) = (other, (other + TimeDelta::days(1)).min(to));
    }
    while other - same > TimeDelta::seconds(1) {
        let middle = same + TimeDelta::seconds((other - same).num_seconds() / 2);
        if offset(zone, middle) == before { same = middle } else { other = middle }
    }
    Some(other)
}

#[cfg(test)]
mod tests {
    use chrono_tz::America::New_York;
    use chrono_tz::Europe::Berlin;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The due times from `from` to `to`, as the wall shows them.
    fn due(expression: &str, zone: Tz, from: &str, to: &str) -> String {
        let schedule = Schedule::parse([expression], zone).unwrap();
        let times = schedule.between(Pass::Full, at(from), at(to));
        let shown = times.map(|it| it.with_timezone(&zone).format("%d %H:%M%:::z").to_string());
        shown.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_time_that_the_clocks_jump_over_is_due_when_they_have() {
        let spring = |it| due(it, Berlin, "2026-03-28T00:00:00Z", "2026-03-30T12:00:00Z");
        insta::assert_snapshot!(spring("30 2 * * *"), @"28 02:30+01, 29 03:00+02, 30 02:30+02");
        insta::assert_snapshot!(spring("0 3 * * *"), @"28 03:00+01, 29 03:00+02, 30 03:00+02");
        // 02:15 and 02:45 are one and the same instant then.
        insta::assert_snapshot!(spring("15,45 2 * * *"), @"28 02:15+01, 28 02:45+01, 29 03:00+02, 30 02:15+02, 30 02:45+02");
        let spring = due("30 2 * * *", New_York, "2026-03-07T00:00:00Z", "2026-03-09T12:00:00Z");
        insta::assert_snapshot!(spring, @"07 02:30-05, 08 03:00-04, 09 02:30-04");
    }

    #[test]
    fn a_time_that_the_clocks_show_twice_is_due_once() {
        let autumn = |it| due(it, Berlin, "2026-10-24T00:00:00Z", "2026-10-26T12:00:00Z");
        insta::assert_snapshot!(autumn("30 2 * * *"), @"24 02:30+02, 25 02:30+02, 26 02:30+01");
        insta::assert_snapshot!(autumn("0 2,3 * * *"), @"24 03:00+02, 25 02:00+02, 25 03:00+01, 26 02:00+01, 26 03:00+01");
        let autumn = due("30 1 * * *", New_York, "2026-10-31T00:00:00Z", "2026-11-02T12:00:00Z");
        insta::assert_snapshot!(autumn, @"31 01:30-04, 01 01:30-04, 02 01:30-05");
    }

    #[test]
    fn times_of_every_hour_follow_each_other_evenly_over_both_changes() {
        for (zone, from, to) in [
            (Berlin, "2026-03-28T22:50:00Z", "2026-03-29T04:00:00Z"),
            (Berlin, "2026-10-24T22:50:00Z", "2026-10-25T04:00:00Z"),
            (New_York, "2026-03-08T04:50:00Z", "2026-03-08T10:00:00Z"),
            (New_York, "2026-11-01T03:50:00Z", "2026-11-01T10:00:00Z"),
        ] {
            let schedule = Schedule::parse(["*/20 * * * *"], zone).unwrap();
            let times: Vec<_> = schedule.between(Pass::Full, at(from), at(to)).collect();
            assert!(times.len() > 15, "{times:?}");
            let steps = times.windows(2).map(|it| (it[1] - it[0]).num_minutes());
            assert_eq!(steps.filter(|it| *it != 20).count(), 0, "{zone} {from}: {times:?}");
        }
        let hours = due("0 * * * *", Berlin, "2026-10-24T23:00:00Z", "2026-10-25T02:00:00Z");
        insta::assert_snapshot!(hours, @"25 02:00+02, 25 02:00+01, 25 03:00+01");
    }

    #[test]
    fn several_expressions_are_due_in_order_and_together_once() {
        let schedule = Schedule::parse(["0 2 * * *", "0 */6 * * MON-FRI"], Berlin).unwrap();
        let friday =
            schedule.between(Pass::Full, at("2026-11-26T23:00:00Z"), at("2026-11-28T12:00:00Z"));
        let times: Vec<String> = friday.map(|it| it.format("%a %H:%MZ").to_string()).collect();
        insta::assert_snapshot!(times.join(", "), @"Fri 01:00Z, Fri 05:00Z, Fri 11:00Z, Fri 17:00Z, Sat 01:00Z");
        let same = Schedule::parse(["0 2 * * *", "0 2 * * *"], Berlin).unwrap();
        assert_eq!(
            same.between(Pass::Full, at("2026-11-26T00:00:00Z"), at("2026-11-28T12:00:00Z"))
                .count(),
            3
        );
    }

    #[test]
    fn a_schedule_reads_as_it_was_written() {
        let written = Schedule::parse(["0 2 * * *", "0 13 * * MON-FRI"], Berlin).unwrap();
        let written = written.with_light(["*/15 * * * *"]).unwrap().to_string();
        insta::assert_snapshot!(written, @"Europe/Berlin; 0 2 * * *; 0 13 * * MON-FRI; light */15 * * * *");
        assert_eq!(Schedule::read(&written).unwrap().to_string(), written);
        for text in ["", "Europe/Atlantis; 0 2 * * *", "UTC; 0 25 * * *", "UTC; light @daily"] {
            assert!(Schedule::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_told_with_what_to_write() {
        let wrong = |text: &str| Schedule::parse([text], Berlin).unwrap_err().to_string();
        insta::assert_snapshot!(wrong("@daily"), @"`@daily` is no cron expression of five fields: write minute, hour, day, month and weekday, as `0 2 * * *`");
        insta::assert_snapshot!(wrong("0 2 * * 1-5"), @"`0 2 * * 1-5` numbers days of the week, which crons do differently: name them, as `MON-FRI`");
        insta::assert_snapshot!(wrong("0 2 1 * MON"), @"`0 2 1 * MON` restricts days of the month and of the week, which crons join differently: write two expressions");
        insta::assert_snapshot!(wrong("0 2 31 FEB *"), @"`0 2 31 FEB *` is never due: correct its day or month");
        for text in ["0 25 * * *", "60 2 * * *", "0 2 * * NODAY", "a b c d e", "0 2 * *", ""] {
            assert!(wrong(text).starts_with(&format!("`{text}` ")), "{text}");
        }
    }

    #[test]
    fn of_what_passed_the_newest_is_due_and_the_others_were_missed() {
        let schedule = Schedule::parse(["0 2 * * *"], Tz::UTC).unwrap();
        let due = |settled: &str, now: &str| {
            let due = schedule.due(at(settled), at(now)).unwrap();
            let first =
                due.first_missed.map_or_else(String::new, |it| it.format(" from %d").to_string());
            format!("{} {}{first}", due.at.format("%d %H:%M"), due.n_missed)
        };
        let day = "2026-11-20T02:00:00Z";
        // Nothing passed.
        assert_eq!(due(day, "2026-11-20T09:00:00Z"), "21 02:00 0");
        assert_eq!(due(day, "2026-11-21T02:00:00Z"), "21 02:00 0");
        // Down for some nights.
        assert_eq!(due(day, "2026-11-24T09:00:00Z"), "24 02:00 3 from 21");
    }

    #[test]
    fn a_long_absence_is_counted_to_its_limit() {
        let schedule = Schedule::parse(["* * * * *"], Tz::UTC).unwrap();
        let since = at("2026-01-01T00:00:00Z");
        let due = schedule.due(since, at("2026-11-01T00:00:00Z")).unwrap();
        assert_eq!(
            (due.n_missed, due.first_missed),
            (MISSED_MAX, Some(at("2026-01-01T00:01:00Z")))
        );
    }

    #[test]
    fn jitter_delays_each_due_time_by_its_own_and_never_by_more() {
        let schedule = Schedule::parse(["0 2 * * *"], Tz::UTC).unwrap();
        let schedule = schedule.with_jitter(TimeDelta::minutes(5), 7);
        let mut day = at("2026-11-01T00:00:00Z");
        let mut delays = std::collections::BTreeSet::new();
        for _ in 0..30 {
            let due = schedule.due(day, day).unwrap();
            let delay = due.begins - due.at;
            assert!((TimeDelta::zero()..TimeDelta::minutes(5)).contains(&delay), "{delay}");
            assert_eq!(schedule.due(day, day), Some(due), "asked again, the same");
            delays.insert(delay);
            day = due.at;
        }
        assert!(delays.len() > 20, "{delays:?}");
    }
}
