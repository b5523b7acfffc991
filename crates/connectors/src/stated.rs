//! What the pages of a list say of the whole list: how long it is, and whether there is more. Only
//! compares; whether what was read is believed is the walk's to say.

use domain::Proof;

/// What the pages have said so far.
#[derive(Debug, Default)]
pub(crate) struct Stated {
    /// How many rows there are, as the first page says; `None`: it does not, or no page was read.
    total: Option<u64>,
    pub(crate) n_pages: u64,
    /// Different rows that were read.
    n_read: u64,
    /// Rows that came again behind the end of the list.
    pub(crate) n_behind: u64,
    /// What another page said that is not the same.
    other: Option<Option<u64>>,
    /// Why there may be more than the last page leads to; `None`: nothing hints at that.
    pub(crate) doubt: Option<String>,
}

impl Stated {
    /// Takes note of one page. `total`: how many rows the list has, as the page says; `None`: it
    /// does not. `n_new`: rows in it that no page before it had.
    pub(crate) fn note(&mut self, total: Option<u64>, n_new: u64) {
        if self.n_pages == 0 {
            self.total = total;
        } else if total != self.total {
            self.other = self.other.or(Some(total));
        }
        self.n_pages += 1;
        self.n_read += n_new;
    }

    /// Whether pages were read, and none states a total.
    pub(crate) const fn is_silent(&self) -> bool {
        self.n_pages > 0 && self.total.is_none() && self.other.is_none()
    }

    /// Whether as many rows were read as each page states.
    pub(crate) fn is_reached(&self) -> bool {
        self.other.is_none() && self.total == Some(self.n_read)
    }

    /// Why the list is not what it says that it is. `n_read`: rows that were read, each once.
    /// `None`: it is, or says nothing.
    pub(crate) fn contradicts(&self, n_read: u64) -> Option<String> {
        let shown =
            |it: Option<u64>| it.map_or("no total".to_owned(), |n| format!("a total of {n}"));
        if let Some(other) = self.other {
            let (one, other) = (shown(self.total), shown(other));
            return Some(format!("it states {one} on its first page and {other} on another"));
        }
        let total = self.total.filter(|it| *it != n_read)?;
        Some(format!("it states a total of {total}, and {n_read} different rows were read"))
    }

    /// Why a list that contradicts nothing is all of it.
    pub(crate) const fn proof(&self) -> Proof {
        match self.total {
            Some(_) => Proof::StatedTotal,
            None => Proof::ReadToEnd,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_as_long_as_each_of_its_pages_says_or_is_not_believed() {
        #[rustfmt::skip]
        let table: [(&[Option<u64>], u64, &str); 7] = [
            // total of each page      | read | proof, or what is wrong
            ( &[Some(5), Some(5)],       5, "stated_total" ),
            ( &[None, None],             5, "read_to_end" ),
            ( &[],                       0, "read_to_end" ),
            ( &[Some(5)],                4, "it states a total of 5, and 4 different rows were read" ),
            ( &[Some(5)],                6, "it states a total of 5, and 6 different rows were read" ),
            ( &[Some(5), Some(6)],       5, "it states a total of 5 on its first page and a total of 6 on another" ),
            ( &[Some(5), None, Some(6)], 5, "it states a total of 5 on its first page and no total on another" ),
        ];
        for (totals, n_read, want) in table {
            let mut stated = Stated::default();
            totals.iter().for_each(|it| stated.note(*it, 0));
            let proof = stated.proof().name().to_owned();
            assert_eq!(stated.contradicts(n_read).unwrap_or(proof), want);
        }
    }
}
