//! What an app does with an account that is switched off, as this run sees it of leavers: their account
//! was on when it was seen last, and is not now. Nothing is judged by it.

use domain::{
    Account, Activity, DeprovisionRecord, DeprovisionSeen, DeprovisionWitness, Deprovisioned,
    EntityId, LeaverKind, List, Pass, Rows, RunId, SystemId,
};
use drift::{AppRules, Deprovision};
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
        // Whose owner is certain.
        for account in left.flat_map(|it| &it.accounts).filter(|it| it.tier.is_some()) {
            rows.extend(account.rows.iter().map(|it| it.0));
        }
        for listing in listings.iter().filter(|it| it.stream.system == *app) {
            suspects.extend(in_list(listing, app, &rows, run));
        }
    }
    let known = |it: &DeprovisionSeen, is_it: &dyn Fn(&DeprovisionSeen) -> bool| {
        let of_it = |other: &&DeprovisionSeen| {
            (&other.app, other.channel, &other.account) == (&it.app, it.channel, &it.account)
        };
        state.deprovisions.iter().filter(of_it).any(is_it)
    };
    suspects.retain(|(_, it)| !known(it, &|other| other.behaviour == it.behaviour));
    let looks = store.looks_at(suspects.iter().map(|it| it.0).collect()).await?;
    // What becomes of it later, as when the app purges what it hid, is not what switching it off did.
    let is_first = |(row, it): &(EntityId, DeprovisionSeen)| {
        let last = looks.get(row).and_then(|it| it.last());
        last.is_some_and(|last| {
            last.activity == Activity::Active && !known(it, &|other| other.at > last.until)
        })
    };
    Ok(suspects.into_iter().filter(is_first).map(|it| it.1).collect())
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
    // Of who was on before and is off, the row is another.
    let written: FxHashSet<EntityId> = fresh.enrolled.written_again().collect();
    let is_other = |row: &EntityId| rows.contains(row) && written.contains(row);
    let listed = listed(fresh, is_other).filter(|it| is_off(&it.1));
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
            Some(Rows::Accounts(accounts)) if accounts.first().is_some_and(|it| is_off(&it)) => {
                Deprovisioned::Hides
            }
            Some(_) => continue,
        };
        found.push((row, seen(id, behaviour, answered.sent_at)));
    }
    found
}

fn listed(
    fresh: &Fresh,
    is_meant: impl Fn(&EntityId) -> bool,
) -> impl Iterator<Item = (EntityId, Account)> {
    let entities = fresh.enrolled.entities.iter().enumerate();
    entities.filter(move |it| is_meant(it.1)).filter_map(|(at, entity)| {
        let Rows::Accounts(accounts) = &fresh.snapshot.rows else { return None };
        Some((*entity, accounts.get(at)?))
    })
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
