//! Accounts of an app. The last use is volatile: it is no part of the row, and has its own table.

use std::borrow::Cow;

use domain::{Account, ActiveFlag};

use crate::canon::{Canon, Fields};
use crate::codes::{INVITATIONS, active, code};

pub(super) fn key(row: &Account) -> Cow<'_, str> {
    Cow::from(&*row.id)
}

pub(super) fn encode(row: &Account, canon: &mut Canon) {
    canon.text(&row.id);
    canon.maybe_text(row.external_id.as_deref());
    canon.maybe_text(row.user_name.as_deref());
    canon.email(row.email.as_ref(), row.user_name.as_ref());
    canon.maybe_text(row.employee_number.as_deref());
    canon.maybe_text(row.display_name.as_deref());
    encode_active(&row.active, canon);
    canon.code(code(INVITATIONS, &row.invitation));
    canon.maybe_text(row.raw_status.as_deref());
    canon.maybe_text(row.active_source.as_deref());
    canon.maybe_list(row.roles.as_deref());
    canon.maybe_list(row.groups.as_deref());
    canon.maybe_time(row.ends_at);
    canon.maybe_time(row.created_at);
    canon.maybe_time(row.modified_at);
}

fn encode_active(flag: &ActiveFlag, canon: &mut Canon) {
    canon.code(match flag {
        ActiveFlag::Set(false) => active::FALSE,
        ActiveFlag::Set(true) => active::TRUE,
        ActiveFlag::Null => active::NULL,
        ActiveFlag::Absent => active::ABSENT,
        ActiveFlag::Unparseable(_) => active::UNPARSEABLE,
    });
    if let ActiveFlag::Unparseable(raw) = flag {
        canon.text(raw);
    }
}

pub(super) fn decode(fields: &mut Fields<'_, '_>) -> Option<Account> {
    let (id, external_id) = (fields.text()?, fields.maybe_text()?);
    let user_name = fields.maybe_text()?;
    Some(Account {
        id,
        external_id,
        email: fields.email(user_name.as_ref())?,
        user_name,
        employee_number: fields.maybe_text()?,
        display_name: fields.maybe_text()?,
        active: decode_active(fields)?,
        invitation: fields.value(INVITATIONS)?,
        raw_status: fields.maybe_raw()?,
        active_source: fields.maybe_raw()?,
        roles: fields.maybe_list()?,
        groups: fields.maybe_list()?,
        ends_at: fields.maybe_time()?,
        created_at: fields.maybe_time()?,
        modified_at: fields.maybe_time()?,
        last_used_at: None,
    })
}

fn decode_active(fields: &mut Fields<'_, '_>) -> Option<ActiveFlag> {
    match fields.code()? {
        active::FALSE => Some(ActiveFlag::Set(false)),
        active::TRUE => Some(ActiveFlag::Set(true)),
        active::NULL => Some(ActiveFlag::Null),
        active::ABSENT => Some(ActiveFlag::Absent),
        active::UNPARSEABLE => fields.raw().map(ActiveFlag::Unparseable),
        _ => None,
    }
}
