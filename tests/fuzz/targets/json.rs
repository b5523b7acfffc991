//! JSON exports of consoles and APIs.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| connectors::fuzz::json(bytes));
