//! `findings ack`, `false-positive`, `close` and `reopen`: a person's word on findings.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Disposition, Finding, FindingId, Word};
use drift::{Disposed, dispose};
use store::{Disposal, Store};

use crate::cli::WordArgs;
use crate::exit::UsageError;
use crate::settings::Settings;
use crate::{when, who};

/// How long an acknowledgement holds where nothing else is said.
const ACKNOWLEDGED: TimeDelta = TimeDelta::hours(24);

/// Takes findings until a date.
pub(super) async fn acknowledge(
    store: &Store,
    settings: &Settings,
    args: &WordArgs,
    (reason, until): (&str, Option<&str>),
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let until = match until {
        None => now + ACKNOWLEDGED,
        Some(text) => when::end(text, settings.policy.zone).ok_or_else(|| {
            let what = "`--until` is no date: write it as 2026-12-31, or with time and zone";
            UsageError(what.to_owned())
        })?,
    };
    let n = say(store, args, Word::Acknowledge, (reason, Some(until)), now).await?;
    let until = when::shown(until, settings.policy.zone);
    Ok(format!("Acknowledged {n} until {until}: nobody else is called before.\n"))
}

/// Says something that needs a reason.
pub(super) async fn with_reason(
    store: &Store,
    args: &WordArgs,
    word: Word,
    reason: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    if reason.trim().is_empty() {
        return Err(UsageError("this needs a reason: say why".to_owned()).into());
    }
    let n = say(store, args, word, (reason, None), now).await?;
    Ok(match word {
        Word::FalsePositive => {
            format!("Called {n} a false positive. It comes back when its facts change.\n")
        }
        Word::Close => format!("Closed {n}. It comes back when the account is seen on.\n"),
        Word::Acknowledge | Word::Reopen => format!("Reopened {n}.\n"),
    })
}

/// Says the same of each finding, of all or of none, and names them.
async fn say(
    store: &Store,
    args: &WordArgs,
    word: Word,
    (reason, until): (&str, Option<DateTime<Utc>>),
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let findings = store.findings().await?;
    let said = who::signature(args.by.as_deref(), now);
    let mut ids = args.ids.clone();
    ids.sort_unstable();
    ids.dedup();
    let disposals = ids
        .iter()
        .map(|id| {
            let reason = reason.trim().to_owned();
            weigh(&findings, Disposition { finding: *id, word, reason, said: said.clone(), until })
        })
        .collect::<Result<Vec<Disposal>, UsageError>>()?;
    store.dispose(disposals).await?;
    let names: Vec<String> = ids.iter().map(FindingId::to_string).collect();
    Ok(names.join(", "))
}

fn weigh(findings: &[Finding], said: Disposition) -> Result<Disposal, UsageError> {
    let before = findings
        .iter()
        .find(|it| it.id == said.finding)
        .ok_or_else(|| UsageError(format!("there is no finding {}", said.finding)))?;
    match dispose(before, &said) {
        Disposed::Refused(why) => Err(UsageError(format!("{why}; nothing was kept"))),
        Disposed::Done(done) => {
            let (after, event) = *done;
            Ok(Disposal { said, before: before.clone(), after, event })
        }
    }
}
