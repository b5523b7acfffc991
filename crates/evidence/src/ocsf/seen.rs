//! What was seen of accounts, what identity providers say of assignments, and settings that are
//! others: each with the look that showed it, and never with an instant that nobody saw.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ACCOUNT_CHANGE, Coded, ENTITY_MANAGEMENT, Event, Frame, USER_ACCESS, ms};
use crate::contents::Scope;
use crate::leaf::Stretch;
use crate::{Entry, LeaverLeaf};

const INFORMATIONAL: Coded = (1, "Informational");
pub(crate) const ENABLE: Coded = (2, "Enable");
const DISABLE: Coded = (5, "Disable");
/// Nobody saw whether it was deleted or is hidden.
const GONE: Coded = (99, "Gone from the list");
const REVOKE: Coded = (2, "Revoke Privileges");
const UPDATE: Coded = (3, "Update");

/// What an entry says that tells what was seen of the account of a finding.
#[derive(Deserialize)]
struct Observed {
    app: String,
    is: String,
    last_seen_active: Option<String>,
    first_seen_inactive: Option<String>,
    /// Of one that is on: when it was seen off before.
    #[serde(default)]
    was_seen_inactive: Option<String>,
}

/// What is told of accounts so far: an entry about a leaver says all that is known, again.
pub(super) struct Accounts<'s> {
    scope: &'s Scope,
    /// By finding, what happened, and when the account was seen off.
    by_finding: BTreeSet<(String, Coded, String)>,
    /// The same by leaver, and of how many accounts: an entry does not say which is which.
    by_leaver: BTreeMap<(String, Coded, String), usize>,
}

impl<'s> Accounts<'s> {
    /// What is seen of the account of a finding has an entry of its own: its leaver's says it no
    /// second time. The finding is that of the entry behind.
    pub(super) fn of(entries: &[(Entry, &[u8])], scope: &'s Scope) -> Self {
        let entries = entries.iter().map(|it| &it.0);
        let pairs = entries.clone().zip(entries.skip(1));
        let about_one = pairs.filter(|(seen, then)| {
            seen.kind == "observation.changed" && seen.subject == then.subject
        });
        let told = about_one.filter_map(|(seen, then)| {
            let (activity, observed) = activity(seen)?;
            let off = observed.was_seen_inactive.or(observed.first_seen_inactive)?;
            Some((then.body.get("finding")?.as_str()?.to_owned(), activity, off))
        });
        Self { scope, by_finding: told.collect(), by_leaver: BTreeMap::new() }
    }

    /// What is new of a leaver's accounts and assignment since the entry before.
    pub(super) fn of_leaver(
        &mut self,
        frame: Frame<'_>,
        entry: &Entry,
        bytes: &[u8],
    ) -> Vec<Value> {
        let leaf = LeaverLeaf::read(entry.seq, bytes, &[] as &[&str]).ok();
        let Some(leaf) = leaf.filter(|it| it.body.app == frame.app) else { return Vec::new() };
        let mut events = Vec::new();
        let mut alike: BTreeMap<(Coded, String), usize> = BTreeMap::new();
        for it in told_of(&leaf) {
            let finding = |id: &String| {
                self.by_finding.contains(&(id.clone(), it.activity, it.key().to_owned()))
            };
            if it.findings.iter().any(finding) {
                continue;
            }
            let n = alike.entry((it.activity, it.key().to_owned())).or_default();
            *n += 1;
            // Told by an entry from before the period, it is none of it.
            if self.is_new(&leaf, (it.activity, it.key()), *n) && self.scope.has(it.to) {
                events.extend(it.event(frame, (entry, &leaf), events.len()));
            }
        }
        events
    }

    /// Whether this leaver has told so far of fewer than `n` of the kind.
    fn is_new(&mut self, leaf: &LeaverLeaf, (what, off): (Coded, &str), n: usize) -> bool {
        let told = self.by_leaver.entry((leaf.id(), what, off.to_owned())).or_default();
        let is_new = n > *told;
        *told = n.max(*told);
        is_new
    }
}

/// Something that an entry tells of a leaver.
struct ToldOf<'l> {
    activity: Coded,
    /// The looks on both sides. Of an assignment, the time that the provider says.
    from: Option<&'l str>,
    to: &'l str,
    /// Which of their accounts, from 1; `None`: the assignment.
    account: Option<usize>,
    /// The findings of that account.
    findings: &'l [String],
}

impl ToldOf<'_> {
    /// By which it is known again: what is told again has a later look where it was seen on.
    fn key(&self) -> &str {
        self.from.filter(|_| self.activity == ENABLE).unwrap_or(self.to)
    }

    fn event(
        &self,
        frame: Frame<'_>,
        (entry, leaf): (&Entry, &LeaverLeaf),
        nth: usize,
    ) -> Option<Value> {
        let Some(account) = self.account else {
            return revoked(frame, entry, leaf, (self.to, nth));
        };
        let n_accounts = leaf.body.accounts.len();
        let user = json!({
            "uid": leaf.subject, "uid_alt": leaf.id(), "domain": leaf.body.app,
            "account": {"name": format!("account {account} of {n_accounts}")},
        });
        change(frame, entry, (self.activity, nth), (self.from, self.to), &user)
    }
}

