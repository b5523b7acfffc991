//! CSV exports of consoles.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| connectors::fuzz::csv(bytes));
