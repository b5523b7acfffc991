//! Leavers, as HR lists them.

use super::canon::{Canon, Fields, Pool, Words};
use super::{Pack, Row, RowKey};
use crate::{HrLeaver, List};

impl<T: AsRef<str>> Pack for HrLeaver<T> {
    type Row = HrLeaver;

    fn pack(&self, canon: &mut Canon<'_>) {
        canon.text(self.id.as_ref());
        canon.maybe_text(self.employee_number.as_ref());
        canon.maybe_text(self.email.as_ref());
        canon.maybe_text(self.display_name.as_ref());
        canon.time(self.left_at);
        canon.maybe_text(self.reason.as_ref());
    }

    fn key(&self) -> RowKey<'_> {
        RowKey::id(self.id.as_ref())
    }

    fn beside(&self) {}
}

impl Row for HrLeaver {
    const LIST: List = List::Leavers;
    type Beside = ();
    type Of<'b, W: Words<'b>> = HrLeaver<W::Text>;

    fn unpack<'b, W: Words<'b>>(fields: &mut Fields<'b, W>, (): ()) -> Option<Self::Of<'b, W>> {
        Some(HrLeaver {
            id: fields.text()?,
            employee_number: fields.maybe_text()?,
            email: fields.maybe_text()?,
            display_name: fields.maybe_text()?,
            left_at: fields.time()?,
            reason: fields.maybe_text()?,
        })
    }

    fn own(row: Self::Of<'_, &mut Pool>) -> Self {
        row
    }
}
