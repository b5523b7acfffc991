//! Should this person have access? Judged over the IdPs bound to the app, and HR.
//!
//! A positive word (deactivated, assigned) counts from any fresh row. A word from absence
//! (not assigned) needs the complete list. An IdP that could not be seen makes a negative
//! answer unknown, because it might have said yes: except that somebody who was positively seen
//! to have left, and whom that IdP was never seen to know, stays a leaver. Else one export that
//! fails would hide every leaver of the others.

use chrono::{DateTime, Utc};
use domain::{Grant, Identity, Interval, Lifecycle, Right};
use graph::{Sighting, Standing};

use crate::context::Context;
use crate::policy::Entitlement;

/// What a person's right is, since when, and on which lists that rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRight {
    /// The right.
    pub right: Right,
    /// When it ended, by every clock that is known.
    pub starts: Starts,
    /// The identity whose word decided: an index into the estate. `None`: HR's, or nobody's.
    pub decided_by: Option<usize>,
    /// True when it rests on a row that is not there.
    pub is_from_absence: bool,
    /// Some source says leaver, another says entitled, and none is the authority.
    pub is_disputed: bool,
}

/// When access should have ended, by each clock. `None` is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Starts {
    /// HR's last day.
    pub hr: Option<DateTime<Utc>>,
    /// The IdP deactivated the identity.
    pub deactivated: Option<DateTime<Utc>>,
    /// The IdP took the app away.
    pub unassigned: Option<DateTime<Utc>>,
    /// The end date that was stated beforehand.
    pub ended: Option<DateTime<Utc>>,
    /// No row says when: between the last list with it and the first without.
    pub between: Option<Interval>,
}

impl Starts {
    /// The earliest instant that is known; `None` when none is.
    #[must_use]
    pub fn earliest(&self) -> Option<DateTime<Utc>> {
        [self.hr, self.deactivated, self.unassigned, self.ended].into_iter().flatten().min()
    }
}

/// What one identity says.
#[derive(Clone, Copy, Debug)]
struct Word {
    right: Right,
    at: Option<DateTime<Utc>>,
    between: Option<Interval>,
    is_from_absence: bool,
}

impl Word {
    const fn plain(right: Right, at: Option<DateTime<Utc>>) -> Self {
        Self { right, at, between: None, is_from_absence: false }
    }
}

/// Judges one person. `leaver` is the person's row in HR's list, if there is one.
pub(crate) fn person_right(cx: &Context<'_>, person: u32, leaver: Option<usize>) -> PersonRight {
    let words: Vec<(usize, Word)> =
        cx.graph.identities_of(person).into_iter().map(|at| (at, word(cx, at))).collect();
    let hr = leaver.and_then(|at| left_by_hr(cx, at, &words));
    let starts = starts(&words, hr);

    if hr.is_some() && authority_is_hr(cx) {
        return decided(Right::Leaver, starts, None, false);
    }
    let authority = words.iter().find(|(at, it)| it.right == Right::Leaver && is_authority(cx, *at));
    if let Some((at, _)) = authority {
        return decided(Right::Leaver, starts, Some(*at), false);
    }
    let left = hr.is_some() || words.iter().any(|(_, it)| it.right == Right::Leaver);
    if let Some(at) = entitled_by(cx, &words) {
        return PersonRight { is_disputed: left, ..decided(Right::Entitled, starts, Some(at), false) };
    }
    if words.iter().any(|(_, it)| it.right == Right::Unknown) {
        return decided(Right::Unknown, starts, None, false);
    }
    if !sees_all(cx, &words) {
        let has_left = |it: &Word| {
            matches!(it.right, Right::Leaver | Right::Expired) && !it.is_from_absence
        };
        let left = words.iter().filter(|(_, it)| has_left(it)).min_by_key(|(_, it)| rank(it.right));
        return match (hr, left) {
            (Some(_), _) => decided(Right::Leaver, starts, None, false),
            (None, Some((at, word))) => decided(word.right, starts, Some(*at), false),
            (None, None) => decided(Right::Unknown, starts, None, false),
        };
    }
    if hr.is_some() {
        return decided(Right::Leaver, starts, None, false);
    }
    // In `All` mode some IdP entitles and another does not: the one that does not decides.
    match words.iter().filter(|(_, it)| it.right != Right::Entitled).min_by_key(|(_, it)| rank(it.right)) {
        Some((at, word)) => decided(stuck(cx, *at, word.right), starts, Some(*at), word.is_from_absence),
        None => decided(Right::Unknown, starts, None, false),
    }
}

