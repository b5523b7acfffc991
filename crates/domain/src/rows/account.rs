//! Accounts of an app. The last use is volatile: it is no part of the canonical form, and lies beside it.

use chrono::{DateTime, Utc};

use super::canon::{Canon, Fields, Pool, Words};
use super::codes::{INVITATIONS, active, code};
use super::{Pack, Row, RowKey};
use crate::{Account, ActiveFlag, List};

impl<T: AsRef<str>, R: AsRef<str>> Pack for Account<T, R> {
    type Row = Account;

    fn pack(&self, canon: &mut Canon<'_>) {
        canon.text(self.id.as_ref());
        canon.maybe_text(self.external_id.as_ref());
        canon.maybe_text(self.user_name.as_ref());
        canon.email(self.email.as_ref(), self.user_name.as_ref());
        canon.maybe_text(self.employee_number.as_ref());
        canon.maybe_text(self.display_name.as_ref());
        pack_active(&self.active, canon);
        canon.code(code(INVITATIONS, &self.invitation));
        canon.maybe_text(self.raw_status.as_ref());
        canon.maybe_text(self.active_source.as_ref());
        canon.maybe_list(self.roles.as_deref());
        canon.maybe_list(self.groups.as_deref());
        canon.maybe_time(self.ends_at);
        canon.maybe_time(self.created_at);
        canon.maybe_time(self.modified_at);
    }

    fn key(&self) -> RowKey<'_> {
        RowKey::id(self.id.as_ref())
    }

    fn beside(&self) -> Option<DateTime<Utc>> {
        self.last_used_at
    }
}

impl Row for Account {
    const LIST: List = List::Accounts;
    type Beside = Option<DateTime<Utc>>;
    type Of<'b, W: Words<'b>> = Account<W::Text, W::Raw>;

    fn unpack<'b, W: Words<'b>>(
        fields: &mut Fields<'b, W>,
        last_used_at: Self::Beside,
    ) -> Option<Self::Of<'b, W>> {
        let (id, external_id) = (fields.text()?, fields.maybe_text()?);
        let user_name = fields.maybe_text()?;
        Some(Account {
            id,
            external_id,
            email: fields.email(user_name.as_ref())?,
            user_name,
            employee_number: fields.maybe_text()?,
            display_name: fields.maybe_text()?,
            active: unpack_active(fields)?,
            invitation: fields.value(INVITATIONS)?,
            raw_status: fields.maybe_raw()?,
            active_source: fields.maybe_raw()?,
            roles: fields.maybe_list()?,
            groups: fields.maybe_list()?,
            ends_at: fields.maybe_time()?,
            created_at: fields.maybe_time()?,
            modified_at: fields.maybe_time()?,
            last_used_at,
        })
    }

    fn own(row: Self::Of<'_, &mut Pool>) -> Self {
        row
    }
}

fn pack_active<R: AsRef<str>>(flag: &ActiveFlag<R>, canon: &mut Canon<'_>) {
    canon.code(match flag {
        ActiveFlag::Set(false) => active::FALSE,
        ActiveFlag::Set(true) => active::TRUE,
        ActiveFlag::Null => active::NULL,
        ActiveFlag::Absent => active::ABSENT,
        ActiveFlag::Unparseable(_) => active::UNPARSEABLE,
    });
    if let ActiveFlag::Unparseable(raw) = flag {
        canon.text(raw.as_ref());
    }
}

fn unpack_active<'b, W: Words<'b>>(fields: &mut Fields<'b, W>) -> Option<ActiveFlag<W::Raw>> {
    match fields.code()? {
        active::FALSE => Some(ActiveFlag::Set(false)),
        active::TRUE => Some(ActiveFlag::Set(true)),
        active::NULL => Some(ActiveFlag::Null),
        active::ABSENT => Some(ActiveFlag::Absent),
        active::UNPARSEABLE => fields.raw().map(ActiveFlag::Unparseable),
        _ => None,
    }
}
