//! What one identity says of the right to this app: its row, its assignments, and the log of its IdP.

use chrono::{DateTime, Utc};
use domain::{CLOCK_SKEW_MAX, Grant, Identity, Interval, Lifecycle, List, Principal, Right};
use graph::{Sighting, Standing};

use crate::context::{Context, SaidLeft};
use crate::looks::is_identity_seen;

/// What one identity says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    pub(crate) right: Right,
    pub(crate) at: Option<DateTime<Utc>>,
    pub(crate) between: Option<Interval>,
    /// By when an earlier list than that of today was the first without it.
    pub(crate) missed_by: Option<DateTime<Utc>>,
    /// When they lost the app before they left or their time was over; `None` where no log says so.
    pub(crate) unassigned: Option<DateTime<Utc>>,
    /// When their time was over by the date that was stated, before they left.
    pub(crate) ended: Option<DateTime<Utc>>,
    /// When they were suspended, whatever else took the right away.
    pub(crate) suspended: Option<DateTime<Utc>>,
    pub(crate) is_from_absence: bool,
    /// It was said once, of somebody whom no list has any more.
    pub(crate) is_from_memory: bool,
}

impl Word {
    const fn plain(right: Right, at: Option<DateTime<Utc>>) -> Self {
        Self {
            right,
            at,
            between: None,
            missed_by: None,
            unassigned: None,
            ended: None,
            suspended: None,
            is_from_absence: false,
            is_from_memory: false,
        }
    }

    /// When the right ended, whatever else ended since; `None`: no row and no log dates it.
    pub(crate) fn ended_at(&self) -> Option<DateTime<Utc>> {
        [self.at, self.unassigned, self.ended].into_iter().flatten().min()
    }

    /// By when the right had ended; `None`: nobody knows.
    pub(crate) fn ended_by(&self) -> Option<DateTime<Utc>> {
        self.ended_at().or(self.missed_by).or(self.between.and_then(|it| it.latest))
    }

    /// Until when they are known to have had the right; `None`: nobody knows.
    pub(crate) fn given_until(&self) -> Option<DateTime<Utc>> {
        self.ended_at().or_else(|| self.between.and_then(|it| it.earliest))
    }

    /// Between which times they left, whatever ended before that.
    pub(crate) fn left_between(&self) -> Interval {
        let between = self.between.unwrap_or(Interval { earliest: self.at, latest: self.at });
        Interval { latest: self.at.or(self.missed_by).or(between.latest), ..between }
    }

    /// A word that rests on not being listed, between two looks.
    const fn absent(right: Right, at: Option<DateTime<Utc>>, between: Interval) -> Self {
        Self { between: Some(between), is_from_absence: true, ..Self::plain(right, at) }
    }
}

/// What one identity says of the right to this app, with the times that the log of its IdP gives
/// where no row does.
pub(crate) fn word(cx: &Context<'_>, at: usize) -> Word {
    let word =
        Word { suspended: suspended_at(cx, at), ..word_by_log(cx, at, word_of_rows(cx, at)) };
    let left = cx.graph.estate().identities.get(at).filter(|_| word.right == Right::Leaver);
    let Some((left, ends_at)) = left.and_then(|it| Some((it, it.row.ends_at?))) else {
        return word;
    };
    if let Some(left_by) = word.ended_by() {
        return Word { ended: Some(ends_at).filter(|it| *it < left_by), ..word };
    }
    // Nobody knows when they left: it was over by the stated day at the latest, where nobody had seen
    // before it that it was.
    let shown_by = shown_by(cx, left).filter(|by| ends_at < *by && !was_over_by(cx, left, ends_at));
    match shown_by {
        Some(by) => {
            let between = Some(Interval { earliest: None, latest: Some(by) });
            Word { ended: Some(ends_at), between, ..word }
        }
        None => word,
    }
}

/// Whether a run had seen by then that the right was over, and none since that they were back.
fn was_over_by(cx: &Context<'_>, sighting: &Sighting<Identity>, by: DateTime<Utc>) -> bool {
    let episode = cx.past.episodes.get(&sighting.entity);
    let over_at = episode.and_then(|it| it.ended_at).filter(|it| *it < by);
    let is_back_since = |over| {
        let mut backs = cx.said_left(sighting).iter().filter_map(|it| it.returned_at);
        backs.any(|back| back > over)
    };
    over_at.is_some_and(|it| !is_back_since(it))
}

