//! When the right of a person ended, by every clock that is known.

use chrono::{DateTime, Utc};
use domain::{Interval, Right};

use crate::context::Context;
use crate::hr::LeftByHr;
use crate::policy::Entitlement;
use crate::right::{has_lost, idp_of};
use crate::sla::started;
use crate::word::{Word, app_looked_at, was_granted_since};

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

    /// Without the clocks that ran before somebody was back: who was back without the app has been without
    /// a right since then.
    pub(crate) fn since(self, back_at: DateTime<Utc>) -> Self {
        let since = |it: Option<DateTime<Utc>>| it.filter(|it| *it > back_at);
        Self {
            hr: since(self.hr),
            struck_out: since(self.struck_out),
            deactivated: since(self.deactivated),
            unassigned: self.unassigned.map(|it| it.max(back_at)),
            ended: since(self.ended),
            ..self
        }
    }

    /// From when grace runs: the earliest instant that is known, or the suspension before it; where
    /// none is that early, since an earlier list showed that the right was gone.
    #[must_use]
    pub fn grace_from(&self) -> Option<DateTime<Utc>> {
        [self.earliest(), self.suspended, self.missed_by].into_iter().flatten().min()
    }
}

/// When access by an identity that was left behind should have ended: at its own end, or later, where
/// another IdP still let them in, until that ended or the later identity was made. `later`: when that
/// was; `None`: it was made before, and is back.
pub(crate) fn behind_since(
    cx: &Context<'_>,
    own: Starts,
    (identity, words): (usize, &[(usize, Word)]),
    later: Option<DateTime<Utc>>,
) -> Starts {
    let ended = started(cx.policy, &own, None);
    let until = ended.latest.and_then(|it| let_in_until(cx, it, identity, words));
    // Where none was made later, an earlier one came back.
    let until = until.map(|it| later.map_or(it, |later| it.min(later)));
    match until.filter(|it| ended.latest < Some(*it)) {
        Some(until) => {
            let between = Some(Interval { earliest: ended.earliest, latest: Some(until) });
            // Until now, where nobody knows since when: that is no time at which it ended.
            Starts { deactivated: later.and(Some(until)), between, ..Starts::default() }
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
    let idp = |at| idp_of(cx, at);
    let is_there = |at: usize| idp(at) == idp(identity);
    let elsewhere = words.iter().filter(|it| !is_there(it.0) && was_granted_since(cx, it.0, ended));
    let until = elsewhere.filter_map(|(_, word)| match word.right {
        Right::Entitled => Some(cx.now),
        _ => word.ended_by(),
    });
    until.max()
}

/// When the right ended. Where several IdPs entitled, or several identities at one, it ended with the
/// last of them: then a clock counts that ran when it had ended by all of them.
pub(crate) fn starts(cx: &Context<'_>, words: &[(usize, Word)], hr: Option<LeftByHr>) -> Starts {
    let idp = |at| idp_of(cx, at);
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
            true => said.filter(|it| last.is_some_and(|last| *it >= last)).min(),
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
        between: if is_any { last_between(words) } else { first_between(words) },
        missed_by: match ends_with_last {
            false => words.iter().filter_map(|(_, it)| it.missed_by).min(),
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

/// Between which looks the first of several rights ended that are over; `None` where each has a time, or
/// none of them has any.
fn first_between(words: &[(usize, Word)]) -> Option<Interval> {
    let over = words.iter().map(|it| &it.1).filter(|it| has_lost(it.right));
    let over: Vec<&Word> = over.collect();
    let is_dated = over.iter().all(|it| it.between.is_none() && it.ended_at().is_some());
    let unknown = Interval { earliest: None, latest: None };
    let ended: Vec<Interval> = over.iter().map(|it| ended_between(it).unwrap_or(unknown)).collect();
    let earliest = ended.iter().map(|it| it.earliest).collect::<Option<Vec<_>>>();
    let between = Interval {
        earliest: earliest.and_then(|it| it.into_iter().min()),
        latest: ended.iter().filter_map(|it| it.latest).min(),
    };
    Some(between).filter(|it| !is_dated && it.latest.is_some())
}

/// Between which looks a right ended, or when; `None`: neither is known.
fn ended_between(word: &Word) -> Option<Interval> {
    let exactly = |at| Interval { earliest: Some(at), latest: Some(at) };
    word.between.or(word.at.map(exactly))
}

/// Between which looks the last of several rights ended; `None` where each has a time, or one has
/// neither.
fn last_between(words: &[(usize, Word)]) -> Option<Interval> {
    let is_known = words.iter().any(|(_, it)| it.between.is_some());
    let ended: Vec<Interval> =
        words.iter().map(|(_, it)| ended_between(it)).collect::<Option<_>>()?;
    is_known.then_some(Interval {
        earliest: ended.iter().filter_map(|it| it.earliest).max(),
        latest: ended.iter().map(|it| it.latest).reduce(|one, other| one?.max(other?).into())?,
    })
}
