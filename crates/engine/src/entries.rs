//! What the ledger is told of a run: the run itself, what it changed, and nothing of what stayed.

use chrono::{DateTime, Utc};
use domain::{EntityId, FindingId, FindingRecord, Leaver, List, RunId, RunRecord};
use ledger::{Basis, Event, Hashed, ListSeen, RunSeen};
use rustc_hash::{FxHashMap, FxHashSet};
use store::LinkChange;

use crate::leavers::Listed;
use crate::lists::Listing;
use crate::record::{AppOutcome, Run};

/// What a run saw and concluded.
pub(crate) struct Seen<'s> {
    pub(crate) run: &'s Run<'s>,
    pub(crate) listings: &'s [Listing],
    pub(crate) outcomes: &'s [AppOutcome<'s>],
    /// Links of accounts that earlier runs linked otherwise, or that are over.
    pub(crate) changed_links: &'s [LinkChange],
}

impl Seen<'_> {
    /// The events, causes before what comes of them, and the run itself last: with its record and
    /// report, and whether every list was read, whole and believable. With them the leavers, each with
    /// the place of its event.
    pub(crate) fn entries(
        &self,
        (record, report): (&RunRecord, &Hashed),
        is_complete: bool,
        listed: &Listed,
    ) -> (Vec<Event>, Vec<(usize, Leaver)>) {
        let (at, plan) = ((self.run.id, self.run.now), self.run.plan);
        let basis = Basis {
            software: plan.software.clone(),
            settings: plan.settings_digest,
            policy_version: plan.policy.version,
        };
        let ledger = &self.run.beside.ledger;
        let mut events = Event::basis_changed(at, ledger.basis.as_ref(), &basis);
        events.extend(plan.turn.as_ref().and_then(|it| Event::run_missed(at, it)));
        events.extend(ledger.broken.as_ref().map(|it| Event::selfcheck_failed(at, &it.text)));
        events.extend(self.imports(at));
        events.extend(self.matches(at));
        events.extend(self.findings(&record.findings));
        let voided = self.outcomes.iter().flat_map(|it| &it.voided);
        events.extend(voided.map(|waiver| Event::exception_voided(at, *waiver)));
        events.extend(listed.begins.iter().map(|it| Event::leavers_listed(at, it)));
        let mut leavers = Vec::with_capacity(listed.leavers.len());
        for (leaver, is_new) in &listed.leavers {
            leavers.push((events.len(), leaver.clone()));
            events.push(Event::leaver(at, leaver, *is_new));
        }
        let lists = self.listings.iter().filter_map(seen).collect();
        let made_at = self.run.made_at;
        let seen = RunSeen { record, report, lists, is_complete, made_at };
        events.push(Event::run_completed(&seen));
        (events, leavers)
    }

    /// Lists of leavers that say otherwise than before.
    fn imports(&self, at: (RunId, DateTime<Utc>)) -> Vec<Event> {
        let lists = self.listings.iter().filter(|it| it.stream.list == List::Leavers);
        let is_other = |it: &&Listing| {
            let n_other = it
                .fresh
                .as_ref()
                .map_or(0, |it| it.enrolled.n_new + it.enrolled.n_changed + it.enrolled.n_gone);
            n_other > 0 || !it.is_known
        };
        lists.filter(is_other).filter_map(seen).map(|it| Event::hr_import(at, &it)).collect()
    }

    /// Accounts that had an owner, and have another one, or the same by another key.
    fn matches(&self, at: (RunId, DateTime<Utc>)) -> Vec<Event> {
        let changed: Vec<_> = self
            .changed_links
            .iter()
            .filter_map(|it| Some((it.account, self.run.state.links.get(&it.account)?, it.link)))
            .collect();
        let wanted: FxHashSet<EntityId> = changed
            .iter()
            .flat_map(|(account, was, is)| [Some(*account), Some(was.identity), is.map(|it| it.0)])
            .flatten()
            .collect();
        let keys = self.keys(&wanted);
        let key = |entity: EntityId| keys.get(&entity).map(|it| format!("{}/{}", it.0, it.1));
        changed
            .into_iter()
            .filter_map(|(account, was, is)| {
                let was = (key(was.identity), was.tier);
                let is = is.map(|(identity, tier)| (key(identity), tier));
                Some(Event::match_changed(at, keys.get(&account)?, was, is))
            })
            .collect()
    }

    /// System and key of these rows; of none that no list has.
    fn keys(&self, wanted: &FxHashSet<EntityId>) -> FxHashMap<EntityId, (String, String)> {
        if wanted.is_empty() {
            return FxHashMap::default();
        }
        let rows = self.listings.iter().flat_map(|listing| {
            let system = listing.stream.system.as_str();
            listing.known_rows().map(move |(key, entity, _)| (entity, (system, key)))
        });
        rows.filter(|it| wanted.contains(&it.0))
            .map(|(entity, (system, key))| (entity, (system.to_owned(), key.to_owned())))
            .collect()
    }

    fn findings(&self, records: &[FindingRecord]) -> Vec<Event> {
        let known = self.run.state.findings.iter();
        let findings: FxHashMap<FindingId, &domain::Finding> =
            known.chain(records.iter().map(|it| &it.finding)).map(|it| (it.id, it)).collect();
        let events = self.outcomes.iter().flat_map(|it| &it.events);
        events
            .filter_map(|event| Some(Event::finding(event, findings.get(&event.finding)?)))
            .flatten()
            .collect()
    }
}

/// A list that this run read.
fn seen(listing: &Listing) -> Option<ListSeen<'_>> {
    let fresh = listing.fresh.as_ref()?;
    Some(ListSeen { snapshot: &fresh.enrolled.reference, requests: &fresh.snapshot.requests })
}