/// The same, with what the log of its IdP knows better.
fn word_by_log(cx: &Context<'_>, at: usize, word: Word) -> Word {
    let Some(sighting) = cx.graph.estate().identities.get(at) else { return word };
    let Some(ended) = cx.ended(sighting) else { return word };
    let (logged, lost) = match word.right {
        Right::Leaver => (ended.left, ended.unassigned),
        Right::Expired => (None, ended.unassigned),
        Right::Unassigned => (ended.unassigned, None),
        _ => return word,
    };
    let logged = logged.filter(|it| word.at.is_none() && *it <= cx.now);
    // Who was seen back since left again at another time.
    let was_back_since = |logged| {
        let said = cx.said_left(sighting).iter();
        said.filter_map(|it| it.returned_at).any(|back| back > logged)
    };
    let logged = logged.filter(|it| word.right != Right::Leaver || !was_back_since(*it));
    let logged =
        logged.filter(|it| word.right != Right::Unassigned || !was_granted_since(cx, at, *it));
    // The log knows the very instant: nothing is left between two looks.
    let word =
        logged.map_or(word, |at| Word { at: Some(at), between: None, missed_by: None, ..word });
    let is_before = |lost: &DateTime<Utc>| {
        word.at.is_some_and(|it| *lost < it) && !was_granted_since(cx, at, *lost)
    };
    let lost = lost.filter(is_before);
    Word { unassigned: lost, ..word }
}

fn suspended_at(cx: &Context<'_>, identity: usize) -> Option<DateTime<Utc>> {
    let sighting = cx.graph.estate().identities.get(identity)?;
    let is_suspended = sighting.standing == Standing::Listed
        && cx.graph.estate().is_fresh(sighting)
        && sighting.row.lifecycle == Lifecycle::Suspended;
    sighting.row.status_changed_at.filter(|_| is_suspended)
}

/// Whether a list has shown the identity with the app since then, whatever a log says.
pub(crate) fn was_granted_since(cx: &Context<'_>, identity: usize, lost_at: DateTime<Utc>) -> bool {
    let estate = cx.graph.estate();
    cx.graph.assignments_of(identity).iter().any(|it| {
        it.row.grant == Grant::Grants && estate.snapshot(it.snapshot).reference.as_of.at >= lost_at
    }) || estate
        .identities
        .get(identity)
        .and_then(|it| cx.graph.former_grant(it))
        .is_some_and(|it| it.seen_at >= lost_at)
}

/// Whether the last lists of who has the app before the end of a right did not have an identity, which no
/// log dates: none ever did, or one that was read by then was the first without it.
pub(crate) fn had_not_got_the_app(cx: &Context<'_>, identity: usize, by: DateTime<Utc>) -> bool {
    let estate = cx.graph.estate();
    let Some(sighting) = estate.identities.get(identity) else { return false };
    if cx.ended(sighting).is_some_and(|it| it.unassigned.is_some()) {
        return false;
    }
    let rows = cx.graph.assignments_of(identity);
    let given = rows.iter().filter(|it| it.row.grant != Grant::Denies);
    let missed = given.map(|it| {
        let gone = Some(it).filter(|it| it.standing == Standing::Gone);
        gone.and_then(|it| estate.missed_by.get(&it.entity).copied())
    });
    let missed: Vec<_> =
        missed.chain(cx.graph.former_grant(sighting).map(|it| it.missed_by)).collect();
    let is_before = |at: Option<DateTime<Utc>>| at.is_some_and(|it| it < by);
    match &*missed {
        [] => is_before(app_looked_at(cx, sighting)),
        missed => missed.iter().all(|it| is_before(*it)),
    }
}

/// As of when the last lists before this run spoke of who has the app by the provider of an identity;
/// `None`: there were none, or this provider has no such list.
pub(crate) fn app_looked_at(
    cx: &Context<'_>,
    sighting: &Sighting<Identity>,
) -> Option<DateTime<Utc>> {
    let idp = cx.graph.idp_of(sighting).filter(|it| !cx.graph.assigns_everyone(&it.id))?;
    let lists = idp.assignments.iter().chain(&idp.memberships);
    let looks = lists.map(|it| cx.past.looked_at.get(&it.stream).copied());
    looks.collect::<Option<Vec<_>>>()?.into_iter().min()
}

