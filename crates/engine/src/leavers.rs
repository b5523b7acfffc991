//! The leavers of each app after a run: what the judgement saw of each, laid over what is on record,
//! with what earlier snapshots show of accounts that are off.

use chrono::{DateTime, Utc};
use domain::{
    Activity, EntityId, Finding, FindingRecord, Grade, Leaver, LeaverAccount, LeaversBegin, Pass,
    PastLook, SystemId,
};
use drift::{AccountSeen, LOOK_BACK, LeaverContext, LeaverSeen, is_same_leave};
use rustc_hash::{FxHashMap, FxHashSet};
use store::{State, Store, StoreError};

use crate::plan::Plan;
use crate::record::{AppOutcome, Concluded};

/// What a run says of leavers that is not on record.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// New or changed, and whether it is new.
    pub(crate) leavers: Vec<(Leaver, bool)>,
    /// Apps whose leavers are listed from this run on.
    pub(crate) begins: Vec<LeaversBegin>,
}

/// Leavers on record, by row and employment, the last leave of each.
type Known<'k> = FxHashMap<(EntityId, u32), &'k Leaver>;
/// When somebody was back from a leave, by row, employment, and which leave of it.
type Back = FxHashMap<(EntityId, u32, u32), DateTime<Utc>>;

/// Lists the leavers of every app of which something was seen on both sides. The listing of an app
/// begins with a full run.
///
/// # Errors
///
/// Returns [`StoreError`] when earlier snapshots cannot be read.
pub(crate) async fn listed(
    store: &Store,
    state: &State,
    plan: &Plan,
    (outcomes, records): Concluded<'_>,
    now: DateTime<Utc>,
) -> Result<Listed, StoreError> {
    let mut listed = Listed::default();
    for outcome in outcomes.iter().filter(|it| it.grade.0 != Grade::F) {
        let app = &outcome.app.rules.app;
        let begun = state.leavers_begin.iter().find(|it| it.app == *app);
        if begun.is_none() && plan.pass == Pass::Light {
            continue;
        }
        let fresh =
            LeaversBegin { app: app.clone(), at: now, n_left_out: 0, since: now - LOOK_BACK };
        let of_app = state.leavers.iter().map(|it| &it.leaver).filter(|it| it.app == *app);
        let known: Known<'_> =
            of_app.clone().map(|it| ((it.person.entity, it.episode), it)).collect();
        let back: Back = of_app
            .filter_map(|it| Some(((it.person.entity, it.episode, it.leave), it.returned_at?)))
            .collect();
        let findings = findings(state, app, records);
        let cx = LeaverContext {
            app,
            policy: &plan.policy,
            begin: begun.unwrap_or(&fresh),
            findings: &findings,
            waivers: &state.waivers,
            proves_absence: outcome.app.rules.deprovision.proves_absence(),
            now,
        };
        let n_left_out = listed.add(store, &cx, outcome, (&known, &back)).await?;
        listed.begins.extend(begun.is_none().then(|| LeaversBegin { n_left_out, ..fresh.clone() }));
    }
    Ok(listed)
}

/// The findings of an app as they are after the run, by the row that they are about.
fn findings<'f>(
    state: &'f State,
    app: &SystemId,
    records: &'f [FindingRecord],
) -> FxHashMap<EntityId, Vec<&'f Finding>> {
    let records = || records.iter().map(|it| &it.finding).filter(|it| it.app == *app);
    let told: FxHashSet<_> = records().map(|it| it.id).collect();
    let earlier = state.findings.iter().filter(|it| it.app == *app && !told.contains(&it.id));
    let mut about: FxHashMap<EntityId, Vec<&Finding>> = FxHashMap::default();
    for finding in earlier.chain(records()) {
        about.entry(finding.subject.entity).or_default().push(finding);
    }
    about
}

impl Listed {
    /// Adds what is new of one app, and returns how many were left out.
    async fn add(
        &mut self,
        store: &Store,
        cx: &LeaverContext<'_>,
        outcome: &AppOutcome<'_>,
        (known, back): (&Known<'_>, &Back),
    ) -> Result<u64, StoreError> {
        let judgement = &outcome.judgement;
        let on_record = |seen: &LeaverSeen| {
            let rows = std::iter::once(&seen.person.entity).chain(&seen.also);
            rows.into_iter().find_map(|it| known.get(&(*it, seen.episode)).copied())
        };
        let (listed, left_out): (Vec<_>, Vec<_>) = judgement
            .leavers
            .iter()
            .map(|it| (it, on_record(it)))
            .partition(|(seen, past)| past.is_some() || !cx.is_left_out(seen));
        let unknown = listed.iter().flat_map(|(seen, past)| {
            let anew = seen.accounts.iter().filter(|it| is_off_anew(seen, it, *past));
            anew.flat_map(|it| it.rows.iter().map(|row| row.0).chain(it.may_be.iter().copied()))
        });
        let looks: FxHashMap<EntityId, Vec<PastLook>> = store.looks_at(unknown.collect()).await?;
        for (seen, past) in listed {
            let looks_at = |row: EntityId| looks.get(&row).cloned().unwrap_or_default();
            self.keep(past, cx.record(seen, (past, back_at(seen, past, back)), looks_at));
        }
        let returned: FxHashSet<EntityId> = judgement.returned.iter().copied().collect();
        let away = known.values().copied().filter(|it| it.returned_at.is_none());
        let mut back: Vec<&Leaver> =
            away.filter(|it| returned.contains(&it.person.entity)).collect();
        back.sort_unstable_by_key(|it| (it.person.entity, it.episode));
        for past in back {
            self.keep(Some(past), cx.returned(past));
        }
        Ok(u64::try_from(left_out.len()).unwrap_or(u64::MAX))
    }

    fn keep(&mut self, past: Option<&Leaver>, leaver: Leaver) {
        let is_new = past.is_none_or(|it| it.leave != leaver.leave);
        if past.is_none_or(|it| leaver.differs_from(it)) {
            self.leavers.push((leaver, is_new));
        }
    }
}

/// When somebody was back from the leave before the one that a run sees; `None`: there was none.
fn back_at(seen: &LeaverSeen, past: Option<&Leaver>, back: &Back) -> Option<DateTime<Utc>> {
    let past = past?;
    match is_same_leave(seen, past) {
        true => back.get(&(past.person.entity, past.episode, past.leave.checked_sub(1)?)).copied(),
        false => past.returned_at,
    }
}

/// Whether an account is off that is not off by what is on record of this leave.
fn is_off_anew(seen: &LeaverSeen, account: &AccountSeen, past: Option<&Leaver>) -> bool {
    let past = past.filter(|it| is_same_leave(seen, it));
    let is_off = matches!(account.activity, Activity::Inactive | Activity::Absent);
    let known = past.map(|past| seen.on_record(account, past)).unwrap_or_default();
    let is_open =
        |it: &&LeaverAccount| it.stretches.last().is_none_or(|it| it.first_seen_inactive.is_none());
    is_off && (known.is_empty() || known.iter().any(is_open))
}
