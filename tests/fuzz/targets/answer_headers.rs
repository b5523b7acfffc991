//! Headers that say how fast.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| outbound::fuzz::answer_headers(bytes));
