//! Should this person have access? Judged over the IdPs bound to the app, and HR.
//!
//! A positive word (deactivated, assigned) counts from any fresh row. A word from absence
//! (not assigned) needs the complete list. An IdP that could not be seen makes a negative
//! answer unknown, because it might have said yes: except that somebody who was positively seen
//! to have left, and whom that IdP was never seen to know, stays a leaver. Else one export that
//! fails would hide every leaver of the others.

use chrono::{DateTime, Utc};
use domain::{
    Assignment, CLOCK_SKEW_MAX, Grant, Identity, Interval, Lifecycle, List, Pass, Principal, Right,
    SystemId, Tier,
};
use graph::{Sighting, Standing, last_leaves};

use crate::context::{Context, SaidLeft};
use crate::policy::Entitlement;
use crate::sla::started;

/// What a person's right is, since when, and on which lists that rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRight {
    /// The right.
    pub right: Right,
    /// When it ended, by every clock that is known.
    pub starts: Starts,
    /// The identity whose word decided: an index into the estate. `None`: HR's, or nobody's.
    pub decided_by: Option<usize>,
    /// Some source says leaver, another says entitled, and none is the authority.
    pub is_disputed: bool,
    /// Some source that might say otherwise was not seen.
    pub is_partly_unseen: bool,
    /// The word that decided rests on not being listed.
    pub is_from_absence: bool,
    /// IdPs that may know the person by now, who then has the right, or a later employment than that
    /// of which another source speaks: they never did, and this run did not see them whole. Empty where
    /// nothing hangs on that.
    unheard: Vec<SystemId>,
    /// Identities that were left behind: the person has another at the same IdP, or had one later.
    left_behind: Vec<usize>,
    /// Identities that are only remembered, and of which this run could not see what became, while
    /// the person has another at the same IdP: what that one may is not theirs.
    out_of_sight: Vec<usize>,
    /// Identities whose own end counts for their accounts, and that end: of employments before the
    /// last, those left behind among them, and of several at one IdP that have all left.
    own_starts: Vec<(usize, Starts)>,
}

impl PersonRight {
    /// The right by one of the person's identities: that of the person, unless it was left behind.
    #[must_use]
    pub fn right_by(&self, identity: usize) -> Right {
        if self.left_behind.contains(&identity) {
            Right::Leaver
        } else if self.out_of_sight.contains(&identity) {
            Right::Unknown
        } else {
            self.right
        }
    }

    /// Identities that were left behind: the person has another at the same IdP, or had one later.
    pub(crate) fn left_behind(&self) -> &[usize] {
        &self.left_behind
    }

    /// Whether sources disagree on this identity, or on the last one where none is named. What one
    /// that was left behind may is no matter of dispute.
    #[must_use]
    pub fn is_disputed_of(&self, identity: Option<usize>) -> bool {
        let is_past = |it| self.left_behind.contains(&it) || self.out_of_sight.contains(&it);
        self.is_disputed && !identity.is_some_and(is_past)
    }

    /// IdPs that may say otherwise of this identity by now, or of the person where none is named, and
    /// that this run did not see whole. Of one that was left behind, another IdP says nothing.
    pub(crate) fn unheard_of(&self, identity: Option<usize>) -> &[SystemId] {
        let is_behind = identity.is_some_and(|it| self.left_behind.contains(&it));
        if is_behind { &[] } else { &self.unheard }
    }

    /// When access by this identity should have ended; by the last one where none is named.
    #[must_use]
    pub fn starts_of(&self, identity: Option<usize>) -> Starts {
        let own = self.own_starts.iter().find(|(at, _)| Some(*at) == identity);
        own.map_or(self.starts, |it| it.1)
    }
}

/// When access should have ended, by each clock. `None` is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Starts {
    /// HR's last day.
    pub hr: Option<DateTime<Utc>>,
    /// HR's last day by a row that it has struck out, where another clock ran later. It may be that
    /// of an earlier leave: somebody who came back, and left again, between two looks.
    pub struck_out: Option<DateTime<Utc>>,
    /// The IdP deactivated the identity. Where `between` is known as well, by then at the latest.
    pub deactivated: Option<DateTime<Utc>>,
    /// The IdP took the app away.
    pub unassigned: Option<DateTime<Utc>>,
    /// The end date that was stated beforehand.
    pub ended: Option<DateTime<Utc>>,
    /// The IdP suspended somebody who has lost the right besides. Grace ran since then, but no limit.
    pub suspended: Option<DateTime<Utc>>,
    /// No row says when: between the last list with it and the first without, or a deletion.
    pub between: Option<Interval>,
    /// No row says when, and an earlier list, read by then, was the first without it.
    pub missed_by: Option<DateTime<Utc>>,
}

