//! From graph to verdicts, and the life of a finding.
//!
//! Pure: takes `now` and policy, returns values, cannot fail. What cannot be decided is
//! [`domain::Verdict::Indeterminate`], which opens nothing and closes nothing.

mod policy;

pub use policy::{AppRules, Deprovision, Entitlement, Policy};
