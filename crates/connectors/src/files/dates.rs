//! Reads dates and times as sources write them. RFC 3339 first; all else needs a zone.

use chrono::{
    DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _, Utc,
};
use chrono_tz::Tz;

/// What a date without a time of day stands for, and midnight of it where no offset is stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Day {
    /// Its first instant.
    Begins,
    /// The instant at which it is over: access that ends on a day lasts through it.
    Ends,
}

/// Why a text is no instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateTrouble {
    /// A date whose zone nobody named.
    NoZone,
    /// No form fits.
    NoDate,
}

/// Forms that cannot be misread. Day-first and month-first dates need a profile's `date_formats`.
const FORMATS: [&str; 5] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d",
];

/// Forms with an offset beside RFC 3339.
const OFFSET_FORMATS: [&str; 4] = [
    "%Y-%m-%d %H:%M:%S%.f %z",
    "%Y-%m-%d %H:%M:%S%.f%z",
    "%Y-%m-%dT%H:%M:%S%.f%z",
    "%Y-%m-%d %H:%M %z",
];

/// Reads an instant, to the millisecond: as it is kept, so that it is judged alike when it is read
/// back.
pub(crate) fn instant(
    text: &str,
    day: Day,
    zone: Option<Tz>,
    formats: &[String],
) -> Result<DateTime<Utc>, DateTrouble> {
    let text = text.trim();
    if let Some(instant) = utc_fast(text.as_bytes()) {
        return Ok(instant);
    }
    let instant = whole(text, day, zone, formats)?;
    // To the millisecond, as rows are kept.
    DateTime::from_timestamp_millis(instant.timestamp_millis()).ok_or(DateTrouble::NoDate)
}

fn whole(
    text: &str,
    day: Day,
    zone: Option<Tz>,
    formats: &[String],
) -> Result<DateTime<Utc>, DateTrouble> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.to_utc());
    }
    let universal = text.strip_suffix(" UTC").or_else(|| text.strip_suffix(" GMT"));
    let (text, zone) = universal.map_or((text, zone), |text| (text, Some(Tz::UTC)));
    for format in OFFSET_FORMATS {
        if let Ok(instant) = DateTime::parse_from_str(text, format) {
            return Ok(instant.to_utc());
        }
    }
    let local = FORMATS
        .into_iter()
        .chain(formats.iter().map(String::as_str))
        .find_map(|it| naive(text, it, day));
    match (local, zone) {
        (None, _) => Err(DateTrouble::NoDate),
        (Some(_), None) => Err(DateTrouble::NoZone),
        (Some(local), Some(zone)) => Ok(in_zone(local, zone)),
    }
}

fn naive(text: &str, format: &str, day: Day) -> Option<NaiveDateTime> {
    let date = match NaiveDateTime::parse_from_str(text, format) {
        // Midnight to the second is how exports pad a date.
        Ok(local) if local.time() == NaiveTime::MIN => local.date(),
        Ok(local) => return Some(local),
        Err(_) => NaiveDate::parse_from_str(text, format).ok()?,
    };
    let date = if day == Day::Ends { date.succ_opt()? } else { date };
    Some(date.and_time(NaiveTime::MIN))
}

/// The first instant at or after a local time: clocks that go forward skip some.
fn in_zone(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => instant.to_utc(),
        LocalResult::None => {
            // Gaps are an hour or less, but for the day that some islands skipped.
            let after = [1, 24].into_iter().find_map(|hours| {
                let later = local.checked_add_signed(TimeDelta::hours(hours))?;
                zone.from_local_datetime(&later).earliest()
            });
            after.map_or_else(|| local.and_utc(), |instant| instant.to_utc())
        }
    }
}

