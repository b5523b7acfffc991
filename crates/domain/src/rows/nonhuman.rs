//! Non-human accounts, as a register lists them. The key is the account they name.

use super::canon::{Canon, Fields, Pool, Words};
use super::{Pack, Row, RowKey};
use crate::{List, NonHuman};

impl<T: AsRef<str>> Pack for NonHuman<T> {
    type Row = NonHuman;

    fn pack(&self, canon: &mut Canon<'_>) {
        canon.text(self.account.as_ref());
        canon.maybe_text(self.owner.as_ref());
        canon.maybe_text(self.purpose.as_ref());
        canon.maybe_time(self.attest_by);
    }

    fn key(&self) -> RowKey<'_> {
        RowKey::id(self.account.as_ref())
    }

    fn beside(&self) {}
}

impl Row for NonHuman {
    const LIST: List = List::NonHumans;
    type Beside = ();
    type Of<'b, W: Words<'b>> = NonHuman<W::Text>;

    fn unpack<'b, W: Words<'b>>(fields: &mut Fields<'b, W>, (): ()) -> Option<Self::Of<'b, W>> {
        Some(NonHuman {
            account: fields.text()?,
            owner: fields.maybe_text()?,
            purpose: fields.maybe_text()?,
            attest_by: fields.maybe_time()?,
        })
    }

    fn own(row: Self::Of<'_, &mut Pool>) -> Self {
        row
    }
}
