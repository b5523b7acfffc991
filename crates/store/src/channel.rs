//! How the channels of alerts do: what became of the notices for each, and how long one has waited.
//! Reads only.

use chrono::{DateTime, Utc};
use domain::{DeliveryState, NotifyReason, Text};
use rusqlite::Connection;

use crate::cells::Cells;
use crate::{Store, StoreError, notice};

/// How one channel does. Of all time, where nothing else is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelHealth {
    /// Its name.
    pub channel: Text,
    /// Deliveries by where they stand; also those with 0.
    pub by_state: Vec<(DeliveryState, u64)>,
    /// How often something was sent again.
    pub n_retries: u64,
    /// When the oldest notice that waits was to be told, which may be ahead; `None`: none waits.
    pub oldest_due_at: Option<DateTime<Utc>>,
    /// When it last took the report of a run; `None`: never.
    pub report_at: Option<DateTime<Utc>>,
    /// Its last tries were all in vain.
    pub is_dead: bool,
}

impl Store {
    /// How the channels do to which there ever was something to tell, in order of name.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a row is not what we write; otherwise what disks do.
    pub async fn channels(&self) -> Result<Vec<ChannelHealth>, StoreError> {
        self.read("read how channels do", channels).await
    }
}

fn channels(connection: &Connection) -> Result<Vec<ChannelHealth>, StoreError> {
    let dead = notice::load_dead(connection)?;
    let mut statement = connection.prepare_cached(
        "SELECT 0, d.channel, d.state, n.reason = ?1 AS is_report, count(*) AS n,
                sum(max(d.n_attempts - 1, 0)) AS n_retries, min(d.first_due_ms) AS first_due_ms,
                max(d.tried_at_ms) AS tried_at_ms
         FROM delivery d JOIN notice n ON n.id = d.notice
         GROUP BY d.channel, d.state, is_report ORDER BY d.channel",
    )?;
    let mut rows = statement.query([NotifyReason::Report.name()])?;
    let mut all: Vec<ChannelHealth> = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Cells::keyed(row, "delivery")?;
        let channel: Text = cells.str("channel")?.into();
        let state = cells.name("state", DeliveryState::parse)?;
        let is_report = cells.int("is_report")? != 0;
        let (n, n_retries): (u64, u64) = (cells.count("n")?, cells.count("n_retries")?);
        let first_due_at = cells.time("first_due_ms")?;
        let tried_at = cells.maybe_time("tried_at_ms")?;
        if all.last().is_none_or(|it| it.channel != channel) {
            let is_dead = dead.iter().any(|it| it.channel == channel);
            all.push(ChannelHealth { is_dead, ..ChannelHealth::silent(channel) });
        }
        let Some(of) = all.last_mut() else { continue };
        of.by_state.iter_mut().filter(|it| it.0 == state).for_each(|it| it.1 += n);
        of.n_retries += n_retries;
        match state {
            DeliveryState::Pending => {
                let known = of.oldest_due_at.unwrap_or(first_due_at);
                of.oldest_due_at = Some(known.min(first_due_at));
            }
            DeliveryState::Delivered if is_report => of.report_at = tried_at,
            _ => {}
        }
    }
    Ok(all)
}

impl ChannelHealth {
    /// A channel to which there never was anything to tell.
    #[must_use]
    pub fn silent(channel: Text) -> Self {
        Self {
            channel,
            by_state: DeliveryState::ALL.iter().map(|it| (*it, 0)).collect(),
            n_retries: 0,
            oldest_due_at: None,
            report_at: None,
            is_dead: false,
        }
    }
}