/// `2026-01-31T17:00:00Z` with or without milliseconds, as nearly all are. `None` for any other form.
fn utc_fast(text: &[u8]) -> Option<DateTime<Utc>> {
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
        rest @ ..,
        b'Z',
    ] = text
    else {
        return None;
    };
    let nanos = match rest {
        [] => 0,
        [b'.', a, b, c] => number(&[*a, *b, *c])? * 1_000_000,
        _ => return None,
    };
    let year = i32::try_from(number(&[*y1, *y2, *y3, *y4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&[*m1, *m2])?, number(&[*d1, *d2])?)?;
    let time = date.and_hms_nano_opt(
        number(&[*h1, *h2])?,
        number(&[*n1, *n2])?,
        number(&[*s1, *s2])?,
        nanos,
    )?;
    Some(time.and_utc())
}

fn number(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |sum, it| it.is_ascii_digit().then(|| sum * 10 + u32::from(it - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_zones_and_ends_of_days() {
        let berlin = Some(Tz::Europe__Berlin);
        #[rustfmt::skip]
        let table = [
            // text                       | day         | zone   | instant
            ("2026-01-30T17:02:11.000Z",    Day::Begins,  None,    Ok("2026-01-30T17:02:11Z")),
            ("2026-01-30T17:02:11Z",        Day::Ends,    None,    Ok("2026-01-30T17:02:11Z")),
            ("2025-03-01T12:00:00.1234567Z",Day::Begins,  None,    Ok("2025-03-01T12:00:00.123Z")),
            ("2026-01-30T17:02:11+02:00",   Day::Begins,  berlin,  Ok("2026-01-30T15:02:11Z")),
            ("2026-01-30 17:02:11 UTC",     Day::Begins,  berlin,  Ok("2026-01-30T17:02:11Z")),
            ("2026-01-30 17:02:11 +0000",   Day::Begins,  None,    Ok("2026-01-30T17:02:11Z")),
            ("2026-01-30 17:02",            Day::Begins,  berlin,  Ok("2026-01-30T16:02:00Z")),
            ("2026-01-30",                  Day::Begins,  berlin,  Ok("2026-01-29T23:00:00Z")),
            ("2026-01-30",                  Day::Ends,    berlin,  Ok("2026-01-30T23:00:00Z")),
            ("2026-03-29 02:30",            Day::Begins,  berlin,  Ok("2026-03-29T01:30:00Z")), // Skipped that night.
            ("31.01.2026",                  Day::Ends,    berlin,  Ok("2026-01-31T23:00:00Z")),
            ("2026-01-30 00:00:00",         Day::Ends,    berlin,  Ok("2026-01-30T23:00:00Z")), // A date, padded.
            ("2026-01-30T00:00:00.000",     Day::Ends,    berlin,  Ok("2026-01-30T23:00:00Z")),
            ("30.01.2026 00:00",            Day::Ends,    berlin,  Ok("2026-01-30T23:00:00Z")),
            ("2026-01-30 00:00",            Day::Begins,  berlin,  Ok("2026-01-29T23:00:00Z")),
            ("2026-01-30 00:00:01",         Day::Ends,    berlin,  Ok("2026-01-29T23:00:01Z")),
            ("2026-01-30T00:00:00Z",        Day::Ends,    berlin,  Ok("2026-01-30T00:00:00Z")), // With an offset, an instant.
            ("2026-01-30",                  Day::Ends,    None,    Err(DateTrouble::NoZone)),
            ("01/02/2026",                  Day::Ends,    berlin,  Err(DateTrouble::NoDate)),
            ("2026-02-30T00:00:00Z",        Day::Ends,    berlin,  Err(DateTrouble::NoDate)),
            ("soon",                        Day::Ends,    berlin,  Err(DateTrouble::NoDate)),
            // A leap second is the one after it, as it is kept; behind the last that can be kept there is none.
            ("2016-12-31T23:59:60Z",        Day::Begins,  None,    Ok("2017-01-01T00:00:00Z")),
            ("+262142-12-31T23:59:60+0000", Day::Begins,  None,    Err(DateTrouble::NoDate)),
        ];
        for (text, day, zone, wanted) in table {
            let wanted = wanted.map(|it| it.parse::<DateTime<Utc>>().unwrap());
            let formats = ["%d.%m.%Y", "%d.%m.%Y %H:%M"].map(str::to_owned);
            assert_eq!(instant(text, day, zone, &formats), wanted, "`{text}`");
        }
    }
}