impl Starts {
    /// The earliest instant that is known; `None` when none is. What is struck out is not known.
    #[must_use]
    pub fn earliest(&self) -> Option<DateTime<Utc>> {
        [self.hr, self.deactivated, self.unassigned, self.ended].into_iter().flatten().min()
    }

    /// From when grace runs: the earliest instant that is known, or the suspension before it; where
    /// none is that early, since an earlier list showed that the right was gone.
    #[must_use]
    pub fn grace_from(&self) -> Option<DateTime<Utc>> {
        [self.earliest(), self.suspended, self.missed_by].into_iter().flatten().min()
    }
}

/// What one identity says.
#[derive(Clone, Copy, Debug)]
struct Word {
    right: Right,
    at: Option<DateTime<Utc>>,
    between: Option<Interval>,
    /// By when an earlier list than that of today was the first without it.
    missed_by: Option<DateTime<Utc>>,
    /// When they lost the app before they left or their time was over; `None` where no log says so.
    unassigned: Option<DateTime<Utc>>,
    /// When their time was over by the date that was stated, before they left.
    ended: Option<DateTime<Utc>>,
    /// When they were suspended, whatever else took the right away.
    suspended: Option<DateTime<Utc>>,
    is_from_absence: bool,
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
        }
    }

    /// When the right ended, whatever else ended since; `None`: no row and no log dates it.
    fn ended_at(&self) -> Option<DateTime<Utc>> {
        [self.at, self.unassigned, self.ended].into_iter().flatten().min()
    }

    /// By when the right had ended; `None`: nobody knows.
    fn ended_by(&self) -> Option<DateTime<Utc>> {
        self.ended_at().or(self.missed_by).or(self.between.and_then(|it| it.latest))
    }

    /// A word that rests on not being listed, between two looks.
    const fn absent(right: Right, at: Option<DateTime<Utc>>, between: Interval) -> Self {
        Self { between: Some(between), is_from_absence: true, ..Self::plain(right, at) }
    }
}

/// What HR's row says of a leave that has come.
#[derive(Clone, Copy, Debug)]
struct LeftByHr {
    at: DateTime<Utc>,
    is_struck_out: bool,
    /// By the list of the declared authority.
    is_authority: bool,
    /// They may be back: a light pass was told by id that they are, and HR, which it does not read,
    /// may have struck the row out since; or HR has, and what they may use is not legible.
    is_in_doubt: bool,
}

/// Judges one person. `leavers` are the person's rows in HR's lists.
pub(crate) fn person_right(cx: &Context<'_>, person: u32, leavers: &[usize]) -> PersonRight {
    let mut words: Vec<(usize, Word)> =
        cx.graph.identities_of(person).into_iter().map(|at| (at, word(cx, at))).collect();
    let out_of_sight = out_of_sight(cx, &words);
    let behind = leave_behind(cx, &mut words);
    let hr = foremost(cx, leavers.iter().copied(), &words).map(|it| it.1);
    let (last, before): (Vec<_>, Vec<_>) =
        words.iter().copied().partition(|(at, _)| is_of_last_employment(cx, &words, *at));
    let apart = last.iter().filter(|it| has_left_beside_another(cx, &last, **it));
    let own_starts = before.iter().chain(apart).map(|it| (it.0, starts(cx, &[*it], hr)));
    let of_behind = behind.iter().map(|it| {
        let later = later_at(cx, words.iter().chain(&behind).map(|it| it.0), it.0);
        let hr = later.map_or(hr, |later| hr_before(cx, leavers, *it, later));
        (it.0, behind_since(cx, starts(cx, &[*it], hr), (it.0, &words), later))
    });
    let own_starts = own_starts.chain(of_behind).collect();
    let left_behind = behind.into_iter().map(|it| it.0).collect();
    let unheard = unheard(cx, &words);
    let sees_all = unheard.is_empty();
    let is_unknown = words.iter().any(|(_, it)| it.right == Right::Unknown);
    let (right, decided_by, is_disputed) = decide(cx, &words, hr, is_unknown, sees_all);
    let hangs_on_all = match right {
        Right::Leaver | Right::Expired => {
            let is_last_word = decided_by.is_some_and(|it| is_authority(cx, it));
            cx.rules.entitlement == Entitlement::Any && !is_last_word
        }
        // HR's row may be of an employment before.
        _ => is_disputed && words.iter().all(|(_, it)| it.right != Right::Leaver),
    };
    let is_partly_unseen = is_unknown || !sees_all || right == Right::Unknown;
    let deciding = words.iter().find(|(at, _)| Some(*at) == decided_by);
    let is_from_absence = deciding.is_some_and(|(_, it)| it.is_from_absence);
    PersonRight {
        right,
        starts: starts(cx, &last, hr),
        decided_by,
        is_disputed,
        is_partly_unseen,
        is_from_absence,
        unheard: if hangs_on_all { unheard } else { Vec::new() },
        left_behind,
        out_of_sight,
        own_starts,
    }
}

