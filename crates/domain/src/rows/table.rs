//! Rows of one kind, packed.

use super::canon::{AsItLies, Canon, Fields, Pool, Skim, Words};
use super::{Pack, Packed, Row, RowKey, Skimmed, canonical_key};

/// Rows of one kind, in their order. Behind the last there is `None`.
#[derive(Clone)]
pub struct Table<T: Row> {
    /// The canonical bytes of the rows, one behind the other.
    bytes: Vec<u8>,
    /// Where each row ends.
    ends: Vec<usize>,
    /// What is volatile in each row.
    beside: Vec<T::Beside>,
}

impl<T: Row> Table<T> {
    /// How many.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// None at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Makes room for about so many more rows like those that are there, where there is so much room.
    pub fn reserve(&mut self, n: usize) {
        let n_bytes = self.bytes.len().checked_div(self.len()).unwrap_or(0).saturating_mul(n);
        let reserved = self.bytes.try_reserve(n_bytes).and_then(|()| self.ends.try_reserve(n));
        reserved.and_then(|()| self.beside.try_reserve(n)).ok(); // A hint: pushing makes room, too.
    }

    /// Adds a row behind the others.
    pub fn push(&mut self, row: &impl Pack<Row = T>) {
        row.pack(&mut Canon::begin(&mut self.bytes, T::LIST));
        self.ends.push(self.bytes.len());
        self.beside.push(row.beside());
    }

    /// Adds the rows of another behind these.
    pub fn append(&mut self, more: &Self) {
        let begins = self.bytes.len();
        self.bytes.extend(&more.bytes);
        self.ends.extend(more.ends.iter().map(|it| begins + it));
        self.beside.extend(&more.beside);
    }

    /// The canonical bytes of a row.
    #[must_use]
    pub fn canonical(&self, at: usize) -> Option<&[u8]> {
        let end = *self.ends.get(at)?;
        let begin = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.bytes.get(begin..end)
    }

