//! The lists of a run: what was pulled, set beside what earlier runs saw.
//!
//! A newest complete list stands alone. Partial or held ones lie over the last list whose
//! absences counted: what they show is newer, what they do not show is not gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use connectors::live::Bodies;
use domain::{
    CLOCK_SKEW_MAX, EntityId, List, Pass, Population, Principal, Release, Rows, Snapshot,
    SnapshotRef, Stream, SystemId, Text,
};
use drift::{hard_hold, list_release};
use rustc_hash::{FxHashMap, FxHashSet};
use store::{Enrolled, Gone, State, Store, StoreError, StoredSnapshot, StreamState};

use crate::ask::Answered;
use crate::blind::unseen;
use crate::plan::Plan;
use crate::pull::{Pulled, PulledList};

/// One list of the run.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) stream: Stream,
    /// What this run pulled.
    pub(crate) fresh: Option<Fresh>,
    /// The newest list of earlier runs whose absences counted; read back where it is needed.
    pub(crate) base: Option<StoredSnapshot>,
    /// The newest snapshot of earlier runs, whole or not, where this run brought none.
    pub(crate) latest: Option<SnapshotRef>,
    /// Rows that neither the fresh list nor `base` shows as they were last seen: what partial
    /// lists after `base` showed, and what is in no list any more.
    pub(crate) others: Vec<Gone>,
    /// What was asked again by id, by id of the user or the account.
    pub(crate) answers: FxHashMap<Text, Answered>,
    /// Why this run has none of its own; `None`: it has.
    pub(crate) missing: Option<Missing>,
    /// Whether an earlier run saw this list.
    pub(crate) is_known: bool,
}

/// Why a run has no list of its own. What was seen last stands in for it, and shows nobody's
/// absence today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// A light pass asks for no list; where the source can be asked by id, it is.
    Unasked {
        /// Can it?
        is_live: bool,
    },
    /// The pull failed, and why.
    Failed(String),
}

/// A list that this run pulled.
#[derive(Debug)]
pub(crate) struct Fresh {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) enrolled: Arc<Enrolled>,
    /// The raw bytes of its rows, in their order; `None` where they can be read again.
    pub(crate) bodies: Option<Bodies>,
    /// Of its notes, those that the pull made.
    pub(crate) n_notes: usize,
}

/// One list over another: the rows of one snapshot, oldest first.
pub(crate) struct Layer<'l> {
    pub(crate) reference: &'l SnapshotRef,
    pub(crate) rows: &'l Rows,
    pub(crate) entities: &'l [EntityId],
    /// The snapshot itself, with origins and files, when this run pulled it.
    pub(crate) fresh: Option<&'l Snapshot>,
}

