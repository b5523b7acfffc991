//! From graph to verdicts, and the life of a finding.
//!
//! Pure: takes `now` and policy, returns values, cannot fail. What cannot be decided is
//! [`domain::Verdict::Indeterminate`], which opens nothing and closes nothing.

mod activity;
mod case;
mod claimed;
mod context;
mod deadline;
mod disposition;
mod doubts;
mod ending;
mod episode;
mod fingerprint;
mod grade;
mod guard;
mod hr;
mod judge;
mod leaver_record;
mod leavers;
mod looks;
mod mass_change;
mod policy;
mod push;
mod questions;
mod reconcile;
mod right;
mod rule;
mod rules;
mod second_look;
mod sla;
mod starts;
mod stretch;
mod time_to_deactivate;
mod verdict;
mod word;

pub use case::{Case, RegisterOwner};
pub use context::{Context, Ended, Past, PastVerdict, Push, SaidLeft};
pub use disposition::{ACKNOWLEDGED_MAX, Disposed, dispose};
pub use doubts::doubts;
pub use episode::next_episode;
pub use fingerprint::fingerprint;
pub use grade::{app_grade, list_grade};
pub use guard::{HardHold, hard_hold, is_for_canaries, list_release};
pub use judge::{Claim, Judgement, Status, examine, judge};
pub use leaver_record::{LOOK_BACK, LeaverContext, is_same_leave};
pub use leavers::{AccountSeen, LeaverSeen};
pub use mass_change::{USUAL_DAYS, holds, released};
pub use policy::{AppRules, Deprovision, Entitlement, Guard, Policy};
pub use questions::{ACCOUNTS_MAX, Questions, questions};
pub use reconcile::{Known, Reconciled, reconcile};
pub use right::PersonRight;
pub use rule::{Grace, Rule, When, rule};
pub use rules::RULES;
pub use sla::{sla, started};
pub use starts::Starts;
pub use time_to_deactivate::time_to_deactivate;
pub use verdict::verdict;
