//! The rows of the six lists, packed: one after the other in their canonical form.
//!
//! A list of a million rows is some large pieces of memory, and not ten million small ones. What
//! is looked at is unpacked; what is hashed and kept is the bytes as they lie. Each file of this
//! folder has one kind of row: how it is packed, and read again.

mod account;
mod assignment;
mod canon;
pub mod codes;
mod identity;
mod key;
mod leaver;
mod membership;
mod nonhuman;
mod table;

use std::fmt::Debug;

pub use self::canon::{AsItLies, Canon, Fields, Pool, Skim, Words, put_count, take_count};
pub use self::key::RowKey;
pub use self::table::Table;
use crate::{Account, Assignment, HrLeaver, Identity, List, Membership, NonHuman};

/// What can be packed as a row: a row, or one of which the texts are borrowed.
pub trait Pack {
    /// What it is packed as.
    type Row: Row;

    /// Writes its fields.
    fn pack(&self, canon: &mut Canon<'_>);

    /// What names it in its list.
    fn key(&self) -> RowKey<'_>;

    /// What is volatile in it, and so no part of the canonical form.
    fn beside(&self) -> <Self::Row as Row>::Beside;
}

/// A kind of row.
pub trait Row: Pack<Row = Self> + Clone + PartialEq + Debug {
    /// Of which list.
    const LIST: List;

    /// What is volatile in a row.
    type Beside: Copy + Default + PartialEq + Debug + Send + Sync;

    /// A row of which the texts are these.
    type Of<'b, W: Words<'b>>;

    /// Reads the fields; `None` for bytes that are of no such row.
    fn unpack<'b, W: Words<'b>>(
        fields: &mut Fields<'b, W>,
        beside: Self::Beside,
    ) -> Option<Self::Of<'b, W>>;

    /// With texts of its own it is the row itself.
    fn own(row: Self::Of<'_, &mut Pool>) -> Self;
}

/// A row of which the texts are borrowed from where it lies.
pub type Packed<'b, T> = <T as Row>::Of<'b, AsItLies>;

/// A row of which the texts are borrowed as bytes, and values of few kinds passed over.
pub type Skimmed<'b, T> = <T as Row>::Of<'b, Skim>;

/// The rows of one list.
#[derive(Clone, Debug, PartialEq)]
pub enum Rows {
    /// Users of an IdP.
    Identities(Table<Identity>),
    /// Who may use the app.
    Assignments(Table<Assignment>),
    /// Direct members of groups.
    Memberships(Table<Membership>),
    /// Accounts of an app.
    Accounts(Table<Account>),
    /// Registered non-human accounts.
    NonHumans(Table<NonHuman>),
    /// Leavers by HR.
    Leavers(Table<HrLeaver>),
}

/// Calls the same code for whichever kind of rows there is.
macro_rules! each_kind {
    ($rows:expr, $it:ident => $do:expr) => {
        match $rows {
            Rows::Identities($it) => $do,
            Rows::Assignments($it) => $do,
            Rows::Memberships($it) => $do,
            Rows::Accounts($it) => $do,
            Rows::NonHumans($it) => $do,
            Rows::Leavers($it) => $do,
        }
    };
}

impl Rows {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        each_kind!(self, rows => rows.len())
    }

    /// None at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Which kind of list.
    #[must_use]
    pub const fn list(&self) -> List {
        match self {
            Self::Identities(_) => List::Identities,
            Self::Assignments(_) => List::Assignments,
            Self::Memberships(_) => List::Memberships,
            Self::Accounts(_) => List::Accounts,
            Self::NonHumans(_) => List::NonHumans,
            Self::Leavers(_) => List::Leavers,
        }
    }

    /// The canonical bytes of one row; `None` behind the last.
    #[must_use]
    pub fn canonical(&self, at: usize) -> Option<&[u8]> {
        each_kind!(self, rows => rows.canonical(at))
    }

    /// The key of one row; `None` behind the last.
    #[must_use]
    pub fn key(&self, at: usize) -> Option<RowKey<'_>> {
        each_kind!(self, rows => rows.key(at))
    }

    /// Forgets what the rows say of which this is not said, by their places ([`Table::forget`]).
    pub fn forget(&mut self, stays: impl Fn(usize) -> bool) {
        each_kind!(self, rows => rows.forget(stays));
    }

    /// Whether what a row says is forgotten.
    #[must_use]
    pub fn is_forgotten(&self, at: usize) -> bool {
        each_kind!(self, rows => rows.is_forgotten(at))
    }

    /// The rows at these places, in their order.
    #[must_use]
    pub fn select(&self, places: &[usize]) -> Self {
        let places = || places.iter().copied();
        match self {
            Self::Identities(rows) => Self::Identities(rows.select(places())),
            Self::Assignments(rows) => Self::Assignments(rows.select(places())),
            Self::Memberships(rows) => Self::Memberships(rows.select(places())),
            Self::Accounts(rows) => Self::Accounts(rows.select(places())),
            Self::NonHumans(rows) => Self::NonHumans(rows.select(places())),
            Self::Leavers(rows) => Self::Leavers(rows.select(places())),
        }
    }

    /// The only row of a list, from its canonical bytes; `None` for bytes that are none.
    #[must_use]
    pub fn one(list: List, bytes: &[u8], pool: &mut Pool) -> Option<Self> {
        fn one<T: Row>(bytes: &[u8], pool: &mut Pool) -> Option<Table<T>> {
            Some([from_canonical::<T>(bytes, pool)?].into_iter().collect())
        }
        Some(match list {
            List::Identities => Self::Identities(one(bytes, pool)?),
            List::Assignments => Self::Assignments(one(bytes, pool)?),
            List::Memberships => Self::Memberships(one(bytes, pool)?),
            List::Accounts => Self::Accounts(one(bytes, pool)?),
            List::NonHumans => Self::NonHumans(one(bytes, pool)?),
            List::Leavers => Self::Leavers(one(bytes, pool)?),
        })
    }
}

/// A row from its canonical bytes, without what is volatile; `None` for bytes that are none.
#[must_use]
pub fn from_canonical<T: Row>(bytes: &[u8], pool: &mut Pool) -> Option<T> {
    let mut fields = Fields::of(bytes, T::LIST, pool)?;
    let row = T::unpack(&mut fields, T::Beside::default())?;
    fields.end()?;
    Some(T::own(row))
}

/// The key of a row, from its canonical bytes; `None` for bytes that are none.
#[must_use]
pub fn canonical_key(list: List, bytes: &[u8]) -> Option<RowKey<'_>> {
    match list {
        // Their key is the first field.
        List::Identities | List::Accounts | List::NonHumans | List::Leavers => {
            Fields::of(bytes, list, Skim)?.text().map(RowKey::id)
        }
        List::Assignments => {
            let mut fields = Fields::of(bytes, list, Skim)?;
            assignment::unpack_principal(&mut fields).map(RowKey::principal)
        }
        List::Memberships => {
            let mut fields = Fields::of(bytes, list, AsItLies)?;
            Membership::unpack(&mut fields, ()).map(|it| membership::key(&it))
        }
    }
}
