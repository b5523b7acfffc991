//! Where the rows of a list were, packed.

use domain::EntityId;
use domain::rows::{put_count, take_count};

/// The rows of a list in the order in which they came, each with the request and the line that it was in.
///
/// Each number is kept as the step from that of the row before: lists mostly come in the same order, and
/// then hardly anything is left of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    n_rows: u64,
    last: [i64; 3],
    steps: Vec<u8>,
}

impl Places {
    /// How many rows.
    #[must_use]
    pub const fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Each row with its request and its line.
    pub fn iter(&self) -> impl Iterator<Item = (EntityId, u32, u32)> {
        let (mut steps, mut before) = (&*self.steps, [0; 3]);
        (0..self.n_rows).map_while(move |_| step(&mut steps, &mut before))
    }

    fn push(&mut self, (entity, request, line): (EntityId, u32, u32)) {
        let now = [entity.0, request.into(), line.into()];
        for (now, last) in now.iter().zip(self.last) {
            let step = now - last;
            // Small steps up and down are small numbers.
            put_count(&mut self.steps, ((step << 1) ^ (step >> 63)).cast_unsigned());
        }
        (self.last, self.n_rows) = (now, self.n_rows + 1);
    }

    /// Writes them behind other bytes.
    pub(crate) fn put(&self, bytes: &mut Vec<u8>) {
        put_count(bytes, self.n_rows);
        bytes.extend(&self.steps);
    }

    /// Takes them off the front; `None` for bytes that are none.
    pub(crate) fn take(bytes: &mut &[u8]) -> Option<Self> {
        let n_rows = take_count(bytes)?;
        let (whole, mut last) = (*bytes, [0; 3]);
        for _ in 0..n_rows {
            step(bytes, &mut last)?;
        }
        let steps = whole.get(..whole.len() - bytes.len())?.to_vec();
        Some(Self { n_rows, last, steps })
    }
}

impl FromIterator<(EntityId, u32, u32)> for Places {
    fn from_iter<I: IntoIterator<Item = (EntityId, u32, u32)>>(rows: I) -> Self {
        let mut places = Self::default();
        rows.into_iter().for_each(|it| places.push(it));
        places
    }
}

/// The row behind the one of these numbers.
fn step(steps: &mut &[u8], before: &mut [i64; 3]) -> Option<(EntityId, u32, u32)> {
    for it in &mut *before {
        let n = take_count(steps)?;
        *it = it.checked_add((n >> 1).cast_signed() ^ -(n & 1).cast_signed())?;
    }
    let [entity, request, line] = *before;
    Some((EntityId(entity), request.try_into().ok()?, line.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_cut_off_are_none() {
        let rows = [(7, 0, 1), (8, 0, 2)].map(|(entity, at, line)| (EntityId(entity), at, line));
        let mut bytes = Vec::new();
        rows.into_iter().collect::<Places>().put(&mut bytes);
        let taken = |n: usize| Places::take(&mut bytes.get(..n).unwrap());
        assert_eq!(taken(bytes.len()).unwrap().iter().collect::<Vec<_>>(), rows);
        assert!((0..bytes.len()).all(|n| taken(n).is_none()));
    }
}
