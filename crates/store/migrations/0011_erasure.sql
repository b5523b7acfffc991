-- What was erased of people, and whose rows are kept because of a legal hold.

-- One line for each thing that is kept as a digest alone, or was written again without what named
-- them. The entry of the ledger has the SHA-256 over its lines.
CREATE TABLE erased (
    entry INTEGER NOT NULL REFERENCES ledger_entry (seq),
    what  TEXT    NOT NULL CHECK (what IN ('body', 'report', 'version')),
    id    INTEGER NOT NULL, -- The raw row, the run of the report, the version of a row.
    was   BLOB    NOT NULL, -- SHA-256 of a raw row or a report as it was, and the hash of a row.
    now   BLOB, -- SHA-256 of a report as it is; NULL: only the digest is left.
    PRIMARY KEY (entry, what, id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER erased_no_update BEFORE UPDATE ON erased
BEGIN SELECT RAISE(ABORT, 'what was erased is never changed'); END;
CREATE TRIGGER erased_no_delete BEFORE DELETE ON erased
BEGIN SELECT RAISE(ABORT, 'what was erased is never deleted'); END;

CREATE TABLE legal_hold (
    id     INTEGER PRIMARY KEY,
    entity INTEGER NOT NULL, -- A row of theirs.
    reason TEXT    NOT NULL,
    by     TEXT    NOT NULL,
    at_ms  INTEGER NOT NULL,
    place  TEXT    NOT NULL
) STRICT;

-- Somebody asks to lift a hold; it falls when somebody else approves.
CREATE TABLE legal_hold_lift (
    hold   INTEGER PRIMARY KEY REFERENCES legal_hold (id),
    reason TEXT    NOT NULL,
    by     TEXT    NOT NULL,
    at_ms  INTEGER NOT NULL,
    place  TEXT    NOT NULL
) STRICT;

CREATE TABLE legal_hold_lifted (
    hold  INTEGER PRIMARY KEY REFERENCES legal_hold (id),
    by    TEXT    NOT NULL,
    at_ms INTEGER NOT NULL,
    place TEXT    NOT NULL
) STRICT;

CREATE TRIGGER legal_hold_no_update BEFORE UPDATE ON legal_hold
BEGIN SELECT RAISE(ABORT, 'what a person did is never changed'); END;
CREATE TRIGGER legal_hold_no_delete BEFORE DELETE ON legal_hold
BEGIN SELECT RAISE(ABORT, 'what a person did is never deleted'); END;
CREATE TRIGGER legal_hold_lift_no_update BEFORE UPDATE ON legal_hold_lift
BEGIN SELECT RAISE(ABORT, 'what a person did is never changed'); END;
CREATE TRIGGER legal_hold_lift_no_delete BEFORE DELETE ON legal_hold_lift
BEGIN SELECT RAISE(ABORT, 'what a person did is never deleted'); END;
CREATE TRIGGER legal_hold_lifted_no_update BEFORE UPDATE ON legal_hold_lifted
BEGIN SELECT RAISE(ABORT, 'what a person did is never changed'); END;
CREATE TRIGGER legal_hold_lifted_no_delete BEFORE DELETE ON legal_hold_lifted
BEGIN SELECT RAISE(ABORT, 'what a person did is never deleted'); END;
