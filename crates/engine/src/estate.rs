//! Lays out the lists of a run for one app: the graph's input. Of whom there is nothing to weigh, no row
//! is unpacked.

use chrono::{DateTime, Utc};
use domain::rows::{Pool, Row};
use domain::{
    Account, Activity, AsOf, AsOfBasis, Assignment, EntityId, Grant, HrLeaver, Identity, List,
    Membership, NonHuman, Principal, RowOrigin, Rows, Snapshot, SnapshotRef, Stream, SystemId,
    Table, Text,
};
use drift::Policy;
use graph::{Estate, IdpView, ListView, Sighting, SnapshotView, Standing};
use rustc_hash::{FxHashMap, FxHashSet};
use store::State;

use crate::ask::Answered;
use crate::lists::{Layer, Listing, Missing, is_old};
use crate::plain::Plain;
use crate::plan::AppPlan;

/// What the layout of every list shares.
struct Layout<'l> {
    listings: &'l [Listing],
    plain: &'l Plain,
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
    plain: &'l Plain,
    now: DateTime<Utc>,
) -> Estate {
    let (snapshots, max_age) = (Vec::new(), policy.max_age);
    let mut layout = Layout { listings, plain, snapshots, max_age, now };
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
        stored_links: state
            .links
            .iter()
            .filter(|it| !plain.has(*it.0))
            .map(|(account, it)| (*account, (it.identity, it.tier)))
            .collect(),
        n_plain: plain.n,
        asked_again: FxHashSet::default(),
        missed_by: listings
            .iter()
            .filter(|it| matches!(it.stream.list, List::Assignments | List::Leavers))
            .flat_map(|it| &it.others)
            .filter_map(|it| Some((it.entity, it.missed_by?)))
            .collect(),
    };
    for (at, idp) in plan.rules.idps.iter().enumerate() {
        let at = u16::try_from(at).unwrap_or(u16::MAX);
        layout.add_idp(&mut estate, at, idp);
    }
    for listing in
        listings.iter().filter(|it| it.stream.list == List::Accounts && it.stream.system == *app)
    {
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
        let mut rows: Vec<Sighting<NonHuman>> = Vec::new();
        layout.lay(listing, 0, nonhumans, &mut rows);
        let listed = rows.iter().filter(|it| it.standing == Standing::Listed);
        estate.nonhumans.extend(listed.map(|it| it.row.clone()));
    }
    estate.snapshots = layout.snapshots;
    estate.asked_again = asked_again(&estate, listings);
    estate
}

