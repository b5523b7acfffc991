//! Non-human accounts, as a register lists them. The key is the account they name.

use std::borrow::Cow;

use domain::NonHuman;

use crate::canon::{Canon, Fields};

pub(super) fn key(row: &NonHuman) -> Cow<'_, str> {
    Cow::from(&*row.account)
}

pub(super) fn encode(row: &NonHuman, canon: &mut Canon) {
    canon.text(&row.account);
    canon.maybe_text(row.owner.as_deref());
    canon.maybe_text(row.purpose.as_deref());
    canon.maybe_time(row.attest_by);
}

pub(super) fn decode(fields: &mut Fields<'_, '_>) -> Option<NonHuman> {
    Some(NonHuman {
        account: fields.text()?,
        owner: fields.maybe_text()?,
        purpose: fields.maybe_text()?,
        attest_by: fields.maybe_time()?,
    })
}
