//! Links that a server says to follow.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| outbound::fuzz::next_address(bytes));
