//! Anchoring: checkpoints that runs asked to be taken out of reach are taken there.
//!
//! A try is saved before it is made and what came of it after, so what a crash interrupts is done
//! again. It goes on until it is done, or a later checkpoint takes its place.

use anchors::{Anchor, Parcel};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{AnchorName, AnchorStand, Clock, Severity, Watcher, WatcherFinding};
use ledger::{Checkpoint, Note};
use store::{AnchorSettled, DueAnchor, Store, StoreError};
use tracing::{info, warn};

/// An anchor that was not made for longer is told: a day and what a run takes, as for lists.
pub(crate) const AGE_MAX: TimeDelta = TimeDelta::hours(26);

/// The wait after the first try that failed. Each later one is twice as long.
const WAIT_MIN: TimeDelta = TimeDelta::minutes(1);

/// The longest wait.
const WAIT_MAX: TimeDelta = TimeDelta::hours(1);

/// What one pass came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchored {
    /// Anchors that took nothing, each with why. They are tried again.
    pub not_made: Vec<(String, String)>,
    /// When the next one is due; `None`: nothing waits.
    pub next_due_at: Option<DateTime<Utc>>,
}

/// Makes every anchor whose time has come, one after the other. What waits for an anchor that is
/// not among these goes on waiting: the next run gives it up.
///
/// # Errors
///
/// Returns [`StoreError`] when the database cannot be read or written; what was made without being
/// written down is made again.
pub async fn anchor(
    store: &Store,
    anchors: &[Anchor],
    clock: &dyn Clock,
) -> Result<Anchored, StoreError> {
    let mut all = Anchored::default();
    for due in store.due_anchors(clock.now()).await? {
        let Some(anchor) = anchors.iter().find(|it| it.name == due.name) else { continue };
        store.begin_anchor(due.id, clock.now() + wait(due.n_attempts)).await?;
        let name = due.name.to_string();
        let settled = match make(anchor, &due, clock).await {
            Ok(made) => {
                info!(anchor = %name, "Took a checkpoint out of reach: {}", made.place);
                AnchorSettled::Made { place: made.place, proof: made.proof }
            }
            Err(why) => {
                warn!(anchor = %name, "A checkpoint was not taken out of reach: {why}");
                all.not_made.push((name, why.clone()));
                AnchorSettled::Later { due_at: clock.now() + wait(due.n_attempts), why }
            }
        };
        store.settle_anchor(due.id, settled, clock.now()).await?;
    }
    all.next_due_at = store.next_anchor(anchors.iter().map(|it| it.name.clone()).collect()).await?;
    Ok(all)
}

async fn make(
    anchor: &Anchor,
    due: &DueAnchor,
    clock: &dyn Clock,
) -> Result<anchors::Made, String> {
    let checkpoint = Note::parse(&due.note).and_then(|it| Checkpoint::parse(it.text()));
    let checkpoint = checkpoint.map_err(|error| error.to_string())?;
    let parcel = Parcel { checkpoint, note: due.note.clone(), at: clock.now() };
    anchor.make(&parcel).await.map_err(|it| it.why)
}

/// The wait after a try that failed, with so many before it.
fn wait(n_before: u32) -> TimeDelta {
    let doubled = 1_i32.checked_shl(n_before).filter(|it| *it > 0).unwrap_or(i32::MAX);
    WAIT_MIN.checked_mul(doubled).unwrap_or(WAIT_MAX).min(WAIT_MAX)
}

/// Anchors of the settings that were not made for too long. One that no run asked for yet is not
/// missing.
pub(crate) fn missing(
    anchors: &[AnchorName],
    stands: &[AnchorStand],
    now: DateTime<Utc>,
) -> Vec<WatcherFinding> {
    let of = |anchor: &AnchorName| stands.iter().find(|it| it.name == anchor.name);
    let mut found = Vec::new();
    for stand in anchors.iter().filter_map(of) {
        let age = now - stand.last_made_at.unwrap_or(stand.first_asked_at);
        if age <= AGE_MAX {
            continue;
        }
        let name = &stand.name;
        let since = match stand.last_made_at {
            Some(_) => format!("took no checkpoint for {} h", age.num_hours()),
            None => "never took a checkpoint".to_owned(),
        };
        let why = stand.why.as_ref().map_or_else(String::new, |it| format!(": {it}"));
        found.push(WatcherFinding {
            kind: Watcher::AnchorMissing,
            system: None,
            severity: Severity::High,
            text: format!("the anchor `{name}` {since}{why}"),
            next_action: "Mend what keeps it. Meanwhile, keep `driftline ledger head` where \
                          Driftline cannot write."
                .to_owned(),
            root: None,
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use domain::AnchorKind;

    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        let minutes: Vec<i64> =
            [0, 1, 2, 5, 6, 31, 32, u32::MAX].map(|it| wait(it).num_minutes()).to_vec();
        assert_eq!(minutes, [1, 2, 4, 32, 60, 60, 60, 60]);
    }

    #[test]
    fn an_anchor_is_missing_when_it_was_not_made_for_more_than_a_day() {
        let at = |hours: i64| DateTime::UNIX_EPOCH + TimeDelta::hours(hours);
        let anchors = [AnchorName { name: "tsa".into(), kind: AnchorKind::Rfc3161 }];
        let told = |asked, made: Option<i64>, why: Option<&str>, now| {
            let stand = AnchorStand {
                name: "tsa".into(),
                first_asked_at: at(asked),
                last_made_at: made.map(at),
                why: why.map(str::to_owned),
            };
            let found = missing(&anchors, &[stand], at(now));
            found.into_iter().map(|it| it.text).collect::<String>()
        };
        assert_eq!(told(0, None, None, 26), "");
        assert_eq!(told(0, Some(1), None, 27), "");
        insta::assert_snapshot!(told(0, Some(1), Some("no answer"), 49), @"the anchor `tsa` took no checkpoint for 48 h: no answer");
        insta::assert_snapshot!(told(0, None, Some("no answer"), 49), @"the anchor `tsa` never took a checkpoint: no answer");
        assert_eq!(missing(&anchors, &[], at(100)), [], "no run asked for it yet");
        assert_eq!(missing(&[], &[], at(100)), [], "the settings name none");
    }
}
