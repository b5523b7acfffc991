//! One file for each command: what was typed, made to mean something, and done.

pub(crate) mod alert;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod daemon;
pub(crate) mod db;
pub(crate) mod doctor;
pub(crate) mod erase;
pub(crate) mod evidence;
pub(crate) mod explain;
pub(crate) mod findings;
pub(crate) mod guard;
pub(crate) mod hold;
pub(crate) mod ledger;
pub(crate) mod probe;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod schedule;

#[cfg(test)]
mod sample;
