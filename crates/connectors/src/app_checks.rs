//! What the doctor of an app looks at, however the app is read: its list of accounts, and accounts
//! that must be in it.

use domain::{Account, Activity, Coverage, Text};

use crate::checks::{fine, sentence};
use crate::live::{Check, CheckResult, LiveError, LivePull};

const ACTIVE_CANARY: &str = "active canary is seen";

/// What came of the list of accounts.
pub(crate) fn pulled_list(pulled: &LivePull) -> Vec<Check> {
    let name = "users can be listed";
    let Some(snapshot) = pulled.snapshots.first() else {
        let why = pulled.failures.first().map_or("nothing came".to_owned(), |it| match &it.error {
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

/// Accounts that must be in the list, and on. `list`: `None` where there is none.
pub(crate) fn active_canaries(canaries: &[Text], list: Option<&[Account]>) -> Vec<Check> {
    let look = |canary: &Text| match list.map(|it| named(it, canary)) {
        None => skipped(ACTIVE_CANARY, "there is no list"),
        Some(Some(it)) if Activity::of(it) != Activity::Inactive => {
            fine(ACTIVE_CANARY, format!("Account `{}` is in the list.", it.id))
        }
        Some(Some(it)) => {
            failed(ACTIVE_CANARY, &format!("account `{}` is in the list, and is not active", it.id))
        }
        Some(None) => failed(
            ACTIVE_CANARY,
            &format!(
                "account `{canary}` is not in the list, which is not whole, or the canary is gone"
            ),
        ),
    };
    let next = "Name an account that is always on: without one, results are never of grade A.";
    match canaries {
        [] => vec![unconfigured(ACTIVE_CANARY, next)],
        _ => canaries.iter().map(look).collect(),
    }
}

/// The account that is called so.
pub(crate) fn named<'a>(list: &'a [Account], name: &str) -> Option<&'a Account> {
    list.iter().find(|it| it.is_named(name))
}

/// A canary that the settings do not name.
pub(crate) fn unconfigured(name: &'static str, next: &str) -> Check {
    Check {
        name,
        result: CheckResult::Warning,
        seen: "None is configured.".to_owned(),
        next: Some(next.to_owned()),
    }
}

/// Could not be looked at, and why.
pub(crate) fn skipped(name: &'static str, why: &str) -> Check {
    let seen = format!("Could not be looked at: {why}.");
    Check { name, result: CheckResult::Skipped, seen, next: None }
}

/// Something is wrong, as half a sentence.
pub(crate) fn failed(name: &'static str, why: &str) -> Check {
    let next = Some("Correct that, and run `driftline doctor` again.".to_owned());
    Check { name, result: CheckResult::Failed, seen: sentence(why), next }
}
