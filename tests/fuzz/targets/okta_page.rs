//! Pages of Okta's users and app users.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| connectors::fuzz::okta_page(bytes));
