//! What the guard let change, and what people released. Lines are added, never changed.

use chrono::{DateTime, Utc};
use domain::{
    Changes, Channel, Digest, Direction, FindingId, Hold, List, Release, Released, RunId,
    Signature, Stream,
};
use ledger::Event;
use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

use crate::cells::{Cells, ms};
use crate::{Refusal, Store, StoreError, entry, finding};

/// A release that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRelease {
    /// Of what.
    pub what: Released,
    /// The digest of the list, or of the hold, that they looked at.
    pub digest: Digest,
    /// Why.
    pub reason: String,
    /// Who asks.
    pub requested: Signature,
    /// When it shall end.
    pub expires_at: DateTime<Utc>,
}

impl Store {
    /// Records that somebody asks to release what the guard holds, and returns the number of the
    /// release. It is not in force until somebody else approves it.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] when it cannot be saved.
    pub async fn add_release(&self, release: NewRelease) -> Result<i64, StoreError> {
        let signer = self.signer.clone();
        self.write("save a release", move |connection| {
            let id = insert(connection, &release)?;
            let (by, until) = (&release.requested, release.expires_at);
            let what = (id, &release.digest, &*release.reason);
            entry::append(
                connection,
                signer.as_deref(),
                vec![Event::release_requested(what, by, until)],
            )?;
            Ok(id)
        })
        .await
    }

    /// Approves a release.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when there is none of that number, when the approver asked for it, and when
    /// it is approved already or expired; [`StoreError`] when it cannot be saved.
    pub async fn approve_release(&self, id: i64, approved: Signature) -> Result<(), StoreError> {
        let signer = self.signer.clone();
        self.write("approve a release", move |connection| {
            let releases = load_releases(connection)?;
            let release =
                releases.iter().find(|it| it.id == id).ok_or(Refusal::NoSuchRelease(id))?;
            if approved.is_by(&release.requested.by) {
                return Err(Refusal::OwnRelease(id).into());
            } else if release.approved.is_some() {
                return Err(Refusal::ReleaseApproved(id).into());
            } else if release.expires_at <= approved.at {
                return Err(Refusal::ReleaseExpired(id).into());
            }
            connection
                .prepare_cached(
                    "INSERT INTO guard_release_approval (guard_release, by, at_ms, place)
                     VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![id, approved.by, ms(approved.at), approved.place])?;
            let event = Event::release_approved(id, &release.digest, &approved);
            entry::append(connection, signer.as_deref(), vec![event]).map(drop)
        })
        .await
    }
}

fn insert(connection: &Connection, release: &NewRelease) -> Result<i64, StoreError> {
    let (system, stream, n_rows, direction, findings) = match &release.what {
        Released::List { stream, n_rows } => {
            (&stream.system, Some(stream), Some(*n_rows), None, &[][..])
        }
        Released::Changes { app, direction, findings } => {
            (app, None, None, Some(*direction), &**findings)
        }
    };
    connection
        .prepare_cached(
            "INSERT INTO guard_release (system, list, channel, n_rows, direction, digest, reason, by,
                                        at_ms, place, expires_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            system.as_str(),
            stream.map(|it| it.list.name()),
            stream.and_then(|it| it.channel).map(Channel::name),
            n_rows.map(u64::cast_signed),
            direction.map(Direction::name),
            &release.digest[..],
            release.reason,
            release.requested.by,
            ms(release.requested.at),
            release.requested.place,
            ms(release.expires_at),
        ])?;
    let id = connection.last_insert_rowid();
    let mut insert = connection.prepare_cached(
        "INSERT INTO guard_release_finding (guard_release, finding) VALUES (?1, ?2)",
    )?;
    for finding in findings {
        insert.execute([id, finding.0])?;
    }
    Ok(id)
}

