//! Runs of which nothing was saved, on their way into the ledger.

use chrono::{DateTime, Utc};

/// Runs in a row that failed and that the ledger was not told of yet: one, where it can be told at
/// once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRuns {
    /// How many.
    pub n: u64,
    /// When the first of them began.
    pub first_began: DateTime<Utc>,
    /// When the last of them began.
    pub last_began: DateTime<Utc>,
    /// When the last of them ended.
    pub last_ended: DateTime<Utc>,
    /// Why the last of them failed.
    pub why: String,
}

impl FailedRuns {
    /// One run.
    #[must_use]
    pub const fn one(began: DateTime<Utc>, ended: DateTime<Utc>, why: String) -> Self {
        Self { n: 1, first_began: began, last_began: began, last_ended: ended, why }
    }

    /// This one, after those before it.
    #[must_use]
    pub fn after(self, before: Option<Self>) -> Self {
        match before {
            Some(before) => Self { n: self.n + before.n, first_began: before.first_began, ..self },
            None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_could_not_be_told_one_by_one_are_told_together() {
        let at = |minutes: i64| DateTime::UNIX_EPOCH + chrono::TimeDelta::minutes(minutes);
        let one =
            |minutes, why: &str| FailedRuns::one(at(minutes), at(minutes + 1), why.to_owned());
        let all = one(30, "c").after(Some(one(15, "b").after(Some(one(0, "a").after(None)))));
        assert_eq!(
            (all.n, all.first_began, all.last_began, all.last_ended),
            (3, at(0), at(30), at(31))
        );
        assert_eq!(all.why, "c");
    }
}
