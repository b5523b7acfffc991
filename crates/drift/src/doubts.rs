//! Leaves that HR states and that count for nobody, or may be somebody else's, in words: nobody is joined by a guess, and nobody
//! is to be missed without a word. Never judges anybody.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{HrLeaver, Lifecycle, Pass};
use graph::{Sighting, Standing, Unnamed};

use crate::context::Context;
use crate::hr::{has_left, is_switched_on_again};

/// Rows that one sentence names.
const ROWS_SHOWN_MAX: usize = 5;

/// So long after its day a leave is told that was struck out before it.
const TAKEN_BACK_FOR: TimeDelta = TimeDelta::days(30);

/// So long after its day a leave is told of somebody who seems to be back.
const SWITCHED_ON_FOR: TimeDelta = TimeDelta::days(90);

/// Why a leave counts for nobody, or why somebody else may be meant by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Doubt {
    Unnamed(Unnamed),
    /// Struck out before its day came, of somebody who is here.
    TakenBack,
    /// Struck out since, of somebody whose user was off and is on again.
    SwitchedOn,
    /// The person has a user that was made since, and another that was active all along.
    MadeAnew,
}

impl Doubt {
    /// What is the matter with the leaves, after `leaves by hr`.
    const fn what(self) -> &'static str {
        match self {
            Self::Unnamed(Unnamed::TwoUsers) => {
                "whose number is that of one user and whose address is another's"
            }
            Self::Unnamed(Unnamed::Several | Unnamed::AlmostNumber)
            | Self::TakenBack
            | Self::SwitchedOn
            | Self::MadeAnew => "that count for nobody",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Unnamed(Unnamed::Several) => {
                "Their number or address is that of several users, and none of these was taken for them. \
                 Let HR state numbers that are one person's"
            }
            Self::Unnamed(Unnamed::AlmostNumber) => {
                "No user has their number, and somebody has one that differs in leading zeros or letter \
                 case alone. Let all sources write numbers alike"
            }
            Self::Unnamed(Unnamed::TwoUsers) => {
                "The number decided, and of the other nothing is claimed. Let HR state both of one person"
            }
            Self::TakenBack => {
                "HR struck them out before their day came, which counts as taken back. If its list is one \
                 of the coming weeks, let it keep people for some weeks more"
            }
            Self::SwitchedOn => {
                "Their row is gone, and their user was off and is on again, which counts as being back. See \
                 whether they are"
            }
            Self::MadeAnew => {
                "They have a user that was made after their last day, which counts as an employment \
                 begun since, and an older one that was active all along. See whether they are back"
            }
        }
    }
}

/// What HR states of people who should be off by now and who may not be taken for leavers, a sentence for
/// each list and reason. A light pass, which reads no list, says nothing of it.
#[must_use]
pub fn doubts(cx: &Context<'_>) -> Vec<String> {
    if cx.pass == Pass::Light {
        return Vec::new();
    }
    let estate = cx.graph.estate();
    let unnamed = cx.graph.unnamed_leavers().into_iter();
    let unnamed = unnamed.map(|(at, why)| (at, Doubt::Unnamed(why)));
    let named = (0..estate.leavers.len()).filter_map(|at| Some((at, of_person(cx, at)?)));
    let mut found: BTreeMap<(u16, Doubt), Vec<&Sighting<HrLeaver>>> = BTreeMap::new();
    for (at, doubt) in unnamed.chain(named) {
        let Some(leaver) = estate.leavers.get(at) else { continue };
        if leaver.row.left_at <= cx.now {
            found.entry((leaver.system, doubt)).or_default().push(leaver);
        }
    }
    let said = found.iter().filter_map(|((list, doubt), leavers)| {
        let list = &estate.hr.get(usize::from(*list))?.stream.system;
        let (n, rows) = (leavers.len(), rows(leavers));
        Some(format!("leaves by {list} {}: {n}{rows}. {}.", doubt.what(), doubt.words()))
    });
    said.collect()
}

/// Why the leave of somebody whom HR's row names does not make them a leaver, where that may be wrong.
fn of_person(cx: &Context<'_>, leaver: usize) -> Option<Doubt> {
    let estate = cx.graph.estate();
    let row = estate.leavers.get(leaver)?;
    let left_at = row.row.left_at;
    let identities = cx.graph.identities_of(cx.graph.person_of_leaver(leaver)?);
    let theirs = || identities.iter().filter_map(|it| estate.identities.get(*it));
    let is_here = |it: &Sighting<domain::Identity>| {
        it.standing == Standing::Listed && it.row.lifecycle == Lifecycle::Active
    };
    if estate.is_taken_back(row) {
        let is_recent = left_at + TAKEN_BACK_FOR > cx.now;
        let is_told = identities.iter().any(|it| has_left(cx, *it, row));
        return (is_recent && !is_told && theirs().any(is_here)).then_some(Doubt::TakenBack);
    }
    let is_on_again = identities.iter().any(|it| is_switched_on_again(cx, *it, left_at));
    if row.standing == Standing::Gone && is_on_again {
        return (left_at + SWITCHED_ON_FOR > cx.now).then_some(Doubt::SwitchedOn);
    }
    let is_new = |it: &Sighting<domain::Identity>| it.row.created_at.is_some_and(|it| it > left_at);
    let was_here = |it: &Sighting<domain::Identity>| {
        it.row.created_at.is_some_and(|it| it <= left_at)
            && it.row.status_changed_at.is_none_or(|it| it <= left_at)
    };
    (theirs().any(is_new) && theirs().any(|it| is_here(it) && was_here(it)))
        .then_some(Doubt::MadeAnew)
}

/// ` (row 3, 7 and 12 more)`: where they stand in HR's file; nothing where that is not known.
fn rows(leavers: &[&Sighting<HrLeaver>]) -> String {
    let lines: Vec<String> =
        leavers.iter().filter_map(|it| Some(it.origin?.line.to_string())).collect();
    let shown = lines.iter().take(ROWS_SHOWN_MAX).cloned().collect::<Vec<_>>().join(", ");
    match lines.len().saturating_sub(ROWS_SHOWN_MAX) {
        _ if lines.is_empty() => String::new(),
        0 => format!(" (row {shown})"),
        n => format!(" (row {shown} and {n} more)"),
    }
}