impl<'l> Layout<'l> {
    fn add_idp(&mut self, estate: &mut Estate, at: u16, idp: &SystemId) {
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
                is_stand_in: false,
                hidden: Vec::new(),
                answers: None,
                is_live: false,
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
    fn lay<T: Row>(
        &mut self,
        listing: &'l Listing,
        system: u16,
        pick: Pick<T>,
        out: &mut Vec<Sighting<T>>,
    ) -> ListView {
        let layers = listing.layers();
        let begun = out.len();
        let n_rows: usize = layers.iter().map(|it| it.entities.len()).sum();
        out.reserve(n_rows.saturating_sub(self.plain.n));
        // The newest list that shows who is gone: rows seen since lie over it.
        let floor = layers.iter().map(|it| it.reference).filter(|it| it.supports_absence());
        let floor = floor.map(|it| it.id).max();
        let is_layered = layers.len() > 1 || !listing.others.is_empty();
        let mut placed: FxHashMap<EntityId, usize> = FxHashMap::default();
        let mut place = |out: &mut Vec<Sighting<T>>, sighting: Sighting<T>| match placed
            .get(&sighting.entity)
            .and_then(|it| out.get_mut(*it))
        {
            Some(older) if older.snapshot != sighting.snapshot => *older = sighting,
            Some(_) => {}
            None => {
                if is_layered {
                    placed.insert(sighting.entity, out.len());
                }
                out.push(sighting);
            }
        };
        for layer in layers.iter().filter(|it| it.fresh.is_none()) {
            self.lay_one(layer, system, pick, |it| place(out, it));
        }
        for other in &listing.others {
            let snapshot = self.remember(&other.last_seen, Vec::new());
            let standing = match floor {
                Some(floor) if other.last_seen.id <= floor => Standing::Gone,
                _ => Standing::Listed,
            };
            if let Some(row) = pick(&other.row).and_then(Table::first) {
                let sighting = sighting(row, other.entity, snapshot, system, None);
                place(out, Sighting { standing, ..sighting });
            }
        }
        for layer in layers.iter().filter(|it| it.fresh.is_some()) {
            self.lay_one(layer, system, pick, |it| place(out, it));
        }
        let answers = self.lay_answers(listing, pick, out.get_mut(begun..).unwrap_or_default());
        ListView { answers, ..self.view(listing, &layers) }
    }

    /// Which snapshots of a list count.
    fn view(&mut self, listing: &'l Listing, layers: &[Layer<'l>]) -> ListView {
        let newest = listing.newest().cloned();
        let files = layers.last().and_then(|it| it.fresh).map(files).unwrap_or_default();
        let latest = newest.as_ref().map(|it| self.remember(it, files));
        let is_fresh = latest
            .and_then(|it| self.snapshots.get(it as usize))
            .is_some_and(|it| !it.is_stale && it.reference.supports_absence());
        // A list that stands in for one of this run shows what was, and nobody's absence today.
        let base = latest.filter(|_| is_fresh && listing.missing.is_none());
        let why_no_base = match base {
            Some(_) => None,
            None => Some(why_no_base(listing, newest.as_ref(), self.max_age)),
        };
        let fresh = listing.fresh.as_ref().map(|it| &*it.snapshot.requests);
        let is_asked_by_id = matches!(listing.missing, Some(Missing::Unasked { is_live: true }));
        let is_live =
            is_asked_by_id || fresh.is_some_and(|it| it.iter().any(|it| it.status.is_some()));
        ListView {
            stream: listing.stream.clone(),
            latest,
            base,
            why_no_base,
            is_stand_in: latest.is_some() && listing.missing.is_some(),
            hidden: hidden(listing),
            answers: None,
            is_live,
        }
    }

    /// Lays what was asked again by id over what the lists show of it. Returns where all of it is
    /// dated; `None`: nothing was answered.
    fn lay_answers<T: Row>(
        &mut self,
        listing: &'l Listing,
        pick: Pick<T>,
        rows: &mut [Sighting<T>],
    ) -> Option<u32> {
        let sent_at = listing.answers.values().map(|it| it.sent_at).min()?;
        let newest = listing.newest().cloned()?;
        // All answers of one list count as of the first request: none is older than that.
        let reference =
            SnapshotRef { as_of: AsOf { at: sent_at, basis: AsOfBasis::Stated }, ..newest };
        let view = SnapshotView { reference, files: Vec::new(), is_stale: false, is_by_id: true };
        let at = u32::try_from(self.snapshots.len()).unwrap_or(u32::MAX);
        self.snapshots.push(view);
        let by_entity: FxHashMap<EntityId, &'l Answered> =
            listing.answers.values().filter_map(|it| Some((it.entity?, it))).collect();
        for sighting in rows {
            let Some(answered) = by_entity.get(&sighting.entity) else { continue };
            match answered.row.as_ref().and_then(pick).and_then(Table::first) {
                Some(row) => {
                    sighting.row = row;
                    sighting.standing = Standing::Listed;
                    sighting.snapshot = at;
                    sighting.origin = None;
                }
                None => sighting.standing = Standing::Gone,
            }
        }
        Some(at)
    }

    fn lay_one<T: Row>(
        &mut self,
        layer: &Layer<'l>,
        system: u16,
        pick: Pick<T>,
        mut place: impl FnMut(Sighting<T>),
    ) {
        let files = layer.fresh.map(files).unwrap_or_default();
        let snapshot = self.remember(layer.reference, files);
        let (rows, mut pool) = (pick(layer.rows), Pool::default());
        let entities = layer.entities.iter().copied().enumerate();
        for (at, entity) in entities.filter(|it| !self.plain.has(it.1)) {
            let Some(row) = rows.and_then(|it| it.unpack(at, &mut pool)) else { continue };
            let origin = layer.fresh.and_then(|it| it.origins.get(at)).copied();
            place(sighting(row, entity, snapshot, system, origin));
        }
    }

