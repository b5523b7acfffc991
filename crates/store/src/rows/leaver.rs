//! Leavers, as HR lists them.

use domain::HrLeaver;

use super::Bind;
use crate::StoreError;
use crate::canon::Canon;
use crate::cells::{Cells, ms};
use crate::words::Words;

pub(super) const TABLE: &str = "leaver";
pub(super) const COLUMNS: &str = "employee_number, email, display_name, left_at_ms, reason";

pub(super) fn encode(row: &HrLeaver, canon: &mut Canon) {
    canon.text(&row.id);
    canon.maybe_text(row.employee_number.as_deref());
    canon.maybe_text(row.email.as_deref());
    canon.maybe_text(row.display_name.as_deref());
    canon.time(row.left_at);
    canon.maybe_text(row.reason.as_deref());
}

pub(super) fn bind(
    row: &HrLeaver,
    bind: &mut Bind<'_, '_>,
    _: &mut Words,
) -> Result<(), StoreError> {
    bind.cell(row.employee_number.as_deref())?;
    bind.cell(row.email.as_deref())?;
    bind.cell(row.display_name.as_deref())?;
    bind.cell(ms(row.left_at))?;
    bind.cell(row.reason.as_deref())?;
    Ok(())
}

pub(super) fn read(
    cells: &mut Cells<'_, '_>,
    _: &Words,
    key: &str,
) -> Result<HrLeaver, StoreError> {
    Ok(HrLeaver {
        id: key.into(),
        employee_number: cells.maybe_text("employee_number")?,
        email: cells.maybe_text("email")?,
        display_name: cells.maybe_text("display_name")?,
        left_at: cells.time("left_at_ms")?,
        reason: cells.maybe_text("reason")?,
    })
}
