//! Everything that is kept of one person: their rows in all lists that there ever were, joined by
//! links, ids, addresses and employee numbers. Reads alone; decides nothing.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{
    Activity, EntityId, Finding, FindingId, Folded, IdForm, Identity, List, Principal, Rows,
    SnapshotId, SnapshotRef, Stream, SystemId,
};
use rusqlite::{Connection, OptionalExtension as _};
use rustc_hash::{FxHashMap, FxHashSet};

use super::words::Words;
use super::{HeldOn, LegalHold};
use crate::leaver::LeaverLine;
use crate::past::ends;
use crate::rows::{is_erased, pack};
use crate::{StoreError, conclusion, finding, leaver, people, snapshot};
use domain::rows::Pool;

/// A row of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasureRow {
    /// Its number.
    pub entity: EntityId,
    /// Its list.
    pub stream: Stream,
    /// Its key there, which is kept.
    pub key: String,
    /// As of when the last whole list was without it, before one showed it; `None`: before that
    /// nobody looked, or saw everybody.
    pub not_yet_at: Option<DateTime<Utc>>,
    /// As of when a list was without it; `None`: its source may still have it.
    pub gone_at: Option<DateTime<Utc>>,
    /// Why the source may still have it; `None`: its newest whole list is without it.
    pub is_there: Option<String>,
}

/// Everything that is kept of one person.
#[derive(Clone, Debug)]
pub struct ErasureScope {
    /// Their rows, in order of number.
    pub rows: Vec<ErasureRow>,
    /// What people call them, as the newest row says.
    pub called: Vec<String>,
    /// Their findings, over or not.
    pub findings: Vec<Finding>,
    /// Their records as leavers.
    pub leavers: Vec<LeaverLine>,
    /// As of when a list was first without the last of their rows; `None`: some list still has one.
    pub gone_at: Option<DateTime<Utc>>,
    /// Why it cannot be done so that nothing is left, a sentence each.
    pub obstacles: Vec<String>,
    /// Values of theirs that others have, too: those stay where they are the others'.
    pub shared: Vec<String>,
    /// Holds in force on them.
    pub holds: Vec<LegalHold>,
    pub(crate) words: Words,
}

impl ErasureScope {
    pub(super) fn entities(&self) -> FxHashSet<EntityId> {
        self.rows.iter().map(|it| it.entity).collect()
    }

    /// Whether a text says what they are called.
    #[must_use]
    pub fn names(&self, text: &str) -> bool {
        self.words.replaced(text, "").is_some()
    }

    /// The first word of a text that is part of what they are called, such as a surname alone, or is
    /// a number of theirs.
    #[must_use]
    pub fn called_in<'t>(&self, text: &'t str) -> Option<&'t str> {
        // An address names somebody before the @: behind it is where they work.
        let names = self.called.iter().map(|it| it.split_once('@').map_or(&**it, |it| it.0));
        let theirs: FxHashSet<Folded> = names.flat_map(parts).filter_map(Folded::new).collect();
        parts(text).find(|it| Folded::new(it).is_some_and(|it| theirs.contains(&it)))
    }

    /// Whether a hold is on them: on one of their rows, or on an app and a time of which something is
    /// or may be about them.
    fn is_held(&self, hold: &LegalHold) -> bool {
        let (app, from, to) = match &hold.on {
            HeldOn::Person { entity, .. } => return self.entities().contains(entity),
            HeldOn::Period { app, from, to } => (app, *from, *to),
        };
        let had_account = self.rows.iter().any(|it| {
            it.stream.system == *app
                && it.not_yet_at.is_none_or(|at| at < to)
                && it.gone_at.is_none_or(|at| at >= from)
        });
        let lived = |it: &Finding| {
            it.app == *app && it.detected_at < to && it.resolved_at.is_none_or(|at| at >= from)
        };
        let left = |it: &LeaverLine| {
            it.leaver.app == *app
                && it.leaver.started.earliest.is_none_or(|at| at < to)
                && it.leaver.ended_at().is_none_or(|at| at >= from)
        };
        had_account || self.findings.iter().any(lived) || self.leavers.iter().any(left)
    }

    /// Whether the access that they had was shown to be over, in every app; with the time. `None`: in
    /// some it was not.
    #[must_use]
    pub fn leave_over_at(&self) -> Option<DateTime<Utc>> {
        let mut over = self.gone_at?;
        for line in &self.leavers {
            for account in &line.leaver.accounts {
                let off = account.stretches.last().and_then(|it| it.first_seen_inactive);
                match off {
                    Some(off) => over = over.max(off),
                    // Gone from a whole list is off.
                    None if account.activity == Activity::Active
                        && !self.rows.iter().any(|it| it.entity == account.entity) =>
                    {
                        return None;
                    }
                    None => {}
                }
            }
        }
        Some(self.findings.iter().filter_map(|it| it.resolved_at).fold(over, DateTime::max))
    }
}