impl Listing {
    /// The lists whose rows count, oldest first.
    pub(crate) fn layers(&self) -> Vec<Layer<'_>> {
        let mut layers: Vec<Layer<'_>> = Vec::new();
        layers.extend(self.base.as_ref().map(stored_layer));
        layers.extend(self.fresh.as_ref().map(|it| Layer {
            reference: &it.enrolled.reference,
            rows: &it.snapshot.rows,
            entities: &it.enrolled.entities,
            fresh: Some(&it.snapshot),
        }));
        layers
    }

    /// Every row that can be asked for again and is not forgotten: its id, its number, and where it is.
    pub(crate) fn known_rows(&self) -> impl Iterator<Item = (&str, EntityId, (&Rows, usize))> {
        let others = self
            .others
            .iter()
            .filter_map(|it| Some((asked_id(&it.row, 0)?, it.entity, (&it.row, 0))));
        let layered = self.layers().into_iter().flat_map(|layer| {
            let rows = layer.entities.iter().enumerate();
            rows.filter(move |it| !layer.rows.is_forgotten(it.0)).filter_map(move |(at, entity)| {
                Some((asked_id(layer.rows, at)?, *entity, (layer.rows, at)))
            })
        });
        // The newest comes last, and counts.
        others.chain(layered)
    }

    /// The rows of the list that the run read, or of the last one where the past is looked at;
    /// nothing where it could not be read.
    pub(crate) fn entities_of_run(&self) -> &[EntityId] {
        let is_newest = |it: &&StoredSnapshot| {
            self.missing.is_none()
                && self.newest().is_some_and(|newest| newest.id == it.reference.id)
        };
        match (&self.fresh, self.base.as_ref().filter(is_newest)) {
            (Some(fresh), _) => &fresh.enrolled.entities,
            (None, Some(base)) => &base.entities,
            (None, None) => &[],
        }
    }

    /// Whether the last list of users, whole, was without this one: their ids are never given anew.
    pub(crate) fn was_gone(&self, user: EntityId) -> bool {
        let whole = self.base.as_ref().filter(|base| {
            self.stream.list == List::Identities
                && self.newest().is_some_and(|newest| newest.id == base.reference.id)
        });
        whole.is_some_and(|it| !it.entities.contains(&user))
    }

    /// Why this run's pull failed; `None`: it did not, or nothing was asked for.
    pub(crate) fn failed(&self) -> Option<&str> {
        match &self.missing {
            Some(Missing::Failed(why)) => Some(why),
            Some(Missing::Unasked { .. }) | None => None,
        }
    }

    /// The newest snapshot, whole or not; `None` when there never was one.
    pub(crate) fn newest(&self) -> Option<&SnapshotRef> {
        let fresh = self.fresh.as_ref().map(|it| &it.enrolled.reference);
        let base = self.base.as_ref().map(|it| &it.reference);
        fresh.or(self.latest.as_ref()).or(base)
    }

    /// The newest snapshot from whose absences claims may be made; `None` when there never was one.
    pub(crate) fn whole(&self) -> Option<&SnapshotRef> {
        let fresh = self.fresh.as_ref().map(|it| &it.enrolled.reference);
        let whole = fresh.filter(|it| it.supports_absence());
        whole.or(self.base.as_ref().map(|it| &it.reference))
    }
}

/// The id by which a row is asked for; `None` for rows that cannot be.
fn asked_id(rows: &Rows, at: usize) -> Option<&str> {
    match rows {
        Rows::Identities(rows) => rows.packed(at).map(|it| it.id),
        Rows::Accounts(rows) => rows.packed(at).map(|it| it.id),
        Rows::Assignments(rows) => match rows.packed(at)?.principal {
            Principal::Identity(id) => Some(id),
            Principal::Group(_) => None,
        },
        Rows::Memberships(_) | Rows::NonHumans(_) | Rows::Leavers(_) => None,
    }
}

fn stored_layer(stored: &StoredSnapshot) -> Layer<'_> {
    Layer {
        reference: &stored.reference,
        rows: &stored.rows,
        entities: &stored.entities,
        fresh: None,
    }
}

