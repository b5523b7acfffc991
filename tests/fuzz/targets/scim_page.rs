//! Pages of SCIM users.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| connectors::fuzz::scim_page(bytes));
