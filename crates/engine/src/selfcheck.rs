//! Each run checks the ledger before it adds to it. A broken one stops no run: it is told.

use domain::{AnchorStand, LedgerHead, Severity, Watcher, WatcherFinding};
use ledger::Basis;
use store::{Held, Store, StoreError};

/// What the run found of the ledger.
#[derive(Debug)]
pub(crate) struct SelfCheck {
    /// Its head before this run; `None`: it has no entry yet, or it is broken.
    pub(crate) head: Option<LedgerHead>,
    /// Why it is broken; `None`: it is not.
    pub(crate) broken: Option<WatcherFinding>,
    /// What the run before was run with; `None` in the first.
    pub(crate) basis: Option<Basis>,
}

/// Checks the whole ledger. `anchors`: how those that were ever asked for stand.
///
/// # Errors
///
/// Returns [`StoreError`] when the database cannot be read.
pub(crate) async fn self_check(
    store: &Store,
    anchors: &[AnchorStand],
) -> Result<SelfCheck, StoreError> {
    let anchored_at = anchors.iter().filter_map(|it| it.last_made_at).max();
    let basis = store.latest_basis().await?;
    match store.verify_ledger(Held::default()).await {
        Ok(verified) => {
            let is_signed = !verified.signed_by.is_empty();
            let head = verified.head.map(|it| LedgerHead {
                size: it.size,
                root: it.root,
                is_signed,
                anchored_at,
            });
            Ok(SelfCheck { head, broken: None, basis })
        }
        Err(error @ (StoreError::Ledger(_) | StoreError::Corrupt { .. })) => {
            let broken = WatcherFinding {
                kind: Watcher::LedgerBroken,
                system: None,
                severity: Severity::High,
                text: error.to_string(),
                next_action:
                    "Run `driftline ledger verify`, and find out who wrote to the database."
                        .to_owned(),
                root: None,
            };
            Ok(SelfCheck { head: None, broken: Some(broken), basis })
        }
        Err(error) => Err(error),
    }
}
