//! What runs concluded of accounts and identities: links, standings, employments. Changes are only
//! added, and the newest of an entity holds.

use chrono::{DateTime, Utc};
use domain::{EntityId, Episode, RunId, Tier, Verdict};
use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

use crate::StoreError;
use crate::cells::{Cells, maybe_ms, ms};
use crate::codes::{TIERS, VERDICTS, code, value};
use crate::commit::LinkChange;
use crate::state::{Standing, StoredLink};
use domain::rows::{put_count, take_count};

/// About so many bytes has a link of a large company.
const LINK_BYTES: usize = 7;

/// All changes of a run are one line: for each the number of the account, that of the identity or
/// 0 for nobody, and the code of the tier, each a count as in `canon.rs`.
pub(crate) fn insert_links(
    connection: &Connection,
    run: RunId,
    changes: Vec<LinkChange>,
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut bytes = Vec::with_capacity(changes.len() * 8);
    for change in changes {
        let (identity, tier) = change.link.map_or((0, 0), |(it, tier)| (it.0, code(TIERS, &tier)));
        put_count(&mut bytes, change.account.0.unsigned_abs());
        put_count(&mut bytes, identity.unsigned_abs());
        put_count(&mut bytes, u64::from(tier));
    }
    connection
        .prepare_cached("INSERT INTO link (run, changes) VALUES (?1, ?2)")?
        .execute(params![run.0, bytes])?;
    Ok(())
}

/// Hands over every change of a link: the run, the account, the identity or nobody, the tier.
pub(crate) fn each_link(
    connection: &Connection,
    mut take: impl FnMut(RunId, EntityId, Option<(EntityId, Tier)>),
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("SELECT run, changes FROM link ORDER BY run")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "link")?;
        let mut bytes = cells.blob("changes")?;
        while !bytes.is_empty() {
            let (account, link) = take_link(&mut bytes).ok_or_else(|| cells.corrupt("changes"))?;
            take(RunId(cells.key()), account, link);
        }
    }
    Ok(())
}

/// The changes of links that one run made.
pub(crate) fn links_of(connection: &Connection, run: RunId) -> Result<Vec<LinkChange>, StoreError> {
    let mut links = Vec::new();
    each_link(connection, |of, account, link| {
        if of == run {
            links.push(LinkChange { account, link });
        }
    })?;
    Ok(links)
}

fn take_link(bytes: &mut &[u8]) -> Option<(EntityId, Option<(EntityId, Tier)>)> {
    let mut number = || i64::try_from(take_count(bytes)?).ok();
    let (account, identity, tier) = (number()?, number()?, number()?);
    let link = match identity {
        0 => None,
        identity => Some((EntityId(identity), value(TIERS, tier)?)),
    };
    Some((EntityId(account), link))
}

pub(crate) fn load_links(
    connection: &Connection,
) -> Result<FxHashMap<EntityId, StoredLink>, StoreError> {
    let mut links = FxHashMap::default();
    let sql = "SELECT coalesce(max(length(changes)), 0) FROM link";
    let longest: u32 = connection.query_row(sql, [], |row| row.get(0))?;
    links.try_reserve(longest as usize / LINK_BYTES).ok(); // A hint: most links are those of one run.
    each_link(connection, |since, account, link| {
        match link {
            None => links.remove(&account),
            Some((identity, tier)) => links.insert(account, StoredLink { identity, tier, since }),
        };
    })?;
    Ok(links)
}

pub(crate) fn insert_standings(
    connection: &Connection,
    run: RunId,
    standings: Vec<(EntityId, Verdict, Option<DateTime<Utc>>)>,
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO standing (run, entity, verdict, seen_until_ms) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (entity, verdict, seen_until) in standings {
        let verdict = code(VERDICTS, &verdict);
        insert.execute(params![run.0, entity.0, verdict, maybe_ms(seen_until)])?;
    }
    Ok(())
}

/// `runs` gives the time of each run's judgement.
pub(crate) fn load_standings(
    connection: &Connection,
    runs: &FxHashMap<RunId, DateTime<Utc>>,
) -> Result<FxHashMap<EntityId, Standing>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT entity, run, verdict, seen_until_ms FROM standing ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut standings: FxHashMap<EntityId, Standing> = FxHashMap::default();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "standing")?;
        let since = cells.run("run")?;
        let since_at = *runs.get(&since).ok_or_else(|| cells.corrupt("run"))?;
        let verdict = cells.code("verdict", VERDICTS)?;
        let seen_until = cells.maybe_time("seen_until_ms")?;
        let mut standing = Standing { verdict, since, since_at, seen_until };
        // A run that could not tell, and one that sees the same again, change no verdict.
        if let Some(before) = standings.get(&EntityId(cells.key()))
            && (seen_until.is_some() || before.verdict == verdict)
        {
            standing = Standing { seen_until, ..*before };
        }
        standings.insert(EntityId(cells.key()), standing);
    }
    Ok(standings)
}

pub(crate) fn insert_episodes(
    connection: &Connection,
    run: RunId,
    episodes: &[(EntityId, Episode)],
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO episode (run, entity, number, began_at_ms, ended_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (entity, episode) in episodes {
        insert.execute(params![
            run.0,
            entity.0,
            episode.number,
            ms(episode.began_at),
            maybe_ms(episode.ended_at),
        ])?;
    }
    Ok(())
}

pub(crate) fn load_episodes(
    connection: &Connection,
) -> Result<FxHashMap<EntityId, Episode>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT entity, number, began_at_ms, ended_at_ms FROM episode ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut episodes = FxHashMap::default();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "episode")?;
        let episode = Episode {
            number: cells.count("number")?,
            began_at: cells.time("began_at_ms")?,
            ended_at: cells.maybe_time("ended_at_ms")?,
        };
        episodes.insert(EntityId(cells.key()), episode);
    }
    Ok(episodes)
}
