//! What HR's rows say of a person: which leave counts, and whether they are back since.

use chrono::{DateTime, Utc};
use domain::{Assignment, Grant, Identity, Lifecycle, Pass, Right};
use graph::{Sighting, Standing, last_leaves};

use crate::context::{Context, SaidLeft};
use crate::word::{Word, later_at, remembered};

/// What HR's row says of a leave that has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeftByHr {
    pub(crate) at: DateTime<Utc>,
    pub(crate) is_struck_out: bool,
    /// By the list of the declared authority.
    pub(crate) is_authority: bool,
    /// They may be back: a light pass was told by id that they are, and HR, which it does not read,
    /// may have struck the row out since; or HR has, and what they may use is not legible.
    pub(crate) is_in_doubt: bool,
}

/// The leave that HR states of the employment of one identity, which ended before the `later` one began.
pub(crate) fn hr_before(
    cx: &Context<'_>,
    leavers: &[usize],
    word: (usize, Word),
    later: DateTime<Utc>,
) -> Option<LeftByHr> {
    let estate = cx.graph.estate();
    let began = estate.identities.get(word.0)?.row.created_at;
    let is_of_it = |at: &usize| {
        let left_at = estate.leavers.get(*at).map(|it| it.row.left_at);
        left_at.is_some_and(|it| it < later) && left_at >= began
    };
    foremost(cx, leavers.iter().copied().filter(is_of_it), &[word]).map(|it| it.1)
}

/// The leave that HR states, and its row: of each list the latest that it has not taken back, of the
/// authority before others, of those the latest that has come. Each list speaks for itself.
pub(crate) fn foremost(
    cx: &Context<'_>,
    leavers: impl Iterator<Item = usize>,
    words: &[(usize, Word)],
) -> Option<(usize, LeftByHr)> {
    let spoken = leavers.filter(|at| says_something(cx, *at, words));
    let last = last_leaves(cx.graph.estate(), spoken).into_iter();
    last.filter_map(|at| Some((at, left_by_hr(cx, at, words)?)))
        .max_by_key(|(_, it)| (it.is_authority, it.at))
}

/// A row that was taken back before its date has come says nothing any more. Who was seen to have left
/// by then has left: the row has fallen out of a list of those who are about to.
fn says_something(cx: &Context<'_>, leaver: usize, words: &[(usize, Word)]) -> bool {
    let estate = cx.graph.estate();
    estate.leavers.get(leaver).is_some_and(|it| {
        !estate.is_taken_back(it) || words.iter().any(|word| has_left(cx, word.0, it))
    })
}

/// The leave date of HR's row, once it has come. An identity that was made after that date
/// belongs to a later employment, and the row says nothing of it; nor does a row that HR has struck
/// out say anything of who was made active and given the app again after that date, or who, by the
/// log, was deactivated and activated again, and may use nothing, or who was seen to be switched off
/// and on again, or who was hired again since under an id that has left by now.
///
/// A leave date does not grow stale: it is past, and stays so.
fn left_by_hr(cx: &Context<'_>, leaver: usize, words: &[(usize, Word)]) -> Option<LeftByHr> {
    let estate = cx.graph.estate();
    let row = estate.leavers.get(leaver)?;
    let left_at = row.row.left_at;
    let is_struck_out = row.standing == Standing::Gone;
    let is_later = |at: usize| {
        let created_at = estate.identities.get(at).and_then(|it| it.row.created_at);
        created_at.is_some_and(|it| it > left_at)
    };
    let is_rehired = words.iter().any(|it| is_later(it.0));
    // Also under an id that has left again.
    let person = cx.graph.person_of_leaver(leaver);
    let was_rehired =
        || person.is_some_and(|it| cx.graph.identities_of(it).into_iter().any(is_later));
    let given = |since, is_given: fn(&Assignment, DateTime<Utc>) -> bool| {
        words.iter().any(|(at, _)| is_given_again(cx, *at, since, is_given))
    };
    let has_returned = |at: usize, since: DateTime<Utc>| {
        let told = estate.identities.get(at).and_then(|it| cx.ended(it));
        told.and_then(|it| it.returned).is_some_and(|it| it > since)
    };
    // Who has what they never lost may have been activated by mistake.
    let has_nothing = words.iter().all(|it| it.1.right != Right::Entitled);
    let is_back = |since| {
        has_nothing && words.iter().any(|it| has_returned(it.0, since))
            || given(since, |it, at| {
                it.grant == Grant::Grants && it.changed_at.is_some_and(|it| it > at)
            })
            || words.iter().any(|it| is_switched_on_again(cx, it.0, since))
            || words.iter().any(|it| was_seen_back(cx, it.0, since))
    };
    let may_be_back = given(left_at, |it, _| it.grant == Grant::Undecided);
    // A day that was ahead when HR's list was read may have been struck out before it came.
    let read_at = estate.snapshot(row.snapshot).reference.as_of.at;
    let may_be_struck_out = cx.pass == Pass::Light && is_back(left_at.min(read_at));
    let is_back = is_back(left_at);
    let says_nothing = is_struck_out && (is_back || was_rehired());
    let is_over = left_at <= cx.now && !is_rehired && !says_nothing;
    let list = estate.hr.get(usize::from(row.system)).map(|it| &it.stream.system);
    let is_authority = list.is_some() && list == cx.rules.authority.as_ref();
    let is_in_doubt = may_be_struck_out || (is_struck_out && may_be_back && !is_back);
    is_over.then_some(LeftByHr { at: left_at, is_struck_out, is_authority, is_in_doubt })
}

