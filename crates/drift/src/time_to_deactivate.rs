//! How long access remained until it was seen to be off: bounds of the median, of the slowest
//! twentieth, and of the slowest.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Exposure, Family, Finding, Span, TimeToDeactivate};

/// Days that are looked back: a quarter, the period in which most rights are reviewed.
const DAYS: i64 = 90;

/// Of the findings that access remains, each stretch that was seen to end in the last 90 days.
/// `None` when there is none. What was switched off before any look saw it on has no finding, and
/// is not among them.
///
/// A percentile of the lower bounds and one of the upper bounds enclose the true one: order is
/// kept where every value lies within its bounds.
#[must_use]
pub fn time_to_deactivate<'f>(
    findings: impl IntoIterator<Item = &'f Finding>,
    now: DateTime<Utc>,
) -> Option<TimeToDeactivate> {
    let since = now - TimeDelta::days(DAYS);
    let remains = findings.into_iter().filter(|it| it.family() == Family::AccessRemains);
    let ended: Vec<&Exposure> = remains
        .flat_map(|it| &it.exposures)
        .filter(|it| it.first_seen_inactive.is_some_and(|off| off > since))
        .collect();
    let mut at_least: Vec<TimeDelta> = ended.iter().map(|it| it.at_least()).collect();
    // No bound is more than any.
    let mut at_most: Vec<TimeDelta> =
        ended.iter().map(|it| it.at_most().unwrap_or(TimeDelta::MAX)).collect();
    at_least.sort_unstable();
    at_most.sort_unstable();
    let span = |percent| {
        let at_most = ranked(&at_most, percent)?;
        Some(Span {
            at_least: ranked(&at_least, percent)?,
            at_most: Some(at_most).filter(|it| *it < TimeDelta::MAX),
        })
    };
    Some(TimeToDeactivate {
        n: u64::try_from(ended.len()).unwrap_or(u64::MAX),
        since,
        p50: span(50)?,
        p95: span(95)?,
        max: span(100)?,
    })
}

/// The nearest rank; `None` of nothing.
fn ranked(sorted: &[TimeDelta], percent: usize) -> Option<TimeDelta> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_what_was_seen() {
        #[rustfmt::skip]
        let table: [(&[i64], [i64; 3]); 3] = [
            // hours, sorted            | p50, p95, longest
            (&[7],                        [7, 7, 7]),
            (&[1, 2, 3, 4],               [2, 4, 4]),
            (&[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 8, 9], [1, 8, 9]),
        ];
        for (all, expected) in table {
            let sorted: Vec<TimeDelta> = all.iter().map(|it| TimeDelta::hours(*it)).collect();
            let found = [50, 95, 100].map(|it| ranked(&sorted, it));
            assert_eq!(found, expected.map(|it| Some(TimeDelta::hours(it))), "{all:?}");
        }
        assert_eq!(ranked(&[], 50), None);
    }
}
