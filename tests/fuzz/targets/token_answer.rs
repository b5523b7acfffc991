//! Answers of token endpoints.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| outbound::fuzz::token_answer(bytes));
