//! Pages of Okta's system log.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| connectors::fuzz::system_log(bytes));
