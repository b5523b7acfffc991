//! What the doctor looks at in a SCIM app, and what to do next. Reads, and never writes.

use chrono::TimeDelta;
use domain::{Clock, Coverage, Rows};

use super::canary::CanarySeen;
use super::filter::Trust;
use super::{InactiveShown, Scim, ScimPull};
use crate::live::{Check, CheckResult, LiveError};

/// Above this, times of two systems cannot be compared to the minute.
const SKEW_MAX: TimeDelta = TimeDelta::seconds(30);

/// Looks at everything.
pub(super) async fn examine(scim: &Scim, clock: &dyn Clock) -> Vec<Check> {
    let mut checks = vec![clock_skew(scim).await];
    let pulled = scim.pull(clock).await;
    checks.push(credential(&pulled));
    checks.extend(list(&pulled));
    checks.push(service(scim).await);
    let known = match pulled.pull.snapshots.first().map(|it| &it.rows) {
        Some(Rows::Accounts(accounts)) => accounts.as_slice(),
        _ => &[],
    };
    if known.is_empty() {
        checks.push(skipped("filters work", "no account was read to try them with"));
    } else {
        let filters = scim.prove_filters(clock, known).await;
        checks.push(filter("`userName` filters work", &filters.user_name));
        checks.push(filter("`externalId` filters work", &filters.external_id));
    }
    checks.extend(canaries(scim, &pulled));
    checks.push(Check {
        name: "token can only read",
        result: CheckResult::Warning,
        seen: "SCIM knows no way to show it, and most tokens can write.".to_owned(),
        next: Some(
            "Keep the token like an administrator's password, and ask the vendor for one that only reads."
                .to_owned(),
        ),
    });
    checks.extend(prerequisites(scim));
    checks
}

async fn clock_skew(scim: &Scim) -> Check {
    let name = "clocks agree";
    let answer = scim.reader.new_pull().get("Users?startIndex=1&count=1").await;
    let Some(skew) = answer.ok().and_then(|it| it.clock_skew()) else {
        return skipped(name, "the server did not answer, or not with its time");
    };
    let seconds = skew.num_seconds();
    if skew.abs() <= SKEW_MAX {
        return fine(name, format!("This clock and the server's differ by {} s.", seconds.abs()));
    }
    let (seconds, side) = (seconds.abs(), if seconds > 0 { "ahead of" } else { "behind" });
    Check {
        name,
        result: CheckResult::Warning,
        seen: format!("This clock is {seconds} s {side} the server's."),
        next: Some("Set this machine's clock by NTP; if it is right, tell the vendor.".to_owned()),
    }
}

fn credential(pulled: &ScimPull) -> Check {
    let name = "token works";
    match pulled.pull.failures.first().map(|it| &it.error) {
        None => fine(name, "The server accepts the token.".to_owned()),
        Some(LiveError::Refused { status: status @ (401 | 403), why, .. }) => Check {
            name,
            result: CheckResult::Failed,
            seen: format!("The server answers HTTP {status}."),
            next: Some(sentence(why)),
        },
        Some(error) => skipped(name, &format!("users cannot be listed: {error}")),
    }
}

fn list(pulled: &ScimPull) -> Vec<Check> {
    let name = "users can be listed";
    let Some(snapshot) = pulled.pull.snapshots.first() else {
        let why =
            pulled.pull.failures.first().map_or("nothing came".to_owned(), |it| match &it.error {
                LiveError::Outbound(error) => format!("{error}: {}", error.kind),
                error => error.to_string(),
            });
        return vec![failed(name, &why), skipped("list is complete", "there is none")];
    };
    let (n_rows, n_requests) = (snapshot.rows.len(), snapshot.requests.len());
    let listed = fine(name, format!("Accounts read: {n_rows}; requests: {n_requests}."));
    let name = "list is complete";
    let whole = match &snapshot.coverage {
        Coverage::Complete(domain::Proof::StatedTotal) => {
            fine(name, "As many accounts came as the server states.".to_owned())
        }
        Coverage::Complete(_) => Check {
            name,
            result: CheckResult::Warning,
            seen: "The list was read to its end, and the server states no total.".to_owned(),
            next: Some("Configure canaries, so that a short list is noticed.".to_owned()),
        },
        Coverage::Partial { reason } => Check {
            name,
            result: CheckResult::Warning,
            seen: format!("It is partial: {reason}."),
            next: Some("Nothing is concluded from what it lacks until that is settled.".to_owned()),
        },
    };
    vec![listed, whole]
}