/// Whether an identity was seen to have left by HR's row: on its day or later, and before a list was
/// read without it. What ended afterwards ended for another reason.
pub(crate) fn has_left(
    cx: &Context<'_>,
    identity: usize,
    leaver: &Sighting<domain::HrLeaver>,
) -> bool {
    let estate = cx.graph.estate();
    let sighting = estate.identities.get(identity);
    let episode = sighting.and_then(|it| cx.past.episodes.get(&it.entity));
    let missed_by = estate.missed_by.get(&leaver.entity);
    episode
        .and_then(|it| it.ended_at)
        .is_some_and(|it| it >= leaver.row.left_at && missed_by.is_none_or(|by| it <= *by))
}

/// Whether an identity was switched off by its provider after a leave, and is on by today's list: since
/// then, where the provider says when a status changed.
pub(crate) fn is_switched_on_again(
    cx: &Context<'_>,
    identity: usize,
    left_at: DateTime<Utc>,
) -> bool {
    cx.graph.estate().identities.get(identity).is_some_and(|it| {
        is_on(cx, it)
            && it.row.status_changed_at.is_none_or(|changed_at| changed_at > left_at)
            && told_of_leave(cx, identity, left_at).next().is_some()
    })
}

/// Words of a provider that an identity had left which may be of the leave that HR states: told since its
/// day, or still true on it, where that day is of another employment, which a later identity began.
fn told_of_leave<'c>(
    cx: &Context<'c>,
    identity: usize,
    left_at: DateTime<Utc>,
) -> impl Iterator<Item = &'c SaidLeft> {
    let theirs = cx.graph.identities_of(cx.graph.person_of(identity));
    let later_at = later_at(cx, theirs.into_iter(), identity);
    let is_of_later = later_at.is_some_and(|it| it <= left_at);
    let sighting = cx.graph.estate().identities.get(identity);
    let said = sighting.map_or(&[][..], |it| cx.said_left(it)).iter();
    said.filter(move |it| {
        it.said_since >= left_at || is_of_later && it.returned_at.is_none_or(|back| back > left_at)
    })
}

/// Whether a provider that does not date it shows an identity to be on by today's list.
pub(crate) fn is_switched_on(cx: &Context<'_>, it: &Sighting<Identity>) -> bool {
    is_on(cx, it) && it.row.status_changed_at.is_none()
}

fn is_on(cx: &Context<'_>, it: &Sighting<Identity>) -> bool {
    it.standing == Standing::Listed
        && cx.graph.estate().is_fresh(it)
        && it.row.lifecycle == Lifecycle::Active
        && remembered(cx, it).is_none()
}

/// Whether a run saw somebody with the right again after a leave, which their provider told, too, and
/// dates nothing: what ended since ended for another reason.
fn was_seen_back(cx: &Context<'_>, identity: usize, left_at: DateTime<Utc>) -> bool {
    let sighting = cx.graph.estate().identities.get(identity);
    // That of a deletion is of no leave.
    let is_undated = |it: &Identity| it.status_changed_at.is_none() || !it.dates_leave();
    sighting.is_some_and(|it| is_undated(&it.row)) && {
        let mut said = told_of_leave(cx, identity, left_at);
        said.any(|it| it.returned_at.is_some_and(|at| at > left_at))
    }
}

/// Whether the status of an identity changed, and it was given the app, after a leave. With a row
/// that HR has struck out that is a return, whatever became of it since. One of the two alone is
/// not: who never lost their access may be locked out, or be pushed anew, after the row has fallen
/// out of a list of the last weeks. `is_given`: what an assignment has to show for it.
fn is_given_again(
    cx: &Context<'_>,
    identity: usize,
    left_at: DateTime<Utc>,
    is_given: impl Fn(&Assignment, DateTime<Utc>) -> bool,
) -> bool {
    let sighting = cx.graph.estate().identities.get(identity);
    let changed_at = sighting.and_then(|it| it.row.status_changed_at);
    changed_at.is_some_and(|at| at > left_at)
        && cx.graph.assignments_of(identity).iter().any(|it| is_given(&it.row, left_at))
}