/// The right of somebody whom HR alone knows, and the key that names them: a leaver once the day has
/// come, and `None` before. `leavers` are their rows, each with its key.
pub(crate) fn right_by_hr(
    cx: &Context<'_>,
    leavers: &[(usize, Tier)],
) -> Option<(PersonRight, Tier)> {
    let (leaver, left) = foremost(cx, leavers.iter().map(|it| it.0), &[])?;
    let tier = leavers.iter().find(|it| it.0 == leaver)?.1;
    let right = PersonRight {
        right: Right::Leaver,
        starts: Starts { hr: Some(left.at), ..Starts::default() },
        decided_by: None,
        is_disputed: false,
        is_partly_unseen: false,
        is_from_absence: false,
        unheard: Vec::new(),
        left_behind: Vec::new(),
        out_of_sight: Vec::new(),
        own_starts: Vec::new(),
    };
    Some((right, tier))
}

/// The right, the identity whose word decided, and whether sources dispute it.
fn decide(
    cx: &Context<'_>,
    words: &[(usize, Word)],
    hr: Option<LeftByHr>,
    is_unknown: bool,
    sees_all: bool,
) -> (Right, Option<usize>, bool) {
    // Who has left by every other word is not back.
    let has_left = words.iter().all(|(_, it)| it.right == Right::Leaver);
    if hr.is_some_and(|it| it.is_in_doubt) && !has_left {
        return (Right::Unknown, None, false);
    }
    if hr.is_some_and(|it| it.is_authority) {
        return (Right::Leaver, None, false);
    }
    let authority =
        words.iter().find(|(at, it)| it.right == Right::Leaver && is_authority(cx, *at));
    if let Some((at, _)) = authority {
        return (Right::Leaver, Some(*at), false);
    }
    let left = hr.is_some() || words.iter().any(|(_, it)| it.right == Right::Leaver);
    if let Some(at) = entitled_by(cx, words) {
        // The authority's word beats this one: where it could not be seen, nobody knows.
        let is_whole = cx.rules.entitlement == Entitlement::Any || (sees_all && !is_unknown);
        return match authority_is_seen(cx, words) && is_whole {
            true => (Right::Entitled, Some(at), left),
            false => (Right::Unknown, None, left),
        };
    }
    if is_unknown {
        return (Right::Unknown, None, false);
    }
    if !sees_all {
        let has_left =
            |it: &Word| matches!(it.right, Right::Leaver | Right::Expired) && !it.is_from_absence;
        let left = words.iter().filter(|(_, it)| has_left(it)).min_by_key(|(_, it)| rank(it.right));
        return match (hr, left) {
            (Some(_), _) => (Right::Leaver, None, false),
            (None, Some((at, word))) => (word.right, Some(*at), false),
            (None, None) => (Right::Unknown, None, false),
        };
    }
    if hr.is_some() {
        return (Right::Leaver, None, false);
    }
    // In `All` mode some IdP entitles and another does not: the one that does not decides.
    let negative = words.iter().filter(|(_, it)| it.right != Right::Entitled);
    match negative.min_by_key(|(_, it)| rank(it.right)) {
        Some((at, word)) => (stuck(cx, *at, word.right), Some(*at), false),
        None => (Right::Unknown, None, false),
    }
}

