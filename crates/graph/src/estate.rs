//! What is known of one app and the systems bound to it, at one moment: the graph's input.
//!
//! A list is the newest complete snapshot, overlaid by what newer partial or held ones showed.
//! What was in an earlier list and is in neither is kept as a tombstone.

use chrono::{DateTime, Utc};
use domain::{
    Account, Assignment, Decision, EntityId, HrLeaver, IdForm, Identity, List, Membership,
    NonHuman, RowOrigin, SnapshotRef, Stream, SystemId, Text, Tier,
};
use rustc_hash::{FxHashMap, FxHashSet};

/// One row, and where it comes from.
#[derive(Debug)]
pub struct Sighting<T> {
    /// The row as it was last seen.
    pub row: T,
    /// The store's number of it.
    pub entity: EntityId,
    /// The snapshot that showed it last: an index into [`Estate::snapshots`].
    pub snapshot: u32,
    /// Whose list: an index into [`Estate::idps`] or [`Estate::channels`]; 0 for other lists.
    pub system: u16,
    /// Where in that snapshot; `None` for a row read back from the store.
    pub origin: Option<RowOrigin>,
    /// In the list, or only remembered.
    pub standing: Standing,
}

/// Whether a row is in its list today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In the list, or in a newer partial one.
    Listed,
    /// Was in an earlier list, and is not in the complete list of today.
    Gone,
}

/// A snapshot with what an explanation needs to name a row in it.
#[derive(Clone, Debug)]
pub struct SnapshotView {
    /// The snapshot without its rows.
    pub reference: SnapshotRef,
    /// Names of the files or requests it was read from; empty when it was read in an earlier run.
    pub files: Vec<String>,
    /// Too old to support a new claim.
    pub is_stale: bool,
    /// Not the snapshot itself: what was answered by id since, as of when that was asked.
    pub is_by_id: bool,
}

/// One list: which snapshots of it count.
#[derive(Clone, Debug)]
pub struct ListView {
    /// Which list.
    pub stream: Stream,
    /// The newest snapshot; `None` when there never was one.
    pub latest: Option<u32>,
    /// The newest complete, unheld and fresh one: claims from absence rest on it.
    pub base: Option<u32>,
    /// Why there is no base, for the operator; `None` when there is one.
    pub why_no_base: Option<String>,
    /// This run could not read it, or did not ask for it: what an earlier run saw stands in.
    pub is_stand_in: bool,
    /// Ids of accounts that are not in the newest list, and that the app, asked by id, shows to be
    /// off.
    pub hidden: Vec<Text>,
    /// What was answered by id about its rows, all of it as of the first question; `None`: nothing
    /// was.
    pub answers: Option<u32>,
    /// Its source was asked in this run, and would have been asked again about whatever was in
    /// doubt.
    pub is_live: bool,
}

/// One IdP bound to the app.
#[derive(Clone, Debug)]
pub struct IdpView {
    /// Its name.
    pub id: SystemId,
    /// What its user ids look like; `None` for a source without ids.
    pub id_form: Option<IdForm>,
    /// Its users.
    pub identities: ListView,
    /// Who may use the app. `None`: it has no such list and never judges assignment.
    pub assignments: Option<ListView>,
    /// Members of its groups; `None` when it has no such list.
    pub memberships: Option<ListView>,
}

/// What is known of one app and the systems bound to it.
#[derive(Debug)]
pub struct Estate {
    /// The app.
    pub app: SystemId,
    /// The snapshots that rows and lists refer to.
    pub snapshots: Vec<SnapshotView>,
    /// The IdPs bound to the app.
    pub idps: Vec<IdpView>,
    /// The ways the app is seen, the first one leading.
    pub channels: Vec<ListView>,
    /// The HR lists.
    pub hr: Vec<ListView>,
    /// Users of all IdPs.
    pub identities: Vec<Sighting<Identity>>,
    /// Assignments of all IdPs.
    pub assignments: Vec<Sighting<Assignment>>,
    /// Group memberships of all IdPs.
    pub memberships: Vec<Sighting<Membership>>,
    /// Accounts over all channels.
    pub accounts: Vec<Sighting<Account>>,
    /// Leavers by HR; `system` is an index into [`Estate::hr`].
    pub leavers: Vec<Sighting<HrLeaver>>,
    /// Registered non-human accounts.
    pub nonhumans: Vec<NonHuman>,
    /// Operators' decisions on this app's accounts.
    pub decisions: Vec<Decision>,
    /// How many people with one user and one account, who may use the app, were left out with their rows, as
    /// there is nothing to weigh.
    pub n_plain: usize,
    /// Links of earlier runs: account to identity, and the key that made them.
    pub stored_links: FxHashMap<EntityId, (EntityId, Tier)>,
    /// What was asked again by id in this run, and answered: the list, and the identity or the
    /// account; for an assignment its identity.
    pub asked_again: FxHashSet<(List, EntityId)>,
    /// Of assignments and HR's rows that are gone: by when an earlier list, whole and the first without
    /// them, had been read. Nothing of one that the list of today is the first to lack.
    pub missed_by: FxHashMap<EntityId, DateTime<Utc>>,
}

impl Estate {
    /// The snapshot that showed a row last.
    ///
    /// # Panics
    ///
    /// Panics when the index is not one of this estate's: a bug of the caller.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "indices are made together with the snapshots")]
    pub fn snapshot(&self, index: u32) -> &SnapshotView {
        &self.snapshots[index as usize]
    }

    /// Returns true when the row may support a claim: its snapshot is fresh.
    #[must_use]
    pub fn is_fresh<T>(&self, sighting: &Sighting<T>) -> bool {
        !self.snapshot(sighting.snapshot).is_stale
    }

    /// Every list: of the IdPs, of the app, of HR.
    pub fn lists(&self) -> impl Iterator<Item = &ListView> {
        let of_idps = self.idps.iter().flat_map(|it| {
            [Some(&it.identities), it.assignments.as_ref(), it.memberships.as_ref()]
        });
        of_idps.flatten().chain(&self.channels).chain(&self.hr)
    }

    /// Names a row for people: list, file and line, snapshot; or that it was asked for by id.
    #[must_use]
    pub fn place<T>(&self, sighting: &Sighting<T>, key: &str) -> String {
        let view = self.snapshot(sighting.snapshot);
        let SnapshotRef { stream, id, .. } = &view.reference;
        let file = sighting
            .origin
            .and_then(|origin| Some((view.files.get(origin.request as usize)?, origin.line)));
        match file {
            Some((file, line)) => format!("{stream}, {file} row {line}, snapshot {}", id.0),
            None if view.is_by_id => format!("{stream}, row `{key}`, asked by id"),
            None => format!("{stream}, row `{key}`, snapshot {}", id.0),
        }
    }
}
