//! What a provider says of telling the app to switch somebody's account off. A fact beside a verdict, and
//! never a reason for one: logs are partial, so what is not in one was neither done nor left undone.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::{Activity, CLOCK_SKEW_MAX, Cause, Fact, Identity, Right, Verdict};
use graph::Sighting;

use crate::case::Case;
use crate::context::{Context, Push};
use crate::looks::{last_look, seen_active_at};
use crate::right::has_lost;
use crate::word::{Word, was_granted_since, word};

/// The newest push to each identity that may own an account which is not seen off, though they lost
/// access. Empty: no log tells of one since then.
pub(crate) fn pushes(case: &Case<'_>) -> Vec<Fact> {
    let (cx, graph) = (case.cx, case.cx.graph);
    let right = case.owner.zip(case.identity).map_or(case.right, |(it, at)| it.right_by(at));
    let Some(account) = case.account.filter(|_| has_lost(right) && !is_off(case.activity)) else {
        return Vec::new();
    };
    if cx.past.ended.is_empty() {
        return Vec::new();
    }
    let contenders = graph.link(account).contenders();
    let mut persons: Vec<u32> = contenders.iter().map(|it| graph.person_of(*it)).collect();
    persons.sort_unstable();
    persons.dedup();
    let identities = persons.into_iter().flat_map(|it| graph.identities_of(it));
    identities.filter_map(|at| fact(case, at)).collect()
}

const fn is_off(activity: Activity) -> bool {
    matches!(activity, Activity::Inactive | Activity::Absent)
}

/// `None`: the log tells of no push to this identity, or of one before they had access last, or before
/// the account was seen off: what became of that is known.
fn fact(case: &Case<'_>, at: usize) -> Option<Fact> {
    let cx = case.cx;
    let identity = cx.graph.estate().identities.get(at)?;
    let push = cx.ended(identity)?.pushed?;
    let word = word(cx, at);
    // Another of theirs that still has a right may have been told of for a reason of its own.
    if !has_lost(word.right) && case.identity != Some(at) {
        return None;
    }
    let lost_at = lost_at(case, &word);
    if lost_at.is_some_and(|it| push.at + CLOCK_SKEW_MAX < it)
        || had_access_since(cx, (at, identity), &word, push)
        || off_at(case).is_some_and(|it| it > push.at + CLOCK_SKEW_MAX)
    {
        return None;
    }
    let idp = &cx.graph.idp_of(identity)?.id;
    let (id, told_at) = (&identity.row.id, time(push.at));
    let mut text =
        format!("{idp} says of `{id}`: the app was told to switch the account off at {told_at}, ");
    match (push.has_failed, seen_active_at(case)) {
        (true, _) => text.push_str("and that failed"),
        (false, None) => text.push_str("and said yes"),
        (false, Some(seen_at)) if seen_at > push.at + CLOCK_SKEW_MAX => text.push_str(&format!(
            "and said yes; after that, as of {}, it shows this account on",
            time(seen_at)
        )),
        (false, Some(seen_at)) => text.push_str(&format!(
            "and said yes; the look that shows this account on, as of {}, may be from before that",
            time(seen_at)
        )),
    }
    if lost_at.is_none() {
        text.push_str(
            ". Since when they have no access is not known: it may have been an earlier time",
        );
    }
    Some(Fact { text, source: format!("{idp} log"), at: push.at })
}

/// Since when at the earliest they had lost access, by the word of an identity; where that does not take
/// it from them, by all that took it. `None`: nobody knows.
fn lost_at(case: &Case<'_>, word: &Word) -> Option<DateTime<Utc>> {
    let starts = case.starts();
    let own = match (has_lost(word.right), word.between) {
        (true, Some(between)) => between.earliest,
        (true, None) => word.ended_at(),
        (false, _) => match starts.between {
            Some(between) => between.earliest,
            None => starts.earliest(),
        },
    };
    let suspended = word.suspended;
    let own = own.map(|it| suspended.map_or(it, |suspended| suspended.min(it)));
    // Who says it on the first night does not on the next.
    let mut found = case.rows().filter_map(|it| case.cx.past.remains_since.get(&it.entity));
    own.or_else(|| found.next().copied())
}

/// Whether anything shows that they had access after the push.
fn had_access_since(
    cx: &Context<'_>,
    (at, identity): (usize, &Sighting<Identity>),
    word: &Word,
    push: Push,
) -> bool {
    let regained = cx.ended(identity).and_then(|it| it.regained);
    let seen_back = cx.said_left(identity).iter().filter_map(|it| it.returned_at).max();
    regained.is_some_and(|it| it > push.at)
        || seen_back.is_some_and(|it| it > push.at + CLOCK_SKEW_MAX)
        || word.right == Right::Unassigned && was_granted_since(cx, at, push.at + CLOCK_SKEW_MAX)
}

/// As of when the account was last seen off, since its owner lost access; `None`: it never was.
fn off_at(case: &Case<'_>) -> Option<DateTime<Utc>> {
    let past = &case.cx.past;
    match past.standings.get(&case.row()?.entity)?.verdict {
        Verdict::ConfirmedOffboarded => last_look(case),
        // On again, as the night before: since the look before that.
        Verdict::Drift(Cause::Reactivated) => {
            case.rows().find_map(|it| past.remains_since.get(&it.entity)).copied()
        }
        _ => None,
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
