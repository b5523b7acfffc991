//! The identity graph: correlate, explain, draw.
//!
//! Pure: values in, values out. What cannot be decided is a state of the link, never a guess.

mod accounts;
mod correlate;
mod estate;
mod explain;
mod identity_graph;
mod index;
mod keys;
mod leaver;
mod marks;
mod neighbourhood;
mod node;
mod person;

pub use accounts::AccountView;
pub use correlate::{Ghost, Trial};
pub use estate::{Estate, IdpView, ListView, Sighting, SnapshotView, Standing};
pub use identity_graph::{IdentityGraph, Leaving, correlate};
pub use keys::{ExternalIdCarries, KeyRules, PersonKey};
pub use leaver::{Unnamed, last_leaves};
pub use marks::{Marks, NOBODY};
pub use neighbourhood::Neighbourhood;
pub use node::{Edge, Key, KeyKind, Node};
