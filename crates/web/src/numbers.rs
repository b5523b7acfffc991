//! What there is to tell, read once: the last report, and what the database says beside it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::Stream;
use report::ReportError;
use report::v1::Report;
use store::{ChannelHealth, Requested, Sizes, Store, StoreError, Turns};

/// What the last run left behind.
#[derive(Debug)]
pub struct Numbers {
    /// Its report; `None` before the first.
    pub(crate) report: Option<Report>,
    /// As of when each list was last seen whole.
    pub(crate) last_whole: BTreeMap<Stream, DateTime<Utc>>,
    /// Its requests.
    pub(crate) requested: Vec<Requested>,
    pub(crate) turns: Turns,
    pub(crate) sizes: Sizes,
    /// The channels of alerts.
    pub(crate) channels: Vec<ChannelHealth>,
    /// Entries of the evidence log.
    pub(crate) n_entries: u64,
}

/// Why there is nothing to tell.
#[derive(Debug, thiserror::Error)]
pub enum NumbersError {
    /// The database cannot be read.
    #[error("failed to read the database")]
    Store(#[from] StoreError),
    /// The last report is not one of this version.
    #[error("failed to read the last report")]
    Report(#[from] ReportError),
}

impl Numbers {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// Returns `NumbersError` when the database or the last report cannot be read.
    pub async fn read(store: &Store) -> Result<Self, NumbersError> {
        let last = store.latest_run().await?;
        let (mut report, mut requested) = (None, Vec::new());
        if let Some(last) = last {
            let json = store.report(last.id).await?;
            report = json.map(|it| Report::parse(&it)).transpose()?;
            requested = store.requested(last.id).await?;
        }
        Ok(Self {
            report,
            requested,
            last_whole: store.last_whole().await?.into_iter().collect(),
            turns: store.turns().await?,
            sizes: store.sizes()?,
            channels: store.channels().await?,
            n_entries: store.ledger_size().await?,
        })
    }
}
