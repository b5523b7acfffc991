//! Leavers, as HR lists them.

use std::borrow::Cow;

use domain::HrLeaver;

use crate::canon::{Canon, Fields};

pub(super) fn key(row: &HrLeaver) -> Cow<'_, str> {
    Cow::from(&*row.id)
}

pub(super) fn encode(row: &HrLeaver, canon: &mut Canon) {
    canon.text(&row.id);
    canon.maybe_text(row.employee_number.as_deref());
    canon.maybe_text(row.email.as_deref());
    canon.maybe_text(row.display_name.as_deref());
    canon.time(row.left_at);
    canon.maybe_text(row.reason.as_deref());
}

pub(super) fn decode(fields: &mut Fields<'_, '_>) -> Option<HrLeaver> {
    Some(HrLeaver {
        id: fields.text()?,
        employee_number: fields.maybe_text()?,
        email: fields.maybe_text()?,
        display_name: fields.maybe_text()?,
        left_at: fields.time()?,
        reason: fields.maybe_text()?,
    })
}
