//! Where Driftline is blind: lists that are too old, that were not seen whole for too long, and those
//! that no run ever saw whole. Says so; decides nothing about people.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::{List, Pass, Severity, SystemId, Unseen, Watcher, WatcherFinding};
use store::State;

use crate::lists::{Listing, is_ahead, is_old, shown};
use crate::plan::Plan;

/// What is too old to judge by, and what to do.
pub(crate) fn blind(
    plan: &Plan,
    listings: &[Listing],
    unseen: &[Unseen],
    now: DateTime<Utc>,
) -> Vec<WatcherFinding> {
    let lists = listings.iter().filter_map(|it| {
        let list = shown(&it.stream, listings.iter().map(|it| it.stream.clone()));
        let (text, next_action) = old(plan, it, &list, now)?;
        Some((&it.stream.system, text, next_action))
    });
    let too_long = unseen.iter().filter(|it| now - it.since > plan.policy.max_age);
    let never = too_long.map(|it| {
        let Unseen { system, list, since } = it;
        let hours = (now - *since).num_hours();
        let text = match list {
            Some(list) => format!("no run has seen {system} {list} whole in {hours} h"),
            None => format!("no run has read a file of {system} in {hours} h"),
        };
        (system, text, MEND_THE_LIST)
    });
    let finding = |(system, text, next_action): (&SystemId, String, &str)| WatcherFinding {
        kind: Watcher::SourceStale,
        system: Some(system.clone()),
        severity: Severity::High,
        text,
        next_action: next_action.to_owned(),
        root: None,
    };
    lists.chain(never).map(finding).collect()
}

const MEND_THE_LIST: &str =
    "`driftline report` says what is wrong with it: who is not in it may be anybody.";

/// What is wrong with the age of a list that was seen whole once, and what to do; `None`: nothing.
fn old(
    plan: &Plan,
    listing: &Listing,
    list: &str,
    now: DateTime<Utc>,
) -> Option<(String, &'static str)> {
    let newest = listing.newest()?.as_of.at;
    if is_ahead(newest, now) {
        let at = newest.to_rfc3339_opts(SecondsFormat::Secs, true);
        let text = format!(
            "the newest list of {list} speaks as of {at}, which is ahead of this run's clock"
        );
        return Some((text, "Set this machine's clock right, and run again."));
    }
    if is_old(newest, plan.policy.max_age, now) {
        let text = format!("the newest list of {list} is {} h old", (now - newest).num_hours());
        return Some((text, "Bring a newer export, or find out why the pull brings none."));
    }
    let whole = listing.whole()?.as_of.at;
    is_old(whole, plan.policy.max_age, now).then(|| {
        let hours = (now - whole).num_hours();
        (format!("the last whole list of {list} is {hours} h old"), MEND_THE_LIST)
    })
}

/// Lists that the plan asks for and that no run ever saw whole, this one included, in order. `lost`:
/// systems of which a file could not be read. A light pass asks for no list: what was so stays so.
pub(crate) fn unseen(
    plan: &Plan,
    state: &State,
    lost: &[(SystemId, String)],
    listings: &[Listing],
    now: DateTime<Utc>,
) -> Vec<Unseen> {
    if plan.pass == Pass::Light {
        let is_planned = |it: &&Unseen| plan.sources.iter().any(|of| *of.system() == it.system);
        return state.unseen.iter().filter(is_planned).cloned().collect();
    }
    let never_whole = listings.iter().filter(|it| it.whole().is_none());
    let lists = never_whole.map(|it| (&it.stream.system, Some(it.stream.list)));
    // A file that was not read may belong to each list of its system: none of them is whole then.
    let is_told = |system: &&SystemId| listings.iter().any(|it| it.stream.system == **system);
    let lost = lost.iter().map(|it| &it.0).filter(|it| !is_told(it));
    let mut unseen: Vec<(&SystemId, Option<List>)> =
        lists.chain(lost.map(|it| (it, None))).collect();
    unseen.sort_unstable();
    unseen.dedup();
    let since = |system: &SystemId, list: Option<List>| {
        let mut before = state.unseen.iter();
        before.find(|it| it.system == *system && it.list == list).map_or(now, |it| it.since)
    };
    unseen
        .into_iter()
        .map(|(system, list)| Unseen { system: system.clone(), list, since: since(system, list) })
        .collect()
}
