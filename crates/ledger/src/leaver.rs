//! What the ledger is told of leavers, and of the evidence that was handed out about them. The
//! bodies name nobody: accounts and people are facts beside them.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::{
    Digest, Exposure, FindingId, Interval, Leaver, LeaverAccount, LeaversBegin, RunId, SaidBy,
    Signature, SystemId, Tier,
};
use serde_json::{Value, json};

use crate::Event;
use crate::entry::time;
use crate::event::{Kind, Who, by_person, by_run};

/// Evidence that was put into a bag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported<'e> {
    /// The app.
    pub app: &'e SystemId,
    /// The first instant of the period.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub to: DateTime<Utc>,
    /// SHA-256 of the bag's tag manifest.
    pub tag_manifest: Digest,
    /// Entries under the checkpoint in the bag.
    pub size: u64,
    /// How many leavers are in it.
    pub n_leavers: u64,
    /// Without personal data?
    pub is_redacted: bool,
    /// Were leavers chosen by name?
    pub is_chosen: bool,
}

impl Event {
    /// The leavers of an app are listed from this run on.
    #[must_use]
    pub fn leavers_listed(at: (RunId, DateTime<Utc>), begin: &LeaversBegin) -> Self {
        let body = json!({
            "app": begin.app.as_str(),
            "left_out": begin.n_left_out,
            "since": time(begin.since),
        });
        by_run(Kind::LeaversListed, at, None, body)
    }

    /// What is known of a leaver, for the first time or anew.
    #[must_use]
    pub fn leaver(at: (RunId, DateTime<Utc>), leaver: &Leaver, is_new: bool) -> Self {
        let kind = if is_new { Kind::LeaverFound } else { Kind::LeaverChanged };
        let who = Who::identity(&leaver.person.system, &leaver.person.key);
        let mut event = by_run(kind, at, Some(who), body(leaver));
        let app = &leaver.app;
        let accounts = leaver.accounts.iter().map(|it| format!("{app}/{}", it.key));
        event.facts.push(("accounts", json!(accounts.collect::<Vec<String>>())));
        let sources = leaver.said_by.iter().map(|it| format!("{}/{}", it.system, it.key));
        event.facts.push(("said_by", json!(sources.collect::<Vec<String>>())));
        let text = |it: &Option<domain::Text>| it.as_ref().map(ToString::to_string);
        event.facts.push(("name", json!(text(&leaver.name))));
        event.facts.push(("login", json!(text(&leaver.login))));
        event
    }

    /// Evidence was put into a bag.
    #[must_use]
    pub fn export_created(exported: &Exported<'_>, by: &Signature) -> Self {
        let body = json!({
            "app": exported.app.as_str(),
            "from": time(exported.from),
            "to": time(exported.to),
            "tagmanifest_sha256": HEXLOWER.encode(&exported.tag_manifest),
            "size": exported.size,
            "leavers": exported.n_leavers,
            "is_redacted": exported.is_redacted,
            "is_chosen": exported.is_chosen,
        });
        by_person(Kind::ExportCreated, by, None, body, [])
    }
}

fn body(leaver: &Leaver) -> Value {
    let clocks = &leaver.clocks;
    let maybe = |it: Option<DateTime<Utc>>| it.map(time);
    let mut body = json!({
        "app": leaver.app.as_str(),
        "episode": leaver.episode,
        "kind": leaver.kind.name(),
        "person_list": leaver.person.list.name(),
        "said_by": leaver.said_by.iter().map(said_by).collect::<Vec<Value>>(),
        "hr_termination_at": maybe(clocks.hr_termination_at),
        "idp_deactivated_at": maybe(clocks.idp_deactivated_at),
        "idp_unassigned_at": maybe(clocks.idp_unassigned_at),
        "stated_end_at": maybe(clocks.stated_end_at),
        "started": interval(&leaver.started),
        "accounts": leaver.accounts.iter().map(account).collect::<Vec<Value>>(),
        "sla": {
            "outcome": leaver.sla.outcome.name(),
            "clock": leaver.sla.clock.name(),
            "deadline_at": maybe(leaver.sla.deadline_at),
            "limit": leaver.sla.limit,
            "policy_version": leaver.sla.policy_version,
            "because": leaver.sla.because,
        },
        "found_at": time(leaver.found_at),
        "found_at_begin": maybe(leaver.found_at_begin),
        "returned_at": maybe(leaver.returned_at),
    });
    if let Value::Object(members) = &mut body {
        let leave = (leaver.leave > 1).then(|| ("leave", json!(leaver.leave)));
        let is_decided = !leaver.decisions.is_empty();
        let decisions = is_decided.then(|| ("decisions", json!(leaver.decisions)));
        let more = leave.into_iter().chain(decisions);
        members.extend(more.map(|(name, it)| (name.to_owned(), it)));
    }
    body
}

fn said_by(it: &SaidBy) -> Value {
    let mut said =
        json!({"system": it.system.as_str(), "list": it.list.name(), "at": it.at.map(time)});
    if let Value::Object(members) = &mut said {
        let later = [
            ("heard_at", it.heard_at),
            ("taken_back_at", it.taken_back_at),
            ("was_back_at", it.was_back_at),
        ];
        let told = later.into_iter().filter_map(|(name, at)| Some((name, at?)));
        members.extend(told.map(|(name, at)| (name.to_owned(), json!(time(at)))));
    }
    said
}

fn interval(it: &Interval) -> Value {
    json!({"earliest": it.earliest.map(time), "latest": it.latest.map(time)})
}

fn account(it: &LeaverAccount) -> Value {
    json!({
        "activity": it.activity.name(),
        "linked_by": it.tier.map(Tier::name),
        "stretches": it.stretches.iter().map(stretch).collect::<Vec<Value>>(),
        "findings": it.findings.iter().map(FindingId::to_string).collect::<Vec<String>>(),
    })
}

fn stretch(it: &Exposure) -> Value {
    json!({
        "started": interval(&it.started),
        "last_seen_active": it.last_seen_active.map(time),
        "first_seen_inactive": it.first_seen_inactive.map(time),
    })
}