/// Takes away what says only that somebody has moved on: an identity that left or is gone, where
/// the same IdP lists another of that person that has not, or one that was made later has left as
/// well. A new id begins a new employment.
fn leave_behind(cx: &Context<'_>, words: &mut Vec<(usize, Word)>) -> Vec<(usize, Word)> {
    if words.len() < 2 {
        return Vec::new();
    }
    let estate = cx.graph.estate();
    let idp = |at: usize| estate.identities.get(at).map(|it| it.system);
    let is_over = |it: &Word| matches!(it.right, Right::Leaver | Right::SourceGone);
    let here: Vec<Option<u16>> = words
        .iter()
        .filter(|(at, it)| {
            let is_listed =
                estate.identities.get(*at).is_some_and(|it| it.standing == Standing::Listed);
            is_listed && !is_over(it)
        })
        .map(|(at, _)| idp(*at))
        .collect();
    let left: Vec<(usize, Word)> =
        words.iter().filter(|(_, it)| it.right == Right::Leaver).copied().collect();
    let (behind, kept) = words.drain(..).partition::<Vec<_>, _>(|(at, it)| {
        is_over(it) && (here.contains(&idp(*at)) || !is_of_last_employment(cx, &left, *at))
    });
    *words = kept;
    behind
}

/// When access by an identity that was left behind should have ended: at its own end, or later, where
/// another IdP still let them in, until that ended or the later identity was made.
fn behind_since(
    cx: &Context<'_>,
    own: Starts,
    (identity, words): (usize, &[(usize, Word)]),
    later: Option<DateTime<Utc>>,
) -> Starts {
    let ended = started(cx.policy, &own, None);
    let until =
        ended.latest.and_then(|it| Some(let_in_until(cx, it, identity, words)?.min(later?)));
    match until.filter(|it| ended.latest < Some(*it)) {
        Some(until) => {
            let between = Some(Interval { earliest: ended.earliest, latest: Some(until) });
            Starts { deactivated: Some(until), between, ..Starts::default() }
        }
        None => own,
    }
}

/// Until when another IdP, whose list has shown them with the app since this identity `ended`, let them
/// in by it; `None`: none is known to have done so.
fn let_in_until(
    cx: &Context<'_>,
    ended: DateTime<Utc>,
    identity: usize,
    words: &[(usize, Word)],
) -> Option<DateTime<Utc>> {
    if cx.rules.entitlement == Entitlement::All {
        return None;
    }
    let idp = |at: usize| cx.graph.estate().identities.get(at).map(|it| it.system);
    let is_there = |at: usize| idp(at) == idp(identity);
    let elsewhere = words.iter().filter(|it| !is_there(it.0) && was_granted_since(cx, it.0, ended));
    let until = elsewhere.filter_map(|(_, word)| match word.right {
        Right::Entitled => Some(cx.now),
        _ => word.ended_by(),
    });
    until.max()
}