/// Sets what was pulled against the past, holds what cannot be believed, and reads back what
/// stands in for lists that were not pulled or not seen whole. A list of a system of the plan
/// that this run says nothing of was not pulled: it failed, or a light pass did not ask for it.
pub(crate) async fn gather(
    store: &Store,
    state: &mut State,
    pulled: &mut Pulled,
    plan: &Plan,
    now: DateTime<Utc>,
) -> Result<Vec<Listing>, StoreError> {
    let mut listings: BTreeMap<Stream, Listing> = BTreeMap::new();
    for (stream, why) in known_streams(state, plan, std::mem::take(&mut pulled.failed)) {
        let listing = blank(state, stream.clone());
        listings.insert(stream, Listing { missing: Some(why), ..listing });
    }
    let apps_with_accounts = apps_with_accounts(state, pulled);
    for PulledList { mut snapshot, digested, bodies } in each_once(pulled) {
        let stream = snapshot.stream.clone();
        let mut listing = blank(state, stream.clone());
        let past = state.streams.get(&stream);
        let latest = past.and_then(|it| it.latest.as_ref());
        if let Some(why) =
            out_of_time(&snapshot, latest, now).or_else(|| of_fewer(&snapshot, latest))
        {
            if stream.list == List::Accounts && !snapshot.rows.is_empty() {
                pulled.apps_of_refused_lists.push(stream.system.clone());
            }
            let missing = Some(Missing::Failed(why));
            listings.insert(stream, Listing { missing, ..listing });
            continue;
        }
        let before = past.and_then(|it| it.base.clone());
        let is_after_whole = before.as_ref().map(|it| it.id) == latest.map(|it| it.id);
        let rules = plan.apps.iter().map(|it| &it.rules).find(|it| it.app == stream.system);
        let canaries = rules.map(|it| &*it.canaries).unwrap_or_default();
        let mut enrolled = state.enrol(&snapshot, digested);
        let n_missing = match &before {
            Some(before) if !is_after_whole => n_missing(&store.rows(before.id).await?, &enrolled),
            _ => enrolled.n_gone,
        };
        let has_accounts = plan
            .apps
            .iter()
            .map(|it| &it.rules)
            .any(|it| it.rests_on(&stream.system) && apps_with_accounts.contains(&it.app));
        let before_it = (before.as_ref(), n_missing);
        let held = hard_hold(&plan.policy, canaries, before_it, &snapshot, has_accounts);
        let release =
            list_release(&state.releases, before.as_ref(), n_missing, &enrolled.reference, now);
        let n_notes = snapshot.notes.len();
        match (held, release) {
            (Some(held), Some(release)) if held.can_be_released => {
                snapshot.notes.push(released(&held.why, release));
            }
            (held, _) => enrolled.reference.held = held.map(|it| it.why),
        }
        let (snapshot, enrolled) = (Arc::new(snapshot), Arc::new(enrolled));
        listing.fresh = Some(Fresh { snapshot, enrolled, bodies, n_notes });
        listings.insert(stream, listing);
    }
    let mut gathered = Vec::with_capacity(listings.len());
    for (_, mut listing) in listings {
        read_back(store, state, &mut listing).await?;
        gathered.push(listing);
    }
    pulled.unseen = unseen(plan, state, &pulled.lost, &gathered, now);
    Ok(gathered)
}

/// What was pulled, each list once. Of two sources of one list the last is read: that is the one
/// over the network.
fn each_once(pulled: &mut Pulled) -> Vec<PulledList> {
    let mut lists: Vec<PulledList> = Vec::new();
    for list in std::mem::take(&mut pulled.lists) {
        let stream = &list.snapshot.stream;
        if let Some(at) = lists.iter().position(|it| it.snapshot.stream == *stream) {
            let why = format!("{stream} came twice: take one of its sources out of the settings");
            pulled.lost.push((stream.system.clone(), why));
            lists.remove(at);
        }
        lists.push(list);
    }
    lists
}

/// Apps of which an account was seen, now or by the last run.
fn apps_with_accounts(state: &State, pulled: &Pulled) -> FxHashSet<SystemId> {
    let now = pulled.lists.iter().filter(|it| !it.snapshot.rows.is_empty());
    let now = now.map(|it| &it.snapshot.stream);
    let has_rows = |it: &StreamState| it.latest.as_ref().is_some_and(|it| it.n_rows > 0);
    let before = state.streams.iter().filter(|it| has_rows(it.1)).map(|it| it.0);
    let accounts = now.chain(before).filter(|it| it.list == List::Accounts);
    let refused = pulled.apps_of_refused_lists.iter().cloned();
    accounts.map(|it| it.system.clone()).chain(refused).collect()
}

/// How many rows of an earlier list a new one does not have.
fn n_missing(before: &StoredSnapshot, enrolled: &Enrolled) -> u64 {
    let here: FxHashSet<EntityId> = enrolled.entities.iter().copied().collect();
    let missing = before.entities.iter().filter(|it| !here.contains(it));
    u64::try_from(missing.count()).unwrap_or(u64::MAX)
}

