//! Should this person have access? Judged over the IdPs bound to the app, and HR.
//!
//! A positive word (deactivated, assigned) counts from any fresh row. A word from absence
//! (not assigned) needs the complete list. An IdP that could not be seen makes a negative
//! answer unknown, because it might have said yes: except that somebody who was positively seen
//! to have left, and whom that IdP was never seen to know, stays a leaver. Else one export that
//! fails would hide every leaver of the others.

use domain::{Interval, Right, SystemId, Tier};
use graph::Standing;

use crate::context::Context;
use crate::hr::{LeftByHr, foremost, hr_before};
use crate::policy::Entitlement;
use crate::starts::{Starts, behind_since, starts};
use crate::word::{Word, later_at, word};

/// What a person's right is, since when, and on which lists that rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRight {
    /// The right.
    pub right: Right,
    /// The identity whose word decided: an index into the estate. `None`: HR's, or nobody's.
    pub decided_by: Option<usize>,
    /// An IdP that is the authority says that they have left, which beats everything else.
    pub is_by_authority: bool,
    /// Some source says leaver, another says entitled, and none is the authority.
    pub is_disputed: bool,
    /// Some source that might say otherwise was not seen.
    pub is_partly_unseen: bool,
    /// The word that decided rests on not being listed.
    pub is_from_absence: bool,
    /// `None`: there is nothing more to say, as of nearly everybody.
    more: Option<Box<More>>,
}

/// What few people have to be told of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct More {
    /// When the right ended, by every clock that is known.
    starts: Starts,
    /// IdPs that may know the person by now, who then has the right, or a later employment than that
    /// of which another source speaks: they never did, or know only users of theirs who have left, and
    /// this run did not see them whole. Empty where nothing hangs on that.
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

