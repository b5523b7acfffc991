//! When an employment ends, and when another begins.

use chrono::{DateTime, Utc};
use domain::{Episode, Right};

use crate::policy::Policy;

/// What becomes of an episode; `None` when it stays as it is.
#[must_use]
pub fn next_episode(
    old: Option<&Episode>,
    right: Right,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Option<Episode> {
    match (old, right) {
        (None, Right::Leaver | Right::Expired) => {
            Some(Episode { number: 1, began_at: now, ended_at: Some(now) })
        }
        (Some(old), Right::Leaver | Right::Expired) if old.ended_at.is_none() => {
            Some(Episode { ended_at: Some(now), ..*old })
        }
        (Some(Episode { number, began_at, ended_at: Some(ended_at) }), Right::Entitled) => {
            if now - *ended_at >= policy.rehire_after {
                Some(Episode { number: number + 1, began_at: now, ended_at: None })
            } else {
                // Back within a day: it never ended.
                Some(Episode { number: *number, began_at: *began_at, ended_at: None })
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn only_leaving_ends_and_only_a_day_later_begins() {
        let at = |hour| DateTime::UNIX_EPOCH + TimeDelta::hours(hour);
        let episode = |number, ended: Option<i64>| Episode {
            number,
            began_at: at(0),
            ended_at: ended.map(at),
        };
        #[rustfmt::skip]
        let table = [
            // before                 | right now         | at, h | number, ended
            ( None,                     Right::Leaver,      5,      Some((1, Some(5))) ),
            ( None,                     Right::Expired,     5,      Some((1, Some(5))) ),
            ( None,                     Right::Suspended,   5,      None ),
            ( Some(episode(1, Some(5))), Right::Leaver,      9,      None ),
            ( Some(episode(1, Some(5))), Right::Entitled,    9,      Some((1, None)) ),
            ( Some(episode(1, Some(5))), Right::Entitled,   29,      Some((2, None)) ),
            ( Some(episode(2, None)),    Right::Entitled,   40,      None ),
            ( Some(episode(2, None)),    Right::Leaver,     50,      Some((2, Some(50))) ),
            ( Some(episode(1, Some(5))), Right::Unassigned, 50,      None ),
        ];
        for (before, right, hour, expected) in table {
            let after = next_episode(before.as_ref(), right, &Policy::default(), at(hour));
            let after = after.map(|it| (it.number, it.ended_at));
            assert_eq!(
                after,
                expected.map(|(n, ended): (u32, Option<i64>)| (n, ended.map(at))),
                "{before:?} {right}"
            );
        }
    }
}
