//! What the settings say of the policy: limits, graces, the guard, and the calendar.

use chrono::{TimeDelta, Weekday};
use chrono_tz::Tz;
use domain::{Calendar, Cause, SlaLimit};
use drift::{Guard, Policy};

use super::document::Document;
use super::source::zone;
use super::{SettingsError, file};
use crate::nearest::nearest;
use crate::when::{self, DURATION_FORM};

/// Longest limit in business days: a year of them. More is a slip of the finger.
const BUSINESS_DAYS_MAX: u32 = 260;

/// What is written of the policy, made to mean something.
///
/// # Errors
///
/// Returns the first value that cannot be used.
pub(super) fn policy(
    document: &Document<'_>,
    policy: &file::Policy,
) -> Result<Policy, SettingsError> {
    let wrong = |key: &str, what: &str| document.wrong(&["policy", key], what);
    let some_time = |key: &str, text: &str| match when::duration(text) {
        Some(duration) if duration > TimeDelta::zero() => Ok(duration),
        _ => Err(wrong(key, &format!("is no time above 0: write {DURATION_FORM}"))),
    };
    if !(1..=100).contains(&policy.shrink_max_percent) {
        return Err(wrong(
            "shrink_max_percent",
            "must be 1 to 100: it can be raised, not switched off",
        ));
    }
    let zone = zone(&policy.zone).map_err(|what| wrong("zone", &what))?;
    let mut meant = Policy {
        version: policy.version,
        max_age: some_time("max_age", &policy.max_age)?,
        rehire_after: some_time("rehire_after", &policy.rehire_after)?,
        sla: sla(document, &policy.sla)?,
        calendar: calendar(document, &policy.calendar, zone)?,
        guard: guard(document, &policy.guard)?,
        sla_clock: policy.sla_clock.meant(),
        shrink_max_percent: policy.shrink_max_percent,
        zone,
        ..Policy::default()
    };
    for (name, text) in &policy.grace {
        let grace = when::duration(text).ok_or_else(|| {
            document
                .wrong(&["policy", "grace", name], format!("is no duration: write {DURATION_FORM}"))
        })?;
        meant.grace.insert(cause(document, "grace", name)?, grace);
    }
    for (name, severity) in &policy.severity {
        meant.severity.insert(cause(document, "severity", name)?, severity.meant());
    }
    Ok(meant)
}

/// Reads `24h`, `1 business day` or `2 business days`.
fn sla(document: &Document<'_>, text: &str) -> Result<SlaLimit, SettingsError> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let limit = match &*words {
        [n, "business", "day" | "days"] => n
            .parse()
            .ok()
            .filter(|it| (1..=BUSINESS_DAYS_MAX).contains(it))
            .map(SlaLimit::BusinessDays),
        _ => when::duration(text).filter(|it| *it > TimeDelta::zero()).map(SlaLimit::Span),
    };
    limit.ok_or_else(|| {
        let what = format!("is no time above 0: write {DURATION_FORM}, or `1 business day`");
        document.wrong(&["policy", "sla"], what)
    })
}

fn calendar(
    document: &Document<'_>,
    written: &file::Calendar,
    default: Tz,
) -> Result<Calendar, SettingsError> {
    let at = |key| ["policy", "calendar", key];
    let zone = match &written.zone {
        Some(text) => zone(text).map_err(|what| document.wrong(&at("zone"), what))?,
        None => default,
    };
    let mut workdays: Vec<Weekday> = written.workdays.iter().map(|it| it.meant()).collect();
    workdays.sort_unstable_by_key(Weekday::num_days_from_monday);
    workdays.dedup();
    if workdays.is_empty() {
        return Err(document.wrong(&at("workdays"), "is empty: name a day of the week, as \"mon\""));
    }
    let holidays = written.holidays.iter().map(|text| {
        when::date(text).ok_or_else(|| {
            let what = format!("has `{text}`, which is no date: write it as 2026-12-25");
            document.wrong(&at("holidays"), what)
        })
    });
    Ok(Calendar { zone, workdays, holidays: holidays.collect::<Result<_, _>>()? })
}

fn guard(document: &Document<'_>, written: &file::Guard) -> Result<Guard, SettingsError> {
    let wrong = |key: &str, what: &str| Err(document.wrong(&["policy", "guard", key], what));
    for (key, n) in [("run_min", written.run_min), ("week_min", written.week_min)] {
        if n == 0 {
            return wrong(key, "must be at least 1");
        }
    }
    for (key, percent) in [
        ("run_max_percent", written.run_max_percent),
        ("week_max_percent", written.week_max_percent),
    ] {
        if !(1..=100).contains(&percent) {
            return wrong(key, "must be 1 to 100: it can be raised, not switched off");
        }
    }
    let release_for = when::duration(&written.release_for);
    let Some(release_for) = release_for.filter(|it| *it > TimeDelta::zero()) else {
        return wrong("release_for", &format!("is no time above 0: write {DURATION_FORM}"));
    };
    Ok(Guard {
        run_min: written.run_min,
        run_max_percent: written.run_max_percent,
        week_min: written.week_min,
        week_max_percent: written.week_max_percent,
        release_for,
    })
}

fn cause(document: &Document<'_>, table: &str, name: &str) -> Result<Cause, SettingsError> {
    Cause::parse(name).ok_or_else(|| {
        let names = Cause::ALL.iter().map(|cause| cause.name());
        let guess = nearest(name, names)
            .map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
        let what = format!("is not a cause of findings{guess}; `docs/rules` has a page for each");
        document.wrong(&["policy", table, name], what)
    })
}