/// The words and numbers of a text, but for single letters and digits: an initial is anybody's.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|it: char| !it.is_alphanumeric()).filter(|it| it.len() > 1)
}

/// Before an employee number among what joins rows, so that it is no address.
const NUMBER: &str = "no. ";

/// What a row says of whom it is about.
#[derive(Default)]
struct Says {
    id: Option<String>,
    /// Addresses and employee numbers: equal ones are one person's.
    joins: Vec<String>,
    /// All that people call them.
    words: Vec<String>,
}

fn says(rows: &Rows) -> Says {
    fn texts(all: &[&Option<Box<str>>]) -> Vec<String> {
        all.iter().filter_map(|it| it.as_deref()).map(str::to_owned).collect()
    }
    let principal = |it: &Principal| match it {
        Principal::Identity(id) => Some(id.to_string()),
        Principal::Group(_) => None,
    };
    let joins = |names: &[&Option<Box<str>>], number: Option<&Option<Box<str>>>| {
        let mut joins = texts(names);
        joins.retain(|it| it.contains('@'));
        joins
            .extend(number.and_then(|it| it.as_deref()).map(|it| format!("{NUMBER}{}", it.trim())));
        joins.iter().filter_map(|it| Some(Folded::new(it)?.as_str().to_owned())).collect()
    };
    // As Entra may write it once they are deleted: their id, without dashes, is in front.
    let deleted = |it: &Identity| {
        let name = it.user_name.as_ref().filter(|_| IdForm::Entra.fits(&it.id));
        name.map(|name| format!("{}{name}", it.id.replace('-', "")).into())
    };
    match rows {
        Rows::Identities(rows) => rows.first().map_or_else(Says::default, |it| Says {
            id: Some(it.id.to_string()),
            joins: joins(&[&it.user_name, &it.email], Some(&it.employee_number)),
            words: texts(&[
                &it.display_name,
                &it.user_name,
                &deleted(&it),
                &it.email,
                &it.employee_number,
                &it.immutable_id,
            ]),
        }),
        Rows::Accounts(rows) => rows.first().map_or_else(Says::default, |it| Says {
            id: Some(it.id.to_string()),
            joins: joins(&[&it.user_name, &it.email], Some(&it.employee_number)),
            words: texts(&[&it.display_name, &it.user_name, &it.email, &it.employee_number]),
        }),
        Rows::Leavers(rows) => rows.first().map_or_else(Says::default, |it| Says {
            id: Some(it.id.to_string()),
            joins: joins(&[&it.email], Some(&it.employee_number)),
            words: texts(&[&it.display_name, &it.email, &it.employee_number]),
        }),
        Rows::Assignments(rows) => rows.first().map_or_else(Says::default, |it| Says {
            id: principal(&it.principal),
            joins: joins(&[&it.user_name], None),
            words: texts(&[&it.user_name]),
        }),
        Rows::Memberships(rows) => rows
            .first()
            .map_or_else(Says::default, |it| Says { id: principal(&it.member), ..Says::default() }),
        Rows::NonHumans(_) => Says::default(),
    }
}

/// A version of a row, and the snapshot that showed it first.
#[derive(Clone, Copy)]
pub(super) struct Version {
    id: i64,
    since: SnapshotId,
}

/// Hands over every version of every list that was not erased: its stream, which it is, the row that
/// it is one of, and what it says.
pub(super) fn each_version(
    connection: &Connection,
    mut take: impl FnMut((i64, &Stream), Version, EntityId, &Rows) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut pool = Pool::default();
    for (number, stream) in snapshot::streams(connection)? {
        pack::each_of_stream(connection, number, SnapshotId(i64::MAX), |since, packed| {
            if is_erased(packed.row) {
                return Ok(());
            }
            let row =
                Rows::one(stream.list, packed.row, &mut pool).ok_or_else(|| packed.corrupt())?;
            let version = Version { id: packed.id, since };
            take((number, &stream), version, packed.entity, &row)
        })?;
    }
    Ok(())
}

