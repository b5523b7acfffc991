//! What the store keeps, gives back and refuses, on real SQLite files.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod anchors;
mod attacks;
mod copies;
mod damage;
mod entries;
mod life;
mod night;
mod opening;
mod outbox;
mod past;
mod people;
mod saving;
mod turns;
mod world;
