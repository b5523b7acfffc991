//! Lays out the lists of a run for one app: the graph's input. Rows are borrowed, never copied.

use chrono::{DateTime, Utc};
use domain::{
    Account, Assignment, EntityId, HrLeaver, Identity, List, Membership, NonHuman, RowOrigin, Rows,
    SnapshotRef, Stream, SystemId,
};
use drift::Policy;
use graph::{Estate, IdpView, ListView, Sighting, SnapshotView, Standing};
use rustc_hash::FxHashMap;
use store::State;

use crate::lists::{Layer, Listing};
use crate::plan::AppPlan;

/// What the layout of every list shares.
struct Layout<'l> {
    listings: &'l [Listing],
    snapshots: Vec<SnapshotView>,
    max_age: chrono::TimeDelta,
    now: DateTime<Utc>,
}

/// Lays out everything that is known of one app.
pub(crate) fn estate<'l>(
    plan: &AppPlan,
    policy: &Policy,
    listings: &'l [Listing],
    state: &State,
    now: DateTime<Utc>,
) -> Estate<'l> {
    let mut layout = Layout { listings, snapshots: Vec::new(), max_age: policy.max_age, now };
    let app = &plan.rules.app;
    let mut estate = Estate {
        app: app.clone(),
        snapshots: Vec::new(),
        idps: Vec::new(),
        channels: Vec::new(),
        hr: Vec::new(),
        identities: Vec::new(),
        assignments: Vec::new(),
        memberships: Vec::new(),
        accounts: Vec::new(),
        leavers: Vec::new(),
        nonhumans: state.nonhumans.clone(),
        decisions: state.decisions.iter().filter(|it| it.app == *app).cloned().collect(),
        stored_links: state.links.iter().map(|(account, it)| (*account, (it.identity, it.tier))).collect(),
    };
    for (at, idp) in plan.rules.idps.iter().enumerate() {
        let at = u16::try_from(at).unwrap_or(u16::MAX);
        layout.add_idp(&mut estate, at, idp);
    }
    for listing in listings.iter().filter(|it| it.stream.list == List::Accounts && it.stream.system == *app) {
        let at = u16::try_from(estate.channels.len()).unwrap_or(u16::MAX);
        let view = layout.lay(listing, at, accounts, &mut estate.accounts);
        estate.channels.push(view);
    }
    for listing in listings.iter().filter(|it| it.stream.list == List::Leavers) {
        let at = u16::try_from(estate.hr.len()).unwrap_or(u16::MAX);
        let view = layout.lay(listing, at, leavers, &mut estate.leavers);
        estate.hr.push(view);
    }
    for listing in listings.iter().filter(|it| it.stream.list == List::NonHumans) {
        let mut rows: Vec<Sighting<'l, NonHuman>> = Vec::new();
        layout.lay(listing, 0, nonhumans, &mut rows);
        let listed = rows.iter().filter(|it| it.standing == Standing::Listed);
        estate.nonhumans.extend(listed.map(|it| it.row.clone()));
    }
    estate.snapshots = layout.snapshots;
    estate
}

impl<'l> Layout<'l> {
    fn add_idp(&mut self, estate: &mut Estate<'l>, at: u16, idp: &SystemId) {
        let listings = self.listings;
        let find = |list| {
            listings.iter().find(move |it| it.stream.list == list && it.stream.system == *idp)
        };
        let identities = match find(List::Identities) {
            Some(listing) => self.lay(listing, at, identities, &mut estate.identities),
            None => ListView {
                stream: Stream { system: idp.clone(), list: List::Identities, channel: None },
                latest: None,
                base: None,
                why_no_base: Some("no file of it gives a list of users".to_owned()),
            },
        };
        let assignments = find(List::Assignments)
            .map(|it| self.lay(it, at, assignments, &mut estate.assignments));
        let memberships = find(List::Memberships)
            .map(|it| self.lay(it, at, memberships, &mut estate.memberships));
        let id_form = identities.latest.and_then(|it| self.snapshots.get(it as usize));
        estate.idps.push(IdpView {
            id: idp.clone(),
            id_form: id_form.and_then(|it| it.reference.id_form),
            identities,
            assignments,
            memberships,
        });
    }