/// What joins rows to one person.
#[derive(Default)]
struct Circle {
    entities: FxHashSet<EntityId>,
    ids: FxHashSet<(SystemId, String)>,
    joins: FxHashSet<String>,
}

impl Circle {
    fn size(&self) -> usize {
        self.entities.len() + self.ids.len() + self.joins.len()
    }

    fn has(&self, stream: &Stream, entity: EntityId, says: &Says) -> bool {
        let by_id = says.id.as_ref().is_some_and(|id| {
            stream.list != List::Leavers && self.ids.contains(&(stream.system.clone(), id.clone()))
        });
        by_id
            || self.entities.contains(&entity)
            || says.joins.iter().any(|it| self.joins.contains(it))
    }

    fn add(&mut self, stream: &Stream, entity: EntityId, says: Says) {
        self.entities.insert(entity);
        if stream.list != List::Leavers {
            self.ids.extend(says.id.map(|id| (stream.system.clone(), id)));
        }
        self.joins.extend(says.joins);
    }
}

/// All that is kept of whom `who` names; `None`: nobody is called so.
pub(super) fn scope(
    connection: &Connection,
    who: &str,
) -> Result<Option<Result<ErasureScope, Vec<String>>>, StoreError> {
    let start = named(connection, who)?;
    let Some(first) = start.keys().next() else { return Ok(None) };
    let circle = circle(connection, *first)?;
    if start.keys().any(|it| !circle.entities.contains(it)) {
        return Ok(Some(Err(start.into_values().collect())));
    }
    of(connection, circle).map(|it| Some(Ok(it)))
}

