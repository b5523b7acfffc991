//! What must hold whatever a settings file says: for the fuzzer under `tests/fuzz` and for the test
//! below, which reads again what it kept. Never part of the program.

use std::path::Path;

use connectors::files::Profiles;

use super::{advice, understand};

/// A settings file: it is understood, or what is wrong with it is said.
pub(crate) fn settings(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    match understand(Path::new("/etc/driftline/driftline.toml"), text) {
        Ok(settings) => {
            let profiles = Profiles::builtin().expect("the profiles in the program");
            drop(advice(&settings, &profiles));
        }
        Err(error) => {
            let told = error.to_string();
            assert!(told.contains("/etc/driftline/driftline.toml"), "it does not say which file");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_fuzzer_kept_still_holds() {
        testkit::replay("settings", settings);
    }
}