    fn remember(&mut self, reference: &SnapshotRef, files: Vec<String>) -> u32 {
        let known = self.snapshots.iter().position(|it| it.reference.id == reference.id);
        let at = known.unwrap_or_else(|| {
            let as_of = reference.as_of.at;
            let is_stale = is_old(as_of, self.max_age, self.now);
            let reference = reference.clone();
            let view = SnapshotView { reference, files, is_stale, is_by_id: false };
            self.snapshots.push(view);
            self.snapshots.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}

/// What was asked again and answered: the identity or the account, for an assignment its identity.
fn asked_again(estate: &Estate, listings: &[Listing]) -> FxHashSet<(List, EntityId)> {
    let mut asked = FxHashSet::default();
    for listing in listings.iter().filter(|it| !it.answers.is_empty()) {
        let Stream { system, list, .. } = &listing.stream;
        match list {
            List::Identities => {
                asked.extend(listing.answers.values().filter_map(|it| Some((*list, it.entity?))));
            }
            List::Accounts => {
                let moved = moved(estate, listing);
                let known = listing.answers.values().filter_map(|it| it.entity);
                asked.extend(known.filter(|it| !moved.contains(it)).map(|it| (*list, it)));
            }
            List::Assignments => {
                let idp = estate.idps.iter().position(|it| it.id == *system);
                let in_groups = in_groups(estate, idp);
                let theirs = estate.identities.iter().filter(|it| {
                    let answer = listing.answers.get(&it.row.id);
                    let is_in_group = in_groups.contains(&*it.row.id);
                    idp == Some(usize::from(it.system))
                        && answer.is_some_and(|it| match &it.row {
                            // A membership is no assignment of theirs: nothing is laid over it.
                            None => !is_in_group,
                            // Nor over a list that is older than the assignment.
                            Some(_) => it.entity.is_some() || is_in_group,
                        })
                });
                asked.extend(theirs.map(|it| (*list, it.entity)));
            }
            List::Memberships | List::NonHumans | List::Leavers => {}
        }
    }
    asked
}

/// Accounts that by id carry other keys than in the last list, where this run reads none: each may
/// be that of somebody whom no list shows yet, and nothing was learnt of whose it is. An id of somebody
/// who is known says that.
fn moved(estate: &Estate, listing: &Listing) -> FxHashSet<EntityId> {
    let mut moved = FxHashSet::default();
    if !matches!(listing.missing, Some(Missing::Unasked { .. })) {
        return moved;
    }
    let answered: FxHashMap<EntityId, Account> = listing
        .answers
        .values()
        .filter_map(|it| Some((it.entity?, accounts(it.row.as_ref()?)?.first()?)))
        .collect();
    let layers = listing.layers();
    let is_answered = |it: &(usize, &EntityId)| answered.contains_key(it.1);
    let listed = layers.iter().flat_map(|layer| {
        let entities = layer.entities.iter().enumerate().filter(is_answered);
        entities.filter_map(|(at, it)| Some((it, accounts(layer.rows)?.get(at)?)))
    });
    let others =
        listing.others.iter().filter_map(|it| Some((&it.entity, accounts(&it.row)?.first()?)));
    let is_known = |id: &Text| estate.identities.iter().any(|it| it.row.id == *id);
    for (entity, before) in listed.chain(others) {
        let is_other = |now: &&Account| {
            let has_no_id = before.external_id.is_none() && now.external_id.is_none();
            let is_renamed =
                has_no_id && (now.user_name != before.user_name || now.email != before.email);
            let is_of_another = now.external_id != before.external_id
                && !now.external_id.as_ref().is_some_and(is_known);
            is_of_another || is_renamed
        };
        if answered.get(entity).is_some_and(|it| is_other(&it)) {
            moved.insert(*entity);
        }
    }
    moved
}

/// Users of an identity provider who have the app through a group, by the list of its members.
fn in_groups(estate: &Estate, idp: Option<usize>) -> FxHashSet<&str> {
    let of_idp = |system: u16| idp == Some(usize::from(system));
    let groups: FxHashSet<&str> = estate
        .assignments
        .iter()
        .filter(|it| of_idp(it.system) && it.standing == Standing::Listed)
        .filter(|it| it.row.grant == Grant::Grants)
        .filter_map(|it| match &it.row.principal {
            Principal::Group(id) => Some(&**id),
            Principal::Identity(_) => None,
        })
        .collect();
    let members = estate.memberships.iter().filter(|it| {
        of_idp(it.system) && it.standing == Standing::Listed && groups.contains(&*it.row.group)
    });
    members
        .filter_map(|it| match &it.row.member {
            Principal::Identity(id) => Some(&**id),
            Principal::Group(_) => None,
        })
        .collect()
}

const fn sighting<T>(
    row: T,
    entity: EntityId,
    snapshot: u32,
    system: u16,
    origin: Option<RowOrigin>,
) -> Sighting<T> {
    Sighting { row, entity, snapshot, system, origin, standing: Standing::Listed }
}

/// Names of what a list was read from.
fn files(snapshot: &Snapshot) -> Vec<String> {
    snapshot.requests.iter().map(|it| it.url.to_string()).collect()
}

/// Accounts that the newest list does not have, and that are off by their ids.
fn hidden(listing: &Listing) -> Vec<Text> {
    let is_unlisted = |it: &Answered| {
        it.entity.is_none_or(|entity| listing.others.iter().any(|it| it.entity == entity))
    };
    let is_off = |it: &Answered| match &it.row {
        Some(Rows::Accounts(rows)) => {
            rows.first().is_some_and(|it| Activity::of(&it) == Activity::Inactive)
        }
        _ => false,
    };
    let answers = listing.answers.iter().filter(|(_, it)| is_off(it) && is_unlisted(it));
    answers.map(|(id, _)| id.clone()).collect()
}

/// Why the newest list supports no claim from absence.
fn why_no_base(
    listing: &Listing,
    newest: Option<&SnapshotRef>,
    max_age: chrono::TimeDelta,
) -> String {
    match (&listing.missing, newest) {
        (Some(Missing::Failed(why)), _) => why.clone(),
        (Some(Missing::Unasked { .. }), _) => "a light pass reads no list".to_owned(),
        (None, None) => "never seen".to_owned(),
        (None, Some(reference)) => match (&reference.coverage, &reference.held) {
            (domain::Coverage::Partial { reason }, _) => reason.clone(),
            (_, Some(why)) => format!("held: {why}"),
            _ => format!("older than {} h", max_age.num_hours()),
        },
    }
}

/// Takes the rows of one kind.
type Pick<T> = fn(&Rows) -> Option<&Table<T>>;

pub(crate) const fn identities(rows: &Rows) -> Option<&Table<Identity>> {
    if let Rows::Identities(rows) = rows { Some(rows) } else { None }
}

pub(crate) const fn assignments(rows: &Rows) -> Option<&Table<Assignment>> {
    if let Rows::Assignments(rows) = rows { Some(rows) } else { None }
}

const fn memberships(rows: &Rows) -> Option<&Table<Membership>> {
    if let Rows::Memberships(rows) = rows { Some(rows) } else { None }
}

pub(crate) const fn accounts(rows: &Rows) -> Option<&Table<Account>> {
    if let Rows::Accounts(rows) = rows { Some(rows) } else { None }
}

const fn nonhumans(rows: &Rows) -> Option<&Table<NonHuman>> {
    if let Rows::NonHumans(rows) = rows { Some(rows) } else { None }
}

const fn leavers(rows: &Rows) -> Option<&Table<HrLeaver>> {
    if let Rows::Leavers(rows) = rows { Some(rows) } else { None }
}
