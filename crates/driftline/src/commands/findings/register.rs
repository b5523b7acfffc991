//! `findings register`: accounts that belong to no person.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::{List, NonHuman, Rows, Text};
use store::Store;

use crate::cli::RegisterArgs;
use crate::exit::UsageError;
use crate::settings::Settings;
use crate::table::{self, Row};
use crate::{when, who};

/// Names that are shown of accounts that nobody has seen.
const SHOWN: usize = 5;

/// Keeps all rows of a table, or none.
pub(super) async fn register(
    store: &Store,
    settings: &Settings,
    args: &RegisterArgs,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let zone = settings.policy.zone;
    let accounts = match &args.from {
        Some(path) => {
            let rows = table::read(path, &["account"], &["owner", "purpose", "attest_by"])?;
            let rows = rows.iter().filter(|row| row.registers());
            rows.map(|row| of_row(row, zone)).collect::<Result<Vec<NonHuman>, UsageError>>()?
        }
        None => vec![of_args(args, zone)?],
    };
    let n_unowned = accounts.iter().filter(|account| account.owner.is_none()).count();
    let n_accounts = accounts.len();
    let unknown = unknown(store, &accounts).await?;
    store.register_nonhumans(accounts, who::signature(args.by.as_deref(), now)).await?;

    let mut text = if n_accounts == 1 {
        "Registered 1 non-human account. The next run judges by it.\n".to_owned()
    } else {
        format!("Registered {n_accounts} non-human accounts. The next run judges by them.\n")
    };
    if n_unowned > 0 {
        text.push_str(&format!("{n_unowned} of them have no owner: that is `nonhuman_unowned`.\n"));
    }
    if !unknown.is_empty() {
        let names: Vec<String> = unknown.iter().take(SHOWN).map(|it| format!("`{it}`")).collect();
        let more = if unknown.len() > names.len() { ", ..." } else { "" };
        text.push_str(&format!(
            "No account of the last lists is called {}{more}: it counts once there is one. Check how it is written.\n",
            names.join(" or ")
        ));
    }
    Ok(text)
}

/// Those that no account of any last list is called by.
async fn unknown(store: &Store, accounts: &[NonHuman]) -> anyhow::Result<Vec<Text>> {
    let mut unknown: Vec<Text> = accounts.iter().map(|it| it.account.clone()).collect();
    let state = store.load().await?;
    let lists = state.streams.iter().filter(|(stream, _)| stream.list == List::Accounts);
    for last in lists.filter_map(|(_, it)| it.latest.as_ref()) {
        let Rows::Accounts(rows) = store.rows(last.id).await?.rows else { continue };
        unknown.retain(|name| !rows.iter().any(|it| it.is_named(name)));
    }
    Ok(unknown)
}

fn of_args(args: &RegisterArgs, zone: Tz) -> Result<NonHuman, UsageError> {
    let attest_by = args.attest_by.as_deref().map(|text| {
        when::end(text, zone).ok_or_else(|| {
            UsageError("`--attest-by` is no date: write it as 2026-12-31".to_owned())
        })
    });
    let account = args.account.as_deref().map(str::trim).filter(|it| !it.is_empty());
    let account = account.ok_or_else(|| UsageError("which account? name it".to_owned()))?;
    Ok(NonHuman {
        account: account.into(),
        owner: args.owner.as_deref().map(Into::into),
        purpose: args.purpose.as_deref().map(Into::into),
        attest_by: attest_by.transpose()?,
    })
}

fn of_row(row: &Row, zone: Tz) -> Result<NonHuman, UsageError> {
    let attest_by = row.get("attest_by").map(|text| {
        when::end(text, zone)
            .ok_or_else(|| row.wrong("has an `attest_by` that is no date: write it as 2026-12-31"))
    });
    Ok(NonHuman {
        account: super::link::account(row)?.into(),
        owner: row.get("owner").map(Into::into),
        purpose: row.get("purpose").map(Into::into),
        attest_by: attest_by.transpose()?,
    })
}
