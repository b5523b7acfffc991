//! What there is to tell, read once: the last report, and what the database says beside it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{AnchorStand, Finding, Stream};
use report::ReportError;
use report::v1::{Channel, Report, Source};
use store::{ChannelHealth, Requested, RunLine, Sizes, Store, StoreError, Turns};

/// What the last run left behind.
#[derive(Debug)]
pub struct Numbers {
    /// Its report; `None` before the first.
    pub(crate) report: Option<Report>,
    /// The report of the last full run: that of the last run, unless that was a light pass. What
    /// needs every list is told by it.
    pub(crate) full: Option<Report>,
    /// Findings as they stand: what people said of them counts at once.
    pub(crate) findings: Vec<Finding>,
    /// As of when each list was last seen whole.
    last_whole: BTreeMap<Stream, DateTime<Utc>>,
    /// Requests of the last full run.
    pub(crate) requested: Vec<Requested>,
    pub(crate) turns: Turns,
    pub(crate) sizes: Sizes,
    /// The channels of alerts.
    pub(crate) channels: Vec<ChannelHealth>,
    /// Entries of the evidence log.
    pub(crate) n_entries: u64,
    /// The anchors that were ever asked for.
    pub(crate) anchors: Vec<AnchorStand>,
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
        let (last, last_full) = (store.latest_run().await?, store.latest_full_run().await?);
        let report = read(store, last).await?;
        let full = if last == last_full { report.clone() } else { read(store, last_full).await? };
        let requested = match last_full {
            Some(run) => store.requested(run.id).await?,
            None => Vec::new(),
        };
        Ok(Self {
            report,
            full,
            requested,
            findings: store.findings().await?,
            last_whole: store.last_whole().await?.into_iter().collect(),
            turns: store.turns().await?,
            sizes: store.sizes()?,
            channels: store.channels().await?,
            n_entries: store.ledger_size().await?,
            anchors: store.anchor_stands().await?,
        })
    }

    /// The lists of the last full run, each with when it was last seen whole; `None`: never. What
    /// was taken out of the settings since is nobody's concern.
    pub(crate) fn lists(&self) -> impl Iterator<Item = (&Source, Option<DateTime<Utc>>)> {
        let sources = self.full.iter().flat_map(|it| &it.sources);
        sources.map(|source| {
            let whole = self.last_whole.iter().find(|(stream, _)| {
                stream.system.as_str() == source.system
                    && stream.list.name() == source.list.name()
                    && stream.channel.map(domain::Channel::name)
                        == source.channel.map(Channel::name)
            });
            (source, whole.map(|it| *it.1))
        })
    }
}

async fn read(store: &Store, run: Option<RunLine>) -> Result<Option<Report>, NumbersError> {
    let Some(run) = run else { return Ok(None) };
    let json = store.report(run.id).await?;
    Ok(json.map(|it| Report::parse(&it)).transpose()?)
}
