//! Compressed bodies.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| outbound::fuzz::body(bytes));
