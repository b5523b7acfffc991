-- The ledger: an entry for each run, change and action, in a Merkle tree with checkpoints. Entries
-- and checkpoints are added and never changed; facts beside an entry can be erased.

CREATE TABLE ledger_entry (
    seq   INTEGER PRIMARY KEY, -- Its place in the tree: from 0, without holes.
    kind  TEXT NOT NULL,
    hash  BLOB NOT NULL, -- SHA-256(0x00 || entry).
    entry BLOB NOT NULL  -- Canonical JSON (RFC 8785).
) STRICT;

-- Which keys are in force is asked before every append.
CREATE INDEX ledger_entry_key ON ledger_entry (seq) WHERE kind IN ('key.added', 'key.revoked');

-- The head after each append.
CREATE TABLE checkpoint (
    size  INTEGER PRIMARY KEY, -- Entries under it.
    peaks BLOB NOT NULL,       -- The right edge of the tree: roots of its full subtrees, largest first.
    note  TEXT NOT NULL        -- The checkpoint as a signed note; without a key the text alone.
) STRICT;

-- What entries have digests of. Delete a row, and its digest says nothing any more.
CREATE TABLE disclosure (
    entry INTEGER NOT NULL REFERENCES ledger_entry (seq),
    nth   INTEGER NOT NULL, -- From 0.
    text  TEXT    NOT NULL, -- As in RFC 9901.
    PRIMARY KEY (entry, nth)
) STRICT, WITHOUT ROWID;

-- Whom the random names in entries stand for.
CREATE TABLE ledger_subject (
    name   TEXT PRIMARY KEY,
    kind   TEXT NOT NULL CHECK (kind IN ('account', 'identity', 'person')),
    system TEXT NOT NULL, -- Empty for a person who did something.
    key    TEXT NOT NULL,
    UNIQUE (kind, system, key)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER ledger_entry_no_update BEFORE UPDATE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'what is in the ledger is never changed'); END;
CREATE TRIGGER ledger_entry_no_delete BEFORE DELETE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'what is in the ledger is never deleted'); END;
CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'what is in the ledger is never changed'); END;
CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'what is in the ledger is never deleted'); END;

-- The name of this ledger, which never changes, and the first run that has an entry.
INSERT INTO meta (key, value)
VALUES ('ledger_origin', CAST('driftline/' || lower(hex(randomblob(8))) AS BLOB)),
       ('ledger_first_run', CAST((SELECT coalesce(max(id), 0) + 1 FROM run) AS BLOB));
