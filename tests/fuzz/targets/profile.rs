//! Profiles of exports.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| connectors::fuzz::profile(bytes));