    /// What names a row.
    #[must_use]
    pub fn key(&self, at: usize) -> Option<RowKey<'_>> {
        canonical_key(T::LIST, self.canonical(at)?)
    }

    /// A row.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<T> {
        self.unpack(at, &mut Pool::default())
    }

    /// The first row.
    #[must_use]
    pub fn first(&self) -> Option<T> {
        self.get(0)
    }

    /// A row as it lies, which costs no memory.
    ///
    /// # Panics
    ///
    /// Panics when what was packed cannot be read, a bug: no row is passed over.
    #[must_use]
    pub fn packed(&self, at: usize) -> Option<Packed<'_, T>> {
        self.read(at, AsItLies)
    }

    /// What can be compared of a row without reading its texts.
    ///
    /// # Panics
    ///
    /// As [`Self::packed`].
    #[must_use]
    pub fn skimmed(&self, at: usize) -> Option<Skimmed<'_, T>> {
        self.read(at, Skim)
    }

    /// A row, its values of few kinds kept in a pool.
    ///
    /// # Panics
    ///
    /// As [`Self::packed`].
    #[must_use]
    pub fn unpack(&self, at: usize, pool: &mut Pool) -> Option<T> {
        self.read(at, pool).map(T::own)
    }

    #[inline]
    fn read<'t, W: Words<'t>>(&'t self, at: usize, words: W) -> Option<T::Of<'t, W>> {
        let (bytes, beside) = (self.canonical(at)?, *self.beside.get(at)?);
        let row = Fields::of(bytes, T::LIST, words).and_then(|mut it| T::unpack(&mut it, beside));
        assert!(row.is_some(), "what was packed can be read");
        row
    }

    /// All rows.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = T> {
        let mut pool = Pool::default();
        // No row is behind the last.
        (0..self.len()).map(move |at| self.unpack(at, &mut pool).expect("it is in the table"))
    }

    /// All rows as they lie.
    pub fn iter_packed(&self) -> impl ExactSizeIterator<Item = Packed<'_, T>> {
        (0..self.len()).map(|at| self.packed(at).expect("it is in the table"))
    }

    /// All rows, of each what can be compared without reading its texts.
    pub fn iter_skimmed(&self) -> impl ExactSizeIterator<Item = Skimmed<'_, T>> {
        (0..self.len()).map(|at| self.skimmed(at).expect("it is in the table"))
    }

    /// All rows, each on its own.
    #[must_use]
    pub fn to_vec(&self) -> Vec<T> {
        self.iter().collect()
    }

    /// Changes rows: each is unpacked, and packed again.
    pub fn update(&mut self, change: impl FnMut(&mut T)) {
        let mut rows = self.to_vec();
        rows.iter_mut().for_each(change);
        *self = rows.into();
    }

    /// The rows at these places, in their order.
    #[must_use]
    pub fn select(&self, places: impl IntoIterator<Item = usize>) -> Self {
        let mut table = Self::default();
        for at in places {
            if let (Some(bytes), Some(beside)) = (self.canonical(at), self.beside.get(at)) {
                table.bytes.extend(bytes);
                table.ends.push(table.bytes.len());
                table.beside.push(*beside);
            }
        }
        table
    }

    /// Leaves out the rows of which this is not said, by their places.
    pub fn keep(&mut self, stays: impl Fn(usize) -> bool) {
        if (0..self.len()).any(|at| !stays(at)) {
            *self = self.select((0..self.len()).filter(|at| stays(*at)));
        }
    }

    /// Forgets what the rows say of which this is not said, by their places. They stay where they are, and
    /// what is volatile in them: to unpack one is a bug, and panics.
    pub fn forget(&mut self, stays: impl Fn(usize) -> bool) {
        let mut kept = Vec::new();
        let mut ends = Vec::with_capacity(self.len());
        for (at, bytes) in (0..self.len()).map_while(|at| Some((at, self.canonical(at)?))) {
            if stays(at) {
                kept.extend(bytes);
            }
            ends.push(kept.len());
        }
        (self.bytes, self.ends) = (kept, ends);
    }

    /// Whether what a row says is forgotten.
    #[must_use]
    pub fn is_forgotten(&self, at: usize) -> bool {
        self.canonical(at).is_some_and(<[u8]>::is_empty)
    }

    /// What is volatile in each row, in their order.
    #[must_use]
    pub fn beside(&self) -> &[T::Beside] {
        &self.beside
    }

    /// Sets what is volatile in a row.
    pub fn set_beside(&mut self, at: usize, beside: T::Beside) {
        if let Some(it) = self.beside.get_mut(at) {
            *it = beside;
        }
    }
}

impl<T: Row> Default for Table<T> {
    fn default() -> Self {
        Self { bytes: Vec::new(), ends: Vec::new(), beside: Vec::new() }
    }
}

impl<T: Row> std::fmt::Debug for Table<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = (0..self.len()).filter(|at| !self.is_forgotten(*at));
        f.debug_list().entries(said.filter_map(|at| self.get(at))).finish()
    }
}

impl<T: Row> PartialEq for Table<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.ends == other.ends && self.beside == other.beside
    }
}

impl<T: Row> Extend<T> for Table<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, rows: I) {
        rows.into_iter().for_each(|it| self.push(&it));
    }
}

impl<T: Row> FromIterator<T> for Table<T> {
    fn from_iter<I: IntoIterator<Item = T>>(rows: I) -> Self {
        let mut table = Self::default();
        table.extend(rows);
        table
    }
}

impl<T: Row> From<Vec<T>> for Table<T> {
    fn from(rows: Vec<T>) -> Self {
        rows.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Account, ActiveFlag, Invitation, List, Rows};

    fn account(id: &str, user_name: Option<&str>, ms: i64) -> Account {
        Account {
            id: id.into(),
            external_id: None,
            user_name: user_name.map(Into::into),
            email: user_name.map(Into::into),
            employee_number: None,
            display_name: Some("".into()),
            active: ActiveFlag::Unparseable("ja".into()),
            invitation: Invitation::NotSent,
            raw_status: Some("active".into()),
            active_source: None,
            roles: Some(vec!["admin".into(), "".into()]),
            groups: Some(Vec::new()),
            ends_at: None,
            created_at: chrono::DateTime::from_timestamp_millis(ms),
            modified_at: None,
            last_used_at: chrono::DateTime::from_timestamp_millis(-ms),
        }
    }

