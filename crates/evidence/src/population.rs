//! The population: a row for each leaver of the period, made of their entry in the ledger and of
//! what is disclosed of it, and of nothing else. So whoever has the entry can make the row again.

use crate::leaf::{Account, LeaverLeaf, Stretch};

/// The columns, in order. Times are RFC 3339 in UTC; an empty cell is unknown, not disclosed, or
/// does not apply. Where there are several accounts, `; ` is between them. Of somebody who was erased
/// since, `person` says when and by which entry.
pub const COLUMNS: &[&str] = &[
    "leaver",
    "entry",
    "app",
    "episode",
    "kind",
    "person",
    "login",
    "name",
    "said_by",
    "hr_termination_at",
    "idp_deactivated_at",
    "idp_unassigned_at",
    "stated_end_at",
    "clock",
    "started_earliest",
    "started_latest",
    "deadline_at",
    "limit",
    "policy_version",
    "n_accounts",
    "accounts",
    "linked_by",
    "activity",
    "last_seen_active",
    "first_seen_inactive",
    "n_stretches",
    "sla",
    "because",
    "findings",
    "found_at",
    "found_at_begin",
    "returned_at",
];

/// The population as CSV.
#[must_use]
pub fn population_csv<'l>(leavers: impl IntoIterator<Item = &'l LeaverLeaf>) -> Vec<u8> {
    report::table_csv(COLUMNS, leavers.into_iter().map(row))
}

/// One leaver, in the order of [`COLUMNS`].
pub(crate) fn row(leaver: &LeaverLeaf) -> Vec<String> {
    let body = &leaver.body;
    let maybe = |it: &Option<String>| it.clone().unwrap_or_default();
    let erased = leaver.erased.as_deref();
    let text = |name| match (erased, name) {
        (Some(erased), "identity") => erased.to_owned(),
        (Some(_), _) => "erased".to_owned(),
        (None, name) => leaver.fact(name).unwrap_or_default().to_owned(),
    };
    let accounts = match erased {
        Some(_) => joined(body.accounts.iter().map(|_| "erased".to_owned())),
        None => joined(leaver.facts_of("accounts").into_iter().map(str::to_owned)),
    };
    let said_by = body.said_by.iter().map(|it| {
        let since = it.at.iter().map(|at| format!(" {at}"));
        let until = it.taken_back_at.iter().map(|at| format!(", taken back by {at}"));
        let before = it.was_back_at.iter().map(|at| format!(", back in between, seen at {at}"));
        it.system.clone() + &since.chain(until).chain(before).collect::<String>()
    });
    let of_accounts = |what: fn(&Account) -> String| joined(body.accounts.iter().map(what));
    vec![
        leaver.id(),
        leaver.entry.to_string(),
        body.app.clone(),
        body.episode.to_string(),
        body.kind.clone(),
        text("identity"),
        text("login"),
        text("name"),
        joined(said_by),
        maybe(&body.hr_termination_at),
        maybe(&body.idp_deactivated_at),
        maybe(&body.idp_unassigned_at),
        maybe(&body.stated_end_at),
        body.sla.clock.clone(),
        maybe(&body.started.earliest),
        maybe(&body.started.latest),
        maybe(&body.sla.deadline_at),
        body.sla.limit.clone(),
        body.sla.policy_version.to_string(),
        body.accounts.len().to_string(),
        accounts,
        of_accounts(|it| it.linked_by.clone().unwrap_or_else(|| "not certain".to_owned())),
        of_accounts(|it| it.activity.clone()),
        of_accounts(|it| last(it, |it| &it.last_seen_active)),
        of_accounts(|it| last(it, |it| &it.first_seen_inactive)),
        of_accounts(|it| it.stretches.len().to_string()),
        body.sla.outcome.to_uppercase(),
        body.sla.because.clone(),
        of_accounts(|it| it.findings.join(" ")),
        body.found_at.clone(),
        maybe(&body.found_at_begin),
        maybe(&body.returned_at),
    ]
}

/// What the newest stretch of an account says.
fn last(account: &Account, what: fn(&Stretch) -> &Option<String>) -> String {
    account.stretches.last().and_then(|it| what(it).clone()).unwrap_or_default()
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<String>>().join("; ")
}