/// What is noted of a list that counts because people say so.
fn released(why: &str, release: &Release) -> String {
    let approved = release.approved.as_ref().map_or("nobody", |it| &it.by);
    format!(
        "{why}; it counts by release {} of {}, approved by {approved}: {}",
        release.id, release.requested.by, release.reason
    )
}

/// The lists that this run may not have, each with the reason: those that failed, and those that
/// earlier runs saw of the plan's systems. A file of an app that was never seen is the known one,
/// where the app has one only: which view of the app it gives is not known before it is read.
fn known_streams(
    state: &State,
    plan: &Plan,
    failed: Vec<(Stream, String)>,
) -> Vec<(Stream, Missing)> {
    let is_planned = |it: &&Stream| plan.sources.iter().any(|source| *source.system() == it.system);
    let known: Vec<&Stream> = state.streams.keys().filter(is_planned).collect();
    let unread = |it: &Stream| match plan.pass {
        Pass::Full => Missing::Failed("not read in this run".to_owned()),
        Pass::Light => Missing::Unasked { is_live: plan.can_ask(it) },
    };
    let mut missing: Vec<(Stream, Missing)> =
        known.iter().map(|it| ((*it).clone(), unread(it))).collect();
    missing.extend(never_seen(state, plan).map(|it| (it.clone(), unread(&it))));
    let named_itself: Vec<Stream> = failed.iter().map(|it| it.0.clone()).collect();
    for (stream, why) in failed {
        let alike = |it: &&&Stream| {
            it.system == stream.system && it.list == stream.list && !plan.can_ask(it)
        };
        let named = match &*known.iter().filter(alike).collect::<Vec<_>>() {
            [one] if !plan.can_ask(&stream) && !named_itself.contains(one) => (**one).clone(),
            _ => stream,
        };
        missing.retain(|it| it.0 != named);
        missing.push((named, Missing::Failed(why)));
    }
    missing
}

/// Views of apps that are asked for over the network and that no run ever saw: they are there, and
/// what they would show is not known.
fn never_seen<'p>(state: &'p State, plan: &'p Plan) -> impl Iterator<Item = Stream> + 'p {
    let views = plan.sources.iter().filter_map(|it| {
        let (system, channel) = (it.system().clone(), Some(it.channel()?));
        Some(Stream { system, list: List::Accounts, channel })
    });
    views.filter(|it| !state.streams.contains_key(it))
}

/// A list for people. The view of the app is named where `all` has several of them.
pub(crate) fn shown(list: &Stream, mut all: impl Iterator<Item = Stream>) -> String {
    let Stream { system, list: kind, channel } = list;
    let is_other_view =
        |it: Stream| it.system == *system && it.list == *kind && it.channel != *channel;
    if all.any(is_other_view) { list.to_string() } else { format!("{system} {kind}") }
}

/// Whether the time of a list has not come yet: it was dated by a clock that was ahead.
pub(crate) fn is_ahead(as_of: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    as_of > now + CLOCK_SKEW_MAX
}

/// Whether a list of that time supports no claim: it is too old, or its time has not come.
pub(crate) fn is_old(as_of: DateTime<Utc>, max_age: TimeDelta, now: DateTime<Utc>) -> bool {
    now - as_of > max_age || is_ahead(as_of, now)
}

/// Why a list cannot be set beside the others; `None` when it can. An older one than the last
/// would undo what was seen since; one of tomorrow was not seen.
fn out_of_time(
    snapshot: &Snapshot,
    latest: Option<&SnapshotRef>,
    now: DateTime<Utc>,
) -> Option<String> {
    let at = snapshot.as_of.at;
    let time = |it: DateTime<Utc>| it.to_rfc3339_opts(SecondsFormat::Secs, true);
    if is_ahead(at, now) {
        return Some(format!(
            "speaks as of {}, which is ahead of {}: correct its `as_of`",
            time(at),
            time(now)
        ));
    }
    // What a run with a clock that was ahead left behind bars nothing that was seen since.
    let latest = latest.map(|it| it.as_of.at).filter(|it| at < *it && !is_ahead(*it, now))?;
    Some(format!(
        "speaks as of {}, older than the list before, of {}: bring the newest export",
        time(at),
        time(latest)
    ))
}

