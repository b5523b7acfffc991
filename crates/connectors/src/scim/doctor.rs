//! What the doctor looks at in a SCIM app, and what to do next. Reads, and never writes.

use domain::{Account, Activity, Clock, Rows, Text};

use super::Scim;
use super::filter::Trust;
use crate::app_checks::{active_canaries, failed, named, pulled_list, skipped, unconfigured};
use crate::checks::{fine, sentence};
use crate::live::{Answer, CLOCK_SKEW_MAX, Check, CheckResult, LiveError, LivePull, Question};

/// Looks at everything.
pub(super) async fn examine(scim: &Scim, clock: &dyn Clock) -> Vec<Check> {
    if scim.shows_nobody().is_some() {
        let mut checks = pulled_list(&scim.pull(clock).await);
        checks.extend(prerequisites(scim));
        return checks;
    }
    let mut checks = vec![clock_skew(scim).await];
    let pulled = scim.pull(clock).await;
    checks.push(credential(&pulled));
    checks.extend(pulled_list(&pulled));
    checks.push(service(scim).await);
    let known = match pulled.snapshots.first().map(|it| &it.rows) {
        Some(Rows::Accounts(accounts)) => accounts.to_vec(),
        _ => Vec::new(),
    };
    if known.is_empty() {
        checks.push(skipped("filters work", "no account was read to try them with"));
    } else {
        let filters = scim.prove_filters(clock, &known).await;
        checks.push(filter("`userName` filters work", &filters.user_name));
        checks.push(filter("`externalId` filters work", &filters.external_id));
    }
    let list = pulled.snapshots.first().map(|_| &*known);
    checks.extend(active_canaries(&scim.config.canaries, list));
    checks.extend(inactive_canaries(scim, list, clock).await);
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
    if skew.abs() <= CLOCK_SKEW_MAX {
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

fn credential(pulled: &LivePull) -> Check {
    let name = "token works";
    match pulled.failures.first().map(|it| &it.error) {
        None => fine(name, "The server accepts the token.".to_owned()),
        Some(
            LiveError::Credential { status, why, .. }
            | LiveError::Refused { status: status @ 403, why, .. },
        ) => Check {
            name,
            result: CheckResult::Failed,
            seen: format!("The server answers HTTP {status}."),
            next: Some(sentence(why)),
        },
        Some(error) => skipped(name, &format!("users cannot be listed: {error}")),
    }
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

const INACTIVE_CANARY: &str = "inactive canary is seen";

async fn inactive_canaries(scim: &Scim, list: Option<&[Account]>, clock: &dyn Clock) -> Vec<Check> {
    let next = "Name an account that is always off: it shows whether the list has inactive users.";
    let mut checks = Vec::new();
    for canary in &scim.config.inactive_canaries {
        checks.push(match list.map(|it| named(it, canary)) {
            None => skipped(INACTIVE_CANARY, "there is no list"),
            Some(Some(it)) if Activity::of(it) == Activity::Inactive => {
                fine(INACTIVE_CANARY, format!("Account `{}` is in the list.", it.id))
            }
            Some(Some(it)) => failed(
                INACTIVE_CANARY,
                &format!("account `{}` is in the list, and is not inactive", it.id),
            ),
            Some(None) => unlisted(scim, canary, clock).await,
        });
    }
    if checks.is_empty() {
        checks.push(unconfigured(INACTIVE_CANARY, next));
    }
    checks
}

/// An inactive canary that the list does not have: by its id it shows whether it is hidden.
async fn unlisted(scim: &Scim, canary: &Text, clock: &dyn Clock) -> Check {
    let asked = scim.reread(clock, &[Question::Account(canary.clone())]).await;
    match asked.into_iter().next().map(|it| it.answer) {
        Some(Answer::Found { row: Rows::Accounts(rows), .. })
            if rows.first().is_some_and(|it| Activity::of(&it) == Activity::Inactive) =>
        {
            Check {
                name: INACTIVE_CANARY,
                result: CheckResult::Warning,
                seen: "It is not in the list, and is there by its id: inactive users are hidden."
                    .to_owned(),
                next: Some("Set `deprovision = \"hides\"` for the app, if it is not.".to_owned()),
            }
        }
        _ => failed(
            INACTIVE_CANARY,
            "it is neither in the list nor there by its id: name it by its id, or another account",
        ),
    }
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