const fn decided(
    right: Right,
    starts: Starts,
    decided_by: Option<usize>,
    is_from_absence: bool,
) -> PersonRight {
    PersonRight { right, starts, decided_by, is_from_absence, is_disputed: false }
}

/// Leaver > Expired > Unassigned > Suspended > `NotYet`; a memory counts last.
const fn rank(right: Right) -> u8 {
    match right {
        Right::Leaver => 0,
        Right::Expired => 1,
        Right::Unassigned => 2,
        Right::Suspended => 3,
        Right::NotYet => 4,
        Right::SourceGone => 5,
        Right::Entitled | Right::Unknown => 6,
    }
}

/// A leaver stays one until entitled again: an episode that ended, and not by a stated date.
fn stuck(cx: &Context<'_>, identity: usize, right: Right) -> Right {
    let sighting = cx.graph.estate().identities.get(identity);
    let has_left = sighting.is_some_and(|it| {
        it.row.ends_at.is_none()
            && cx.past.episodes.get(&it.entity).is_some_and(|episode| episode.ended_at.is_some())
    });
    match right {
        Right::Unassigned | Right::Suspended | Right::NotYet | Right::SourceGone if has_left => {
            Right::Leaver
        }
        other => other,
    }
}

fn entitled_by(cx: &Context<'_>, words: &[(usize, Word)]) -> Option<usize> {
    let mut entitled = words.iter().filter(|(_, it)| it.right == Right::Entitled);
    let first = entitled.next()?.0;
    match cx.rules.entitlement {
        Entitlement::Any => Some(first),
        Entitlement::All => {
            let idp = |at: usize| cx.graph.estate().identities.get(at).map(|it| it.system);
            let entitles = |which| {
                words.iter().any(|(at, it)| idp(*at) == which && it.right == Right::Entitled)
            };
            words.iter().all(|(at, _)| entitles(idp(*at))).then_some(first)
        }
    }
}

/// Every bound IdP either knows this person or was seen whole without them.
fn sees_all(cx: &Context<'_>, words: &[(usize, Word)]) -> bool {
    let estate = cx.graph.estate();
    let knows = |idp: usize| {
        words.iter().any(|(at, _)| {
            estate.identities.get(*at).is_some_and(|it| usize::from(it.system) == idp)
        })
    };
    estate.idps.iter().enumerate().all(|(at, idp)| idp.identities.base.is_some() || knows(at))
}

fn is_authority(cx: &Context<'_>, identity: usize) -> bool {
    let idp = cx.graph.estate().identities.get(identity).and_then(|it| cx.graph.idp_of(it));
    cx.rules.authority.is_some() && idp.map(|it| &it.id) == cx.rules.authority.as_ref()
}

fn authority_is_hr(cx: &Context<'_>) -> bool {
    cx.graph.estate().hr.iter().any(|it| Some(&it.stream.system) == cx.rules.authority.as_ref())
}

/// The leave date of HR's row, once it has come. An identity that was made after that date
/// belongs to a later employment, and the row says nothing of it.
///
/// A leave date does not grow stale: it is past, and stays so.
fn left_by_hr(cx: &Context<'_>, leaver: usize, words: &[(usize, Word)]) -> Option<DateTime<Utc>> {
    let left_at = cx.graph.estate().leavers.get(leaver)?.row.left_at;
    let is_rehired = words.iter().any(|(at, _)| {
        cx.graph
            .estate()
            .identities
            .get(*at)
            .and_then(|it| it.row.created_at)
            .is_some_and(|created_at| created_at > left_at)
    });
    (left_at <= cx.now && !is_rehired).then_some(left_at)
}

