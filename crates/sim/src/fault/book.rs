//! Which faults are switched on, and how often each has struck. No fault is thrown away, so that
//! a test can ask in the end whether the one that it put there was met at all.

use super::{Fault, Plan};
use crate::endpoint::Endpoint;

/// The faults of one company.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    plan: Plan,
    /// Requests to its endpoint so far.
    seen: u64,
    struck: u64,
    is_on: bool,
}

impl Book {
    /// Writes a fault down; its number is for [`Book::struck`].
    pub(crate) fn add(&mut self, plan: Plan) -> usize {
        self.entries.push(Entry { plan, seen: 0, struck: 0, is_on: true });
        self.entries.len() - 1
    }

    /// Switches every fault off.
    pub(crate) fn clear(&mut self) {
        for entry in &mut self.entries {
            entry.is_on = false;
        }
    }

    /// How many requests a fault has struck.
    pub(crate) fn struck(&self, number: usize) -> u64 {
        self.entries.get(number).map_or(0, |it| it.struck)
    }

    /// The faults that strike the next request to this endpoint, in the order in which they came.
    ///
    /// One that could show nothing is passed by and waits, uncounted: what needs a page before it
    /// on the first page of a list, and whatever comes after a fault that stands in for the answer.
    pub(crate) fn strike(&mut self, endpoint: Endpoint, is_later_page: bool) -> Vec<Fault> {
        let mut found: Vec<Fault> = Vec::new();
        for entry in self.entries.iter_mut().filter(|it| it.is_on) {
            let Plan { endpoint: place, fault, when } = entry.plan;
            let needs_later =
                matches!(fault, Fault::Changes(_) | Fault::RepeatedPage | Fault::ExpiredPage);
            if !place.covers(endpoint)
                || !fault.fits(endpoint)
                || (needs_later && !is_later_page)
                || found.iter().any(|it| it.stands_in())
            {
                continue;
            }
            entry.seen += 1;
            if entry.seen > when.skip && when.times.is_none_or(|it| entry.struck < it) {
                entry.struck += 1;
                found.push(fault);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::When;

    #[test]
    fn a_fault_strikes_when_it_is_meant_to() {
        for (when, strikes) in [
            (When::always(), [true, true, true, true]),
            (When::next(2), [true, true, false, false]),
            (When::after(3), [false, false, false, true]),
            (When { skip: 1, times: Some(1) }, [false, true, false, false]),
        ] {
            let mut book = Book::default();
            let endpoint = Endpoint::OktaUsers;
            let number = book.add(Plan { endpoint, fault: Fault::Garbage, when });
            assert!(book.strike(Endpoint::OktaUser, false).is_empty(), "{when:?}");
            let struck = strikes.map(|_| !book.strike(endpoint, false).is_empty());
            assert_eq!(struck, strikes, "{when:?}");
            assert_eq!(book.struck(number), struck.iter().filter(|it| **it).count() as u64);
        }
    }

    #[test]
    fn of_two_faults_that_stand_in_for_the_answer_the_second_waits() {
        let mut book = Book::default();
        let endpoint = Endpoint::OktaUsers;
        for fault in [Fault::Garbage, Fault::EmptyObject] {
            book.add(Plan { endpoint, fault, when: When::next(1) });
        }
        let struck = [(); 3].map(|()| book.strike(endpoint, false));
        assert_eq!(struck, [vec![Fault::Garbage], vec![Fault::EmptyObject], vec![]]);
    }
}
