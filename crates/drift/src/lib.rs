//! From graph to verdicts, and the life of a finding.
//!
//! Pure: takes `now` and policy, returns values, cannot fail. What cannot be decided is
//! [`domain::Verdict::Indeterminate`], which opens nothing and closes nothing.

mod activity;
mod case;
mod context;
mod episode;
mod fingerprint;
mod grade;
mod guard;
mod judge;
mod looks;
mod policy;
mod questions;
mod reconcile;
mod right;
mod rule;
mod rules;
mod sla;
mod verdict;

pub use case::{Case, RegisterOwner};
pub use context::{Context, Ended, Past, PastVerdict};
pub use episode::next_episode;
pub use fingerprint::fingerprint;
pub use grade::{app_grade, list_grade};
pub use guard::hard_hold;
pub use judge::{Claim, Judgement, Status, examine, judge};
pub use policy::{AppRules, Deprovision, Entitlement, Policy};
pub use questions::{ACCOUNTS_MAX, Questions, questions};
pub use reconcile::{Known, Reconciled, reconcile};
pub use right::{PersonRight, Starts};
pub use rule::{Grace, Rule, When, rule};
pub use rules::RULES;
pub use sla::{sla, started};
pub use verdict::verdict;
