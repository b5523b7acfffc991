//! The cycle and when to run it.