impl More {
    /// `None` where all of it is empty.
    fn kept(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

impl PersonRight {
    /// The right by one of the person's identities: that of the person, unless it was left behind.
    #[must_use]
    pub fn right_by(&self, identity: usize) -> Right {
        if self.left_behind().contains(&identity) {
            Right::Leaver
        } else if self.out_of_sight().contains(&identity) {
            Right::Unknown
        } else {
            self.right
        }
    }

    /// Whether the right hangs on what is said of this identity of the person. Whom the authority has let go
    /// is let in by no other IdP; whom any may let in, by the one that does, if the authority has them and
    /// nobody disputes it; and whom all must let in, not where one has let them go. HR's word hangs on each,
    /// by which they may have been hired again.
    pub(crate) fn hangs_on(&self, cx: &Context<'_>, identity: usize) -> bool {
        let idp = |at| idp_of(cx, at);
        let is_any = cx.rules.entitlement == Entitlement::Any;
        match (self.right, self.decided_by) {
            (Right::Leaver, _) if self.is_by_authority => is_authority(cx, identity),
            (Right::Entitled, Some(by)) if is_any && !self.is_disputed => {
                by == identity || is_authority(cx, identity)
            }
            (Right::Leaver | Right::Expired, Some(by)) if !is_any => idp(by) == idp(identity),
            _ => true,
        }
    }

    /// When it ended, by every clock that is known.
    #[must_use]
    pub fn starts(&self) -> Starts {
        self.more.as_ref().map(|it| it.starts).unwrap_or_default()
    }

    /// Identities that were left behind: the person has another at the same IdP, or had one later.
    pub(crate) fn left_behind(&self) -> &[usize] {
        self.more.as_ref().map_or(&[], |it| &it.left_behind)
    }

    fn out_of_sight(&self) -> &[usize] {
        self.more.as_ref().map_or(&[], |it| &it.out_of_sight)
    }

    /// Whether sources disagree on this identity, or on the last one where none is named. What one
    /// that was left behind may is no matter of dispute.
    #[must_use]
    pub fn is_disputed_of(&self, identity: Option<usize>) -> bool {
        let is_past = |it| self.left_behind().contains(&it) || self.out_of_sight().contains(&it);
        self.is_disputed && !identity.is_some_and(is_past)
    }

    /// IdPs that may say otherwise of this identity by now, or of the person where none is named, and
    /// that this run did not see whole. Of one that was left behind, another IdP says nothing; and a new
    /// user of its own IdP would leave it behind.
    pub(crate) fn unheard_of(&self, cx: &Context<'_>, identity: Option<usize>) -> Vec<SystemId> {
        let is_behind = identity.is_some_and(|it| self.left_behind().contains(&it));
        let sighting = identity.and_then(|it| cx.graph.estate().identities.get(it));
        let own = sighting.and_then(|it| cx.graph.idp_of(it)).map(|it| &it.id);
        let unheard = self.more.iter().filter(|_| !is_behind).flat_map(|it| &it.unheard);
        unheard.filter(|it| Some(*it) != own).cloned().collect()
    }

    /// When access by this identity should have ended; by the last one where none is named.
    #[must_use]
    pub fn starts_of(&self, identity: Option<usize>) -> Starts {
        let mut own = self.more.iter().flat_map(|it| &it.own_starts);
        own.find(|it| Some(it.0) == identity).map_or_else(|| self.starts(), |it| it.1)
    }
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
    let sees_all = unheard(cx, &words, |_| true).is_empty();
    let is_unknown = words.iter().any(|(_, it)| it.right == Right::Unknown);
    let (right, decided_by, is_disputed) = decide(cx, &words, hr, is_unknown, sees_all);
    let is_last_word = decided_by.is_some_and(|it| is_authority(cx, it));
    let is_by_authority = right == Right::Leaver && is_last_word;
    let hangs_on_all = match right {
        Right::Leaver | Right::Expired => cx.rules.entitlement == Entitlement::Any && !is_last_word,
        // HR's row may be of an employment before.
        _ => is_disputed && words.iter().all(|(_, it)| it.right != Right::Leaver),
    };
    let is_partly_unseen = is_unknown || !sees_all || right == Right::Unknown;
    let deciding = words.iter().find(|(at, _)| Some(*at) == decided_by);
    let is_from_absence = deciding.is_some_and(|(_, it)| it.is_from_absence);
    let more = More {
        starts: starts(cx, &until_authority(cx, last, decided_by), hr),
        unheard: if hangs_on_all { may_be_anew(cx, &words) } else { Vec::new() },
        left_behind,
        out_of_sight,
        own_starts,
    };
    let more = more.kept();
    PersonRight {
        right,
        decided_by,
        is_by_authority,
        is_disputed,
        is_partly_unseen,
        is_from_absence,
        more,
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
    let starts = Starts { hr: Some(left.at), ..Starts::default() };
    let right = PersonRight {
        right: Right::Leaver,
        decided_by: None,
        is_by_authority: false,
        is_disputed: false,
        is_partly_unseen: false,
        is_from_absence: false,
        more: More { starts, ..More::default() }.kept(),
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
    // Who was deleted there, and is here, has moved: nobody can set that right.
    let says_left = |it: &Word| it.right == Right::Leaver && !it.is_from_memory;
    let left = hr.is_some() || words.iter().any(|(_, it)| says_left(it));
    if let Some(at) = entitled_by(cx, words) {
        // The authority's word beats this one: where it could not be seen, nobody knows.
        let is_whole = cx.rules.entitlement == Entitlement::Any || (sees_all && !is_unknown);
        return match authority_is_seen(cx, words) && is_whole {
            true => (Right::Entitled, Some(at), left),
            false => (Right::Unknown, None, left),
        };
    }
    if let Some((at, word)) = left_one_of_all(cx, words) {
        return match hr {
            Some(_) => (Right::Leaver, None, false),
            None => (word.right, Some(at), false),
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

/// Who was seen to have left an IdP by each of their users there, where every one must entitle: no other word
/// would change that, whether it can be seen or not.
fn left_one_of_all(cx: &Context<'_>, words: &[(usize, Word)]) -> Option<(usize, Word)> {
    if cx.rules.entitlement == Entitlement::Any {
        return None;
    }
    let idp = |at| idp_of(cx, at);
    let has_left =
        |it: &Word| matches!(it.right, Right::Leaver | Right::Expired) && !it.is_from_absence;
    let left = words.iter().filter(|(at, _)| {
        let mut there = words.iter().filter(|it| idp(it.0) == idp(*at));
        there.all(|it| has_left(&it.1))
    });
    left.min_by_key(|(_, it)| rank(it.right)).copied()
}

/// Takes away what says only that somebody has moved on: an identity that left or is gone, where
/// the same IdP lists another of that person that has not, or one that was made later has left as
/// well. A new id begins a new employment.
fn leave_behind(cx: &Context<'_>, words: &mut Vec<(usize, Word)>) -> Vec<(usize, Word)> {
    if words.len() < 2 {
        return Vec::new();
    }
    let estate = cx.graph.estate();
    let idp = |at| idp_of(cx, at);
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
    let left: Vec<(usize, Word)> = words.iter().filter(|(_, it)| is_over(it)).copied().collect();
    let (behind, kept) = words.drain(..).partition::<Vec<_>, _>(|(at, it)| {
        is_over(it) && (here.contains(&idp(*at)) || !is_of_last_employment(cx, &left, *at))
    });
    *words = kept;
    behind
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

/// Which IdP an identity is of.
pub(crate) fn idp_of(cx: &Context<'_>, identity: usize) -> Option<u16> {
    cx.graph.estate().identities.get(identity).map(|it| it.system)
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
    let idp = |at| idp_of(cx, at);
    let mut others = words.iter().filter(|(at, _)| *at != identity);
    word.right == Right::Leaver && others.any(|(at, _)| idp(*at) == idp(identity))
}

/// The words that tell when the right ended. Where the authority decides that they have left, it ended then
/// at the latest: its word stands alone, unless each of the others was over before.
fn until_authority(
    cx: &Context<'_>,
    words: Vec<(usize, Word)>,
    decided_by: Option<usize>,
) -> Vec<(usize, Word)> {
    let is_decided = decided_by.is_some_and(|it| is_authority(cx, it));
    let left = words.iter().filter(|(at, it)| it.right == Right::Leaver && is_authority(cx, *at));
    let last = left.max_by_key(|it| it.1.left_between().latest);
    let is_any = cx.rules.entitlement == Entitlement::Any;
    let Some(&(at, word)) = last.filter(|_| is_decided && is_any) else { return words };
    let left = word.left_between();
    let others = || words.iter().filter(|it| !is_authority(cx, it.0)).map(|it| &it.1);
    let is_over =
        |it: &Word| has_lost(it.right) && it.ended_by().is_some_and(|by| Some(by) <= left.earliest);
    if others().all(is_over) {
        return words;
    }
    // It may have been over sooner, where the authority took it before, and since the last time at which
    // another one is known to have given it.
    let own = word.ended_at().into_iter().chain(left.earliest).min();
    let given_at = others().filter(|it| has_lost(it.right)).filter_map(|it| it.given_until());
    let earliest = own.max(given_at.max());
    let earliest = left.earliest.and_then(|it| Some(it.min(earliest?)));
    let between = Some(Interval { earliest, ..left }).filter(|it| it.latest.is_some());
    let between = between.filter(|it| word.at.is_none() || *it != left);
    vec![(at, Word { between, unassigned: None, ended: None, suspended: None, ..word })]
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

/// Whether somebody had a right that is over; a memory is of one that was.
pub(crate) const fn has_lost(right: Right) -> bool {
    match right {
        Right::Leaver
        | Right::Expired
        | Right::Unassigned
        | Right::Suspended
        | Right::SourceGone => true,
        Right::Entitled | Right::NotYet | Right::Unknown => false,
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
            let idp = |at| idp_of(cx, at);
            let entitles = |which| {
                words.iter().any(|(at, it)| idp(*at) == which && it.right == Right::Entitled)
            };
            words.iter().all(|(at, _)| entitles(idp(*at))).then_some(first)
        }
    }
}

/// Bound IdPs that were not seen whole, and that know this person by no user, or by users alone who have
/// left: they may be there under a new id. It would leave these behind, so it matters to users of other
/// IdPs.
fn may_be_anew(cx: &Context<'_>, words: &[(usize, Word)]) -> Vec<SystemId> {
    let idp = |at| idp_of(cx, at);
    let is_of_one =
        words.windows(2).all(|it| matches!(it, [one, other] if idp(one.0) == idp(other.0)));
    let has_left =
        |it: &Word| matches!(it.right, Right::Leaver | Right::Expired | Right::SourceGone);
    unheard(cx, words, |it| is_of_one || !has_left(it))
}

/// Bound IdPs that know this person by no user of whom `is_known` is so, and that were not seen whole.
fn unheard(
    cx: &Context<'_>,
    words: &[(usize, Word)],
    is_known: impl Fn(&Word) -> bool,
) -> Vec<SystemId> {
    let estate = cx.graph.estate();
    let knows = |idp: usize| {
        words.iter().filter(|(_, it)| is_known(it)).any(|(at, _)| {
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
