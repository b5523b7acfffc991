//! Settings files. The program is no library: the modules that read settings are compiled in here.
#![no_main]
#![expect(dead_code, unused_imports, reason = "the program uses the rest")]

#[path = "../../../crates/driftline/src/clock.rs"]
mod clock;
#[path = "../../../crates/driftline/src/nearest.rs"]
mod nearest;
#[path = "../../../crates/driftline/src/settings/mod.rs"]
mod settings;
#[path = "../../../crates/driftline/src/when.rs"]
mod when;

/// As the program names itself.
const SOFTWARE: &str = "driftline 0.0.0";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| settings::fuzz::settings(bytes));
