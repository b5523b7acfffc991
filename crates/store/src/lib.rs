//! SQLite: one writer, read-only readers, all SQL.
//!
//! A run loads the [`State`] that earlier runs left, sets its lists against it with
//! [`State::enrol`], and saves everything it saw and concluded with one [`Store::commit`]: all
//! of it, or none. Rows of lists are versions, so that any snapshot reads back exactly.
//!
//! Never here: what the rows mean. Nothing is judged, and nothing that was seen is changed.

mod again;
mod anchor;
mod audit;
mod body;
mod cells;
mod channel;
mod codes;
mod commit;
mod conclusion;
mod conclusions;
mod deprovision;
mod disposition;
mod enrol;
mod entry;
mod erase;
mod error;
mod finding;
mod guard;
mod head;
mod health;
mod inputs;
mod known;
mod leaver;
mod load;
mod log;
mod moment;
mod notice;
mod observation;
mod open;
mod outbox;
mod overwritten;
mod past;
mod people;
mod places;
mod probe;
mod readers;
mod report;
mod rows;
mod said;
mod saving;
mod snapshot;
mod state;
mod store;
mod subject;
mod tails;
mod turn;
mod unseen;
mod verify;
mod work;
mod writer;

pub use again::{Before, PastRun};
pub use anchor::{AnchorLine, AnchorSettled, AnchorState, DueAnchor};
pub use audit::Held;
pub use channel::ChannelHealth;
pub use commit::{Commit, Judged, LinkChange, RunSummary, Told};
pub use conclusions::Difference;
pub use disposition::Disposal;
pub use enrol::{Digested, Enrolled};
pub use erase::{Erased, ErasedCounts, ErasureRow, ErasureScope, HeldOn, LegalHold, Meant};
pub use error::{Refusal, StoreError};
pub use finding::FindingChanges;
pub use guard::NewRelease;
pub use health::{Requested, Sizes};
pub use inputs::{Inputs, ListInput, TroubleInput};
pub use known::{Known, KnownRows, OpenVersion};
pub use leaver::LeaverLine;
pub use log::LogPart;
pub use outbox::{DeliveryLine, Due, FirstTold, Outages, Settled, Stuck, Waiting};
pub use past::{Gone, Seen, StoredSnapshot, StoredVersion};
pub use people::NewWaiver;
pub use places::Places;
pub use report::RunLine;
pub use saving::Saving;
pub use state::{DeadChannel, Standing, State, StoredLink, StreamState};
pub use store::{Running, Store};
pub use turn::Turns;
