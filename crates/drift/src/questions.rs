//! What must be asked again by id before it is believed: suspects, and findings that the lists
//! say are over. Pure and bounded.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Account, Activity, EntityId, Family, Finding, Lifecycle, List, Pass, Question, Stream,
    SubjectKind, SystemId, Text,
};
use graph::{ListView, Sighting, Standing};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::activity::{hidden_canaries, is_missing_anew, must_be_asked};
use crate::case::Case;
use crate::context::Context;
use crate::judge::Judgement;
use crate::looks::{is_on, is_owner_seen};

/// Accounts that are asked about in one run of one app. Thousands of suspects at once are a case
/// for the guard, not for as many requests.
pub const ACCOUNTS_MAX: usize = 500;

/// So much earlier than a list may what a log tells be dated, and be later all the same. Clocks are
/// further off than is believed of a date; asking once more harms nobody.
const TOLD_BEFORE_MAX: TimeDelta = TimeDelta::minutes(15);

/// What to ask, and how much was left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Questions {
    /// The questions, each once.
    pub ask: Vec<Question>,
    /// Accounts left out because there are too many.
    pub n_left_out: usize,
}

/// What to ask again, gravest first: the account of everybody of whom a log says, later than the
/// lists, that their access ended; of each claim that access remains, of each account nobody or nobody knows who owns, or that is off or gone, of each active one whose owner
/// is not in the newest list, of each living finding that nothing claims any more, of each that is
/// gone from its list; each of their owners with the owner's assignment; and canaries that show
/// that an app hides who is off.
#[must_use]
pub fn questions(cx: &Context<'_>, judgement: &Judgement, findings: &[Finding]) -> Questions {
    let mut found = Questions::default();
    let accounts = suspects(cx, judgement, findings);
    found.n_left_out = accounts.len().saturating_sub(ACCOUNTS_MAX);
    let wanted: FxHashSet<EntityId> = accounts.iter().take(ACCOUNTS_MAX).copied().collect();
    let at: FxHashMap<EntityId, usize> = (0..cx.graph.accounts().len())
        .map(|at| (cx.graph.account_row(at).entity, at))
        .filter(|(entity, _)| wanted.contains(entity))
        .collect();
    let mut known = FxHashSet::default();
    for entity in accounts.iter().take(ACCOUNTS_MAX) {
        let Some(account) = at.get(entity) else { continue };
        let asked = about_account(cx, *account);
        found.ask.extend(asked.into_iter().filter(|it| known.insert(it.clone())));
    }
    for (channel, canary) in hidden_canaries(cx) {
        let asked = about(&channel.stream, canary.into());
        found.ask.extend(Some(asked).filter(|it| known.insert(it.clone())));
    }
    found
}

/// Accounts to ask about, each once, the gravest first.
fn suspects(cx: &Context<'_>, judgement: &Judgement, findings: &[Finding]) -> Vec<EntityId> {
    let mut claims: Vec<_> = judgement
        .claims
        .iter()
        .filter(|it| it.subject.kind == SubjectKind::Account)
        .filter(|it| {
            matches!(
                it.cause.family(),
                Family::AccessRemains | Family::Orphan | Family::AccessMissing | Family::Link
            )
        })
        .collect();
    claims.sort_by_key(|it| std::cmp::Reverse(it.severity));
    let living =
        findings.iter().filter(|it| it.is_live() && it.subject.kind == SubjectKind::Account);
    let remains = living.clone().filter(|it| it.family() == Family::AccessRemains);
    let others = living.filter(|it| it.family() != Family::AccessRemains);
    let known = remains.chain(others).map(|it| it.subject.entity);
    let mut seen = FxHashSet::default();
    of_logged(cx)
        .chain(claims.into_iter().map(|it| it.subject.entity))
        .chain(of_missing_owners(cx))
        .chain(known)
        .chain(of_gone(cx))
        .filter(|it| seen.insert(*it))
        .collect()
}

