//! Accounts of an app. The last use is volatile: it is no part of the hash, and has its own table.

use domain::{Account, ActiveFlag};

use super::Bind;
use crate::StoreError;
use crate::canon::Canon;
use crate::cells::{Cells, maybe_ms, short_email};
use crate::codes::{INVITATIONS, active, code};
use crate::words::Words;

pub(super) const TABLE: &str = "account";
pub(super) const COLUMNS: &str = "external_id, user_name, email, employee_number, display_name, active, active_raw, \
     invitation, raw_status, active_source, roles, groups, ends_at_ms, created_at_ms, modified_at_ms";

pub(super) fn encode(row: &Account, canon: &mut Canon) {
    canon.text(&row.id);
    canon.maybe_text(row.external_id.as_deref());
    canon.maybe_text(row.user_name.as_deref());
    canon.maybe_text(row.email.as_deref());
    canon.maybe_text(row.employee_number.as_deref());
    canon.maybe_text(row.display_name.as_deref());
    canon.code(active_code(&row.active));
    if let ActiveFlag::Unparseable(raw) = &row.active {
        canon.text(raw);
    }
    canon.code(code(INVITATIONS, &row.invitation));
    canon.maybe_text(row.raw_status.as_deref());
    canon.maybe_text(row.active_source.as_deref());
    canon.maybe_list(row.roles.as_deref());
    canon.maybe_list(row.groups.as_deref());
    canon.maybe_time(row.ends_at);
    canon.maybe_time(row.created_at);
    canon.maybe_time(row.modified_at);
}

const fn active_code(flag: &ActiveFlag) -> u8 {
    match flag {
        ActiveFlag::Set(false) => active::FALSE,
        ActiveFlag::Set(true) => active::TRUE,
        ActiveFlag::Null => active::NULL,
        ActiveFlag::Absent => active::ABSENT,
        ActiveFlag::Unparseable(_) => active::UNPARSEABLE,
    }
}

pub(super) fn bind(
    row: &Account,
    bind: &mut Bind<'_, '_>,
    words: &mut Words,
) -> Result<(), StoreError> {
    let active_raw = match &row.active {
        ActiveFlag::Unparseable(raw) => Some(words.id(raw)),
        ActiveFlag::Set(_) | ActiveFlag::Null | ActiveFlag::Absent => None,
    };
    bind.cell(row.external_id.as_deref())?;
    bind.cell(row.user_name.as_deref())?;
    bind.cell(short_email(row.email.as_ref(), row.user_name.as_ref()))?;
    bind.cell(row.employee_number.as_deref())?;
    bind.cell(row.display_name.as_deref())?;
    bind.cell(active_code(&row.active))?;
    bind.cell(active_raw)?;
    bind.cell(code(INVITATIONS, &row.invitation))?;
    bind.cell(words.maybe_id(row.raw_status.as_ref()))?;
    bind.cell(words.maybe_id(row.active_source.as_ref()))?;
    bind.cell(words.list_id(row.roles.as_deref()))?;
    bind.cell(words.list_id(row.groups.as_deref()))?;
    bind.cell(maybe_ms(row.ends_at))?;
    bind.cell(maybe_ms(row.created_at))?;
    bind.cell(maybe_ms(row.modified_at))?;
    Ok(())
}

pub(super) fn read(
    cells: &mut Cells<'_, '_>,
    words: &Words,
    key: &str,
) -> Result<Account, StoreError> {
    let external_id = cells.maybe_text("external_id")?;
    let user_name = cells.maybe_text("user_name")?;
    Ok(Account {
        id: key.into(),
        external_id,
        email: cells.email("email", user_name.as_ref())?,
        user_name,
        employee_number: cells.maybe_text("employee_number")?,
        display_name: cells.maybe_text("display_name")?,
        active: read_active(cells, words)?,
        invitation: cells.code("invitation", INVITATIONS)?,
        raw_status: cells.maybe_word("raw_status", words)?,
        active_source: cells.maybe_word("active_source", words)?,
        roles: cells.maybe_words("roles", words)?,
        groups: cells.maybe_words("groups", words)?,
        ends_at: cells.maybe_time("ends_at_ms")?,
        created_at: cells.maybe_time("created_at_ms")?,
        modified_at: cells.maybe_time("modified_at_ms")?,
        last_used_at: None,
    })
}

fn read_active(cells: &mut Cells<'_, '_>, words: &Words) -> Result<ActiveFlag, StoreError> {
    let flag = cells.count("active")?;
    let raw = cells.maybe_word("active_raw", words)?;
    match (flag, raw) {
        (active::FALSE, None) => Ok(ActiveFlag::Set(false)),
        (active::TRUE, None) => Ok(ActiveFlag::Set(true)),
        (active::NULL, None) => Ok(ActiveFlag::Null),
        (active::ABSENT, None) => Ok(ActiveFlag::Absent),
        (active::UNPARSEABLE, Some(raw)) => Ok(ActiveFlag::Unparseable(raw)),
        _ => Err(cells.corrupt("active")),
    }
}
