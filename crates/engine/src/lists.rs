//! The lists of a run: what was pulled, set beside what earlier runs saw.
//!
//! A newest complete list stands alone. A partial or held one lies over the last list whose
//! absences counted: what it shows is newer, what it does not show is not gone.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{EntityId, Rows, Snapshot, SnapshotRef, Stream};
use drift::{AppRules, Policy, hard_hold};
use store::{Enrolled, Gone, State, Store, StoreError, StoredSnapshot};

use crate::pull::Pulled;

/// One list of the run.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) stream: Stream,
    /// What this run pulled.
    pub(crate) fresh: Option<Fresh>,
    /// The newest list of earlier runs whose absences counted; read back where it is needed.
    pub(crate) base: Option<StoredSnapshot>,
    /// The newest list of earlier runs, where it is another and no fresh one replaces it.
    pub(crate) latest: Option<StoredSnapshot>,
    /// Rows seen once that none of these shows.
    pub(crate) gone: Vec<Gone>,
    /// Why this run's pull failed.
    pub(crate) failed: Option<String>,
    /// Whether an earlier run saw this list.
    pub(crate) is_known: bool,
}

/// A list that this run pulled.
#[derive(Debug)]
pub(crate) struct Fresh {
    pub(crate) snapshot: Snapshot,
    pub(crate) enrolled: Enrolled,
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
    /// The snapshots that count, oldest first; the last one is the newest.
    pub(crate) fn layers(&self) -> Vec<Layer<'_>> {
        let mut layers: Vec<Layer<'_>> = Vec::new();
        layers.extend(self.base.as_ref().map(stored_layer));
        layers.extend(self.latest.as_ref().map(stored_layer));
        layers.extend(self.fresh.as_ref().map(|it| Layer {
            reference: &it.enrolled.reference,
            rows: &it.snapshot.rows,
            entities: &it.enrolled.entities,
            fresh: Some(&it.snapshot),
        }));
        layers
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
/// stands in for lists that were not pulled or not seen whole.
pub(crate) async fn gather(
    store: &Store,
    state: &mut State,
    pulled: Pulled,
    policy: &Policy,
    apps: &[&AppRules],
) -> Result<Vec<Listing>, StoreError> {
    let mut listings: BTreeMap<Stream, Listing> = BTreeMap::new();
    for (stream, why) in pulled.failed {
        let listing = blank(state, stream.clone());
        listings.insert(stream, Listing { failed: Some(why), ..listing });
    }
    for snapshot in pulled.snapshots {
        let stream = snapshot.stream.clone();
        let mut listing = blank(state, stream.clone());
        let before = state.streams.get(&stream).and_then(|it| it.base.clone());
        let canaries = apps.iter().find(|it| it.app == stream.system).map(|it| &*it.canaries);
        let held = hard_hold(policy, canaries.unwrap_or_default(), before.as_ref(), &snapshot);
        let mut enrolled = state.enrol(&snapshot);
        enrolled.reference.held = held;
        listing.failed = listings.remove(&stream).and_then(|it| it.failed);
        listing.fresh = Some(Fresh { snapshot, enrolled });
        listings.insert(stream, listing);
    }
    let mut gathered = Vec::with_capacity(listings.len());
    for (_, mut listing) in listings {
        read_back(store, state, &mut listing).await?;
        gathered.push(listing);
    }
    Ok(gathered)
}

fn blank(state: &State, stream: Stream) -> Listing {
    let is_known = state.streams.get(&stream).is_some_and(|it| it.latest.is_some());
    Listing { stream, fresh: None, base: None, latest: None, gone: Vec::new(), failed: None, is_known }
}

async fn read_back(
    store: &Store,
    state: &State,
    listing: &mut Listing,
) -> Result<(), StoreError> {
    let Some(past) = state.streams.get(&listing.stream) else { return Ok(()) };
    let fresh = listing.fresh.as_ref().map(|it| &it.enrolled.reference);
    if !fresh.is_some_and(SnapshotRef::supports_absence) {
        if let Some(base) = &past.base {
            listing.base = Some(store.rows(base.id).await?);
        }
        let newer = past.latest.as_ref().filter(|it| {
            fresh.is_none() && past.base.as_ref().is_none_or(|base| base.id != it.id)
        });
        if let Some(latest) = newer {
            listing.latest = Some(store.rows(latest.id).await?);
        }
    }
    let mut shown: Vec<EntityId> =
        listing.layers().iter().flat_map(|it| it.entities.iter().copied()).collect();
    shown.sort_unstable();
    let mut gone: Vec<EntityId> = past
        .known
        .values()
        .map(|it| it.entity)
        .filter(|it| shown.binary_search(it).is_err())
        .collect();
    gone.sort_unstable();
    if let (false, Some(newest)) = (gone.is_empty(), listing.layers().last().map(|it| it.reference.id)) {
        listing.gone = store.gone(gone, newest).await?;
    }
    Ok(())
}

/// As of when each list spoke before this run.
pub(crate) fn looked_at(state: &State) -> impl Iterator<Item = (Stream, DateTime<Utc>)> {
    state.streams.iter().filter_map(|(stream, it)| Some((stream.clone(), it.latest.as_ref()?.as_of.at)))
}

/// The lists of the last run, read back.
pub(crate) async fn stored(store: &Store, state: &State) -> Result<Vec<Listing>, StoreError> {
    let mut listings = Vec::with_capacity(state.streams.len());
    for stream in state.streams.keys() {
        let mut listing = blank(state, stream.clone());
        read_back(store, state, &mut listing).await?;
        listings.push(listing);
    }
    Ok(listings)
}
