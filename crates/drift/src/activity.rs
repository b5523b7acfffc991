//! Is this account on? Judged over the app's channels: active if any fresh one says so, off only
//! if every required one does.

use chrono::TimeDelta;
use domain::{Account, Activity, Lifecycle, List, Verdict};
use graph::{ListView, Sighting, Standing};

use crate::context::Context;
use crate::policy::Deprovision;

/// So long is asked of the account of somebody who has left.
const JUST_LEFT: TimeDelta = TimeDelta::days(3);

/// What the channels say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The conclusion.
    pub(crate) activity: Activity,
    /// One fresh channel says on, another says off.
    pub(crate) is_disputed: bool,
    /// A channel says neither on nor off.
    pub(crate) is_partly_unseen: bool,
}

impl Seen {
    /// What one channel says, or none.
    pub(crate) const fn by_one(activity: Activity) -> Self {
        Self { activity, is_disputed: false, is_partly_unseen: is_unsaid(activity) }
    }
}

/// Judges every account, in the order of the graph.
pub(crate) fn activities(cx: &Context<'_>) -> Vec<Seen> {
    // What the app does with those who are off is looked up once for each channel.
    let hides: Vec<bool> =
        cx.graph.estate().channels.iter().map(|it| hides_today(cx, it)).collect();
    (0..cx.graph.accounts().len()).map(|it| activity(cx, &hides, it)).collect()
}

fn activity(cx: &Context<'_>, hides: &[bool], account: usize) -> Seen {
    let Some(view) = cx.graph.accounts().get(account) else {
        return Seen::by_one(Activity::Unknown);
    };
    let estate = cx.graph.estate();
    if let ([channel], []) = (&*estate.channels, &*view.others) {
        let row = cx.graph.account_row(account);
        let hides = hides.first() == Some(&true);
        return Seen::by_one(of_row(cx, channel, hides, row));
    }
    let said: Vec<(Activity, bool)> = estate
        .channels
        .iter()
        .zip(hides)
        .enumerate()
        .map(|(at, (channel, hides))| {
            let row = view.rows(estate).find(|it| usize::from(it.system) == at);
            let activity = match row {
                Some(row) => of_row(cx, channel, *hides, row),
                None => without_row(cx, (at, channel), *hides, account),
            };
            (activity, is_required(cx, channel))
        })
        .collect();
    let any = |which: Activity| said.iter().any(|it| it.0 == which);
    let is_off = |it: Activity| matches!(it, Activity::Inactive | Activity::Absent);
    let all_off =
        said.iter().filter(|it| it.1).all(|it| is_off(it.0)) && said.iter().any(|it| it.1);
    let activity = if any(Activity::Active) {
        Activity::Active
    } else if all_off {
        if any(Activity::Inactive) { Activity::Inactive } else { Activity::Absent }
    } else {
        [Activity::Invited, Activity::NotStated]
            .into_iter()
            .find(|it| any(*it))
            .unwrap_or(Activity::Unknown)
    };
    Seen {
        activity,
        is_disputed: any(Activity::Active) && said.iter().any(|it| is_off(it.0)),
        is_partly_unseen: said.iter().any(|it| is_unsaid(it.0)),
    }
}

/// Whether it is neither on nor off.
pub(crate) const fn is_unsaid(activity: Activity) -> bool {
    matches!(activity, Activity::Unknown | Activity::NotStated | Activity::Invited)
}

/// What "no account at all" is worth: absent where every channel was seen whole.
pub(crate) fn no_account(cx: &Context<'_>) -> Activity {
    let channels = &cx.graph.estate().channels;
    let is_whole = !channels.is_empty() && channels.iter().all(|it| it.base.is_some());
    if is_whole { Activity::Absent } else { Activity::Unknown }
}

fn of_row(cx: &Context<'_>, channel: &ListView, hides: bool, row: &Sighting<Account>) -> Activity {
    match row.standing {
        Standing::Listed if !cx.is_looked_at(List::Accounts, row.entity) => Activity::Unknown,
        Standing::Listed if cx.graph.estate().is_fresh(row) => Activity::of(&row.row),
        Standing::Listed => Activity::Unknown,
        Standing::Gone if channel.base.is_none() => Activity::Unknown,
        Standing::Gone if is_in_doubt(cx, channel, row) => Activity::Unknown,
        Standing::Gone => match cx.rules.deprovision {
            Deprovision::Lists | Deprovision::Deletes => Activity::Absent,
            Deprovision::Hides if hides => Activity::Inactive,
            Deprovision::Hides | Deprovision::Unknown => Activity::Unknown,
        },
    }
}

/// What a channel says of an account that no row of it is known to show: it is off where that is so
/// of every row that may show it, and where it is not listed at all.
fn without_row(
    cx: &Context<'_>,
    (at, channel): (usize, &ListView),
    hides: bool,
    account: usize,
) -> Activity {
    let rows = cx.graph.rows_that_may_be(account).filter(|it| usize::from(it.system) == at);
    let mut off = unlisted(channel);
    for row in rows {
        match (off, of_row(cx, channel, hides, row)) {
            (Activity::Absent, said @ (Activity::Absent | Activity::Inactive)) => off = said,
            (Activity::Inactive, Activity::Absent | Activity::Inactive) => {}
            _ => return Activity::Unknown,
        }
    }
    off
}

fn unlisted(channel: &ListView) -> Activity {
    if channel.base.is_some() { Activity::Absent } else { Activity::Unknown }
}

