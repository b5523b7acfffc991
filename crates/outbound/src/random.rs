//! Randomness from the system: jitter, and ids that nobody can guess.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};

/// A random part of `whole`, between its half and its whole. Its whole where the system has no
/// randomness to give.
pub(crate) fn jittered(whole: Duration) -> Duration {
    let mut bytes = [0; 4];
    let part = match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    };
    Duration::try_from_secs_f64(whole.as_secs_f64() * (0.5 + part / 2.0)).unwrap_or(whole)
}

/// An id of 128 random bits, as a `jti` is (RFC 7519, 4.1.7). `None` when the system has none.
pub(crate) fn id() -> Option<String> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_between_half_and_whole() {
        let whole = Duration::from_millis(1000);
        for _ in 0..1000 {
            let part = jittered(whole);
            assert!(whole / 2 <= part && part <= whole, "{part:?}");
        }
        assert_eq!(jittered(Duration::ZERO), Duration::ZERO);
    }
}
