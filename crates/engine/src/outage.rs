//! Channels that do not take notices: what they were to tell is told by others, once, and called over
//! when nothing of it is left to do.

use std::collections::BTreeMap;

use alerting::{Channel, Routes};
use chrono::{DateTime, Utc};
use domain::{
    Finding, FindingId, FindingState, Notice, NotifyReason, Severity, Text, Told, counted,
};
use store::{Outages, Store, StoreError, Stuck};

use crate::confirm::by_state;

/// Saves what others are to be told of channels that do not take notices, and that it is over.
/// Returns true when there is something new to send.
pub(crate) async fn tell_others(
    store: &Store,
    routes: &Routes,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let known = store.outages().await?;
    let mut is_new = false;
    for channel in &routes.channels {
        let to = routes.others(&channel.name);
        let stuck = store.stuck(channel.name.clone(), now).await?;
        if to.is_empty() || stuck.is_empty() {
            continue;
        }
        let findings = findings(store, stuck.iter().map(|it| &it.notice.findings)).await?;
        let stuck: Vec<Stuck> = stuck.into_iter().filter_map(|it| alive(it, &findings)).collect();
        let ids = stuck.iter().map(|it| it.id).collect();
        let told: Vec<&Told> =
            known.outages.iter().filter(|it| is_about(routes, &channel.name, &it.key)).collect();
        let is_fresh = |it: &Stuck| !is_told(it, &told, &findings);
        let fresh = stuck.into_iter().filter(is_fresh).collect();
        let notice = undelivered(routes, &channel.name, fresh, told.is_empty());
        is_new |= notice.is_some();
        let to = to.into_iter().map(|it| (it, now)).collect();
        store.forward(ids, notice.map(|it| Notice { at: now, to, ..it })).await?;
    }
    let over = over(store, routes, &known, now).await?;
    is_new |= !over.is_empty();
    store.add_notices(over).await?;
    Ok(is_new)
}

async fn findings(
    store: &Store,
    ids: impl Iterator<Item = &Vec<FindingId>>,
) -> Result<BTreeMap<FindingId, Finding>, StoreError> {
    let mut ids: Vec<FindingId> = ids.flatten().copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let all = store.findings_by_id(ids).await?;
    Ok(all.into_iter().map(|it| (it.id, it)).collect())
}

/// Without findings that nobody is told of any more; `None` when nothing is left of it.
fn alive(mut stuck: Stuck, findings: &BTreeMap<FindingId, Finding>) -> Option<Stuck> {
    let notice = &mut stuck.notice;
    if notice.findings.is_empty() || notice.reason == NotifyReason::Resolved {
        return Some(stuck);
    }
    notice.findings.retain(|id| findings.get(id).is_none_or(|it| by_state(it).is_none()));
    notice.items.retain(|it| notice.findings.contains(&it.finding));
    (!notice.findings.is_empty()).then_some(stuck)
}

/// Whether others know of it by what they were told of this channel and is not over.
fn is_told(stuck: &Stuck, told: &[&Told], findings: &BTreeMap<FindingId, Finding>) -> bool {
    let notice = &stuck.notice;
    let knows = |told: &Told, id: &FindingId| {
        let opened_at = findings.get(id).and_then(|it| it.opened_at);
        told.findings.contains(id)
            && told.severity >= notice.severity
            && opened_at.is_none_or(|it| it <= told.last_at)
    };
    match (notice.reason, &*notice.findings) {
        (NotifyReason::Resolved, _) => !told.is_empty(),
        (NotifyReason::Watcher | NotifyReason::Reminder, []) => {
            !told.is_empty() && stuck.was_forwarded
        }
        (_, []) => !told.is_empty(),
        (_, all) => all.iter().all(|id| told.iter().any(|it| knows(it, id))),
    }
}

/// The key of an outage. What is told in it later has a number behind: under the same key it would
/// wake nobody.
fn key(routes: &Routes, channel: &str) -> Text {
    alerting::key(&routes.deployment, "-", &format!("channel-{channel}"))
}

