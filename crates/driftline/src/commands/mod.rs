//! One file for each command: what was typed, made to mean something, and done.

pub(crate) mod completions;
pub(crate) mod config;