/// Whether somebody who has not left may have had the app since then: a list has shown it, or they had
/// left, and were seen back since, or are by this run.
fn may_have_had_since(cx: &Context<'_>, identity: usize, lost_at: DateTime<Utc>) -> bool {
    let sighting = cx.graph.estate().identities.get(identity);
    let said_left = sighting.map_or(&[][..], |it| cx.said_left(it));
    let is_back = said_left.iter().any(|it| it.returned_at.is_none_or(|back| back > lost_at));
    is_back || was_granted_since(cx, identity, lost_at)
}

/// What the lists say of one identity.
fn word_of_rows(cx: &Context<'_>, at: usize) -> Word {
    let estate = cx.graph.estate();
    let Some(sighting) = estate.identities.get(at) else {
        return Word::plain(Right::Unknown, None);
    };
    if sighting.standing == Standing::Gone {
        return gone(cx, sighting);
    }
    if !estate.is_fresh(sighting) {
        return Word::plain(Right::Unknown, None);
    }
    let row = &sighting.row;
    if row.lifecycle == Lifecycle::Left {
        return left(cx, sighting);
    }
    if let Some(ends_at) = row.ends_at.filter(|it| *it <= cx.now) {
        return Word::plain(Right::Expired, Some(ends_at));
    }
    if let Some(said) = remembered(cx, sighting) {
        return on_record(said, Some(estate.snapshot(sighting.snapshot).reference.as_of.at));
    }
    if row.lifecycle == Lifecycle::Unknown {
        return Word::plain(Right::Unknown, None);
    }
    let assigned = assigned(cx, at, sighting);
    if assigned.right != Right::Entitled && assigned.right != Right::Unknown {
        return assigned;
    }
    // With the assignment unknown, a blocked sign-in is still a positive fact.
    match row.lifecycle {
        Lifecycle::Suspended => Word::plain(Right::Suspended, row.status_changed_at),
        Lifecycle::NotYet => Word::plain(Right::NotYet, None),
        _ if row.starts_at.is_some_and(|it| it > cx.now) => Word::plain(Right::NotYet, None),
        _ => assigned,
    }
}

/// Somebody who has left. A date that comes after they were seen to have left is that of something
/// else: Entra dates the deletion of a user and not that it was switched off before. Nor is it more
/// than the latest where nobody saw that: they left between it and the last list that had them on.
fn left(cx: &Context<'_>, sighting: &Sighting<Identity>) -> Word {
    match left_at(cx, sighting) {
        Ok(Some(at)) if !sighting.row.dates_leave() => {
            let earliest = seen_on_at(cx, sighting).map(|it| it.min(at));
            let between = Some(Interval { earliest, latest: Some(at) });
            Word { between, ..Word::plain(Right::Leaver, Some(at)) }
        }
        // No row says when: between the last list that had them on and that of today.
        Ok(None) => {
            let between = shown_by(cx, sighting).and_then(|by| left_between(cx, sighting, by));
            Word { between, ..Word::plain(Right::Leaver, None) }
        }
        Ok(at) => Word::plain(Right::Leaver, at),
        Err(by) => {
            let between = left_between(cx, sighting, by);
            Word { between, missed_by: Some(by), ..Word::plain(Right::Leaver, None) }
        }
    }
}

/// They left between the last list that had them on and `by`; `None`: no such list is known.
fn left_between(
    cx: &Context<'_>,
    sighting: &Sighting<Identity>,
    by: DateTime<Utc>,
) -> Option<Interval> {
    let earliest = seen_on_at(cx, sighting).filter(|it| *it <= by)?;
    Some(Interval { earliest: Some(earliest), latest: Some(by) })
}

/// As of when the last whole list before this run spoke, where it had nobody of this identity who had
/// left. `None`: they had left by then, by any word that is on record, or there was no such list.
fn seen_on_at(cx: &Context<'_>, sighting: &Sighting<Identity>) -> Option<DateTime<Utc>> {
    let is_told = cx.said_left(sighting).iter().any(|it| it.returned_at.is_none());
    let episode = cx.past.episodes.get(&sighting.entity);
    // Who left by HR's word alone is on record, and was on at their provider.
    let has_left = episode.is_some_and(|it| it.ended_at.is_some())
        && !cx.past.leavers.contains(&sighting.entity);
    let list = &cx.graph.idp_of(sighting)?.identities;
    cx.past.looked_at.get(&list.stream).copied().filter(|_| !is_told && !has_left)
}

