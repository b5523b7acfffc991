//! On which lists does a case rest? A second look must be later than each of them.

use chrono::{DateTime, Utc};
use domain::{
    Account, Activity, AsOfBasis, Cause, Grant, Identity, List, Look, Pass, Principal, Right,
    Stream,
};
use graph::{ListView, Sighting, Standing};

use crate::activity::is_required;
use crate::case::Case;
use crate::context::Context;
use crate::right::PersonRight;

/// The rows that an account rests on. One that is on is on by those that show it on, of today's
/// lists where some do: that another view says nothing, or was not read, takes nothing from that.
fn shown_on<'c>(case: &Case<'c>) -> Vec<&'c Sighting<Account>> {
    let rows: Vec<_> = case.rows().collect();
    if case.activity != Activity::Active {
        return rows;
    }
    let on: Vec<_> = rows.iter().filter(|it| is_on(it)).copied().collect();
    let today: Vec<_> = on.iter().filter(|it| is_of_today(case.cx, it)).copied().collect();
    match (today.is_empty(), on.is_empty()) {
        (false, _) => today,
        (true, false) => on,
        (true, true) => rows,
    }
}

/// Does this row show the account on?
pub(crate) fn is_on(row: &Sighting<Account>) -> bool {
    row.standing == Standing::Listed && Activity::of(&row.row) == Activity::Active
}

/// Did this run see the row, in its list or by id? It may be in that of an earlier run alone.
pub(crate) fn is_of_today(cx: &Context<'_>, row: &Sighting<Account>) -> bool {
    let channel = cx.graph.estate().channels.get(usize::from(row.system));
    let newest = channel.into_iter().flat_map(|it| it.answers.into_iter().chain(it.latest));
    channel.is_some_and(|it| !it.is_stand_in) && newest.into_iter().any(|it| it == row.snapshot)
}

/// Did this run see what says whose an account is? That is its leading row, in its list or by id, or
/// that the list, seen whole, does not have it any more.
pub(crate) fn is_owner_seen(cx: &Context<'_>, leading: &Sighting<Account>) -> bool {
    let estate = cx.graph.estate();
    let is_whole = |it: &ListView| it.base.is_some();
    estate.asked_again.contains(&(List::Accounts, leading.entity))
        || match leading.standing {
            Standing::Listed => is_of_today(cx, leading),
            Standing::Gone => {
                estate.channels.get(usize::from(leading.system)).is_some_and(is_whole)
            }
        }
}

/// Did this run look at an identity: by id, in a list that was read, or a whole one that has it no more? One
/// that was only read before shows nothing of today, however new it is.
pub(crate) fn is_identity_seen(cx: &Context<'_>, identity: &Sighting<Identity>) -> bool {
    let list = cx.graph.idp_of(identity).map(|it| &it.identities);
    let is_read = |it: &ListView| match identity.standing {
        Standing::Listed => !it.is_stand_in && it.latest == Some(identity.snapshot),
        Standing::Gone => it.base.is_some(),
    };
    let is_asked = cx.graph.estate().asked_again.contains(&(List::Identities, identity.entity));
    is_asked || cx.pass == Pass::Full && list.is_some_and(is_read)
}

/// One view shows the account off, and of those that have it on this run saw none: it may be off in
/// these as well by now.
pub(crate) fn may_be_off(case: &Case<'_>) -> bool {
    case.is_disputed && !case.rows().any(|it| is_on(it) && is_of_today(case.cx, it))
}

/// Was every row that the views contradict each other by seen in this run?
pub(crate) fn are_views_of_today(case: &Case<'_>) -> bool {
    case.rows().all(|it| it.standing == Standing::Gone || is_of_today(case.cx, it))
}

/// The lists behind a case: the account's, its owners' and their assignments'; for an account
/// without owner or a person without account, the complete lists that do not have them. That views
/// contradict each other rests on each of them.
pub(crate) fn looks_of(case: &Case<'_>, cause: Option<Cause>) -> Vec<Look> {
    let estate = case.cx.graph.estate();
    let mut snapshots: Vec<u32> = Vec::new();
    match case.account {
        Some(_) => {
            let rows = match cause {
                Some(Cause::ChannelConflict) => case.rows().collect(),
                _ => shown_on(case),
            };
            for row in rows {
                let base = estate.channels.get(usize::from(row.system)).and_then(|it| it.base);
                snapshots.extend(match row.standing {
                    Standing::Listed => Some(row.snapshot),
                    Standing::Gone => base,
                });
            }
        }
        None => snapshots.extend(estate.channels.iter().filter_map(|it| it.base)),
    }
    match case.identity.map(|it| case.cx.graph.person_of(it)) {
        Some(person) => {
            let is_behind =
                |it: &&PersonRight| case.identity.is_some_and(|at| it.left_behind().contains(&at));
            let owner = case.owner.filter(|it| !is_behind(it));
            snapshots.extend(lists_of(case.cx, person, (case.right, owner)));
        }
        None => snapshots.extend(estate.idps.iter().filter_map(|it| it.identities.base)),
    }
    snapshots.sort_unstable();
    snapshots.dedup();
    snapshots
        .into_iter()
        .map(|it| &estate.snapshot(it).reference)
        .map(|it| Look {
            stream: it.stream.clone(),
            as_of: it.as_of.at,
            is_assumed: it.as_of.basis == AsOfBasis::FileTime,
            body_digest: it.body_digest,
        })
        .collect()
}