    /// Lays one list out: every row once, as the newest snapshot that shows it has it.
    fn lay<T>(
        &mut self,
        listing: &'l Listing,
        system: u16,
        pick: fn(&'l Rows) -> &'l [T],
        out: &mut Vec<Sighting<'l, T>>,
    ) -> ListView {
        let layers = listing.layers();
        let mut newest: FxHashMap<EntityId, usize> = FxHashMap::default();
        let is_layered = layers.len() > 1;
        let mut latest = None;
        let mut base = None;
        for layer in &layers {
            let snapshot = self.view(layer);
            latest = Some(snapshot);
            let is_fresh = self.snapshots.get(snapshot as usize).is_some_and(|it| !it.is_stale);
            if layer.reference.supports_absence() && is_fresh {
                base = Some(snapshot);
            }
            let rows = pick(layer.rows).iter().zip(layer.entities).enumerate();
            for (at, (row, entity)) in rows {
                let origin = layer.fresh.and_then(|it| it.origins.get(at)).copied();
                let sighting = sighting(row, *entity, snapshot, system, origin);
                match newest.get(entity).and_then(|it| out.get_mut(*it)) {
                    Some(older) => *older = sighting,
                    None => {
                        if is_layered {
                            newest.insert(*entity, out.len());
                        }
                        out.push(sighting);
                    }
                }
            }
        }
        for gone in &listing.gone {
            let snapshot = self.remember(&gone.last_seen, Vec::new());
            if let Some(row) = pick(&gone.row).first() {
                let sighting = sighting(row, gone.entity, snapshot, system, None);
                out.push(Sighting { standing: Standing::Gone, ..sighting });
            }
        }
        let why_no_base = why_no_base(listing, &layers, latest == base, self.max_age);
        ListView { stream: listing.stream.clone(), latest, base, why_no_base }
    }

    fn view(&mut self, layer: &Layer<'_>) -> u32 {
        let requests = layer.fresh.map(|it| &it.requests);
        let files = requests.map(|it| it.iter().map(|it| it.url.to_string()).collect());
        self.remember(layer.reference, files.unwrap_or_default())
    }

    fn remember(&mut self, reference: &SnapshotRef, files: Vec<String>) -> u32 {
        let known = self.snapshots.iter().position(|it| it.reference.id == reference.id);
        let at = known.unwrap_or_else(|| {
            let is_stale = self.now - reference.as_of.at > self.max_age;
            self.snapshots.push(SnapshotView { reference: reference.clone(), files, is_stale });
            self.snapshots.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}

fn sighting<T>(
    row: &T,
    entity: EntityId,
    snapshot: u32,
    system: u16,
    origin: Option<RowOrigin>,
) -> Sighting<'_, T> {
    Sighting { row, entity, snapshot, system, origin, standing: Standing::Listed }
}

/// Why the newest list supports no claim from absence; `None` when it does.
fn why_no_base(
    listing: &Listing,
    layers: &[Layer<'_>],
    newest_counts: bool,
    max_age: chrono::TimeDelta,
) -> Option<String> {
    if newest_counts && listing.failed.is_none() && !layers.is_empty() {
        return None;
    }
    let newest = layers.last().map(|it| it.reference);
    let why = match (&listing.failed, newest) {
        (Some(why), _) => why.clone(),
        (None, None) => "never seen".to_owned(),
        (None, Some(reference)) => match (&reference.coverage, &reference.held) {
            (domain::Coverage::Partial { reason }, _) => reason.clone(),
            (_, Some(why)) => format!("held: {why}"),
            _ => format!("older than {} h", max_age.num_hours()),
        },
    };
    Some(why)
}

fn identities(rows: &Rows) -> &[Identity] {
    if let Rows::Identities(rows) = rows { rows } else { &[] }
}

fn assignments(rows: &Rows) -> &[Assignment] {
    if let Rows::Assignments(rows) = rows { rows } else { &[] }
}

fn memberships(rows: &Rows) -> &[Membership] {
    if let Rows::Memberships(rows) = rows { rows } else { &[] }
}

fn accounts(rows: &Rows) -> &[Account] {
    if let Rows::Accounts(rows) = rows { rows } else { &[] }
}

fn nonhumans(rows: &Rows) -> &[NonHuman] {
    if let Rows::NonHumans(rows) = rows { rows } else { &[] }
}

fn leavers(rows: &Rows) -> &[HrLeaver] {
    if let Rows::Leavers(rows) = rows { rows } else { &[] }
}
