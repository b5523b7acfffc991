//! Employments: a leaver's ends, and whoever is entitled again long enough after begins another.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{EntityId, Episode, Right};
use drift::{Policy, next_episode};
use store::State;

use crate::record::AppOutcome;

/// The episodes that this run ends, begins or takes back.
pub(crate) fn episodes(
    state: &State,
    outcomes: &[AppOutcome<'_>],
    policy: &Policy,
    now: DateTime<Utc>,
) -> Vec<(EntityId, Episode)> {
    // One employment over all apps: whoever has left one of them by lifecycle has left.
    let mut rights: BTreeMap<EntityId, Right> = BTreeMap::new();
    for (entity, right) in outcomes.iter().flat_map(|it| &it.judgement.rights) {
        let known = rights.entry(*entity).or_insert(*right);
        if *known == Right::Entitled {
            *known = *right;
        }
    }
    rights
        .into_iter()
        .filter_map(|(entity, right)| {
            Some((entity, next_episode(state.episodes.get(&entity), right, policy, now)?))
        })
        .collect()
}