/// A list that looks are of and that this run could not read, or of which it did not see the row in question:
/// what an earlier run saw stands in, and shows nothing of today. What was answered by id is of today.
pub(crate) fn standing_in<'l>(cx: &Context<'_>, looks: &'l [Look]) -> Option<&'l Stream> {
    let estate = cx.graph.estate();
    let stands_in = |look: &&Look| {
        let mut lists = estate.lists().filter(|it| it.stream == look.stream);
        lists.any(|list| {
            let newest = list.latest.map(|it| estate.snapshot(it).reference.as_of.at);
            newest.is_some_and(|at| look.as_of < at || list.is_stand_in && look.as_of == at)
        })
    };
    looks.iter().find(stands_in).map(|it| &it.stream)
}

/// The lists that show the identities on which a person's right hangs, and what is assigned to them. Who
/// has left, has left whatever is assigned. `owner`: `None` where it may hang on each.
fn lists_of(
    cx: &Context<'_>,
    person: u32,
    (right, owner): (Right, Option<&PersonRight>),
) -> Vec<u32> {
    let estate = cx.graph.estate();
    let mut snapshots = Vec::new();
    for at in hanging_on(cx, person, owner) {
        let Some(identity) = estate.identities.get(at) else { continue };
        let Some(idp) = cx.graph.idp_of(identity) else { continue };
        snapshots.extend(match identity.standing {
            Standing::Listed => Some(identity.snapshot),
            // Without a whole list, that of the last look stands in.
            Standing::Gone => idp.identities.base.or(Some(identity.snapshot)),
        });
        if right == Right::Leaver {
            continue;
        }
        let is_asked = estate.asked_again.contains(&(List::Assignments, identity.entity));
        snapshots.extend(
            idp.assignments
                .as_ref()
                .and_then(|it| it.answers.filter(|_| is_asked).or(it.base).or(it.latest)),
        );
        if right == Right::Entitled && !is_asked && is_given_by_group(cx, at) {
            snapshots.extend(idp.memberships.as_ref().and_then(|it| it.base.or(it.latest)));
        }
    }
    snapshots
}

fn hanging_on(cx: &Context<'_>, person: u32, owner: Option<&PersonRight>) -> Vec<usize> {
    let mut identities = cx.graph.identities_of(person);
    identities.retain(|at| owner.is_none_or(|it| it.hangs_on(cx, *at)));
    identities
}

/// Whether an identity has the app as a member of a group alone.
fn is_given_by_group(cx: &Context<'_>, identity: usize) -> bool {
    let rows = cx.graph.assignments_of(identity).into_iter();
    let mut given =
        rows.filter(|it| it.row.grant == Grant::Grants && it.standing == Standing::Listed);
    given.all(|it| matches!(it.row.principal, Principal::Group(_)))
}

/// Whether each list that shows a person is newer than the one before. One that stands in for a list
/// that could not be read does not show that their right is still over.
pub(crate) fn is_seen_anew(
    cx: &Context<'_>,
    person: u32,
    (right, owner): (Right, Option<&PersonRight>),
) -> bool {
    let estate = cx.graph.estate();
    let identities = hanging_on(cx, person, owner).into_iter();
    let mut identities = identities.filter_map(|it| estate.identities.get(it));
    let snapshots = lists_of(cx, person, (right, owner)).into_iter();
    identities.all(|it| is_identity_seen(cx, it))
        && snapshots
            .map(|it| &cx.graph.estate().snapshot(it).reference)
            .all(|it| cx.past.looked_at.get(&it.stream).is_none_or(|before| it.as_of.at > *before))
}

/// As of when the account was seen on; `None` when this run did not see it on.
pub(crate) fn seen_active_at(case: &Case<'_>) -> Option<DateTime<Utc>> {
    let estate = case.cx.graph.estate();
    let on = case.rows().filter(|it| is_on(it));
    on.map(|it| estate.snapshot(it.snapshot).reference.as_of.at).max()
}

/// As of the last look before this run that shows the account as it was concluded of.
pub(crate) fn last_look(case: &Case<'_>) -> Option<DateTime<Utc>> {
    let standing = case.row().and_then(|it| case.cx.past.standings.get(&it.entity));
    standing.and_then(|it| it.seen_until).or_else(|| looked_at_before(case))
}

/// As of when the account's list was looked at before this run, and every other view that must show
/// it off: the oldest of these, for one view alone shows nobody off.
pub(crate) fn looked_at_before(case: &Case<'_>) -> Option<DateTime<Utc>> {
    let (row, estate) = (case.row()?, case.cx.graph.estate());
    let stream = &estate.snapshot(row.snapshot).reference.stream;
    let looked_at = |it: &Stream| case.cx.past.looked_at.get(it).copied();
    let required = estate.channels.iter().filter(|it| is_required(case.cx, it));
    let others = required.filter_map(|it| looked_at(&it.stream));
    others.chain(looked_at(stream)).min()
}
