//! Who may use the app. The key is the principal, `u` before an identity's id, `g` before a
//! group's: an IdP lists each principal once, with all groups it comes through.

use super::canon::{Canon, Fields, Pool, Words};
use super::codes::{GRANTS, code, via};
use super::{Pack, Row, RowKey};
use crate::{Assignment, GroupRef, List, Principal, Via};

impl<T: AsRef<str>, R: AsRef<str>> Pack for Assignment<T, R> {
    type Row = Assignment;

    fn pack(&self, canon: &mut Canon<'_>) {
        pack_principal(&self.principal, canon);
        match &self.via {
            Via::Direct => canon.code(via::DIRECT),
            Via::NotStated => canon.code(via::NOT_STATED),
            Via::Groups(groups) => {
                canon.code(via::GROUPS);
                canon.count(groups.len());
                for group in groups {
                    canon.text(group.id.as_ref());
                    canon.maybe_text(group.name.as_ref());
                }
            }
        }
        canon.code(code(GRANTS, &self.grant));
        canon.maybe_text(self.raw_status.as_ref());
        canon.maybe_text(self.account_id.as_ref());
        canon.maybe_text(self.user_name.as_ref());
        canon.maybe_time(self.changed_at);
    }

    fn key(&self) -> RowKey<'_> {
        RowKey::principal(self.principal.as_ref())
    }

    fn beside(&self) {}
}

impl Row for Assignment {
    const LIST: List = List::Assignments;
    type Beside = ();
    type Of<'b, W: Words<'b>> = Assignment<W::Text, W::Raw>;

    fn unpack<'b, W: Words<'b>>(fields: &mut Fields<'b, W>, (): ()) -> Option<Self::Of<'b, W>> {
        Some(Assignment {
            principal: unpack_principal(fields)?,
            via: match fields.code()? {
                via::DIRECT => Via::Direct,
                via::NOT_STATED => Via::NotStated,
                via::GROUPS => Via::Groups(
                    fields.list(|it| Some(GroupRef { id: it.text()?, name: it.maybe_text()? }))?,
                ),
                _ => return None,
            },
            grant: fields.value(GRANTS)?,
            raw_status: fields.maybe_raw()?,
            account_id: fields.maybe_text()?,
            user_name: fields.maybe_text()?,
            changed_at: fields.maybe_time()?,
        })
    }

    fn own(row: Self::Of<'_, &mut Pool>) -> Self {
        row
    }
}

pub(super) fn pack_principal<T: AsRef<str>>(principal: &Principal<T>, canon: &mut Canon<'_>) {
    let (code, id) = match principal {
        Principal::Identity(id) => (0, id),
        Principal::Group(id) => (1, id),
    };
    canon.code(code);
    canon.text(id.as_ref());
}

pub(super) fn unpack_principal<'b, W: Words<'b>>(
    fields: &mut Fields<'b, W>,
) -> Option<Principal<W::Text>> {
    match fields.code()? {
        0 => fields.text().map(Principal::Identity),
        1 => fields.text().map(Principal::Group),
        _ => None,
    }
}
