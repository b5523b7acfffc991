//! What is done with a connection. It is boxed, and so is its answer: what runs it is compiled once,
//! and not again for every question that the crates above ask.

use std::any::Any;

use rusqlite::Connection;

use crate::StoreError;

/// Reads or writes, and answers.
pub(crate) type Work = Box<dyn FnOnce(&Connection) -> Result<Answer, StoreError> + Send>;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Answer(Box<dyn Any + Send>);

impl Answer {
    pub(crate) fn new<T: Send + 'static>(value: T) -> Self {
        Self(Box::new(value))
    }

    /// As it was given. Asked for as another type, it is as lost as one from a store that closed.
    pub(crate) fn take<T: 'static>(self) -> Result<T, StoreError> {
        self.0.downcast().map(|value| *value).map_err(|_| StoreError::Closed)
    }
}

/// Work that answers with any value.
pub(crate) fn boxed<T: Send + 'static>(
    work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
) -> Work {
    Box::new(move |connection| work(connection).map(Answer::new))
}
