//! Durations, instants, zones and times of day as people write them.

use chrono::{
    DateTime, FixedOffset, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, TimeZone as _, Utc,
};
use chrono_tz::Tz;

/// What a duration looks like, for errors.
pub(crate) const DURATION_FORM: &str = "a number and a unit, as `90m`, `26h` or `14d`";

/// Longest duration: ten years. More is a slip of the finger.
const DURATION_MAX: TimeDelta = TimeDelta::days(3_653);

/// Reads `45s`, `90m`, `26h`, `14d` or `2w`. Returns `None` for all else, and for more than
/// ten years.
pub(crate) fn duration(text: &str) -> Option<TimeDelta> {
    let at = text.find(|it: char| !it.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    let number = number.parse().ok()?;
    let duration = match unit {
        "s" => TimeDelta::try_seconds(number),
        "m" => TimeDelta::try_minutes(number),
        "h" => TimeDelta::try_hours(number),
        "d" => TimeDelta::try_days(number),
        "w" => TimeDelta::try_weeks(number),
        _ => None,
    }?;
    (duration <= DURATION_MAX).then_some(duration)
}

/// Writes a duration in its largest whole unit: `26h`, `14d`.
pub(crate) fn written(duration: TimeDelta) -> String {
    let seconds = duration.num_seconds();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let fits = units.into_iter().find(|(size, _)| seconds != 0 && seconds % size == 0);
    let (size, unit) = fits.unwrap_or((1, "s"));
    // A day is written in hours where people count in hours: `24h`, `26h`.
    if (size, seconds) == (86_400, 86_400) {
        return "24h".to_owned();
    }
    format!("{}{unit}", seconds / size)
}

/// Writes an instant as the wall of `zone` shows it: `Thu 2026-11-26 02:00 +01:00`.
pub(crate) fn on_the_wall(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%a %Y-%m-%d %H:%M %:z").to_string()
}

/// Reads an instant with its zone (RFC 3339, a space in place of `T` allowed).
pub(crate) fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|it| it.to_utc())
}

/// Reads a time of day with its offset: `02:00Z`, `02:00:00Z`, `03:30:00+01:00`.
pub(crate) fn time_of_day(text: &str) -> Option<(NaiveTime, FixedOffset)> {
    let on_a_day = format!("2000-01-02T{text}");
    let instant = DateTime::parse_from_rfc3339(&on_a_day)
        .or_else(|_| DateTime::parse_from_str(&on_a_day, "%Y-%m-%dT%H:%M%:z"))
        .or_else(|_| {
            DateTime::parse_from_str(&on_a_day.replace('Z', "+00:00"), "%Y-%m-%dT%H:%M%:z")
        })
        .ok()?;
    Some((instant.time(), *instant.offset()))
}

/// Reads a date, written in full (`2026-11-20`).
pub(crate) fn date(text: &str) -> Option<NaiveDate> {
    /// `2026-11-20`: chrono would take `2026-1-2` too, which no folder is named.
    const LEN: usize = 10;
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (text.len() == LEN).then_some(date)
}

/// Reads the beginning of something: an instant, or a date that counts from its beginning in `zone`.
pub(crate) fn begin(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    if let Some(instant) = instant(text) {
        return Some(instant);
    }
    let midnight = date(text)?.and_hms_opt(0, 0, 0)?;
    zone.from_local_datetime(&midnight).earliest().map(|it| it.to_utc())
}

/// Reads the end of something: an instant, or a date that counts to its end in `zone`.
pub(crate) fn end(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    if let Some(instant) = instant(text) {
        return Some(instant);
    }
    let midnight = date(text)?.succ_opt()?.and_hms_opt(0, 0, 0)?;
    // Where a change of the clocks skips or repeats midnight, the earlier reading ends sooner.
    zone.from_local_datetime(&midnight).earliest().map(|it| it.to_utc())
}

/// Writes an instant for people: in their zone, to the second.
pub(crate) fn shown(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        #[rustfmt::skip]
        let table = [
            ( "0h",     Some(TimeDelta::zero())      ),
            ( "45s",    Some(TimeDelta::seconds(45)) ),
            ( "90m",    Some(TimeDelta::minutes(90)) ),
            ( "26h",    Some(TimeDelta::hours(26))   ),
            ( "14d",    Some(TimeDelta::days(14))    ),
            ( "2w",     Some(TimeDelta::weeks(2))    ),
            ( "24",     None ),
            ( "h",      None ),
            ( "-1h",    None ),
            ( "1.5h",   None ),
            ( "4 h",    None ),
            ( "4000d",  None ),
            ( "99999999999999999999h", None ),
            ( "",       None ),
        ];
        for (text, found) in table {
            assert_eq!(duration(text), found, "`{text}`");
        }
    }

    #[test]
    fn durations_are_written_as_they_are_read() {
        for text in ["45s", "90m", "4h", "24h", "26h", "14d"] {
            assert_eq!(duration(text).map(written).as_deref(), Some(text));
        }
        assert_eq!(written(TimeDelta::zero()), "0s");
    }

    #[test]
    fn times_of_day_carry_a_zone() {
        let night = NaiveTime::from_hms_opt(2, 0, 0).unwrap();
        for text in ["02:00:00Z", "02:00Z", "02:00:00+00:00"] {
            assert_eq!(time_of_day(text).map(|it| it.0), Some(night), "`{text}`");
        }
        assert_eq!(time_of_day("02:00:00+01:00").map(|it| it.1.local_minus_utc()), Some(3_600));
        for text in ["02:00:00", "2 am", "25:00:00Z", ""] {
            assert_eq!(time_of_day(text), None, "`{text}`");
        }
    }

    #[test]
    fn a_date_counts_to_its_end_in_its_zone() {
        let until = end("2026-12-31", chrono_tz::Europe::Berlin).unwrap();
        assert_eq!(until.to_rfc3339(), "2026-12-31T23:00:00+00:00");
        assert_eq!(
            end("2026-12-31T12:00:00Z", Tz::UTC).unwrap().to_rfc3339(),
            "2026-12-31T12:00:00+00:00"
        );
        assert_eq!(end("31.12.2026", Tz::UTC), None);
        assert_eq!(end("2026-1-2", Tz::UTC), None);
    }
}