async fn service(scim: &Scim) -> Check {
    let name = "server describes itself";
    let (service, _) = scim.service(&scim.reader.new_pull()).await;
    if !service.is_there {
        return fine(name, "It does not, and the list is asked for by index.".to_owned());
    }
    let said = |flag: Option<bool>| match flag {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not said",
    };
    let (filters, cursor) = (said(service.filters), said(service.cursor));
    fine(name, format!("Filters: {filters}; paging by cursor: {cursor}."))
}

fn filter(name: &'static str, trust: &Trust) -> Check {
    match trust {
        Trust::Works => {
            fine(name, "A known value brings one account, an impossible one none.".to_owned())
        }
        Trust::Fails { why } => Check {
            name,
            result: CheckResult::Warning,
            seen: format!("Not shown to: {why}."),
            next: Some("An account whose id is not known cannot be proven absent.".to_owned()),
        },
    }
}

fn canaries(scim: &Scim, pulled: &ScimPull) -> Vec<Check> {
    let snapshot = pulled.pull.snapshots.first();
    let configured =
        |is_active: bool| scim.config.canaries.iter().filter(move |it| it.is_active == is_active);
    let mut checks = Vec::new();
    for (is_active, name) in [(true, "active canary is seen"), (false, "inactive canary is seen")] {
        if configured(is_active).next().is_none() {
            checks.push(Check {
                name,
                result: CheckResult::Warning,
                seen: "None is configured.".to_owned(),
                next: Some(if is_active {
                    "Name an account that is always on: without one, results are never of grade A.".to_owned()
                } else {
                    "Name an account that is always off: it shows whether the list has inactive users.".to_owned()
                }),
            });
        }
        for canary in configured(is_active) {
            let seen = snapshot.map(|it| canary.look(&it.rows));
            let hidden = pulled.sight.as_ref().map(|it| it.inactive) == Some(InactiveShown::Hidden);
            checks.push(match seen {
                None => skipped(name, "there is no list"),
                Some(CanarySeen::Listed { id, is_as_kept: true }) => {
                    fine(name, format!("Account `{id}` is in the list."))
                }
                Some(CanarySeen::Listed { id, .. }) => failed(
                    name,
                    &format!("account `{id}` is in the list, and is not {}", canary.kept()),
                ),
                Some(_) if !is_active && hidden => Check {
                    name,
                    result: CheckResult::Warning,
                    seen:
                        "It is not in the list, and is there by its id: inactive users are hidden."
                            .to_owned(),
                    next: Some(
                        "Set `inactive_hidden = \"observed\"` in the app's profile, if it is not."
                            .to_owned(),
                    ),
                },
                Some(_) => failed(
                    name,
                    "it is not in the list: the list is not whole, or the canary is gone",
                ),
            });
        }
    }
    checks
}

/// What cannot be seen over SCIM: reminders, each with what to do.
fn prerequisites(scim: &Scim) -> Vec<Check> {
    let reminders = scim.config.app.prerequisites().iter();
    reminders
        .map(|it| Check {
            name: "prerequisite of the app",
            result: CheckResult::Skipped,
            seen: format!("{}: {}", it.name, it.text),
            next: Some(it.next.clone()),
        })
        .collect()
}

fn fine(name: &'static str, seen: String) -> Check {
    Check { name, result: CheckResult::Fine, seen, next: None }
}

fn skipped(name: &'static str, why: &str) -> Check {
    let seen = format!("Could not be looked at: {why}.");
    Check { name, result: CheckResult::Skipped, seen, next: None }
}

fn failed(name: &'static str, why: &str) -> Check {
    let next = Some("Correct that, and run `driftline doctor` again.".to_owned());
    Check { name, result: CheckResult::Failed, seen: sentence(why), next }
}

/// A reason as a sentence of its own.
fn sentence(why: &str) -> String {
    let mut letters = why.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    format!("{}{}.", first.collect::<String>(), letters.as_str())
}