/// When the first identity was made that the person got after this one at the same IdP.
fn later_at(
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

/// The leave that HR states of the employment of one identity, which ended before the `later` one began.
fn hr_before(
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

/// Identities that no list of today has, and that no complete list shows to be gone, beside another
/// of the person that the same IdP lists.
fn out_of_sight(cx: &Context<'_>, words: &[(usize, Word)]) -> Vec<usize> {
    let row = |at: usize| cx.graph.estate().identities.get(at);
    let has_another = |idp: u16| {
        let mut others = words.iter().filter_map(|(at, _)| row(*at));
        others.any(|it| it.system == idp && it.standing == Standing::Listed)
    };
    let unclear = words.iter().filter(|(at, it)| {
        let gone = row(*at).filter(|it| it.standing == Standing::Gone);
        it.right == Right::Unknown && gone.is_some_and(|it| has_another(it.system))
    });
    unclear.map(|(at, _)| *at).collect()
}

/// Whether no identity of the person was made later at the same IdP: each begins an employment.
fn is_of_last_employment(cx: &Context<'_>, words: &[(usize, Word)], identity: usize) -> bool {
    later_at(cx, words.iter().map(|it| it.0), identity).is_none()
}

/// Whether an identity has left and the person has another at the same IdP: it was left behind as
/// long as that one had not.
fn has_left_beside_another(
    cx: &Context<'_>,
    words: &[(usize, Word)],
    (identity, word): (usize, Word),
) -> bool {
    let idp = |at: usize| cx.graph.estate().identities.get(at).map(|it| it.system);
    let mut others = words.iter().filter(|(at, _)| *at != identity);
    word.right == Right::Leaver && others.any(|(at, _)| idp(*at) == idp(identity))
}

/// Whether the declared authority could say that this person has left. True where none is declared.
fn authority_is_seen(cx: &Context<'_>, words: &[(usize, Word)]) -> bool {
    let Some(authority) = &cx.rules.authority else { return true };
    let estate = cx.graph.estate();
    match estate.idps.iter().position(|it| it.id == *authority) {
        Some(at) => {
            let mut known = words.iter().filter(|(it, _)| is_authority(cx, *it)).peekable();
            let is_known = known.peek().is_some();
            let is_seen = known.all(|(_, it)| it.right != Right::Unknown);
            let is_whole = estate.idps.get(at).is_some_and(|it| it.identities.base.is_some());
            if is_known { is_seen } else { is_whole }
        }
        None => estate.hr.iter().any(|it| it.stream.system == *authority && it.base.is_some()),
    }
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

/// Last seen as a leaver and then gone stays a leaver: an episode that ended, and not by a
/// stated date.
fn stuck(cx: &Context<'_>, identity: usize, right: Right) -> Right {
    let sighting = cx.graph.estate().identities.get(identity);
    let has_left = sighting.is_some_and(|it| {
        it.row.ends_at.is_none()
            && cx.past.episodes.get(&it.entity).is_some_and(|episode| episode.ended_at.is_some())
    });
    if right == Right::SourceGone && has_left { Right::Leaver } else { right }
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

/// Bound IdPs that neither know this person nor were seen whole without them.
fn unheard(cx: &Context<'_>, words: &[(usize, Word)]) -> Vec<SystemId> {
    let estate = cx.graph.estate();
    let knows = |idp: usize| {
        words.iter().any(|(at, _)| {
            estate.identities.get(*at).is_some_and(|it| usize::from(it.system) == idp)
        })
    };
    let idps = estate.idps.iter().enumerate();
    let unheard = idps.filter(|(at, idp)| idp.identities.base.is_none() && !knows(*at));
    unheard.map(|(_, idp)| idp.id.clone()).collect()
}

fn is_authority(cx: &Context<'_>, identity: usize) -> bool {
    let idp = cx.graph.estate().identities.get(identity).and_then(|it| cx.graph.idp_of(it));
    cx.rules.authority.is_some() && idp.map(|it| &it.id) == cx.rules.authority.as_ref()
}

/// The leave that HR states, and its row: of each list the latest that it has not taken back, of the
/// authority before others, of those the latest that has come. Each list speaks for itself.
fn foremost(
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
/// and on again where the provider writes no dates, or who was hired again since under an id that has
/// left by now.
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
    leaver: &Sighting<'_, domain::HrLeaver>,
) -> bool {
    let estate = cx.graph.estate();
    let sighting = estate.identities.get(identity);
    let episode = sighting.and_then(|it| cx.past.episodes.get(&it.entity));
    let missed_by = estate.missed_by.get(&leaver.entity);
    episode
        .and_then(|it| it.ended_at)
        .is_some_and(|it| it >= leaver.row.left_at && missed_by.is_none_or(|by| it <= *by))
}

/// Whether an identity was switched off by its provider after a leave, and is on by today's list.
/// Where the provider says when a status changed, that tells it better.
pub(crate) fn is_switched_on_again(
    cx: &Context<'_>,
    identity: usize,
    left_at: DateTime<Utc>,
) -> bool {
    cx.graph.estate().identities.get(identity).is_some_and(|it| {
        is_switched_on(cx, it) && told_of_leave(cx, identity, left_at).next().is_some()
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
pub(crate) fn is_switched_on(cx: &Context<'_>, it: &Sighting<'_, Identity>) -> bool {
    it.standing == Standing::Listed
        && cx.graph.estate().is_fresh(it)
        && it.row.lifecycle == Lifecycle::Active
        && it.row.status_changed_at.is_none()
}

/// Whether a run saw somebody with the right again after a leave, which their provider told, too, and
/// dates nothing: what ended since ended for another reason.
fn was_seen_back(cx: &Context<'_>, identity: usize, left_at: DateTime<Utc>) -> bool {
    let sighting = cx.graph.estate().identities.get(identity);
    sighting.is_some_and(|it| it.row.status_changed_at.is_none()) && {
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
        && cx.graph.assignments_of(identity).iter().any(|it| is_given(it.row, left_at))
}

/// When the right ended. Where several IdPs entitled, or several identities at one, it ended with the
/// last of them: then a clock counts that ran when it had ended by all of them.
fn starts(cx: &Context<'_>, words: &[(usize, Word)], hr: Option<LeftByHr>) -> Starts {
    let idp = |at: usize| cx.graph.estate().identities.get(at).map(|it| it.system);
    let mut idps: Vec<Option<u16>> = words.iter().map(|it| idp(it.0)).collect();
    idps.dedup();
    let is_any = idps.len() < 2 || cx.rules.entitlement == Entitlement::Any;
    let ends_with_last = words.len() > 1 && is_any;
    let words: &[(usize, Word)] = match ends_with_last {
        true => &words.iter().map(|it| without_the_app(cx, *it)).collect::<Vec<_>>(),
        false => words,
    };
    let last = last_dated(words);
    let at = |wanted: &[Right], before: fn(&Word) -> Option<DateTime<Utc>>| {
        let said = words.iter().flat_map(|(_, it)| {
            let of_right = it.at.filter(|_| wanted.contains(&it.right));
            of_right.into_iter().chain(before(it))
        });
        match ends_with_last {
            false => said.min(),
            true => said.filter(|it| last.is_some_and(|last| *it >= last)).max(),
        }
    };
    let only = || if let [(_, word)] = words { Some(word) } else { None };
    let by_idps = Starts {
        hr: None,
        struck_out: None,
        deactivated: at(&[Right::Leaver, Right::Suspended], |_| None),
        unassigned: at(&[Right::Unassigned], |it| it.unassigned),
        ended: at(&[Right::Expired], |it| it.ended),
        suspended: only().and_then(|it| it.suspended),
        between: last_between(words).filter(|_| is_any),
        missed_by: match ends_with_last {
            false => only().and_then(|it| it.missed_by),
            true => last_missed_by(words).filter(|_| last.is_none()),
        },
    };
    let is_doubtful =
        |hr: LeftByHr| hr.is_struck_out && by_idps.earliest().is_some_and(|it| it > hr.at);
    match hr {
        Some(hr) if is_doubtful(hr) => Starts { struck_out: Some(hr.at), ..by_idps },
        _ => Starts { hr: hr.map(|it| it.at), ..by_idps },
    }
}

/// The same, but whom no list of who has the app ever showed had not got it by the last one before this
/// run.
fn without_the_app(cx: &Context<'_>, (identity, word): (usize, Word)) -> (usize, Word) {
    let is_never_shown = word.right == Right::Unassigned
        && word.ended_at().or(word.missed_by).is_none()
        && word.between.is_some_and(|it| it.earliest.is_none());
    let sighting = cx.graph.estate().identities.get(identity).filter(|_| is_never_shown);
    let looked_at = sighting.and_then(|it| app_looked_at(cx, it));
    match looked_at {
        Some(by) => {
            let between = Some(Interval { earliest: None, latest: Some(by) });
            (identity, Word { between, missed_by: looked_at, ..word })
        }
        None => (identity, word),
    }
}

/// When the last of several rights ended, where that has a date: one without a date had ended by then.
fn last_dated(words: &[(usize, Word)]) -> Option<DateTime<Utc>> {
    let last = words.iter().filter_map(|(_, it)| it.ended_at()).max()?;
    words.iter().all(|(_, it)| it.ended_by().is_some_and(|by| by <= last)).then_some(last)
}

/// By when an earlier list showed that the last of several rights was gone; `None`: no earlier list
/// shows it of one that has no date.
fn last_missed_by(words: &[(usize, Word)]) -> Option<DateTime<Utc>> {
    let gone_by = words.iter().map(|(_, it)| it.ended_at().or(it.missed_by));
    gone_by.collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// Between which looks the last of several rights ended; `None` where each has a time, or one has
/// neither.
fn last_between(words: &[(usize, Word)]) -> Option<Interval> {
    let is_known = words.iter().any(|(_, it)| it.between.is_some());
    let ended = words.iter().map(|(_, it)| {
        let exactly = |at| Interval { earliest: Some(at), latest: Some(at) };
        it.between.or(it.at.map(exactly))
    });
    let ended: Vec<Interval> = ended.collect::<Option<_>>()?;
    is_known.then_some(Interval {
        earliest: ended.iter().filter_map(|it| it.earliest).max(),
        latest: ended.iter().map(|it| it.latest).reduce(|one, other| one?.max(other?).into())?,
    })
}

/// What one identity says of the right to this app, with the times that the log of its IdP gives
/// where no row does.
fn word(cx: &Context<'_>, at: usize) -> Word {
    let word = word_by_log(cx, at, word_of_rows(cx, at));
    let left_by = word.ended_by();
    let row = cx.graph.estate().identities.get(at).map(|it| it.row);
    let ended = row.and_then(|it| it.ends_at).filter(|it| left_by.is_some_and(|by| *it < by));
    let ended = ended.filter(|_| word.right == Right::Leaver);
    Word { suspended: suspended_at(cx, at), ended, ..word }
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
fn was_granted_since(cx: &Context<'_>, identity: usize, lost_at: DateTime<Utc>) -> bool {
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
fn app_looked_at(cx: &Context<'_>, sighting: &Sighting<'_, Identity>) -> Option<DateTime<Utc>> {
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
    let row = sighting.row;
    if row.lifecycle == Lifecycle::Left {
        return left(cx, sighting);
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

/// Somebody who has left. A date that comes after they were seen to have left is that of something
/// else: Entra dates the deletion of a user and not that it was switched off before. Nor is it more
/// than the latest where nobody saw that: they left between it and the last list that had them on.
fn left(cx: &Context<'_>, sighting: &Sighting<'_, Identity>) -> Word {
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
    sighting: &Sighting<'_, Identity>,
    by: DateTime<Utc>,
) -> Option<Interval> {
    let earliest = seen_on_at(cx, sighting).filter(|it| *it <= by)?;
    Some(Interval { earliest: Some(earliest), latest: Some(by) })
}

/// As of when the last whole list before this run spoke, where it had nobody of this identity who had
/// left. `None`: they had left by then, by any word that is on record, or there was no such list.
fn seen_on_at(cx: &Context<'_>, sighting: &Sighting<'_, Identity>) -> Option<DateTime<Utc>> {
    let is_told = cx.said_left(sighting).iter().any(|it| it.returned_at.is_none());
    let episode = cx.past.episodes.get(&sighting.entity);
    // Who left by HR's word alone is on record, and was on at their provider.
    let has_left = episode.is_some_and(|it| it.ended_at.is_some())
        && !cx.past.leavers.contains(&sighting.entity);
    let list = &cx.graph.idp_of(sighting)?.identities;
    cx.past.looked_at.get(&list.stream).copied().filter(|_| !is_told && !has_left)
}

/// By when the list was read that shows an identity.
fn shown_by(cx: &Context<'_>, sighting: &Sighting<'_, Identity>) -> Option<DateTime<Utc>> {
    let idp = cx.graph.idp_of(sighting)?;
    let as_of = cx.graph.estate().snapshot(sighting.snapshot).reference.as_of.at;
    Some(cx.read_by(&idp.identities, as_of))
}

/// When the provider says that somebody left; `None`: it does not. An error where a run saw before
/// any date of its that they had, with when that was.
pub(crate) fn left_at(
    cx: &Context<'_>,
    sighting: &Sighting<'_, Identity>,
) -> Result<Option<DateTime<Utc>>, DateTime<Utc>> {
    let at = sighting.row.status_changed_at;
    let shown_by = shown_by(cx, sighting);
    // A list cannot know of what comes after it.
    if let Some(shown_by) = shown_by.filter(|by| at.is_some_and(|it| it > *by + CLOCK_SKEW_MAX)) {
        return Err(shown_by);
    }
    let newest = cx.said_left(sighting).last();
    let seen = newest.filter(|it| it.returned_at.is_none() && it.is_undated);
    match seen.filter(|seen| at.is_none_or(|it| it > seen.found_at)) {
        Some(seen) => Err(seen.found_at),
        None => Ok(at),
    }
}

/// Somebody who was in an earlier list and is not in the complete list of today.
fn gone(cx: &Context<'_>, sighting: &Sighting<'_, Identity>) -> Word {
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
