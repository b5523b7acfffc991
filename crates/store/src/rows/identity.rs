//! Users of an IdP.

use domain::Identity;

use super::Bind;
use crate::StoreError;
use crate::canon::Canon;
use crate::cells::{Cells, maybe_ms, short_email};
use crate::codes::{KINDS, LIFECYCLES, code};
use crate::words::Words;

pub(super) const TABLE: &str = "identity";
pub(super) const COLUMNS: &str = "user_name, email, employee_number, immutable_id, display_name, kind, lifecycle, \
     raw_status, created_at_ms, status_changed_at_ms, starts_at_ms, ends_at_ms";

pub(super) fn encode(row: &Identity, canon: &mut Canon) {
    canon.text(&row.id);
    canon.maybe_text(row.user_name.as_deref());
    canon.maybe_text(row.email.as_deref());
    canon.maybe_text(row.employee_number.as_deref());
    canon.maybe_text(row.immutable_id.as_deref());
    canon.maybe_text(row.display_name.as_deref());
    canon.code(code(KINDS, &row.kind));
    canon.code(code(LIFECYCLES, &row.lifecycle));
    canon.maybe_text(row.raw_status.as_deref());
    canon.maybe_time(row.created_at);
    canon.maybe_time(row.status_changed_at);
    canon.maybe_time(row.starts_at);
    canon.maybe_time(row.ends_at);
}

pub(super) fn bind(
    row: &Identity,
    bind: &mut Bind<'_, '_>,
    words: &mut Words,
) -> Result<(), StoreError> {
    bind.cell(row.user_name.as_deref())?;
    bind.cell(short_email(row.email.as_ref(), row.user_name.as_ref()))?;
    bind.cell(row.employee_number.as_deref())?;
    bind.cell(row.immutable_id.as_deref())?;
    bind.cell(row.display_name.as_deref())?;
    bind.cell(code(KINDS, &row.kind))?;
    bind.cell(code(LIFECYCLES, &row.lifecycle))?;
    bind.cell(words.maybe_id(row.raw_status.as_ref()))?;
    bind.cell(maybe_ms(row.created_at))?;
    bind.cell(maybe_ms(row.status_changed_at))?;
    bind.cell(maybe_ms(row.starts_at))?;
    bind.cell(maybe_ms(row.ends_at))?;
    Ok(())
}

pub(super) fn read(
    cells: &mut Cells<'_, '_>,
    words: &Words,
    key: &str,
) -> Result<Identity, StoreError> {
    let user_name = cells.maybe_text("user_name")?;
    Ok(Identity {
        id: key.into(),
        email: cells.email("email", user_name.as_ref())?,
        user_name,
        employee_number: cells.maybe_text("employee_number")?,
        immutable_id: cells.maybe_text("immutable_id")?,
        display_name: cells.maybe_text("display_name")?,
        kind: cells.code("kind", KINDS)?,
        lifecycle: cells.code("lifecycle", LIFECYCLES)?,
        raw_status: cells.maybe_word("raw_status", words)?,
        created_at: cells.maybe_time("created_at_ms")?,
        status_changed_at: cells.maybe_time("status_changed_at_ms")?,
        starts_at: cells.maybe_time("starts_at_ms")?,
        ends_at: cells.maybe_time("ends_at_ms")?,
    })
}
