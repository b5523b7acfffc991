//! Direct members of groups. The key is the group's id, a separator, and the member's key.

use super::assignment::{pack_principal, unpack_principal};
use super::canon::{Canon, Fields, Pool, Words};
use super::{Pack, Row, RowKey};
use crate::{List, Membership};

/// Between group and member.
const SEPARATOR: char = '\u{1e}';

impl<T: AsRef<str>> Pack for Membership<T> {
    type Row = Membership;

    fn pack(&self, canon: &mut Canon<'_>) {
        canon.text(self.group.as_ref());
        pack_principal(&self.member, canon);
    }

    fn key(&self) -> RowKey<'_> {
        key(&Membership { group: self.group.as_ref(), member: self.member.as_ref() })
    }

    fn beside(&self) {}
}

impl Row for Membership {
    const LIST: List = List::Memberships;
    type Beside = ();
    type Of<'b, W: Words<'b>> = Membership<W::Text>;

    fn unpack<'b, W: Words<'b>>(fields: &mut Fields<'b, W>, (): ()) -> Option<Self::Of<'b, W>> {
        Some(Membership { group: fields.text()?, member: unpack_principal(fields)? })
    }

    fn own(row: Self::Of<'_, &mut Pool>) -> Self {
        row
    }
}

/// The key of a membership.
pub(super) fn key<'b>(row: &Membership<&str>) -> RowKey<'b> {
    format!("{}{SEPARATOR}{}", row.group, RowKey::principal(row.member)).into()
}