/// Accounts of everybody of whom the log of an IdP tells, later than its lists or the app's, that
/// their access ended, was suspended, or was to be ended in the app.
fn of_logged<'c>(cx: &'c Context<'_>) -> impl Iterator<Item = EntityId> + 'c {
    let told = told(cx);
    let channels = &cx.graph.estate().channels;
    (0..if told.is_empty() { 0 } else { cx.graph.accounts().len() })
        .map(|at| (at, cx.graph.account_row(at)))
        .filter(move |(at, row)| {
            let owners = cx.graph.link(*at).contenders();
            let mut told = owners.iter().filter_map(|it| told.get(&cx.graph.person_of(*it)));
            let list = channels.get(usize::from(row.system));
            told.any(|it| it.told_at + TOLD_BEFORE_MAX > it.listed_at.min(shown_at(cx, row, list)))
        })
        .map(|(_, row)| row.entity)
}

/// As of when its list showed the row last, or, where the newest can, that it is gone.
fn shown_at<R>(cx: &Context<'_>, row: &Sighting<R>, list: Option<&ListView>) -> DateTime<Utc> {
    let estate = cx.graph.estate();
    let as_of = |snapshot: u32| estate.snapshot(snapshot).reference.as_of.at;
    let shows_gone = |at: &u32| {
        row.standing == Standing::Gone && estate.snapshot(*at).reference.supports_absence()
    };
    as_of(list.and_then(|it| it.latest).filter(shows_gone).unwrap_or(row.snapshot))
}

/// What logs tell of one person.
struct ToldOf {
    /// The last time.
    told_at: DateTime<Utc>,
    /// As of when their users and assignments were listed, the oldest of them.
    listed_at: DateTime<Utc>,
}

/// Everybody of whom a log tells that their access ended, by number.
fn told(cx: &Context<'_>) -> FxHashMap<u32, ToldOf> {
    let estate = cx.graph.estate();
    let as_of = |snapshot: u32| estate.snapshot(snapshot).reference.as_of.at;
    let mut told: FxHashMap<u32, ToldOf> = FxHashMap::default();
    if cx.past.ended.is_empty() {
        return told;
    }
    for (at, identity) in estate.identities.iter().enumerate() {
        let Some(idp) = cx.graph.idp_of(identity) else { continue };
        let Some(told_at) = cx.ended(identity).and_then(|it| it.last_told) else { continue };
        let users = shown_at(cx, identity, Some(&idp.identities));
        let assigned = idp.assignments.as_ref().and_then(|it| it.latest).map(as_of);
        let listed_at = assigned.map_or(users, |it| it.min(users));
        told.entry(cx.graph.person_of(at))
            .and_modify(|it| {
                it.told_at = it.told_at.max(told_at);
                it.listed_at = it.listed_at.min(listed_at);
            })
            .or_insert(ToldOf { told_at, listed_at });
    }
    told
}

/// Active accounts whose owner the newest list of users does not show, or shows without a status, or
/// whose assignment the newest list of those does not show. Whatever these lists are worth, the source can say what became of them.
fn of_missing_owners<'c>(cx: &'c Context<'_>) -> impl Iterator<Item = EntityId> + 'c {
    let estate = cx.graph.estate();
    let is_missing = move |at: usize| {
        let Some(identity) = estate.identities.get(at) else { return false };
        let Some(idp) = cx.graph.idp_of(identity) else { return false };
        let is_older =
            |snapshot: u32, list: &ListView| list.latest.is_some_and(|it| it != snapshot);
        let is_unlisted = |list: &ListView| {
            list.base.is_none()
                && cx.graph.assignments_of(at).iter().any(|it| is_older(it.snapshot, list))
        };
        let has_no_status =
            identity.row.lifecycle == Lifecycle::Unknown && identity.row.raw_status.is_none();
        has_no_status
            || is_older(identity.snapshot, &idp.identities)
            || idp.assignments.as_ref().is_some_and(is_unlisted)
    };
    (0..cx.graph.accounts().len())
        .filter(move |at| cx.graph.link(*at).owner().is_some_and(is_missing))
        .map(|at| cx.graph.account_row(at))
        .filter(|it| is_on(it))
        .map(|it| it.entity)
}

/// Accounts that are gone from their list, which alone shows nobody's absence; those first that are since
/// today.
fn of_gone<'c>(cx: &'c Context<'_>) -> impl Iterator<Item = EntityId> + 'c {
    let accounts = 0..cx.graph.accounts().len();
    let anew = accounts.clone().filter(|at| is_missing_anew(cx, *at));
    let asked = anew.chain(accounts.filter(|at| must_be_asked(cx, *at)));
    asked.map(|at| cx.graph.account_row(at).entity)
}

