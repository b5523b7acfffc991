//! The identity graph: correlate, explain, draw.
//!
//! Pure: values in, values out. What cannot be decided is a state of the link, never a guess.

mod keys;

pub use keys::{ExternalIdCarries, KeyRules, PersonKey};
