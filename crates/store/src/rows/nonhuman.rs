//! Non-human accounts, as a register lists them. The key is the account they name.

use domain::NonHuman;

use super::Bind;
use crate::StoreError;
use crate::canon::Canon;
use crate::cells::{Cells, maybe_ms};
use crate::words::Words;

pub(super) const TABLE: &str = "nonhuman_row";
pub(super) const COLUMNS: &str = "owner, purpose, attest_by_ms";

pub(super) fn encode(row: &NonHuman, canon: &mut Canon) {
    canon.text(&row.account);
    canon.maybe_text(row.owner.as_deref());
    canon.maybe_text(row.purpose.as_deref());
    canon.maybe_time(row.attest_by);
}

pub(super) fn bind(
    row: &NonHuman,
    bind: &mut Bind<'_, '_>,
    _: &mut Words,
) -> Result<(), StoreError> {
    bind.cell(row.owner.as_deref())?;
    bind.cell(row.purpose.as_deref())?;
    bind.cell(maybe_ms(row.attest_by))?;
    Ok(())
}

pub(super) fn read(
    cells: &mut Cells<'_, '_>,
    _: &Words,
    key: &str,
) -> Result<NonHuman, StoreError> {
    Ok(NonHuman {
        account: key.into(),
        owner: cells.maybe_text("owner")?,
        purpose: cells.maybe_text("purpose")?,
        attest_by: cells.maybe_time("attest_by_ms")?,
    })
}
