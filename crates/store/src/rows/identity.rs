//! Users of an IdP.

use std::borrow::Cow;

use domain::Identity;

use crate::canon::{Canon, Fields};
use crate::codes::{KINDS, LIFECYCLES, code};

pub(super) fn key(row: &Identity) -> Cow<'_, str> {
    Cow::from(&*row.id)
}

pub(super) fn encode(row: &Identity, canon: &mut Canon) {
    canon.text(&row.id);
    canon.maybe_text(row.user_name.as_deref());
    canon.email(row.email.as_ref(), row.user_name.as_ref());
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

pub(super) fn decode(fields: &mut Fields<'_, '_>) -> Option<Identity> {
    let (id, user_name) = (fields.text()?, fields.maybe_text()?);
    Some(Identity {
        id,
        email: fields.email(user_name.as_ref())?,
        user_name,
        employee_number: fields.maybe_text()?,
        immutable_id: fields.maybe_text()?,
        display_name: fields.maybe_text()?,
        kind: fields.value(KINDS)?,
        lifecycle: fields.value(LIFECYCLES)?,
        raw_status: fields.maybe_raw()?,
        created_at: fields.maybe_time()?,
        status_changed_at: fields.maybe_time()?,
        starts_at: fields.maybe_time()?,
        ends_at: fields.maybe_time()?,
    })
}
