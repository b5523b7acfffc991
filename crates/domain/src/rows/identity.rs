//! Users of an IdP.

use super::canon::{Canon, Fields, Pool, Words};
use super::codes::{KINDS, LIFECYCLES, code};
use super::{Pack, Row, RowKey};
use crate::{Identity, List};

impl<T: AsRef<str>, R: AsRef<str>> Pack for Identity<T, R> {
    type Row = Identity;

    fn pack(&self, canon: &mut Canon<'_>) {
        canon.text(self.id.as_ref());
        canon.maybe_text(self.user_name.as_ref());
        canon.email(self.email.as_ref(), self.user_name.as_ref());
        canon.maybe_text(self.employee_number.as_ref());
        canon.maybe_text(self.immutable_id.as_ref());
        canon.maybe_text(self.display_name.as_ref());
        canon.code(code(KINDS, &self.kind));
        canon.code(code(LIFECYCLES, &self.lifecycle));
        canon.maybe_text(self.raw_status.as_ref());
        canon.maybe_time(self.created_at);
        canon.maybe_time(self.status_changed_at);
        canon.maybe_time(self.starts_at);
        canon.maybe_time(self.ends_at);
    }

    fn key(&self) -> RowKey<'_> {
        RowKey::id(self.id.as_ref())
    }

    fn beside(&self) {}
}

impl Row for Identity {
    const LIST: List = List::Identities;
    type Beside = ();
    type Of<'b, W: Words<'b>> = Identity<W::Text, W::Raw>;

    fn unpack<'b, W: Words<'b>>(fields: &mut Fields<'b, W>, (): ()) -> Option<Self::Of<'b, W>> {
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

    fn own(row: Self::Of<'_, &mut Pool>) -> Self {
        row
    }
}