/// All releases, by number.
pub(crate) fn load_releases(connection: &Connection) -> Result<Vec<Release>, StoreError> {
    let mut findings = released_findings(connection)?;
    let mut statement = connection.prepare_cached(
        "SELECT r.id, r.system, r.list, r.channel, r.n_rows, r.direction, r.digest, r.reason, r.by,
                r.at_ms, r.place, r.expires_at_ms, a.by, a.at_ms, a.place
         FROM guard_release r LEFT JOIN guard_release_approval a ON a.guard_release = r.id
         ORDER BY r.id",
    )?;
    let mut rows = statement.query([])?;
    let mut releases = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "guard_release")?;
        let id = cells.key();
        let what = read_released(&mut cells, findings.remove(&id).unwrap_or_default())?;
        releases.push(Release {
            id,
            what,
            digest: cells.digest("digest")?,
            reason: cells.string("reason")?,
            requested: cells.signature()?,
            expires_at: cells.time("expires_at_ms")?,
            approved: cells.maybe_signature()?,
        });
    }
    Ok(releases)
}

/// Whether what a release lets through is what its digest is of: the findings of a hold, or a list
/// that there was.
pub(crate) fn is_what_was_looked_at(
    connection: &Connection,
    release: &Release,
) -> Result<bool, StoreError> {
    match &release.what {
        Released::List { stream, n_rows } => {
            let sql = "SELECT EXISTS (
                SELECT 1 FROM snapshot s JOIN stream t ON t.id = s.stream
                WHERE t.system = ?1 AND t.list = ?2 AND t.channel IS ?3 AND s.n_rows = ?4 AND s.digest = ?5)";
            let (system, channel) = (stream.system.as_str(), stream.channel.map(Channel::name));
            let n_rows = n_rows.cast_signed();
            let list = params![system, stream.list.name(), channel, n_rows, &release.digest[..]];
            Ok(connection.query_row(sql, list, |row| row.get(0))?)
        }
        Released::Changes { app, direction, findings } => {
            let mut prints = Vec::with_capacity(findings.len());
            for id in findings {
                prints.extend(finding::one(connection, *id)?.map(|it| it.fingerprint));
            }
            let is_all = prints.len() == findings.len();
            let held = Hold::digested(app, *direction, prints);
            Ok(is_all && ledger::sha256(&held) == release.digest)
        }
    }
}

fn read_released(
    cells: &mut Cells<'_, '_>,
    findings: Vec<FindingId>,
) -> Result<Released, StoreError> {
    let system = cells.system("system")?;
    let list = cells.maybe_name("list", List::parse)?;
    let channel = cells.maybe_name("channel", Channel::parse)?;
    let n_rows = cells.maybe_int("n_rows")?;
    let direction = cells.maybe_name("direction", Direction::parse)?;
    match (list, n_rows, direction) {
        (Some(list), Some(n_rows), None) => Ok(Released::List {
            stream: Stream { system, list, channel },
            n_rows: u64::try_from(n_rows).map_err(|_| cells.corrupt("n_rows"))?,
        }),
        (None, None, Some(direction)) => Ok(Released::Changes { app: system, direction, findings }),
        _ => Err(cells.corrupt("direction")),
    }
}

fn released_findings(
    connection: &Connection,
) -> Result<FxHashMap<i64, Vec<FindingId>>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT guard_release, finding FROM guard_release_finding ORDER BY guard_release, finding",
    )?;
    let mut rows = statement.query([])?;
    let mut findings: FxHashMap<i64, Vec<FindingId>> = FxHashMap::default();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "guard_release_finding")?;
        findings.entry(cells.key()).or_default().push(FindingId(cells.int("finding")?));
    }
    Ok(findings)
}

pub(crate) fn insert_counts(
    connection: &Connection,
    run: RunId,
    changes: &[Changes],
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO guard_count (run, app, n_openings, n_closings) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for it in changes {
        insert.execute(params![
            run.0,
            it.app.as_str(),
            it.n_openings.cast_signed(),
            it.n_closings.cast_signed(),
        ])?;
    }
    Ok(())
}

/// What runs let change since a time, oldest first.
pub(crate) fn load_counts(
    connection: &Connection,
    since: DateTime<Utc>,
) -> Result<Vec<Changes>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT c.run, c.app, r.now_ms, c.n_openings, c.n_closings
         FROM guard_count c JOIN run r ON r.id = c.run WHERE r.now_ms >= ?1 ORDER BY c.run, c.app",
    )?;
    let mut rows = statement.query([ms(since)])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "guard_count")?;
        changes.push(Changes {
            app: cells.system("app")?,
            at: cells.time("now_ms")?,
            n_openings: cells.count("n_openings")?,
            n_closings: cells.count("n_closings")?,
        });
    }
    Ok(changes)
}
