//! The whole program: the binary as an operator runs it, on real files in a folder of its own.
//!
//! One file per topic. Nothing is faked, nothing is waited for, and the environment is empty.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod alerts;
mod anchors;
mod apps;
mod auditor;
mod bad_input;
mod bad_store;
mod company;
mod contract;
mod crash;
mod daemon;
mod decisions;
mod deprovision;
mod entra;
mod erasure;
mod evidence;
mod firm;
mod leaves;
mod ledger;
mod life;
mod light;
mod live;
mod onelogin;
mod partial;
mod probe;
mod pushes;
mod quickstart;
mod rederive;
mod root_cause;
mod same_file;
mod secureframe;
mod site;
mod telling;
mod tidy;
mod told_in_the_end;
mod two_apps;
mod two_providers;
mod two_views;
