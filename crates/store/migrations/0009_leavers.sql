-- Every leaver of every app, as runs saw them, whether anything was the matter or not. A line is
-- added when something about one changes; the newest of app, entity and episode holds.

CREATE TABLE leaver (
    id      INTEGER PRIMARY KEY,
    run     INTEGER NOT NULL REFERENCES run (id),
    entry   INTEGER NOT NULL REFERENCES ledger_entry (seq),
    app     TEXT    NOT NULL,
    entity  INTEGER NOT NULL, -- The row that stands for them.
    episode INTEGER NOT NULL,
    record  TEXT    NOT NULL  -- JSON
) STRICT;

-- Since when the leavers of an app are listed.
CREATE TABLE leavers_begin (
    id         INTEGER PRIMARY KEY,
    run        INTEGER NOT NULL REFERENCES run (id),
    app        TEXT    NOT NULL UNIQUE,
    at_ms      INTEGER NOT NULL,
    n_left_out INTEGER NOT NULL, -- Left too long before, and off by then.
    since_ms   INTEGER NOT NULL
) STRICT;
