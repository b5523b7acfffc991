//! `findings register`: accounts that belong to no person.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::NonHuman;
use store::Store;

use crate::cli::RegisterArgs;
use crate::exit::UsageError;
use crate::settings::Settings;
use crate::table::{self, Row};
use crate::{when, who};

/// Keeps all rows of a table, or none.
pub(super) async fn register(
    store: &Store,
    settings: &Settings,
    args: &RegisterArgs,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let rows = table::read(&args.from, &["account"], &["owner", "purpose", "attest_by"])?;
    let zone = settings.policy.zone;
    let accounts = rows
        .iter()
        .filter(|row| row.registers())
        .map(|row| nonhuman(row, zone))
        .collect::<Result<Vec<NonHuman>, UsageError>>()?;
    let n_unowned = accounts.iter().filter(|account| account.owner.is_none()).count();
    let n_accounts = accounts.len();
    store.register_nonhumans(accounts, who::signature(args.by.as_deref(), now)).await?;

    let mut text =
        format!("Registered {n_accounts} non-human accounts. The next run judges by them.\n");
    if n_unowned > 0 {
        text.push_str(&format!("{n_unowned} of them have no owner: that is `nonhuman_unowned`.\n"));
    }
    Ok(text)
}

fn nonhuman(row: &Row, zone: Tz) -> Result<NonHuman, UsageError> {
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
