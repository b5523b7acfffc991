//! How sure a report can be.

use crate::named;

named! {
    /// Coverage of one app or IdP in one run.
    pub enum Grade {
        /// Complete and fresh on both sides, canaries seen, suspects asked again.
        A = "A",
        /// Complete, not asked again, or on the operator's word.
        B = "B",
        /// Partial.
        C = "C",
        /// No data.
        F = "F",
    }
}

impl Grade {
    /// Returns true when "0 findings" may be said; else it reads "not proven".
    #[must_use]
    pub const fn proves_absence(self) -> bool {
        matches!(self, Self::A | Self::B)
    }
}
