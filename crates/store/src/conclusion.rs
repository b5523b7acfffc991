//! What runs concluded of accounts and identities: links, standings, employments. Each change is
//! a line of its own; the newest line of an entity holds.

use chrono::{DateTime, Utc};
use domain::{EntityId, Episode, RunId, Verdict};
use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

use crate::StoreError;
use crate::cells::{Cells, maybe_ms, ms};
use crate::codes::{TIERS, VERDICTS, code};
use crate::commit::LinkChange;
use crate::state::{Standing, StoredLink};

pub(crate) fn insert_links(
    connection: &Connection,
    run: RunId,
    changes: Vec<LinkChange>,
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO link (run, account, identity, tier) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for change in changes {
        let (identity, tier) = change.link.unzip();
        let tier = tier.map(|it| code(TIERS, &it));
        insert.execute(params![run.0, change.account.0, identity.map(|it| it.0), tier])?;
    }
    Ok(())
}

pub(crate) fn load_links(
    connection: &Connection,
) -> Result<FxHashMap<EntityId, StoredLink>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT account, run, identity, tier FROM link ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut links = FxHashMap::default();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "link")?;
        let account = EntityId(cells.key());
        let since = cells.run("run")?;
        match cells.maybe_int("identity")? {
            None => links.remove(&account),
            Some(identity) => {
                let tier = cells.code("tier", TIERS)?;
                links.insert(account, StoredLink { identity: EntityId(identity), tier, since })
            }
        };
    }
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