    fn accounts() -> impl Strategy<Value = Vec<Account>> {
        let one = (
            "[a-cé]{0,2}",
            prop::option::of("\\PC{0,200}"),
            -9_999_999_999_999_i64..9_999_999_999_999,
        );
        let one = one.prop_map(|(id, user_name, ms): (String, Option<String>, i64)| {
            account(&id, user_name.as_deref(), ms)
        });
        prop::collection::vec(one, 0..20)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        /// What is packed comes out as it was, by place and in order, also of a part of the rows.
        #[test]
        fn rows_come_out_as_they_were(rows in accounts(), more in accounts(), bits in any::<u32>()) {
            let stays = |at: usize| bits & (1 << at) != 0;
            let mut table = Table::from(rows.clone());
            prop_assert_eq!(table.to_vec(), &rows[..]);
            for at in 0..=rows.len() {
                prop_assert_eq!(table.get(at), rows.get(at).cloned());
                prop_assert_eq!(table.packed(at).map(|it| it.id.to_owned()), rows.get(at).map(|it| it.id.to_string()));
            }
            let again: Table<Account> = {
                let mut again = Table::default();
                table.iter_packed().for_each(|it| again.push(&it));
                again
            };
            prop_assert_eq!(&again, &table);
            let mut forgetful = table.clone();
            forgetful.forget(stays);
            prop_assert_eq!(forgetful.len(), rows.len());
            prop_assert_eq!(forgetful.beside(), table.beside());
            for (at, row) in rows.iter().enumerate() {
                prop_assert_eq!(forgetful.is_forgotten(at), !stays(at));
                if stays(at) {
                    prop_assert_eq!(&forgetful.get(at), &Some(row.clone()));
                }
            }
            table.keep(stays);
            let kept = (0..rows.len()).filter(|at| stays(*at)).map(|at| rows[at].clone());
            prop_assert_eq!(table.to_vec(), kept.clone().collect::<Vec<_>>());
            table.append(&more.clone().into());
            prop_assert_eq!(table.to_vec(), kept.chain(more).collect::<Vec<_>>());
        }

        /// Two rows have one key exactly when their ids are one, and keys sort as ids do.
        #[test]
        fn keys_are_those_of_ids(rows in accounts()) {
            let table = Table::from(rows.clone());
            let all = Rows::Accounts(table.clone());
            for (one, row) in rows.iter().enumerate() {
                prop_assert_eq!(all.key(one).map(|it| it.to_string()), Some(row.id.to_string()));
                prop_assert!(all.key(one).is_some_and(|it| it.is(row.id.as_bytes()) && it.is_text()));
                for (other, with) in rows.iter().enumerate() {
                    prop_assert_eq!(table.key(one) == table.key(other), row.id == with.id);
                    prop_assert_eq!(all.key(one).cmp(&all.key(other)), row.id.cmp(&with.id));
                }
            }
        }
    }

    #[test]
    fn what_is_volatile_is_no_part_of_the_bytes() {
        let used = |ms| {
            Table::from(vec![Account {
                last_used_at: chrono::DateTime::from_timestamp_millis(ms),
                ..account("a", None, 1)
            }])
        };
        assert_eq!(used(1).canonical(0), used(2).canonical(0));
        assert_ne!(used(1), used(2));
        let one = Rows::one(List::Accounts, used(1).canonical(0).unwrap(), &mut Pool::default());
        assert_eq!(
            one,
            Some(Rows::Accounts(Table::from(vec![Account {
                last_used_at: None,
                ..account("a", None, 1)
            }])))
        );
        assert_eq!(
            Rows::one(List::Identities, used(1).canonical(0).unwrap(), &mut Pool::default()),
            None
        );
    }
}
