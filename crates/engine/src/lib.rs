//! The cycle: pull, correlate, judge, keep, tell.
//!
//! The only crate that knows all the others' order. It decides nothing about people itself, and
//! what it saves it saves in one transaction.

mod anchor;
mod ask;
mod attend;
mod back;
mod blind;
mod confirm;
mod deliver;
mod deprovision;
mod enclose;
mod entries;
mod episodes;
mod erasure;
mod estate;
mod eyes;
mod gaps;
mod inputs;
mod inspect;
mod leavers;
mod lists;
mod look;
mod outage;
mod plain;
mod plan;
mod pull;
mod record;
mod rederive;
mod root_cause;
mod run;
mod schedule;
mod selfcheck;

pub use anchor::{Anchored, anchor};
pub use attend::{Ran, Wakes, Work, attend};
pub use deliver::{Deliveries, deliver};
pub use deprovision::deprovision_of;
pub use erasure::{Retention, refusals};
pub use inspect::{Answer, inspect};
pub use plan::{AppPlan, Plan, Source};
pub use record::LIMITS;
pub use rederive::{Rederived, rederive};
pub use run::{Outcome, run};
pub use schedule::{Due, MISSED_MAX, Schedule, ScheduleError};

/// Of every program that runs the engine: a run of a hundred thousand people is mostly small
/// allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