/// All that an entry tells of a leaver: the assignment, then account by account.
fn told_of(leaf: &LeaverLeaf) -> Vec<ToldOf<'_>> {
    let mut told = Vec::new();
    if let Some(to) = &leaf.body.idp_unassigned_at {
        told.push(ToldOf { activity: REVOKE, from: None, to, account: None, findings: &[] });
    }
    for (nth, account) in (1..).zip(&leaf.body.accounts) {
        let changes = changes(&account.activity, &account.stretches).into_iter();
        told.extend(changes.map(|(activity, (from, to))| ToldOf {
            activity,
            from: Some(from),
            to,
            account: Some(nth),
            findings: &account.findings,
        }));
    }
    told
}

/// Every event that an entry about a leaver may have, as its `nth`: which of them is news, those
/// before say.
pub(crate) fn of_leaver(frame: Frame<'_>, entry: &Entry, bytes: &[u8], nth: usize) -> Vec<Value> {
    let leaf = LeaverLeaf::read(entry.seq, bytes, &[] as &[&str]).ok();
    let leaf = leaf.filter(|it| it.body.app == frame.app);
    let events = leaf.iter().flat_map(|leaf| {
        told_of(leaf).into_iter().filter_map(move |it| it.event(frame, (entry, leaf), nth))
    });
    events.collect()
}

/// The account of a finding was seen off, or on again.
pub(super) fn of_observation(frame: Frame<'_>, entry: &Entry) -> Option<Value> {
    let (activity, it) = activity(entry)?;
    if it.app != frame.app {
        return None;
    }
    let account = entry.subject.as_deref()?;
    let (from, to) = match &it.was_seen_inactive {
        Some(off) => (Some(&**off), it.last_seen_active.as_deref()?),
        None => (it.last_seen_active.as_deref(), it.first_seen_inactive.as_deref()?),
    };
    let user = json!({"uid": account, "domain": it.app});
    change(frame, entry, (activity, 0), (from, to), &user)
}

fn activity(entry: &Entry) -> Option<(Coded, Observed)> {
    let it: Observed = entry.says()?;
    let activity = match (&*it.is, &it.was_seen_inactive) {
        ("inactive", None) => DISABLE,
        ("absent", None) => GONE,
        ("active", Some(_)) => ENABLE,
        // Nobody saw it off before: that it is on is no change.
        _ => return None,
    };
    Some((activity, it))
}

/// What looks showed of one account: the change, and the looks between which it was. Of one that is on
/// again, that is the first which showed it off.
pub(crate) fn changes<'s>(
    activity: &str,
    stretches: &'s [Stretch],
) -> Vec<(Coded, (&'s str, &'s str))> {
    let mut changes = Vec::new();
    for (before, it) in stretches.iter().zip(stretches.iter().skip(1)) {
        if let (Some(off), Some(on)) = (&before.first_seen_inactive, &it.last_seen_active) {
            changes.push((ENABLE, (&**off, &**on)));
        }
    }
    let last = stretches.last().map(|it| (&it.last_seen_active, &it.first_seen_inactive));
    if let Some((Some(on), Some(off))) = last {
        match activity {
            "inactive" => changes.push((DISABLE, (on, off))),
            "absent" => changes.push((GONE, (on, off))),
            _ => {}
        }
    }
    changes
}

/// An account is otherwise than at the look before.
fn change(
    frame: Frame<'_>,
    entry: &Entry,
    (activity, nth): (Coded, usize),
    (from, to): (Option<&str>, &str),
    user: &Value,
) -> Option<Value> {
    let what = match activity {
        ENABLE => "seen on again, after it had been seen off",
        DISABLE => "seen off",
        _ => "seen no more in a complete list",
    };
    let message = format!("an account in {} was {what}", frame.app);
    let severity = INFORMATIONAL;
    let event = Event { class: ACCOUNT_CHANGE, activity, severity, at: to, nth, message };
    let mut own = json!({"user": user, "end_time": ms(to)?, "end_time_dt": to});
    if let Some(from) = from {
        super::merge(&mut own, json!({"start_time": ms(from)?, "start_time_dt": from}));
    }
    event.with(frame, entry, own)
}

/// An identity provider says when it took the app away.
fn revoked(
    frame: Frame<'_>,
    entry: &Entry,
    leaf: &LeaverLeaf,
    (at, nth): (&str, usize),
) -> Option<Value> {
    let app = &leaf.body.app;
    let event = Event {
        class: USER_ACCESS,
        activity: REVOKE,
        severity: INFORMATIONAL,
        at,
        nth,
        message: format!("an identity provider says that it took {app} away from a leaver"),
    };
    let own = json!({
        "user": {"uid": leaf.subject, "uid_alt": leaf.id()},
        "privileges": [format!("assignment to {app}")],
        "resource": {"name": app},
    });
    event.with(frame, entry, own)
}

/// Settings, policy or program are not those of the run before; `None`: there was none before.
pub(super) fn of_settings(frame: Frame<'_>, entry: &Entry) -> Option<Value> {
    let what = match &*entry.kind {
        "config.changed" => "settings",
        "policy.changed" => "policy",
        _ => "software",
    };
    let version = |name: &str| match entry.body.get(name)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let (was, is) = (version("was")?, version("is")?);
    let event = Event {
        class: ENTITY_MANAGEMENT,
        activity: UPDATE,
        severity: INFORMATIONAL,
        at: &entry.at,
        nth: 0,
        message: format!("a run found that the {what} of Driftline changed"),
    };
    let own = json!({
        "entity": {"name": what, "type": what, "version": was},
        "entity_result": {"name": what, "type": what, "version": is},
    });
    event.with(frame, entry, own)
}
