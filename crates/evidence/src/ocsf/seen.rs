//! What was seen of accounts, what identity providers say of assignments, and settings that are
//! others: each with the look that showed it, and never with an instant that nobody saw.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ACCOUNT_CHANGE, Coded, ENTITY_MANAGEMENT, Entry, Event, USER_ACCESS, ms};
use crate::LeaverLeaf;
use crate::contents::{Contents, Scope};
use crate::leaf::Stretch;

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
    pub(super) fn of(entries: &[Entry], scope: &'s Scope) -> Self {
        let pairs = entries.iter().zip(entries.iter().skip(1));
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

    /// The account of a finding was seen off, or on again.
    pub(super) fn of_observation(&self, contents: &Contents, entry: &Entry) -> Option<Value> {
        let (activity, it) = activity(entry)?;
        if it.app != self.scope.app.as_str() {
            return None;
        }
        let account = entry.subject.as_deref()?;
        let (from, to) = match &it.was_seen_inactive {
            Some(off) => (Some(&**off), it.last_seen_active.as_deref()?),
            None => (it.last_seen_active.as_deref(), it.first_seen_inactive.as_deref()?),
        };
        let user = json!({"uid": account, "domain": it.app});
        change(contents, entry, (activity, 0), (from, to), &user)
    }

    /// What is new of a leaver's accounts and assignment since the entry before.
    pub(super) fn of_leaver(&mut self, contents: &Contents, entry: &Entry) -> Vec<Value> {
        let all = &contents.ledger.entries;
        let written =
            all.binary_search_by_key(&entry.seq, |it| it.0).ok().and_then(|at| all.get(at));
        let leaf = written.and_then(|it| LeaverLeaf::read(it.0, &it.1, &[] as &[&str]).ok());
        let Some(leaf) = leaf.filter(|it| it.body.app == self.scope.app.as_str()) else {
            return Vec::new();
        };
        let mut events = Vec::new();
        if let Some(at) = &leaf.body.idp_unassigned_at
            && self.is_new(&leaf, (REVOKE, at), 1)
            && self.is_within(at)
        {
            events.extend(revoked(contents, entry, &leaf, at));
        }
        let n_accounts = leaf.body.accounts.len();
        let mut alike: BTreeMap<(Coded, &str), usize> = BTreeMap::new();
        for (nth, account) in (1..).zip(&leaf.body.accounts) {
            let user = json!({
                "uid": leaf.subject, "uid_alt": leaf.id(), "domain": leaf.body.app,
                "account": {"name": format!("account {nth} of {n_accounts}")},
            });
            for (activity, (from, to)) in changes(&account.activity, &account.stretches) {
                let off = if activity == ENABLE { from } else { to };
                let told =
                    |it: &String| self.by_finding.contains(&(it.clone(), activity, off.to_owned()));
                if account.findings.iter().any(told) {
                    continue;
                }
                let n = alike.entry((activity, off)).or_default();
                *n += 1;
                // Told by an entry from before the period, it is none of it.
                if self.is_new(&leaf, (activity, off), *n) && self.is_within(to) {
                    let nth = events.len();
                    events.extend(change(
                        contents,
                        entry,
                        (activity, nth),
                        (Some(from), to),
                        &user,
                    ));
                }
            }
        }
        events
    }

    fn is_within(&self, at: &str) -> bool {
        at.parse::<DateTime<Utc>>().is_ok_and(|it| it >= self.scope.from && it < self.scope.to)
    }

    /// Whether this leaver has told so far of fewer than `n` of the kind.
    fn is_new(&mut self, leaf: &LeaverLeaf, (what, off): (Coded, &str), n: usize) -> bool {
        let told = self.by_leaver.entry((leaf.id(), what, off.to_owned())).or_default();
        let is_new = n > *told;
        *told = n.max(*told);
        is_new
    }
}

/// A change of an account, and the looks on both sides.
pub(crate) type ChangeTold = (Coded, [Option<String>; 2]);

/// What the body of an entry tells of the account of a finding. `Ok(None)`: no change; an error: it is
/// of another kind.
pub(crate) fn observed(body: &Value) -> Result<Option<ChangeTold>, serde_json::Error> {
    let told = activity_of(Observed::deserialize(body)?);
    Ok(told.map(|(activity, it)| match it.was_seen_inactive {
        Some(off) => (activity, [Some(off), it.last_seen_active]),
        None => (activity, [it.last_seen_active, it.first_seen_inactive]),
    }))
}

fn activity(entry: &Entry) -> Option<(Coded, Observed)> {
    activity_of(entry.says()?)
}

fn activity_of(it: Observed) -> Option<(Coded, Observed)> {
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
    contents: &Contents,
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
    let message = format!("an account in {} was {what}", contents.scope.app);
    let severity = INFORMATIONAL;
    let event = Event { class: ACCOUNT_CHANGE, activity, severity, at: to, nth, message };
    let mut own = json!({"user": user, "end_time": ms(to)?, "end_time_dt": to});
    if let Some(from) = from {
        super::merge(&mut own, json!({"start_time": ms(from)?, "start_time_dt": from}));
    }
    event.with(contents, entry, own)
}

/// An identity provider says when it took the app away.
fn revoked(contents: &Contents, entry: &Entry, leaf: &LeaverLeaf, at: &str) -> Option<Value> {
    let app = &leaf.body.app;
    let event = Event {
        class: USER_ACCESS,
        activity: REVOKE,
        severity: INFORMATIONAL,
        at,
        nth: 0,
        message: format!("an identity provider says that it took {app} away from a leaver"),
    };
    let own = json!({
        "user": {"uid": leaf.subject, "uid_alt": leaf.id()},
        "privileges": [format!("assignment to {app}")],
        "resource": {"name": app},
    });
    event.with(contents, entry, own)
}

/// Settings, policy or program are not those of the run before; `None`: there was none before.
pub(super) fn of_settings(contents: &Contents, entry: &Entry) -> Option<Value> {
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
    event.with(contents, entry, own)
}