fn is_about(routes: &Routes, channel: &str, of: &str) -> bool {
    let rest = of.strip_prefix(&*key(routes, channel));
    rest.is_some_and(|it| it.is_empty() || it.starts_with(':'))
}

/// What others are told of a channel: all that it was to tell and they do not know. `None`: nothing.
fn undelivered(
    routes: &Routes,
    channel: &str,
    stuck: Vec<Stuck>,
    is_first: bool,
) -> Option<Notice> {
    let last = stuck.last()?;
    let why = last.why.clone().unwrap_or_else(|| "nothing".to_owned());
    let mut notice = Notice {
        key: match is_first {
            true => key(routes, channel),
            false => format!("{}:{}", key(routes, channel), last.id.0).into(),
        },
        reason: NotifyReason::Undelivered,
        severity: Severity::High,
        app: None,
        run: None,
        at: DateTime::UNIX_EPOCH,
        title: format!("the channel `{channel}` did not take {}", counted(stuck.len(), "notice")),
        lines: vec![
            format!("It said: {why}."),
            format!("Next: run `driftline alert test {channel}`, and mend what it says."),
        ],
        findings: Vec::new(),
        items: Vec::new(),
        to: Vec::new(),
    };
    for Stuck { notice: stuck, .. } in stuck {
        notice.severity = notice.severity.max(stuck.severity);
        notice.lines.push(format!("Not told: {} ({}).", stuck.title, stuck.reason));
        if stuck.reason != NotifyReason::Resolved {
            notice.findings.extend(stuck.findings);
            notice.items.extend(stuck.items);
        }
    }
    notice.findings.sort_unstable();
    notice.findings.dedup();
    notice.items.sort_by_key(|it| (std::cmp::Reverse(it.severity), it.finding));
    notice.items.dedup_by_key(|it| it.finding);
    notice.items.truncate(alerting::ITEMS_MAX);
    Some(notice)
}

/// Calls over what others were told: when all findings in it are over, or the channel takes notices
/// again and was told of those that are not.
async fn over(
    store: &Store,
    routes: &Routes,
    known: &Outages,
    now: DateTime<Utc>,
) -> Result<Vec<Notice>, StoreError> {
    let findings = findings(store, known.outages.iter().map(|it| &it.findings)).await?;
    let mut all = Vec::new();
    for told in known.outages.iter().filter(|it| routes.channel(&it.channel).is_some()) {
        let is_about = |it: &&Channel| is_about(routes, &it.name, &told.key);
        let channel = routes.channels.iter().find(is_about);
        let takes = channel
            .is_none_or(|it| known.last_taken.get(&it.name).is_some_and(|at| *at > told.last_at));
        let is_over = |id: &FindingId| {
            let finding = findings.get(id);
            finding.is_none_or(|it| !it.is_live() || it.state == FindingState::Waived)
        };
        let knows = |id: &FindingId| {
            let mut known = known.told.iter().filter(|it| !it.was_only_tried);
            let name = channel.map(|it| &it.name);
            known.any(|it| Some(&it.channel) == name && it.findings.contains(id))
        };
        let is_done = match &*told.findings {
            [] => takes,
            all => all.iter().all(|id| is_over(id) || (takes && knows(id))),
        };
        if is_done {
            let name = channel.map_or("that is gone", |it| &it.name);
            // What the channel took at last lives on, and is its own matter.
            let are_over = !told.findings.is_empty() && told.findings.iter().all(is_over);
            let title = match are_over {
                true => format!("what the channel `{name}` did not take is over"),
                false => format!("the channel `{name}` takes notices again"),
            };
            all.push(Notice {
                key: told.key.clone(),
                reason: NotifyReason::Resolved,
                severity: told.severity,
                app: None,
                run: None,
                at: now,
                title,
                lines: Vec::new(),
                findings: if are_over { told.findings.clone() } else { Vec::new() },
                items: Vec::new(),
                to: vec![(told.channel.clone(), now)],
            });
        }
    }
    Ok(all)
}