/// A list of those with access in place of the list of everybody: the file of everybody was not
/// read, and this one would overwrite what that one knew.
fn of_fewer(snapshot: &Snapshot, latest: Option<&SnapshotRef>) -> Option<String> {
    let is_fewer = snapshot.stream.list == List::Identities
        && snapshot.population == Population::Assigned
        && latest.is_some_and(|it| it.population == Population::Everyone);
    is_fewer.then(|| "the file that lists everybody was not read".to_owned())
}

fn blank(state: &State, stream: Stream) -> Listing {
    let is_known = state.streams.get(&stream).is_some_and(|it| it.latest.is_some());
    Listing {
        stream,
        fresh: None,
        base: None,
        latest: None,
        others: Vec::new(),
        answers: FxHashMap::default(),
        missing: None,
        is_known,
    }
}

async fn read_back(store: &Store, state: &State, listing: &mut Listing) -> Result<(), StoreError> {
    let Some(past) = state.streams.get(&listing.stream) else { return Ok(()) };
    let fresh = listing.fresh.as_ref().map(|it| &it.enrolled.reference);
    let is_whole = fresh.is_some_and(SnapshotRef::supports_absence);
    if fresh.is_none() {
        listing.latest.clone_from(&past.latest);
    }
    if !is_whole && let Some(base) = &past.base {
        listing.base = Some(store.rows(base.id).await?);
    }
    // After a partial list, rows of the base may have been seen anew, and otherwise.
    let has_partial = past.base.as_ref().map(|it| it.id) != past.latest.as_ref().map(|it| it.id);
    let shown_by = |layer: &Layer<'_>| layer.fresh.is_some() || !has_partial;
    let mut others: Vec<EntityId> = match &listing.fresh {
        Some(fresh) => fresh.enrolled.absent.clone(),
        None => past.known.rows().map(|it| it.entity).collect(),
    };
    let layers = listing.layers();
    let shown = layers.iter().filter(|it| shown_by(it));
    let mut shown: Vec<EntityId> = shown.flat_map(|it| it.entities.iter().copied()).collect();
    shown.sort_unstable();
    others.retain(|it| shown.binary_search(it).is_err());
    others.sort_unstable();
    let Some(newest) = listing.newest().map(|it| it.id).filter(|_| !others.is_empty()) else {
        return Ok(());
    };
    listing.others = store.gone(others, newest).await?;
    if let Some(base) = listing.base.as_ref().map(|it| it.reference.id) {
        listing.others.retain(|it| it.last_seen.id != base);
    }
    Ok(())
}

/// As of when each list was last seen whole before this run.
pub(crate) fn looked_at(state: &State) -> impl Iterator<Item = (Stream, DateTime<Utc>)> {
    state
        .streams
        .iter()
        .filter_map(|(stream, it)| Some((stream.clone(), it.base.as_ref()?.as_of.at)))
}

/// The lists of the last run, read back.
pub(crate) async fn stored(
    store: &Store,
    state: &State,
    plan: &Plan,
) -> Result<Vec<Listing>, StoreError> {
    let unseen = |it| {
        let missing = Some(Missing::Failed("no run has read it".to_owned()));
        Listing { missing, ..blank(state, it) }
    };
    let mut listings: Vec<Listing> = never_seen(state, plan).map(unseen).collect();
    for stream in state.streams.keys() {
        let mut listing = blank(state, stream.clone());
        read_back(store, state, &mut listing).await?;
        listings.push(listing);
    }
    listings.sort_by(|one, other| one.stream.cmp(&other.stream));
    Ok(listings)
}