fn about(list: &Stream, id: Text) -> Question {
    let Stream { system, list, channel } = list.clone();
    Question { system, list, channel, id }
}

/// The account by each view of the app, its owners, and their assignments.
fn about_account(cx: &Context<'_>, account: usize) -> Vec<Question> {
    let estate = cx.graph.estate();
    let question = |system: &SystemId, list, id: &Text| {
        about(&Stream { system: system.clone(), list, channel: None }, id.clone())
    };
    let views = cx.graph.accounts().get(account).into_iter().flat_map(|it| it.rows(estate));
    let mut asked: Vec<Question> = views
        .filter_map(|it| {
            let channel = estate.channels.get(usize::from(it.system))?;
            Some(about(&channel.stream, it.row.id.clone()))
        })
        .collect();
    for owner in cx.graph.link(account).contenders().iter() {
        for at in cx.graph.identities_of(cx.graph.person_of(*owner)) {
            let Some(identity) = estate.identities.get(at) else { continue };
            let Some(idp) = cx.graph.idp_of(identity) else { continue };
            asked.push(question(&idp.id, List::Identities, &identity.row.id));
            if !cx.graph.assigns_everyone(&idp.id) {
                asked.push(question(&idp.id, List::Assignments, &identity.row.id));
            }
        }
    }
    asked
}

/// Whether a run of this kind has seen enough of a case to say anything of it. A light pass must
/// have asked for the account, and for every identity of everybody who may own it whose source can
/// be asked, with what each may use, and been answered.
pub(crate) fn is_seen(case: &Case<'_>) -> bool {
    match case.cx.pass {
        Pass::Full => true,
        Pass::Light => {
            let has_owner = case.owner.is_some() || !contenders(case).is_empty();
            has_owner && is_account_asked(case) && are_owners_asked(case, |it| it.is_live)
        }
    }
}

/// Returns true when the account, every identity of everybody who may own it and what each may use
/// were asked again by id in this run, and answered; of who has left, what they may use is nothing,
/// and where everybody may, nobody is asked.
/// Never for an account without owner: that rests on lists.
pub(crate) fn is_asked_again(case: &Case<'_>) -> bool {
    !contenders(case).is_empty() && is_account_asked(case) && are_owners_asked(case, |_| true)
}

fn contenders<'c>(case: &Case<'c>) -> Cow<'c, [usize]> {
    case.account.map(|it| case.cx.graph.link(it).contenders()).unwrap_or_default()
}

/// One view of the app that shows the account on is enough, where what says whose it is was seen in
/// this run as well. That it is not on, each view must have said that can be asked.
fn is_account_asked(case: &Case<'_>) -> bool {
    let estate = case.cx.graph.estate();
    let is_asked =
        |it: &Sighting<Account>| estate.asked_again.contains(&(List::Accounts, it.entity));
    let is_live = |it: &&Sighting<Account>| {
        estate.channels.get(usize::from(it.system)).is_some_and(|it| it.is_live)
    };
    let Some(leading) = case.row() else { return false };
    if case.activity == Activity::Active {
        let is_seen = is_owner_seen(case.cx, leading);
        return is_seen && case.rows().any(|it| is_asked(it) && is_on(it));
    }
    is_asked(leading) && case.rows().filter(is_live).all(is_asked)
}

/// `is_meant`: whether the users of an IdP must have been asked for.
fn are_owners_asked(case: &Case<'_>, is_meant: impl Fn(&ListView) -> bool) -> bool {
    let estate = case.cx.graph.estate();
    let is_asked = |list, entity| estate.asked_again.contains(&(list, entity));
    contenders(case)
        .iter()
        .flat_map(|it| case.cx.graph.identities_of(case.cx.graph.person_of(*it)))
        .filter_map(|it| estate.identities.get(it))
        .all(|it| {
            let has_left = it.row.lifecycle == Lifecycle::Left;
            let idp = case.cx.graph.idp_of(it);
            let needs_none =
                has_left || idp.is_some_and(|it| case.cx.graph.assigns_everyone(&it.id));
            !idp.is_some_and(|it| is_meant(&it.identities))
                || (is_asked(List::Identities, it.entity)
                    && (needs_none || is_asked(List::Assignments, it.entity)))
        })
}
