//! Is this account on? Judged over the app's channels: active if any fresh one says so, off only
//! if every required one does.

use domain::{Account, Activity};
use graph::{ListView, Sighting, Standing};

use crate::context::Context;
use crate::policy::Deprovision;

/// What the channels say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The conclusion.
    pub(crate) activity: Activity,
    /// One fresh channel says on, another says off.
    pub(crate) is_disputed: bool,
}

/// Judges one account.
pub(crate) fn activity(cx: &Context<'_>, account: usize) -> Seen {
    let Some(view) = cx.graph.accounts().get(account) else {
        return Seen { activity: Activity::Unknown, is_disputed: false };
    };
    let estate = cx.graph.estate();
    if let ([channel], []) = (&*estate.channels, &*view.others) {
        let row = cx.graph.account_row(account);
        return Seen { activity: of_row(cx, channel, row), is_disputed: false };
    }
    let said: Vec<(Activity, bool)> = estate
        .channels
        .iter()
        .enumerate()
        .map(|(at, channel)| {
            let row = view.rows(estate).find(|it| usize::from(it.system) == at);
            let activity = row.map_or_else(|| unlisted(channel), |it| of_row(cx, channel, it));
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
    Seen { activity, is_disputed: any(Activity::Active) && said.iter().any(|it| is_off(it.0)) }
}

/// What "no account at all" is worth: absent where every channel was seen whole.
pub(crate) fn no_account(cx: &Context<'_>) -> Activity {
    let channels = &cx.graph.estate().channels;
    let is_whole = !channels.is_empty() && channels.iter().all(|it| it.base.is_some());
    if is_whole { Activity::Absent } else { Activity::Unknown }
}

fn of_row(cx: &Context<'_>, channel: &ListView, row: &Sighting<'_, Account>) -> Activity {
    match row.standing {
        Standing::Listed if cx.graph.estate().is_fresh(row) => Activity::of(row.row),
        Standing::Listed => Activity::Unknown,
        Standing::Gone if channel.base.is_none() => Activity::Unknown,
        Standing::Gone => match cx.rules.deprovision {
            Deprovision::Lists | Deprovision::Deletes => Activity::Absent,
            Deprovision::Hides if hides_today(cx, channel) => Activity::Inactive,
            Deprovision::Hides | Deprovision::Unknown => Activity::Unknown,
        },
    }
}

fn unlisted(channel: &ListView) -> Activity {
    if channel.base.is_some() { Activity::Absent } else { Activity::Unknown }
}

fn is_required(cx: &Context<'_>, channel: &ListView) -> bool {
    let required = &cx.rules.required_channels;
    required.is_empty() || channel.stream.channel.is_some_and(|it| required.contains(&it))
}

/// An account known to be inactive is not in today's list: the app hides such accounts.
fn hides_today(cx: &Context<'_>, channel: &ListView) -> bool {
    let canaries = &cx.rules.inactive_canaries;
    let estate = cx.graph.estate();
    let is_listed = |canary: &String| {
        estate.accounts.iter().any(|it| {
            it.standing == Standing::Listed
                && estate.snapshot(it.snapshot).reference.stream == channel.stream
                && crate::names::names(it.row, canary)
        })
    };
    !canaries.is_empty() && !canaries.iter().any(is_listed)
}