pub(crate) fn is_required(cx: &Context<'_>, channel: &ListView) -> bool {
    let required = &cx.rules.required_channels;
    required.is_empty() || channel.stream.channel.is_some_and(|it| required.contains(&it))
}

/// Not in the list, and the app, which can be asked by id, has not said that it is gone: neither
/// today nor when it was missing first.
fn is_in_doubt(cx: &Context<'_>, channel: &ListView, row: &Sighting<Account>) -> bool {
    let is_asked = cx.graph.estate().asked_again.contains(&(List::Accounts, row.entity));
    channel.is_live && !is_asked && (is_newly_gone(cx, channel, row) || !was_settled(cx, row))
}

/// In the list that was seen whole last, or in one since, and not in that of today.
fn is_newly_gone(cx: &Context<'_>, channel: &ListView, row: &Sighting<Account>) -> bool {
    let seen_at = cx.graph.estate().snapshot(row.snapshot).reference.as_of.at;
    cx.past.looked_at.get(&channel.stream).is_none_or(|it| seen_at >= *it)
}

/// The last look at it sufficed for more than that all is well, or that nothing can be said.
fn was_settled(cx: &Context<'_>, row: &Sighting<Account>) -> bool {
    cx.past.standings.get(&row.entity).is_some_and(|it| {
        it.seen_until.is_none()
            && !matches!(it.verdict, Verdict::Indeterminate | Verdict::Confirmed)
    })
}

/// Returns true when an app that can be asked by id must say whether this account, which is gone
/// from its list, is gone indeed. Where absence shows nothing of the app, that is asked once, and when
/// somebody whose it may be has left.
pub(crate) fn must_be_asked(cx: &Context<'_>, account: usize) -> bool {
    let is_shown = match cx.rules.deprovision {
        Deprovision::Lists | Deprovision::Deletes => true,
        // By a canary alone.
        Deprovision::Hides => !cx.rules.inactive_canaries.is_empty(),
        Deprovision::Unknown => false,
    };
    let is_meant = |channel: &ListView, row: &Sighting<Account>| {
        is_shown || is_newly_gone(cx, channel, row) || has_just_left(cx, account)
    };
    is_missing(cx, account, is_meant)
}

/// Whether somebody whose account it may be was first seen to have left so short a time ago that one
/// answer that did not come is not the last word.
fn has_just_left(cx: &Context<'_>, account: usize) -> bool {
    let estate = cx.graph.estate();
    let contenders = cx.graph.link(account).contenders();
    contenders.iter().filter_map(|it| estate.identities.get(*it)).any(|it| {
        let episode = cx.past.episodes.get(&it.entity);
        let found_at = episode.and_then(|it| it.ended_at);
        it.row.lifecycle == Lifecycle::Left && found_at.is_none_or(|it| cx.now - it < JUST_LEFT)
    })
}

/// Returns true when it is in doubt since today whether this account is gone.
pub(crate) fn is_missing_anew(cx: &Context<'_>, account: usize) -> bool {
    is_missing(cx, account, |channel, row| is_newly_gone(cx, channel, row))
}

/// Whether a row of the account is in doubt that is not in its list, and `is_meant`.
fn is_missing(
    cx: &Context<'_>,
    account: usize,
    is_meant: impl Fn(&ListView, &Sighting<Account>) -> bool,
) -> bool {
    let estate = cx.graph.estate();
    let Some(view) = cx.graph.accounts().get(account) else { return false };
    view.rows(estate).filter(|it| it.standing == Standing::Gone).any(|row| {
        estate.channels.get(usize::from(row.system)).is_some_and(|channel| {
            channel.base.is_some() && is_in_doubt(cx, channel, row) && is_meant(channel, row)
        })
    })
}

/// An account known to be inactive is not in today's list: the app hides such accounts. One that
/// can be asked by id must have said that it is still there.
fn hides_today(cx: &Context<'_>, channel: &ListView) -> bool {
    let canaries = &cx.rules.inactive_canaries;
    let is_hidden = |canary: &String| channel.hidden.iter().any(|it| **it == **canary);
    match (canaries.is_empty(), channel.is_live) {
        (true, _) => false,
        (false, true) => {
            canaries.iter().any(is_hidden) && !canaries.iter().any(|it| is_listed(cx, channel, it))
        }
        (false, false) => !canaries.iter().any(|it| is_listed(cx, channel, it)),
    }
}

/// Inactive canaries that the app must be asked for by id: only they show that it hides who is off.
pub(crate) fn hidden_canaries<'c>(
    cx: &'c Context<'_>,
) -> impl Iterator<Item = (&'c ListView, &'c str)> {
    let channels = cx.graph.estate().channels.iter();
    let asked = channels
        .filter(|it| cx.rules.deprovision == Deprovision::Hides && it.is_live && it.base.is_some());
    asked.flat_map(|channel| {
        let canaries = cx.rules.inactive_canaries.iter();
        let hidden = canaries.filter(|it| !is_listed(cx, channel, it));
        hidden.map(move |it| (channel, it.as_str()))
    })
}

/// Whether an account of this name is in the list of today.
fn is_listed(cx: &Context<'_>, channel: &ListView, name: &str) -> bool {
    let estate = cx.graph.estate();
    estate.accounts.iter().any(|it| {
        it.standing == Standing::Listed
            && estate.snapshot(it.snapshot).reference.stream == channel.stream
            && !channel.hidden.contains(&it.row.id)
            && it.row.is_named(name)
    })
}
