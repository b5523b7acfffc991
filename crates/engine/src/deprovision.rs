//! What an app does with an account that is switched off, as this run sees it of leavers: their account
//! was on when it was seen last, and is not now. Nothing is judged by it.

use domain::{
    Account, Activity, DeprovisionRecord, DeprovisionSeen, DeprovisionWitness, Deprovisioned,
    EntityId, LeaverKind, List, Pass, Rows, RunId, SystemId, Verdict,
};
use drift::{AccountSeen, AppRules, Deprovision};
use rustc_hash::FxHashSet;
use store::{State, Store, StoreError};

use crate::lists::{Fresh, Listing};
use crate::plan::Plan;
use crate::record::AppOutcome;

/// What this run sees for the first time of each account.
///
/// # Errors
///
/// Returns [`StoreError`] when earlier snapshots cannot be read.
pub(crate) async fn seen(
    store: &Store,
    state: &State,
    plan: &Plan,
    listings: &[Listing],
    outcomes: &[AppOutcome<'_>],
    run: RunId,
) -> Result<Vec<DeprovisionSeen>, StoreError> {
    let mut suspects: Vec<(EntityId, DeprovisionSeen)> = Vec::new();
    for outcome in outcomes.iter().filter(|_| plan.pass == Pass::Full) {
        let app = &outcome.app.rules.app;
        let left = outcome.judgement.leavers.iter().filter(|it| it.kind == LeaverKind::Left);
        let mut rows: FxHashSet<EntityId> = FxHashSet::default();
        for account in left.flat_map(|it| &it.accounts).filter(|it| may_be_new(state, it)) {
            rows.extend(account.rows.iter().map(|it| it.0));
        }
        for listing in listings.iter().filter(|it| it.stream.system == *app) {
            suspects.extend(in_list(listing, app, &rows, run));
        }
    }
    let is_known = |it: &DeprovisionSeen| {
        let same = |other: &DeprovisionSeen| {
            (&other.app, other.channel, &other.account, other.behaviour)
                == (&it.app, it.channel, &it.account, it.behaviour)
        };
        state.deprovisions.iter().any(same)
    };
    suspects.retain(|it| !is_known(&it.1));
    let looks = store.looks_at(suspects.iter().map(|it| it.0).collect()).await?;
    let was_on = |row: EntityId| {
        let last = looks.get(&row).and_then(|it| it.last());
        last.is_some_and(|it| it.activity == Activity::Active)
    };
    Ok(suspects.into_iter().filter(|it| was_on(it.0)).map(|it| it.1).collect())
}

/// Whether its owner is certain, and no run before saw it off.
fn may_be_new(state: &State, account: &AccountSeen) -> bool {
    let before = state.standings.get(&account.entity).map(|it| it.verdict);
    account.tier.is_some() && before != Some(Verdict::ConfirmedOffboarded)
}

/// What a list that was read in this run, whole, shows of these rows; nothing of another.
fn in_list(
    listing: &Listing,
    app: &SystemId,
    rows: &FxHashSet<EntityId>,
    run: RunId,
) -> Vec<(EntityId, DeprovisionSeen)> {
    let whole = listing.fresh.as_ref().filter(|it| it.enrolled.reference.supports_absence());
    let (Some(fresh), Some(channel), List::Accounts) =
        (whole, listing.stream.channel, listing.stream.list)
    else {
        return Vec::new();
    };
    let seen = |account: &domain::Text, behaviour, at| DeprovisionSeen {
        app: app.clone(),
        channel,
        account: account.clone(),
        behaviour,
        at,
        by: DeprovisionWitness::Run(run),
    };
    let listed = listed(fresh).filter(|it| rows.contains(&it.0) && is_off(it.1));
    let at = fresh.snapshot.as_of.at;
    let mut found: Vec<_> =
        listed.map(|(row, it)| (row, seen(&it.id, Deprovisioned::Lists, at))).collect();
    let here: FxHashSet<EntityId> = fresh.enrolled.entities.iter().copied().collect();
    let mut answers: Vec<_> = listing.answers.iter().collect();
    answers.sort_by_key(|it| it.0);
    for (id, answered) in answers {
        let Some(row) = answered.entity.filter(|it| rows.contains(it) && !here.contains(it)) else {
            continue;
        };
        let behaviour = match &answered.row {
            None => Deprovisioned::Deletes,
            Some(Rows::Accounts(accounts)) if accounts.first().is_some_and(is_off) => {
                Deprovisioned::Hides
            }
            Some(_) => continue,
        };
        found.push((row, seen(id, behaviour, answered.sent_at)));
    }
    found
}

fn listed(fresh: &Fresh) -> impl Iterator<Item = (EntityId, &Account)> {
    let accounts = match &fresh.snapshot.rows {
        Rows::Accounts(accounts) => &accounts[..],
        _ => &[],
    };
    fresh.enrolled.entities.iter().copied().zip(accounts)
}

fn is_off(account: &Account) -> bool {
    Activity::of(account) == Activity::Inactive
}

/// What is known of one app. `seen`: of every app.
#[must_use]
pub fn deprovision_of(rules: &AppRules, seen: &[DeprovisionSeen]) -> DeprovisionRecord {
    let set = match rules.deprovision {
        Deprovision::Lists => Some(Deprovisioned::Lists),
        Deprovision::Hides => Some(Deprovisioned::Hides),
        Deprovision::Deletes => Some(Deprovisioned::Deletes),
        Deprovision::Unknown => None,
    };
    let record = DeprovisionRecord::of(&rules.app, set, seen);
    DeprovisionRecord { is_on_vendors_word: rules.is_on_vendors_word, ..record }
}
