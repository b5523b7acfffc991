//! SQLite: one writer, read-only readers, all SQL.
