//! Each kind of place, as it answers and as it refuses: real folders, real git repositories,
//! stamps by openssl, and a bucket that says what the API reference says.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bucket;
mod folder;
mod repository;
mod server;
mod stamp;

use anchors::{Anchor, Made, NotMade, Parcel, Place};
use ledger::Checkpoint;

/// A checkpoint over so many entries, taken in the first night.
pub(crate) fn parcel(size: u64) -> Parcel {
    let checkpoint = Checkpoint { origin: "driftline/1a2b".to_owned(), size, root: [7; 32] };
    let note = checkpoint.to_string();
    Parcel { checkpoint, note, at: "2026-11-19T02:00:00Z".parse().unwrap() }
}

/// Takes it there.
pub(crate) async fn take(place: Place, parcel: &Parcel) -> Result<Made, NotMade> {
    Anchor { name: "a".into(), place }.make(parcel).await
}