fn starts(words: &[(usize, Word)], hr: Option<DateTime<Utc>>) -> Starts {
    let at = |right: Right| {
        words.iter().filter(|(_, it)| it.right == right).filter_map(|(_, it)| it.at).min()
    };
    Starts {
        hr,
        deactivated: [at(Right::Leaver), at(Right::Suspended)].into_iter().flatten().min(),
        unassigned: at(Right::Unassigned),
        ended: at(Right::Expired),
        between: words.iter().find_map(|(_, it)| it.between),
    }
}

/// What one identity says of the right to this app.
fn word(cx: &Context<'_>, at: usize) -> Word {
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
    let row = sighting.row;
    if row.lifecycle == Lifecycle::Left {
        return Word::plain(Right::Leaver, row.status_changed_at);
    }
    if let Some(ends_at) = row.ends_at.filter(|it| *it <= cx.now) {
        return Word::plain(Right::Expired, Some(ends_at));
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

/// Somebody who was in an earlier list and is not in the complete list of today.
fn gone(cx: &Context<'_>, sighting: &Sighting<'_, Identity>) -> Word {
    let estate = cx.graph.estate();
    let base = cx.graph.idp_of(sighting).and_then(|it| it.identities.base);
    let Some(base) = base.map(|it| &estate.snapshot(it).reference) else {
        return Word::plain(Right::Unknown, None);
    };
    let between = Interval {
        earliest: Some(estate.snapshot(sighting.snapshot).reference.as_of.at),
        latest: Some(base.as_of.at),
    };
    let right = match (sighting.row.lifecycle, base.population) {
        (Lifecycle::Left, _) => Right::Leaver,
        (_, domain::Population::Assigned) => Right::Unassigned,
        (_, domain::Population::Everyone) => Right::SourceGone,
    };
    let at = sighting.row.status_changed_at.filter(|_| right == Right::Leaver);
    Word { right, at, between: Some(between), is_from_absence: true }
}

/// Entitled, Unassigned or Unknown: what the assignment list says of an identity.
fn assigned(cx: &Context<'_>, at: usize, sighting: &Sighting<'_, Identity>) -> Word {
    let estate = cx.graph.estate();
    let Some(idp) = cx.graph.idp_of(sighting) else { return Word::plain(Right::Unknown, None) };
    if cx.graph.assigns_everyone(&idp.id) {
        return Word::plain(Right::Entitled, None);
    }
    let Some(list) = &idp.assignments else { return Word::plain(Right::Unknown, None) };
    let rows = cx.graph.assignments_of(at);
    let mut denied: Option<Option<DateTime<Utc>>> = None;
    let mut is_undecided = false;
    let mut was_listed: Option<DateTime<Utc>> = None;
    for row in rows {
        if row.standing == Standing::Gone {
            was_listed = was_listed.max(Some(estate.snapshot(row.snapshot).reference.as_of.at));
            continue;
        }
        match (row.row.grant, estate.is_fresh(row)) {
            (Grant::Grants, true) => return Word::plain(Right::Entitled, None),
            (Grant::Denies, true) => denied = Some(row.row.changed_at.max(denied.flatten())),
            (Grant::Undecided, _) | (_, false) => is_undecided = true,
        }
    }
    if is_undecided {
        return Word::plain(Right::Unknown, None);
    }
    if let Some(changed_at) = denied {
        return Word::plain(Right::Unassigned, changed_at);
    }
    let members_seen = idp.memberships.as_ref().is_none_or(|it| it.base.is_some());
    match list.base.filter(|_| members_seen) {
        None => Word::plain(Right::Unknown, None),
        Some(base) => {
            let latest = Some(estate.snapshot(base).reference.as_of.at);
            let between = Some(Interval { earliest: was_listed, latest });
            Word { right: Right::Unassigned, at: None, between, is_from_absence: true }
        }
    }
}