/// By when the list was read that shows an identity.
pub(crate) fn shown_by(cx: &Context<'_>, sighting: &Sighting<Identity>) -> Option<DateTime<Utc>> {
    let idp = cx.graph.idp_of(sighting)?;
    let as_of = cx.graph.estate().snapshot(sighting.snapshot).reference.as_of.at;
    Some(cx.read_by(&idp.identities, as_of))
}

/// When the provider says that somebody left; `None`: it does not. An error where a run saw before
/// any date of its that they had, with when that was.
pub(crate) fn left_at(
    cx: &Context<'_>,
    sighting: &Sighting<Identity>,
) -> Result<Option<DateTime<Utc>>, DateTime<Utc>> {
    let at = sighting.row.status_changed_at;
    let shown_by = shown_by(cx, sighting);
    // A list cannot know of what comes after it.
    if let Some(shown_by) = shown_by.filter(|by| at.is_some_and(|it| it > *by + CLOCK_SKEW_MAX)) {
        return Err(shown_by);
    }
    let newest = cx.said_left(sighting).last();
    let seen = newest.filter(|it| it.returned_at.is_none() && it.at.is_none());
    match seen.filter(|seen| at.is_none_or(|it| it > seen.heard_at)) {
        Some(seen) => Err(seen.heard_at),
        None => Ok(at),
    }
}

/// Somebody who was in an earlier list and is not in the complete list of today.
fn gone(cx: &Context<'_>, sighting: &Sighting<Identity>) -> Word {
    let estate = cx.graph.estate();
    let last_seen = Some(estate.snapshot(sighting.snapshot).reference.as_of.at);
    // Who had left when last seen left some time before that. They were seen to have left: that rests
    // on no list that does not have them, and holds whatever today's is worth.
    if sighting.row.lifecycle == Lifecycle::Left {
        return match left(cx, sighting) {
            word @ Word { at: None, missed_by: None, .. } => {
                let between = Some(Interval { earliest: None, latest: last_seen });
                Word { between, ..word }
            }
            dated => dated,
        };
    }
    // So does what was said of them since.
    if let Some(said) = remembered(cx, sighting) {
        return Word { is_from_memory: true, ..on_record(said, last_seen) };
    }
    let list = cx.graph.idp_of(sighting).map(|it| &it.identities);
    let Some((list, base)) = list.and_then(|it| Some((it, &estate.snapshot(it.base?).reference)))
    else {
        return Word::plain(Right::Unknown, None);
    };
    let right = match base.population {
        domain::Population::Assigned => Right::Unassigned,
        domain::Population::Everyone => Right::SourceGone,
    };
    let latest = Some(cx.read_by(list, base.as_of.at));
    Word::absent(right, None, Interval { earliest: last_seen, latest })
}

/// That somebody left, as was said when it was asked for them by id after the row that shows them was read,
/// and is on record; `None`: nothing was, they were back since, or this run saw the row.
pub(crate) fn remembered<'c>(
    cx: &Context<'c>,
    sighting: &Sighting<Identity>,
) -> Option<&'c SaidLeft> {
    // A whole list without them shows no more than that.
    let is_gone = sighting.standing == Standing::Gone;
    let has_left = sighting.row.lifecycle == Lifecycle::Left;
    if has_left || !is_gone && is_identity_seen(cx, sighting) {
        return None;
    }
    let read_at = cx.graph.estate().snapshot(sighting.snapshot).reference.as_of.at;
    cx.said_left(sighting).last().filter(|it| {
        it.returned_at.is_none() && read_at <= it.heard_at && !(is_gone && it.at.is_some())
    })
}

/// A word that is on record. `last_seen`: when a list last spoke of them.
fn on_record(said: &SaidLeft, last_seen: Option<DateTime<Utc>>) -> Word {
    let word = Word::plain(Right::Leaver, said.at);
    if said.at.is_some() {
        return word;
    }
    let between = Some(Interval { earliest: last_seen, latest: Some(said.heard_at) });
    Word { between, missed_by: Some(said.heard_at), ..word }
}

