//! One module for each connected system: pull, map, prove coverage.