/// The rows that are called so, as people write them.
fn named(connection: &Connection, who: &str) -> Result<BTreeMap<EntityId, String>, StoreError> {
    let mut keys: Vec<(String, String)> = Vec::new();
    let subject =
        who.rsplit_once('-').filter(|it| it.1.parse::<u32>().is_ok()).map_or(who, |it| it.0);
    for name in [who, subject] {
        let sql = "SELECT system, key FROM ledger_subject WHERE name = ?1 AND kind <> 'person'";
        let found =
            connection.query_row(sql, [name], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        keys.extend(found);
    }
    let about = FindingId::parse(who).map(|id| finding::one(connection, id)).transpose()?.flatten();
    let mut found = BTreeMap::new();
    each_version(connection, |(_, stream), _, entity, row| {
        let says = says(row);
        let Some(id) = &says.id else { return Ok(()) };
        let is_person = matches!(stream.list, List::Identities | List::Accounts | List::Leavers);
        let shown = format!("{}/{id}", stream.system);
        let folded = Folded::new(who);
        let is_called = id == who
            || shown == who
            || keys.iter().any(|(system, key)| stream.system.as_str() == system && key == id)
            || about.as_ref().is_some_and(|it| it.subject.entity == entity)
            || says.words.iter().any(|it| Folded::new(it) == folded);
        if is_person && is_called {
            found.insert(entity, shown);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Joins rows until no more are found.
fn circle(connection: &Connection, start: EntityId) -> Result<Circle, StoreError> {
    let links = conclusion::load_links(connection)?;
    let leavers = leaver::load(connection)?;
    let mut circle = Circle::default();
    circle.entities.insert(start);
    loop {
        let before = circle.size();
        for (account, link) in &links {
            if circle.entities.contains(account) || circle.entities.contains(&link.identity) {
                circle.entities.extend([*account, link.identity]);
            }
        }
        for LeaverLine { leaver, .. } in &leavers {
            let certain = leaver.accounts.iter().filter(|it| it.tier.is_some());
            let rows: Vec<EntityId> =
                certain.map(|it| it.entity).chain([leaver.person.entity]).collect();
            if rows.iter().any(|it| circle.entities.contains(it)) {
                circle.entities.extend(rows);
            }
        }
        each_version(connection, |(_, stream), _, entity, row| {
            let says = says(row);
            if circle.has(stream, entity, &says) {
                circle.add(stream, entity, says);
            }
            Ok(())
        })?;
        if circle.size() == before {
            return Ok(circle);
        }
    }
}

/// The list that a row is in, as far as it matters whether a source still has it.
struct Lists {
    ends: FxHashMap<i64, SnapshotId>,
    base: Option<SnapshotRef>,
    as_of: BTreeMap<SnapshotId, DateTime<Utc>>,
    /// The same of those whose absences count.
    whole: BTreeMap<SnapshotId, DateTime<Utc>>,
}

impl Lists {
    fn of(connection: &Connection, stream: i64) -> Result<Self, StoreError> {
        let all = snapshot::of_stream(connection, stream)?;
        let all: Vec<SnapshotRef> = all.into_iter().map(|it| it.reference).collect();
        let as_of = |it: &SnapshotRef| (it.id, it.as_of.at);
        Ok(Self {
            ends: ends(connection, stream)?,
            as_of: all.iter().map(as_of).collect(),
            whole: all.iter().filter(|it| it.supports_absence()).map(as_of).collect(),
            base: all.into_iter().rfind(SnapshotRef::supports_absence),
        })
    }

    /// When it was not there yet, of what a snapshot showed first.
    fn not_yet_at(&self, first: SnapshotId) -> Option<DateTime<Utc>> {
        self.whole.range(..first).next_back().map(|it| *it.1)
    }

    /// When the version was over; or why a source may still have its row.
    fn gone_at(&self, version: i64) -> Result<DateTime<Utc>, String> {
        let Some(end) = self.ends.get(&version) else {
            return Err("the newest list has it".to_owned());
        };
        match &self.base {
            Some(base) if base.id >= *end => {
                Ok(self.as_of.get(end).copied().unwrap_or(base.as_of.at))
            }
            _ => Err("no whole list since has been without it".to_owned()),
        }
    }
}

/// What is known of the rows of a circle.
fn of(connection: &Connection, circle: Circle) -> Result<ErasureScope, StoreError> {
    let mut lists: BTreeMap<i64, Lists> = BTreeMap::new();
    for number in snapshot::streams(connection)?.into_keys() {
        lists.insert(number, Lists::of(connection, number)?);
    }
    let mut rows: BTreeMap<EntityId, ErasureRow> = BTreeMap::new();
    let (mut called, mut gone) = (Vec::new(), Vec::new());
    let mut numbers: FxHashSet<String> = FxHashSet::default();
    each_version(connection, |(number, stream), version, entity, row| {
        if !circle.entities.contains(&entity) {
            return Ok(());
        }
        let says = says(row);
        let (stream, key) = (stream.clone(), says.id.unwrap_or_default());
        numbers
            .extend(says.joins.iter().filter_map(|it| it.strip_prefix(NUMBER)).map(str::to_owned));
        let list = lists.get(&number);
        let (gone_at, is_there) = match list.map(|it| it.gone_at(version.id)) {
            Some(Ok(at)) => {
                gone.push(at);
                (Some(at), None)
            }
            Some(Err(why)) => (None, Some(why)),
            None => (None, None),
        };
        let not_yet_at = list.and_then(|it| it.not_yet_at(version.since));
        let not_yet_at = rows.get(&entity).map_or(not_yet_at, |it| it.not_yet_at);
        // In order of time: the newest version says whether it is there.
        let row = ErasureRow { entity, stream, key, not_yet_at, gone_at, is_there };
        rows.insert(entity, row);
        for word in says.words.into_iter().filter(|it| !it.trim().is_empty()) {
            if !called.contains(&word) {
                called.push(word);
            }
        }
        Ok(())
    })?;
    let rows: Vec<ErasureRow> = rows.into_values().collect();
    let is_gone = rows.iter().all(|it| it.is_there.is_none());
    let mut scope = ErasureScope {
        findings: findings(connection, &circle.entities)?,
        leavers: leaver::load(connection)?,
        gone_at: gone.into_iter().max().filter(|_| is_gone),
        obstacles: Vec::new(),
        shared: Vec::new(),
        holds: super::hold::in_force(connection)?,
        words: Words::default(),
        rows,
        called,
    };
    scope.leavers.retain(|it| circle.entities.contains(&it.leaver.person.entity));
    let holds = std::mem::take(&mut scope.holds);
    scope.holds = holds.into_iter().filter(|it| scope.is_held(it)).collect();
    // An employee number that is the key of HR's row is kept with it.
    let is_kept = |word: &String| {
        let is_number = Folded::new(word).is_some_and(|it| numbers.contains(it.as_str()));
        is_number && scope.rows.iter().any(|it| it.key == word.trim())
    };
    let words: Vec<&String> = scope.called.iter().filter(|it| !is_kept(it)).collect();
    words.into_iter().for_each(|it| scope.words.add(it));
    look_around(connection, &mut scope)?;
    Ok(scope)
}

fn findings(
    connection: &Connection,
    entities: &FxHashSet<EntityId>,
) -> Result<Vec<Finding>, StoreError> {
    let mut all = finding::select(connection, "f.id >= ?1", 0)?;
    all.retain(|it| {
        entities.contains(&it.subject.entity)
            || it.owner.is_some_and(|owner| entities.contains(&owner))
    });
    Ok(all)
}

/// Whether rows of others name them, and keys of their own.
fn look_around(connection: &Connection, scope: &mut ErasureScope) -> Result<(), StoreError> {
    let entities = scope.entities();
    let (mut obstacles, mut shared) = (Vec::new(), Vec::new());
    for row in &scope.rows {
        let is_name = row.key.contains('@') || scope.words.replaced(&row.key, "").is_some();
        if is_name {
            obstacles.push(format!(
                "a row of {} has their address or name as its key, on which the digests of lists and \
                 all proofs rest: this database cannot be without it. Give the list keys that name \
                 nobody (HR's: a column of employee numbers), go on in a new database (`database` in \
                 the settings), and delete this file as a whole once its evidence need not be kept",
                row.stream
            ));
        }
    }
    let folded: FxHashSet<String> =
        scope.called.iter().filter_map(|it| Some(Folded::new(it)?.as_str().to_owned())).collect();
    let mut registers: BTreeMap<i64, Lists> = BTreeMap::new();
    each_version(connection, |(number, stream), version, entity, row| {
        if entities.contains(&entity) {
            return Ok(());
        }
        if let Rows::NonHumans(rows) = row {
            let texts = rows.iter_packed().flat_map(|it| [Some(it.account), it.owner]);
            if texts.flatten().any(|it| scope.words.replaced(it, "").is_some()) {
                let lists = match registers.entry(number) {
                    std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                    std::collections::btree_map::Entry::Vacant(new) => {
                        new.insert(Lists::of(connection, number)?)
                    }
                };
                let is_current = lists.gone_at(version.id).is_err();
                let is_key =
                    rows.iter_packed().any(|it| scope.words.replaced(it.account, "").is_some());
                if is_current || is_key {
                    obstacles.push(format!("{stream} names them: have it corrected first"));
                }
            }
        }
        for word in says(row).words {
            let is_theirs = Folded::new(&word).is_some_and(|it| folded.contains(it.as_str()));
            if is_theirs && !shared.contains(&word) {
                shared.push(word);
            }
        }
        Ok(())
    })?;
    for it in people::load_nonhumans(connection)? {
        let texts = [Some(&it.account), it.owner.as_ref(), it.purpose.as_ref()];
        if texts.into_iter().flatten().any(|it| scope.words.replaced(it, "").is_some()) {
            obstacles.push(
                "an account registered as non-human names them: register it anew without"
                    .to_owned(),
            );
        }
    }
    obstacles.sort();
    obstacles.dedup();
    (scope.obstacles, scope.shared) = (obstacles, shared);
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::{IdentityKind, Lifecycle};

    use super::*;

    #[test]
    fn who_was_deleted_in_entra_is_also_called_by_their_id_and_their_name() {
        let deleted = Identity {
            id: "a1000000-0000-4000-8000-00000000000a".into(),
            user_name: Some("ana@x.test".into()),
            email: None,
            employee_number: None,
            immutable_id: None,
            display_name: None,
            kind: IdentityKind::Member,
            lifecycle: Lifecycle::Left,
            raw_status: None,
            created_at: None,
            status_changed_at: None,
            starts_at: None,
            ends_at: None,
        };
        let says = says(&Rows::Identities(vec![deleted].into()));
        assert_eq!(says.words, ["ana@x.test", "a100000000004000800000000000000aana@x.test"]);
    }
}