/// Entitled, Unassigned or Unknown: what the assignment list says of an identity.
fn assigned(cx: &Context<'_>, at: usize, sighting: &Sighting<Identity>) -> Word {
    let estate = cx.graph.estate();
    let Some(idp) = cx.graph.idp_of(sighting) else { return Word::plain(Right::Unknown, None) };
    if cx.graph.assigns_everyone(&idp.id) {
        return Word::plain(Right::Entitled, None);
    }
    let Some(list) = &idp.assignments else { return Word::plain(Right::Unknown, None) };
    let rows = cx.graph.assignments_of(at);
    let mut denied: Option<Option<DateTime<Utc>>> = None;
    let mut is_undecided = false;
    // Of rows that are gone: as of when the list showed one last, and by when it was missed.
    let mut last_one: Option<(DateTime<Utc>, Option<DateTime<Utc>>)> = None;
    for row in rows {
        if row.standing == Standing::Gone && row.row.grant != Grant::Grants {
            continue;
        }
        if row.standing == Standing::Gone {
            let as_of = estate.snapshot(row.snapshot).reference.as_of.at;
            last_one = last_one.max(Some((as_of, estate.missed_by.get(&row.entity).copied())));
            continue;
        }
        // A grant through a group is worth what the row is that has them in it.
        let is_old_member = match &row.row.principal {
            Principal::Group(group) => cx.graph.is_old_member(sighting, group),
            Principal::Identity(_) => false,
        };
        let is_fresh = estate.is_fresh(row) && !is_old_member;
        match (row.row.grant, is_fresh) {
            (Grant::Grants, true) => return Word::plain(Right::Entitled, None),
            // It has an end and no status, and the end is ahead: nothing says how it stands today.
            (Grant::Denies, true)
                if row.row.raw_status.is_none()
                    && row.row.changed_at.is_some_and(|it| it > cx.now) =>
            {
                is_undecided = true;
            }
            (Grant::Denies, true) => denied = Some(row.row.changed_at.max(denied.flatten())),
            (Grant::Undecided, _) | (_, false) => is_undecided = true,
        }
    }
    if is_undecided {
        return Word::plain(Right::Unknown, None);
    }
    let through_groups = cx.graph.former_grant(sighting).map(|it| (it.seen_at, it.missed_by));
    let last_one = last_one.max(through_groups);
    let members_seen = idp.memberships.as_ref().is_none_or(|it| it.base.is_some())
        && !cx.graph.has_unseen_group(sighting.system);
    if let Some(changed_at) = denied {
        // Through a group that was not seen they may have it all the same.
        let right = if members_seen { Right::Unassigned } else { Right::Unknown };
        return Word::plain(right, changed_at);
    }
    let is_denied_by_id = estate.asked_again.contains(&(List::Assignments, sighting.entity));
    let was_listed = last_one.map(|it| it.0);
    let missed_by = last_one.and_then(|it| it.1).filter(|it| !may_have_had_since(cx, at, *it));
    let lost_by = |by| {
        let latest = Some(missed_by.unwrap_or(by));
        let between = Interval { earliest: was_listed, latest };
        Word { missed_by, ..Word::absent(Right::Unassigned, None, between) }
    };
    match list.base.filter(|_| members_seen) {
        // Whatever the list is worth: asked by id, the source says that they do not have the app.
        None if is_denied_by_id && members_seen => {
            Word { is_from_absence: false, ..lost_by(cx.now) }
        }
        None => Word::plain(Right::Unknown, None),
        Some(base) => lost_by(cx.read_by(list, estate.snapshot(base).reference.as_of.at)),
    }
}

/// When the first identity was made that the person got after this one at the same IdP.
pub(crate) fn later_at(
    cx: &Context<'_>,
    theirs: impl Iterator<Item = usize>,
    identity: usize,
) -> Option<DateTime<Utc>> {
    let row = |at: usize| cx.graph.estate().identities.get(at);
    let own = row(identity)?;
    let began = own.row.created_at?;
    let same_idp = theirs.filter_map(row).filter(|it| it.system == own.system);
    same_idp.filter_map(|it| it.row.created_at).filter(|it| *it > began).min()
}
